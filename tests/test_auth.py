"""Auth: credentials are put on each attempt, and show nowhere."""

from __future__ import annotations

import base64
import copy
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, ConfigurationError, Request, Response, Retry, get
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth

MakeApi = Callable[..., Api]


class Client(ApiClient):
    base_url = "https://api.example"

    @get("/x")
    def find(self) -> dict[str, int]:
        raise NotImplementedError

    @get("/open", auth=None)
    def open(self) -> dict[str, int]:
        raise NotImplementedError

    @get("/other", auth=BearerAuth("0ther"))
    def other(self) -> dict[str, int]:
        raise NotImplementedError


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("auth", "value"),
    [
        (BearerAuth("s3cr3t"), "Bearer s3cr3t"),
        (BearerAuth(SecretStr("s3cr3t")), "Bearer s3cr3t"),
        (BearerAuth(lambda: "s3cr3t"), "Bearer s3cr3t"),
        (BearerAuth(lambda: SecretStr("s3cr3t")), "Bearer s3cr3t"),
        (BearerAuth("s3cr3t", scheme="token"), "token s3cr3t"),
        (BearerAuth("s3cr3t", scheme=""), "s3cr3t"),
        (BasicAuth("me", "pässword"), basic("me:pässword")),
        (BasicAuth("me", SecretStr("a:b")), basic("me:a:b")),
        (BasicAuth("me", lambda: "pw"), basic("me:pw")),
        (BasicAuth(SecretStr("sk_live_1")), basic("sk_live_1:")),
        (ApiKeyAuth("s3cr3t", header="authorization"), "s3cr3t"),
    ],
)
def test_an_auth_sets_its_header(api: MakeApi, colour: Colour, auth: Any, value: str) -> None:
    server = api(Reply(json={}))
    client = Client(transport=server.transport, auth=auth, headers={"Authorization": "replaced"})
    colour.run(client.find)
    assert server.request.headers.get_list("Authorization") == [value]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/a", "app%20id=k%2F1"),
        ("/a?b=c", "b=c&app%20id=k%2F1"),
        ("/a?app%20id=old&b=c", "b=c&app%20id=k%2F1"),
        ("/a?%61pp+id=old", "app%20id=k%2F1"),
        ("/a?b=c#fragment", "b=c&app%20id=k%2F1"),
        ("/a#fragment?b=c", "app%20id=k%2F1"),
    ],
)
def test_an_api_key_replaces_its_query_parameter(api: MakeApi, path: str, query: str) -> None:
    server = api(Reply(json={}))
    client = Client(transport=server.transport, auth=ApiKeyAuth("k/1", query="app id"))

    def readdress(request: Request) -> None:
        request.url = f"https://api.example{path}"

    client.interceptors.request.use(readdress)
    client.find()
    assert server.request.url.raw_path.decode() == f"/a?{query}"


def test_a_callable_is_asked_at_each_attempt(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503), Reply(503), Reply(json={}))
    tokens = iter(["one", "two", "three"])
    client = Client(transport=server.transport, auth=BearerAuth(lambda: next(tokens)), retry=Retry(max_retries=2))
    colour.run(client.find)
    assert [request.headers["Authorization"] for request in server.requests] == [
        "Bearer one",
        "Bearer two",
        "Bearer three",
    ]


def test_a_secret_may_be_asked_for_asynchronously_in_both_colours(api: MakeApi, colour: Colour) -> None:
    """As a middleware may, by a call of another client through `.aio`."""
    vault = Client(transport=api(Reply(json={"token": 7})).transport)

    async def token() -> SecretStr:
        return SecretStr(f"t{(await vault.find.aio())['token']}")

    server = api(Reply(json={}))
    for auth in (BearerAuth(token), BasicAuth("me", token), ApiKeyAuth(token, header="Authorization")):
        colour.run(Client(transport=server.transport, auth=auth).find)
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer t7", basic("me:t7"), "t7"]


def test_no_auth_sends_none(api: MakeApi, colour: Colour) -> None:
    """By verb, by view, by endpoint's options; an endpoint's own auth replaces that of the client."""
    server = api(Reply(json={}))
    client = Client(transport=server.transport, auth=BearerAuth("s3cr3t"))
    for endpoint in (
        client.open,
        client.with_options(auth=None).find,
        client.find.with_options(auth=None),
        client.other,
        client.find,
    ):
        colour.run(endpoint)
    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == [None, None, None, "Bearer 0ther", "Bearer s3cr3t"]


def test_userinfo_of_the_base_url_is_basic_auth_unless_another_is_given(api: MakeApi) -> None:
    server = api(Reply(json={}))
    for options in ({}, {"auth": BearerAuth("t")}, {"auth": None}):
        made: dict[str, Any] = {"transport": server.transport, **options}
        client = Client(base_url="https://me:p%40ss@api.example", **made)
        client.find()
        assert "p%40ss" not in repr(client)
    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == [basic("me:p@ss"), "Bearer t", None]
    assert {str(request.url) for request in server.requests} == {"https://api.example/x"}


# ---- an auth of one's own


