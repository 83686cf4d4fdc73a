"""HTTP/2 streams that are left before their end.

This module's rule: the server is told (RFC 9113, section 5.4.2), and what the stream took of the connection's window is
given back. httpcore forgets such a stream without a word: the server goes on sending into a window that nobody empties,
and soon nothing arrives on that connection any more. There is no public way, so this reaches into httpcore, and does
nothing where it finds something else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_CANCEL = 8
"""The error code of a stream that is no longer needed (RFC 9113, section 7)."""


def reset(response: httpx.Response) -> None:
    """Tell the server that nobody reads on, before the response is closed. Any failure is that of the connection."""
    stream = _http2_stream(response)
    with suppress(Exception):
        if stream is not None:
            _note(stream)
            stream._connection._write_outgoing_data(stream._request)


async def areset(response: httpx.Response) -> None:
    """The same, asynchronously; also by a task that is cancelled."""
    stream = _http2_stream(response)
    with suppress(Exception):
        if stream is not None:
            _note(stream)
            from anyio import CancelScope

            with CancelScope(shield=True):
                await stream._connection._write_outgoing_data(stream._request)


def _http2_stream(response: httpx.Response) -> Any:
    """Httpcore's stream of an HTTP/2 response, inside those that its pool and the library put around it, or `None`."""
    if response.extensions.get("http_version") != b"HTTP/2":
        return None
    stream: Any = response.stream
    while stream is not None and not hasattr(stream, "_connection"):
        stream = getattr(stream, "_httpcore_stream", None) or getattr(stream, "_stream", None)
    return stream


def _note(stream: Any) -> None:
    """Note for its connection what to send."""
    connection, number = stream._connection, stream._stream_id
    state = connection._h2_state
    unread = [getattr(event, "flow_controlled_length", None) or 0 for event in connection._events.get(number, ())]
    state.acknowledge_received_data(sum(unread), number)
    kept = state.streams.get(number)
    if kept is not None and not kept.closed:
        state.reset_stream(number, _CANCEL)
