"""Multipart bodies: fields and files in order, names that cannot leave their quotes, a boundary nobody foresees."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from multiparts import Part, parsed
from stubwire import ApiClient, ArgumentError, File, Form, Upload, post

Anything = bytes | Path | BinaryIO | Upload


class Album(BaseModel):
    title: str
    year: int | None = None


class Photos(ApiClient):
    base_url = "https://photos.example"

    @post("/x")
    def add(
        self,
        album: Annotated[Album, Form()],
        photo: Annotated[Anything, File("photo-file")],
        note: Annotated[str | None, Form()] = None,
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def add_all(self, photos: Annotated[list[Anything], File()]) -> None:
        raise NotImplementedError

    @post("/x")
    def typed(self, data: Annotated[Anything, File(content_type="text/csv")]) -> None:
        raise NotImplementedError

    @post("/x")
    def optional(self, photo: Annotated[bytes | None, File()] = None) -> None:
        raise NotImplementedError

    @post("/x")
    def tagged(
        self,
        meta: Annotated[dict[str, str], Form(style="brackets")],
        tags: Annotated[list[str], Form()],
        photo: Annotated[bytes, File()],
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def streamed(self, rows: Annotated[Iterable[bytes], File()]) -> None:
        raise NotImplementedError


def parts(endpoint: str, /, *args: Any, **kwargs: Any) -> list[Part]:
    """What a server would find in the body of a call."""
    found: list[list[Part]] = []
    import httpx

    def handle(request: httpx.Request) -> httpx.Response:
        content = request.read()
        assert request.headers.get("content-length", str(len(content))) == str(len(content))
        found.append(parsed(content, request.headers["content-type"]))
        return httpx.Response(204)

    getattr(Photos(transport=httpx.MockTransport(handle)), endpoint)(*args, **kwargs)
    return found[0]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "sea.png"
    path.write_bytes(b"\x89PNG")
    return path


def test_fields_and_files_are_parts_in_the_order_of_the_parameters(photo: Path) -> None:
    assert parts("add", Album(title="Sea"), photo, note="ü") == [
        Part("title", b"Sea"),
        Part("photo-file", b"\x89PNG", "sea.png", "image/png"),
        Part("note", "ü".encode()),
    ]


def test_the_bytes_on_the_wire_are_those_of_the_standard(photo: Path) -> None:
    request = Photos().add.request(Album(title="Sea", year=2026), b"abc")
    lead, boundary = request.headers["Content-Type"].split("=")
    assert lead == "multipart/form-data; boundary"
    assert (
        request.content
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nSea\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="year"\r\n\r\n2026\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="photo-file"; filename="upload"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\nabc\r\n"
            f"--{boundary}--\r\n"
        ).encode()
    )


def test_styles_name_the_parts() -> None:
    assert [(part.name, part.content) for part in parts("tagged", {"a": "1"}, ["x", "y"], b"z")] == [
        ("meta[a]", b"1"),
        ("tags", b"x"),
        ("tags", b"y"),
        ("photo", b"z"),
    ]


def test_several_files_have_one_name(photo: Path) -> None:
    with photo.open("rb") as file:
        found = parts("add_all", [photo, b"abc", file, Upload(b"d", "d.gif"), Upload(b"e", content_type="text/x")])
    assert found == [
        Part("photos", b"\x89PNG", "sea.png", "image/png"),
        Part("photos", b"abc", "upload", "application/octet-stream"),
        Part("photos", b"\x89PNG", "sea.png", "image/png"),
        Part("photos", b"d", "d.gif", "image/gif"),
        Part("photos", b"e", "upload", "text/x"),
    ]


@pytest.mark.parametrize(
    ("value", "content_type"),
    [
        (b"a", "text/csv"),
        (Upload(b"a", "a.png"), "text/csv"),
        (Upload(b"a", content_type="text/tab-separated-values"), "text/tab-separated-values"),
    ],
)
def test_a_marker_says_a_type_and_an_upload_knows_better(value: object, content_type: str) -> None:
    assert [part.content_type for part in parts("typed", value)] == [content_type]


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("a.json", "application/json"),
        ("a.tar.gz", "application/gzip"),
        ("a.txt.bz2", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_type_is_guessed_from_the_file_name(filename: str, content_type: str) -> None:
    assert [part.content_type for part in parts("add_all", [Upload(b"a", filename)])] == [content_type]


def test_an_optional_file_is_left_out(api: Callable[..., Api], colour: Colour) -> None:
    """The body is then empty, but for its end, and the server still learns what it is."""
    server = api(Reply(204))
    colour.run(Photos(transport=server.transport).optional)
    kind, _, boundary = server.request.headers["content-type"].partition("; boundary=")
    assert (kind, server.request.read()) == ("multipart/form-data", f"--{boundary}--\r\n".encode())


def test_an_empty_list_of_files_sends_none() -> None:
    content = Photos().add_all.request([]).content
    assert content is not None
    assert content.count(b"--") == 2


def test_a_file_is_streamed_with_its_length_known(photo: Path, api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    client = Photos(transport=server.transport)
    request = client.add.request(Album(title="Sea"), photo)
    assert (request.is_streamed, request.content) == (True, None)
    colour.run(client.add, Album(title="Sea"), photo)
    content = server.request.read()
    assert server.request.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in server.request.headers


def test_a_body_of_unknown_length_is_sent_in_chunks(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    colour.run(Photos(transport=server.transport).streamed, iter([b"ab", b"c"]))
    assert server.request.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in server.request.headers
    found = parsed(server.request.read(), server.request.headers["content-type"])
    assert found == [Part("rows", b"abc", "upload", "application/octet-stream")]


def test_no_boundary_is_like_another() -> None:
    types = {Photos().optional.request(b"a").headers["Content-Type"] for _ in range(100)}
    assert len(types) == 100
    assert all(len(kind.partition("boundary=")[2]) == 32 for kind in types)


def test_a_multipart_body_has_its_own_content_type_whatever_the_headers_say() -> None:
    """Nobody else can know its boundary; the label that people put on by hand has none."""
    request = Photos(headers={"Content-Type": "multipart/form-data"}).optional.request(b"a")
    (kind,) = request.headers.get_list("Content-Type")
    assert kind.startswith("multipart/form-data; boundary=")


# -- names


@pytest.mark.parametrize(
    ("filename", "written"),
    [
        ('a"b.txt', b'filename="a%22b.txt"'),
        ("über.txt", 'filename="über.txt"'.encode()),
        ("a\\b;c=%.txt", b'filename="a\\b;c=%.txt"'),
        ("", b'filename="upload"'),
    ],
)
def test_a_file_name_is_written_as_browsers_do(filename: str, written: bytes) -> None:
    """The WHATWG's HTML standard, "multipart/form-data encoding algorithm": only quotes and line breaks are escaped."""
    content = Photos().add_all.request([Upload(b"a", filename)]).content
    assert content is not None
    assert b'name="photos"; ' + written + b"\r\n" in content


