"""What the rooms of a call promise each other, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

import stubwire
from conftest import Api, Clock, Colour, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    ColourError,
    FixedDelay,
    NotFoundError,
    Request,
    Response,
    ResponseValidationError,
    Retry,
    get,
)

MakeApi = Callable[..., Api]


class Item(BaseModel):
    id: int


class Items(ApiClient):
    base_url = "https://api.example"
    retry = Retry(max_retries=2, backoff=FixedDelay(1.0))

    @get("/items/<number>", none_on={404})
    def maybe(self, number: int) -> Item | None:
        """Get an item, or nothing."""
        raise NotImplementedError

    @get("/items/<number>")
    def item(self, number: int) -> Item:
        """Get an item."""
        raise NotImplementedError


# ---- response interceptors


def test_a_response_interceptor_sees_which_call_was_answered(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """The response has its request, its attempts and the seconds so far."""
    seen: list[tuple[str, list[int | None], float]] = []

    def look(response: Response) -> None:
        statuses = [attempt.status_code for attempt in response.attempts]
        seen.append((response.request.url, statuses, response.elapsed))

    items = Items(transport=api(Reply(503), Reply(json={"id": 1})).transport)
    items.interceptors.response.use(look)

    assert colour.run(items.item, 1) == Item(id=1)
    assert seen == [("https://api.example/items/1", [503, 200], 1.0)]


def test_a_status_of_none_on_is_a_success_to_interceptors(api: MakeApi, colour: Colour) -> None:
    """`fn` sees it, and `rejected` does not."""
    seen: list[object] = []
    items = Items(transport=api(Reply(404, json={"message": "none"})).transport)
    items.interceptors.response.use(lambda response: seen.append(response.status_code), rejected=seen.append)

    assert colour.run(items.maybe, 1) is None
    assert seen == [404]


def test_decode_errors_are_final(api: MakeApi, colour: Colour) -> None:
    """No interceptor and no middleware sees one, and it is not retried."""
    seen: list[object] = []

    async def watch(request: Request, call_next: CallNext) -> Response:
        try:
            response = await call_next(request)
        except CallError as error:
            seen.append(error)
            raise
        seen.append(response.status_code)
        return response

    server = api(Reply(json={"id": "one"}))
    items = Items(transport=server.transport, middleware=[watch])
    items.interceptors.response.use(None, rejected=seen.append)

    with pytest.raises(ResponseValidationError):
        colour.run(items.item, 1)
    assert seen == [200]
    assert len(server.requests) == 1


def test_an_error_that_rejected_keeps_reaches_the_following_rejected(api: MakeApi, colour: Colour) -> None:
    """`None` keeps it; what one of them returns goes on to the `fn`s behind it, and to no other `rejected`."""
    order: list[str] = []

    def rescue(error: CallError) -> Response:
        order.append("second rejected")
        return Response(200, json={"id": 9})

    items = Items(transport=api(Reply(404)).transport)
    items.interceptors.response.use(None, lambda error: order.append(f"first rejected {type(error).__name__}"))
    items.interceptors.response.use(lambda response: order.append("its own fn"), rescue)
    items.interceptors.response.use(
        lambda response: order.append("next fn"), lambda error: order.append("next rejected")
    )

    assert colour.run(items.item, 1) == Item(id=9)
    assert order == [f"first rejected {NotFoundError.__name__}", "second rejected", "next fn"]


# ---- statuses


class Wide(BaseModel):
    """What the error of a class of statuses says."""

    message: str


class Narrow(BaseModel):
    """What the error of one status says."""

    message: str


@pytest.mark.parametrize("wide", ["4XX", range(400, 410)], ids=["class", "range"])
def test_the_narrowest_key_wins_wherever_it_stands(api: MakeApi, wide: Any) -> None:
    """A wide key of an endpoint does not hide a narrow one of its class, nor a later key an earlier."""

    class Kept(ApiClient):
        base_url = "https://api.example"
        errors = {404: Narrow}

        @get("/", errors={wide: Wide})
        def root(self) -> None:
            """Get nothing."""
            raise NotImplementedError

        @get("/both", errors={404: Narrow, wide: Wide})
        def both(self) -> None:
            """Get nothing."""
            raise NotImplementedError

    kept = Kept(transport=api(Reply(404, json={"message": "none"})).transport)
    for endpoint in (kept.root, kept.both):
        with pytest.raises(NotFoundError) as error:
            endpoint()
        assert error.value.body == Narrow(message="none")


# ---- one core, both colours


def test_a_synchronous_call_inside_one_leaves_it_as_it_was(api: MakeApi) -> None:
    """A middleware may call another stub as it is; what it awaits after that still runs in the outer call's colour."""
    other = Items(transport=api(Reply(json={"id": 7})).transport)
    server = api(Reply(json={"id": 1}))

    async def both(request: Request, call_next: CallNext) -> Response:
        first = other.item(7)
        await stubwire.sleep(0)  # a synchronous call's own: there is no event loop
        second = await other.item.aio(7)
        request.headers["X-Seen"] = f"{first.id} {second.id}"
        return await call_next(request)

    assert Items(transport=server.transport, middleware=[both]).item(1) == Item(id=1)
    assert server.request.headers["x-seen"] == "7 7"


def test_anyio_looks_for_a_loop_too(api: MakeApi) -> None:
    """What anyio says of a missing event loop is a `ColourError`, and a RuntimeError, as it is with asyncio."""

    async def impatient(request: Request, call_next: CallNext) -> Response:
        await anyio.sleep(0.01)
        return await call_next(request)

    with pytest.raises(ColourError) as error:
        Items(transport=api().transport, middleware=[impatient]).item(1)
    assert str(error.value) == (
        "Items.item: 'impatient' needs an event loop, and this call is synchronous: "
        "make the stub `async def`, or call it through .aio (stubwire.sleep works in both)"
    )
    assert isinstance(error.value, RuntimeError)


class Never:
    """Something that suspends."""

    def __await__(self) -> Any:
        yield


def test_a_middleware_that_suspends_again_is_closed_before_the_error_leaves(api: MakeApi) -> None:
    """Its `finally` has run when the caller sees the `ColourError`."""
    order: list[str] = []

    async def stubborn(request: Request, call_next: CallNext) -> Response:
        try:
            try:
                await Never()
            except ColourError:
                await Never()
        finally:
            order.append("closed")
        raise AssertionError("unreachable")

    with pytest.raises(ColourError):
        Items(transport=api().transport, middleware=[stubborn]).item(1)
    assert order == ["closed"]
