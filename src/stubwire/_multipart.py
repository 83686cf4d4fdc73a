"""Fields and files as one `multipart/form-data` body (RFC 7578, in the spelling of the WHATWG's HTML standard).

This module's rule: what is known is put together in memory, and only the files are read while they are sent. The
boundary cannot be foreseen, so that no content can end its part.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from stubwire._payload import Payload
from stubwire._sources import PIECE, Memory
from stubwire.errors import ArgumentError

if TYPE_CHECKING:
    from stubwire._payload import Source
    from stubwire._uploads import Sent

_FORBIDDEN = re.compile(r"[\r\n\x00]")


class Part(NamedTuple):
    """One part.

    Attributes:
        head: its `Content-Disposition` and `Content-Type`, each line with its end.
        source: its content.
    """

    head: bytes
    source: Source


def field(name: str, text: str, where: str) -> Part:
    """A field of a form.

    Raises:
        ArgumentError: its name has CR, LF or NUL, or it is no valid Unicode text.
    """
    return Part(_disposition(name, where), Memory(_utf8(text, where)))


def file(name: str, sent: Sent, content_type: str | None, where: str) -> Part:
    """A file.

    Args:
        name: of its field.
        sent: the file.
        content_type: what it is where the user did not say so with the file; `None` guesses from its name.
        where: endpoint and parameter, for messages.

    Raises:
        ArgumentError: a name has CR, LF or NUL, or is no valid Unicode text.
    """
    kind = sent.content_type or content_type or sent.type_or_guess()
    named = _disposition(name, where, sent.filename or "upload")
    return Part(b"%bContent-Type: %b\r\n" % (named, kind.encode("ascii")), sent.source)


def payload(parts: Iterable[Part]) -> Payload:
    """The body; its length is known whenever that of every part is."""
    boundary = secrets.token_hex(16)
    known = bytearray()
    sources: list[Source] = []
    for part in parts:
        known += b"--%b\r\n%b\r\n" % (boundary.encode(), part.head)
        if isinstance(part.source, Memory) and (part.source.length or 0) <= PIECE:
            known += part.source.content
        else:
            sources += [Memory(bytes(known)), part.source]
            known.clear()
        known += b"\r\n"
    sources.append(Memory(b"%b--%b--\r\n" % (bytes(known), boundary.encode())))
    return Payload(sources, f"multipart/form-data; boundary={boundary}", "multipart")


def _disposition(name: str, where: str, filename: str | None = None) -> bytes:
    parameters = f'name="{_escaped(name, "name of a field", where)}"'
    if filename is not None:
        parameters += f'; filename="{_escaped(filename, "file name", where)}"'
    return b"Content-Disposition: form-data; %b\r\n" % _utf8(parameters, where)


def _escaped(name: str, what: str, where: str) -> str:
    """A name between quotes, which it cannot leave; backslashes and percent signs stand for themselves."""
    if _FORBIDDEN.search(name):
        raise ArgumentError(f"{where}: a {what} with a line break or NUL cannot be sent")
    return name.replace('"', "%22")


def _utf8(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass  # its context would show the text
    raise ArgumentError(f"{where}: it is no valid Unicode text")
