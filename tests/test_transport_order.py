"""Who may send next: the gate before the pool of the default transport."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import anyio
import pytest

from conftest import Colour
from servers import PATIENCE
from stubwire import CancelError
from stubwire._cancel import CancelToken
from stubwire._engine.gate import AsyncGate, Gate
from stubwire._engine.opening import aclose_all
from stubwire._limits import Limit, Limited

LOOPS = ["asyncio", "trio"]


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened in another thread."""
    never = threading.Event()
    assert any(happened() or never.wait(0.005) for _ in range(int(PATIENCE / 0.005)))


def has(names: list[str], count: int) -> bool:
    return len(names) == count


class Line:
    """Threads that want to enter a gate, one after the other."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.entered: list[str] = []
        self.refused: list[str] = []
        self.threads: list[threading.Thread] = []

    def join(self, name: str, seconds: float | None = None, limit: Limit | None = None) -> None:
        """Stand at the end."""
        waiting = len(self.gate._waiting)

        def enter() -> None:
            with Limited(limit):
                try:
                    (self.entered if self.gate.enter(seconds) else self.refused).append(name)
                except CancelError:
                    self.refused.append(name)

        thread = threading.Thread(target=enter)
        thread.start()
        self.threads.append(thread)
        until(lambda: len(self.gate._waiting) > waiting or not thread.is_alive())

    def end(self) -> None:
        """Wait for all."""
        for thread in self.threads:
            thread.join(PATIENCE)


@pytest.mark.parametrize("limit", [None, Limit(None, None)])
def test_threads_enter_in_the_order_in_which_they_came(limit: Limit | None) -> None:
    line = Line(Gate(2))
    for name in "abcd":
        line.join(name, limit=limit)
    assert sorted(line.entered) == ["a", "b"]
    for count in (3, 4):
        line.gate.leave()
        until(partial(has, line.entered, count))
    assert line.entered[2:] == ["c", "d"]
    line.end()


@pytest.mark.parametrize("limit", [None, Limit(None, None)])
def test_a_thread_that_gives_up_is_passed_over(limit: Limit | None) -> None:
    """After its time, or when it is cancelled; the place is another's, and free at last."""
    line = Line(Gate(1))
    token = CancelToken()
    line.join("a")
    line.join("b", 0.05, limit)
    line.join("c", None, Limit(None, token))
    line.join("d", PATIENCE, limit)
    token.cancel()
    until(lambda: len(line.refused) == 2)
    line.gate.leave()
    line.end()
    assert (line.entered, sorted(line.refused)) == (["a", "d"], ["b", "c"])
    line.gate.leave()
    assert line.gate.enter(0.01)


def test_a_place_that_comes_while_somebody_gives_up_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(1)
    assert gate.enter(None)

    def interrupted(turn: threading.Lock, seconds: float | None) -> bool:
        gate.leave()  # at this very moment
        raise KeyboardInterrupt

    monkeypatch.setattr("stubwire._engine.gate._await_turn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gate.enter(None)
    assert gate.enter(None)


@pytest.mark.parametrize("loop", LOOPS)
def test_tasks_enter_in_the_order_in_which_they_came(loop: str) -> None:
    """Those that give up are passed over."""
    entered: list[str] = []

    async def enter(gate: AsyncGate, name: str, seconds: float | None) -> None:
        if await gate.enter(seconds):
            entered.append(name)

    async def main() -> None:
        gate = AsyncGate(1)
        async with anyio.create_task_group() as group:
            for name, seconds in [("a", None), ("b", 0.01), ("c", None), ("d", 5.0)]:
                group.start_soon(enter, gate, name, seconds)
                await anyio.wait_all_tasks_blocked()
            while len(gate._waiting) > 2:  # noqa: ASYNC110 - a gate tells nobody who gave up
                await anyio.sleep(0.005)
            gate.leave()
            await anyio.wait_all_tasks_blocked()
            assert entered == ["a", "c"]
            gate.leave()
        assert entered == ["a", "c", "d"]

    Colour(loop).drive(main)


def test_a_place_that_comes_while_a_task_is_cancelled_is_passed_on() -> None:
    async def main() -> None:
        gate = AsyncGate(1)
        assert await gate.enter(None)
        task = asyncio.create_task(gate.enter(None))
        await anyio.wait_all_tasks_blocked()
        gate.leave()
        task.cancel()  # at this very moment
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gate.enter(0.01)

    asyncio.run(main())


def test_what_cannot_be_closed_does_not_keep_others_open() -> None:
    closed: list[str] = []

    class Item:
        def __init__(self, name: str, failure: BaseException | None = None) -> None:
            self.name = name
            self.failure = failure

        async def aclose(self) -> None:
            closed.append(self.name)
            if self.failure is not None:
                raise self.failure

    with pytest.raises(OSError, match="first"):
        asyncio.run(aclose_all([Item("a", OSError("first")), Item("b", OSError("second")), Item("c")]))
    assert closed == ["a", "b", "c"]
