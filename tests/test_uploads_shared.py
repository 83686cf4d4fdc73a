"""A file object stands at one place: one call at a time reads it, and leaves it where it stood."""

from __future__ import annotations

import bz2
import gzip
import io
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import pytest
from pydantic import Field

from conftest import Api, Colour, Fail, Reply
from payloads import READS, Read, payload_of
from stubwire import ApiClient, ArgumentError, Body, File, NetworkError, ProtocolError, Upload, post, put
from stubwire._files import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAKEN = "is being read by another call: give each its own, or a pathlib.Path"


class Store(ApiClient):
    base_url = "https://store.example"

    @put("/raw")
    def raw(self, file: Annotated[BinaryIO, Body()]) -> None:
        raise NotImplementedError

    @post("/file")
    def file(self, file: Annotated[BinaryIO, File()]) -> None:
        raise NotImplementedError

    @post("/chunks")
    def chunks(self, chunks: Annotated[Iterable[bytes], Body()]) -> None:
        raise NotImplementedError

    @post("/lines")
    def lines(self, rows: Annotated[Iterable[int], Body(content_type="application/jsonl")]) -> None:
        raise NotImplementedError

    @post("/chunked")
    def chunked(self, file: Annotated[Iterable[bytes], File()]) -> None:
        raise NotImplementedError

    @post("/files")
    def files(self, files: Annotated[Sequence[bytes], File()]) -> None:
        raise NotImplementedError

    @post("/collection")
    def collection(self, files: Annotated[Collection[bytes], File()]) -> None:
        raise NotImplementedError

    @post("/small")
    def small(self, file: Annotated[bytes, File(), Field(max_length=3)]) -> None:
        raise NotImplementedError


@pytest.fixture(params=READS)
def read(request: pytest.FixtureRequest) -> Read:
    """Each way to read a payload."""
    return READS[request.param]


# -- one at a time


def test_a_file_object_is_sent_whole_by_each_call(api: Callable[..., Api], colour: Colour) -> None:
    server = api()
    file = io.BytesIO(b"_abc")
    file.seek(1)
    with Store(transport=server.transport) as client:
        colour.run(client.raw, file)
        colour.run(client.raw, file)
    assert [request.content for request in server.requests] == [b"abc", b"abc"]
    assert file.tell() == 1


def test_a_file_object_is_left_where_it_stood_by_a_call_that_failed(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Fail("WriteError"), Reply())
    file = io.BytesIO(b"abc")
    with Store(transport=server.transport, retry=None) as client:
        with pytest.raises(NetworkError):
            colour.run(client.raw, file)
        assert file.tell() == 0
        colour.run(client.raw, file)
    assert server.requests[-1].content == b"abc"


def test_a_file_object_that_is_being_read_is_refused_when_another_call_is_bound() -> None:
    file = io.BytesIO(b"abc")
    reading = payload_of(Opened(file, "a", "x")).chunks()
    next(reading)
    with pytest.raises(ArgumentError) as caught:
        Store().file.request(file)
    assert str(caught.value) == f"Store.file: file: the file 'upload' {TAKEN}"
    reading.close()
    assert Store().file.request(file).method == "POST"


def test_a_file_object_that_is_being_read_is_refused_when_another_is_sent(read: Read) -> None:
    """Both were bound before either was sent; a part of the file would look whole."""
    file = io.BytesIO(b"abc")
    first, second = payload_of(Opened(file, "a", "x")), payload_of(Opened(file, "a", "x"))
    reading = first.chunks()
    next(reading)
    with pytest.raises(ProtocolError) as caught:
        read(second)
    assert str(caught.value) == f"cannot be sent: the file 'a' {TAKEN}"
    reading.close()
    assert read(second) == [b"abc"]


def test_a_file_that_is_closed_meanwhile_is_not_rewound(read: Read) -> None:
    file = io.BytesIO(b"abc")
    payload = payload_of(Opened(file, "a", "x"))
    file.close()
    with pytest.raises(ProtocolError, match="it is closed"):
        read(payload)
    with pytest.raises(ArgumentError, match="it is closed"):
        Opened(file, "a", "x")


# -- what cannot be read


class Sizeless:
    def read(self) -> bytes:
        raise AssertionError("unreachable")


