"""`RateLimit(redis=...)` against a real Redis: what a server counts that several processes call."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from redis import Redis

from beds import bed
from servers import OK, RawServer
from stubwire import ApiClient, DeadlineExceeded, LimitExceededError, get
from stubwire.plugins import RateLimit

if TYPE_CHECKING:
    from conftest import Colour

pytestmark = pytest.mark.bed

CLIENTS = Path(__file__).with_name("redis_clients.py")


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with bed("start_redis.sh") as port:
        yield f"redis://127.0.0.1:{port}"


class Shop(ApiClient):
    @get("/orders/<number>")
    def order(self, number: int) -> object:
        raise NotImplementedError


def process(url: str, calls: int, **settings: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(CLIENTS), url, str(calls), json.dumps(settings)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def counted(processes: list[subprocess.Popen[str]]) -> tuple[float, int, int]:
    """When these processes began, at once; how many calls they sent, and how many were refused."""
    for started in processes:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
    began = time.monotonic()
    for started in processes:
        assert started.stdin is not None
        started.stdin.write("go\n")
        started.stdin.flush()
    printed = [started.communicate(timeout=60)[0].split() for started in processes]
    assert [started.returncode for started in processes] == [0, 0]
    return began, sum(int(sent) for sent, _ in printed), sum(int(refused) for _, refused in printed)


def test_two_processes_send_no_more_than_the_limit_allows(redis: str) -> None:
    """Each makes 20 synchronous and 20 asynchronous calls, at once; 30 are allowed in all."""
    with RawServer() as server:
        processes = [process(server.url, 20, redis=redis, per_day=30, max_wait=0) for _ in range(2)]
        _, sent, refused = counted(processes)
        assert (sent, refused, len(server.requests)) == (30, 50, 30)


def test_two_processes_wait_for_the_same_moments(redis: str) -> None:
    """40 calls, of which 5 are allowed in each quarter of a second: none comes to the server before its time."""
    arrived: list[float] = []

    def note(_: object) -> bytes:
        arrived.append(time.monotonic())
        return OK

    with RawServer(note) as server:
        settings = {"redis": redis, "per_second": 20, "burst": 5, "max_wait": None}
        began, sent, refused = counted([process(server.url, 10, **settings) for _ in range(2)])
        assert (sent, refused, len(arrived)) == (40, 0, 40)
        early = [number for number, at in enumerate(sorted(arrived)) if at - began < number // 5 * 0.25 - 0.02]
        assert early == []


def test_the_limit_holds_over_time(redis: str, colour: Colour) -> None:
    """By the clock of Redis: the first five at once, five in each quarter of a second after that."""
    with RawServer() as server:
        shops = [
            Shop(base_url=server.url, plugins=[RateLimit(per_second=20, burst=5, redis=redis, key=colour.name)])
            for _ in range(2)
        ]
        began = time.monotonic()
        for number in range(16):
            colour.run(shops[number % 2].order, number)
        assert time.monotonic() - began > 0.7
        for shop in shops:
            shop.close()


@pytest.mark.parametrize("on_error", ["allow", "refuse"])
def test_a_redis_that_goes_and_comes_back(
    colour: Colour, on_error: Literal["allow", "refuse"], caplog: pytest.LogCaptureFixture
) -> None:
    """On the same port, and empty; the client says so once each time."""
    caplog.set_level(logging.INFO, "stubwire")

    def outcome(number: int) -> str:
        try:
            colour.run(shop.order, number)
        except LimitExceededError as error:
            return "used up" if "is used up" in str(error) else "no answer" if "does not answer" in str(error) else ""
        return "sent"

    with RawServer() as server:
        with bed("start_redis.sh") as port:
            url = f"redis://127.0.0.1:{port}"
            shop = Shop(base_url=server.url, plugins=[RateLimit(per_day=2, max_wait=0, redis=url, on_error=on_error)])
            assert [outcome(number) for number in range(3)] == ["sent", "sent", "used up"]
        assert [outcome(number) for number in range(2)] == ["sent" if on_error == "allow" else "no answer"] * 2
        with bed("start_redis.sh", str(port)):
            assert [outcome(number) for number in range(3)] == ["sent", "sent", "used up"]
        shop.close()
        assert len(server.requests) == (6 if on_error == "allow" else 4)
    does = "requests are sent without a limit" if on_error == "allow" else "no requests are sent"
    assert [record.getMessage() for record in caplog.records if record.name == "stubwire"] == [
        f"RateLimit: Redis at {url} does not answer (ConnectionError): {does}",
        f"RateLimit: Redis at {url} answers again",
    ]


@pytest.mark.parametrize("on_error", ["allow", "refuse"])
def test_a_redis_that_is_paused_is_not_waited_for_long(colour: Colour, on_error: Literal["allow", "refuse"]) -> None:
    """It accepts connections, and does not answer; a deadline ends the wait before the client gives up."""
    with RawServer() as server, bed("start_redis.sh") as port:
        url = f"redis://127.0.0.1:{port}"
        shop = Shop(base_url=server.url, plugins=[RateLimit(per_day=9, redis=url, on_error=on_error)])
        colour.run(shop.order, 1)
        redis: Any = Redis(port=port)
        with closing(redis):
            redis.client_pause(600_000)
        with pytest.raises(DeadlineExceeded):
            colour.run(shop.with_options(deadline=0.1).order, 2)
        if on_error == "allow":
            colour.run(shop.order, 3)
        else:
            with pytest.raises(LimitExceededError, match=r"does not answer \(TimeoutError\)$"):
                colour.run(shop.order, 3)
        shop.close()
        assert len(server.requests) == (2 if on_error == "allow" else 1)
