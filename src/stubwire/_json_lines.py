"""Values as lines of JSON: JSON Lines, which is also called NDJSON.

This module's rule: one line each, written when it is sent; lines that come quickly travel together, and one that was
waited for travels at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import closing
from typing import Any

from stubwire import _clock
from stubwire._sources import aclose, close, once
from stubwire.errors import ArgumentError

LINES = frozenset(
    {
        f"{kind}/{name}"
        for kind in ("application", "text")
        for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines", "x-json-lines")
    }
)
"""The content types that people give it: none is registered, `application/jsonl` is asked for."""

TOGETHER = 2**16
"""So many bytes of lines travel together."""
AT_ONCE = 0.05
"""Seconds after which lines travel, however few they are."""

Encode = Callable[[Any], bytes]


class Lines:
    """A line for each item of an iterable."""

    asynchronous = False
    length: int | None = None
    shown = "stream"

    def __init__(self, iterable: Iterable[object], encode: Encode, where: str) -> None:
        self._iterable = iterable
        self._encode = encode
        self._where = where
        self.once = once(iterable)

    def read(self) -> Generator[bytes]:
        """The lines."""
        written = _Written(self._encode, self._where)
        try:
            for item in self._iterable:
                if lines := written.add(item):
                    yield lines
            if lines := written.rest():
                yield lines
        finally:
            close(self._iterable)

    async def aread(self) -> AsyncGenerator[bytes]:
        """The same: it is iterated on the event loop."""
        with closing(self.read()) as written:
            for lines in written:
                yield lines


class AsyncLines:
    """A line for each item of an asynchronous iterable, in asynchronous calls."""

    asynchronous = True
    length: int | None = None
    shown = "stream"

    def __init__(self, iterable: AsyncIterable[object], encode: Encode, where: str) -> None:
        self._iterable = iterable
        self._encode = encode
        self._where = where
        self.once = once(iterable)

    def read(self) -> Generator[bytes]:
        """Never called: a payload refuses first."""
        raise AssertionError("unreachable")

    async def aread(self) -> AsyncGenerator[bytes]:
        """The lines."""
        written = _Written(self._encode, self._where)
        iterator = aiter(self._iterable)
        try:
            async for item in iterator:
                if lines := written.add(item):
                    yield lines
            if lines := written.rest():
                yield lines
        finally:
            await aclose(iterator)


class _Written:
    """Lines that wait to travel."""

    def __init__(self, encode: Encode, where: str) -> None:
        self._encode = encode
        self._where = where
        self._lines = bytearray()
        self._count = 0
        self._since = _clock.monotonic()

    def add(self, item: object) -> bytes:
        """One more; what travels now, if anything."""
        self._count += 1
        self._lines += line(item, self._count, self._encode, self._where)
        now = _clock.monotonic()
        if len(self._lines) < TOGETHER and now - self._since < AT_ONCE:
            return b""
        self._since = now
        return self.rest()

    def rest(self) -> bytes:
        """What waits still."""
        lines = bytes(self._lines)
        self._lines.clear()
        return lines


def line(item: object, number: int, encode: Encode, where: str) -> bytes:
    """One line.

    Raises:
        ArgumentError: the item cannot be sent; it says which line that would have been, from 1.
    """
    try:
        return encode(item) + b"\n"
    except ArgumentError as error:
        message = str(error).removeprefix(f"{where}: ")
    raise ArgumentError(f"{where}: line {number}: {message}")
