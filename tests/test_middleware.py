"""Middleware: order, what each sees, what each may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallNext,
    FixedDelay,
    NotFoundError,
    ReadTimeout,
    Request,
    Response,
    Retry,
    get,
)

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"
    retry = Retry(max_retries=2, backoff=FixedDelay(1.0))

    @get("/things")
    def things(self) -> list[int]:
        """List them."""
        raise NotImplementedError


def marking(name: str, order: list[str]) -> Any:
    async def middleware(request: Request, call_next: CallNext) -> Response:
        order.append(f"{name} in")
        response = await call_next(request)
        order.append(f"{name} out")
        return response

    return middleware


def test_the_first_middleware_is_outermost(api: MakeApi, colour: Colour) -> None:
    """Class or constructor first, then those of `use`, then the interceptors' place inside and outside."""
    order: list[str] = []
    things = Things(transport=api(Reply(json=[1])).transport, middleware=[marking("a", order), marking("b", order)])
    assert things.use(marking("c", order)) is things
    things.interceptors.request.use(lambda request: order.append("request"))
    things.interceptors.response.use(lambda response: order.append("response"))

    assert colour.run(things.things) == [1]
    assert order == ["request", "a in", "b in", "c in", "c out", "b out", "a out", "response"]


def test_middleware_runs_once_per_call_or_once_per_attempt(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """`per="attempt"` wraps each attempt, inside the retries."""
    order: list[str] = []
    things = Things(transport=api(Reply(503), Reply(503), Reply(json=[1])).transport)
    things.use(marking("call", order)).use(marking("attempt", order), per="attempt")

    assert colour.run(things.things) == [1]
    assert order == ["call in", *["attempt in", "attempt out"] * 3, "call out"]
    assert clock.waits == [1.0, 1.0]


def test_each_attempt_gets_a_copy_of_the_request(api: MakeApi, clock: Clock) -> None:
    """What an attempt's middleware changes is gone in the next attempt."""
    server = api(Reply(503), Reply(503), Reply(json=[1]))
    things = Things(transport=server.transport)
    numbers: list[tuple[int, int]] = []

    async def counting(request: Request, call_next: CallNext) -> Response:
        assert "X-Attempt" not in request.headers
        request.headers["X-Attempt"] = str(request.attempt)
        numbers.append((request.attempt, len(request.attempts)))
        return await call_next(request)

    things.use(counting, per="attempt")

    things.things()
    assert [request.headers["x-attempt"] for request in server.requests] == ["1", "2", "3"]
    assert numbers == [(1, 0), (2, 1), (3, 2)]


def test_middleware_sees_every_status_as_a_response(api: MakeApi, colour: Colour) -> None:
    """A status becomes an error after the middleware."""
    seen: list[int] = []

    async def watching(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        seen.append(response.status_code)
        return response

    with pytest.raises(NotFoundError):
        colour.run(Things(transport=api(Reply(404)).transport, middleware=[watching]).things)
    assert seen == [404]


def test_a_transport_failure_raises_through_call_next(api: MakeApi, colour: Colour) -> None:
    """A middleware may turn it into an answer of its own."""

    async def standing_in(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except ReadTimeout:
            return Response(200, json=[0])

    things = Things(transport=api(Fail("ReadTimeout")).transport, middleware=[standing_in], retry=None)

    response = colour.response(things.things)
    assert response.data == [0]
    assert [attempt.error for attempt in response.attempts] == ["ReadTimeout"]
    assert response.request.url == "https://api.example/things"
    assert response.http_version == ""


def test_a_middleware_may_answer_without_calling_on(api: MakeApi, colour: Colour) -> None:
    """Nothing is sent, and the response knows its request."""
    server = api()

    async def answering(request: Request, call_next: CallNext) -> Response:
        return Response(200, json=[7])

    response = colour.response(Things(transport=server.transport, middleware=[answering]).things)

    assert (response.data, response.attempts, server.requests) == ([7], (), [])
    assert response.request.url == "https://api.example/things"


def test_calling_on_twice_starts_two_retry_loops(api: MakeApi, clock: Clock) -> None:
    """They share one list of attempts."""

    async def twice(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return await call_next(request)

    server = api(Reply(503), Reply(json=[1]), Reply(503), Reply(json=[2]))
    response = Things(transport=server.transport, middleware=[twice]).things.response()

    assert response.data == [2]
    assert [(attempt.number, attempt.status_code) for attempt in response.attempts] == [
        (1, 503),
        (2, 200),
        (3, 503),
        (4, 200),
    ]


def test_a_middleware_may_replace_the_request(api: MakeApi) -> None:
    """`request.replace` keeps what belongs to the call."""
    server = api(Reply(json=[1]))

    async def moving(request: Request, call_next: CallNext) -> Response:
        moved = request.replace(url=request.url + "/moved", headers={"X-A": "1"}, method="POST", content=b"[]")
        return await call_next(moved)

    response = Things(transport=server.transport, middleware=[moving]).things.response()

    assert (server.request.method, str(server.request.url)) == ("POST", "https://api.example/things/moved")
    assert (server.request.headers["x-a"], server.request.content) == ("1", b"[]")
    assert response.request.url == "https://api.example/things/moved"


def test_a_request_made_by_hand_cannot_go_on(api: MakeApi) -> None:
    """It belongs to no call."""

    async def wrong(request: Request, call_next: CallNext) -> Response:
        return await call_next(Request("GET", "https://api.example/other"))

    with pytest.raises(TypeError) as error:
        Things(transport=api().transport, middleware=[wrong]).things()
    assert str(error.value) == (
        "call_next was given a Request made by hand: pass the request that the middleware received, "
        "or request.replace(...) of it"
    )


def test_a_middleware_that_forgets_to_return_is_named(api: MakeApi) -> None:
    """The message says what to write."""

    async def forgetful(request: Request, call_next: CallNext) -> None:
        await call_next(request)

    with pytest.raises(TypeError) as error:
        Things(transport=api(Reply(json=[1])).transport, middleware=[forgetful]).things()  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert str(error.value) == (
        "the middleware 'test_a_middleware_that_forgets_to_return_is_named.<locals>.forgetful' returned NoneType, "
        "not a Response: write `return await call_next(request)`"
    ).replace("test_a_middleware_that_forgets_to_return_is_named.<locals>.", "")


def test_a_bug_in_a_middleware_propagates_with_a_note(api: MakeApi, colour: Colour) -> None:
    """The innermost one is named, once."""

    async def outer(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    async def buggy(request: Request, call_next: CallNext) -> Response:
        raise KeyError("bug")

    with pytest.raises(KeyError) as error:
        colour.run(Things(transport=api().transport, middleware=[outer, buggy]).things)
    assert error.value.__notes__ == ["raised in the middleware 'buggy'"]


def test_a_base_exception_passes_untouched(api: MakeApi) -> None:
    """Nobody but the user handles a KeyboardInterrupt."""

    async def interrupted(request: Request, call_next: CallNext) -> Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as error:
        Things(transport=api().transport, middleware=[interrupted]).things()
    assert not hasattr(error.value, "__notes__")


def test_per_is_call_or_attempt(api: MakeApi) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"^per='hop': write 'call' or 'attempt'$"):
        Things(transport=api().transport).use(marking("x", []), per="hop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
