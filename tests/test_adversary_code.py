"""What careless user code must not bring about: a misleading error, a mixed-up response, a connection left open."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any

import pytest
import trio
from pydantic import AfterValidator

from conftest import Api, Colour, EngineName, Reply
from servers import RawServer
from stubwire import (
    ApiClient,
    CallNext,
    ColourError,
    ConfigurationError,
    Request,
    Response,
    Retry,
    get,
)

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/things/<n>")
    def thing(self, n: int) -> dict[str, int]:
        raise NotImplementedError


def notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))


# -- what middleware, auth and interceptors get wrong


def test_a_response_that_is_returned_again_is_as_it_was(api: MakeApi, colour: Colour) -> None:
    """A cache hands out one object; each call decodes it anew, and keeps its own attempts."""
    server = api(Reply(json={"items": {"n": 1}}))
    kept: list[Response] = []

    async def caching(request: Request, call_next: CallNext) -> Response:
        kept[:] = kept or [await call_next(request)]
        return kept[0]

    def unwrap(response: Response) -> None:
        response.data = response.data["items"]

    things = Things(transport=server.transport, middleware=[caching])
    things.interceptors.response.use(unwrap)
    first, second = colour.response(things.thing, 1), colour.response(things.thing, 1)
    assert first.data == second.data == {"n": 1}
    assert (len(first.attempts), len(second.attempts), len(server.requests)) == (1, 0, 1)


def test_what_a_middleware_assigns_to_anothers_response_counts(api: MakeApi) -> None:
    things = Things(transport=api(Reply(json={"n": 1})).transport)

    async def borrowing(request: Request, call_next: CallNext) -> Response:
        response = await things.thing.aio.response(1)
        response.data = {"n": 2}
        return response

    assert Things(middleware=[borrowing], transport=api().transport).thing(1) == {"n": 2}


Broken = Callable[[Request, CallNext], Awaitable[Any]]


async def forgets(request: Request, call_next: CallNext) -> Any:
    await call_next(request)


async def forgets_to_await(request: Request, call_next: CallNext) -> Any:
    return call_next(request)


@pytest.mark.parametrize(("function", "what"), [(forgets, "NoneType"), (forgets_to_await, "coroutine")])
@pytest.mark.parametrize("kind", ["middleware", "auth"])
def test_what_returns_no_response_is_named(api: MakeApi, function: Broken, what: str, kind: str) -> None:
    options: dict[str, Any] = {"auth": function} if kind == "auth" else {"middleware": [function]}
    with pytest.raises(TypeError) as caught:
        Things(transport=api(Reply(json={})).transport, **options).thing(1)
    assert str(caught.value) == (
        f"the {kind} {function.__qualname__!r} returned {what}, not a Response: write `return await call_next(request)`"
    )


def test_a_bug_in_an_auth_says_where(api: MakeApi, colour: Colour) -> None:
    async def broken(request: Request, call_next: CallNext) -> Response:
        raise KeyError("word")

    with pytest.raises(KeyError) as caught:
        colour.run(Things(transport=api().transport, auth=broken).thing, 1)
    assert notes(caught.value) == ["raised in the auth 'broken'"]


def test_an_interceptor_that_returns_a_request_made_by_hand_is_named(api: MakeApi) -> None:
    def rebuild(request: Request) -> Request:
        return Request("GET", "https://api.example/other")

    things = Things(transport=api().transport)
    things.interceptors.request.use(rebuild)
    with pytest.raises(TypeError) as caught:
        things.thing(1)
    assert str(caught.value) == (
        "the interceptor 'rebuild' returned a Request made by hand: change the request in place and return None, "
        "or return request.replace(...)"
    )


def test_a_middleware_that_will_not_stop_awaiting_is_named(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)  # Python complains of the coroutine itself

    async def stubborn(request: Request, call_next: CallNext) -> Response:
        for _ in range(3):
            with suppress(BaseException):  # as bad as it gets
                await asyncio.sleep(0)
        return await call_next(request)

    with pytest.raises(ColourError, match="'stubborn' awaited something that suspends"):
        Things(transport=api().transport, middleware=[stubborn]).thing(1)


def test_an_error_object_that_is_raised_again_gets_its_note_once(api: MakeApi, colour: Colour) -> None:
    """One note for each place that it came through, however often."""
    bug = KeyError("bug")

    def broken(_: object) -> bool:
        raise bug

    class Odd(ApiClient):
        base_url = "https://api.example"

        @get("/odd")
        def odd(self) -> Annotated[int, AfterValidator(broken)]:
            raise NotImplementedError

    for _ in range(2):
        with pytest.raises(KeyError):
            colour.run(Things(transport=api(Reply(503)).transport, retry=Retry(when=broken)).thing, 1)
        with pytest.raises(KeyError):
            colour.run(Odd(transport=api(Reply(json=1)).transport).odd)
    assert notes(bug) == ["raised in the retry predicate 'broken'", "raised while decoding the response of Odd.odd"]


# -- the end


OPEN = """
    import asyncio, gc, sys
    from stubwire import ApiClient, get

    class Things(ApiClient):
        engine = "{engine}"
        base_url = "{url}"
        @get("/things")
        def things(self) -> None: ...

    kept, lost = Things(), Things()
    kept.things(), lost.things(), asyncio.run(kept.things.aio())
    del lost
    gc.collect()
    print("done")
"""


def test_a_client_that_nobody_closed_ends_quietly(engine: EngineName) -> None:
    """Collected, or alive when the interpreter ends: no traceback and no warning, though each would be shown."""
    with RawServer() as server:
        program = textwrap.dedent(OPEN.format(engine=engine, url=server.url))
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
    assert (done.stdout, done.stderr) == ("done\n", "")


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_client_that_is_collected_closes_its_connections(engine: EngineName, loop: str) -> None:
    """On the event loop that it leaves them to."""

    async def main() -> None:
        things = Things(base_url=server.url, engine=engine)
        await things.thing.aio(1)
        things.thing(1)
        del things
        gc.collect()
        await (trio.to_thread.run_sync(wait) if loop == "trio" else asyncio.to_thread(wait))

    def wait() -> None:
        server.wait_until(lambda server: server.opened == server.closed == 2)

    with RawServer() as server:
        Colour(loop).drive(main)


def test_nobody_opens_a_connection_while_the_client_closes(engine: EngineName) -> None:
    async def main() -> None:
        things = Things(base_url=server.url, engine=engine)
        await things.thing.aio(1)
        _, late = await asyncio.gather(things.aclose(), things.thing.aio(1), return_exceptions=True)
        assert isinstance(late, ConfigurationError)

    with RawServer() as server:
        asyncio.run(main())
        assert server.opened == 1
