"""`RateLimit(redis=...)`: the script on a Redis in memory; test_beds_redis.py has a real one."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anyio
import fakeredis
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from conftest import Api, Clock, Colour, Reply
from queueing import Shop, in_threads
from stubwire import ConfigurationError, LimitExceededError, _clock
from stubwire.plugins import RateLimit
from stubwire.plugins._redis import _SCRIPT
from stubwire.plugins._slots import Slot, Slots

MakeApi = Callable[..., Api]
URL = "redis://:s3cret@cache.test:6379/0"
SHOWN = "redis://cache.test:6379/0"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> fakeredis.FakeServer:
    """A Redis in memory, for whoever connects to one."""
    memory = fakeredis.FakeServer(server_type="redis")

    def from_url(_: str, **__: object) -> redis.Redis:
        return fakeredis.FakeRedis(server=memory)

    monkeypatch.setattr(redis.Redis, "from_url", from_url)
    return memory


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stubwire")


def shop(api: MakeApi, **settings: Any) -> Shop:
    limit = RateLimit(redis=URL, **settings)
    return Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit])


def test_two_clients_share_a_limit(api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer) -> None:
    one, other = shop(api, per_day=2, max_wait=None), shop(api, per_day=2, max_wait=None)
    for client in (one, other):
        assert colour.run(client.order, 1) == "cups"
    assert clock.waits == []
    assert colour.run(one.order, 1) == "cups"
    (wait,) = clock.waits
    assert 80_000 < wait <= 86_400


def test_who_would_wait_too_long_takes_nothing(
    api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer
) -> None:
    one, other = shop(api, per_day=1, max_wait=5), shop(api, per_day=1, max_wait=86_400)
    assert colour.run(one.order, 1) == "cups"
    with pytest.raises(
        LimitExceededError, match=r"RateLimit\(per_day=1\) is used up for 8\d{4}\.\d s, longer than max_wait=5$"
    ):
        colour.run(one.order, 1)
    assert colour.run(other.order, 1) == "cups"
    (wait,) = clock.waits
    assert 80_000 < wait <= 86_400


def test_a_wait_that_is_interrupted_is_lost(
    api: MakeApi, clock: Clock, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of Redis on the way out."""
    client = shop(api, per_day=1, max_wait=None)
    assert client.order(1) == "cups"

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_clock, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.order(1)
    assert client.order(1) == "cups"
    (wait,) = clock.waits
    assert 160_000 < wait <= 172_800


def test_a_key_names_another_limit(api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer) -> None:
    for client in (shop(api, per_day=1), shop(api, per_day=1, key="tenant-17"), shop(api, per_hour=1)):
        assert colour.run(client.order, 1) == "cups"
    memory: Any = fakeredis.FakeRedis(server=server, decode_responses=True)
    assert sorted(memory.keys()) == [
        "stubwire:rate-limit:https://shop.test:3600",
        "stubwire:rate-limit:https://shop.test:86400",
        "stubwire:rate-limit:tenant-17:86400",
    ]


def test_twenty_threads_share_it(api: MakeApi, server: fakeredis.FakeServer) -> None:
    client = shop(api, per_day=5, max_wait=0)

    def call(number: int) -> str:
        try:
            return client.order(number) if number % 2 else Colour("asyncio").drive(client.order.aio, number)
        except LimitExceededError:
            return "refused"

    results = in_threads(20, call)
    assert sorted(results) == ["cups"] * 5 + ["refused"] * 15


