"""What arrives: a response's body, read whole or piece by piece.

This module's rule: pieces come decoded and counted; a failure between them leaves as a bare error of stubwire.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from inspect import isasyncgen
from typing import TYPE_CHECKING, Any, cast

from stubwire._engine.resets import areset, reset
from stubwire._limits import current
from stubwire._response import Response
from stubwire.errors import CallError, DecodeError, ResponseTooLargeError

if TYPE_CHECKING:
    import httpx

    from stubwire._engine.failures import Failures


class Incoming:
    """The body of one response that is still arriving.

    It is read once, in one colour, and closed by whoever reads it.
    """

    def __init__(self, response: httpx.Response, failures: Failures) -> None:
        self._response = response
        self._failures = failures
        self._encoded = is_encoded(response)
        self._arriving: Arriving | None = None

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, decompressed.

        Raises:
            CallError: the connection failed, or the body is not in its Content-Encoding.
        """
        response = self._response
        if response.is_closed:  # the transport had read it, or it was left
            yield from _already(response)
            return
        try:
            yield from pieces(response, encoded=self._encoded)
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
            self._arriving = Arriving(self._response, encoded=self._encoded)
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
        cause = None if request is None else self._failures.cause(error, request)
        return failed(error, self._response, self._failures), cause


def _already(response: httpx.Response) -> Iterator[bytes]:
    """What a transport read before; nothing of a body that was left."""
    if response.is_stream_consumed and response.content:
        yield response.content


async def _aready(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def pieces(response: httpx.Response, *, encoded: bool) -> Iterator[bytes]:
    """What arrives, decompressed; the plain stream is cheaper than `iter_raw`, and the same bytes."""
    return response.iter_bytes() if encoded else iter(cast("httpx.SyncByteStream", response.stream))


class Arriving:
    """What arrives asynchronously, decompressed, of a response that may be left in the middle.

    The libraries' streams are generators in generators, of which they end the outermost at best. Those that are left
    suspended are ended by nobody on trio, which complains of each; here they are ended with their response.

    Attributes:
        pieces: what arrives.
    """

    def __init__(self, response: httpx.Response, *, encoded: bool) -> None:
        self.pieces: AsyncIterator[bytes]
        if response.is_closed:  # the transport had read it, or it was left
            self._raw = self.pieces = _aready(_already(response))
            return
        self._raw = self.pieces = aiter(cast("httpx.AsyncByteStream", response.stream))
        if encoded:
            raw = _Raw(self._raw)
            setattr(response, "aiter_raw", lambda: raw)  # noqa: B010 - its own would be lost where decoding fails
            self.pieces = response.aiter_bytes()

    async def leave(self) -> None:
        """End it where it is; what another task waits in ends by itself, when its response is closed."""
        for generator in (self.pieces, *_nested(self._raw)):
            if isasyncgen(generator) and not generator.ag_running:
                await generator.aclose()


class _Raw:
    """What is decompressed, for who ends what it iterates, or drops it."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Leave that to `Arriving.leave`."""


def _nested(outer: object) -> list[object]:
    """An asynchronous generator, what it iterates, what that iterates, and so on; they stand on each other's stacks.

    The default transport's bodies are none, and end what is inside them by themselves.
    """
    found: list[object] = [outer] if isasyncgen(outer) else []
    for generator in found:
        inner = [each for each in gc.get_referents(generator) if isasyncgen(each)]
        found += [each for each in inner if each not in found]
    return found


def read(response: httpx.Response, limit: int | None) -> bytes:
    """The whole body.

    Raises:
        CallError: it is larger than `limit` bytes, or compressed more than once.
    """
    chunks: list[bytes] = []
    size = 0
    call = current()
    try:
        for chunk in pieces(response, encoded=is_encoded(response)):
            if call is not None:
                call.check()  # a transport that is not ours knows nothing of it
            size += len(chunk)
            check_size(size, limit)
            chunks.append(chunk)
    except BaseException:
        reset(response)
        raise
    return b"".join(chunks)


async def aread(response: httpx.Response, limit: int | None) -> bytes:
    """The same, asynchronously."""
    chunks: list[bytes] = []
    size = 0
    arriving: Arriving | None = None
    try:
        arriving = Arriving(response, encoded=is_encoded(response))
        async for chunk in arriving.pieces:
            size += len(chunk)
            check_size(size, limit)
            chunks.append(chunk)
    except BaseException:
        await areset(response)
        if arriving is not None:
            await arriving.leave()
        raise
    return b"".join(chunks)


def failed(error: Exception, response: httpx.Response | None, failures: Failures) -> CallError:
    """What an engine raised, before a response or while its body was read."""
    if failures.is_of_coding(error) and response is not None:
        message = f"answered {response.status_code} with a body that is not in its Content-Encoding"
        return DecodeError(message, response=received(response, b"", None))
    return failures.bare(error)


def read_already(response: httpx.Response) -> bytes:
    """The body, if somebody read it."""
    return response.content if response.is_stream_consumed else b""


def is_encoded(response: httpx.Response) -> bool:
    """Whether the body is compressed.

    Raises:
        DecodeError: more than once: two kilobytes can then become gigabytes before anybody counts them.
    """
    codings = [value for name, value in response.headers.raw if len(name) == 16 and name.lower() == b"content-encoding"]
    if len(codings) > 1 or (codings and b"," in codings[0]):
        shown = b", ".join(codings).decode("latin-1")
        message = f"answered {response.status_code} with the Content-Encoding {shown!r}, and only one coding is read"
        raise DecodeError(message, response=received(response, b"", None))
    return bool(codings)


def received(response: httpx.Response, content: bytes, limit: int | None) -> Response[Any]:
    """A whole response as stubwire's own.

    Raises:
        ResponseTooLargeError: the body is larger than `limit` bytes.
    """
    check_size(len(content), limit)
    return Response._received(response.status_code, response.headers.raw, content, response)


def check_size(size: int, limit: int | None) -> None:
    """Refuse a body that has grown too large.

    Raises:
        ResponseTooLargeError: it has.
    """
    if limit is not None and size > limit:
        raise ResponseTooLargeError(f"answered with more than max_response_bytes={limit} bytes")
