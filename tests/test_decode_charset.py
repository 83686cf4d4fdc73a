"""A server's charset is honoured if it is a text encoding, and refused otherwise."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from stubwire import ApiClient, DecodeError, NotFoundError, Response, get
from stubwire._decode import decoder

MakeApi = Callable[..., Api]


class Word(BaseModel):
    word: str


class Words(ApiClient):
    base_url = "https://api.example"

    @get("/word")
    def word(self) -> Word:
        raise NotImplementedError

    @get("/text")
    def text(self) -> str:
        raise NotImplementedError


JSON = '{"word": "café €"}'
LATIN = '{"word": "café"}'

HONOURED: list[tuple[str, bytes, str]] = [
    ("application/json", JSON.encode(), "café €"),
    ("application/json", JSON.encode("utf-8-sig"), "café €"),
    ("application/json; charset=utf-8", JSON.encode(), "café €"),
    ("application/json;charset=UTF8", JSON.encode("utf-8-sig"), "café €"),
    ('application/json; charset="utf-8"', JSON.encode(), "café €"),
    ("application/json; Charset = UTF-8", JSON.encode(), "café €"),
    ("application/json; charset=iso-8859-1", LATIN.encode("latin-1"), "café"),
    ("application/json; charset=latin-1", b'{"word": "ascii"}', "ascii"),
    ("application/json; charset=windows-1252", JSON.encode("cp1252"), "café €"),
    ("application/json; charset=utf-16", JSON.encode("utf-16"), "café €"),
    ("application/json; charset=utf-16-le", '{"word": "ascii"}'.encode("utf-16-le"), "ascii"),
    ("application/json; charset=utf-32", JSON.encode("utf-32"), "café €"),
    ("application/json; charset=utf-7", JSON.encode("utf-7"), "café €"),
]


@pytest.mark.parametrize(("content_type", "content", "expected"), HONOURED, ids=[row[0] for row in HONOURED])
def test_a_text_encoding_is_honoured(
    api: MakeApi, colour: Colour, content_type: str, content: bytes, expected: str
) -> None:
    """In JSON and in text alike, also where the bytes would be something else in UTF-8."""
    client = Words(transport=api(Reply(content=content, headers={"Content-Type": content_type})).transport)
    assert colour.run(client.word) == Word(word=expected)
    assert expected in colour.run(client.text)


REFUSED: list[tuple[str, bytes, str]] = [
    ("zlib", zlib.compress(JSON.encode()), "names the charset 'zlib', which is no text encoding"),
    ("zlib", JSON.encode(), "names the charset 'zlib', which is no text encoding"),
    ("hex", b"7b7d", "names the charset 'hex', which is no text encoding"),
    ("unknown", b'{"word": "ascii"}', "names the charset 'unknown', which is no text encoding"),
    ("utf-8\x00", b"{}", "names the charset 'utf-8\\x00', which is no text encoding"),
    ("utf-16", b'{"word": "odd"}', "is not utf-16"),
    ("ascii", JSON.encode(), "is not ascii"),
    ("utf-8", LATIN.encode("latin-1"), "is not utf-8"),
]


@pytest.mark.parametrize(("charset", "content", "message"), REFUSED, ids=[f"{row[0]}-{row[2]}" for row in REFUSED])
@pytest.mark.parametrize("returns", [Word, str])
def test_anything_else_is_refused(returns: object, charset: str, content: bytes, message: str) -> None:
    """Also where the body is plain ASCII: a charset that nobody knows says nothing about it."""
    response = Response[Any]._received(200, [(b"Content-Type", f"text/x; charset={charset}".encode())], content, None)
    with pytest.raises(DecodeError) as caught:
        decoder(returns, None, "Test.stub")(response)
    assert str(caught.value) == f"answered 200 with a body that {message}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_charset_in_headers_made_by_hand_is_honoured() -> None:
    response: Response[Any] = Response(
        200, content=LATIN.encode("latin-1"), headers={"Content-Type": "application/json; charset=latin-1"}
    )
    assert decoder(Word, None, "Test.stub")(response) == Word(word="café")
    assert response.data == {"word": "café"}


def test_an_interceptor_reads_data_in_the_servers_charset(api: MakeApi) -> None:
    reply = Reply(content=LATIN.encode("latin-1"), headers={"Content-Type": "application/json; charset=latin-1"})
    client = Words(transport=api(reply).transport)
    seen: list[object] = []
    client.interceptors.response.use(lambda response: seen.append(response.data))
    assert client.word() == Word(word="café")
    assert seen == [{"word": "café"}]


def test_an_errors_body_is_read_in_the_servers_charset(api: MakeApi, colour: Colour) -> None:
    content, headers = LATIN.encode("latin-1"), {"Content-Type": "application/json; charset=latin-1"}
    client = Words(transport=api(Reply(404, content=content, headers=headers)).transport)
    with pytest.raises(NotFoundError) as caught:
        colour.run(client.word)
    assert caught.value.body == {"word": "café"}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]))
def test_any_text_comes_through_any_charset(text: str, charset: str) -> None:
    content = text.encode(charset)
    response: Response[Any] = Response(200, content=content, headers={"Content-Type": f"text/plain; charset={charset}"})
    expected = text.removeprefix("\ufeff") if charset == "utf-8" else text
    assert decoder(str, None, "Test.stub")(response) == expected
