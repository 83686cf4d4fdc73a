"""The user's own client of httpx or httpx2 as `http_client=`: it sends, and stays theirs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from conftest import Api, Colour, EngineName, Fail, Reply
from stubwire import ApiClient, ConfigurationError, FixedDelay, Limits, NotFoundError, Retry, StubwireError, get
from stubwire.auth import ApiKeyAuth, BearerAuth

if TYPE_CHECKING:
    from starlette.requests import Request as StarletteRequest

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://things.example/v1"
    headers = {"X-Ours": "1", "Accept": "application/json"}
    retry = None

    @get("/things/<name>")
    def thing(self, name: str) -> dict[str, str]:
        """Get a thing."""
        raise NotImplementedError

    @get("/away")
    def away(self) -> dict[str, str]:
        """Be led to another origin."""
        raise NotImplementedError


THING = Reply(json={"a": "b"})


def own(api: Api, colour: Colour, **options: Any) -> Any:
    """A client of the user's own, in a colour."""
    kind = api.library.Client if colour.name == "sync" else api.library.AsyncClient
    return kind(transport=api.transport, **options)


def close(client: Any, colour: Colour) -> None:
    """End it, as its owner does."""
    client.close() if colour.name == "sync" else colour.drive(client.aclose)


@pytest.fixture
def sent_by(api: MakeApi, colour: Colour) -> Callable[..., Any]:
    """What the API gets from a call of `Things` through a client that was made with some options."""

    def send(options: dict[str, Any], **ours: Any) -> Any:
        server = api(THING)
        client = own(server, colour, **options)
        with Things(http_client=client, **ours) as things:
            assert colour.run(things.thing, "x") == {"a": "b"}
        close(client, colour)
        return server.request

    return send


def test_its_headers_fill_what_we_did_not_set(sent_by: Callable[..., Any]) -> None:
    theirs = {"Accept": "text/html", "X-Theirs": "2", "x-ours": "no", "Authorization": "Bearer theirs"}
    sent = sent_by({"headers": theirs})
    assert sent.headers.get_list("accept") == ["application/json"]
    assert sent.headers.get_list("x-ours") == ["1"]
    assert sent.headers["x-theirs"] == "2"
    assert sent.headers["authorization"] == "Bearer theirs"
    assert sent.headers["user-agent"].startswith("python-httpx")


def test_its_headers_never_say_how_long_our_body_is(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"headers": {"Content-Length": "3", "Transfer-Encoding": "chunked"}})
    assert {"content-length", "transfer-encoding"}.isdisjoint(sent.headers)


def test_its_base_url_params_and_cookies_are_not_merged(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"base_url": "https://wrong.example", "params": {"q": "1"}, "cookies": {"session": "secret"}})
    assert str(sent.url) == "https://things.example/v1/things/x"
    assert "cookie" not in sent.headers


def test_its_timeout_is_not_used(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"timeout": 99.0}, timeout=3.0)
    assert sent.extensions["timeout"] == {"connect": 3.0, "read": 3.0, "write": 3.0, "pool": 3.0}


# -- auth


def test_its_auth_applies_where_we_have_none(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"auth": ("user", "password")})
    assert sent.headers["authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


def test_our_auth_stands_before_its_own(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"auth": ("user", "password")}, auth=BearerAuth("ours"))
    assert sent.headers.get_list("authorization") == ["Bearer ours"]


def test_where_we_have_another_kind_of_auth_its_own_does_not_apply(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"auth": ("user", "password")}, auth=ApiKeyAuth("ours", header="X-Api-Key"))
    assert sent.headers["x-api-key"] == "ours"
    assert "authorization" not in sent.headers


def test_userinfo_of_the_base_url_stands_before_its_own(sent_by: Callable[..., Any]) -> None:
    sent = sent_by({"auth": ("user", "password")}, base_url="https://ours:word@things.example")
    assert sent.headers["authorization"] == "Basic b3Vyczp3b3Jk"
    assert str(sent.url) == "https://things.example/things/x"


