"""What is secret stays with its origin: redirects, links, absolute URLs and middleware, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import trustme
from pydantic import SecretStr

from certificates import serving
from servers import RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    CallNext,
    Cookie,
    ForeignPageError,
    Header,
    HTTPStatusError,
    LinkPages,
    Pages,
    RedirectError,
    Request,
    Response,
    get,
    post,
)
from stubwire.auth import ApiKeyAuth, BearerAuth

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Colour, EngineName

SECRET = "s3cr3t"
HIDDEN = SecretStr(SECRET)
STATUSES = [301, 302, 303, 307, 308]


class Things(ApiClient):
    headers = {"X-Tenant": HIDDEN, "X-Api-Key": SECRET, "X-Plain": "plain"}
    follow_redirects = True
    retry = None
    proxy = None

    @get("/thing")
    def thing(self, sid: Annotated[str, Cookie()] = SECRET, x_user: Annotated[SecretStr, Header()] = HIDDEN) -> Any:
        raise NotImplementedError

    @post("/things")
    def create(self, thing: dict[str, str]) -> Any:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def pages(self) -> Pages[int]:
        raise NotImplementedError

    @get("/down")
    def down(self) -> Any:
        raise NotImplementedError


@pytest.fixture
def other() -> Iterator[RawServer]:
    """Another origin: the same host, with a port of its own."""
    with RawServer() as server:
        yield server


def without_secrets(request: RawRequest) -> bool:
    """Whether nothing secret arrived, and what is not secret did."""
    names = {line.partition(":")[0].lower() for line in request.header_lines}
    assert request.headers("X-Plain") == ["plain"]
    assert not names & {"authorization", "cookie", "x-tenant", "x-api-key", "x-user"}
    return SECRET.encode() not in request.head + request.body


AUTHS: list[Any] = [BearerAuth(SECRET), ApiKeyAuth(SECRET, header="X-Own"), ApiKeyAuth(SECRET, query="appid")]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("auth", AUTHS, ids=["bearer", "header", "query"])
def test_nothing_secret_follows_a_redirect_elsewhere(
    engine: EngineName, colour: Colour, other: RawServer, status: int, auth: Any
) -> None:
    """Not credentials, not cookies, not a header that was declared secret or looks so: by no status."""
    with RawServer(http(status=status, headers={"Location": f"{other.url}/there"})) as server:
        with Things(base_url=server.url, auth=auth, engine=engine) as things:
            assert colour.run(things.thing) == {}
        assert SECRET.encode() in server.requests[0].head
    assert [request.line for request in other.requests] == ["GET /there HTTP/1.1"]
    assert without_secrets(other.requests[0])


@pytest.mark.parametrize("status", STATUSES)
def test_no_body_follows_a_redirect_elsewhere(
    engine: EngineName, colour: Colour, other: RawServer, status: int
) -> None:
    """301, 302 and 303 make a GET without one; 307 and 308 would keep it, and are refused."""
    with (
        RawServer(http(status=status, headers={"Location": f"{other.url}/there"})) as server,
        Things(base_url=server.url, engine=engine) as things,
    ):
        if status in (307, 308):
            with pytest.raises(RedirectError):
                colour.run(things.create, {"password": SECRET})
            assert other.requests == []
        else:
            colour.run(things.create, {"password": SECRET})
            assert [request.line for request in other.requests] == ["GET /there HTTP/1.1"]
            assert without_secrets(other.requests[0])


@pytest.mark.parametrize("status", STATUSES)
def test_by_default_no_redirect_is_followed(engine: EngineName, colour: Colour, other: RawServer, status: int) -> None:
    with (
        RawServer(http(status=status, headers={"Location": f"{other.url}/there"})) as server,
        Things(base_url=server.url, engine=engine, follow_redirects=False) as things,
        pytest.raises(HTTPStatusError) as caught,
    ):
        colour.run(things.thing)
    assert (caught.value.status_code, other.requests) == (status, [])


def test_no_redirect_leads_from_https_to_http(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with (
        serving(authority) as url,
        Things(base_url=url, engine=engine, verify=tmp_path / "ca.pem", auth=BearerAuth(SECRET)) as things,
        pytest.raises(RedirectError) as caught,
    ):
        colour.run(things.down)
    down = url.replace("https:", "http:")
    assert str(caught.value) == (f"Things.down: GET {url}/down answered with a redirect from https to '{down}/thing'")


def test_a_redirect_without_end_is_left(engine: EngineName, colour: Colour) -> None:
    turn = iter(range(1000))

    def onward(_: RawRequest) -> bytes:
        return http(status=302, headers={"Location": f"/{next(turn)}"})

    with RawServer(onward) as server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(RedirectError):
            colour.run(things.thing)
        assert len(server.requests) == 6, "five redirects, and the request itself"


@pytest.mark.parametrize("place", ["elsewhere", "by another name", "with userinfo"])
def test_an_absolute_url_takes_nothing_secret_elsewhere(
    engine: EngineName, colour: Colour, other: RawServer, place: str
) -> None:
    urls = {
        "elsewhere": other.url,
        "by another name": other.url.replace("127.0.0.1", "localhost"),
        "with userinfo": other.url.replace("//", "//user@"),
    }
    with RawServer() as server, Things(base_url=server.url, auth=BearerAuth(SECRET), engine=engine) as things:
        if place == "with userinfo":
            with pytest.raises(ValueError, match="userinfo"):
                call(things, colour, f"{urls[place]}/there")
            assert other.requests == []
        else:
            assert call(things, colour, f"{urls[place]}/there") == {}
            assert without_secrets(other.requests[0])


def call(things: Things, colour: Colour, url: str) -> Any:
    if colour.name == "sync":
        return things.call("GET", url, into=dict[str, Any])
    return colour.drive(things.acall, "GET", url, into=dict[str, Any])


@pytest.mark.parametrize("per", ["call", "attempt"])
def test_a_middleware_that_assigns_a_url_takes_nothing_secret_elsewhere(
    engine: EngineName, colour: Colour, other: RawServer, per: Any
) -> None:
    async def readdress(request: Request, call_next: CallNext) -> Response:
        request.url = f"{other.url}/there"
        return await call_next(request)

    with RawServer() as server, Things(base_url=server.url, auth=BearerAuth(SECRET), engine=engine) as things:
        things.use(readdress, per=per)
        assert colour.run(things.thing) == {}
        assert server.requests == []
    assert without_secrets(other.requests[0])


@pytest.mark.parametrize(
    "link", ['<{url}/2>; rel="next"', '<//{host}/2>; rel="next"', '</x>; rel="prev", <{url}/2>; rel=next']
)
def test_a_page_link_elsewhere_is_an_error_and_no_request(
    engine: EngineName, colour: Colour, other: RawServer, link: str
) -> None:
    target = link.format(url=other.url, host=other.url.removeprefix("http://"))
    with (
        RawServer([http(b"[1]", headers={"Link": target}), http(b"[]")]) as server,
        Things(base_url=server.url, auth=BearerAuth(SECRET), engine=engine) as things,
    ):
        with pytest.raises(ForeignPageError):
            everything(things, colour)
        assert len(server.requests) == 1
    assert other.requests == []


@pytest.mark.parametrize("link", ['<\\\\{host}/2>; rel="next"', '<http:{host}/2>; rel="next"'])
def test_a_page_link_that_others_would_read_as_elsewhere_stays(
    engine: EngineName, colour: Colour, other: RawServer, link: str
) -> None:
    """What is sent is what was judged: a path of its own origin (RFC 3986, section 5.2)."""
    target = link.format(host=other.url.removeprefix("http://"))
    with (
        RawServer([http(b"[1]", headers={"Link": target}), http(b"[2]")]) as server,
        Things(base_url=server.url, auth=BearerAuth(SECRET), engine=engine) as things,
    ):
        assert everything(things, colour) == [1, 2]
        assert len(server.requests) == 2
    assert other.requests == []


def everything(things: Things, colour: Colour) -> list[int]:
    if colour.name == "sync":
        return list(things.pages())

    async def collect() -> list[int]:
        return [item async for item in things.pages.aio()]

    return list(colour.drive(collect))
