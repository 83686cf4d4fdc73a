"""The headers of a response are bounded, in number and in size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers import RawServer, http
from stubwire import ApiClient, ResponseTooLargeError, Stream, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName


class Things(ApiClient):
    @get("/text")
    def text(self) -> str:
        raise NotImplementedError

    @get("/text")
    def chunks(self) -> Stream[bytes]:
        raise NotImplementedError


def many(count: int) -> dict[str, str]:
    """With the two that every answer has, that many headers."""
    return {f"x-{number}": "a" for number in range(count - 2)}


FITTING = [many(256), {"x-long": "a" * 65_000}]
TOO_LARGE = [
    (many(257), "answered with 257 headers, and at most 256 are read"),
    ({"x-long": "a" * 66_000}, "answered with 66049 bytes of headers, and at most 65536 are read"),
    ({f"x-{number}": "a" * 1000 for number in range(200)}, "answered with more bytes of headers than are read"),
]


@pytest.mark.parametrize("headers", FITTING, ids=["many", "long"])
def test_what_is_within_is_read(engine: EngineName, colour: Colour, headers: dict[str, str]) -> None:
    with RawServer(http(b"abc", headers=headers)) as server, Things(base_url=server.url, engine=engine) as things:
        assert colour.run(things.text) == "abc"


@pytest.mark.parametrize(("headers", "message"), TOO_LARGE, ids=["many", "long", "longer than the engine reads"])
def test_what_is_beyond_is_left(engine: EngineName, colour: Colour, headers: dict[str, str], message: str) -> None:
    """And not asked for again."""
    with RawServer(http(b"abc", headers=headers)) as server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(ResponseTooLargeError) as caught:
            colour.run(things.text)
        server.wait_until(lambda server: server.closed == server.opened)
    assert str(caught.value) == f"Things.text: GET {server.url}/text {message}"
    assert len(caught.value.attempts) == 1


def test_a_stream_of_too_many_headers_is_left(engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        with things.chunks():
            raise AssertionError("unreachable")

    async def asynchronous() -> None:
        async with things, things.chunks.aio():
            raise AssertionError("unreachable")

    server = RawServer(http(b"abc", headers=many(257)))
    with server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(ResponseTooLargeError, match=r" answered with 257 headers, and at most 256 are read$"):
            synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        server.wait_until(lambda server: server.closed == server.opened)
