"""Bytes to text in the charset that a server names."""

from __future__ import annotations

import pytest

from stubwire import _charset


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        (b"", "", ""),
        ("é".encode(), "", "é"),
        ("é".encode(), "application/json", "é"),
        (b"\xef\xbb\xbfa", "text/plain", "a"),
        (b"\xef\xbb\xbfa", "text/plain; charset=UTF-8", "a"),
        (b"\xe9", "text/plain; charset=ISO-8859-1", "é"),
        (b"\xe9", 'text/plain;charset="iso-8859-1"; x=y', "é"),
        (b"\xe9", "text/plain; CHARSET = latin1", "é"),
        (b"\x80", "text/plain; charset=windows-1252", "€"),
        ("é".encode("utf-16"), "text/plain; charset=utf-16", "é"),
        ("語".encode("shift_jis"), "text/plain; charset=Shift_JIS", "語"),
        (b"a", "text/plain; xcharset=nonsense", "a"),
        (b"a", "text/plain; charset=", "a"),
    ],
)
def test_the_charset_of_a_type_is_honoured(content: bytes, content_type: str, text: str) -> None:
    assert _charset.text(content, content_type) == text


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"a", "klingon", "names the charset 'klingon', which is no text encoding"),
        (b"a", "zlib", "names the charset 'zlib', which is no text encoding"),
        (b"a", "base64", "names the charset 'base64', which is no text encoding"),
        (b"a", "rot13", "names the charset 'rot13', which is no text encoding"),
        (b"a", "punycode", "names the charset 'punycode', which is no text encoding"),
        (b"a", "idna", "names the charset 'idna', which is no text encoding"),
        (b"\\d", "unicode_escape", "names the charset 'unicode_escape', which is no text encoding"),
        (b"a", "raw_unicode_escape", "names the charset 'raw_unicode_escape', which is no text encoding"),
        (b"a", "undefined", "names the charset 'undefined', which is no text encoding"),
        (b"a", "a\0b", "names the charset 'a\\x00b', which is no text encoding"),
        (b"secret\xff", "utf-8", "is not utf-8"),
        (b"secret\xff", "ascii", "is not ascii"),
    ],
)
def test_what_is_no_text_in_that_charset_is_refused(content: bytes, name: str, message: str) -> None:
    with pytest.raises(_charset.CharsetError) as caught:
        _charset.text(content, f"text/plain; charset={name}")
    assert str(caught.value) == message
    assert caught.value.__context__ is None


def test_json_is_read_as_utf8_whatever_the_charset() -> None:
    assert _charset.utf8('"é"'.encode("utf-16"), "application/json; charset=utf-16") == '"é"'.encode()
    assert _charset.utf8(b"\xef\xbb\xbf{}", "application/json") == b"{}"
