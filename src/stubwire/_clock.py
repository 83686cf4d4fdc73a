"""Time, behind six names that a test can replace.

This module's rule: nothing else in the package reads a clock or sleeps.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio import Event

    from stubwire._cancel import Bell

monotonic = time.monotonic
"""Seconds on a clock that only goes forward; for durations."""

now = time.time
"""Seconds since the epoch; for dates that a server sent."""

sleep = time.sleep
"""Block this thread for some seconds."""


def wait(bell: Bell, seconds: float | None) -> None:
    """Block this thread until a bell rings, or for some seconds; `None` is for ever."""
    bell.wait(seconds)


async def asleep(seconds: float) -> None:
    """Suspend this task for some seconds, on asyncio or trio."""
    from anyio import sleep  # a slow import, for the few calls that wait

    await sleep(seconds)


async def await_(event: Event, seconds: float | None) -> None:
    """Suspend this task until something happens, or for some seconds; `None` is for ever."""
    from anyio import move_on_after

    with move_on_after(seconds):
        await event.wait()
