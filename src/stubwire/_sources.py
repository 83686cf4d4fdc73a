"""Where a body's bytes come from: memory, or an iterable; a file is in `_files`.

This module's rule: pieces have a constant size where we cut them; a generator is closed as soon as it is not read on.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from contextlib import closing
from typing import cast

from stubwire.errors import ArgumentError

PIECE = 2**18
"""How many bytes of a file are read at once: measured, the least that keeps up with a socket."""

BYTES = (bytes, bytearray, memoryview)


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
        try:
            for chunk in self._iterable:
                if found := _checked(chunk, self._where):
                    yield found
        finally:
            close(self._iterable)

    async def aread(self) -> AsyncGenerator[bytes]:
        """The same: it is iterated on the event loop."""
        with closing(self.read()) as chunks:
            for chunk in chunks:
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
            await aclose(iterator)


def close(iterable: Iterable[object]) -> None:
    """Close a generator, which would otherwise wait for whoever keeps it, such as an error with its arguments."""
    if isinstance(iterable, Generator):
        cast("Generator[object]", iterable).close()


async def aclose(iterator: AsyncIterator[object]) -> None:
    """The same for an asynchronous one."""
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
