"""What arrives on one connection of a stream, as items: chunks, lines, models or events.

This module's rule: pure. A reader is fed with chunks and gives out items; it raises bare errors, after the items before
them and without showing a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import length_hint
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from pydantic import ValidationError
from pydantic_core import from_json

from stubwire._charset import CharsetError
from stubwire._events import Event, Events, Raw
from stubwire._lines import Newlines, Splitter, Utf8
from stubwire._response import too_much
from stubwire._validation import details, noted, unfit
from stubwire.errors import CallError, DecodeError, ErrorDetail, ResponseTooLargeError

if TYPE_CHECKING:
    from stubwire._response import Response

Validate = Callable[[bytes], Any]
"""JSON to a value of the declared type, or a `ValidationError`."""


_event = cast("Callable[[type[Event[Any]], tuple[Any, ...]], Event[Any]]", getattr(tuple, "__new__"))  # noqa: B009
"""Makes an `Event` in half the time that calling it takes."""


class Limits(NamedTuple):
    """What bounds a stream.

    Attributes:
        line: the most bytes of a line.
        event: the most bytes of an event.
        terminator: the data of an event that ends the stream; `None` without one.
    """

    line: int
    event: int
    terminator: bytes | None


class Reader(Protocol):
    """One connection's chunks to items.

    Attributes:
        over: whether what the items end with has come, so that nothing more is to be read.
    """

    over: bool

    def feed(self, chunk: bytes) -> Iterable[Any]:
        """The items that end in this chunk."""
        ...

    def end(self) -> Iterable[Any]:
        """The items that end with the stream."""
        ...


class Chunks:
    """The chunks themselves, as they arrive."""

    over = False

    def feed(self, chunk: bytes) -> Iterable[Any]:
        """The chunk."""
        return (chunk,) if chunk else ()

    def end(self) -> Iterable[Any]:
        """Nothing."""
        return ()


class Nothing:
    """No items: a 204 has none, whatever else a transport that is no server says."""

    over = False

    def feed(self, chunk: bytes) -> Iterable[Any]:  # noqa: ARG002 - as the others'
        """Nothing."""
        return ()

    def end(self) -> Iterable[Any]:
        """Nothing."""
        return ()


class _OfLines:
    """What readers of lines share: charset, bounds, and the number of a line."""

    over = False

    def __init__(self, response: Response, limits: Limits) -> None:
        self._response = response
        self._limit = limits.line
        self._splitter = Splitter(limits.line)
        self._utf8 = _utf8(response)
        self._count: int = 0

    def _check(self) -> None:
        if self._utf8.wrong:
            raise DecodeError(f"{_answered(self._response)} a body that {self._utf8.wrong}", response=self._response)
        if self._splitter.too_long:
            limit = f"max_line_bytes={self._limit}"
            raise ResponseTooLargeError(f"{_answered(self._response)} a line of more than {limit} bytes")


class Text(_OfLines):
    r"""Lines of text in the charset that the server names, without their ends: `\n`, `\r\n` or `\r`."""

    def __init__(self, response: Response, limits: Limits) -> None:
        super().__init__(response, limits)
        self._newlines = Newlines()

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Any]:
        """The lines that end in this chunk."""
        chunk = self._newlines.feed(self._utf8.feed(chunk, final=final))
        yield from self._decoded(self._splitter.feed(chunk))
        self._check()

    def end(self) -> Iterator[Any]:
        """The last line, if nothing ends it."""
        yield from self.feed(b"", final=True)
        if rest := self._splitter.end():
            yield from self._decoded([rest])

    def _decoded(self, lines: list[bytes]) -> Iterator[str]:
        try:
            yield from map(bytes.decode, lines)
        except UnicodeDecodeError:
            self._utf8.wrong = "is not utf-8"
        self._check()


class JsonLines(_OfLines):
    """Models, one a line (JSON Lines, NDJSON); blank lines are left out."""

    def __init__(self, response: Response, limits: Limits, validate: Validate) -> None:
        super().__init__(response, limits)
        self._validate = validate

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Any]:
        """The models whose lines end in this chunk."""
        yield from self._models(self._splitter.feed(self._utf8.feed(chunk, final=final)))
        self._check()

    def _models(self, lines: list[bytes]) -> Iterator[Any]:
        remaining = iter(lines)
        failure: CallError | None = None
        while failure is None and length_hint(remaining):
            try:
                yield from map(self._validate, remaining)
            except ValidationError as error:
                at = len(lines) - length_hint(remaining) - 1
                if lines[at].strip():
                    failure = _unfit(self._response, details(error), f"line {self._count + at + 1}")
            except Exception as error:
                noted(error, self._response.request.endpoint)
                raise
        if failure is not None:
            raise failure
        self._count += len(lines)

    def end(self) -> Iterator[Any]:
        """The model of the last line, if nothing ends it."""
        yield from self.feed(b"", final=True)
        rest = self._splitter.end()
        if not rest.strip():
            return
        if _is_cut_off(rest):
            message = f"{_answered(self._response)} a body that ends within line {self._count + 1}"
            raise DecodeError(message, response=self._response)
        yield from self._models([rest])


class OfEvents:
    """What readers of server-sent events share.

    Attributes:
        events: their parser.
        count: how many were given out.
    """

    _skips_blank = False

    def __init__(self, response: Response, limits: Limits, last_id: str) -> None:
        self.over = False
        self.events = Events(limits.event, last_id)
        self.count = 0
        self._response = response
        self._limits = limits

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """The items whose events end in this chunk."""
        found = self._until_terminator(self.events.feed(chunk))
        before, self.count = self.count, self.count + len(found)
        remaining = iter(found)
        failure: CallError | None = None
        while failure is None and length_hint(remaining):
            try:
                yield from self._made(remaining)
            except ValidationError as error:
                at = len(found) - length_hint(remaining) - 1
                if (repaired := _repaired(found[at])) is not None:
                    found[at] = repaired
                    remaining = iter(found[at:])
                elif found[at][0].strip() or not self._skips_blank:
                    failure = _unfit(self._response, details(error), f"event {before + at + 1}")
            except Exception as error:
                noted(error, self._response.request.endpoint)
                raise
        if failure is not None:
            raise failure
        if self.events.too_large and not self.over:
            limit = f"max_event_bytes={self._limits.event}"
            raise ResponseTooLargeError(f"{_answered(self._response)} an event of more than {limit} bytes")

    def end(self) -> Iterable[Any]:
        """Nothing: an event that the end cuts off is no event."""
        return ()

    def _until_terminator(self, found: list[Raw]) -> list[Raw]:
        terminator = self._limits.terminator
        if terminator is not None:
            for index, raw in enumerate(found):
                if raw[0] == terminator:
                    self.over = True
                    return found[:index]
        return found

    def _made(self, found: Iterator[Raw]) -> Iterable[Any]:
        raise NotImplementedError


class EventTexts(OfEvents):
    """Events whose data is text."""

    def _made(self, found: Iterator[Raw]) -> Iterable[Any]:
        return (Event(data.decode("utf-8", "replace"), name, id_, retry) for data, name, id_, retry in found)


class EventModels(OfEvents):
    """Events whose data is JSON of the declared type."""

    def __init__(self, response: Response, limits: Limits, last_id: str, validate: Validate) -> None:
        super().__init__(response, limits, last_id)
        self._validate = validate

    def _made(self, found: Iterator[Raw]) -> Iterable[Any]:
        validate = self._validate
        return (_event(Event, (validate(data), name, id_, retry)) for data, name, id_, retry in found)


class EventData(EventModels):
    """Models, each the data of an event; those of blank data are left out, as blank lines are."""

    _skips_blank = True

    def _made(self, found: Iterator[Raw]) -> Iterable[Any]:
        return map(self._validate, (raw[0] for raw in found))


def _repaired(raw: Raw) -> Raw | None:
    """An event whose data is not UTF-8, with that replaced; `None` if it is."""
    repaired = raw[0].decode("utf-8", "replace").encode()
    return None if repaired == raw[0] else (repaired, *raw[1:])


def _is_cut_off(line: bytes) -> bool:
    """Whether a line is no JSON; one that stands at the end of a body is then half a line."""
    try:
        from_json(line)
    except ValueError as error:
        return too_much(str(error)) is None
    return False


def content_type(response: Response) -> str:
    """The type of a response in lower case, without parameters."""
    return response.content_type.partition(";")[0].strip().lower()


def _answered(response: Response) -> str:
    return f"answered {response.status_code} with"


def _utf8(response: Response) -> Utf8:
    try:
        return Utf8(response.content_type)
    except CharsetError as error:
        message = str(error)
    raise DecodeError(f"{_answered(response)} a body that {message}", response=response)


def _unfit(response: Response, found: list[ErrorDetail], what: str) -> DecodeError:
    """The error for JSON that does not fit, or that is none."""
    if found[0].get("type") == "json_invalid":
        beyond = too_much(found[0].get("msg", "")) or "that is not JSON"
        return DecodeError(f"{_answered(response)} {what} {beyond}", response=response)
    return unfit(response, found, what)
