"""Results that arrive while they are read: `Stream`, its asynchronous twin `AsyncStream`, and how to declare them.

This module's rule: thin shells in two colours. They open a response, feed its chunks to a reader and close it, whatever
happens; what the chunks mean is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import ref

from stubwire import _stream_kinds
from stubwire._events import Event
from stubwire._lazy import Lazy
from stubwire._runtime import SYNC, current, run_sync
from stubwire._stream_kinds import SSE, Lines, check
from stubwire._streaming import Streamed
from stubwire.errors import CallError, TransportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stubwire._codecs import Codec
    from stubwire._core import Core
    from stubwire._declaration import EndpointOptions
    from stubwire._plan import Plan
    from stubwire._progress import Progress
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._runtime import Runtime
    from stubwire._spec import EndpointSpec
    from stubwire._streamed import Body

__all__ = ["SSE", "AsyncStream", "Event", "Lines", "Stream", "check", "lazy"]

T = TypeVar("T")


class Stream(Streamed[T]):
    """Items that arrive while they are iterated.

    `Stream[bytes]` are chunks, `Stream[str]` lines of text, `Stream[Model]` JSON Lines or the data of server-sent
    events, and `Stream[Event[T]]` the events themselves.

    Nothing is sent before it is entered or iterated, which can be done once. `with` releases the connection however its
    block is left; without it, the connection is released at the end of the items, or when the iterator is dropped.

    A deadline, also that of a `with deadline(...)` block, ends at the headers: then the read timeout holds, for each
    chunk. A `CancelToken` ends a stream wherever it is, with a `CancelError` before the next item.
    """

    _items: Callable[[], Generator[T] | None] | None = None

    def __enter__(self) -> Self:
        """Send the request and read status and headers.

        Raises:
            CallError: it brought no success.
        """
        self._become("open", "new")
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        """Release the connection."""
        self.close()

    def __iter__(self) -> Iterator[T]:
        """The items.

        Raises:
            RuntimeError: they are or were iterated, or the stream is closed.
            CallError: while iterating: the connection failed, or what came is not what was declared.
        """
        self._become("being read", "new", "open")
        items = self._run()
        self._items = ref(items)
        return items

    def close(self) -> None:
        """Release the connection; what has not arrived is left.

        Raises:
            RuntimeError: another thread waits for an item: only that one can leave it.
        """
        items = self._items() if self._items else None
        if items is not None:
            if getattr(items, "gi_running", False):
                raise RuntimeError(f"{self._name} is being read by another thread: close it there")
            items.close()
        self._state = "closed"
        self._release()

    def _open(self) -> Body:
        opening = self._core.open(self._plan, self._next_request(), SYNC)
        return self._opened(run_sync(opening, self._plan.name))

    def _release(self) -> None:
        body = self._taken()
        if body is not None:
            body.close()

    def _run(self) -> Generator[T]:
        wait: float | None = 0.0
        try:
            while wait is not None:
                failure: TransportError | None = None
                try:
                    body = self._body or self._open()
                    reader = self._begin_reading()
                    for chunk in self._chunks(body):
                        yield from self._given(reader.feed(chunk))
                        if reader.over:
                            return
                    yield from self._given(reader.end())
                except TransportError as error:
                    failure = error
                wait = self._wait(failure)
                if wait is not None:
                    self._release()
                    run_sync(self._pause(SYNC, wait), self._plan.name)
        except CallError as error:
            self._call.dress(error)
            raise
        finally:
            self._state = "closed"
            self._release()

    def save(
        self: Stream[bytes],
        path: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        resume: bool = True,
        sha256: str | None = None,
    ) -> Path:
        """Save what arrives as a file, which has its name only when it is whole.

        Args:
            path: of the file; one that is there is replaced, and so is a link; the new one gets its permissions.
            progress: `True` for a bar, or a callable of the bytes done and those in all (`None` while nobody knows).
            resume: whether to go on where an earlier call failed, which left `<name>.part`, and to leave one.
            sha256: what the file must hash to, in hexadecimal digits.

        Raises:
            CallError: the server or the connection failed, or the file is not what it should be.
            OSError: the file cannot be written, or what is there is none.
            ArgumentError: `sha256` is no hash.
        """
        from stubwire import _save

        return _save.save(self, path, progress=progress, resume=resume, sha256=sha256)


class AsyncStream(Streamed[T]):
    """The asynchronous twin of `Stream`: `async with`, `async for`, and `await` for what does I/O."""

    _runtime: Runtime
    _items: AsyncGenerator[T] | None = None
    _entered = False

    async def __aenter__(self) -> Self:
        """Send the request and read status and headers.

        Raises:
            CallError: it brought no success.
        """
        self._become("open", "new")
        self._entered = True
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release the connection."""
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[T]:
        """The items.

        Raises:
            RuntimeError: they are or were iterated, or the stream is closed.
            CallError: while iterating: the connection failed, or what came is not what was declared.
        """
        self._become("being read", "new", "open")
        items = self._run()
        if self._entered:  # else dropping the iterator releases the connection, which a reference would prevent
            self._items = items
        return items

    async def aclose(self) -> None:
        """Release the connection; what has not arrived is left. A task that waits for an item gets a `ReadError`."""
        self._state = "closed"
        items, self._items = self._items, None
        if items is not None and not getattr(items, "ag_running", False):
            await items.aclose()
        await self._release()

    async def _open(self) -> Body:
        self._runtime = current()
        body = self._opened(await self._core.open(self._plan, self._next_request(), self._runtime))
        if self._state == "closed":
            await self._release()
            raise self._closed()
        return body

    async def _release(self) -> None:
        body = self._taken()
        if body is not None:
            await self._runtime.release(body)

    async def _run(self) -> AsyncGenerator[T]:
        wait: float | None = 0.0
        try:
            while wait is not None:
                failure: TransportError | None = None
                try:
                    body = self._body or await self._open()
                    reader = self._begin_reading()
                    async for chunk in self._achunks(body, self._runtime):
                        for item in self._given(reader.feed(chunk)):
                            yield item
                        if reader.over:
                            return
                    for item in self._given(reader.end()):
                        yield item
                except TransportError as error:
                    failure = error
                wait = self._wait(failure)
                if wait is not None:
                    await self._release()
                    await self._pause(self._runtime, wait)
        except CallError as error:
            self._call.dress(error)
            raise
        finally:
            self._state = "closed"
            await self._release()

    async def save(
        self: AsyncStream[bytes],
        path: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        resume: bool = True,
        sha256: str | None = None,
    ) -> Path:
        """The same as `Stream.save`; the disk is written by a thread."""
        from stubwire import _save

        return await _save.asave(self, path, progress=progress, resume=resume, sha256=sha256)


def lazy(spec: EndpointSpec, options: EndpointOptions, codecs: Sequence[Codec]) -> Lazy:  # noqa: ARG001 - as pages'
    """How an endpoint makes its streams.

    Raises:
        SpecError: pydantic has no schema for the items.
    """
    shape = _stream_kinds.shape(spec.returns, options, spec.name)

    def sync(core: Core, plan: Plan, request: Request) -> object:
        return Stream[Any]._make(core, plan, request, shape)

    def asynchronous(core: Core, plan: Plan, request: Request) -> object:
        return AsyncStream[Any]._make(core, plan, request, shape)

    return Lazy(sync, asynchronous, _leave, shape.accept)


def _leave(_: Response) -> None:
    """Decode nothing: the stream reads the response."""
