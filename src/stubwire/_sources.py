"""Where a body's bytes come from: memory, a file, or an iterable.

This module's rule: a file's length is taken once, and exactly that many bytes are read, in pieces of constant size;
what a person may see of a file is its name, never its path.
"""

from __future__ import annotations

import inspect
import io
import stat
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar, cast

from stubwire import _clock
from stubwire.errors import ArgumentError, ProtocolError

PIECE = 2**18
"""How many bytes of a file are read at once: measured, the least that keeps up with a socket."""

SLOW = 0.01
"""Seconds after which a piece was slow."""

T = TypeVar("T")

BYTES = (bytes, bytearray, memoryview)


class Readable(Protocol):
    """A binary file object."""

    def read(self, size: int = ..., /) -> bytes:
        """At most so many bytes; none at its end."""
        ...


class Memory:
    """Bytes that are there."""

    asynchronous = False
    once = ""

    def __init__(self, content: bytes, shown: str = "bytes") -> None:
        self.content = content
        self.length: int | None = len(content)
        self.shown = shown

    def read(self) -> Generator[bytes]:
        """The bytes, in pieces."""
        content = self.content
        if len(content) <= PIECE:
            yield content
            return
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    async def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        for piece in self.read():
            yield piece


class Disk:
    """A file at a path, opened when it is read.

    Raises:
        ArgumentError: it cannot be.
    """

    asynchronous = False
    shown = "file"

    def __init__(self, path: Path, where: str) -> None:
        self._path = path
        self._name = path.name
        self.length, self.once = _measured(path, where)

    def read(self) -> Generator[bytes]:
        """Its bytes, in pieces."""
        with _system(lambda: self._path.open("rb", buffering=0), self._name) as file:
            yield from _pieces(file, self._name, self.length)

    def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        return _unhurried(self.read(), waits=self.length is None)


class Opened:
    """A binary file object, from where it stands; it is not closed.

    Raises:
        ArgumentError: it is closed, or no binary file.
    """

    asynchronous = False
    shown = "file"

    def __init__(self, file: Readable, name: str, where: str) -> None:
        _check_readable(file, where)
        self._file = file
        self._name = name
        self._start, self.length = _extent(file)
        self.once = "" if self._start is not None else "a file that cannot be rewound"

    def read(self) -> Generator[bytes]:
        """Its bytes, in pieces."""
        if (start := self._start) is not None:
            _system(lambda: cast("io.BufferedIOBase", self._file).seek(start), self._name)
        yield from _pieces(self._file, self._name, self.length)

    def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        return _unhurried(self.read(), waits=self.length is None)


class Chunks:
    """What an iterable of bytes gives; encoders make one of models.

    Attributes:
        where: endpoint and parameter, for messages.
    """

    asynchronous = False
    length: int | None = None
    shown = "stream"

    def __init__(self, iterable: Iterable[bytes], where: str) -> None:
        self._iterable = iterable
        self._where = where
        self.once = once(iterable)

    def read(self) -> Generator[bytes]:
        """Its chunks, but for empty ones."""
        for chunk in self._iterable:
            if found := _checked(chunk, self._where):
                yield found

    async def aread(self) -> AsyncGenerator[bytes]:
        """The same: it is iterated on the event loop."""
        for chunk in self.read():
            yield chunk


class AsyncChunks:
    """What an asynchronous iterable of bytes gives, in asynchronous calls."""

    asynchronous = True
    length: int | None = None
    shown = "stream"

    def __init__(self, iterable: AsyncIterable[bytes], where: str) -> None:
        self._iterable = iterable
        self._where = where
        self.once = once(iterable)

    def read(self) -> Generator[bytes]:
        """Never called: a payload refuses first."""
        raise AssertionError("unreachable")

    async def aread(self) -> AsyncGenerator[bytes]:
        """Its chunks, but for empty ones."""
        iterator = aiter(self._iterable)
        try:
            async for chunk in iterator:
                if found := _checked(chunk, self._where):
                    yield found
        finally:
            await close(iterator)


async def close(iterator: AsyncIterator[object]) -> None:
    """Close an asynchronous generator, which would otherwise wait for the garbage collector."""
    if isinstance(iterator, AsyncGenerator):
        await cast("AsyncGenerator[object]", iterator).aclose()


