"""The seam to HTTP: what an engine is given, and what it may bring back."""

from __future__ import annotations

import gzip
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Api, Colour, EngineName, Reply
from servers import RawServer, http
from stubwire import (
    ApiClient,
    CallNext,
    ConfigurationError,
    Request,
    Response,
    ResponseTooLargeError,
    delete,
    get,
    post,
)

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example/base"

    @get("/things/<name>")
    def thing(self, name: str, *, q: str = "") -> None:
        """Get it."""
        raise NotImplementedError

    @get("/text")
    def text(self) -> bytes:
        """Get some bytes."""
        raise NotImplementedError

    @post("/touch")
    def touch(self) -> None:
        """Send nothing."""
        raise NotImplementedError

    @delete("/things")
    def clear(self) -> None:
        """Delete them."""
        raise NotImplementedError


def test_what_every_request_has(api: MakeApi, engine: EngineName) -> None:
    """Host first, then what HTTP needs; no body, no length."""
    server = api()
    Things(transport=server.transport).clear()

    headers = server.request.headers
    assert list(headers) == ["host", "accept", "accept-encoding", "user-agent"]
    assert headers["host"] == "api.example"
    assert headers["accept"] == "*/*"
    assert "gzip" in headers["accept-encoding"]
    assert headers["user-agent"].startswith("stubwire/")


def test_a_post_without_a_body_says_so(api: MakeApi) -> None:
    """RFC 9110, section 8.6: a method that usually has a body sends its length."""
    server = api()
    Things(transport=server.transport).touch()
    assert server.request.headers["content-length"] == "0"
    assert "content-type" not in server.request.headers


def test_the_length_of_a_body_is_ours_to_say(api: MakeApi) -> None:
    """Two lengths, or a length and chunks, would let a request be smuggled."""
    server = api()
    headers = {"content-length": "99", "Transfer-Encoding": "chunked"}
    Things(transport=server.transport, headers=headers).touch()
    assert server.request.headers.get_list("content-length") == ["0"]
    assert "transfer-encoding" not in server.request.headers


def test_a_host_header_may_be_given(api: MakeApi) -> None:
    """For a virtual host behind an address."""
    server = api()
    Things(transport=server.transport, headers={"Host": "virtual.example"}).clear()
    assert server.request.headers.get_list("host") == ["virtual.example"]


@given(name=st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1), q=st.text())
def test_an_engine_sees_the_url_that_it_would_have_parsed(name: str, q: str) -> None:
    """Its components are known and not parsed; whatever a transport asks for is what a parsed URL has."""
    for engine in ("httpx", "httpx2"):
        server = Api(engine, (Reply(),))
        things = Things(transport=server.transport)
        try:
            things.thing(name, q=q)
        except ValueError:
            return  # what no segment can hold
        url = server.request.url
        parsed = server.library.URL(str(url))
        for part in ("scheme", "raw_scheme", "host", "raw_host", "port", "netloc", "raw_path", "path", "query"):
            assert getattr(url, part) == getattr(parsed, part)
        assert url == parsed
        assert hash(url) == hash(parsed)
        assert url.params["q"] == q
        assert url.copy_with(path="/x") == parsed.copy_with(path="/x")
        assert url.join("/y") == parsed.join("/y")
        assert not hasattr(url, "__no_such_thing__")


def test_a_url_that_somebody_changed_is_parsed(api: MakeApi) -> None:
    """It may be anything."""
    server = api()

    async def moving(request: Request, call_next: CallNext) -> Response:
        request.url += "/a b/../ü"
        return await call_next(request)

    Things(transport=server.transport, middleware=[moving]).clear()
    assert str(server.request.url) == "https://api.example/base/things/%C3%BC"


def test_a_base_url_without_a_path(api: MakeApi) -> None:
    """An origin alone is asked for its root."""

    class Root(ApiClient):
        base_url = "https://api.example:8443"

        @get("")
        def root(self) -> None:
            raise NotImplementedError

        @get("?a=1")
        def asked(self) -> None:
            raise NotImplementedError

    server = api()
    root = Root(transport=server.transport)
    root.root()
    root.asked()
    assert [request.url.raw_path for request in server.requests] == [b"/", b"/?a=1"]
    assert server.requests[0].url.port == 8443
    assert server.requests[0].headers["host"] == "api.example:8443"


