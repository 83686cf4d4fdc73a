"""The default transport and what servers do unasked: hang up, say too much or too early, or make no sense."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from servers import OK, PATIENCE
from stages import Authority, Handler, Staged, answer, freshly, request_of, secured, until_gone
from stubwire import ApiClient, DeadlineExceeded, Limits, ResponseTooLargeError, get
from test_transport_cancel import Caller as AsyncCaller
from test_transport_cancel import drive
from test_transport_limits import LONG, SOON, Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Colour, EngineName


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with freshly():
        yield Authority()


class Asker:
    """Sends one request after the other, in one colour, on a transport with one connection."""

    def __init__(self, colour: Colour, engine: EngineName, authority: Authority, **options: Any) -> None:
        self.colour = colour
        self.make: Callable[[], Any] = lambda: (Caller if colour.name == "sync" else AsyncCaller)(
            engine, authority.client(), **options
        )

    def ask(self, *steps: Callable[[], object] | str, content: bytes = b"") -> list[bytes]:
        """Send a request to each URL in order, and do between them what is no URL."""
        calls = self.make()
        if self.colour.name != "sync":
            answers: list[bytes] = self.colour.drive(self._ask, calls, steps, content)
            return answers
        answers = []
        for step in steps:
            if isinstance(step, str):
                answers.append(calls.send(step, content))
            else:
                step()
        calls.transport.close()
        return answers

    async def _ask(self, calls: Any, steps: tuple[Callable[[], object] | str, ...], content: bytes) -> list[bytes]:
        answers: list[bytes] = []
        for step in steps:
            if isinstance(step, str):
                answers.append(await calls.send(step, content))
            else:
                await anyio.to_thread.run_sync(step)
        await calls.transport.aclose()
        return answers


def protocol(connection: socket.socket) -> h2.connection.H2Connection:
    """The server's side of HTTP/2."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    return state


def next_request(state: h2.connection.H2Connection, stream: socket.socket) -> int:
    """The number of the stream of the next request; 0 at the end."""
    while data := stream.recv(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.StreamEnded):
                assert event.stream_id is not None
                return event.stream_id
        stream.sendall(state.data_to_send())
    return 0


def respond(state: h2.connection.H2Connection, stream: socket.socket, number: int) -> None:
    state.send_headers(number, [(":status", "200")])
    state.send_data(number, b"{}", end_stream=True)
    stream.sendall(state.data_to_send())


# ---- the end of a connection


