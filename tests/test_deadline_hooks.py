"""Who is told that a limit ended a call: interceptors in any case, middleware where the call waited for its server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import anyio
import pytest

from servers import HANG, Answer, RawRequest, RawServer
from stubwire import ApiClient, CallError, CancelToken, DeadlineExceeded, ReadTimeout, Request, Response, get
from stubwire.plugins import CircuitBreaker

if TYPE_CHECKING:
    from conftest import Colour, EngineName
    from stubwire import CallNext


class Things(ApiClient):
    @get("/thing")
    def thing(self) -> str:
        raise NotImplementedError


def fallback(error: CallError) -> Response:
    """As a client that answers from what it knows."""
    return Response(200, content=type(error).__name__.encode())


def test_an_interceptor_may_answer_in_place_of_a_server_that_hangs(engine: EngineName, colour: Colour) -> None:
    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine, deadline=0.1) as things:
        things.interceptors.response.use(None, fallback)
        assert colour.run(things.thing) == "DeadlineExceeded"


def test_an_interceptor_may_answer_in_place_of_a_call_that_was_cancelled(engine: EngineName, colour: Colour) -> None:
    token = CancelToken()

    def cancel(_: RawRequest) -> Answer:
        token.cancel()
        return HANG

    with RawServer(cancel) as server, Things(base_url=server.url, engine=engine) as things:
        things.interceptors.response.use(None, fallback)
        assert colour.run(things.with_options(cancel=token).thing) == "CancelError"


@pytest.mark.parametrize("per", ["call", "attempt"])
def test_middleware_sees_the_deadline_that_ends_the_wait_for_a_server(
    engine: EngineName, colour: Colour, per: Literal["call", "attempt"]
) -> None:
    """Where the machine is so slow that the event loop comes first, a longer deadline is tried."""
    seen: list[BaseException] = []

    async def watch(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except BaseException as error:
            seen.append(error)
            raise

    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine) as things:
        things.use(watch, per=per)
        for seconds in (0.1, 0.5, 2.5):
            with pytest.raises(DeadlineExceeded):
                colour.run(things.with_options(deadline=seconds).thing)
            if isinstance(seen[-1], CallError):
                break
    assert isinstance(seen[-1], DeadlineExceeded if per == "call" else (DeadlineExceeded, ReadTimeout))


def test_a_breaker_counts_a_server_that_hangs_until_the_deadline(engine: EngineName, colour: Colour) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine, plugins=[breaker]) as things:
        for seconds in (0.1, 0.5, 2.5):
            with pytest.raises(CallError):
                colour.run(things.with_options(deadline=seconds).thing)
            if breaker.states.get(server.url) == "open":
                break
        assert breaker.states == {server.url: "open"}


def test_what_a_middleware_awaits_itself_ends_too(engine: EngineName) -> None:
    async def linger(request: Request, call_next: CallNext) -> Response:
        await anyio.sleep(60)
        return await call_next(request)

    async def main() -> None:
        async with Things(base_url="http://127.0.0.1:9", engine=engine, deadline=0.05) as things:
            things.use(linger)
            things.interceptors.response.use(None, fallback)
            assert await things.thing.aio() == "DeadlineExceeded"

    anyio.run(main)