# ---- bodies are bounded


@pytest.fixture
def large(engine: EngineName) -> Iterator[RawServer]:
    """A server whose body is compressed, and larger than it looks."""
    body = gzip.compress(b"x" * 100_000)
    with RawServer(http(body, headers={"Content-Encoding": "gzip"})) as server:
        yield server


def test_a_body_is_decompressed(large: RawServer, engine: EngineName, colour: Colour) -> None:
    """By the engine, on the way in."""
    with Things(base_url=large.url, engine=engine) as things:
        assert colour.run(things.text) == b"x" * 100_000


def test_decoded_bytes_are_bounded(large: RawServer, engine: EngineName, colour: Colour) -> None:
    """The limit counts what came out of the compression; the connection is closed, and the call is not retried."""
    with Things(base_url=large.url, engine=engine, max_response_bytes=99_999) as things:
        with pytest.raises(ResponseTooLargeError) as error:
            colour.run(things.text)
        assert str(error.value) == (
            f"Things.text: GET {large.url}/text answered with more than max_response_bytes=99999 bytes"
        )
        assert len(error.value.attempts) == 1
        large.wait_until(lambda server: server.closed == server.opened)


def test_plain_bytes_are_bounded_while_they_arrive(engine: EngineName, colour: Colour) -> None:
    """Not after: the rest is never read."""
    with (
        RawServer(http(b"y" * 1_000_000)) as server,
        Things(base_url=server.url, engine=engine, max_response_bytes=1000) as things,
    ):
        with pytest.raises(ResponseTooLargeError):
            colour.run(things.text)
        server.wait_until(lambda server: server.closed == server.opened)


def test_a_body_that_the_transport_had_read_is_measured(api: MakeApi, colour: Colour) -> None:
    """MockTransport and its like."""
    server = api(Reply(content=b"z" * 11))
    assert colour.run(Things(transport=server.transport, max_response_bytes=11).text) == b"z" * 11
    with pytest.raises(ResponseTooLargeError):
        colour.run(Things(transport=server.transport, max_response_bytes=10).text)


def test_there_may_be_no_limit(api: MakeApi) -> None:
    """`None` turns it off."""
    server = api(Reply(content=b"z" * 11))
    assert len(Things(transport=server.transport, max_response_bytes=None).text()) == 11


# ---- which engine


def test_an_engine_is_named(api: MakeApi) -> None:
    """Another name is refused."""
    with pytest.raises(ConfigurationError, match=r"^engine='requests': write 'httpx' or 'httpx2'$"):
        Things(engine="requests")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_http2_needs_its_extra(engine: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the error names."""
    monkeypatch.setitem(sys.modules, "h2", None)
    with Things(engine=engine, http2=True) as things, pytest.raises(ConfigurationError) as error:
        things.text()
    assert str(error.value) == "Things: http2=True needs the package h2: pip install 'stubwire[http2]'"


def test_the_response_is_the_engines_own(api: MakeApi) -> None:
    """For what stubwire does not show."""
    server = api(Reply(content=b""))
    raw: Any = Things(transport=server.transport).clear.response().raw
    assert raw.reason_phrase == "OK"


class Endless:
    """A body that never ends, and knows whether it was left in order."""

    def __init__(self) -> None:
        self.left = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Chunk after chunk."""
        try:
            while True:
                yield b"x" * 1000
        finally:
            self.left = True


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_body_that_is_left_early_is_left_in_order(engine: EngineName, loop: str) -> None:
    """Its generator has ended when the error leaves the call, not when somebody collects it."""
    library: Any = importlib.import_module(engine)
    body = Endless()

    def chunks(_: object) -> AsyncIterator[bytes]:
        return body.chunks()

    def answer(_: object) -> Any:
        return library.Response(200, stream=type("Stream", (library.AsyncByteStream,), {"__aiter__": chunks})())

    transport = library.MockTransport(answer)
    things = Things(transport=transport, max_response_bytes=10_000)

    async def main() -> None:
        with pytest.raises(ResponseTooLargeError):
            await things.text.aio()
        assert body.left

    Colour(loop).drive(main)
