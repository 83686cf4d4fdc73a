"""What tests of limits and breakers share: a clock that also moves for who waits in line, and a tiny client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stubwire import ApiClient, CallError, Retry, _clock, get

if TYPE_CHECKING:
    import pytest
    from anyio import Event

    from conftest import Clock, Colour


class Shop(ApiClient):
    base_url = "https://shop.test"
    retry: Retry | None = None

    @get("/orders/<number>")
    def order(self, number: int) -> str:
        raise NotImplementedError


def let_waits_pass(clock: Clock, patch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let who waits for a future that is not done wait on this clock; something may happen meanwhile."""

    def wait(event: threading.Event | Event, seconds: float | None) -> None:
        meanwhile()
        if not event.is_set():
            assert seconds is not None, "it would wait for ever"
            clock.sleep(seconds)

    async def await_(event: Event, seconds: float | None) -> None:
        wait(event, seconds)

    patch.setattr(_clock, "wait", wait)
    patch.setattr(_clock, "await_", await_)


class Gauge:
    """How many requests a server works on, now and at most; it answers what it is told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 0
        self.most = 0
        self.total = 0

    def enter(self) -> None:
        with self._lock:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)

    def leave(self) -> None:
        with self._lock:
            self.now -= 1


def outcome(colour: Colour, endpoint: Any, number: int = 1) -> str:
    """What a call gives, or the name of its error."""
    try:
        return str(colour.run(endpoint, number))
    except CallError as error:
        return type(error).__name__


def in_threads(count: int, function: Callable[[int], Any]) -> list[Any]:
    """What a function returns in so many threads at once."""
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        results[number] = function(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results
