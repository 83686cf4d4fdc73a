"""What comes at the same time as a cancellation: a signal, a success, another cancellation, a middleware's own mind."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio

from conftest import Api, Colour, EngineName, Reply
from servers import HANG, Answer, RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    CallError,
    CancelError,
    CancelToken,
    DeadlineExceeded,
    ReadTimeout,
    Request,
    Response,
    _scope,
    get,
)

if TYPE_CHECKING:
    from stubwire._types import CallNext

MakeApi = Callable[..., Api]
ASYNCHRONOUS = pytest.mark.parametrize("loop", ["asyncio", "trio"])


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


# ---- a success


@ASYNCHRONOUS
def test_a_token_that_is_cancelled_after_the_answer(api: MakeApi, loop: str) -> None:
    """The answer is returned, and nothing of the cancellation is left in the task."""
    token = CancelToken()

    async def too_late(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        token.cancel()
        return response

    server = api(Reply(json=1))
    client = Things(transport=(server.transport, server.transport), middleware=[too_late])

    async def main() -> None:
        assert await client.with_options(cancel=token).thing.aio() == 1
        await is_sound(loop)

    Colour(loop).drive(main)
    assert token._told == {}


async def is_sound(loop: str) -> None:
    """The task goes on as if nothing had been."""
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    if loop == "asyncio":
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


# ---- another cancellation: the outer one wins


def hanging(server: RawServer, engine: EngineName, **options: Any) -> Any:
    return Things(base_url=server.url, engine=engine, timeout=None, retry=None).with_options(**options)


async def arrived(server: RawServer) -> None:
    while not server.requests:  # noqa: ASYNC110 - the server is a thread
        await anyio.sleep(0.001)


class Greedy:
    """A scope of anyio before 4.15, which keeps what asyncio cancelled at the same time."""

    def __init__(self, deadline: float = float("inf")) -> None:
        self._scope = anyio.CancelScope(deadline=deadline)
        self.cancel = self._scope.cancel

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return bool(self._scope.__exit__(kind, error, traceback)) or self._scope.cancel_called


@pytest.mark.parametrize("first", ["token", "task"])
@pytest.mark.parametrize("greedy", [False, True])
def test_a_task_that_is_cancelled_too_is_cancelled(
    engine: EngineName, first: str, greedy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if greedy:
        monkeypatch.setattr(_scope, "CancelScope", Greedy)
    token = CancelToken()

    async def main(server: RawServer) -> None:
        task = asyncio.create_task(hanging(server, engine, cancel=token).thing.aio())
        await arrived(server)
        for act in (token.cancel, task.cancel) if first == "token" else (task.cancel, token.cancel):
            act()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        server.wait_until(lambda server: server.closed == 1)

    with RawServer(HANG) as server:
        asyncio.run(main(server))


@ASYNCHRONOUS
def test_a_scope_that_is_cancelled_too_is_left(engine: EngineName, loop: str) -> None:
    token = CancelToken()

    async def main(server: RawServer) -> None:
        client = hanging(server, engine, cancel=token, deadline=3600.0)
        async with anyio.create_task_group() as group:
            group.start_soon(client.thing.aio)
            await arrived(server)
            token.cancel()
            group.cancel_scope.cancel()
        assert group.cancel_scope.cancelled_caught
        await is_sound(loop)
        await client.aclose()

    with RawServer(HANG) as server:
        Colour(loop).drive(main, server)
        server.wait_until(lambda server: server.closed == 1)


def test_a_timeout_of_asyncio_stays_one(engine: EngineName) -> None:
    """`asyncio.timeout` around a call whose own limits are far."""

    async def main(server: RawServer) -> None:
        client = hanging(server, engine, cancel=CancelToken(), deadline=3600.0)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await client.thing.aio()
        assert not isinstance(caught.value, CallError)
        await is_sound("asyncio")
        await client.aclose()

    with RawServer(HANG) as server:
        asyncio.run(main(server))
        server.wait_until(lambda server: server.closed == server.opened)


@ASYNCHRONOUS
@pytest.mark.parametrize("by", ["token", "deadline"])
def test_what_ended_a_call_leaves_nothing_in_its_task(engine: EngineName, loop: str, by: str) -> None:
    """No cancellation that is still asked for, and no error that hangs on another."""
    token = CancelToken()

    def react(_: RawRequest) -> Answer:
        if by == "token":
            threading.Thread(target=token.cancel).start()
        return HANG

    async def main(server: RawServer) -> None:
        limit = {"cancel": token} if by == "token" else {"deadline": 0.1}
        client = hanging(server, engine, **limit)
        with pytest.raises(CancelError if by == "token" else DeadlineExceeded) as caught:
            await client.thing.aio()
        assert caught.value.__context__ in (None, caught.value.__cause__)
        assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, ReadTimeout)  # which it cut short
        await is_sound(loop)
        await client.aclose()

    with RawServer(react) as server:
        Colour(loop).drive(main, server)
        server.wait_until(lambda server: server.closed == server.opened)


@pytest.mark.parametrize("by", ["token", "deadline"])
def test_what_ended_a_synchronous_call_hangs_on_nothing(engine: EngineName, by: str) -> None:
    token = CancelToken()

    def react(_: RawRequest) -> Answer:
        if by == "token":
            threading.Thread(target=token.cancel).start()
        return HANG

    with RawServer(react) as server:
        limit = {"cancel": token} if by == "token" else {"deadline": 0.1}
        client = hanging(server, engine, **limit)
        with pytest.raises(CancelError if by == "token" else DeadlineExceeded) as caught:
            client.thing()
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, ReadTimeout)  # which it cut short
        server.wait_until(lambda server: server.closed == server.opened)


# ---- a middleware's own mind


@pytest.mark.parametrize("caught", [BaseException, CallError])
def test_a_middleware_may_answer_itself(engine: EngineName, colour: Colour, caught: type[BaseException]) -> None:
    """One that catches everything answers in every colour; one that catches errors of calls sees them in a
    synchronous call alone: an asynchronous one is ended around it."""
    token = CancelToken()

    async def careless(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except caught:
            return Response(200, json=7)

    def react(_: RawRequest) -> Answer:
        threading.Thread(target=token.cancel).start()
        return HANG

    async def ask() -> None:
        assert await client.thing.aio() == 7
        await is_sound(colour.name)
        await client.aclose()

    async def ask_in_vain() -> None:
        with pytest.raises(CancelError):
            await client.thing.aio()
        await client.aclose()

    with RawServer(react) as server:
        client = Things(base_url=server.url, engine=engine, middleware=[careless]).with_options(cancel=token)
        if colour.name == "sync":
            assert client.thing() == 7
        else:
            colour.drive(ask if caught is BaseException else ask_in_vain)
        server.wait_until(lambda server: server.closed == 1)
        client.close()


# ---- an interrupt


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Also where the tests were started so that they ignore interrupts, as shells start what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_no_connection(engine: EngineName, colour: Colour) -> None:
    """And the next call has another."""

    def react(request: RawRequest) -> Answer:
        if request.connection > 1:
            return Answer(http(b"1"))
        os.kill(os.getpid(), signal.SIGINT)
        return HANG

    with RawServer(react) as server, Things(base_url=server.url, engine=engine, timeout=None) as client:
        with pytest.raises(KeyboardInterrupt):
            colour.run(client.with_options(cancel=CancelToken(), deadline=3600.0).thing)
        server.wait_until(lambda server: server.closed == 1)
        assert colour.run(client.thing) == 1


@ASYNCHRONOUS
def test_a_token_of_another_loop_that_has_ended(engine: EngineName, loop: str) -> None:
    """Nobody is told there, and those that run elsewhere are."""
    token, told = CancelToken(), list[str]()

    async def begin() -> None:
        token._when_cancelled(_scope.Scope._soon(lambda: told.append("ended")))

    trio.run(begin) if loop == "trio" else asyncio.run(begin())
    token._when_cancelled(lambda: told.append("runs"))
    token.cancel()
    assert told == ["runs"]
