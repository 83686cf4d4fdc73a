"""Bytes to server-sent events, by the WHATWG's rules (HTML, section 9.2.6), as they arrive in chunks.

This module's rule: pure, and the same events come out wherever the chunks end. Lines are bytes until their event is
dispatched; what is not UTF-8 is then replaced, as the decoder of the standard does.
"""

from __future__ import annotations

import re
from typing import Generic, NamedTuple

from typing_extensions import TypeVar

from stubwire._lines import _BOM, Newlines

T = TypeVar("T", default=str)

_USUAL = re.compile(
    rb"(?:id: ?([^\n\0]+)\n)?(?:event: ?([^\n]+)\n)?(?:id: ?([^\n\0]+)\n)?data: ?([^\n]*)\n\n|((?:[^\n]+\n)*+\n)"
)
"""An event of the usual fields, by field, or any other, whole."""

_RETRY_MAX = 10**9
"""What a longer wait counts as, in milliseconds: Python would refuse to read a number of many digits."""


class Event(NamedTuple, Generic[T]):
    """One server-sent event.

    Attributes:
        data: the lines of its data, joined by a newline, as a text; or that JSON as the declared type.
        event: its type; `"message"` where the server names none.
        id: the last id that the server gave, with this event or before; empty if none.
        retry: the milliseconds to wait before a reconnect, where this event says so.
    """

    data: T
    event: str = "message"
    id: str = ""
    retry: int | None = None


Raw = tuple[bytes, str, str, int | None]
"""The fields of an `Event`, with its data as bytes."""


class Events:
    """Parses the stream of events of one connection. An event that the stream's end cuts off is no event.

    Args:
        limit: the most bytes of an event's data; any line may have as many behind its name.
        last_id: that of the connection before, which holds until the server gives another.

    Attributes:
        last_id: the id that the server gave last, once its event was dispatched.
        retry: the milliseconds to wait before a reconnect, as the server said last, or `None`.
        too_large: whether what comes after the events that were given out is larger than it may be.
    """

    def __init__(self, limit: int, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: int | None = None
        self.too_large = False
        self._limit = limit
        self._line_limit = limit + len(b"data: ")
        self._newlines = Newlines()
        self._at_start = True
        self._line = bytearray()
        self._id = last_id
        self._begin()

    def _begin(self) -> None:
        """Forget the fields of the event before."""
        self._within = False
        self._data = bytearray()
        self._type = ""
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[Raw]:
        """The events that end in this chunk."""
        found: list[Raw] = []
        chunk = self._newlines.feed(chunk)
        if self._within or self._line or self._at_start:
            chunk = self._finish(chunk, found)
        if chunk:
            self._whole(chunk, found)
        return found

    def _finish(self, chunk: bytes, found: list[Raw]) -> bytes:
        """Take the lines of the event that has begun; return what comes after it."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line = chunk[start:end]
            if self._line:
                line = bytes(self._line + line)
                self._line.clear()
            if self._at_start:
                self._at_start = False
                line = line.removeprefix(_BOM)
            start = end + 1
            if not line:
                self._dispatch(found)
                return chunk[start:]
            if not self._fits(line):
                return b""
        self._line += chunk[start:]
        self.too_large = len(self._line) > self._line_limit
        return b""

    def _whole(self, chunk: bytes, found: list[Raw]) -> None:
        """Take a chunk that begins with an event: the usual ones at once, the others line by line."""
        end = chunk.rfind(b"\n\n") + 2 if len(chunk) <= self._limit else 0
        if end > 1:
            last_id = self._id
            for first_id, name, second_id, data, other in _USUAL.findall(chunk, 0, end):
                if other:
                    self._take(other[:-1].split(b"\n"), found)
                    last_id = self._id
                    continue
                if first_id or second_id:
                    self._id = last_id = (second_id or first_id).decode("utf-8", "replace")
                found.append((data, name.decode("utf-8", "replace") if name else "message", last_id, None))
            self.last_id = last_id
            if end == len(chunk):
                return
            chunk = chunk[end:]
        *lines, line = chunk.split(b"\n")
        if self._take(lines, found):
            self._line += line
            self.too_large = len(line) > self._line_limit

    def _take(self, lines: list[bytes], found: list[Raw]) -> bool:
        """Take lines; return whether all of them fit."""
        for line in lines:
            if not line:
                self._dispatch(found)
            elif not self._fits(line):
                return False
        return True

    def _fits(self, line: bytes) -> bool:
        """Take a line that is not empty; return whether the event is still small enough."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        self._within = True
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self._retry = self.retry = _milliseconds(value)
        self.too_large = len(line) > self._line_limit or len(self._data) > self._limit + 1
        return not self.too_large

    def _dispatch(self, found: list[Raw]) -> None:
        """End the event; without data there is none."""
        self.last_id = self._id
        if self._data:
            found.append((bytes(self._data[:-1]), self._type or "message", self._id, self._retry))
        self._begin()


def _milliseconds(digits: bytes) -> int:
    digits = digits.lstrip(b"0")
    return _RETRY_MAX if len(digits) > 9 else int(digits or b"0")
