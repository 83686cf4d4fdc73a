"""Over TLS and HTTP/2: targets as nginx saw them, and what httpbin behind it decoded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel

from streaming import read
from stubwire import ApiClient, Body, Cookie, File, Form, Header, Limits, Query, Stream, Upload, get, post, put
from witnesses import Nginx, Seen, as_bytes, httpbin, nginx, target

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

BINARY = bytes(range(256)) * 30
"""Less than the 10 kB that this nginx takes."""


class Line(BaseModel):
    id: int


class Both(ApiClient):
    http2 = True

    @get("/raw/<name>")
    def path(self, name: str, k: Annotated[Any, Query(style="deep")]) -> str:
        raise NotImplementedError

    @post("/bin/post")
    def model(self, body: dict[str, Any]) -> Seen:
        raise NotImplementedError

    @post("/bin/post")
    def form(self, name: Annotated[str, Form()], tags: Annotated[list[str], Form()]) -> Seen:
        raise NotImplementedError

    @post("/bin/post")
    def files(self, title: Annotated[str, Form()], photo: Annotated[Path | Upload, File()]) -> Seen:
        raise NotImplementedError

    @put("/bin/put")
    def chunks(self, content: Annotated[Iterable[bytes], Body()]) -> Seen:
        raise NotImplementedError

    @get("/bin/get")
    def headers_(
        self, x_trace: Annotated[str, Header()], sid: Annotated[str, Cookie()], b: Annotated[str, Cookie()]
    ) -> Seen:
        raise NotImplementedError

    @get("/bin/stream/<n>")
    def lines(self, n: int) -> Stream[Line]:
        raise NotImplementedError


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with httpbin() as behind, nginx(tmp_path_factory.mktemp("nginx"), behind) as server:
        yield server


@pytest.fixture
def both(web: Nginx, engine: EngineName) -> Iterator[Both]:
    one = Limits(max_connections=1, max_keepalive_connections=1)
    with Both(base_url=web.tls_url, verify=web.authority, limits=one, engine=engine, proxy=None) as opened:
        yield opened


def test_a_target_is_the_same_byte_for_byte(both: Both, colour: Colour) -> None:
    response = colour.response(both.path, "a/b?c#d%2F ü", {"x": ["&", "="], "ü": 1})
    assert response.http_version == "HTTP/2"
    assert target(response.data) == (
        "/raw/a%2Fb%3Fc%23d%252F%20%C3%BC?k%5Bx%5D%5B0%5D=%26&k%5Bx%5D%5B1%5D=%3D&k%5B%C3%BC%5D=1"
    )


def test_bodies_arrive(both: Both, colour: Colour, tmp_path: Path) -> None:
    (tmp_path / "ü.png").write_bytes(BINARY)
    assert colour.run(both.model, {"a": ["é", None]}).decoded == {"a": ["é", None]}
    assert colour.run(both.form, "a b&c", ["x", "y"]).form == {"name": "a b&c", "tags": ["x", "y"]}
    for photo in (tmp_path / "ü.png", Upload([BINARY[:100], BINARY[100:]], "ü.png")):
        seen: Seen = colour.run(both.files, "T", photo)
        assert (seen.form, as_bytes(seen.files["photo"])) == ({"title": "T"}, BINARY)
    assert colour.run(both.chunks, [BINARY[:1], b"", BINARY[1:]]).content() == BINARY


def test_headers_and_cookies_arrive(both: Both, colour: Colour) -> None:
    seen: Seen = colour.run(both.headers_, "t 1", "s1", "b2")
    assert (seen.headers["X-Trace"], seen.headers["Cookie"]) == ("t 1", "sid=s1; b=b2")


def test_a_stream_arrives_and_may_be_left(both: Both, colour: Colour) -> None:
    assert [line.id for line in read(colour, both.lines, 30).items] == list(range(30))
    for _ in range(3):
        assert len(read(colour, both.lines, 100, most=2).items) == 2
    assert [line.id for line in read(colour, both.lines, 3).items] == [0, 1, 2]


def test_one_connection_carries_many_calls_at_once(both: Both) -> None:
    async def all_at_once() -> list[Seen]:
        return await asyncio.gather(*(both.model.aio({"n": number}) for number in range(50)))

    assert [json.loads(seen.data) for seen in asyncio.run(all_at_once())] == [{"n": number} for number in range(50)]
