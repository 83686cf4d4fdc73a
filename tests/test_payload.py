"""Payloads: read from the beginning each time, or not at all."""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import trio

from payloads import READS, Bare, Read, everything, payload_of
from stubwire import ColourError, ProtocolError
from stubwire._files import Disk, Opened
from stubwire._payload import Source, Watched
from stubwire._sources import PIECE, AsyncChunks, Chunks, Memory

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator


@pytest.fixture(params=READS)
def read(request: pytest.FixtureRequest) -> Read:
    """Each way to read a payload."""
    return READS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "report.csv"
    made.write_bytes(b"0123456789" * 60_000)
    return made


def test_a_payload_is_its_sources_one_after_the_other(path: Path, read: Read) -> None:
    payload = payload_of(Memory(b"head"), Disk(path, "x"), Memory(b"tail"))
    assert (payload.length, payload.replayable, payload.begun) == (600_008, True, False)
    assert b"".join(read(payload)) == b"head" + path.read_bytes() + b"tail"
    assert payload.begun


AGAIN: dict[str, tuple[Callable[[Path], Source], int | None]] = {
    "path": (lambda path: Disk(path, "x"), 600_000),
    "file": (lambda path: Opened(io.BytesIO(path.read_bytes()), "report.csv", "x"), 600_000),
    "bytes": (lambda path: Memory(path.read_bytes()), 600_000),
    "list": (lambda path: Chunks([path.read_bytes()], "x"), None),
}


@pytest.mark.parametrize(("make", "length"), AGAIN.values(), ids=AGAIN)
def test_what_can_be_read_again_gives_the_same_bytes(
    path: Path, read: Read, make: Callable[[Path], Source], length: int | None
) -> None:
    payload = payload_of(make(path))
    assert (payload.length, payload.replayable) == (length, True)
    assert b"".join(read(payload)) == path.read_bytes()
    assert b"".join(read(payload)) == path.read_bytes()


def _opened(content: bytes) -> Source:
    return Opened(io.BytesIO(content), "a", "x")


@pytest.mark.parametrize("make", [Memory, _opened], ids=["bytes", "file"])
def test_pieces_have_a_constant_size(read: Read, make: Callable[[bytes], Source]) -> None:
    assert [len(piece) for piece in read(payload_of(make(bytes(2 * PIECE + 1))))] == [PIECE, PIECE, 1]


