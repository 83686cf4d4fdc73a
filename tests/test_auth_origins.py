"""A credential belongs to the origin of `base_url`: nothing secret goes anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from conftest import Api, Colour, Reply
from stubwire import ApiClient, CallError, Cookie, Header, ProtocolError, Request, Response, get
from stubwire.auth import ApiKeyAuth, BearerAuth

MakeApi = Callable[..., Api]

SECRETS = ("s3cr3t-auth", "s3cr3t-key", "s3cr3t-header", "s3cr3t-cookie")


class Client(ApiClient):
    base_url = "https://api.example"
    auth = BearerAuth("s3cr3t-auth")
    headers = {"X-Api-Key": "s3cr3t-key", "X-Tenant": SecretStr("s3cr3t-header"), "X-Plain": "plain"}

    @get("/x")
    def find(self, sid: Annotated[str | None, Cookie()] = "s3cr3t-cookie") -> None:
        raise NotImplementedError

    @get("/x")
    def find_for(self, x_user: Annotated[SecretStr, Header()]) -> None:
        raise NotImplementedError


def secrets_in(request: Any) -> set[str]:
    """Which secrets a request carries."""
    text = f"{request.url} {request.headers.raw!r}"
    return {secret for secret in SECRETS if secret in text}


def urls_of(server: Api) -> list[str]:
    return [str(request.url) for request in server.requests]


def test_its_own_origin_gets_everything(api: MakeApi, colour: Colour) -> None:
    server = api(Reply())
    colour.run(Client(transport=server.transport).find)
    assert secrets_in(server.request) == set(SECRETS)


FOREIGN = [
    "https://other.example/y",
    "http://api.example:443/y",
    "https://api.example:8443/y",
    "https://api.example.evil.example/y",
    "https://evil.example/https://api.example/y",
    "https://evilapi.example/y",
    "https://api.example./y",
    "https://[::1]/y",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_a_redirect_to_another_origin_carries_nothing_secret(api: MakeApi, colour: Colour, target: str) -> None:
    server = api(Reply(302, headers={"Location": target}), Reply())
    client = Client(transport=server.transport, follow_redirects=True)
    if target.startswith("http:"):
        with pytest.raises(CallError, match="redirect from https"):
            colour.run(client.find)
        assert len(server.requests) == 1
        return
    colour.run(client.find)
    assert secrets_in(server.requests[0]) == set(SECRETS)
    assert secrets_in(server.requests[1]) == set()
    assert server.requests[1].headers["X-Plain"] == "plain"


def test_a_secret_parameter_does_not_follow_a_redirect_elsewhere(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(302, headers={"Location": "https://other.example/y"}), Reply())
    colour.run(Client(transport=server.transport, follow_redirects=True).find_for, SecretStr("s3cr3t-parameter"))
    assert server.requests[0].headers["X-User"] == "s3cr3t-parameter"
    assert "X-User" not in server.requests[1].headers


@pytest.mark.parametrize("target", ["/y", "y", "https://api.example/y", "HTTPS://API.example:443/y", "//api.example/y"])
def test_a_redirect_to_its_own_origin_carries_everything(api: MakeApi, colour: Colour, target: str) -> None:
    server = api(Reply(302, headers={"Location": target}), Reply())
    colour.run(Client(transport=server.transport, follow_redirects=True).find)
    assert secrets_in(server.requests[1]) == set(SECRETS)
    assert urls_of(server)[1] == "https://api.example/y"


def test_credentials_come_back_with_a_redirect_that_comes_back(api: MakeApi, colour: Colour) -> None:
    server = api(
        Reply(307, headers={"Location": "https://other.example/y"}),
        Reply(307, headers={"Location": "https://api.example/z"}),
        Reply(),
    )
    colour.run(Client(transport=server.transport, follow_redirects=True).find)
    assert [bool(secrets_in(request)) for request in server.requests] == [True, False, True]


def test_a_key_in_the_query_does_not_follow_a_redirect(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(302, headers={"Location": "https://other.example/y?a=1"}), Reply())
    client = Client(transport=server.transport, follow_redirects=True, auth=ApiKeyAuth("s3cr3t-auth", query="appid"))
    colour.run(client.find)
    assert urls_of(server) == ["https://api.example/x?appid=s3cr3t-auth", "https://other.example/y?a=1"]


Places = Callable[[Client, str], None]


def by_interceptor(client: Client, url: str) -> None:
    """Send requests elsewhere, before the middleware."""

    def readdress(request: Request) -> Request:
        return request.replace(url=url)

    client.interceptors.request.use(readdress)


def by_middleware(client: Client, url: str) -> None:
    """Send requests elsewhere, around the call."""

    async def readdress(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.url = url
        return await call_next(request)

    client.use(readdress)


def by_attempt(client: Client, url: str) -> None:
    """Send requests elsewhere, around the attempt."""

    async def readdress(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.url = url
        return await call_next(request)

    client.use(readdress, per="attempt")


TRICKY = [
    *FOREIGN,
    "https://api.example@evil.example/y",
    "https://api.example:443@evil.example/y",
    "https://api.example%2F@evil.example/y",
    "https://evil.example#@api.example/",
    "https://evil.example?@api.example/",
    "https://evil.example\\.api.example/",
    "https://api.example\\@evil.example/",
    "https://api.example%00.evil.example/",
    "https://api.example;@evil.example/",
    "https://api.example\t.evil.example/",
    "https://api.example。evil.example/",
    "ftp://api.example/",
    "//api.example/",
    "/y",
    "",
]


@pytest.mark.parametrize("url", TRICKY)
@pytest.mark.parametrize("place", [by_interceptor, by_middleware, by_attempt])
def test_a_request_sent_elsewhere_carries_nothing_secret(api: MakeApi, place: Places, url: str) -> None:
    """Judged by the host that the engine takes from the URL: whatever it sends, it sends there without secrets."""
    server = api(Reply())
    client = Client(transport=server.transport)
    place(client, url)
    try:
        client.find()
    except ProtocolError:
        assert server.requests == []
        return
    assert (server.request.url.scheme, server.request.url.host, server.request.url.port) != (
        "https",
        "api.example",
        None,
    )
    assert secrets_in(server.request) == set()


OURS = [
    "https://api.example/@evil.example/y",
    "https://api.example",
    "https://api.example?y",
    "https://api.example#y",
    "https://API.EXAMPLE/y",
    "https://api.example:443/y",
    "https://me:pw@api.example/y",
    "https://evil.example\\@api.example/",
    "HTTPS://api.example/y",
]


@pytest.mark.parametrize("url", OURS)
def test_a_request_that_stays_carries_its_credentials(api: MakeApi, colour: Colour, url: str) -> None:
    server = api(Reply())
    client = Client(transport=server.transport)
    by_middleware(client, url)
    colour.run(client.find)
    assert server.request.url.host == "api.example"
    assert secrets_in(server.request) == set(SECRETS)


def test_an_auth_cannot_take_credentials_elsewhere(api: MakeApi, colour: Colour) -> None:
    class Elsewhere:
        names = ("X-Own",)

        async def __call__(self, request: Request, call_next: Callable[[Request], Awaitable[Response]], /) -> Response:
            request.headers["X-Own"] = "s3cr3t-auth"
            request.url = "https://other.example/y"
            return await call_next(request)

    server = api(Reply())
    colour.run(Client(transport=server.transport, auth=Elsewhere()).find)
    assert urls_of(server) == ["https://other.example/y"]
    assert secrets_in(server.request) == set()


@pytest.mark.parametrize("url", ["https://other.example/y", "http://api.example/y", "https://api.example:8443/y"])
def test_an_absolute_call_elsewhere_carries_nothing_secret(api: MakeApi, colour: Colour, url: str) -> None:
    server = api(Reply())
    client: Any = Client(transport=server.transport, query={"app": "s3cr3t-key"})
    headers = {"X-Mine": SecretStr("s3cr3t-header"), "Cookie": "s3cr3t-cookie"}
    if colour.name == "sync":
        client.call("GET", url, headers=headers)
    else:
        colour.drive(client.acall, "GET", url, headers=headers)
    assert urls_of(server) == [url]
    assert secrets_in(server.request) == set()