def test_its_auth_and_secret_headers_go_nowhere_else(api: MakeApi, colour: Colour) -> None:
    """A redirect to another origin gets neither; what is no secret goes on."""
    server = api(Reply(302, headers={"Location": "https://elsewhere.example/x"}), THING)
    theirs = {"X-Api-Key": "secret", "Cookie": "session=secret", "X-Theirs": "2"}
    client = own(server, colour, auth=("user", "password"), headers=theirs)
    with Things(http_client=client, follow_redirects=True) as things:
        colour.run(things.away)
    close(client, colour)
    first, second = server.requests
    assert first.headers["x-api-key"] == "secret"
    assert "authorization" in first.headers
    assert str(second.url) == "https://elsewhere.example/x"
    assert second.headers["x-theirs"] == "2"
    assert {"authorization", "x-api-key", "cookie"}.isdisjoint(second.headers)


def test_an_auth_that_asks_twice_is_one_attempt(api: MakeApi, colour: Colour) -> None:
    """Digest: the client answers a challenge by itself."""
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
    server = api(Reply(401, headers={"WWW-Authenticate": challenge}), THING)
    client = own(server, colour, auth=server.library.DigestAuth("user", "password"))
    with Things(http_client=client) as things:
        response = colour.response(things.thing, "x")
    close(client, colour)
    assert (response.data, len(response.attempts), len(server.requests)) == ({"a": "b"}, 1, 2)
    assert server.requests[1].headers["authorization"].startswith('Digest username="user"')


# -- hooks


def hooks(colour: Colour, seen: list[str], *, reads: bool) -> dict[str, list[Any]]:
    """Event hooks that note what they see."""

    def ask(sent: Any) -> None:
        seen.append(f"{sent.method} {sent.url}")
        sent.headers["X-Hook"] = "1"

    async def aask(sent: Any) -> None:
        ask(sent)

    def answer(response: Any) -> None:
        seen.append(response.read().decode() if reads else str(response.status_code))

    async def aanswer(response: Any) -> None:
        seen.append((await response.aread()).decode() if reads else str(response.status_code))

    return (
        {"request": [ask], "response": [answer]}
        if colour.name == "sync"
        else {"request": [aask], "response": [aanswer]}
    )


@pytest.mark.parametrize("reads", [False, True])
def test_its_event_hooks_run_also_those_that_read(api: MakeApi, colour: Colour, *, reads: bool) -> None:
    seen: list[str] = []
    server = api(THING)
    client = own(server, colour, event_hooks=hooks(colour, seen, reads=reads))
    with Things(http_client=client) as things:
        assert colour.run(things.thing, "x") == {"a": "b"}
    close(client, colour)
    assert seen == ["GET https://things.example/v1/things/x", '{"a": "b"}' if reads else "200"]
    assert server.request.headers["x-hook"] == "1"


def test_a_hook_sees_each_attempt_and_each_status(api: MakeApi, colour: Colour) -> None:
    seen: list[str] = []
    server = api(Reply(404))
    client = own(server, colour, event_hooks=hooks(colour, seen, reads=False))
    with Things(http_client=client) as things, pytest.raises(NotFoundError):
        colour.run(things.thing, "x")
    close(client, colour)
    assert seen[1] == "404"


def test_a_hook_that_raises_for_a_status_leaves_it_to_us(api: MakeApi, colour: Colour) -> None:
    """The hook that the documentation of httpx shows."""

    def answer(response: Any) -> None:
        response.read()
        response.raise_for_status()

    async def aanswer(response: Any) -> None:
        await response.aread()
        response.raise_for_status()

    server = api(Reply(503), Reply(404, json={"message": "no x"}))
    client = own(server, colour, event_hooks={"response": [answer if colour.name == "sync" else aanswer]})
    retry = Retry(max_retries=1, backoff=FixedDelay(0.0))
    with Things(http_client=client, retry=retry) as things, pytest.raises(NotFoundError) as caught:
        colour.run(things.thing, "x")
    close(client, colour)
    assert caught.value.body == {"message": "no x"}
    assert [attempt.status_code for attempt in caught.value.attempts] == [503, 404]


# -- lifetime


def test_it_is_never_closed(api: MakeApi, colour: Colour) -> None:
    server = api(THING)
    client = own(server, colour)

    with Things(http_client=client) as things:
        colour.run(things.thing, "x")
    other = Things(http_client=client)
    colour.run(other.thing, "x")
    close(other, colour)
    assert not client.is_closed
    with pytest.raises(ConfigurationError, match="Things is closed"):
        colour.run(things.thing, "x")
    close(client, colour)


