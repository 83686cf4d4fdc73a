"""Files as httpbin decoded them, and every byte of them as WireMock's journal and nginx saw it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import pytest
from pydantic import BaseModel

from conftest import Clock  # noqa: TC001 - fixtures are typed
from stubwire import ApiClient, Body, File, Form, HTTPStatusError, RedirectError, ServerError, Upload, patch, post, put
from witnesses import Journal, Seen, as_bytes, httpbin, nginx, wiremock

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

BINARY = bytes(range(256)) * 1200


@pytest.fixture(scope="module")
def bin_url() -> Iterator[str]:
    with httpbin() as started:
        yield started


@pytest.fixture(scope="module")
def journals() -> Iterator[tuple[str, str]]:
    with wiremock() as urls:
        yield urls


@pytest.fixture
def journal(journals: tuple[str, str], engine: EngineName) -> Iterator[Journal]:
    with Journal(base_url=journals[0], engine=engine, proxy=None) as opened:
        opened.forget()
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "große Datei.png"
    path.write_bytes(BINARY)
    return path


def chunks() -> Iterator[bytes]:
    """The same bytes, in chunks of many sizes."""
    yield from (BINARY[:1], b"", BINARY[1:200_000], BINARY[200_000:])


# -- httpbin


class Details(BaseModel):
    title: str
    note: str | None = None


class Photos(ApiClient):
    @post("/post")
    def add(
        self,
        details: Annotated[Details, Form()],
        tags: Annotated[list[str], Form()],
        photo: Annotated[bytes | Path | BinaryIO | Iterable[bytes] | Upload, File()],
        thumb: Annotated[bytes | None, File("größe", content_type="image/gif")] = None,
    ) -> Seen:
        raise NotImplementedError

    @put("/put")
    def replace(self, photos: Annotated[list[bytes | Path | Upload], File()]) -> Seen:
        raise NotImplementedError

    @patch("/patch")
    def change(self, photo: Annotated[Path, File()]) -> Seen:
        raise NotImplementedError


DETAILS = Details(title='Das "Meer" \N{WATER WAVE}\r\n')


def test_fields_and_files_arrive_together(bin_url: str, engine: EngineName, colour: Colour, file: Path) -> None:
    with Photos(base_url=bin_url, engine=engine, proxy=None) as photos:
        seen: Seen = colour.run(photos.add, DETAILS, ["a", "b&c=d"], file, b"\xff\xfe")
    assert seen.form == {"title": DETAILS.title, "tags": ["a", "b&c=d"]}
    assert set(seen.files) == {"photo", "größe"}
    assert seen.files["photo"].startswith("data:image/png;base64,")
    assert as_bytes(seen.files["photo"]) == BINARY
    assert seen.files["größe"] == "data:image/gif;base64,//4="
    assert "Transfer-Encoding" not in seen.headers


def test_a_file_of_any_kind_arrives(bin_url: str, engine: EngineName, colour: Colour, file: Path) -> None:
    with Photos(base_url=bin_url, engine=engine, proxy=None) as photos, file.open("rb") as opened:
        for kind in (BINARY, file, opened, io.BytesIO(BINARY), Upload(chunks(), "a.bin"), chunks()):
            seen: Seen = colour.run(photos.add, DETAILS, [], kind)
            assert as_bytes(seen.files["photo"]) == BINARY
            assert seen.form == {"title": DETAILS.title}


def test_a_file_of_unknown_length_makes_a_chunked_body(bin_url: str, engine: EngineName, colour: Colour) -> None:
    with Photos(base_url=bin_url, engine=engine, proxy=None) as photos:
        seen: Seen = colour.run(photos.add, DETAILS, [], chunks())
    assert seen.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in seen.headers


def test_put_and_patch_send_files_too(bin_url: str, engine: EngineName, colour: Colour, file: Path) -> None:
    with Photos(base_url=bin_url, engine=engine, proxy=None) as photos:
        assert as_bytes(colour.run(photos.replace, [b"text", file]).files["photos"]) == b"text"  # it shows the first
        assert as_bytes(colour.run(photos.change, file).files["photo"]) == BINARY


# -- WireMock's journal


class Kept(ApiClient):
    follow_redirects = True

    @post("/kept/files")
    def add(
        self,
        title: Annotated[str, Form('na"me')],
        first: Annotated[Path, File("dätei\\")],
        second: Annotated[bytes, File()] = b"",
        third: Annotated[Upload | None, File()] = None,
        fourth: Annotated[Upload | None, File(content_type="x/y")] = None,
    ) -> None:
        raise NotImplementedError

    @put("/kept/file")
    def put_file(self, content: Annotated[Path | Upload, Body()]) -> None:
        raise NotImplementedError

    @put("/kept/chunks")
    def put_chunks(self, content: Annotated[Iterable[bytes], Body(content_type="text/csv")]) -> None:
        raise NotImplementedError

    @put("/moved")
    def moved_file(self, content: Annotated[Path, Body()]) -> None:
        raise NotImplementedError

    @patch("/moved")
    def moved_chunks(self, content: Annotated[Iterable[bytes], Body(content_type="text/csv")]) -> None:
        raise NotImplementedError

    @post("/flaky")
    def flaky(self, content: Annotated[Path | Iterable[bytes], Body()]) -> dict[str, bool]:
        raise NotImplementedError

    @post("/moved")
    def moved_form(self, title: Annotated[str, Form()], file: Annotated[Path, File()]) -> None:
        raise NotImplementedError


def test_several_files_arrive_with_their_names_and_types(
    journal: Journal, engine: EngineName, colour: Colour, file: Path
) -> None:
    """As browsers write them: names in UTF-8, a quote as `%22`, a backslash as it is."""
    third = Upload(b"", 'a;b=\\c"d.txt', "text/x; charset=utf-8")
    fourth = Upload(io.BytesIO(b"--"), "../x")
    with Kept(base_url=journal.base_url, engine=engine, proxy=None) as kept:
        colour.run(kept.add, "ü\r\n--", file, b"plain", third, fourth)
    seen = journal.kept()
    kind, _, boundary = (seen.header("content-type") or "").partition("; boundary=")
    assert kind == "multipart/form-data"
    assert seen.header("content-length") == str(len(seen.body))
    lines = [
        f"--{boundary}",
        'Content-Disposition: form-data; name="na%22me"',
        "",
        "ü",
        "--",
        *(f"--{boundary}", 'Content-Disposition: form-data; name="dätei\\"; filename="große Datei.png"'),
        *("Content-Type: image/png", "", "PNG"),
        *(f"--{boundary}", 'Content-Disposition: form-data; name="second"; filename="upload"'),
        *("Content-Type: application/octet-stream", "", "plain"),
        *(f"--{boundary}", 'Content-Disposition: form-data; name="third"; filename="a;b=\\c%22d.txt"'),
        *("Content-Type: text/x; charset=utf-8", "", ""),
        *(f"--{boundary}", 'Content-Disposition: form-data; name="fourth"; filename="../x"'),
        *("Content-Type: x/y", "", "--"),
        *(f"--{boundary}--", ""),
    ]
    assert seen.body == "\r\n".join(lines).encode().replace(b"PNG", BINARY, 1)


def test_a_file_arrives_byte_for_byte_while_progress_is_told(
    journal: Journal, engine: EngineName, colour: Colour, file: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    with Kept(base_url=journal.base_url, engine=engine, proxy=None) as kept:
        colour.run(kept.put_file, Upload(file, progress=lambda done, total: told.append((done, total))))
    seen = journal.kept()
    assert (seen.method, seen.body == BINARY) == ("PUT", True)
    assert (seen.header("content-type"), seen.header("content-length")) == ("image/png", str(len(BINARY)))
    assert told[0] == (0, len(BINARY))
    assert told[-1] == (len(BINARY), len(BINARY))
    assert told == sorted(told)


def test_chunks_arrive_byte_for_byte(journal: Journal, engine: EngineName, colour: Colour) -> None:
    with Kept(base_url=journal.base_url, engine=engine, proxy=None) as kept:
        colour.run(kept.put_chunks, chunks())
    seen = journal.kept()
    assert (seen.header("transfer-encoding"), seen.header("content-length")) == ("chunked", None)
    assert seen.body == BINARY


@pytest.mark.parametrize("status", [307, 308])
def test_a_file_is_sent_again_behind_a_redirect(
    journal: Journal, engine: EngineName, colour: Colour, file: Path, status: int
) -> None:
    answer = {"status": status, "headers": {"Location": "/kept/there?x=%20"}}
    journal.answer({"request": {"url": "/moved"}, "response": answer})
    with Kept(base_url=journal.base_url, engine=engine, proxy=None) as kept:
        colour.run(kept.moved_file, file)
        colour.run(kept.moved_chunks, [BINARY, b"", b"end"])
        colour.run(kept.moved_form, "t", file)
        with pytest.raises(RedirectError, match=r"answered with a redirect of a body that can be read only once$"):
            colour.run(kept.moved_chunks, chunks())
    seen = [entry.request for entry in reversed(journal.entries())]
    assert [(each.method, each.url) for each in seen] == [
        *(("PUT", "/moved"), ("PUT", "/kept/there?x=%20")),
        *(("PATCH", "/moved"), ("PATCH", "/kept/there?x=%20")),
        *(("POST", "/moved"), ("POST", "/kept/there?x=%20")),
        ("PATCH", "/moved"),
    ]
    for first, again in zip(seen[:6:2], seen[1:6:2], strict=True):
        assert again.body == first.body
        for name in ("content-type", "content-length", "transfer-encoding"):
            assert again.header(name) == first.header(name)


def test_a_file_is_sent_again_by_a_retry(
    journal: Journal, engine: EngineName, colour: Colour, file: Path, clock: Clock
) -> None:
    """WireMock answers 503, then 429, then 200, and says to wait a second."""
    journal.begin_anew()
    with Kept(base_url=journal.base_url, engine=engine, proxy=None) as kept:
        assert colour.run(kept.flaky, file) == {"ok": True}
        assert clock.waits == [1.0, 1.0]
        with pytest.raises(ServerError) as error:
            colour.run(kept.flaky, chunks())
    assert error.value.__notes__ == ["not retried: its body can be read only once, and was read"]
    assert [entry.request.body == BINARY for entry in journal.entries()] == [True] * 4


# -- HTTP/2


@pytest.mark.filterwarnings("ignore:Kept does not verify:UserWarning")
def test_uploads_travel_over_http2(
    journals: tuple[str, str], journal: Journal, engine: EngineName, colour: Colour, file: Path
) -> None:
    """What is sent is more than a stream's first window takes."""
    with Kept(base_url=journals[1], engine=engine, proxy=None, http2=True, verify=False) as kept:
        response = colour.response(kept.put_file, file)
        assert response.http_version == "HTTP/2"
        colour.run(kept.put_chunks, chunks())
        colour.run(kept.add, "t", file)
    *_, in_parts, in_chunks, whole = (entry.request for entry in journal.entries())
    assert {each.protocol for each in (whole, in_chunks, in_parts)} == {"HTTP/2.0"}
    assert (whole.body, whole.header("content-length")) == (BINARY, str(len(BINARY)))
    assert (in_chunks.body, in_chunks.header("content-length")) == (BINARY, None)
    assert in_chunks.header("transfer-encoding") is None
    assert BINARY in in_parts.body


