"""Files in a body: what changed, vanished, or cannot be read, and what is slow."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest

from payloads import READS, Bare, Read, everything, payload_of
from stubwire import ArgumentError, ProtocolError, _clock, _files
from stubwire._files import Disk, Opened
from stubwire._sources import PIECE, Chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stubwire._payload import Source


@pytest.fixture(params=READS)
def read(request: pytest.FixtureRequest) -> Read:
    """Each way to read a payload."""
    return READS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "report.csv"
    made.write_bytes(b"0123456789" * 60_000)
    return made


# -- what is not as it was


def test_a_file_that_shrank_is_not_sent_as_if_it_were_whole(path: Path, read: Read) -> None:
    payload = payload_of(Disk(path, "x"))
    path.write_bytes(bytes(PIECE))
    with pytest.raises(ProtocolError) as caught:
        read(payload)
    assert str(caught.value) == ("cannot be sent: the file 'report.csv' has not the 600000 bytes any more that it had")
    assert str(path.parent) not in str(caught.value)


@pytest.mark.parametrize("length", [0, 10, PIECE])
def test_a_file_that_grew_is_not_sent_as_if_it_were_whole(tmp_path: Path, read: Read, length: int) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(bytes(length))
    payload = payload_of(Disk(path, "x"))
    path.write_bytes(bytes(length + 1))
    got: list[bytes] = []
    for attempt in (lambda: got.extend(payload.chunks()), lambda: read(payload)):
        with pytest.raises(ProtocolError) as caught:
            attempt()
        assert (
            str(caught.value) == f"cannot be sent: the file 'log.txt' has not the {length} bytes any more that it had"
        )
    assert sum(map(len, got)) < max(length, 1)


def test_a_file_that_gives_more_than_it_is_asked_for_is_refused(read: Read) -> None:
    class Greedy(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b"" if size == 0 else bytes(size or 0) * 2

    payload = payload_of(Opened(Greedy(b"abc"), "a", "x"))
    with pytest.raises(ProtocolError, match="the file 'a' has not the 3 bytes any more that it had"):
        read(payload)


def test_a_file_that_vanished_is_named_without_its_path(path: Path, read: Read) -> None:
    payload = payload_of(Disk(path, "x"))
    path.unlink()
    with pytest.raises(ProtocolError) as caught:
        read(payload)
    assert str(caught.value) == ("cannot be sent: the file 'report.csv' cannot be read: No such file or directory")
    assert caught.value.__context__ is None


def test_a_file_that_was_closed_meanwhile_says_so(path: Path, read: Read) -> None:
    with path.open("rb") as file:
        payload = payload_of(Opened(file, "report.csv", "x"))
    with pytest.raises(ProtocolError) as caught:
        read(payload)
    assert str(caught.value) == "cannot be sent: the file 'report.csv' cannot be read: it is closed"


def test_a_file_that_gives_no_bytes_is_refused(read: Read) -> None:
    payload = payload_of(Opened(Bare(["text"]), "a", "x"))
    with pytest.raises(ProtocolError) as caught:
        read(payload)
    assert str(caught.value) == "cannot be sent: the file 'a' gave str, not bytes"


def test_chunks_are_bytes(read: Read) -> None:
    assert read(payload_of(Chunks([bytearray(b"a"), memoryview(b"b")], "x"))) == [b"a", b"b"]  # type: ignore[list-item]
    chunks: Any = ["text"]
    with pytest.raises(ArgumentError) as caught:
        read(payload_of(Chunks(chunks, "Api.send: rows")))
    assert str(caught.value) == "Api.send: rows: a chunk must be bytes, not str"


def test_what_a_users_iterable_raises_is_its_own_with_a_note(read: Read) -> None:
    def failing() -> Iterator[bytes]:
        yield b"abc"
        raise LookupError("mine")

    payload = payload_of(Chunks(failing(), "x"))
    with pytest.raises(LookupError, match="mine") as caught:
        read(payload)
    assert caught.value.__notes__ == ["raised in the body, while it was read"]
    assert payload.failure is caught.value


# -- what cannot be sent at all


def _closed() -> io.BytesIO:
    file = io.BytesIO()
    file.close()
    return file


class Asynchronous:
    async def read(self, size: int = -1, /) -> bytes:
        raise NotImplementedError


REFUSED: list[tuple[Callable[[Path], Source], str]] = [
    (lambda path: Disk(path / "no", "x"), "the file 'no' cannot be read: Not a directory"),
    (lambda path: Disk(path.parent / "no", "x"), "the file 'no' cannot be read: No such file or directory"),
    (lambda path: Disk(path.parent, "x"), "cannot be read: Is a directory"),
    (lambda path: Opened(_closed(), "a", "x"), "the file cannot be read: it is closed, or not open for reading"),
    (lambda path: Opened(io.StringIO(), "a", "x"), "a text file cannot be sent: open it in binary mode, 'rb'"),  # type: ignore[arg-type]
    (
        lambda path: Opened(Asynchronous(), "a", "x"),  # type: ignore[arg-type]
        "an asynchronous file cannot be sent: give the file that it wraps",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_cannot_be_read_is_refused_when_the_call_is_bound(
    path: Path, make: Callable[[Path], Source], message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        make(path)
    assert str(caught.value).startswith("x: ")
    assert str(caught.value).endswith(message)
    assert str(path.parent) not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_file_that_is_open_for_writing_is_refused(path: Path) -> None:
    with path.open("wb") as file, pytest.raises(ArgumentError) as caught:
        Opened(file, "a", "x")
    assert str(caught.value) == "x: the file cannot be read: it is closed, or not open for reading"


def test_a_spooled_file_is_read_as_any_other(read: Read) -> None:
    with tempfile.SpooledTemporaryFile() as file:
        file.write(b"abc")
        file.seek(0)
        assert read(payload_of(Opened(file, "a", "x"))) == [b"abc"]


def test_only_a_slow_file_is_read_in_a_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each piece halves the throughput of a file that is in memory; a slow disk may not hold the loop."""

    now = 0.0
    readers: list[bool] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal now
            if size and size > 1:
                now += 2 * _files.SLOW
                readers.append(threading.current_thread() is threading.main_thread())
            return super().read(size)

    monkeypatch.setattr(_clock, "monotonic", lambda: now)
    content = bytes(3 * PIECE)
    assert b"".join(asyncio.run(everything(payload_of(Opened(Slow(content), "a", "x"))))) == content
    assert readers == [True, False, False]
