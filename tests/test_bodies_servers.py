"""Bodies over a real socket to a server that nobody here wrote: Starlette under uvicorn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from servers import AppServer
from stubwire import ApiClient, Body, File, Form, Upload, post

if TYPE_CHECKING:
    from conftest import Colour, EngineName

HERE = Path(__file__).parent


class FoundPart(BaseModel):
    name: str
    value: str | None = None
    filename: str | None = None
    type: str | None = None
    size: int | None = None
    sha256: str | None = None


class Found(BaseModel):
    headers: dict[str, str]
    parts: list[FoundPart]


class Sum(BaseModel):
    headers: dict[str, str]
    size: int
    sha256: str


class Row(BaseModel):
    id: int


class Store(ApiClient):
    @post("/form")
    def form(self, name: Annotated[str, Form()], tags: Annotated[list[str], Form()]) -> Found:
        raise NotImplementedError

    @post("/form")
    def upload(self, title: Annotated[str, Form()], files: Annotated[list[Path | bytes | Upload], File()]) -> Found:
        raise NotImplementedError

    @post("/raw")
    def raw(self, file: Annotated[Path, Body()]) -> Sum:
        raise NotImplementedError

    @post("/raw")
    def rows(self, rows: Annotated[Iterable[Row], Body(content_type="application/x-ndjson")]) -> Sum:
        raise NotImplementedError


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    program = ("-m", "uvicorn", "bodies_app:app", "--port", "{port}", "--log-level", "warning")
    with AppServer(*program, cwd=HERE, ready="/form") as server:
        yield server.url


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "große Datei.bin"
    path.write_bytes(bytes(range(256)) * 8192)
    return path


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_form_arrives_as_it_was_meant(url: str, engine: EngineName, colour: Colour) -> None:
    with Store(base_url=url, engine=engine) as store:
        found = colour.run(store.form, "a b&c=ü\r\n", ["", "+"])
    assert [(part.name, part.value) for part in found.parts] == [
        ("name", "a b&c=ü\r\n"),
        ("tags", ""),
        ("tags", "+"),
    ]


def test_files_arrive_with_their_names_types_and_every_byte(
    url: str, engine: EngineName, colour: Colour, big: Path
) -> None:
    with Store(base_url=url, engine=engine) as store:
        found = colour.run(store.upload, "Zürich", [big, b"", Upload(big, "a;b=c.txt")])
    content = big.read_bytes()
    assert found.parts == [
        FoundPart(name="title", value="Zürich"),
        FoundPart(
            name="files",
            filename="große Datei.bin",
            type="application/octet-stream",
            size=len(content),
            sha256=_sum(content),
        ),
        FoundPart(name="files", filename="upload", type="application/octet-stream", size=0, sha256=_sum(b"")),
        FoundPart(name="files", filename="a;b=c.txt", type="text/plain", size=len(content), sha256=_sum(content)),
    ]
    assert "transfer-encoding" not in found.headers


def test_a_file_arrives_whole(url: str, engine: EngineName, colour: Colour, big: Path) -> None:
    with Store(base_url=url, engine=engine) as store:
        found = colour.run(store.raw, big)
    content = big.read_bytes()
    assert (found.size, found.sha256) == (len(content), _sum(content))
    assert found.headers["content-length"] == str(len(content))


def test_lines_arrive_in_chunks(url: str, engine: EngineName, colour: Colour) -> None:
    with Store(base_url=url, engine=engine) as store:
        found = colour.run(store.rows, (Row(id=number) for number in range(20_000)))
    content = b"".join(b'{"id":%d}\n' % number for number in range(20_000))
    assert (found.size, found.sha256) == (len(content), _sum(content))
    assert found.headers["transfer-encoding"] == "chunked"


@settings(max_examples=30, deadline=None)
@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    contents=st.lists(st.binary(max_size=3000), max_size=3),
)
def test_any_fields_and_files_arrive(url: str, title: str, contents: list[bytes]) -> None:
    with Store(base_url=url) as store:
        found = store.upload(title, [*contents])
    assert [part.value for part in found.parts if part.filename is None] == [title]
    assert [part.sha256 for part in found.parts if part.filename is not None] == [_sum(part) for part in contents]
