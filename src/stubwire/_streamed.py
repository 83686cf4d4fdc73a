"""Responses whose bodies are still arriving: `StreamedResponse`.

This module's rule: such a response has status and headers, and a body that somebody reads once, and closes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

from typing_extensions import TypeVar

from stubwire._headers import Headers
from stubwire._response import Response

T = TypeVar("T", default=Any)


class Body(Protocol):
    """A body that may still be arriving."""

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces."""
        ...

    def achunks(self) -> AsyncIterator[bytes]:
        """The same, asynchronously."""
        ...

    def close(self) -> None:
        """Leave what was not read."""
        ...

    async def aclose(self) -> None:
        """The same, asynchronously."""
        ...


class StreamedResponse(Response[T]):
    """A response whose body is read while it arrives, by the stream that it belongs to.

    It has status and headers; reading its `content` is an error, and its `data` is `None`.
    """

    __slots__ = ("body",)

    body: Body

    @classmethod
    def _arriving(
        cls, status_code: int, pairs: list[tuple[bytes, bytes]], body: Body, raw: object
    ) -> StreamedResponse[Any]:
        """What an engine makes of a response whose body it leaves open."""
        self = cast("StreamedResponse[Any]", cls._received(status_code, pairs, b"", raw))
        self.body = body
        self._data = None
        return self

    if not TYPE_CHECKING:  # pragma: no branch - to checkers it is the attribute that every response has

        @property
        def content(self) -> bytes:
            """Nothing: iterate the stream.

            Raises:
                RuntimeError: always.
            """
            raise RuntimeError("the body of this response is streamed: iterate the stream that the call returned")

        @content.setter
        def content(self, value: bytes) -> None:
            """Keep nothing."""

    def __repr__(self) -> str:
        """Show status and type."""
        return f"<Response {self.status_code} {self.content_type or 'without a type'}, streamed>"

    def __copy__(self) -> StreamedResponse[T]:
        """Copy; both have the one body."""
        twin = cast("StreamedResponse[T]", self._arriving(self.status_code, [], self.body, self.raw))
        twin._headers = Headers._received(self.headers.pairs())
        twin.attempts, twin.elapsed, twin._request = self.attempts, self.elapsed, self._request
        return twin

    def _shown(self) -> bytes:
        return b""


class Blocking:
    """Chunks that are there, for who awaits them; no generator, which would want to be closed."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


class Whole:
    """A body that is there already: that of a response which a middleware made, or another call brought."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def chunks(self) -> Iterator[bytes]:
        """The body in one piece."""
        if self._content:
            yield self._content

    def achunks(self) -> AsyncIterator[bytes]:
        """The same, asynchronously."""
        return Blocking(self.chunks())

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""


def body_of(response: Response) -> Body:
    """The body of a response, arriving or not."""
    return response.body if isinstance(response, StreamedResponse) else Whole(response.content)
