"""HTTP/2 on the default transport: who shares a connection, and what becomes of one on which a call was cut."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from stages import Authority, Staged, freshly, http2
from stubwire import DeadlineExceeded, Limits
from stubwire._limits import Limit, Limited
from test_transport_cancel import Caller as AsyncCaller
from test_transport_cancel import cancelled, drive
from test_transport_limits import SOON, Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import EngineName

TWO = Limits(max_connections=2)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with freshly():
        yield Authority()


def test_it_is_negotiated_and_a_connection_is_kept(engine: EngineName, authority: Authority) -> None:
    with Staged(http2, authority.server("h2")) as server:
        calls = Caller(engine, authority.client(), http2=True)
        assert [calls.send(server.url + path) for path in ("a", "b")] == [b"/a", b"/b"]
        request = calls.library.Request("GET", server.url)
        response = calls.transport.handle_request(request)
        assert response.http_version == "HTTP/2"
        response.close()
        calls.transport.close()
        assert server.all_are_gone()
        assert server.seen == [b"/a", b"/b", b"/"]


def test_it_is_not_offered_unless_it_is_asked_for(engine: EngineName, authority: Authority) -> None:
    context = authority.server("h2", "http/1.1")
    offered: list[str | None] = []
    with Staged(lambda server, connection: _tell(context, connection, offered)) as server:
        calls = Caller(engine, authority.client())
        with pytest.raises(calls.library.TransportError):  # by an end, or by a reset
            calls.send(server.url.replace("http:", "https:"))
        calls.transport.close()
    assert offered == ["http/1.1"]


def _tell(context: Any, connection: Any, offered: list[str | None]) -> None:
    with context.wrap_socket(connection.dup(), server_side=True) as stream:
        offered.append(stream.selected_alpn_protocol())


@pytest.mark.parametrize("path", ["hang", "half"])
def test_a_deadline_ends_a_call(engine: EngineName, authority: Authority, path: str) -> None:
    """Before the response and within its body; the connection is closed, and the next call has another."""
    with Staged(http2, authority.server("h2")) as server:
        calls = Caller(engine, authority.client(), http2=True)
        assert calls.send(server.url) == b"/"
        with Limited(Limit(time.monotonic() + SOON, None)), pytest.raises(DeadlineExceeded):
            calls.send(server.url + path)
        assert server.all_are_gone()
        assert calls.send(server.url) == b"/"
        assert server.opened == 2
        calls.transport.close()


def test_a_synchronous_call_does_not_wait_for_another(engine: EngineName, authority: Authority) -> None:
    """While one hangs the next has a connection of its own; both are kept."""
    with Staged(http2, authority.server("h2")) as server:
        calls = Caller(engine, authority.client(), http2=True, limits=TWO)
        first = calls.transport.handle_request(calls.library.Request("GET", server.url))
        assert calls.send(server.url + "b") == b"/b"
        assert b"".join(first.stream) == b"/"
        first.close()
        assert [calls.send(server.url + "c"), server.opened] == [b"/c", 2]
        calls.transport.close()
        assert server.all_are_gone()


def test_threads_that_begin_together_have_their_own_answers(engine: EngineName, authority: Authority) -> None:
    with Staged(http2, authority.server("h2")) as server:
        calls = Caller(engine, authority.client(), http2=True, limits=TWO)
        answers: list[tuple[int, bytes]] = []

        def ask(number: int) -> None:
            answers.extend((number, calls.send(f"{server.url}{number}")) for _ in range(5))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 30
        assert all(answer == b"/%d" % number for number, answer in answers)
        calls.transport.close()
        assert server.opened <= 2


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("path", ["hang", "half"])
def test_tasks_share_a_connection_until_a_call_on_it_is_cut(
    engine: EngineName, authority: Authority, loop: str, path: str
) -> None:
    """Whoever still uses it goes on; who comes later has another; then it is closed."""
    with Staged(http2, authority.server("h2")) as server:

        async def main() -> None:
            calls = AsyncCaller(engine, authority.client(), http2=True, limits=TWO)
            kept = await calls.open(server.url + "kept")
            await cancelled(loop, server.reached.is_set, lambda: calls.send(server.url + path))
            assert (server.opened, server.ended) == (1, 0)
            assert await calls.send(server.url + "next") == b"/next"
            assert (server.opened, server.ended) == (2, 0)
            assert b"".join([piece async for piece in kept.stream]) == b"/kept"
            await kept.aclose()
            assert await anyio.to_thread.run_sync(server.has_ended, 1)
            assert await calls.send(server.url) == b"/"
            assert server.opened == 2
            await calls.transport.aclose()
            assert await anyio.to_thread.run_sync(server.all_are_gone)

        drive(loop, main)
