"""XML in both directions, through models of pydantic-xml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import AfterValidator, BaseModel
from pydantic_xml import BaseXmlModel, RootXmlModel, attr, element

from conftest import Api, Colour, Reply
from servers import RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    Body,
    ClientError,
    DecodeError,
    Response,
    ResponseValidationError,
    SpecError,
    get,
    post,
)
from stubwire._decode import decoder

MakeApi = Callable[..., Api]
UTC = timezone.utc  # noqa: UP017 - as pydantic makes it
T = TypeVar("T")


class Song(BaseXmlModel, tag="song"):
    id: int = attr()
    title: str = element()
    at: datetime | None = element(default=None)


class Album(BaseXmlModel, tag="album", ns="m", nsmap={"m": "https://example.com/music"}):
    songs: list[Song] = element(tag="song", default=[])


class Shelf(BaseXmlModel, tag="shelf"):
    songs: list[Song] = element(tag="song")


class Count(RootXmlModel[int], tag="count"):
    pass


class Other(BaseXmlModel, tag="song"):
    artist: str = element()


class Problem(BaseXmlModel, tag="error"):
    code: str = element()


class ProblemError(ClientError[Problem]):
    pass


class Plain(BaseModel):
    id: int


class Box(BaseXmlModel, Generic[T], tag="box"):
    inside: T


class Music(ApiClient):
    base_url = "https://api.example"
    errors = {404: Problem, 409: ProblemError, 410: Plain}

    @get("/songs/<id>")
    def song(self, id: int) -> Song:
        raise NotImplementedError

    @get("/songs")
    def maybe(self) -> Song | None:
        raise NotImplementedError

    @get("/either", responses={202: Plain})
    def either(self) -> Song | Plain:
        raise NotImplementedError

    @post("/songs")
    def create(self, song: Song) -> Song:
        raise NotImplementedError

    @post("/songs")
    def latin(self, song: Annotated[Song, Body(content_type="text/xml; charset=iso-8859-1")]) -> None:
        raise NotImplementedError


XML = {"Content-Type": "application/xml"}


def answered(content: str | bytes, content_type: str = "application/xml") -> Response[Any]:
    body = content.encode() if isinstance(content, str) else content
    return Response(200, headers={"Content-Type": content_type} if content_type else {}, content=body)


def test_a_round_trip_over_a_real_socket(engine: Any, colour: Colour) -> None:
    def echo(request: RawRequest) -> bytes:
        return http(request.body, headers={"Content-Type": request.header("Content-Type") or ""})

    song = Song(id=1, title="Señorita <3 & more", at=datetime(2024, 2, 3, tzinfo=UTC))
    with RawServer(echo) as server, Music(base_url=server.url, engine=engine) as client:
        assert colour.run(client.create, song) == song
        colour.run(client.latin, song)
    first, second = server.requests
    assert (first.header("Content-Type"), first.header("Accept")) == (
        "application/xml",
        "application/xml, text/xml;q=0.9, */*;q=0.5",
    )
    assert first.body == (
        b"<?xml version='1.0' encoding='utf-8'?>\n"
        b'<song id="1"><title>Se\xc3\xb1orita &lt;3 &amp; more</title><at>2024-02-03T00:00:00Z</at></song>'
    )
    assert second.header("Content-Type") == "text/xml; charset=iso-8859-1"
    assert b"Se\xf1orita" in second.body


DOCUMENTS: list[tuple[object, str | bytes, str, object]] = [
    (Song, '<song id="1"><title>a</title></song>', "application/xml", Song(id=1, title="a")),
    (Song, '<song id="1"><title>a</title></song>', "", Song(id=1, title="a")),
    (Song, '<song id="1"><title>a</title></song>', "application/json", Song(id=1, title="a")),
    (Song, '<!-- a --><?b c?><song id="1"><title>a<!-- d --></title><?e f?></song>', "", Song(id=1, title="a")),
    (Song, '<!DOCTYPE song SYSTEM "song.dtd"><song id="1"><title>a</title></song>', "", Song(id=1, title="a")),
    (
        Song,
        '<song id="1"><title><![CDATA[<!DOCTYPE <!ENTITY]]></title></song>',
        "",
        Song(id=1, title="<!DOCTYPE <!ENTITY"),
    ),
    (Album, '<a:album xmlns:a="https://example.com/music"/>', "", Album()),
    (Count, "<count>5</count>", "", Count(5)),
    (Song | None, "", "application/xml", None),
    (Song | Problem, "<error><code>a</code></error>", "", Problem(code="a")),
    (Song | Other, "<song><artist>a</artist></song>", "", Other(artist="a")),
    (Song | Plain, '{"id": 1}', "application/json", Plain(id=1)),
    (Song | Plain, '<song id="1"><title>a</title></song>', "text/xml", Song(id=1, title="a")),
    (Song | Plain | None, '<song id="1"><title>a</title></song>', "application/x+xml", Song(id=1, title="a")),
    (Plain | None, "", "application/xml", None),
]


@pytest.mark.parametrize(("hint", "content", "content_type", "expected"), DOCUMENTS)
def test_a_document_becomes_its_model(hint: object, content: str | bytes, content_type: str, expected: object) -> None:
    got = decoder(hint, None, "Music.song")(answered(content, content_type))
    assert (got, type(got)) == (expected, type(expected))


def document(charset: str) -> bytes:
    declared = f'<?xml version="1.0" encoding="{charset}"?>' if charset else ""
    return f'{declared}<song id="1"><title>ñ</title></song>'.encode(charset or "utf-8")


CHARSETS: list[tuple[bytes, str]] = [
    (document(""), "application/xml"),
    (document(""), "text/xml; charset=utf-8"),
    (document("iso-8859-1"), "application/xml"),
    (document("ISO-8859-15"), "text/xml"),
    (document("utf-16"), "application/xml"),
    (document("utf-16"), "text/xml; charset=iso-8859-1"),
    (b"\xef\xbb\xbf" + document(""), "text/xml; charset=iso-8859-1"),
    (document("").decode().encode("cp1252"), "text/xml; charset=windows-1252"),
    (document("utf-8").decode().encode("latin-1"), "text/xml; charset=latin-1"),
]


@pytest.mark.parametrize(("content", "content_type"), CHARSETS)
def test_the_charset_is_that_of_the_mark_the_type_or_the_declaration(content: bytes, content_type: str) -> None:
    """RFC 7303, section 3, in this order."""
    assert decoder(Song, None, "Music.song")(answered(content, content_type)) == Song(id=1, title="ñ")


def test_responses_say_what_is_xml_and_what_is_json(api: MakeApi, colour: Colour) -> None:
    song = Reply(200, content=b'<song id="1"><title>a</title></song>', headers=XML)
    client = Music(transport=api(song, Reply(202, json={"id": 2})).transport)
    assert colour.run(client.either) == Song(id=1, title="a")
    assert colour.run(client.either) == Plain(id=2)


def test_data_that_an_interceptor_assigned_is_json(api: MakeApi) -> None:
    client = Music(transport=api(Reply(content=b'<song id="1"/>', headers=XML)).transport)

    def assign(response: Response[Any]) -> None:
        response.data = {"id": 2, "title": "b"}

    client.interceptors.response.use(assign)
    assert client.song(1) == Song(id=2, title="b")


# ---- what is no XML, or does not fit


NO_XML: list[tuple[str, str, str]] = [
    ("<song", "application/xml", "application/xml, which is not XML: line 1 is malformed"),
    ("<song>\n<a></b></song>", "text/xml", "text/xml, which is not XML: line 2 is malformed"),
    ("<song>&nbsp;</song>", "text/xml", "text/xml, which is not XML: line 1 is malformed"),
    ("down for maintenance", "text/plain", "text/plain, which is not XML: 'down for maintenance'"),
    ("<!doctype html><p>Down<br>", "text/html", "text/html, which is not XML: '<!doctype html><p>Down<br>'"),
    ('{"token": "s3cret"}', "application/json", 'application/json, which is not XML: \'{"token": "[redacted]"}\''),
    ("down", "", "no content type, which is not XML: 'down'"),
    ("", "application/xml", "an empty body of application/xml, where XML was declared"),
    ("", "", "an empty body, where XML was declared"),
    ("<song/>", "text/xml; charset=zlib", "a body that names the charset 'zlib', which is no text encoding"),
    (
        "<?xml version='1.0' encoding='zlib'?><song/>",
        "",
        "a body that names the charset 'zlib', which is no text encoding",
    ),
    ("<song/>", "text/xml; charset=utf-16", "a body that is not utf-16"),
]


@pytest.mark.parametrize(("content", "content_type", "message"), NO_XML, ids=[row[2] for row in NO_XML])
def test_what_is_no_xml_is_a_decode_error(content: str, content_type: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(Song, None, "Music.song")(answered(content, content_type))
    assert type(caught.value) is DecodeError
    assert str(caught.value) == f"answered 200 with {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


NOT_FITTING: list[tuple[object, str, str]] = [
    (
        Song,
        '<song id="s3cret"><title>a</title></song>',
        "id: Input should be a valid integer, unable to parse string as an integer",
    ),
    (Song, '<song id="1"/>', "title: Field required"),
    (
        Shelf,
        '<shelf><song id="s3cret"><title>a</title></song></shelf>',
        "songs.0.id: Input should be a valid integer, unable to parse string as an integer",
    ),
    (Song, "<error/>", "its root is <error>, not <song>"),
    (Song | Problem, "<a/>", "its root is <a>, not <song> or <error>"),
    (Song | Other, "<song/>", "id: Field required; title: Field required; artist: Field required"),
    (Song, f"<{'a' * 200}/>", f"its root is <{'a' * 80}>, not <song>"),
]


@pytest.mark.parametrize(("hint", "content", "message"), NOT_FITTING, ids=[row[2] for row in NOT_FITTING])
def test_what_does_not_fit_is_a_validation_error(hint: object, content: str, message: str) -> None:
    with pytest.raises(ResponseValidationError) as caught:
        decoder(hint, None, "Music.song")(answered(content))
    assert str(caught.value) == f"answered 200 with XML that does not fit: {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_call_says_which_endpoint_did_not_decode(api: MakeApi, colour: Colour) -> None:
    with pytest.raises(DecodeError) as caught:
        colour.run(Music(transport=api(Reply(content=b"<song", headers=XML)).transport).song, 1)
    assert str(caught.value) == (
        "Music.song: GET https://api.example/songs/1 answered 200 with application/xml, which is not XML: "
        "line 1 is malformed"
    )


def broken(value: int) -> int:
    raise LookupError("my own bug")


class Counted(BaseXmlModel, tag="song"):
    id: Annotated[int, AfterValidator(broken)] = attr()


def test_a_bug_in_a_validator_says_where() -> None:
    with pytest.raises(LookupError, match="my own bug") as caught:
        decoder(Counted, None, "Music.song")(answered('<song id="1"/>'))
    assert caught.value.__notes__ == ["raised while decoding the response of Music.song"]


# ---- failures


def test_a_failure_has_its_model(api: MakeApi, colour: Colour) -> None:
    failed = Reply(404, content=b"<error><code>gone</code></error>", headers=XML)
    with pytest.raises(ClientError) as caught:
        colour.run(Music(transport=api(failed).transport).song, 1)
    assert caught.value.body == Problem(code="gone")
    with pytest.raises(ProblemError) as typed:
        colour.run(Music(transport=api(Reply(409, content=failed.content, headers=XML)).transport).song, 1)
    assert typed.value.body is not None
    assert typed.value.body.code == "gone"


@pytest.mark.parametrize("content", [b"", b"<error", b"<song/>", b"<error/>", b'{"code": "a"}'])
def test_a_failure_whose_body_does_not_fit_has_none(api: MakeApi, content: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        Music(transport=api(Reply(404, content=content, headers=XML)).transport).song(1)
    assert caught.value.body is None


def test_a_failure_of_another_model_is_json_as_ever(api: MakeApi) -> None:
    with pytest.raises(ClientError) as caught:
        Music(transport=api(Reply(410, json={"id": 1})).transport).song(1)
    assert caught.value.body == Plain(id=1)


# ---- declarations


def test_a_model_that_is_not_complete_is_a_spec_error() -> None:
    message = (
        "Music.box: pydantic-xml cannot handle the type Box: a name in it is not defined, or a type variable of it is "
        "not filled in"
    )
    with pytest.raises(SpecError) as caught:
        decoder(Box, None, "Music.box")
    assert str(caught.value) == message
    assert decoder(Box[int], None, "Music.box")(answered("<box>5</box>")) == Box[int](inside=5)


def test_a_model_whose_parts_come_later_is_complete_at_first_use() -> None:
    assert decoder(Tree, None, "Music.tree")(answered("<tree><leaf><id>5</id></leaf></tree>")) == Tree(leaf=Leaf(id=5))


class Tree(BaseXmlModel, tag="tree"):
    leaf: Leaf


class Leaf(BaseXmlModel, tag="leaf"):
    id: int = element()


def test_unwrap_leads_nowhere_in_xml() -> None:
    with pytest.raises(SpecError) as caught:

        class Wrong(ApiClient):
            @get("/song", unwrap="song")
            def song(self) -> Song:
                raise NotImplementedError

    assert str(caught.value) == "Wrong.song: unwrap needs a JSON result, not Song: write the type of that part"
