"""Responses that arrive in chunks, in memory, and streams read to their end in any colour."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Colour


@dataclass(frozen=True)
class Arriving:
    """What the server answers: `chunks` one by one, and then perhaps a failure of the engine, such as `"ReadError"`."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fail: str = ""


Reaction = Arriving | Callable[[Any], Arriving]


def events(*chunks: bytes, fail: str = "", **headers: str) -> Arriving:
    """Server-sent events."""
    return Arriving(chunks, headers={"Content-Type": "text/event-stream", **headers}, fail=fail)


class Server:
    """An API in memory that streams: its reactions come in order, the last one again and again."""

    def __init__(self, engine: str, *reactions: Reaction) -> None:
        self.requests: list[Any] = []
        self.closed = 0
        """How many bodies were let go of."""
        self._library: Any = importlib.import_module(engine)
        self._reactions = list(reactions)
        self.transport = self._library.MockTransport(self._handle)

    def _handle(self, request: Any) -> Any:
        self.requests.append(request)
        reaction = self._reactions.pop(0) if len(self._reactions) > 1 else self._reactions[0]
        arriving = reaction if isinstance(reaction, Arriving) else reaction(request)
        body = _body(self, self._library, arriving)
        return self._library.Response(arriving.status, headers=arriving.headers, stream=body)


def _body(server: Server, library: Any, arriving: Arriving) -> Any:
    def chunks() -> Iterator[bytes]:
        yield from arriving.chunks
        if arriving.fail:
            raise getattr(library, arriving.fail)("it failed")

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            return chunks()

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Asynchronous(chunks())

        def close(self) -> None:
            server.closed += 1

        async def aclose(self) -> None:
            server.closed += 1

    return Body()


class _Asynchronous:
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


@dataclass
class Read:
    """What a stream gave, and how it ended."""

    items: list[Any] = field(default_factory=list[Any])
    error: Any = None
    stream: Any = None


def read(colour: Colour, endpoint: Any, *args: Any, most: int | None = None, **kwargs: Any) -> Read:
    """Read a stream of a `def` stub to its end, or `most` of its items, and close it."""
    from stubwire import CallError

    found = Read()

    def synchronous() -> None:
        with endpoint(*args, **kwargs) as found.stream:
            for item in found.stream:
                found.items.append(item)
                if len(found.items) == most:
                    break

    async def asynchronous() -> None:
        async with endpoint.aio(*args, **kwargs) as found.stream:
            async for item in found.stream:
                found.items.append(item)
                if len(found.items) == most:
                    break

    try:
        if colour.name == "sync":
            synchronous()
        else:
            colour.drive(asynchronous)
    except CallError as error:
        found.error = error
    return found


def save(colour: Colour, endpoint: Any, *args: Any, **options: Any) -> Any:
    """Save the stream of a `def` stub without arguments."""

    async def asynchronous() -> Any:
        return await endpoint.aio().save(*args, **options)

    if colour.name == "sync":
        return endpoint().save(*args, **options)
    return colour.drive(asynchronous)
