"""A token ends a call wherever it waits: in a queue, for a limit, between attempts, in a call made on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conftest import Api, Clock, Colour, EngineName, Reply
from servers import HANG, Answer, RawServer
from stubwire import (
    ApiClient,
    CancelError,
    CancelToken,
    DeadlineExceeded,
    FixedDelay,
    Limits,
    Request,
    Response,
    Retry,
    _clock,
    deadline,
    get,
)
from stubwire._runtime import wait as wait_for
from stubwire.plugins import ConcurrencyLimit, RateLimit
from test_transport_limits import full_backlog

if TYPE_CHECKING:
    from stubwire._types import CallNext, Middleware

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"
    retry = Retry(max_retries=5, backoff=FixedDelay(3600.0))

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError

    @get("/token")
    def token(self) -> str:
        raise NotImplementedError


@pytest.fixture
def cancelled_when_it_waits(monkeypatch: pytest.MonkeyPatch) -> CancelToken:
    """A token that is cancelled as soon as a call waits for anything but a socket."""
    token = CancelToken()
    real_wait, real_asleep, real_await = _clock.wait, _clock.asleep, _clock.await_

    def wait(bell: Any, seconds: float | None) -> None:
        token.cancel("enough")
        real_wait(bell, seconds)

    async def asleep(seconds: float) -> None:
        token.cancel("enough")
        await real_asleep(seconds)

    async def await_(event: Any, seconds: float | None) -> None:
        token.cancel("enough")
        await real_await(event, seconds)

    monkeypatch.setattr(_clock, "wait", wait)
    monkeypatch.setattr(_clock, "asleep", asleep)
    monkeypatch.setattr(_clock, "await_", await_)
    return token


def test_between_attempts(api: MakeApi, colour: Colour, cancelled_when_it_waits: CancelToken) -> None:
    server = api(Reply(503))
    client = Things(transport=(server.transport, server.transport)).with_options(cancel=cancelled_when_it_waits)
    with pytest.raises(CancelError, match="was cancelled: enough") as caught:
        colour.run(client.thing)
    assert [attempt.status_code for attempt in caught.value.attempts] == [503]
    assert len(server.requests) == 1


def test_in_a_rate_limit(api: MakeApi, colour: Colour, cancelled_when_it_waits: CancelToken) -> None:
    """However long that would have been."""
    server = api(Reply(json=1))
    limit = RateLimit(per_hour=1, max_wait=None)
    client = Things(transport=(server.transport, server.transport), plugins=[limit])
    assert colour.run(client.thing) == 1
    with pytest.raises(CancelError, match="was cancelled: enough"):
        colour.run(client.with_options(cancel=cancelled_when_it_waits).thing)
    assert len(server.requests) == 1


def test_in_a_concurrency_limit(engine: EngineName, colour: Colour, cancelled_when_it_waits: CancelToken) -> None:
    """The call that has the place keeps it."""
    held = CancelToken()
    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine, plugins=[ConcurrencyLimit(1)]) as client:

        def hold() -> None:
            with pytest.raises(CancelError, match="was cancelled: done"):
                client.with_options(cancel=held).thing()

        holder = threading.Thread(target=hold)
        holder.start()
        server.wait_until(lambda server: len(server.requests) == 1)

        async def ask() -> None:
            with pytest.raises(CancelError, match="was cancelled: enough"):
                await client.with_options(cancel=cancelled_when_it_waits).thing.aio()
            await client.aclose()

        if colour.name == "sync":
            with pytest.raises(CancelError, match="was cancelled: enough"):
                client.with_options(cancel=cancelled_when_it_waits).thing()
        else:
            colour.drive(ask)
        assert len(server.requests) == 1
        held.cancel("done")
        holder.join()


def test_in_the_queue_for_a_connection(engine: EngineName, colour: Colour) -> None:
    """Whoever has the connection keeps it, and the one that was cancelled left no trace."""
    token = CancelToken()

    async def cancel_then_send(request: Request, call_next: CallNext) -> Response:
        if request.url.endswith("/thing"):
            threading.Timer(0.05, token.cancel, ["enough"]).start()
        return await call_next(request)

    with RawServer([Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", then="hang")]) as server:
        limits = Limits(max_connections=1)
        client = Things(base_url=server.url, engine=engine, limits=limits, retry=None)
        client.use(cancel_then_send)
        view = client.with_options(cancel=token, timeout=None)

        def synchronous() -> None:
            held = CancelToken()
            holder = threading.Thread(target=_ignored, args=[client.with_options(cancel=held).token])
            holder.start()
            server.wait_until(lambda server: len(server.requests) == 1)
            with pytest.raises(CancelError, match="was cancelled: enough"):
                view.thing()
            assert holder.is_alive()
            held.cancel()
            holder.join()

        async def asynchronous() -> None:
            async with anyio.create_task_group() as holder:
                holder.start_soon(client.token.aio)
                while not server.requests:  # noqa: ASYNC110 - the server is a thread
                    await anyio.sleep(0.001)
                with pytest.raises(CancelError, match="was cancelled: enough"):
                    await view.thing.aio()
                assert server.closed == 0
                holder.cancel_scope.cancel()
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        assert len(server.requests) == 1
        client.close()


def _ignored(endpoint: Any) -> None:
    with pytest.raises(CancelError):
        endpoint()


def test_while_it_connects(engine: EngineName, colour: Colour) -> None:
    token = CancelToken()

    async def cancel_soon(request: Request, call_next: CallNext) -> Response:
        threading.Timer(0.05, token.cancel, ["enough"]).start()
        return await call_next(request)

    with (
        full_backlog() as url,
        Things(base_url=url, engine=engine, middleware=[cancel_soon], timeout=None) as client,
        pytest.raises(CancelError, match="was cancelled: enough"),
    ):
        colour.run(client.with_options(cancel=token, retry=None).thing)


def test_in_a_plugin_that_waits_for_a_future(
    api: MakeApi, colour: Colour, cancelled_when_it_waits: CancelToken
) -> None:
    async def wait(request: Request, call_next: CallNext) -> Response:
        await wait_for(Future[None]())
        return await call_next(request)

    server = api(Reply(json=1))
    client = Things(transport=(server.transport, server.transport), middleware=[wait])
    with pytest.raises(CancelError, match="was cancelled: enough"):
        colour.run(client.with_options(cancel=cancelled_when_it_waits).thing)
    assert server.requests == []


def test_a_future_that_is_done_is_not_waited_for(api: MakeApi, colour: Colour) -> None:
    done = Future[None]()
    done.set_result(None)

    async def wait(request: Request, call_next: CallNext) -> Response:
        assert await wait_for(done, 0.0)
        return await call_next(request)

    server = api(Reply(json=1))
    assert colour.run(Things(transport=(server.transport, server.transport), middleware=[wait]).thing) == 1


# ---- a call that is made on the way, as an auth does that refreshes its token


def refreshing(auth_client: Things, *, limited: bool) -> Middleware:
    """An auth that asks for a token first; `limited` gives its call a deadline of its own."""
    client = auth_client.with_options(deadline=9000.0) if limited else auth_client

    async def auth(request: Request, call_next: CallNext) -> Response:
        await client.token.aio()
        return await call_next(request)

    return auth


@pytest.mark.parametrize("limited", [False, True])
def test_while_a_token_is_refreshed(engine: EngineName, colour: Colour, limited: bool) -> None:
    """The call that is made on the way ends with the call that it is made for, also if it has a limit of its own."""
    token = CancelToken()

    def hang(_: object) -> Answer:
        threading.Thread(target=token.cancel, args=["enough"]).start()
        return HANG

    with RawServer(hang) as server, Things(base_url=server.url, engine=engine) as inner:
        outer = Things(base_url=server.url, engine=engine, auth=refreshing(inner, limited=limited))
        with pytest.raises(CancelError) as caught:
            colour.run(outer.with_options(cancel=token, timeout=None).thing)
        assert str(caught.value) == f"Things.thing: GET {server.url}/thing was cancelled: enough"
        assert server.lines == ["GET /token HTTP/1.1"]
        server.wait_until(lambda server: server.closed == 1)
        outer.close()


def test_between_the_attempts_of_a_refresh(api: MakeApi, colour: Colour, cancelled_when_it_waits: CancelToken) -> None:
    server = api(Reply(503))
    inner = Things(transport=(server.transport, server.transport))
    outer = Things(transport=(server.transport, server.transport), auth=refreshing(inner, limited=True))
    with pytest.raises(CancelError, match=r"^Things.thing: .* was cancelled: enough$"):
        colour.run(outer.with_options(cancel=cancelled_when_it_waits).thing)
    assert [request.url.path for request in server.requests] == ["/token"]


def test_a_refresh_takes_its_time_from_the_call(api: MakeApi, clock: Clock, colour: Colour) -> None:
    """`DeadlineExceeded` is that of the call, and names the attempt in which the time was lost."""

    def slow(request: Any) -> Reply:
        clock.advance(request.extensions["timeout"]["read"])
        raise server.library.ReadTimeout("")

    server = api(slow)
    inner = Things(transport=(server.transport, server.transport))
    outer = Things(transport=(server.transport, server.transport), auth=refreshing(inner, limited=False))
    with pytest.raises(DeadlineExceeded) as caught:
        colour.run(outer.with_options(deadline=2.0).thing)
    assert str(caught.value) == "Things.thing: GET https://api.example/thing ran into its deadline of 2 s"
    assert caught.value.__notes__ == ["the time went into attempt 1 (DeadlineExceeded): 2.00 s"]
    assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert caught.value.__cause__.endpoint == "Things.token"


def test_a_token_of_the_inner_call_ends_that_alone(api: MakeApi, colour: Colour) -> None:
    """A middleware may go on without it."""
    token, server = CancelToken(), api(Reply(json=1))
    token.cancel()
    inner = Things(transport=(server.transport, server.transport)).with_options(cancel=token)

    async def asks(request: Request, call_next: CallNext) -> Response:
        with pytest.raises(CancelError):
            await inner.token.aio()
        return await call_next(request)

    outer = Things(transport=(server.transport, server.transport), middleware=[asks])
    assert colour.run(outer.with_options(cancel=CancelToken(), deadline=5.0).thing) == 1


def test_a_thread_of_a_middleware_has_no_limit_of_another(api: MakeApi, clock: Clock) -> None:
    """Only what its context says; the token is that of the call which was given it."""
    server, token, found = api(Reply(json=1)), CancelToken(), list[object]()
    client = Things(transport=server.transport)

    async def asks(request: Request, call_next: CallNext) -> Response:
        def ask() -> None:
            token.cancel()
            found.append(client.thing())

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return await call_next(request)

    asking = Things(transport=server.transport, middleware=[asks]).with_options(cancel=token)
    with deadline(2.0), pytest.raises(CancelError):
        asking.thing()
    assert (found, [request.extensions["timeout"]["read"] for request in server.requests]) == ([1], [30.0])
    assert clock.waits == []
