"""Content codings, undone piece by piece (RFC 9110, section 8.4.1).

This module's rule: pure. No piece is larger than 64 KiB, whatever was packed into it, so that whoever counts them can
stop in time; and a coding that ends too early is no end.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from stubwire._engine.bounds import check_size
from stubwire.errors import ResponseTooLargeError

PIECE = 64 * 1024
"""Bytes that are unpacked at a time."""
MAX_CODINGS = 5
"""Codings around one another; one of them is usual."""

_PARTS = 10_000
"""Members or frames that a coding may have, and one more for each KiB that comes out: each costs a decoder of its own,
whatever is in it."""
_ZSTD_WINDOW = 23
"""8 MiB, the base-2 logarithm of the largest window that a decoder has to offer (RFC 9659, section 3)."""
_UNREAD = frozenset({"aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd"})
"""Registered codings that are not read, or only with an extra."""
_EXTRAS = {"br": "brotli", "zstd": "zstd"}


class CodingError(Exception):
    """The bytes are not in their coding, or the coding is one that is not read."""


class _Coding(Protocol):
    """One coding of one body."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes become; to be read to its end."""
        ...

    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        ...


class _Parts:
    """How many members or frames a coding has, and what came out of them."""

    def __init__(self) -> None:
        self._begun = 0
        self._size = 0

    def begin(self) -> None:
        """There is another.

        Raises:
            ResponseTooLargeError: there are too many, for how little they hold.
        """
        self._begun += 1
        if self._begun > _PARTS + self._size // 1024:
            raise ResponseTooLargeError(f"answered with a body of more than {self._begun - 1} packed parts")

    def hold(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Count what comes out."""
        for piece in pieces:
            self._size += len(piece)
            yield piece


class _Gzip:
    """Members that may follow each other (RFC 1952, section 2.2); what follows and is none is ignored, as all do."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._parts = _Parts()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflating.eof:
                if not data.startswith(b"\x1f"):
                    return
                self._parts.begin()
                self._inflating = zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield from self._parts.hold(_inflated(self._inflating, data))
            data = self._inflating.unused_data

    def is_whole(self) -> bool:
        return self._inflating.eof


class _Deflate:
    """The zlib format, or, as some servers have it, the bare stream inside (RFC 9110, section 8.4.1.2)."""

    def __init__(self) -> None:
        self._head = b""
        self._inflating: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflating is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            is_zlib = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0  # RFC 1950, section 2.2
            self._inflating = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        yield from _inflated(self._inflating, data)

    def is_whole(self) -> bool:
        return self._inflating is not None and self._inflating.eof


def _inflated(inflating: Any, data: bytes) -> Iterator[bytes]:
    while not inflating.eof:
        piece: bytes = inflating.decompress(data, PIECE)
        if piece:
            yield piece
        data = inflating.unconsumed_tail
        if not data and len(piece) < PIECE:
            return


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._decompressor: Any = _brotli().Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        process = self._decompressor.process
        while piece := process(data, output_buffer_limit=PIECE // 4):  # the buffer may grow beyond
            yield piece
            data = b""

    def is_whole(self) -> bool:
        return bool(self._decompressor.is_finished())


class _Zstd:
    """Frames that may follow each other (RFC 8878, section 3.1)."""

    def __init__(self) -> None:
        self._zstd = _zstd()
        self._parts = _Parts()
        self._begin()

    def _begin(self) -> None:
        self._parts.begin()
        options = {self._zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        self._decompressor: Any = self._zstd.ZstdDecompressor(options=options)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._decompressor.needs_input or self._decompressor.eof):
            if self._decompressor.eof:
                self._begin()
            piece: bytes = self._decompressor.decompress(data, PIECE)
            data = self._decompressor.unused_data if self._decompressor.eof else b""
            if piece:
                yield from self._parts.hold((piece,))

    def is_whole(self) -> bool:
        return bool(self._decompressor.eof)


class Decoder:
    """All codings of one body, undone from the outermost.

    Args:
        codings: from the outermost.
        limit: the bytes that any of them may become; `None` for no limit. The innermost alone would not do: one packed
            byte becomes a thousand, and those may be a thousand ways to say nothing. What arrives may be a little more,
            because packing adds some bytes to what cannot be packed.
    """

    def __init__(self, codings: list[_Coding], limit: int | None) -> None:
        self._codings = codings
        self._limit = limit
        self._sizes = [0] * len(codings)
        self._arrived = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes become, in pieces; to be read to its end.

        Raises:
            CodingError: they are not in their coding.
            ResponseTooLargeError: they become too many.
        """
        self._arrived += len(data)
        if self._limit is not None:
            check_size(self._arrived - self._arrived // 8 - PIECE, self._limit)
        pieces: Iterable[bytes] = (data,)
        for stage, coding in enumerate(self._codings):
            pieces = self._unpacked(stage, coding, pieces)
        return _guarded(pieces)

    def is_whole(self) -> bool:
        """Whether nothing is missing; a body of no bytes at all is empty, whatever its coding."""
        return not self._arrived or all(coding.is_whole() for coding in self._codings)

    def _unpacked(self, stage: int, coding: _Coding, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for packed in pieces:
            for piece in coding.feed(packed):
                self._sizes[stage] += len(piece)
                check_size(self._sizes[stage], self._limit)
                yield piece


def _guarded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    failed = False
    try:
        yield from pieces
    except ResponseTooLargeError:
        raise
    except Exception:  # noqa: BLE001 - each library has its own
        failed = True
    if failed:
        raise CodingError("is not in its coding")


def decoder(content_encoding: str, limit: int | None) -> Decoder | None:
    """What undoes the codings that a header names, or `None` if there is nothing to undo.

    A name that is no coding at all, such as `utf-8`, is a server's mistake for something else, and ignored.

    Args:
        content_encoding: the header's values, joined by commas.
        limit: the bytes that each coding may become; `None` for no limit.

    Raises:
        CodingError: a coding is not read, or there are too many.
    """
    names = [name for item in content_encoding.split(",") if (name := item.strip(" \t").lower())]
    makers = [_MAKERS[name] for name in names if name in _MAKERS and _is_there(name)]
    if len(makers) > MAX_CODINGS:
        raise CodingError(f"and at most {MAX_CODINGS} codings are read")
    unread = next((name for name in names if name in _UNREAD and not _is_there(name)), None)
    if unread is not None:
        advice = f"needs pip install 'stubwire[{_EXTRAS[unread]}]'" if unread in _EXTRAS else "is not read"
        raise CodingError(f"which {advice}")
    return Decoder([make() for make in reversed(makers)], limit) if makers else None


def accepted() -> str:
    """The `Accept-Encoding` of all that is read here."""
    return ", ".join(["gzip", "deflate", *(name for name in _EXTRAS if _is_there(name))])


def _is_there(name: str) -> bool:
    if name == "br":
        return _brotli() is not None
    if name == "zstd":
        return _zstd_name() is not None
    return name in _MAKERS


def _brotli() -> Any:
    """The package that can bound what it unpacks, or `None`: brotli and brotlicffi before 1.2 cannot."""
    for name in ("brotli", "brotlicffi"):
        module = import_module(name) if find_spec(name) else None
        if hasattr(getattr(module, "Decompressor", None), "can_accept_more_data"):
            return module
    return None


def _zstd() -> Any:
    return import_module(_zstd_name() or "backports.zstd")


def _zstd_name() -> str | None:
    """The module that Python has from 3.14 on, or the package that brings it to others; `None` without both."""
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ModuleNotFoundError):  # of the package around it
            if find_spec(name) is not None:
                return name
    return None


_MAKERS: dict[str, Callable[[], _Coding]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
