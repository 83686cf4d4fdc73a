"""A malicious server, over real sockets: what it answers is read within bounds, and changes nothing but the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict

from servers import RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    DecodeError,
    HTTPStatusError,
    LinkPages,
    PageLimitError,
    Pages,
    PaginationError,
    ReadError,
    ResponseTooLargeError,
    Retry,
    get,
)

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName


class Thing(BaseModel):
    id: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: int


class Things(ApiClient):
    retry = None
    proxy = None
    max_response_bytes = 10_000

    @get("/thing")
    def thing(self) -> Thing:
        raise NotImplementedError

    @get("/thing")
    def open(self) -> Open:
        raise NotImplementedError

    @get("/thing", retry=Retry(max_retries=3))
    def patient(self) -> Thing:
        raise NotImplementedError

    @get("/text")
    def text(self) -> str:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages(max_pages=10))
    def pages(self) -> Pages[int]:
        raise NotImplementedError


COOKIES = [
    "sid=1",
    "sid=1; Domain=example.org",
    "sid=1; Domain=127.0.0.1; Path=/",
    "sid=1; Domain=.com",
    "sid=1; Domain=localhost",
    "__Host-sid=1; Secure; Path=/",
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_no_cookie_is_kept(engine: EngineName, colour: Colour, cookie: str) -> None:
    """Whatever its domain: a server cannot set one for another, for another user, or for a later call."""
    with RawServer(http('{"id": 1}', headers={"Set-Cookie": cookie})) as server:
        with Things(base_url=server.url, engine=engine) as things:
            for _ in range(2):
                assert colour.run(things.thing) == Thing(id=1)
        with Things(base_url=server.url.replace("127.0.0.1", "localhost"), engine=engine) as others:
            assert colour.run(others.thing) == Thing(id=1)
        assert [request.header("Cookie") for request in server.requests] == [None] * 3


@pytest.mark.parametrize("wait", ["315360000", "Fri, 31 Dec 9999 23:59:59 GMT", "1e308"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_ten_years_ends_the_call(
    engine: EngineName, colour: Colour, clock: Clock, wait: str, status: int
) -> None:
    """With the status, at once."""
    with (
        RawServer(http("{}", status=status, headers={"Retry-After": wait})) as server,
        Things(base_url=server.url, engine=engine) as things,
    ):
        with pytest.raises(HTTPStatusError) as caught:
            colour.run(things.patient)
        assert (caught.value.status_code, len(server.requests), clock.waits) == (status, 1, [])


@pytest.mark.parametrize("wait", ["9" * 400, "-5", "nan", "inf", "soon", ""])
def test_a_retry_after_that_is_none_is_not_heard(engine: EngineName, colour: Colour, clock: Clock, wait: str) -> None:
    """The call's own backoff holds."""
    answers = [http("{}", status=503, headers={"Retry-After": wait}), http('{"id": 1}')]
    with RawServer(answers) as server, Things(base_url=server.url, engine=engine) as things:
        assert colour.run(things.patient) == Thing(id=1)
    assert len(clock.waits) == 1
    assert clock.waits[0] <= 60


HOSTILE_JSON = [
    b'{"id": 1, "id": 2}',
    b'{"id": 2, "__class__": "os.system", "__init__": 1, "__dict__": {"id": 3}, "__proto__": {"id": 3}}',
    b'{"id": 2, "model_config": 1, "model_dump": 2, "__pydantic_extra__": 3, "__pydantic_fields_set__": 4}',
    b'{"constructor": {"prototype": {"id": 3}}, "id": 2, "$ref": "#/", "py/object": "os.system"}',
]


@pytest.mark.parametrize("body", HOSTILE_JSON)
def test_the_names_in_json_are_data(engine: EngineName, colour: Colour, body: bytes) -> None:
    """Of a name that comes twice the last value counts, once; no name makes an object of another class."""
    with RawServer(http(body)) as server, Things(base_url=server.url, engine=engine) as things:
        thing, opened = colour.run(things.thing), colour.run(things.open)
    assert thing == Thing(id=2)
    assert (type(thing), vars(thing)) == (Thing, {"id": 2})
    assert (type(opened), opened.id, Open.model_config.get("extra")) == (Open, 2, "allow")
    assert callable(Open(id=1).model_dump)


