"""A token is cancelled by a signal handler, which runs between any two lines of its thread."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from servers import HANG, PATIENCE, Answer, RawRequest, RawServer
from stubwire import ApiClient, CancelError, CancelToken, _cancel, _clock, _limits, get
from stubwire._cancel import Bell
from stubwire._limits import Limit

if TYPE_CHECKING:
    from conftest import EngineName


class Things(ApiClient):
    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


def interrupted(run: Callable[[], object], line: int, act: Callable[[], object]) -> int:
    """Run something, and act as a handler would before one of the lines of ours that it runs; how many there were."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in (_cancel.__file__, _limits.__file__):
            return None
        if event == "line":
            if seen == line:
                act()
            seen += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def test_a_signal_handler_may_cancel_at_any_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It neither waits for what its own thread holds, nor is it missed."""
    token = CancelToken()

    def wait(bell: Bell, _: float | None) -> None:
        if token.cancelled:  # else the wait would be as long as it says
            bell.wait(PATIENCE)
            assert bell.is_set()

    def sleep() -> None:
        with suppress(CancelError):
            Limit(None, token).sleep(3600.0)

    monkeypatch.setattr(_clock, "wait", wait)
    lines = interrupted(sleep, -1, token.cancel)
    assert lines > 20
    for line in range(lines):
        token = CancelToken()
        interrupted(sleep, line, token.cancel)
        assert token.cancelled
        assert token._told == {}


def test_a_signal_handler_may_cancel_while_another_cancels() -> None:
    """Each that is to be told is told once, and the first reason stays."""
    for line in range(interrupted(lambda: CancelToken().cancel(), -1, CancelToken)):
        token, told = CancelToken(), list[int]()
        for number in range(3):
            token._when_cancelled(lambda number=number: told.append(number))  # type: ignore[misc]  # noqa: B023
        interrupted(lambda token=token: token.cancel("first"), line, lambda token=token: token.cancel("second"))  # type: ignore[misc]
        assert sorted(told) == [0, 1, 2]
        assert token.reason in ("first", "second")
        assert len(token._reasons) == 1


def test_a_bell_rings_once() -> None:
    bell = Bell()
    bell.wait(0.0)
    assert not bell.is_set()
    for _ in range(2):
        bell.ring()
        bell.wait(None)
        bell.wait(1e300)
        assert bell.is_set()


def test_a_signal_ends_a_call_that_waits(engine: EngineName) -> None:
    """As a service does that is told to stop."""
    token = CancelToken()

    def react(_: RawRequest) -> Answer:
        os.kill(os.getpid(), signal.SIGUSR1)
        return HANG

    def stop(_: int, __: FrameType | None) -> None:
        token.cancel("told to stop")

    before = signal.signal(signal.SIGUSR1, stop)
    try:
        with RawServer(react) as server, Things(base_url=server.url, engine=engine) as client:
            with pytest.raises(CancelError, match="was cancelled: told to stop"):
                client.with_options(cancel=token).thing()
            server.wait_until(lambda server: server.closed == 1)
    finally:
        signal.signal(signal.SIGUSR1, before)
