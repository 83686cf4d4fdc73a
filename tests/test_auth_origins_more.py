"""`auth_origins`: credentials, cookies and secret headers go to these origins too, and still nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from conftest import Api, Colour, Reply
from stubwire import ApiClient, ConfigurationError, Cookie, LinkPages, Pages, Request, _auth_check, get
from stubwire.auth import ApiKeyAuth, BearerAuth
from stubwire.errors import PaginationError

MakeApi = Callable[..., Api]

SECRETS = ("s3cr3t-auth", "s3cr3t-key", "s3cr3t-header", "s3cr3t-cookie")


class Client(ApiClient):
    base_url = "https://api.example"
    auth = BearerAuth("s3cr3t-auth")
    auth_origins = ["https://files.example", "https://EU.api.example:443/", "http://127.0.0.1:8080"]
    headers = {"X-Api-Key": "s3cr3t-key", "X-Tenant": SecretStr("s3cr3t-header"), "X-Plain": "plain"}

    @get("/x")
    def find(self, sid: Annotated[str | None, Cookie()] = "s3cr3t-cookie") -> None:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def pages(self, sid: Annotated[str | None, Cookie()] = "s3cr3t-cookie") -> Pages[int]:
        raise NotImplementedError


def secrets_in(request: Any) -> set[str]:
    """Which secrets a request carries."""
    text = f"{request.url} {request.headers.raw!r}"
    return {secret for secret in SECRETS if secret in text}


OURS = ["https://files.example/y", "https://files.example:443/y", "https://eu.api.example/y", "HTTPS://Files.Example/y"]
FOREIGN = [
    "https://files.example:444/y",
    "https://sub.files.example/y",
    "https://files.example.evil.example/y",
    "https://evilfiles.example/y",
    "https://files.example@evil.example/y",
    "https://127.0.0.1:8080/y",
]


def expected(url: str) -> set[str]:
    return set(SECRETS) if url in OURS else set()


@pytest.mark.parametrize("url", OURS + [url for url in FOREIGN if "@" not in url])
def test_a_redirect(api: MakeApi, colour: Colour, url: str) -> None:
    server = api(Reply(302, headers={"Location": url}), Reply())
    colour.run(Client(transport=server.transport, follow_redirects=True).find)
    assert secrets_in(server.requests[1]) == expected(url)
    assert server.requests[1].headers["X-Plain"] == "plain"


@pytest.mark.parametrize("url", OURS + FOREIGN)
@pytest.mark.parametrize("per", ["interceptor", "call", "attempt"])
def test_a_request_that_was_sent_elsewhere(api: MakeApi, colour: Colour, url: str, per: Any) -> None:
    async def readdress(request: Request, call_next: Any) -> Any:
        request.url = url
        return await call_next(request)

    server = api(Reply())
    client = Client(transport=server.transport)
    if per == "interceptor":
        client.interceptors.request.use(lambda request: request.replace(url=url))
    else:
        client.use(readdress, per=per)
    colour.run(client.find)
    assert secrets_in(server.request) == expected(url)


@pytest.mark.parametrize("url", [*OURS, *(url for url in FOREIGN if "@" not in url), "http://files.example/y"])
def test_an_absolute_call(api: MakeApi, colour: Colour, url: str) -> None:
    """The client's own query goes where credentials may."""
    server = api(Reply())
    client: Any = Client(transport=server.transport, query={"app": "s3cr3t-key"})
    headers = {"Cookie": "s3cr3t-cookie"}
    if colour.name == "sync":
        client.call("GET", url, headers=headers)
    else:
        colour.drive(client.acall, "GET", url, headers=headers)
    assert secrets_in(server.request) == expected(url)
    assert bool(server.request.url.query) == bool(expected(url))


@pytest.mark.parametrize("url", OURS + FOREIGN)
def test_a_next_link(api: MakeApi, url: str) -> None:
    server = api(Reply(json=[1], headers={"Link": f'<{url}>; rel="next"'}), Reply(json=[2]))
    client = Client(transport=server.transport)
    if url in OURS:
        assert client.pages().to_list() == [1, 2]
        assert secrets_in(server.requests[1]) == set(SECRETS)
        return
    with pytest.raises(PaginationError):
        client.pages().to_list()
    assert len(server.requests) == 1