def once(iterable: Iterable[object] | AsyncIterable[object]) -> str:
    """What an iterable is, if it can be iterated only once."""
    if inspect.isgenerator(iterable) or inspect.isasyncgen(iterable):
        return "a generator"
    return "an iterator" if isinstance(iterable, (Iterator, AsyncIterator)) else ""


def _checked(chunk: object, where: str) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, BYTES):
        return bytes(cast("bytes", chunk))
    raise ArgumentError(f"{where}: a chunk must be bytes, not {type(chunk).__name__}")


# ---- files


async def _unhurried(pieces: Generator[bytes], *, waits: bool) -> AsyncGenerator[bytes]:
    """The pieces of a file without holding up the event loop: once one was slow, a thread waits for the rest.

    A thread for each piece costs half the throughput of a file that the system has in memory.
    """
    from anyio import to_thread

    try:
        while True:
            if waits:
                piece = await to_thread.run_sync(next, pieces, None)
            else:
                began = _clock.monotonic()
                piece = next(pieces, None)
                waits = _clock.monotonic() - began > SLOW
            if piece is None:
                return
            yield piece
    finally:
        pieces.close()


def _measured(path: Path, where: str) -> tuple[int | None, str]:
    """How long the file at a path is, and what it is if it can be read only once."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb", buffering=0) as file:  # so that one that may not be read is refused before any I/O
                return file.seek(0, io.SEEK_END), ""
        reason = "Is a directory" if stat.S_ISDIR(mode) else ""
    except OSError as error:
        reason = _reason(error)
    if reason:
        raise ArgumentError(f"{where}: the file {path.name!r} cannot be read: {reason}")
    return None, "a pipe or a device"


def _check_readable(file: Readable, where: str) -> None:
    if inspect.iscoroutinefunction(file.read):
        raise ArgumentError(f"{where}: an asynchronous file cannot be sent: give the file that it wraps")
    try:
        nothing: object = file.read(0)
    except (OSError, ValueError):  # it is closed, or open for writing only
        nothing = None
    if isinstance(nothing, str):
        raise ArgumentError(f"{where}: a text file cannot be sent: open it in binary mode, 'rb'")
    if nothing is None:
        raise ArgumentError(f"{where}: the file cannot be read: it is closed, or not open for reading")


def _extent(file: Readable) -> tuple[int | None, int | None]:
    """Where a file object stands, and how many bytes follow; nothing for one that cannot seek."""
    known = cast("io.BufferedIOBase", file)
    try:
        if not known.seekable():
            return None, None
        start = known.tell()
        end = known.seek(0, io.SEEK_END)
        known.seek(start)
    except (AttributeError, OSError):
        return None, None
    return start, max(0, end - start)


def _pieces(file: Readable, name: str, length: int | None) -> Generator[bytes]:
    """What follows in a file: exactly so many bytes, or all until its end.

    The last piece is held back until it is sure that the file ends there: nothing else than what was announced may
    look whole to a server.
    """
    if length is None:
        while piece := _piece(file, name, PIECE):
            yield piece
        return
    left = length
    while left:
        piece = _piece(file, name, min(PIECE, left))
        left -= len(piece)
        if not piece or left < 0 or (left == 0 and _piece(file, name, 1)):
            raise _changed(name, length)
        yield piece
    if not length and _piece(file, name, 1):
        raise _changed(name, length)


def _piece(file: Readable, name: str, size: int) -> bytes:
    piece = cast("object", _system(lambda: file.read(size), name))
    if not isinstance(piece, bytes):
        raise ProtocolError(f"cannot be sent: the file {name!r} gave {type(piece).__name__}, not bytes")
    return piece


def _system(call: Callable[[], T], name: str) -> T:
    """What the system gives, or why it does not."""
    try:
        return call()
    except (OSError, ValueError) as error:  # the latter of a file that was closed meanwhile
        reason = _reason(error)
    raise ProtocolError(f"cannot be sent: the file {name!r} cannot be read: {reason}")


def _changed(name: str, length: int) -> ProtocolError:
    return ProtocolError(f"cannot be sent: the file {name!r} has not the {length} bytes any more that it had")


def _reason(error: Exception) -> str:
    """What the system says, without the path."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is closed"
