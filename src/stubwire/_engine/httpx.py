"""The default engine."""

from __future__ import annotations

import httpx

from stubwire._engine.library import Library

LIBRARY = Library(httpx)