def test_a_plain_function_is_an_auth(api: MakeApi, colour: Colour) -> None:
    async def sign(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.headers["X-Sign"] = f"{request.method} {request.attempt}"
        return await call_next(request)

    server = api(Reply(json={}))
    colour.run(Client(transport=server.transport, auth=sign).find)
    assert server.request.headers["X-Sign"] == "GET 1"


def test_an_auth_can_replay_a_401(api: MakeApi, colour: Colour) -> None:
    class Refreshing:
        names = ("X-Session",)

        def __init__(self) -> None:
            self.session = "old"

        async def __call__(self, request: Request, call_next: Callable[[Request], Awaitable[Response]], /) -> Response:
            request.headers["X-Session"] = self.session
            response = await call_next(request)
            if response.status_code == 401:
                self.session = "new"
                request.headers["X-Session"] = self.session
                response = await call_next(request)
            return response

    server = api(Reply(401), Reply(json={}))
    response = colour.response(Client(transport=server.transport, auth=Refreshing()).find)
    assert [request.headers["X-Session"] for request in server.requests] == ["old", "new"]
    assert "X-Session" not in response.request.headers
    assert len(response.attempts) == 1


# ---- wrong ones


def _asked(make: Callable[[Any], Any], answer: object) -> Any:
    """An auth whose function answers wrongly, in a call."""
    return Client(transport=Api("httpx", ()).transport, auth=make(lambda: answer)).find()


BREAK = "has a line break, a control character or one outside ASCII: it was perhaps read with its newline"
WHERE = "ApiKeyAuth needs header=... or query=..., and not both"


def _key(key: Any) -> ApiKeyAuth:
    return ApiKeyAuth(key, header="X-Key")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BearerAuth(""), "BearerAuth token is empty"),
        (lambda: BearerAuth(SecretStr("")), "BearerAuth token is empty"),
        (lambda: BearerAuth("83512\n"), f"BearerAuth token {BREAK}"),
        (lambda: BearerAuth("83512é"), f"BearerAuth token {BREAK}"),
        (lambda: BearerAuth("83512\ud800"), "BearerAuth token is no valid Unicode text"),
        (lambda: BearerAuth(any_(None)), "BearerAuth token must be a str, a SecretStr or a function, not NoneType"),
        (lambda: BearerAuth(any_(83512)), "BearerAuth token must be a str, a SecretStr or a function, not int"),
        (lambda: BearerAuth("x", scheme="a b"), "BearerAuth scheme='a b' is no word such as 'Bearer'"),
        (lambda: BearerAuth("x", scheme="a\n"), "BearerAuth scheme='a\\n' is no word such as 'Bearer'"),
        (lambda: _asked(BearerAuth, ""), "BearerAuth token is empty"),
        (lambda: _asked(BearerAuth, "83512\r"), f"BearerAuth token {BREAK}"),
        (lambda: _asked(BearerAuth, None), "BearerAuth token must be a str, a SecretStr or a function, not NoneType"),
        (lambda: BasicAuth("83512:x"), "BasicAuth user cannot have a colon (RFC 7617, section 2)"),
        (lambda: BasicAuth(any_(None)), "BasicAuth user must be a str, a SecretStr or a function, not NoneType"),
        (
            lambda: BasicAuth("x", any_(None)),
            "BasicAuth password must be a str, a SecretStr or a function, not NoneType",
        ),
        (lambda: BasicAuth("x", "83512\ud800"), "BasicAuth password is no valid Unicode text"),
        (
            lambda: _asked(lambda secret: BasicAuth("x", secret), 83512),
            "BasicAuth password must be a str, a SecretStr or a function, not int",
        ),
        (lambda: ApiKeyAuth("x"), WHERE),
        (lambda: ApiKeyAuth("x", header="a", query="b"), WHERE),
        (lambda: ApiKeyAuth("x", query=""), WHERE),
        (lambda: ApiKeyAuth("x", header="a b"), "ApiKeyAuth header='a b' is no header name"),
        (lambda: ApiKeyAuth("x", header=""), "ApiKeyAuth header='' is no header name"),
        (lambda: _key(""), "ApiKeyAuth key is empty"),
        (lambda: _key("83512\0"), f"ApiKeyAuth key {BREAK}"),
        (lambda: _asked(_key, "83512\0"), f"ApiKeyAuth key {BREAK}"),
    ],
)
def test_what_is_no_credential_is_a_configuration_error(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == message
    assert "83512" not in str(caught.value)
    assert caught.value.__context__ is None


def any_(value: Any) -> Any:
    """What a type checker would refuse."""
    return value


# ---- never shown


@pytest.mark.parametrize(
    ("auth", "shown"),
    [
        (BearerAuth("s3cr3t", scheme="token"), "BearerAuth([redacted], scheme='token')"),
        (BearerAuth(lambda: "s3cr3t"), "BearerAuth([redacted], scheme='Bearer')"),
        (BasicAuth("s3cr3t", "s3cr3t"), "BasicAuth([redacted])"),
        (ApiKeyAuth("s3cr3t", header="X-Key"), "ApiKeyAuth([redacted], header='X-Key')"),
        (ApiKeyAuth("s3cr3t", query="key"), "ApiKeyAuth([redacted], query='key')"),
    ],
)
def test_an_auth_shows_no_secret_and_cannot_be_pickled(auth: object, shown: str) -> None:
    assert repr(auth) == str(auth) == shown
    assert "s3cr3t" not in str(vars(auth))
    assert copy.copy(auth) is copy.deepcopy(auth) is auth
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(auth, protocol)
        assert str(caught.value) == f"{type(auth).__name__} cannot be pickled: it holds a credential"
