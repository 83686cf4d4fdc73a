"""Bytes to lines, as they arrive in chunks.

This module's rule: pure. A line ends where its kind of text says, wherever the chunks end, and none is longer than it
may be; those before one that is too long are still given out.
"""

from __future__ import annotations

import codecs

from stubwire import _charset

MAX_BYTES = 16 * 2**20
"""The longest line, and the longest event, unless an option says otherwise."""

_BOM = b"\xef\xbb\xbf"


class Newlines:
    r"""Writes CR and CR LF as LF, also where a chunk ends between the two.

    A CR at the end of a chunk ends its line at once: nobody waits for a LF that may never come.
    """

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, chunk: bytes) -> bytes:
        """The chunk with LF alone."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in chunk:
            return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class Splitter:
    """Splits chunks at LF. A byte order mark at the start is left out.

    Each byte is looked at once, however many chunks a line takes.

    Attributes:
        too_long: whether the line after the last one that was given out has more bytes than it may have.
    """

    def __init__(self, limit: int) -> None:
        self.too_long = False
        self._limit = limit
        self._rest = bytearray()
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk, without their ends."""
        if len(self._rest) + len(chunk) > self._limit:
            return self._bounded(chunk)
        return self._split(chunk)

    def end(self) -> bytes:
        """What comes after the last LF."""
        rest = bytes(self._rest)
        return rest.removeprefix(_BOM) if self._at_start else rest

    def _split(self, chunk: bytes) -> list[bytes]:
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if not lines:
            self._rest += rest
            return lines
        if self._rest:
            lines[0] = bytes(self._rest + lines[0])
        self._rest = bytearray(rest)
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        return lines

    def _bounded(self, chunk: bytes) -> list[bytes]:
        """The same for a chunk in which a line may become too long."""
        lines = self._split(chunk)
        fitting = next((index for index, line in enumerate(lines) if len(line) > self._limit), len(lines))
        self.too_long = fitting < len(lines) or len(self._rest) > self._limit
        return lines[:fitting]


class Utf8:
    """Writes text of any charset as UTF-8.

    Attributes:
        wrong: what is wrong with the bytes after those that were written; empty while nothing is.

    Raises:
        CharsetError: the `Content-Type` names a charset that is none.
    """

    def __init__(self, content_type: str) -> None:
        _charset.text(b"", content_type)  # refuses what is none
        match = _charset._CHARSET.search(content_type)
        self._codec = codecs.lookup(match[1] if match else "utf-8")
        self._decoder = None if self._codec.name == "utf-8" else self._codec.incrementaldecoder()
        self.wrong = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> bytes:
        """The chunk as UTF-8, up to what is wrong. What is UTF-8 already is not looked at."""
        decoder = self._decoder
        if decoder is None:
            return chunk
        before = decoder.getstate()
        try:
            return decoder.decode(chunk, final).encode("utf-8", "surrogatepass")
        except UnicodeError:
            self.wrong = f"is not {self._codec.name}"
        decoder.setstate(before)
        return _up_to_wrong(decoder, chunk).encode("utf-8", "surrogatepass")


def _up_to_wrong(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
    """What can be decoded of a chunk in which something cannot."""
    text = ""
    try:
        for index in range(len(chunk)):
            text += decoder.decode(chunk[index : index + 1])
    except UnicodeError:
        pass
    return text
