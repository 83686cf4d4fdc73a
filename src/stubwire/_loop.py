"""Which event loop runs: of asyncio or of trio.

This module's rule: it asks, and imports neither.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import cast

from stubwire.errors import ColourError


def current_loop() -> object:
    """The running event loop of asyncio, or trio's token.

    Raises:
        ColourError: nothing runs.
    """
    with suppress(RuntimeError):
        if (asyncio := sys.modules.get("asyncio")) is not None:  # imported by whoever runs a loop of it
            return cast("object", asyncio.get_running_loop())
    with suppress(RuntimeError):
        if (trio := sys.modules.get("trio")) is not None:
            return cast("object", trio.lowlevel.current_trio_token())
    raise ColourError("no running event loop: await an asynchronous call on asyncio or trio")
