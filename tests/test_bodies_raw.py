"""Raw bodies: bytes, text, files and iterables as they are, with the content type that fits."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated, BinaryIO, cast

import pytest
from pydantic import Field

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    ArgumentError,
    Body,
    CallNext,
    ColourError,
    Header,
    Request,
    Response,
    Upload,
    post,
    put,
)

OCTETS = "application/octet-stream"


class Store(ApiClient):
    base_url = "https://store.example"

    @put("/x")
    def octets(self, data: Annotated[bytes, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def csv(self, data: Annotated[bytes | None, Body(content_type="text/csv")] = None) -> None:
        raise NotImplementedError

    @put("/x")
    def text(self, text: Annotated[str, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def latin(self, text: Annotated[str, Body(content_type="text/csv; charset=iso-8859-1")]) -> None:
        raise NotImplementedError

    @put("/x")
    def json_text(self, text: Annotated[str, Body(content_type="application/json")]) -> None:
        raise NotImplementedError

    @put("/x")
    def path(self, file: Annotated[Path, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def file(self, file: Annotated[BinaryIO, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def upload(self, file: Annotated[Upload, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def zipped(self, file: Annotated[Path | Upload, Body(content_type="application/zip")]) -> None:
        raise NotImplementedError

    @put("/x")
    def anything(self, data: Annotated[bytes | str | Path | IO[bytes], Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def chunks(self, data: Annotated[Iterable[bytes], Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def listed(self, data: Annotated[list[bytes], Body(content_type="application/x-tar")]) -> None:
        raise NotImplementedError

    @put("/x")
    def generator(self, data: Annotated[Generator[bytes, None, None], Body(content_type="video/mp4")]) -> None:
        raise NotImplementedError

    @put("/x")
    def asynchronous(self, data: Annotated[AsyncIterable[bytes], Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def short(self, data: Annotated[bytes, Body(), Field(max_length=3)]) -> None:
        raise NotImplementedError

    @put("/x")
    def short_text(self, text: Annotated[str, Body(), Field(max_length=3)]) -> None:
        raise NotImplementedError

    @put("/x")
    def typed(self, data: Annotated[bytes, Body()], kind: Annotated[str, Header("Content-Type")]) -> None:
        raise NotImplementedError

    @post("/x")
    def no_body(self) -> None:
        raise NotImplementedError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "sea.png"
    path.write_bytes(b"\x89PNG")
    return path


@pytest.mark.parametrize(
    ("endpoint", "value", "content", "content_type"),
    [
        ("octets", b"\x00\xff", b"\x00\xff", OCTETS),
        ("octets", bytearray(b"abc"), b"abc", OCTETS),
        ("octets", memoryview(b"abc"), b"abc", OCTETS),
        ("octets", b"", b"", OCTETS),
        ("csv", b"a,b", b"a,b", "text/csv"),
        ("text", "ü", "ü".encode(), "text/plain; charset=utf-8"),
        ("latin", "ü", b"\xfc", "text/csv; charset=iso-8859-1"),
        ("json_text", "ü", '"ü"'.encode(), "application/json"),
        ("anything", "ü", "ü".encode(), "text/plain; charset=utf-8"),
        ("anything", b"ab", b"ab", OCTETS),
        ("upload", Upload(b"ab", "a.txt"), b"ab", "text/plain"),
        ("upload", Upload(b"ab", "a.txt", "text/html"), b"ab", "text/html"),
        ("zipped", Upload(b"ab", "a.txt"), b"ab", "application/zip"),
        ("zipped", Upload(b"ab", content_type="application/x-zip"), b"ab", "application/x-zip"),
        ("short", b"abc", b"abc", OCTETS),
        ("short_text", "abc", b"abc", "text/plain; charset=utf-8"),
    ],
)
def test_what_is_in_memory_is_the_content_of_the_request(
    endpoint: str, value: object, content: bytes, content_type: str
) -> None:
    request = getattr(Store(), endpoint).request(value)
    assert request.content == content
    assert request.headers.get_list("Content-Type") == [content_type]
    assert not request.is_streamed


@pytest.mark.parametrize("endpoint", ["path", "anything"])
def test_a_path_is_streamed_with_its_length(
    picture: Path, api: Callable[..., Api], colour: Colour, endpoint: str
) -> None:
    server = api(Reply(204))
    client = Store(transport=server.transport)
    colour.run(getattr(client, endpoint), picture)
    assert server.request.read() == b"\x89PNG"
    assert server.request.headers["content-type"] == "image/png"
    assert server.request.headers["content-length"] == "4"
    assert "transfer-encoding" not in server.request.headers


def test_a_file_object_is_streamed_from_where_it_stands(picture: Path, api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    with picture.open("rb") as file:
        file.read(1)
        colour.run(Store(transport=server.transport).file, file)
    assert server.request.read() == b"PNG"
    assert server.request.headers["content-type"] == "image/png"


def test_a_file_without_a_name_has_no_type() -> None:
    assert Store().file.request(io.BytesIO(b"ab")).headers["Content-Type"] == OCTETS


@pytest.mark.parametrize(
    ("endpoint", "make", "content_type"),
    [
        ("chunks", lambda: [b"ab", b"c"], OCTETS),
        ("chunks", lambda: iter([b"ab", b"c"]), OCTETS),
        ("listed", lambda: [b"ab", b"c"], "application/x-tar"),
        ("generator", lambda: (chunk for chunk in [b"ab", b"c"]), "video/mp4"),
    ],
)
def test_an_iterable_is_sent_in_chunks(
    api: Callable[..., Api], colour: Colour, endpoint: str, make: Callable[[], Iterable[bytes]], content_type: str
) -> None:
    server = api(Reply(204))
    colour.run(getattr(Store(transport=server.transport), endpoint), make())
    assert server.request.read() == b"abc"
    assert server.request.headers["content-type"] == content_type
    assert server.request.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in server.request.headers


async def _chunks() -> AsyncIterator[bytes]:
    yield b"ab"
    yield b"c"


def test_an_asynchronous_iterable_is_for_asynchronous_calls(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    client = Store(transport=server.transport)
    if colour.name == "sync":
        with pytest.raises(ColourError, match="its body is asynchronous"):
            client.asynchronous(_chunks())
        assert server.requests == []
        return
    colour.drive(lambda: client.asynchronous.aio(_chunks()))

    async def read() -> bytes:
        body: bytes = await server.request.aread()
        return body

    assert asyncio.run(read()) == b"abc"


@pytest.mark.parametrize(
    ("endpoint", "value", "message"),
    [
        (
            "octets",
            "text",
            (
                "data: expected bytes, a pathlib.Path, a binary file or an Upload, got str: write pathlib.Path(...) "
                "for the "
                "path of a file, or encode the text"
            ),
        ),
        ("text", b"bytes", "text: expected str, got bytes"),
        ("text", "\ud800", "text: it has characters that utf-8 has not"),
        ("latin", "€", "text: it has characters that iso8859-1 has not"),
        ("short", b"83512", "data: Data should have at most 3 bytes"),
        ("short_text", "83512", "text: String should have at most 3 characters"),
        ("path", Path("/no/such/file"), "file: the file 'file' cannot be read: No such file or directory"),
        ("upload", Upload(Path("/no/such/file")), "file: the file 'file' cannot be read: No such file or directory"),
        (
            "upload",
            Upload(cast("bytes", Upload(b"a"))),
            "file: expected bytes, a pathlib.Path, a binary file or an Upload, got Upload",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_io(endpoint: str, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Store(), endpoint).request(value)
    assert str(caught.value) == f"Store.{endpoint}: {message}"
    assert caught.value.__context__ is None


def test_what_is_left_out_is_no_body(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    colour.run(Store(transport=server.transport).csv)
    assert server.request.headers["content-length"] == "0"
    assert "content-type" not in server.request.headers


def test_a_post_without_a_body_says_that_it_has_none(api: Callable[..., Api], colour: Colour) -> None:
    """RFC 9110, section 8.6: a client says so for methods that anticipate content."""
    server = api(Reply(204))
    colour.run(Store(transport=server.transport).no_body)
    assert server.request.headers["content-length"] == "0"
    assert "content-type" not in server.request.headers


def test_a_header_says_the_type_of_what_has_none_of_its_own(picture: Path) -> None:
    """A guess yields to a header, a declared type does not."""
    store = Store(headers={"Content-Type": "application/x-mine"})

    def types(endpoint: str, value: object) -> list[str]:
        found: list[str] = getattr(store, endpoint).request(value).headers.get_list("Content-Type")
        return found

    guessed: list[tuple[str, object]] = [("octets", b"a"), ("text", "a"), ("path", picture), ("chunks", [b"a"])]
    assert [types(*case) for case in guessed] == [["application/x-mine"]] * 4
    assert types("csv", b"a") == ["text/csv"]
    assert types("listed", [b"a"]) == ["application/x-tar"]
    assert store.typed.request(b"a", "text/x").headers.get_list("Content-Type") == ["text/x"]


def test_the_body_shows_as_what_it_is(picture: Path) -> None:
    assert Store().path.request(picture).curl().endswith("--data-binary '<file, 4 bytes>'")
    endless: Iterator[bytes] = iter([])
    assert Store().chunks.request(endless).curl().endswith("--data-binary '<stream>'")


@pytest.mark.parametrize("per", ["interceptor", "call", "attempt"])
def test_content_that_is_assigned_replaces_a_body_that_is_streamed(
    api: Callable[..., Api], colour: Colour, per: str
) -> None:
    server = api()

    def replace(request: Request) -> None:
        request.content = b"another"
        assert not request.is_streamed
        assert request.curl().endswith("--data-raw another")

    async def replacing(request: Request, call_next: CallNext) -> Response:
        replace(request)
        return await call_next(request)

    with Store(transport=server.transport) as client:
        if per == "interceptor":
            client.interceptors.request.use(replace)
        else:
            client.use(replacing, per="call" if per == "call" else "attempt")
        colour.run(client.chunks, iter([b"a"]))
    assert server.request.content == b"another"
    assert server.request.headers["content-length"] == "7"
    assert "transfer-encoding" not in server.request.headers