def test_nothing_is_no_piece(read: Read, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    payload = payload_of(Disk(empty, "x"), Opened(io.BytesIO(), "a", "x"), Chunks([b"", b""], "x"))
    assert read(payload) == []
    assert payload_of(Disk(empty, "x")).length == 0


def test_a_file_object_is_sent_from_where_it_stands_and_stays_open(path: Path, read: Read) -> None:
    with path.open("rb") as file:
        file.seek(599_990)
        payload = payload_of(Opened(file, "report.csv", "x"))
        assert (payload.length, read(payload), read(payload)) == (10, [b"0123456789"], [b"0123456789"])
        assert not file.closed


def test_a_file_object_that_stands_behind_its_end_sends_nothing(read: Read) -> None:
    file = io.BytesIO(b"abc")
    file.seek(10)
    assert read(payload_of(Opened(file, "a", "x"))) == []


# -- what can be read only once


class Pipe(io.RawIOBase):
    """Bytes that cannot be rewound."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece, self._content = self._content[:size], self._content[size:]
        return piece


async def _async_generator(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Chunks((chunk for chunk in [b"ab", b"c"]), "x"), "a generator"),
        (lambda: Chunks(iter([b"ab", b"c"]), "x"), "an iterator"),
        (lambda: Opened(Pipe(b"abc"), "a", "x"), "a file that cannot be rewound"),
        (lambda: Opened(Bare([b"abc", b""]), "a", "x"), "a file that cannot be rewound"),
    ],
    ids=["generator", "iterator", "pipe", "bare"],
)
def test_what_can_be_read_once_says_so_and_is_not_read_again(read: Read, make: Callable[[], Source], what: str) -> None:
    payload = payload_of(Memory(b"head "), make())
    assert (payload.length, payload.replayable, payload.once) == (None, False, what)
    waiting = payload.chunks()
    assert b"".join(read(payload)) == b"head abc"
    message = f"cannot be sent again: its body is {what}, which can be read only once"
    for again in (lambda: read(payload), lambda: list(waiting), payload.chunks, payload.achunks):
        with pytest.raises(ProtocolError) as caught:
            again()
        assert str(caught.value) == message


def test_what_nobody_read_can_still_be_read(read: Read) -> None:
    payload = payload_of(Chunks(iter([b"abc"]), "x"))
    payload.chunks().close()
    assert not payload.begun
    assert read(payload) == [b"abc"]


def test_a_named_pipe_has_no_length(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    payload = payload_of(Disk(fifo, "x"))
    assert (payload.length, payload.once) == (None, "a pipe or a device")


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_an_asynchronous_iterable_is_for_asynchronous_calls(run: Callable[[Any], list[bytes]]) -> None:
    class Again:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return _async_generator(b"ab", b"", b"c")

    payload = payload_of(AsyncChunks(Again(), "x"))
    assert (payload.asynchronous, payload.replayable) == (True, True)
    with pytest.raises(ColourError) as caught:
        payload.chunks()
    assert str(caught.value) == (
        "its body is asynchronous, which a synchronous call cannot read: call it through .aio, or pass an ordinary "
        "iterable"
    )

    async def twice() -> list[bytes]:
        return [*await everything(payload), *await everything(payload)]

    class Own:
        """An iterator of the user's own, which has nothing to close."""

        def __init__(self) -> None:
            self._left = [b"c", b"ab"]

        def __aiter__(self) -> Own:
            return self

        async def __anext__(self) -> bytes:
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop()

    async def own() -> list[bytes]:
        return await everything(payload_of(AsyncChunks(Own(), "x")))

    assert (run(own) if run is trio.run else run(own())) == [b"ab", b"c"]
    assert payload_of(AsyncChunks(Own(), "x")).once == "an iterator"
    assert (run(twice) if run is trio.run else run(twice())) == [b"ab", b"c", b"ab", b"c"]
    assert payload_of(AsyncChunks(_async_generator(b"a"), "x")).once == "a generator"


def test_leaving_early_closes_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[io.FileIO] = []
    original = cast("Callable[..., io.FileIO]", Path.open)

    def remembered(self: Path, *args: Any, **kwargs: Any) -> io.FileIO:
        file = original(self, *args, **kwargs)
        opened.append(file)
        return file

    payload = payload_of(Disk(path, "x"))
    monkeypatch.setattr(Path, "open", remembered)
    with payload.sending():
        next(payload.chunks())

    async def leave() -> None:
        async with payload.asending():
            await anext(payload.achunks())

    asyncio.run(leave())
    assert [file.closed for file in opened] == [True, True]


def test_leaving_early_closes_an_asynchronous_generator() -> None:
    ended: list[str] = []

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"abc"
        finally:
            ended.append("ended")

    async def leave() -> None:
        async with aclosing(payload_of(AsyncChunks(endless(), "x")).achunks()) as chunks:
            await anext(chunks)
        assert ended == ["ended"]

    trio.run(leave)


def test_around_the_sending_every_reading_is_ended_and_a_users_error_is_itself() -> None:
    """An engine may take an error of its own kind for its own; a caller may not."""

    def failing() -> Iterator[bytes]:
        yield b"abc"
        raise LookupError("mine")

    payload = payload_of(Chunks(failing(), "x"))

    def send() -> None:
        with payload.sending():
            try:
                list(payload.chunks())
            except LookupError:
                raise ProtocolError("of the engine") from None

    with pytest.raises(LookupError, match="mine"):
        send()
    with payload_of(Memory(b"")).sending():
        pass  # nobody read it
    with pytest.raises(ProtocolError, match="of the engine"), payload_of(Memory(b"")).sending():
        raise ProtocolError("of the engine")
    asynchronous = payload_of(AsyncChunks(_async_generator(b"a"), "x"))
    with pytest.raises(ColourError), asynchronous.sending():
        raise AssertionError("unreachable")

    async def fail() -> None:
        async with payload.asending():
            raise ProtocolError("of the engine")

    with pytest.raises(LookupError, match="mine"):
        asyncio.run(fail())

    async def fail_unread() -> None:
        async with asynchronous.asending():
            raise ProtocolError("of the engine")

    with pytest.raises(ProtocolError, match="of the engine"):
        asyncio.run(fail_unread())

    async def left_early() -> None:
        async with asynchronous.asending():
            await anext(asynchronous.achunks())

    trio.run(left_early)


# -- threads and progress


def test_progress_begins_again_with_each_reading(read: Read) -> None:
    told: list[tuple[int, int | None]] = []
    source = Watched(Memory(bytes(PIECE + 1)), lambda done, total: told.append((done, total)), "a")
    payload = payload_of(source)
    read(payload)
    read(payload)
    assert told == [(0, PIECE + 1), (PIECE, PIECE + 1), (PIECE + 1, PIECE + 1)] * 2
    assert payload.whole is None


@pytest.mark.parametrize(
    ("sources", "shown"),
    [
        ([Memory(b"abc")], "bytes, 3 bytes"),
        ([Chunks([], "x")], "stream"),
        ([Opened(io.BytesIO(b"12"), "a", "x")], "file, 2 bytes"),
    ],
)
def test_a_payload_shows_what_it_is_and_nothing_of_it(sources: list[Source], shown: str) -> None:
    payload = payload_of(*sources)
    assert (str(payload), repr(payload)) == (shown, f"<{shown}>")


def test_bytes_are_whole() -> None:
    assert payload_of(Memory(b"ab"), Memory(b"c")).whole == b"abc"
    assert payload_of(Chunks([], "x")).whole is None