def one_answer(server: Staged, connection: socket.socket) -> None:
    """Answer once as if the connection were to be kept, and hang up."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(OK)
        hang_up(server, connection)


def hang_up(server: Staged, connection: socket.socket) -> None:
    """End this side of a connection: what was sent still arrives."""
    connection.shutdown(socket.SHUT_WR)
    server.reached.set()
    until_gone(connection)


def one_answer2(server: Staged, connection: socket.socket) -> None:
    """The same with HTTP/2, without a word."""
    with secured(server, connection) as stream:
        state = protocol(stream)
        respond(state, stream, next_request(state, stream))
        hang_up(server, connection)


def good_bye(server: Staged, connection: socket.socket) -> None:
    """Answer once, say that no further request is taken (RFC 9113, section 6.8), and wait for the client to go."""
    with secured(server, connection) as stream:
        state = protocol(stream)
        respond(state, stream, next_request(state, stream))
        state.close_connection(last_stream_id=1)
        stream.sendall(state.data_to_send())
        server.reached.set()
        until_gone(stream)


@pytest.mark.parametrize("handle", [one_answer, one_answer2])
def test_a_connection_that_the_server_closed_is_not_used(
    engine: EngineName, colour: Colour, authority: Authority, handle: Handler
) -> None:
    """A POST, which nobody could send again, goes out on a new one."""
    is_http2 = handle is one_answer2
    with Staged(handle, authority.server("h2" if is_http2 else "http/1.1")) as server:
        asker = Asker(colour, engine, authority, http2=is_http2)
        assert asker.ask(server.url, lambda: server.reached.wait(PATIENCE), server.url) == [b"{}", b"{}"]
        assert server.opened == 2


def test_a_connection_whose_server_said_good_bye_is_not_used(
    engine: EngineName, colour: Colour, authority: Authority
) -> None:
    with Staged(good_bye, authority.server("h2")) as server:
        asker = Asker(colour, engine, authority, http2=True)
        assert asker.ask(server.url, lambda: server.reached.wait(PATIENCE), server.url) == [b"{}", b"{}"]
        assert server.opened == 2
        assert server.all_are_gone()


def test_no_connection_is_kept(engine: EngineName, colour: Colour, authority: Authority) -> None:
    with Staged(answer) as server:
        asker = Asker(colour, engine, authority, limits=Limits(max_keepalive_connections=0))
        assert asker.ask(server.url, server.all_are_gone, server.url, server.all_are_gone) == [b"{}", b"{}"]
        assert server.opened == 2


def test_a_connection_that_was_made_for_a_call_that_is_gone_is_closed(engine: EngineName, authority: Authority) -> None:
    """With HTTP/2 the pool has the queue: whoever leaves a connection makes one for whoever is next."""

    def last_answer(server: Staged, connection: socket.socket) -> None:
        request_of(server, connection)
        connection.sendall(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async def main() -> None:
        calls = AsyncCaller(engine, authority.client(), http2=True)
        held = await calls.open(server.url)
        waiting = asyncio.create_task(calls.send(server.url))
        await anyio.wait_all_tasks_blocked()
        assert [piece async for piece in held.stream] == [b"{}"]
        await held.aclose()
        waiting.cancel()  # at this very moment
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await calls.send(server.url, steps={**LONG, "pool": SOON}) == b"{}"
        await calls.transport.aclose()

    with Staged(last_answer) as server:
        drive("asyncio", main)


# ---- too early, too much


def test_an_answer_before_the_request_is_whole(engine: EngineName, colour: Colour, authority: Authority) -> None:
    def refuse(server: Staged, connection: socket.socket) -> None:
        while not connection.recv(65536).endswith(b"x"):
            pass  # the head comes in one piece, what follows in others
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        connection.shutdown(socket.SHUT_WR)
        until_gone(connection)

    with Staged(refuse) as server:
        asker = Asker(colour, engine, authority)
        assert asker.ask(server.url, server.url, content=b"x" * 5_000_000) == [b"no", b"no"]
        assert server.all_are_gone()


INFORMATION = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"


def test_what_is_said_before_the_answer(engine: EngineName, colour: Colour, authority: Authority) -> None:
    """Informational responses (RFC 9110, section 15.2) are no answer."""

    def inform(server: Staged, connection: socket.socket) -> None:
        while request_of(server, connection):
            connection.sendall(INFORMATION * 50 + OK)

    with Staged(inform) as server:
        assert Asker(colour, engine, authority).ask(server.url, server.url) == [b"{}", b"{}"]
        assert server.opened == 1


class Things(ApiClient):
    retry = None

    @get("/thing")
    def thing(self) -> dict[str, int]:
        """Get it."""
        raise NotImplementedError


def test_who_never_stops_informing_is_left(engine: EngineName, colour: Colour) -> None:
    """Each of its interim responses comes in time, so that no timeout would end the call."""

    def flood(server: Staged, connection: socket.socket) -> None:
        request_of(server, connection)
        with suppress(OSError):
            while True:
                connection.sendall(INFORMATION)

    with Staged(flood) as server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(ResponseTooLargeError) as caught:
            colour.run(things.thing)
        assert server.all_are_gone()
    assert str(caught.value) == (
        f"Things.thing: GET {server.url}thing answered with more than 262144 bytes before its response began"
    )


def test_calls_share_a_connection_as_far_as_its_server_lets_them(engine: EngineName, authority: Authority) -> None:
    """One stream at a time (RFC 9113, section 5.1.2)."""

    def one_at_a_time(server: Staged, connection: socket.socket) -> None:
        with secured(server, connection) as stream:
            state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            state.local_settings = h2.settings.Settings(
                client=False, initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}
            )
            state.initiate_connection()
            stream.sendall(state.data_to_send())
            while number := next_request(state, stream):
                assert state.open_inbound_streams <= 1
                respond(state, stream, number)

    async def main() -> None:
        calls = AsyncCaller(engine, authority.client(), http2=True)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(calls.send, server.url)
        assert await calls.send(server.url) == b"{}"
        await calls.transport.aclose()

    with Staged(one_at_a_time, authority.server("h2")) as server:
        drive("asyncio", main)
        assert server.opened == 1


# ---- names


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_deadline_ends_an_asynchronous_call_while_a_name_is_looked_up(
    engine: EngineName, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks it up is a thread, which goes on until it has it; nobody waits for it."""
    found = threading.Event()
    in_vain: list[object] = []

    def getaddrinfo(*arguments: Any, **options: Any) -> list[Any]:
        flags = options.get("flags", arguments[5] if len(arguments) > 5 else 0)
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "a name")
        if not found.wait(PATIENCE):
            in_vain.append(arguments)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def main() -> None:
        async with Things(base_url="http://api.invalid", engine=engine, deadline=SOON) as things:
            with pytest.raises(DeadlineExceeded):
                await things.thing.aio()
            found.set()
            assert in_vain == []

    drive(loop, main)
