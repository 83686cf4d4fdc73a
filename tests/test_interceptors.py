"""Interceptors and plugins: order, what each sees, what each may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    ConfigurationError,
    FixedDelay,
    Request,
    Response,
    Retry,
    ServerError,
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


def test_a_request_interceptor_changes_in_place_or_returns_another(api: MakeApi, colour: Colour) -> None:
    """`None` means changed in place."""
    server = api(Reply(json=[1]))
    things = Things(transport=server.transport)
    things.interceptors.request.use(lambda request: request.headers.update({"X-A": "1"}))
    things.interceptors.request.use(lambda request: request.replace(url=request.url + "?b=2"))

    colour.run(things.things)
    assert server.request.headers["x-a"] == "1"
    assert str(server.request.url) == "https://api.example/things?b=2"


def test_an_interceptor_unwraps_an_envelope(api: MakeApi, colour: Colour) -> None:
    """Assigning `data` replaces what is validated; a change in place is not seen."""
    things = Things(transport=api(Reply(json={"items": [1, 2]})).transport)

    def extract_items(response: Response) -> None:
        data: Any = response.data
        if isinstance(data, dict) and "items" in data:
            response.data = data["items"]

    handle = things.interceptors.response.use(extract_items)
    assert colour.run(things.things) == [1, 2]

    things.interceptors.response.eject(handle)
    things.interceptors.response.eject(handle)
    with pytest.raises(CallError, match=r"does not fit"):
        colour.run(things.things)


def test_rejected_sees_every_call_error_up_to_there(api: MakeApi, colour: Colour) -> None:
    """A response that it returns goes on to the following functions; the functions before it saw nothing."""
    order: list[str] = []
    things = Things(transport=api(Reply(500)).transport, retry=None)
    things.interceptors.response.use(lambda response: order.append("before"))

    def rescue(error: CallError) -> Response:
        order.append(f"{error.endpoint} {len(error.attempts)} {error}")
        return Response(200, json=[9])

    things.interceptors.response.use(None, rescue)
    things.interceptors.response.use(lambda response: order.append("after"))

    assert colour.run(things.things) == [9]
    assert order == ["Things.things 1 Things.things: GET https://api.example/things answered 500", "after"]


def test_rejected_that_returns_none_keeps_the_error(api: MakeApi) -> None:
    """It only watched."""
    seen: list[CallError] = []
    things = Things(transport=api(Reply(500)).transport, retry=None)
    things.interceptors.response.use(None, seen.append)

    with pytest.raises(ServerError) as error:
        things.things()
    assert seen == [error.value]


def test_a_call_error_of_an_interceptor_goes_to_the_following_rejected(api: MakeApi) -> None:
    """So does one of a request interceptor."""
    seen: list[str] = []
    things = Things(transport=api(Reply(json=[1])).transport)

    def refuse(response: Response) -> None:
        raise CallError("is refused")

    things.interceptors.response.use(None, lambda error: seen.append("too early"))
    things.interceptors.response.use(refuse)
    things.interceptors.response.use(None, lambda error: seen.append(type(error).__name__))

    with pytest.raises(CallError) as error:
        things.things()
    assert str(error.value) == "Things.things: GET https://api.example/things is refused"
    assert seen == ["CallError"]


def test_a_request_interceptor_may_refuse_the_call(api: MakeApi) -> None:
    """Its CallError is dressed like any other, and nothing is sent."""
    server = api()
    things = Things(transport=server.transport)

    def refuse(request: Request) -> None:
        raise CallError("is not for today")

    things.interceptors.request.use(refuse)

    with pytest.raises(CallError) as error:
        things.things()
    assert str(error.value) == "Things.things: GET https://api.example/things is not for today"
    assert server.requests == []


def test_a_bug_in_an_interceptor_propagates_with_a_note(api: MakeApi) -> None:
    """On the way out and on the way back."""

    def buggy(_: object) -> None:
        raise ZeroDivisionError

    for direction in ("request", "response"):
        things = Things(transport=api(Reply(json=[1])).transport)
        getattr(things.interceptors, direction).use(buggy)
        with pytest.raises(ZeroDivisionError) as error:
            things.things()
        assert error.value.__notes__ == ["raised in the interceptor 'buggy'"]


def test_ejecting_leaves_the_others(api: MakeApi) -> None:
    """A handle stands for one use, also of the same function twice."""
    server = api(Reply(json=[1]))
    things = Things(transport=server.transport)
    order: list[str] = []

    def note(request: Request) -> None:
        order.append("note")

    first = things.interceptors.request.use(note)
    things.interceptors.request.use(note)
    things.interceptors.request.eject(first)

    things.things()
    assert order == ["note"]


def test_a_plugin_installs_itself(api: MakeApi) -> None:
    """On the class, in the constructor, or later."""
    installed: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def install(self, client: ApiClient) -> None:
            installed.append(f"{self.name} on {type(client).__name__}")

    class WithPlugin(Things):
        plugins = [Named("class")]

    WithPlugin(transport=api().transport)
    client = WithPlugin(transport=api().transport, plugins=[Named("constructor")])
    assert client.plugin(Named("later")) is client
    assert installed == ["class on WithPlugin", "constructor on WithPlugin", "later on WithPlugin"]


def test_views_share_interceptors_and_middleware(api: MakeApi) -> None:
    """Also those that come after the view."""
    order: list[str] = []
    things = Things(transport=api(Reply(json=[1])).transport)
    view = things.with_options(timeout=1.0)
    view.things()
    things.use(marking("late", order))

    view.things()
    assert order == ["late in", "late out"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            {"id": 1},
            (
                "the interceptor 'wrong' returned dict, not a {kind}: change the {lower} in place and return None, "
                "or return another {kind}"
            ),
        ),
        (
            None,
            (
                "the interceptor 'wrong' returned coroutine, not a {kind}: an interceptor is a plain function; "
                "write a middleware for what is asynchronous"
            ),
        ),
    ],
)
@pytest.mark.parametrize("kind", ["Request", "Response"])
def test_an_interceptor_that_returns_something_else_is_told(
    api: MakeApi, returned: object, message: str, kind: str
) -> None:
    """What to do instead."""

    def plain(_: object) -> object:
        return returned

    async def asynchronous(_: object) -> object:
        return returned

    wrong: Any = asynchronous if returned is None else plain
    wrong.__qualname__ = "wrong"
    things = Things(transport=api(Reply(json=[1])).transport)
    getattr(things.interceptors, kind.lower()).use(wrong)

    with pytest.raises(TypeError) as error:
        things.things()
    assert str(error.value) == message.format(kind=kind, lower=kind.lower())


class Uninstallable:
    """No plugin."""


class Installable:
    def install(self, client: ApiClient) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plugins": [Uninstallable()]}, "Uninstallable is no plugin: pass an object with install(client)"),
        ({"plugins": [Installable]}, "Installable is no plugin: pass an object with install(client)"),
        ({"plugins": Installable()}, "plugins must be a list: write plugins=[...]"),
        ({"middleware": marking("x", [])}, "middleware must be a list: write middleware=[...]"),
        ({"middleware": [5]}, "int is no middleware: write async def (request, call_next)"),
        ({"middleware": [Installable]}, "Installable is no middleware: write async def (request, call_next)"),
    ],
)
def test_what_cannot_be_installed_is_refused(api: MakeApi, options: dict[str, Any], message: str) -> None:
    """At construction."""
    with pytest.raises(ConfigurationError) as error:
        Things(transport=api().transport, **options)
    assert str(error.value) == f"Things: {message}"
