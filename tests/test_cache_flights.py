"""Identical reads that are made at once: one request, nobody's failure but the leader's, no wait that cannot end."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import anyio
import pytest

from caching import Things, ok, status
from conftest import Api, Colour, Reply
from queueing import in_threads
from stubwire import CallNext, DeadlineExceeded, HTTPStatusError, Request, Response, _runtime
from stubwire.plugins import CachePlugin, _cache_read
from stubwire.plugins._cache_flights import Flight, Flights

MakeApi = Callable[..., Api]
FRESH = ok(cache_control="max-age=60")
COUNT = 8
SYNC = Colour("sync")


@pytest.fixture
def cache() -> Iterator[CachePlugin]:
    plugin = CachePlugin()
    yield plugin
    plugin.close()


class Crowd:
    """Holds the first answer back until all others wait for it."""

    def __init__(self, count: int, patch: pytest.MonkeyPatch) -> None:
        self._missing = count
        self._lock = threading.Lock()
        self.complete = threading.Event()

        async def wait(future: Future[Any], seconds: float | None = None) -> bool:
            self.came()
            return await _runtime.wait(future, seconds)

        patch.setattr(_cache_read, "wait", wait)

    def came(self) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self.complete.set()


class Held:
    """A server in either colour that holds its first answer back."""

    def __init__(self, engine: str, crowd: Crowd, *answers: Reply) -> None:
        library = importlib.import_module(engine)
        self.asked = 0
        self.came = threading.Event()
        self._lock = threading.Lock()

        def answer() -> Any:
            with self._lock:
                self.asked += 1
                reply = answers[min(self.asked, len(answers)) - 1]
                first = self.asked == 1
                self.came.set()
            response = library.Response(reply.status, json=reply.json, headers=dict(reply.headers))
            return first, response

        def handle(_: Any) -> Any:
            first, response = answer()
            assert not first or crowd.complete.wait(60)
            return response

        async def ahandle(_: Any) -> Any:
            first, response = answer()
            assert not first or await anyio.to_thread.run_sync(crowd.complete.wait, 60)
            return response

        self.transport = (library.MockTransport(handle), library.MockTransport(ahandle))


def at_once(colour: Colour, client: Things, count: int) -> list[str | None]:
    """What the cache says of so many calls that are made at once."""
    if colour.name == "sync":
        found: list[str | None] = in_threads(count, lambda _: status(client, SYNC))
        return found
    found = []

    async def one() -> None:
        try:
            found.append((await client.thing.aio.response(1)).cache)
        except HTTPStatusError as error:
            found.append(error.response.cache)
        except Exception as error:  # noqa: BLE001 - its name is the result
            found.append(type(error).__name__)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(one)

    colour.drive(all_of_them)
    return found


def test_identical_reads_send_one_request(
    engine: str, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Held(engine, Crowd(COUNT - 1, monkeypatch), FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    assert sorted(map(str, at_once(colour, client, COUNT))) == ["hit"] * (COUNT - 1) + ["miss"]
    assert server.asked == 1


def test_threads_and_tasks_wait_for_one_another(
    engine: str, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Held(engine, Crowd(2, monkeypatch), FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    colours = [Colour(name) for name in ("sync", "asyncio", "trio")]
    found = in_threads(3, lambda number: status(client, colours[number]))
    assert sorted(found) == ["hit", "hit", "miss"]
    assert server.asked == 1


@pytest.mark.parametrize(
    "answer", [Reply(503), ok(cache_control="no-store"), ok(cache_control="no-cache", etag='"one"')]
)
def test_what_nobody_else_can_use_is_nobody_elses(
    engine: str, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch, answer: Reply
) -> None:
    """Who has waited sends for itself then, all at once."""
    server = Held(engine, Crowd(COUNT - 1, monkeypatch), answer, ok("pot", cache_control="no-store"))
    client = Things(transport=server.transport, plugins=[cache])
    assert at_once(colour, client, COUNT) == ["miss"] * COUNT
    assert server.asked == COUNT


def test_the_failure_of_the_leader_is_its_own(
    engine: str, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(COUNT - 1, monkeypatch)
    first = threading.Lock()

    async def fail(request: Request, call_next: CallNext) -> Response:
        leads = first.acquire(blocking=False)
        response = await call_next(request)
        if leads:
            raise LookupError("the leader's own")
        return response

    server = Held(engine, crowd, FRESH)
    client = Things(transport=server.transport, plugins=[cache]).use(fail)
    failures: list[str] = []
    found: list[str | None] = []
    if colour.name == "sync":

        def one(_: int) -> None:
            try:
                found.append(status(client, SYNC))
            except LookupError as error:
                failures.append(str(error))

        in_threads(COUNT, one)
    else:
        found = at_once(colour, client, COUNT)
        failures = [str(name) for name in found if name == "LookupError"]
        found = [name for name in found if name != "LookupError"]
    assert (len(failures), found) == (1, ["miss"] * (COUNT - 1))


def test_what_could_not_be_shared_is_not_waited_for(
    engine: str, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two reads are in flight together, which they could not be if one waited."""
    both = threading.Barrier(2)
    library = importlib.import_module(engine)
    answers = iter([{"Cache-Control": "no-store"}] + [{"Cache-Control": "max-age=60"}] * 2)
    asked: list[int] = []

    def handle(_: Any) -> Any:
        headers = next(answers)
        if asked:
            both.wait(60)
        asked.append(1)
        return library.Response(200, json="cup", headers=headers)

    client = Things(transport=library.MockTransport(handle), plugins=[cache])
    assert status(client, SYNC) == "miss"
    assert in_threads(2, lambda _: status(client, SYNC)) == ["miss", "miss"]
    assert status(client, SYNC) == "hit"


