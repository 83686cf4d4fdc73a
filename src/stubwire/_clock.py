"""Time, behind four names that a test can replace.

This module's rule: nothing else in the package reads a clock or sleeps.
"""

from __future__ import annotations

import time

monotonic = time.monotonic
"""Seconds on a clock that only goes forward; for durations."""

now = time.time
"""Seconds since the epoch; for dates that a server sent."""

sleep = time.sleep
"""Block this thread for some seconds."""


async def asleep(seconds: float) -> None:
    """Suspend this task for some seconds, on asyncio or trio."""
    from anyio import sleep  # a slow import, for the few calls that wait

    await sleep(seconds)
