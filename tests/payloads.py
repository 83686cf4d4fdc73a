"""What the tests of payloads share: every way to read one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import trio

from stubwire._payload import Payload

if TYPE_CHECKING:
    from stubwire._payload import Source

Read = Callable[[Payload], list[bytes]]


async def everything(payload: Payload) -> list[bytes]:
    async with aclosing(payload.achunks()) as chunks:
        return [chunk async for chunk in chunks]


READS: dict[str, Read] = {
    "sync": lambda payload: list(payload.chunks()),
    "asyncio": lambda payload: asyncio.run(everything(payload)),
    "trio": lambda payload: trio.run(everything, payload),
}


def payload_of(*sources: Source) -> Payload:
    return Payload(sources, "text/csv")


class Bare:
    """Reads, and says nothing else of itself."""

    def __init__(self, pieces: Iterable[object]) -> None:
        self._pieces = iter(pieces)

    def read(self, size: int = -1, /) -> Any:
        return b"" if size == 0 else next(self._pieces)
