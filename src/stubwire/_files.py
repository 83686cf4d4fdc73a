"""Files that are sent: at a path, or opened by the user.

This module's rule: a file's length is taken once, and exactly that many bytes are read, in pieces of constant size;
what a person may see of a file is its name, never its path. A file object stands at one place, so one call at a time
reads it, and leaves it where it stood.
"""

from __future__ import annotations

import inspect
import io
import stat
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeVar, cast

from stubwire import _clock
from stubwire._sources import PIECE
from stubwire.errors import ArgumentError, ProtocolError, StubwireError
from stubwire.markers import UNSET

SLOW = 0.01
"""Seconds after which a piece was slow."""

T = TypeVar("T")

_READ: set[int] = set()
"""The file objects that are being read, by id."""
_LOCK = Lock()
_TAKEN = "is being read by another call: give each its own, or a pathlib.Path"


class Readable(Protocol):
    """A binary file object."""

    def read(self, size: int = ..., /) -> bytes:
        """At most so many bytes; none at its end."""
        ...


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
    """A binary file object, from where it stands; it is not closed, and left where it stood.

    Raises:
        ArgumentError: it is closed, no binary file, or being read by another call.
    """

    asynchronous = False
    shown = "file"

    def __init__(self, file: Readable, name: str, where: str) -> None:
        self._file = file
        self._name = name
        with _alone(file, ArgumentError(f"{where}: the file {name!r} {_TAKEN}")):
            _check_readable(file, where)
            self._start, self.length = _extent(file, where)
        self.once = "" if self._start is not None else "a file that cannot be rewound"

    def read(self) -> Generator[bytes]:
        """Its bytes, in pieces."""
        with _alone(self._file, ProtocolError(f"cannot be sent: the file {self._name!r} {_TAKEN}")):
            if self._start is not None:
                _system(self._rewind, self._name)
            try:
                yield from _pieces(self._file, self._name, self.length)
            finally:
                with suppress(OSError, ValueError):  # it was closed meanwhile
                    self._rewind()

    def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        return _unhurried(self.read(), waits=self.length is None)

    def _rewind(self) -> None:
        """Back to where it stood, so that whoever sends it again sends the same."""
        if self._start is not None:
            cast("io.BufferedIOBase", self._file).seek(self._start)


@contextmanager
def _alone(file: object, otherwise: StubwireError) -> Generator[None]:
    """While somebody reads a file object, which stands at one place only, nobody else does."""
    with _LOCK:
        taken = id(file) in _READ
        _READ.add(id(file))
    if taken:
        raise otherwise
    try:
        yield
    finally:
        _READ.discard(id(file))


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
    except TypeError:
        nothing = UNSET
    except (OSError, ValueError):  # it is closed, or open for writing only
        nothing = None
    if nothing is UNSET:
        raise ArgumentError(f"{where}: a {type(file).__name__} cannot be sent: its read() takes no size")
    if isinstance(nothing, str):
        raise ArgumentError(f"{where}: a text file cannot be sent: open it in binary mode, 'rb'")
    if nothing is None:
        raise ArgumentError(f"{where}: the file cannot be read: it is closed, or not open for reading")


def _extent(file: Readable, where: str) -> tuple[int | None, int | None]:
    """Where a file object stands, and how many bytes follow; nothing for one that cannot seek.

    Raises:
        ArgumentError: its end cannot be found, as that of a damaged archive.
    """
    known = cast("io.BufferedIOBase", file)
    try:
        if not known.seekable():
            return None, None
        start = known.tell()
        end = known.seek(0, io.SEEK_END)
        known.seek(start)
    except (AttributeError, OSError):
        return None, None
    except Exception as error:  # noqa: BLE001 - of gzip, zlib, lzma or zipfile, or of a file of the user's own
        kind = type(error).__name__
    else:
        return start, max(0, end - start)
    raise ArgumentError(f"{where}: the file cannot be read to its end ({kind})")


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
