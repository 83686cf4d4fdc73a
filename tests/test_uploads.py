"""`Upload`: what can be sent as a file, what it is called, and how progress is told."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest

import stubwire
from conftest import Api, Colour, Reply
from stubwire import ApiClient, ColourError, Upload, get, post
from stubwire._sources import PIECE
from stubwire._uploads import sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from stubwire._payload import Source


class Store(ApiClient):
    base_url = "https://store.example"

    @post("/x")
    def send(self, file: Upload) -> None:
        raise NotImplementedError


class Named(io.BytesIO):
    def __init__(self, name: object) -> None:
        super().__init__(b"abc")
        self.name = name


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        (Upload(Named("/home/me/a.txt")), "a.txt"),
        (Upload(Named("/home/me/a.txt"), "b.txt"), "b.txt"),
        (Upload(Named("<stdin>")), ""),
        (Upload(Named(3)), ""),
        (Upload(b"abc"), ""),
        (Upload(b"abc", ""), ""),
    ],
)
def test_a_file_is_called_what_it_is_called(value: Upload, filename: str) -> None:
    assert sent(value, "x").filename == filename


def test_an_upload_shows_no_content() -> None:
    assert repr(Upload(b"83512", "a.txt")) == "<Upload 'a.txt' of bytes>"
    assert repr(Upload(Path("83512"))) == f"<Upload of {type(Path()).__name__}>"


def test_an_upload_is_public() -> None:
    assert stubwire.Upload is Upload


def _generator() -> Iterator[bytes]:
    yield b"ab"
    yield b"c"


@pytest.mark.parametrize(
    ("make", "length"),
    [
        (lambda: b"abc", 3),
        (lambda: io.BytesIO(b"abc"), 3),
        (_generator, None),
        (lambda: [b"ab", b"c"], None),
    ],
    ids=["bytes", "file", "generator", "list"],
)
def test_progress_tells_bytes_sent_and_in_all(
    api: Callable[..., Api], colour: Colour, make: Callable[[], Any], length: int | None
) -> None:
    told: list[tuple[int, int | None]] = []
    server = api(Reply(204))
    upload = Upload(make(), progress=lambda done, total: told.append((done, total)))
    colour.run(Store(transport=server.transport).send, upload)
    assert server.request.read() == b"abc"
    assert (told[0], told[-1]) == ((0, length), (3, length))


def test_progress_counts_pieces_of_what_is_in_memory(api: Callable[..., Api], colour: Colour) -> None:
    told: list[int] = []
    server = api(Reply(204))
    upload = Upload(bytes(2 * PIECE + 5), progress=lambda done, total: told.append(done))
    colour.run(Store(transport=server.transport).send, upload)
    assert told == [0, PIECE, 2 * PIECE, 2 * PIECE + 5]
    assert server.request.headers["content-length"] == str(2 * PIECE + 5)


def test_a_bar_is_shown_when_asked_for(
    api: Callable[..., Api], colour: Colour, capsys: pytest.CaptureFixture[str]
) -> None:
    server = api(Reply(204))
    colour.run(Store(transport=server.transport).send, Upload(b"abc", "report.csv", progress=True))
    shown = capsys.readouterr().err
    assert "report.csv" in shown
    assert "3.00/3.00" in shown


def test_no_progress_is_told_where_none_is_asked_for() -> None:
    request = Store().send.request(Upload(b"abc", progress=False))
    assert request.content == b"abc"


def test_what_progress_raises_ends_the_call_with_a_note(api: Callable[..., Api], colour: Colour) -> None:
    def tell(done: int, total: int | None) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine") as caught:
        colour.run(Store(transport=api(Reply(204)).transport).send, Upload(b"abc", progress=tell))
    assert caught.value.__notes__[0] == "raised in the body, while it was read"


async def _feed() -> AsyncIterator[bytes]:
    yield b"abc"


def test_an_upload_of_an_asynchronous_iterable_is_for_asynchronous_calls(
    api: Callable[..., Api], colour: Colour
) -> None:
    told: list[int] = []
    server = api(Reply(204))
    client = Store(transport=server.transport)
    upload = Upload(_feed(), progress=lambda done, total: told.append(done))
    if colour.name == "sync":
        with pytest.raises(ColourError):
            client.send(upload)
        assert told == []
        return
    colour.run(client.send, upload)
    assert told == [0, 3]


def test_an_opened_file_says_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b")
    with path.open("rb") as file:
        found = sent(file, "x")
    source: Source = found.source
    assert (found.filename, found.type_or_guess(), source.length, source.once) == ("a.csv", "text/csv", 3, "")


def test_a_temporary_file_without_a_name_is_an_upload() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"abc")
        file.seek(0)
        assert (sent(file, "x").filename, sent(file, "x").source.length) == ("", 3)


def test_importing_stubwire_imports_nothing_that_only_uploads_need() -> None:
    import subprocess

    script = (
        "import sys, stubwire\n"
        "class Api(stubwire.ApiClient):\n"
        "    base_url = 'https://x.example'\n"
        "    @stubwire.post('/x')\n"
        "    def f(self, item: dict[str, int]) -> None: ...\n"
        "Api().f.request({'a': 1})\n"
        "print(*sorted(name for name in sys.modules if name.startswith('stubwire._')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    ours = {"_payload", "_sources", "_files", "_uploads", "_multipart", "_bodies", "_body_roles", "_json_lines"}
    assert loaded.isdisjoint({f"stubwire.{name}" for name in ours})


def test_a_get_takes_no_upload() -> None:
    with pytest.raises(stubwire.SpecError):

        class Wrong(ApiClient):
            @get("/x")
            def send(self, file: Annotated[Upload, stubwire.File()]) -> None:
                raise NotImplementedError
