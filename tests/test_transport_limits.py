"""The default transport ends a synchronous call at its limit, wherever it is, and leaves nothing behind."""

from __future__ import annotations

import gc
import importlib
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from servers import PATIENCE
from stages import CASES, STAGES, Authority, Staged, answer, at_once, cut_body, freshly, no_body, no_headers, surplus
from stubwire import CancelError, DeadlineExceeded, Limits
from stubwire._cancel import CancelToken
from stubwire._engine.choose import load
from stubwire._limits import Limit, Limited

if TYPE_CHECKING:
    from conftest import EngineName

LONG: dict[str, float] = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
SOON = 0.15
"""Seconds until a deadline: long enough to come to the stage, on most machines; the outcome is the same on all."""


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with freshly():
        yield Authority()


class Caller:
    """Sends on one transport that has one connection, so that whatever is not given back is missed."""

    def __init__(self, engine: EngineName, context: ssl.SSLContext, **options: Any) -> None:
        self.library = importlib.import_module(engine)
        given: dict[str, Any] = {"proxy": None, "http2": False, "limits": Limits(max_connections=1), **options}
        self.transport: Any = load(engine).open(context, asynchronous=False, **given)

    def send(self, url: str, content: bytes = b"", steps: dict[str, float] = LONG) -> bytes:
        request = self.library.Request("POST", url, content=content, extensions={"timeout": steps})
        response = self.transport.handle_request(request)
        try:
            return b"".join(response.stream)
        finally:
            response.close()


@contextmanager
def caller(engine: EngineName, context: ssl.SSLContext, **options: Any) -> Generator[Caller]:
    made = Caller(engine, context, **options)
    yield made
    made.transport.close()


@contextmanager
def cancelled_when(reached: threading.Event) -> Generator[Limit]:
    """A limit whose token is cancelled by another thread when something has happened."""
    token = CancelToken()

    def cancel() -> None:
        reached.wait(PATIENCE)
        token.cancel("enough")

    thread = threading.Thread(target=cancel)
    thread.start()
    yield Limit(None, token)
    thread.join()


def is_usable(server: Staged, calls: Caller) -> None:
    """What was cut is closed, nothing waits to be collected, and the next call goes through."""
    server.done.set()
    assert server.all_are_gone()
    gc.collect()
    server.handle = answer
    assert calls.send(server.url) == b"{}"
    opened = server.opened
    assert calls.send(server.url) == b"{}"
    assert server.opened == opened, "a connection that is whole is kept"


@pytest.mark.parametrize("by", ["a deadline", "a token"])
def test_a_call_is_ended_at_each_stage(engine: EngineName, authority: Authority, by: str) -> None:
    def scenario(stage: str, tls: bool) -> None:
        with (
            Staged(STAGES[stage][0], authority.server() if tls else None) as server,
            caller(engine, authority.client()) as calls,
        ):
            with ends_call(by, server.reached):
                calls.send(server.url, b"x" * 20_000_000 if stage == "deaf" else b"")
            is_usable(server, calls)

    at_once(CASES, scenario)


@contextmanager
def ends_call(by: str, reached: threading.Event) -> Generator[None]:
    """Expect a deadline soon, or a token when something has happened, to end the call that is made inside."""
    if by == "a token":
        with (
            cancelled_when(reached) as limit,
            Limited(limit),
            pytest.raises(CancelError, match=r"^was cancelled: enough$"),
        ):
            yield
        return
    with (
        Limited(Limit(time.monotonic() + SOON, None)),
        pytest.raises(DeadlineExceeded, match=r"^ran into its deadline$"),
    ):
        yield


# ---- where there is no server to talk to


@contextmanager
def full_backlog() -> Generator[str]:
    """A port whose queue of connections is full: another is neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize("by", ["a deadline", "a token"])
def test_a_connect_is_ended_too(engine: EngineName, by: str) -> None:
    begun = threading.Event()
    begun.set()
    with (
        full_backlog() as url,
        caller(engine, ssl.create_default_context()) as calls,
        ends_call(by, begun),
    ):
        calls.send(url)


@pytest.mark.parametrize("by", ["a deadline", "a token"])
def test_a_wait_for_a_connection_is_ended_too(engine: EngineName, authority: Authority, by: str) -> None:
    """The connection that it waited for stays whose it is."""
    with Staged(no_body) as server, caller(engine, authority.client()) as calls:
        request = calls.library.Request("GET", server.url, extensions={"timeout": LONG})
        held = calls.transport.handle_request(request)
        with ends_call(by, server.reached):
            calls.send(server.url)
        assert (server.opened, server.ended) == (1, 0)
        held.close()
        is_usable(server, calls)


def test_what_a_server_says_beyond_its_response_answers_nobody(engine: EngineName, authority: Authority) -> None:
    """The connection is closed; the next call has an answer of its own."""
    with Staged(surplus, authority.server()) as server, caller(engine, authority.client()) as calls:
        assert [calls.send(server.url) for _ in range(3)] == [b"{}", b"{}", b"{}"]
        assert server.opened == 3


# ---- what stays as it was


def test_extensions_of_a_request_reach_the_connection(engine: EngineName, authority: Authority) -> None:
    """As whose server it is taken, where its address does not say so."""
    with Staged(answer, authority.server()) as server, caller(engine, authority.client()) as calls:
        url = server.url.replace("localhost", "127.0.0.1")
        with pytest.raises(calls.library.ConnectError, match="IP address mismatch"):
            calls.send(url)
        request = calls.library.Request("GET", url, extensions={"timeout": LONG, "sni_hostname": "localhost"})
        response = calls.transport.handle_request(request)
        assert (b"".join(response.stream), response.http_version) == (b"{}", "HTTP/1.1")
        assert response.extensions["network_stream"].get_extra_info("server_addr") == ("127.0.0.1", server.port)
        response.close()


def test_a_body_that_breaks_off(engine: EngineName, authority: Authority) -> None:
    """It is the engine's own failure, and closing again does nothing."""
    with Staged(cut_body) as server, caller(engine, authority.client()) as calls:
        response = calls.transport.handle_request(calls.library.Request("GET", server.url))
        with pytest.raises(calls.library.RemoteProtocolError):
            b"".join(response.stream)
        response.close()
        response.stream.close()
        is_usable(server, calls)