def test_a_key_in_the_query(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(302, headers={"Location": "https://files.example/y?a=1"}), Reply())
    auth = ApiKeyAuth("s3cr3t-auth", query="appid")
    colour.run(Client(transport=server.transport, auth=auth, follow_redirects=True).find)
    assert str(server.requests[1].url) == "https://files.example/y?a=1&appid=s3cr3t-auth"


def test_the_users_own_client_adds_its_secrets_there_too(api: MakeApi) -> None:
    server = api(Reply())
    own = server.library.Client(transport=server.transport, headers={"X-Token": "s3cr3t-key"}, auth=("me", "pw"))

    class Bare(ApiClient):
        base_url = "https://api.example"
        auth_origins = ("https://files.example",)

    with own:
        client = Bare(http_client=own)
        client.call("GET", "https://files.example/y")
        client.call("GET", "https://evil.example/y")
    assert [request.headers.get("X-Token") for request in server.requests] == ["s3cr3t-key", None]
    assert [("Authorization" in request.headers) for request in server.requests] == [True, False]


def test_the_constructor_says_others(api: MakeApi) -> None:
    server = api(Reply())
    client = Client(transport=server.transport, auth_origins=[])
    client.call("GET", "https://files.example/y")
    assert secrets_in(server.request) == set()


SUCH = "such as 'https://uploads.example'"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("https://files.example", f"auth_origins must be a list, {SUCH[:8]}['https://uploads.example'], not str"),
        (None, f"auth_origins must be a list, {SUCH[:8]}['https://uploads.example'], not NoneType"),
        ([7], f"auth_origins: int is no origin, {SUCH}"),
        ([""], f"auth_origins: '' is no origin, {SUCH}"),
        (["*"], f"auth_origins: '*' is no origin, {SUCH}"),
        (["files.example"], f"auth_origins: 'files.example' is no origin, {SUCH}"),
        (["ftp://files.example"], f"auth_origins: 'ftp://files.example' is no origin, {SUCH}"),
        (["https://*.example"], f"auth_origins: 'https://*.example' is no origin, {SUCH}"),
        (["https://files.example/path"], f"auth_origins: 'https://files.example/path' is no origin, {SUCH}"),
        (["https://files.example?a=b"], f"auth_origins: 'https://files.example?a=b' is no origin, {SUCH}"),
        (["https://me:s3cr3t@files.example"], f"auth_origins: 'https://files.example' is no origin, {SUCH}"),
    ],
)
def test_what_is_no_origin_is_a_configuration_error(wrong: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(auth_origins=wrong)
    assert str(caught.value) == f"Client: {message}"
    with pytest.raises(ConfigurationError) as caught:

        class Wrong(ApiClient):
            auth_origins = wrong

    assert str(caught.value) == f"Wrong: {message}"


def test_credentials_over_plain_http_warn_once(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """To another machine; whoever sends none, or to this one, is not warned."""
    monkeypatch.setattr(_auth_check, "_warned", set[str]())

    class Plain(ApiClient):
        @get("/x")
        def find(self) -> None:
            raise NotImplementedError

    quiet = Plain(transport=api(Reply()).transport, base_url="http://plain.example")
    quiet.find()
    for host in ("localhost:1", "127.0.0.1", "[::1]"):
        quiet = Plain(transport=api(Reply()).transport, base_url=f"http://{host}", auth=BearerAuth("t"))
        quiet.find()
    loud = Plain(transport=api(Reply()).transport, base_url="http://loud.example", auth=BearerAuth("t"))
    with pytest.warns(UserWarning, match="over plain http") as caught:
        loud.find()
    assert [str(warning.message) for warning in caught] == [
        "credentials go to http://loud.example over plain http, where anybody on the way can read them: write https://"
    ]
    loud.call("GET", "/y")
    headers = {"X-Tenant": SecretStr("s3cr3t")}
    loud = Plain(transport=api(Reply()).transport, base_url="http://header.example", headers=headers)
    with pytest.warns(UserWarning, match=r"^credentials go to http://header\.example over plain http"):
        loud.find()