@pytest.mark.parametrize("bad", ["\r", "\n", "\x00", 'a"\r\nContent-Type: text/html'])
def test_a_name_with_a_line_break_or_nul_is_refused(bad: str) -> None:
    """A browser would escape the first two; nobody means them, and a server that decodes them splits the header."""
    cases: list[tuple[Callable[..., Any], list[Any], str]] = [
        (Photos().add_all.request, [[Upload(b"a", bad)]], "photos: a file name with a line break or NUL"),
        (Photos().tagged.request, [{bad: "x"}, [], b""], "meta: a name of a field with a line break or NUL"),
    ]
    for call, arguments, message in cases:
        with pytest.raises(ArgumentError) as caught:
            call(*arguments)
        assert f"{message} cannot be sent" in str(caught.value)
        assert bad not in str(caught.value)


@pytest.mark.parametrize("bad", ["text/plain\r\nX: y", "text/plain\x00", "text/ü"])
def test_a_content_type_that_would_split_its_header_is_refused(bad: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Photos().add_all.request([Upload(b"a", content_type=bad)])
    assert str(caught.value) == (
        "Photos.add_all: photos: header 'Content-Type': a value with a line break, a control character or one outside "
        "ASCII cannot be sent; encode it first"
    )


@pytest.mark.parametrize(
    ("endpoint", "value", "message"),
    [
        ("add_all", [Upload(b"a", "\ud800")], "Photos.add_all: photos: it is no valid Unicode text"),
        ("add_all", [Upload(b"a", 3)], "Photos.add_all: photos: the file name must be a str, not int"),  # type: ignore[arg-type]
        ("optional", [b"a"], "Photos.optional: photo: expected one file, got list"),
        (
            "optional",
            "a.txt",
            (
                "Photos.optional: photo: expected bytes, a pathlib.Path, a binary file or an Upload, got str: write "
                "pathlib.Path(...) for the path of a file, or encode the text"
            ),
        ),
        (
            "optional",
            3,
            "Photos.optional: photo: expected bytes, a pathlib.Path, a binary file or an Upload, got int",
        ),
        (
            "optional",
            {"a": b""},
            "Photos.optional: photo: expected bytes, a pathlib.Path, a binary file or an Upload, got dict",
        ),
        (
            "optional",
            io.StringIO("a"),
            "Photos.optional: photo: a text file cannot be sent: open it in binary mode, 'rb'",
        ),
    ],
)
def test_what_is_no_file_is_refused(endpoint: str, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Photos(), endpoint).request(value)
    assert str(caught.value) == message


# -- round trips

_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1)


@given(
    st.lists(st.tuples(_NAMES, st.binary(max_size=200)), max_size=4),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4),
)
def test_any_fields_and_files_come_back_from_a_parser(files: list[tuple[str, bytes]], tags: list[str]) -> None:
    class Anyhow(ApiClient):
        base_url = "https://photos.example"

        @post("/x")
        def send(self, tags: Annotated[list[str], Form()], files: Annotated[list[Upload], File()]) -> None:
            raise NotImplementedError

    request = Anyhow().send.request(tags, [Upload(content, name) for name, content in files])
    assert request.content is not None
    found = parsed(request.content, request.headers["Content-Type"])
    assert [part.content.decode() for part in found if part.filename is None] == tags
    assert [(part.filename, part.content) for part in found if part.filename is not None] == files
