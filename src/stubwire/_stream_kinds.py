"""What a stream is declared as: the options `SSE` and `Lines`, and the shape that they and the type make.

This module's rule: what is wrong with a declaration is found when the class is created; a shape is made once, and says
how a response is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args, get_origin

from stubwire import _items, _kinds, _lazy
from stubwire._adapters import adapter, constrained
from stubwire._annotations import name_of
from stubwire._events import Event
from stubwire._lines import MAX_BYTES
from stubwire.errors import ConfigurationError, DecodeError, SpecError
from stubwire.retry import IDEMPOTENT

if TYPE_CHECKING:
    from stubwire._declaration import EndpointOptions
    from stubwire._response import Response

Kind = Literal["bytes", "text", "models", "events"]

_EVENT_STREAM = "text/event-stream"
_ACCEPT: dict[Kind, str] = {
    "bytes": "*/*",
    "text": "text/*, */*;q=0.5",
    "models": "application/x-ndjson, application/jsonl, text/event-stream;q=0.9, */*;q=0.5",
    "events": _EVENT_STREAM,
}
_ACCEPT_EVENTS_FIRST = "text/event-stream, application/x-ndjson;q=0.9, application/jsonl;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class SSE:
    """How to read server-sent events.

    Attributes:
        terminator: the data of an event that ends the stream, such as `"[DONE]"`; it is not given out.
        reconnect: whether to connect again, with `Last-Event-ID`, when the stream ends or its connection is lost; not
            after the terminator, nor after a 204. The wait is what the server's `retry` says, 3 seconds without one,
            and 60 at most.
        max_reconnects: how many in a row may bring no event.
        max_event_bytes: the largest event.
    """

    terminator: str | None = None
    reconnect: bool = False
    max_reconnects: int = 5
    max_event_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        _whole("SSE max_reconnects", self.max_reconnects)
        _whole("SSE max_event_bytes", self.max_event_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """How to read lines of text, or of JSON.

    Attributes:
        max_line_bytes: the longest line.
    """

    max_line_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        _whole("Lines max_line_bytes", self.max_line_bytes)


def _whole(name: str, value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{name}={value!r} must be a whole number from 1")


class Shape(NamedTuple):
    """How the responses of an endpoint are read.

    Attributes:
        kind: what the items are.
        accept: the `Accept` header where nobody declares one.
        sse: how events are read.
        limits: what bounds it.
        validate: JSON to an item, or to an event's data; `None` where no JSON is read.
    """

    kind: Kind
    accept: str
    sse: SSE
    limits: _items.Limits
    validate: _items.Validate | None

    def reader(self, response: Response, last_id: str) -> _items.Reader:
        """What reads one response.

        Raises:
            DecodeError: it is not what the stream is declared as.
        """
        if self.kind == "bytes" or response.status_code == 204:
            return _items.Chunks() if self.kind == "bytes" else _items.Nothing()
        if self.kind == "text":
            return _items.Text(response, self.limits)
        has_events = _items.content_type(response) == _EVENT_STREAM
        if self.kind == "events" and not has_events:
            what = response.content_type or "no content type"
            message = f"answered {response.status_code} with {what}, where {_EVENT_STREAM} was declared"
            raise DecodeError(message, response=response)
        if self.validate is None:
            return _items.EventTexts(response, self.limits, last_id)
        if self.kind == "events":
            return _items.EventModels(response, self.limits, last_id, self.validate)
        if has_events:
            return _items.EventData(response, self.limits, last_id, self.validate)
        return _items.JsonLines(response, self.limits, self.validate)


def check(method: str, returns: object, options: EndpointOptions, where: str) -> None:
    """Find what is wrong with a stream.

    Raises:
        SpecError: something is.
    """
    found, item = _read(returns)
    name = name_of(returns)
    if found in ("bytes", "text") and constrained(_lazy.item_type(returns)):
        raise SpecError(f"{where}: the items of {name} are not validated: leave out their constraints")
    if found == "events" and _kinds.plain(item) is bytes:
        raise SpecError(f"{where}: the data of an event is text or JSON: write Event[str], or Event[Model]")
    given = options.get("stream")
    if given is None:
        return
    if not isinstance(given, (SSE, Lines)):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
        raise SpecError(f"{where}: stream={given!r} says nothing: write stream=SSE(...) or stream=Lines(...)")
    fitting: tuple[Kind, ...] = ("models", "events") if isinstance(given, SSE) else ("models", "text")
    if found not in fitting:
        kind = type(given).__name__
        what = "Event[Model]" if isinstance(given, SSE) else "str"
        raise SpecError(f"{where}: stream={kind}(...) is not for {name}: drop it, or write -> Stream[{what}]")
    if isinstance(given, SSE) and given.reconnect and method not in IDEMPOTENT:
        raise SpecError(
            f"{where}: stream=SSE(reconnect=True) sends the request again, and a {method} may act twice: drop reconnect"
        )


def shape(returns: object, options: EndpointOptions, where: str) -> Shape:
    """The shape of a stream that was checked.

    Raises:
        SpecError: pydantic has no schema for its items.
    """
    found, item = _read(returns)
    given = options.get("stream")
    sse = given if isinstance(given, SSE) else SSE()
    line = given.max_line_bytes if isinstance(given, Lines) else MAX_BYTES
    terminator = None if sse.terminator is None else sse.terminator.encode()
    is_json = found == "models" or (found == "events" and _kinds.plain(item) is not str)
    return Shape(
        kind=found,
        accept=_ACCEPT_EVENTS_FIRST if found == "models" and sse is given else _ACCEPT[found],
        sse=sse,
        limits=_items.Limits(line, sse.max_event_bytes, terminator),
        validate=adapter(item, where).validate_json if is_json else None,
    )


def _read(returns: object) -> tuple[Kind, object]:
    """What the items are, and the type that is validated: that of the data for events."""
    item = _lazy.item_type(returns)
    inner = _kinds.plain(item)
    if inner is Event or get_origin(inner) is Event:
        return "events", (get_args(inner) or (str,))[0]
    if inner is bytes or inner is str:
        return ("bytes" if inner is bytes else "text"), item
    return "models", item