def test_a_file_whose_read_takes_no_size_is_refused() -> None:
    with pytest.raises(ArgumentError) as caught:
        Store().file.request(cast("Any", Sizeless()))
    assert str(caught.value) == "Store.file: file: a Sizeless cannot be sent: its read() takes no size"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"abc")[:-10])), "EOFError"),
        (gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"abc")[:10] + b"\xff" * 30)), "error"),
        (bz2.BZ2File(io.BytesIO(bz2.compress(b"abc")[:-10])), "EOFError"),
    ],
)
def test_a_damaged_archive_is_refused_before_anything_is_sent(file: BinaryIO, kind: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Store().raw.request(file)
    assert str(caught.value) == f"Store.raw: file: the file cannot be read to its end ({kind})"
    assert caught.value.__context__ is None


def test_an_archive_that_is_whole_is_sent_as_it_is_inside(api: Callable[..., Api]) -> None:
    server = api()
    with Store(transport=server.transport) as client:
        client.raw(cast("BinaryIO", gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"abc")))))
    assert server.request.content == b"abc"


# -- generators


@pytest.mark.parametrize("endpoint", ["chunks", "lines"])
def test_a_generator_is_closed_as_soon_as_it_is_not_read_on(
    api: Callable[..., Api], colour: Colour, endpoint: str
) -> None:
    """Without waiting for whoever keeps it: the error has it among its arguments."""
    closed: list[bool] = []

    def endless() -> Iterator[Any]:
        try:
            while True:
                yield b"x" if endpoint == "chunks" else 7
        finally:
            closed.append(True)

    library = api().library

    class Hasty(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            next(iter(request.stream))
            raise library.WriteError("lost")

        async def handle_async_request(self, request: Any) -> Any:
            await anext(aiter(request.stream))
            raise library.WriteError("lost")

    with Store(transport=Hasty()) as client, pytest.raises(NetworkError) as caught:
        colour.run(getattr(client, endpoint), endless())
    assert closed == [True]
    assert caught.value.request is not None


# -- one file or several


@pytest.mark.parametrize("chunks", [[b"a", b"b"], (b"a", b"b"), deque([b"a", b"b"])])
def test_a_list_of_chunks_is_one_file_where_the_type_says_so(
    api: Callable[..., Api], chunks: Collection[bytes]
) -> None:
    server = api()
    with Store(transport=server.transport) as client:
        client.chunked(chunks)
    assert server.request.content.count(b"Content-Disposition") == 1
    assert b"\r\n\r\nab\r\n" in server.request.content


@pytest.mark.parametrize("endpoint", ["files", "collection"])
@pytest.mark.parametrize("files", [[b"a", b"b"], deque([b"a", b"b"]), {"x": b"a", "y": b"b"}.values()])
def test_any_collection_is_several_files_where_the_type_says_so(
    api: Callable[..., Api], endpoint: str, files: Collection[bytes]
) -> None:
    server = api()
    with Store(transport=server.transport) as client:
        getattr(client, endpoint)(files)
    assert server.request.content.count(b"Content-Disposition") == 2


def test_what_is_no_file_is_not_taken_for_its_items() -> None:
    with pytest.raises(ArgumentError) as caught:
        Store().file.request(cast("Any", deque([b"a"])))
    assert str(caught.value) == "Store.file: file: expected one file, got deque"


def test_the_constraints_of_a_file_hold() -> None:
    with pytest.raises(ArgumentError) as caught:
        Store().small.request(b"83512")
    assert str(caught.value) == "Store.small: file: Data should have at most 3 bytes"
    assert Store().small.request(b"835").content is not None


# -- types by names


@pytest.mark.parametrize("filename", ["data:a/b\r\nX-Evil: 1,z", "data:é/b,z", "data:text/html,z", "data:,z"])
def test_a_file_name_is_not_taken_for_a_url_that_says_a_type(filename: str) -> None:
    request = Store().raw.request(cast("Any", Upload(b"abc", filename)))
    assert request.headers["content-type"] == "application/octet-stream"


def test_nor_is_that_of_a_part() -> None:
    request = Store().file.request(cast("Any", Upload(b"abc", "data:é/b,z")))
    assert b"Content-Type: application/octet-stream\r\n" in (request.content or b"")


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("a.png", "image/png"),
        ("data:a.png", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("png", "application/octet-stream"),
        ("reports/a.csv", "text/csv"),
    ],
)
def test_the_ending_says_what_a_file_is(filename: str, kind: str) -> None:
    assert Store().raw.request(cast("Any", Upload(b"abc", filename))).headers["content-type"] == kind