def test_a_client_that_its_owner_closed_says_so(api: MakeApi, colour: Colour) -> None:
    client = own(api(THING), colour)
    things = Things(http_client=client)
    close(client, colour)
    with pytest.raises(ConfigurationError, match="closed"):
        colour.run(things.thing, "x")
    things.close()


@pytest.mark.parametrize("name", ["ConnectError", "ReadTimeout"])
def test_its_failures_are_ours(api: MakeApi, colour: Colour, name: str) -> None:
    client = own(api(Fail(name)), colour)
    with Things(http_client=client) as things, pytest.raises(StubwireError, match=r"^Things\.thing: GET") as caught:
        colour.run(things.thing, "x")
    close(client, colour)
    assert type(caught.value).__name__ == name


# -- which calls, which engine


def test_a_call_of_the_colour_that_it_lacks_says_so(api: MakeApi, colour: Colour) -> None:
    client = own(api(THING), colour)
    missing = Colour("asyncio" if colour.name == "sync" else "sync")
    with Things(http_client=client) as things, pytest.raises(ConfigurationError) as caught:
        missing.run(things.thing, "x")
    close(client, colour)
    assert str(caught.value) == (
        "Things was given a synchronous transport or client only, so this asynchronous call has none: "
        "make a synchronous call, or pass an asynchronous one (or a pair of transports)"
        if colour.name == "sync"
        else "Things was given an asynchronous transport or client only, so this synchronous call has none: "
        "call the endpoint through .aio, or pass a synchronous one (or a pair of transports)"
    )


def test_the_client_decides_which_engine_is_used(api: MakeApi, engine: EngineName, colour: Colour) -> None:
    client = own(api(THING), colour)
    with Things(http_client=client) as things:
        assert type(colour.response(things.thing, "x").raw).__module__.partition(".")[0] == engine
    close(client, colour)


def test_a_test_client_of_starlette_is_one() -> None:
    async def thing(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"name": request.path_params["name"], "ours": request.headers["x-ours"]})

    app = Starlette(routes=[Route("/v1/things/{name}", thing)])
    with TestClient(app) as client, Things(http_client=client, base_url="http://testserver/v1") as things:
        assert things.thing("a b") == {"name": "a b", "ours": "1"}


@pytest.mark.parametrize(
    ("beside", "name"),
    [
        ({"proxy": "http://proxy.example"}, "proxy"),
        ({"verify": False}, "verify"),
        ({"limits": Limits()}, "limits"),
        ({"http2": True}, "http2"),
    ],
)
def test_what_its_connections_decide_is_refused_beside_it(api: MakeApi, beside: dict[str, Any], name: str) -> None:
    server = api(THING)
    with own(server, Colour("sync")) as client, pytest.raises(ConfigurationError) as caught:
        Things(http_client=client, **beside)
    assert str(caught.value) == f"Things: http_client has its own connections, so it takes no {name}"


def test_a_transport_beside_it_is_refused(api: MakeApi) -> None:
    server = api(THING)
    with own(server, Colour("sync")) as client, pytest.raises(ConfigurationError) as caught:
        Things(http_client=client, transport=server.transport)
    assert str(caught.value) == "Things: http_client has its own connections, so it takes no transport"


def test_an_engine_that_contradicts_it_is_refused(api: MakeApi, engine: EngineName) -> None:
    other: Literal["httpx", "httpx2"] = "httpx" if engine == "httpx2" else "httpx2"
    with own(api(THING), Colour("sync")) as client, pytest.raises(ConfigurationError) as caught:
        Things(http_client=client, engine=other)
    assert str(caught.value) == f"engine={other!r} cannot use an object of {engine}: leave engine out"


class Session:
    """Of another library, whose sessions have a `send` too."""

    def send(self, request: object) -> None:
        raise AssertionError("unreachable")


@pytest.mark.parametrize("wrong", [object(), Session()])
def test_what_is_no_client_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Things(http_client=wrong)
    assert str(caught.value) == "Things: http_client must be a Client(...) or AsyncClient(...) of httpx or httpx2"


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "stubwire._engine.httpx2", raising=False)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError) as caught:
        Things(engine="httpx2")
    assert str(caught.value) == "engine='httpx2' needs the package httpx2: pip install 'stubwire[httpx2]'"
    assert caught.value.__cause__ is None


def test_an_engine_of_another_name_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Things(engine="requests")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "engine='requests': write 'httpx' or 'httpx2'"