def test_under_a_limit_that_is_not_reached_calls_go_on(engine: EngineName, authority: Authority) -> None:
    with Staged(answer, authority.server()) as server, caller(engine, authority.client()) as calls:
        with Limited(Limit(time.monotonic() + PATIENCE, CancelToken())):
            assert [calls.send(server.url), calls.send(server.url, b"x" * 3_000_000)] == [b"{}", b"{}"]
        assert server.opened == 1


def test_timeouts_keep_their_meaning(engine: EngineName, authority: Authority) -> None:
    """Each step has its own, under a limit too."""

    def scenario(waits_for: str, kind: str, step: str, bounded: bool) -> None:
        limit = Limit(time.monotonic() + PATIENCE, None) if bounded else None
        tls = authority.server() if waits_for == "silent" else None
        with (
            Staged(STAGES[waits_for][0], tls) as server,
            caller(engine, authority.client()) as calls,
            Limited(limit),
        ):
            with pytest.raises(getattr(calls.library, kind)):
                calls.send(server.url, b"x" * 20_000_000 if step == "write" else b"", {**LONG, step: SOON})
            is_usable(server, calls)

    rows = [
        ("no headers", "ReadTimeout", "read"),
        ("silent", "ConnectTimeout", "connect"),
        ("deaf", "WriteTimeout", "write"),
    ]
    at_once([(*row, bounded) for row in rows for bounded in (False, True)], scenario)


def test_a_connect_times_out(engine: EngineName, authority: Authority) -> None:
    def scenario(bounded: bool) -> None:
        with (
            full_backlog() as url,
            caller(engine, authority.client()) as calls,
            Limited(Limit(time.monotonic() + PATIENCE, None) if bounded else None),
            pytest.raises(calls.library.ConnectTimeout),
        ):
            calls.send(url, steps={**LONG, "connect": SOON})

    at_once([(False,), (True,)], scenario)


def test_no_free_connection_in_time(engine: EngineName, authority: Authority) -> None:
    def scenario(bounded: bool) -> None:
        limit = Limit(time.monotonic() + PATIENCE, None) if bounded else None
        with Staged(no_body) as server, caller(engine, authority.client()) as calls, Limited(limit):
            request = calls.library.Request("GET", server.url, extensions={"timeout": LONG})
            held = calls.transport.handle_request(request)
            with pytest.raises(calls.library.PoolTimeout):
                calls.send(server.url, steps={**LONG, "pool": SOON})
            held.close()
            is_usable(server, calls)

    at_once([(False,), (True,)], scenario)


@pytest.mark.parametrize("bounded", [False, True])
def test_a_port_where_nobody_listens(engine: EngineName, bounded: bool) -> None:
    limit = Limit(time.monotonic() + PATIENCE, None) if bounded else None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        caller(engine, ssl.create_default_context()) as calls,
        Limited(limit),
        pytest.raises(calls.library.ConnectError, match="refused"),
    ):
        calls.send(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("bounded", [False, True])
def test_nobody_is_trusted_unseen(engine: EngineName, authority: Authority, bounded: bool) -> None:
    """A handshake in slices verifies as one that is whole."""
    limit = Limit(time.monotonic() + PATIENCE, None) if bounded else None
    with (
        Staged(answer, authority.server()) as server,
        caller(engine, ssl.create_default_context()) as calls,
        Limited(limit),
    ):
        with pytest.raises(calls.library.ConnectError, match="certificate verify failed"):
            calls.send(server.url)
        assert server.all_are_gone()


def test_closing_ends_what_is_still_open(engine: EngineName, authority: Authority) -> None:
    """What is called for afterwards, by a thread that was on its way, goes through, and is not kept."""
    with Staged(no_body) as server, caller(engine, authority.client()) as calls:
        held = calls.transport.handle_request(calls.library.Request("GET", server.url))
        calls.transport.close()
        assert server.all_are_gone()
        held.close()
        server.handle = answer
        assert [calls.send(server.url) for _ in range(2)] == [b"{}", b"{}"]
        assert server.all_are_gone()
        assert server.opened == 3


@pytest.mark.parametrize("tls", [False, True])
def test_closing_wakes_a_thread_that_waits(engine: EngineName, authority: Authority, tls: bool) -> None:
    """It finds the end of its connection, and closes it by itself."""
    with (
        Staged(no_headers, authority.server() if tls else None) as server,
        caller(engine, authority.client()) as calls,
        ThreadPoolExecutor() as threads,
    ):
        waiting = threads.submit(calls.send, server.url)
        assert server.reached.wait(PATIENCE)
        calls.transport.close()
        failure = waiting.exception(PATIENCE)
        assert isinstance(failure, calls.library.ReadError)
        assert str(failure) == "closed by this side"
        assert server.all_are_gone()


def test_a_response_that_was_dropped_gives_its_place_back(engine: EngineName, authority: Authority) -> None:
    """It is said, and the next call closes its connection."""
    with Staged(no_body) as server, caller(engine, authority.client()) as calls:
        with pytest.warns(ResourceWarning, match="a response was never closed"):
            assert calls.transport.handle_request(calls.library.Request("GET", server.url))
        server.handle = answer
        assert calls.send(server.url) == b"{}"
        assert server.has_ended(1)
