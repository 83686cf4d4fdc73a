"""What arrives: a response's body, read whole or piece by piece.

This module's rule: pieces come decoded and counted; a failure between them leaves as a bare error of stubwire.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from inspect import isasyncgen
from typing import TYPE_CHECKING, Any, cast

from stubwire._engine.bounds import check_headers, check_size
from stubwire._engine.codings import CodingError
from stubwire._engine.codings import decoder as decoder_of
from stubwire._engine.resets import areset, reset
from stubwire._limits import current
from stubwire._response import Response
from stubwire.errors import CallError, DecodeError

if TYPE_CHECKING:
    from types import AsyncGeneratorType
    from typing import Never

    import httpx

    from stubwire._engine.codings import Decoder
    from stubwire._engine.failures import Failures


MANY = 1024
"""Pieces that are kept by themselves."""


class Incoming:
    """The body of one response that is still arriving.

    It is read once, in one colour, and closed by whoever reads it.
    """

    def __init__(self, response: httpx.Response, failures: Failures) -> None:
        self._response = response
        self._failures = failures
        self._decoder = _decoder(response, None)
        self._arriving: Arriving | None = None

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, decoded.

        Raises:
            CallError: the connection failed, or the body is not in its Content-Encoding.
        """
        response = self._response
        if response.is_closed:  # the transport had read it, or it was left
            yield from _already(response)
            return
        try:
            yield from _pieces(response, self._decoder)
        except self._failures.kinds as error:
            failure, cause = self._failure(error)
        else:
            return
        raise failure from cause

    def achunks(self) -> AsyncIterator[bytes]:
        """The same, asynchronously: no generator, which trio would want to see ended."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Be iterated."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        if self._arriving is None:
            self._arriving = Arriving(self._response, self._decoder)
        try:
            return await anext(self._arriving.pieces)
        except self._failures.kinds as error:
            failure, cause = self._failure(error)
        raise failure from cause

    def close(self) -> None:
        """Leave the rest of the body; the connection is closed unless all of it was read, or it has other streams."""
        reset(self._response)
        self._response.close()

    async def aclose(self) -> None:
        """The same, asynchronously."""
        try:
            await areset(self._response)
            if self._arriving is not None:
                await self._arriving.leave()
        finally:
            await self._response.aclose()

    def _failure(self, error: Exception) -> tuple[CallError, Exception | None]:
        request = cast("httpx.Request | None", getattr(error, "_request", None))
        return self._failures.bare(error), None if request is None else self._failures.cause(error, request)


def _already(response: httpx.Response) -> Iterator[bytes]:
    """What a transport read before; nothing of a body that was left."""
    if response.is_stream_consumed and response.content:
        yield response.content


def _pieces(response: httpx.Response, decoder: Decoder | None) -> Iterator[bytes]:
    """What arrives, decoded; the plain stream is cheaper than `iter_raw`, and the same bytes."""
    raw = iter(cast("httpx.SyncByteStream", response.stream))
    return raw if decoder is None else _all_decoded(response, decoder, raw)


def _all_decoded(response: httpx.Response, decoder: Decoder, raw: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in raw:
        yield from _decoded(response, decoder, chunk)
    _end(response, decoder)


class Arriving:
    """What arrives asynchronously, decoded, of a response that may be left in the middle.

    The libraries' streams are generators in generators, of which they end the outermost at best. Those that are left
    suspended are ended by nobody on trio, which complains of each; here they are ended with their response.

    Attributes:
        pieces: what arrives.
    """

    def __init__(self, response: httpx.Response, decoder: Decoder | None) -> None:
        self.pieces: AsyncIterator[bytes]
        self._raw: AsyncIterator[bytes]
        if response.is_closed:  # the transport had read it, or it was left
            self._raw = self.pieces = _Ready(_already(response))
            return
        self._raw = self.pieces = aiter(cast("httpx.AsyncByteStream", response.stream))
        if decoder is not None:
            self.pieces = _Decoded(response, decoder, self._raw)

    async def leave(self) -> None:
        """End it where it is; what another task waits in ends by itself, when its response is closed."""
        for generator in _nested(self._raw):
            if not generator.ag_running:
                await generator.aclose()


class _Ready(AsyncIterator[bytes]):
    """What had arrived."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        """The next piece."""
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


class _Decoded(AsyncIterator[bytes]):
    """What arrives, its codings undone."""

    def __init__(self, response: httpx.Response, decoder: Decoder, raw: AsyncIterator[bytes]) -> None:
        self._response = response
        self._decoder = decoder
        self._raw = raw
        self._unread: Iterator[bytes] = iter(())

    async def __anext__(self) -> bytes:
        """The next piece."""
        while True:
            for piece in self._unread:
                return piece
            try:
                chunk = await anext(self._raw)
            except StopAsyncIteration:
                _end(self._response, self._decoder)
                raise
            self._unread = _decoded(self._response, self._decoder, chunk)


def _nested(outer: object) -> list[AsyncGeneratorType[object, Never]]:
    """An asynchronous generator, what it iterates, what that iterates, and so on; they stand on each other's stacks.

    The default transport's bodies are none, and end what is inside them by themselves.
    """
    found: list[AsyncGeneratorType[object, Never]] = [outer] if isasyncgen(outer) else []
    for generator in found:
        inner = [each for each in gc.get_referents(generator) if isasyncgen(each)]
        found += [each for each in inner if each not in found]
    return found


def _join(chunks: list[bytes], blocks: list[bytes]) -> None:
    """Make one of many pieces: one of two bytes takes thirty times the memory that they do."""
    blocks.append(b"".join(chunks))
    chunks.clear()


def read(response: httpx.Response, limit: int | None) -> bytes:
    """The whole body.

    Raises:
        CallError: it is larger than `limit` bytes, or not in its Content-Encoding.
    """
    chunks: list[bytes] = []
    blocks: list[bytes] = []
    size = 0
    call = current()
    try:
        for chunk in _pieces(response, _decoder(response, limit)):
            if call is not None:
                call.check()  # a transport that is not ours knows nothing of it
            size += len(chunk)
            check_size(size, limit)
            chunks.append(chunk)
            if len(chunks) == MANY:
                _join(chunks, blocks)
    except BaseException:
        reset(response)
        raise
    return b"".join([*blocks, *chunks] if blocks else chunks)


async def aread(response: httpx.Response, limit: int | None) -> bytes:
    """The same, asynchronously."""
    chunks: list[bytes] = []
    blocks: list[bytes] = []
    size = 0
    arriving: Arriving | None = None
    try:
        arriving = Arriving(response, _decoder(response, limit))
        async for chunk in arriving.pieces:
            size += len(chunk)
            check_size(size, limit)
            chunks.append(chunk)
            if len(chunks) == MANY:
                _join(chunks, blocks)
    except BaseException:
        await areset(response)
        if arriving is not None:
            await arriving.leave()
        raise
    return b"".join([*blocks, *chunks] if blocks else chunks)


def read_already(response: httpx.Response) -> bytes:
    """The body, if somebody read it."""
    return response.content if response.is_stream_consumed else b""


def _decoder(response: httpx.Response, limit: int | None) -> Decoder | None:
    """What undoes the body's codings, or `None` if it has none.

    Raises:
        DecodeError: one is not read.
        ResponseTooLargeError: the headers are too many, or too long.
    """
    pairs = response.headers.raw
    codings: list[bytes] = []
    size = 0
    for name, value in pairs:
        size += len(name) + len(value)
        if len(name) == 16 and name.lower() == b"content-encoding":
            codings.append(value)
    check_headers(len(pairs), size)
    if not codings:
        return None
    shown = b", ".join(codings).decode("latin-1")
    try:
        return decoder_of(shown, limit)
    except CodingError as error:
        reason = str(error)
    message = f"answered {response.status_code} with the Content-Encoding {shown!r}, {reason}"
    raise DecodeError(message, response=received(response, b"", None))


def _decoded(response: httpx.Response, decoder: Decoder, chunk: bytes) -> Iterator[bytes]:
    """What a chunk becomes.

    Raises:
        DecodeError: it is not in its coding.
        ResponseTooLargeError: it becomes too much.
    """
    try:
        yield from decoder.feed(chunk)
    except CodingError:
        failed = True
    else:
        failed = False
    if failed:
        raise DecodeError(_not_decoded(response, "is not in"), response=received(response, b"", None))


def _end(response: httpx.Response, decoder: Decoder) -> None:
    """Nothing more arrives.

    Raises:
        DecodeError: the coding says that something is missing.
    """
    if not decoder.is_whole():
        raise DecodeError(_not_decoded(response, "ends too early for"), response=received(response, b"", None))


def _not_decoded(response: httpx.Response, what: str) -> str:
    return f"answered {response.status_code} with a body that {what} its Content-Encoding"


def received(response: httpx.Response, content: bytes, limit: int | None) -> Response[Any]:
    """A whole response as stubwire's own.

    Raises:
        ResponseTooLargeError: the body is larger than `limit` bytes.
    """
    check_size(len(content), limit)
    return Response._received(response.status_code, response.headers.raw, content, response)
