"""Bytes to text as a Content-Type says.

This module's rule: a charset that the server names is honoured if Python has it as a text encoding, and refused
otherwise; nothing is guessed.
"""

from __future__ import annotations

import codecs
import re

_CHARSET = re.compile(r"""(?:^|[;\s])charset\s*=\s*"?([^\s";]+)""", re.IGNORECASE)
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python's own that are no charsets: some of them take quadratic time."""


class CharsetError(ValueError):
    """The bytes are not text in the charset that was named; the message says which."""


def text(content: bytes, content_type: str) -> str:
    """The content as text, in the charset of its type; UTF-8 without one, and then without its byte order mark.

    Raises:
        CharsetError: the charset is none, or the content is not in it.
    """
    match = _CHARSET.search(content_type)
    name = match[1] if match else "utf-8"
    codec = _codec(name)
    if codec is None:
        raise CharsetError(f"names the charset {name!r}, which is no text encoding")
    try:
        return content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeError:
        pass  # its context would show the content
    raise CharsetError(f"is not {codec}")


def _codec(name: str) -> str | None:
    try:
        "".encode(name)  # a bytes-to-bytes codec such as zlib, which could inflate without bound, is a LookupError
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if codec.replace("_", "-") in _NO_CHARSETS else codec


def utf8(content: bytes, content_type: str) -> bytes:
    """The content as UTF-8 without a byte order mark, as a JSON parser takes it.

    Raises:
        CharsetError: see `text`.
    """
    return text(content, content_type).encode("utf-8", "surrogatepass")