@pytest.mark.filterwarnings("ignore:Kept does not verify:UserWarning")
def test_one_connection_takes_many_uploads_at_once(
    journals: tuple[str, str], journal: Journal, engine: EngineName
) -> None:
    async def all_at_once() -> None:
        async with Kept(base_url=journals[1], engine=engine, proxy=None, http2=True, verify=False) as kept:
            contents = [bytes([number]) * 100_000 for number in range(20)]
            await asyncio.gather(*(kept.put_chunks.aio([content]) for content in contents))

    asyncio.run(all_at_once())
    sums = {hashlib.sha256(entry.request.body).hexdigest() for entry in journal.entries()}
    assert sums == {hashlib.sha256(bytes([number]) * 100_000).hexdigest() for number in range(20)}


# -- nginx


class Small(ApiClient):
    @post("/raw")
    def add(self, content: Annotated[Path | Iterable[bytes], Body(content_type="text/csv")]) -> str:
        raise NotImplementedError


@pytest.fixture(scope="module")
def raw_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server.url


def test_a_refused_upload_is_answered_and_not_a_lost_connection(
    raw_url: str, engine: EngineName, colour: Colour, file: Path
) -> None:
    """nginx says 413 as soon as it knows, and hangs up, while the body is still being sent."""
    with Small(base_url=raw_url, engine=engine, proxy=None) as small:
        assert colour.run(small.add, [b"a,b\n"]) == "POST /raw text/csv\n"
        with pytest.raises(HTTPStatusError) as error:
            colour.run(small.add, file)
    assert error.value.status_code == 413
