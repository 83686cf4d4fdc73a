"""`CachePlugin(redis=...)` against a real Redis: RFC 9111, two clients that share, and a Redis that goes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator

import pytest
import redis

import cache_rows
import cache_rows_used
from beds import bed
from caching import SECRET, Row, Script, Things, status
from conftest import Api, Clock, Colour, Reply
from servers import RawServer
from stubwire.auth import BearerAuth
from stubwire.plugins import CachePlugin

pytestmark = pytest.mark.bed

ROWS = [*cache_rows.ROWS, *cache_rows_used.ROWS]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with bed("start_redis.sh") as port:
        yield f"redis://127.0.0.1:{port}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.says}")
def test_a_requirement(row: Row, url: str, colour: Colour, clock: Clock) -> None:
    """Each with a secret of its own, under which nothing is stored yet."""
    script = Script(row, clock)
    cache = CachePlugin(redis=url, secret=uuid.uuid4().hex, stale_if_error=row.grace)
    script.play(Things(transport=Api("httpx", (script,)).transport, plugins=[cache]), colour)
    cache.close()


def test_two_clients_share_what_one_has_fetched(url: str, colour: Colour) -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: max-age=600\r\n\r\n"cup"'
    secret = uuid.uuid4().hex
    with RawServer(answer) as server:
        caches = [CachePlugin(redis=url, secret=secret) for _ in range(2)]
        clients = [Things(base_url=server.url, plugins=[cache], auth=BearerAuth("a")) for cache in caches]
        assert [status(client, colour) for client in clients] == ["miss", "hit"]
        stranger = Things(base_url=server.url, plugins=[caches[0]], auth=BearerAuth("b"))
        assert status(stranger, colour) == "miss"
        assert len(server.requests) == 2
        for client in (*clients, stranger):
            client.close()
        for cache in caches:
            cache.close()


def test_what_is_stored_goes_after_a_week_without_use(url: str) -> None:
    row = cache_rows.ROWS[0]
    with redis.Redis.from_url(url) as client:  # pyright: ignore[reportUnknownMemberType]
        client.flushall()  # pyright: ignore[reportUnknownMemberType]
        cache = CachePlugin(redis=url, secret=SECRET)

        def fresh(_: object) -> Reply:
            answer = row.steps[0].answer
            assert isinstance(answer, Reply)
            return answer

        assert status(Things(transport=Api("httpx", (fresh,)).transport, plugins=[cache]), Colour("sync")) == "miss"
        keys: list[bytes] = list(client.scan_iter())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        assert keys
        assert all(key.startswith(b"stubwire:cache:") for key in keys)
        assert all(6 * 86400 < client.ttl(key) <= 7 * 86400 + 180 for key in keys)
        cache.close()


def test_a_redis_that_goes(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    answer = cache_rows.FRESH
    with bed("start_redis.sh") as port:
        cache = CachePlugin(redis=f"redis://127.0.0.1:{port}", secret=SECRET)
        client = Things(transport=Api("httpx", (answer,)).transport, plugins=[cache])
        assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    assert [status(client, colour) for _ in range(3)] == ["miss"] * 3
    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned == [
        f"CachePlugin: redis='redis://127.0.0.1:{port}' fails (ConnectionError): calls are made without a cache"
    ]
    cache.close()