def test_while_redis_is_down_it_allows(
    api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so once, and once more when Redis is back."""
    client = shop(api, per_day=1, max_wait=0)
    server.connected = False
    for _ in range(3):
        assert colour.run(client.order, 1) == "cups"
    server.connected = True
    assert colour.run(client.order, 1) == "cups"
    with pytest.raises(LimitExceededError):
        colour.run(client.order, 1)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            f"RateLimit: Redis at {SHOWN} does not answer (ConnectionError): requests are sent without a limit",
        ),
        ("INFO", f"RateLimit: Redis at {SHOWN} answers again"),
    ]


def test_while_redis_is_down_it_refuses(
    api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = shop(api, per_day=1, on_error="refuse")
    server.connected = False
    with pytest.raises(LimitExceededError):
        colour.run(client.order, 1)
    with pytest.raises(LimitExceededError) as caught:
        colour.run(client.order, 1)
    assert str(caught.value) == (
        f"Shop.order: GET https://shop.test/orders/1 was not sent: Redis at {SHOWN}, which has the limit, does not "
        "answer (ConnectionError)"
    )
    assert [record.getMessage() for record in caplog.records] == [
        f"RateLimit: Redis at {SHOWN} does not answer (ConnectionError): no requests are sent"
    ]


def test_a_redis_that_hangs_is_left_alone_for_a_second(
    api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def hang(*_: object, **__: object) -> object:
        asked.append(1)
        raise redis.TimeoutError

    monkeypatch.setattr(fakeredis.FakeRedis, "evalsha", hang)
    client = shop(api, per_day=1, max_wait=0)
    for pause in (0, 0, 0.5, 0.5):
        clock.advance(pause)
        assert colour.run(client.order, 1) == "cups"
    assert len(asked) == 2


def test_a_connection_that_is_refused_is_no_error_of_a_socket(api: MakeApi, colour: Colour) -> None:
    """With redis-py itself, and a port where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        limit = RateLimit(per_second=1, redis=f"redis://127.0.0.1:{held.getsockname()[1]}")
        assert colour.run(Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit]).order, 1) == "cups"


def test_another_process_asks_from_threads_of_its_own(
    api: MakeApi, clock: Clock, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a child would after a fork, where the threads of its parent do not run."""
    client, colour = shop(api, per_day=9), Colour("asyncio")
    assert colour.run(client.order, 1) == "cups"
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert colour.run(client.order, 1) == "cups"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_who_is_cancelled_before_it_asked_takes_no_moment(
    api: MakeApi, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    """All threads that ask are busy."""
    limit, go = RateLimit(redis=URL, per_day=1, max_wait=0), threading.Event()
    client, shared = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit]), limit._shared
    assert shared is not None

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.order.aio, 1)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    with ThreadPoolExecutor(1) as busy:
        busy.submit(go.wait, 30)

        def submit(key: str, longest: float | None) -> Future[Slot | str]:
            return busy.submit(shared._take, key, longest)

        monkeypatch.setattr(shared, "_submit", submit)
        Colour(loop).drive(main)
        go.set()
    assert client.order(2) == "cups"


def test_a_redis_that_is_not_found_for_long_is_left_alone_too(
    api: MakeApi, colour: Colour, clock: Clock, server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a resolver that does not answer; one that refuses at once is asked each time."""
    asked: list[object] = []

    def fail(*_: object, **__: object) -> object:
        asked.append(1)
        clock.advance(0.5 if len(asked) < 4 else 2.0)
        raise redis.ConnectionError

    monkeypatch.setattr(fakeredis.FakeRedis, "evalsha", fail)
    client = shop(api, per_day=1, on_error="refuse")
    for _ in range(6):
        with pytest.raises(LimitExceededError, match=r"does not answer \(ConnectionError\)$"):
            colour.run(client.order, 1)
    assert len(asked) == 4


def test_without_redis_py_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stubwire.plugins._redis", None)
    with pytest.raises(ConfigurationError) as caught:
        RateLimit(per_second=1, redis=URL)
    assert str(caught.value) == "RateLimit redis=... needs the package redis: pip install 'stubwire[redis]'"


STEPS = st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 30)), max_size=20)


@given(count=st.integers(1, 4), window=st.integers(1, 20), steps=STEPS)
def test_the_script_decides_as_the_process_does(count: int, window: int, steps: list[tuple[int, int | None]]) -> None:
    assert "redis.call('TIME')" in _SCRIPT
    script = fakeredis.FakeRedis(server=fakeredis.FakeServer(server_type="redis")).register_script(
        _SCRIPT.replace("redis.call('TIME')", "{ARGV[5], '250000'}")
    )
    slots, now = Slots(count, window), 1_700_000_000
    for number, (pause, longest) in enumerate(steps):
        now += pause
        most = -1 if longest is None else longest * 1_000_000
        answer = script(keys=["log"], args=[count, window * 1_000_000, most, f"{number:032}", now])
        slot = slots.take(now, longest)
        assert answer == [slot.wait * 1_000_000, slot.at is not None]