def test_what_has_landed_since_one_looked_is_found(
    api: MakeApi, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another read comes and goes between the look and the flight."""
    server = api(FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    others = iter(["miss"])
    join = Flights.join

    def late(self: Flights, name: str, *, blocks: bool) -> tuple[Flight | None, bool]:
        for expected in others:
            assert in_threads(1, lambda _: status(client, SYNC)) == [expected]
        return join(self, name, blocks=blocks)

    monkeypatch.setattr(Flights, "join", late)
    assert status(client, colour) == "hit"
    assert len(server.requests) == 1


def test_what_has_landed_may_be_something_else(
    api: MakeApi, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    others = iter([2])
    join = Flights.join

    def late(self: Flights, name: str, *, blocks: bool) -> tuple[Flight | None, bool]:
        for number in others:
            assert in_threads(1, lambda _: status(client, SYNC, number=number)) == ["miss"]  # noqa: B023
        return join(self, name, blocks=blocks)

    monkeypatch.setattr(Flights, "join", late)
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]


def test_a_read_inside_the_same_read_does_not_wait(api: Callable[..., Api], colour: Colour, cache: CachePlugin) -> None:
    inner: list[str | None] = []
    client = Things(transport=api(FRESH).transport, plugins=[cache])

    async def look(request: Request, call_next: CallNext) -> Response:
        if not inner:
            inner.append("")
            inner.append((await client.thing.aio.response(1)).cache)
        return await call_next(request)

    client.use(look)
    assert status(client, colour) == "miss"
    assert inner[1:] == ["miss"]


def test_a_synchronous_read_does_not_wait_for_a_task_of_its_own_thread(
    engine: str, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(1, monkeypatch)
    server = Held(engine, crowd, FRESH)
    client = Things(transport=server.transport, plugins=[cache])

    async def main() -> list[str | None]:
        leading = asyncio.ensure_future(client.thing.aio.response(1))
        assert await anyio.to_thread.run_sync(server.came.wait, 60)
        inside = client.thing.response(1).cache
        crowd.came()
        return [inside, (await leading).cache]

    assert asyncio.run(main()) == ["miss", "miss"]
    assert server.asked == 2


def test_a_wait_ends_with_the_deadline(
    engine: str, colour: Colour, cache: CachePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(2, monkeypatch)  # the second of them when the wait is over
    server = Held(engine, crowd, FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    leader = threading.Thread(target=client.thing, args=(1,))
    leader.start()
    assert server.came.wait(60)
    with pytest.raises(DeadlineExceeded):
        colour.run(client.with_options(deadline=0.05).thing, 1)
    crowd.came()
    leader.join(60)
    assert status(client, colour) == "hit"
    assert server.asked == 1


def test_what_is_remembered_is_bounded() -> None:
    flights = Flights()
    for number in range(1025):
        flights.remember(str(number), shares=False)
    assert flights.join("1024", blocks=True) == (None, False)
    assert flights.join("0", blocks=True)[1]
    flights.remember("1024", shares=True)
    assert flights.join("1024", blocks=True)[1]
