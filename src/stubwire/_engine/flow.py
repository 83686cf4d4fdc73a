"""What flows through a transport: the content of a request, and the body of a response.

This module's rule: a body is read once and closed once, and then its place before the pool is another's; failures of
the core leave as the engine's. Nothing of what httpcore nests is left to the garbage collector.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from warnings import warn

if TYPE_CHECKING:
    from stubwire._engine.gate import AsyncGate, Gate
    from stubwire._engine.guard import AsyncArriving
    from stubwire._engine.transport import Wire


class Content:
    """What is sent, piece by piece; it can be left."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._pieces: AsyncIterator[bytes] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = aiter(self._stream)
        self._pieces = pieces
        return pieces

    async def aclose(self) -> None:
        pieces = self._pieces
        if isinstance(pieces, AsyncGenerator):
            await cast("AsyncGenerator[bytes]", pieces).aclose()


class Body:
    """The body of a response; mixed with the stream class of an engine."""

    _gate: Gate | None = None

    def __init__(self, stream: Any, gate: Gate, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire
        self._gate = gate

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as error:
            failure = self._wire.failure(error)
            if failure is None:
                raise
            raise failure from error

    def __del__(self) -> None:
        """Nobody closed it. A collector may call this anywhere, so that it takes no lock."""
        if self._gate is not None:
            self._gate.dropped.append(Left(self._stream, self._gate))
            warn("a response was never closed", ResourceWarning, stacklevel=1)

    def close(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            try:
                self._stream.close()
            finally:
                gate.leave()


class Left:
    """The body of a response that was dropped without being closed."""

    def __init__(self, stream: Any, gate: Gate | AsyncGate) -> None:
        self._stream = stream
        self._gate = gate

    def close(self) -> None:
        """Give its place back."""
        try:
            self._stream.close()
        finally:
            self._gate.leave()

    async def aclose(self) -> None:
        """The same, asynchronously."""
        try:
            await self._stream.aclose()
        finally:
            self._gate.leave()


class AsyncBody:
    """The same, asynchronously: no generator, so that nothing of it is left when it is left."""

    _gate: AsyncGate | None = None

    def __init__(self, stream: Any, gate: AsyncGate, wire: Wire, arriving: AsyncArriving | None) -> None:
        self._arriving = arriving
        self._stream = stream
        self._gate = gate
        self._wire = wire
        self._pieces: AsyncIterator[bytes] | None = None
        self._is_between = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._gate is None:
            raise StopAsyncIteration
        if self._pieces is None:
            self._pieces = aiter(self._stream)
        self._is_between = False
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            raise
        except Exception as error:
            failure = self._wire.failure(error)
            if failure is None:
                raise
            raise failure from error
        self._is_between = True
        return piece

    def __del__(self) -> None:
        """Nobody closed it, nor can here."""
        if self._gate is not None:
            self._gate.dropped.append(Left(self._stream, self._gate))
            warn("a response was never closed", ResourceWarning, stacklevel=1)

    async def aclose(self) -> None:
        gate, self._gate = self._gate, None
        if gate is None:
            return
        try:
            if self._pieces is not None and self._is_between:
                await self._unwind(self._pieces)
        finally:
            try:
                await self._stream.aclose()
            finally:
                gate.leave()
        if self._arriving is not None and self._arriving.interruption is not None:
            raise self._arriving.interruption

    async def _unwind(self, pieces: AsyncIterator[bytes]) -> None:
        """End the nested generators of httpcore, which their own `aclose` leaves to the garbage collector.

        What they wait for is cancelled, as if the whole call were; only what had arrived already still comes.
        """
        from anyio import CancelScope

        with suppress(Exception), CancelScope(shield=True) as scope:
            scope.cancel()
            while True:
                await anext(pieces)
