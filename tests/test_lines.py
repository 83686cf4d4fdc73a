"""Bytes to lines: `_lines`, wherever the chunks end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubwire._charset import CharsetError
from stubwire._lines import Newlines, Splitter, Utf8


def partitions(content: bytes) -> Iterator[list[bytes]]:
    """A content cut at every set of borders."""
    for count in range(len(content)):
        for borders in itertools.combinations(range(1, len(content)), count):
            ends = (*borders, len(content))
            yield [content[start:end] for start, end in zip((0, *borders), ends, strict=True)]


def split(chunks: list[bytes], limit: int = 100, *, universal: bool = True) -> tuple[list[bytes], bytes]:
    newlines, splitter = Newlines(), Splitter(limit)
    lines: list[bytes] = []
    for chunk in chunks:
        lines += splitter.feed(newlines.feed(chunk) if universal else chunk)
    return lines, splitter.end()


LINES: list[tuple[bytes, list[bytes], bytes]] = [
    (b"a\nb\n", [b"a", b"b"], b""),
    (b"a\nb", [b"a"], b"b"),
    (b"a\r\nb\rc\n\rd\r\n", [b"a", b"b", b"c", b"", b"d"], b""),
    (b"\r\r\n\n", [b"", b"", b""], b""),
    (b"\n", [b""], b""),
    (b"", [], b""),
    (b"\xef\xbb\xbfa\nb", [b"a"], b"b"),
    (b"\xef\xbb\xbfa", [], b"a"),
    (b"a\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"], b""),
    (b"\xef\xbb\xbf\n", [b""], b""),
    (b"a\x0bb\x0cc\x1cd\xc2\x85e\n", [b"a\x0bb\x0cc\x1cd\xc2\x85e"], b""),
]


@pytest.mark.parametrize(("content", "lines", "rest"), LINES)
def test_a_line_ends_with_lf_crlf_or_cr_wherever_the_chunks_end(
    content: bytes, lines: list[bytes], rest: bytes
) -> None:
    assert split([content]) == (lines, rest)
    for chunks in partitions(content[:12]):
        assert split([*chunks, content[12:]]) == (lines, rest)
    assert split([content[i : i + 1] for i in range(len(content))]) == (lines, rest)


def test_a_line_that_ends_with_cr_is_given_out_at_once() -> None:
    """Nobody waits for a LF that may never come; one that does is no line of its own, not even after empty chunks."""
    newlines, splitter = Newlines(), Splitter(100)
    assert [splitter.feed(newlines.feed(chunk)) for chunk in (b"a\r", b"", b"\nb\r", b"c\n")] == [
        [b"a"],
        [],
        [b"b"],
        [b"c"],
    ]


def test_without_newlines_only_lf_ends_a_line() -> None:
    assert split([b"a\r\nb\rc\n"], universal=False) == ([b"a\r", b"b\rc"], b"")


@pytest.mark.parametrize(
    ("chunks", "lines", "too_long"),
    [
        ([b"12345\n12345\n"], [b"12345", b"12345"], False),
        ([b"1\n123456\n2\n"], [b"1"], True),
        ([b"1\n2\n", b"123456\n2\n"], [b"1", b"2"], True),
        ([b"123", b"456"], [], True),
        ([b"123", b"45", b"\n6"], [b"12345"], False),
        ([b"123", b"456\n7\n"], [], True),
        ([b"1\n123456"], [b"1"], True),
    ],
)
def test_the_lines_before_one_that_is_too_long_are_given_out(
    chunks: list[bytes], lines: list[bytes], too_long: bool
) -> None:
    splitter = Splitter(5)
    assert ([line for chunk in chunks for line in splitter.feed(chunk)], splitter.too_long) == (lines, too_long)


@given(st.lists(st.binary(max_size=6)), st.data())
def test_lines_do_not_depend_on_the_borders(lines: list[bytes], data: st.DataObject) -> None:
    content = b"\n".join(lines)
    borders = sorted(data.draw(st.lists(st.integers(0, len(content)))))
    chunks = [content[a:b] for a, b in zip([0, *borders], [*borders, len(content)], strict=True)]
    assert split(chunks) == split([content])


# ---- charsets


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("", "gr\u00fc\u00df".encode()),
        ("; charset=utf-8", "gr\u00fc\u00df".encode()),
        ("; charset=latin-1", "gr\u00fc\u00df".encode("latin-1")),
        ("; charset=utf-16", "gr\u00fc\u00df".encode("utf-16")),
        ("; charset=utf-16-be", "gr\u00fc\u00df".encode("utf-16-be")),
        ("; charset=iso-2022-jp", "\u65e5\u672c".encode("iso-2022-jp")),
    ],
)
def test_text_of_any_charset_becomes_utf_8(charset: str, content: bytes) -> None:
    utf8 = Utf8(f"text/plain{charset}")
    written = b"".join(utf8.feed(content[i : i + 1]) for i in range(len(content))) + utf8.feed(b"", final=True)
    assert written.decode() in ("gr\u00fc\u00df", "\u65e5\u672c")
    assert utf8.wrong == ""


@pytest.mark.parametrize(
    ("charset", "content", "before", "wrong"),
    [
        ("ascii", b"ab\xffc", b"ab", "is not ascii"),
        ("shift_jis", b"\x93\xfa\x81", "\u65e5".encode(), "is not shift_jis"),
        ("utf-16-le", b"a\0b", b"a", "is not utf-16-le"),
    ],
)
def test_what_comes_before_what_is_wrong_is_written(charset: str, content: bytes, before: bytes, wrong: str) -> None:
    utf8 = Utf8(f"text/plain; charset={charset}")
    assert (utf8.feed(content, final=True), utf8.wrong) == (before, wrong)


def test_a_charset_that_is_none_is_refused() -> None:
    with pytest.raises(CharsetError, match=r"^names the charset 'zlib', which is no text encoding$"):
        Utf8("text/plain; charset=zlib")
