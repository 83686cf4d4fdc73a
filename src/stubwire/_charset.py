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
_XML_DECLARATION = rb"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']"""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class CharsetError(ValueError):
    """The bytes are not text in the charset that was named; the message says which."""


def media_type(content_type: str) -> str:
    """A content type without its parameters, in lower case (RFC 9110, section 8.3.1)."""
    return content_type.partition(";")[0].strip().lower()


def text(content: bytes, content_type: str) -> str:
    """The content as text, in the charset of its type; UTF-8 without one, and then without its byte order mark.

    Raises:
        CharsetError: the charset is none, or the content is not in it.
    """
    match = _CHARSET.search(content_type)
    codec = _known(match[1]) if match else "utf-8"
    try:
        return content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeError:
        pass  # its context would show the content
    raise CharsetError(f"is not {codec}")


def named(content_type: str) -> str:
    """Python's name of the charset of a content type; `"utf-8"` where it names none.

    Raises:
        CharsetError: it is none.
    """
    match = _CHARSET.search(content_type)
    return _known(match[1]) if match else "utf-8"


def _known(name: str) -> str:
    codec = _codec(name)
    if codec is None:
        raise CharsetError(f"names the charset {name!r}, which is no text encoding")
    return codec


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


def utf8_of_xml(content: bytes, content_type: str) -> bytes:
    """The content as UTF-8 without a byte order mark, for an XML parser that is told so.

    Its charset is that of its byte order mark, of its type, or of its own declaration, in this order (RFC 7303,
    section 3).

    Raises:
        CharsetError: see `text`.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is not None:
        content_type = f"charset={marked}"
    elif not _CHARSET.search(content_type) and (declared := re.match(_XML_DECLARATION, content)):
        content_type = f'charset="{declared[1].decode("latin-1")}"'
    return utf8(content, content_type)
