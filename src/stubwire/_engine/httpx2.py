"""The engine of the extra `httpx2`."""

from __future__ import annotations

from types import ModuleType
from typing import cast

import httpx2

from stubwire._engine.library import Library

LIBRARY = Library(cast("ModuleType", httpx2))