CHARSETS = ["zlib_codec", "rot13", "base64", "idna", "unicode_escape", "undefined", "../../etc", "\x80", "x" * 5000]


@pytest.mark.parametrize("charset", CHARSETS, ids=ascii)
def test_a_charset_is_a_charset(engine: EngineName, colour: Colour, charset: str) -> None:
    """Not a codec that unpacks or runs something, and not a module to import."""
    content = {"Content-Type": f"text/plain; charset={charset}"}
    with (
        RawServer(http(b"abc", headers=content)) as server,
        Things(base_url=server.url, engine=engine) as things,
        pytest.raises(DecodeError, match="charset"),
    ):
        colour.run(things.text)


@pytest.mark.parametrize("framing", ["length", "chunks", "end"])
def test_a_body_without_end_is_left(engine: EngineName, colour: Colour, framing: str) -> None:
    """As soon as more has come than `max_response_bytes`, however it is framed."""
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    bodies = {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 20_000,
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5,
        "end": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000,
    }
    with RawServer(bodies[framing]) as server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(ResponseTooLargeError, match="max_response_bytes=10000"):
            colour.run(things.thing)
        server.wait_until(lambda server: server.closed == 1)


SMUGGLED = http('{"id": 666}')


def test_a_second_answer_is_not_the_next_requests(engine: EngineName, colour: Colour) -> None:
    """What a server says beyond its response is thrown away with the connection (RFC 9112, section 9.3)."""
    with RawServer(http('{"id": 1}') + SMUGGLED) as server, Things(base_url=server.url, engine=engine) as things:
        assert [colour.run(things.thing).id for _ in range(3)] == [1, 1, 1]
        assert server.opened == 3


AMBIGUOUS = [
    b"Content-Length: 9\r\nContent-Length: 3\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 9,3\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Bad Name: 1\r\nContent-Length: 9\r\n",
]


@pytest.mark.parametrize("lines", AMBIGUOUS)
def test_a_response_of_ambiguous_length_is_no_response(engine: EngineName, colour: Colour, lines: bytes) -> None:
    with (
        RawServer(b"HTTP/1.1 200 OK\r\n" + lines + b'\r\n{"id": 1}') as server,
        Things(base_url=server.url, engine=engine) as things,
        pytest.raises(ReadError, match="no valid response"),
    ):
        colour.run(things.thing)


def test_pages_without_end_are_left(engine: EngineName, colour: Colour) -> None:
    """After `max_pages`, though each leads to another."""

    def page(request: RawRequest) -> bytes:
        number = int(request.target.rpartition("=")[2]) if "=" in request.target else 1
        return http(b"[1]", headers={"Link": f'<?page={number + 1}>; rel="next"'})

    with RawServer(page) as server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(PageLimitError):
            everything(things, colour)
        assert len(server.requests) == 10


LINKS = [
    '<?page=2>; rel="next', "<?page=2", '<javascript:alert(1)>; rel="next"', '<file:///etc/passwd>; rel="next"',
    "<" * 5000 + ">; rel=next", ",;=" * 3000, '<?page=2>; rel="' + "a " * 5000 + '"', '<http://[::1>; rel="next"',
    '<http://u:p@127.0.0.1/>; rel="next"', "<\x80\xff>; rel=next",
]  # fmt: skip


@pytest.mark.parametrize("link", LINKS, ids=[link[:24] for link in LINKS])
def test_a_hostile_link_header_is_a_page_error_or_no_link(engine: EngineName, colour: Colour, link: str) -> None:
    """And nothing else: no request elsewhere, no other exception, no time."""
    with (
        RawServer([http(b"[1]", headers={"Link": link}), http(b"[2]")]) as server,
        Things(base_url=server.url, engine=engine) as things,
    ):
        try:
            found = everything(things, colour)
        except PaginationError:
            found = [1]
        assert found in ([1], [1, 2])
        assert len(server.requests) <= 2


def everything(things: Things, colour: Colour) -> list[int]:
    if colour.name == "sync":
        return list(things.pages())

    async def collect() -> list[int]:
        return [item async for item in things.pages.aio()]

    result: Any = colour.drive(collect)
    return list(result)
