"""Work on the disk of an asynchronous call: in order, and elsewhere once it is slow."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from conftest import Clock, Colour
from stubwire._disk import Elsewhere


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> Colour:
    """An event loop."""
    return Colour(str(request.param))


def test_what_is_quick_is_done_here_and_what_is_slow_elsewhere(loop: Colour, clock: Clock) -> None:
    done: list[tuple[str, bool]] = []

    def act(name: str, seconds: float = 0.0) -> Callable[[], None]:
        def run() -> None:
            clock.advance(seconds)
            done.append((name, threading.current_thread() is threading.main_thread()))

        return run

    async def run() -> None:
        disk = Elsewhere()
        await disk.begin(act("quick"))
        await disk.do(act("final"))
        await disk.begin(act("slow", 1.0))
        await disk.begin(act("next"))
        await disk.begin(act("and next"))
        disk.close()

    loop.drive(run)
    assert done == [("quick", True), ("final", False), ("slow", True), ("next", False), ("and next", False)]


def test_the_loop_goes_on_and_a_failure_is_raised_by_what_comes_next(loop: Colour, clock: Clock) -> None:
    reached, seen = threading.Event(), list[str]()

    def fail() -> None:
        reached.wait(20)
        raise OSError(28, "No space left on device")

    async def run() -> None:
        disk = Elsewhere()
        await disk.begin(lambda: clock.advance(1.0))
        await disk.begin(fail)
        seen.append("went on")
        reached.set()
        with pytest.raises(OSError, match="No space left"):
            await disk.begin(lambda: seen.append("not done"))
        disk.close()

    loop.drive(run)
    assert seen == ["went on"]
