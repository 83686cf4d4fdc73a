"""The engine of the extra `httpx2`."""

from __future__ import annotations

import httpx2

from stubwire._engine.library import Library

LIBRARY = Library(httpx2)
