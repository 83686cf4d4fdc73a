"""Whatever is called by whom, in whatever order: nobody gets what was somebody else's, or is older than a change."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caching import Things
from conftest import COLOURS, Api, Colour, Reply
from queueing import in_threads
from stubwire.auth import BearerAuth
from stubwire.plugins import CachePlugin, OpenTelemetryPlugin

if TYPE_CHECKING:
    from stubwire import Plugin

USERS = ("ann", "ben", None)
LANGUAGES = ("en", "fr")
steps = st.tuples(
    st.sampled_from(USERS),
    st.sampled_from(LANGUAGES),
    st.sampled_from(("thing", "thing", "thing", "change")),
    st.integers(1, 2),
    st.sampled_from(COLOURS),
)


class Versions:
    """A server whose things differ by user and language, and count their changes."""

    def __init__(self) -> None:
        self.reads = count()
        self.changes: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def __call__(self, request: Any) -> Reply:
        user = request.headers.get("authorization", "")
        with self._lock:
            if request.method == "PUT":
                self.changes[user, request.url.path] = self.changes.get((user, request.url.path), 0) + 1
            else:
                next(self.reads)
            version = self.changes.get((user, request.url.path), 0)
        seen = [user, request.headers.get("accept-language"), request.url.path, version]
        return Reply(json=seen, headers={"Cache-Control": "max-age=600", "Vary": "Accept-Language"})


def client_of(server: Versions, cache: CachePlugin, user: str | None) -> Things:
    auth = None if user is None else BearerAuth(user)
    return Things(transport=Api("httpx", (server,)).transport, plugins=[cache], auth=auth)


@settings(max_examples=40)
@given(st.lists(steps, max_size=20))
def test_any_order(calls: list[tuple[str | None, str, str, int, str]]) -> None:
    cache, server = CachePlugin(), Versions()
    clients = {user: client_of(server, cache, user) for user in USERS}
    for user, language, name, number, colour in calls:
        client = clients[user].with_options(headers={"Accept-Language": language})
        sent, path = "" if user is None else f"Bearer {user}", f"/things/{number}"
        found = Colour(colour).run(getattr(client, name), number)
        assert found == [sent, language, path, server.changes.get((sent, path), 0)]
    reads = {(call[0], call[1], call[3]) for call in calls if call[2] == "thing"}
    assert next(server.reads) <= len(reads) + sum(call[2] == "change" for call in calls) * len(LANGUAGES)
    cache.close()


def test_at_once() -> None:
    cache, server = CachePlugin(), Versions()
    clients = [client_of(server, cache, user) for user in USERS]

    def run(number: int) -> list[object]:
        client = clients[number % 3].with_options(headers={"Accept-Language": LANGUAGES[number % 2]})
        return [Colour(COLOURS[turn % 3]).run(client.thing, turn % 2) for turn in range(6)]

    for number, found in enumerate(in_threads(12, run)):
        user, language = USERS[number % 3], LANGUAGES[number % 2]
        sent = "" if user is None else f"Bearer {user}"
        assert found == [[sent, language, f"/things/{turn % 2}", 0] for turn in range(6)]
    assert next(server.reads) == len(USERS) * len(LANGUAGES) * 2
    cache.close()


@pytest.mark.parametrize("outside", [True, False])
def test_beside_telemetry(colour: Colour, outside: bool) -> None:
    cache, server = CachePlugin(), Versions()
    plugins: list[Plugin] = [OpenTelemetryPlugin(), cache] if outside else [cache, OpenTelemetryPlugin()]
    client = Things(transport=Api("httpx", (server,)).transport, plugins=plugins)
    assert [colour.response(client.thing, 1).cache for _ in range(2)] == ["miss", "hit"]
    cache.close()
