"""What goes out piece by piece: a payload as an engine's stream.

This module's rule: the engine pulls, the payload reads; each attempt gets a stream of its own, from the beginning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

    from stubwire._payload import Payload


class _Outgoing:
    """A payload, in both colours; mixed with the stream classes of an engine."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload

    def __iter__(self) -> Iterator[bytes]:
        return self._payload.chunks()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._payload.achunks()


def outgoing(library: ModuleType) -> Callable[[Payload], httpx.SyncByteStream]:
    """What makes an engine's stream of a payload."""
    kind = type("Outgoing", (_Outgoing, library.SyncByteStream, library.AsyncByteStream), {})
    return cast("Callable[[Payload], httpx.SyncByteStream]", kind)
