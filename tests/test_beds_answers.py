"""What httpbin and nginx answered: by type, status, coding and validator, over TLS too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import pytest
from pydantic import BaseModel
from pydantic_xml import BaseXmlModel, attr, element

from streaming import read
from stubwire import (
    ApiClient,
    ClientError,
    ConnectError,
    Header,
    HTTPStatusError,
    PermissionDeniedError,
    Stream,
    get,
)
from stubwire.types import HttpDate, UnixTime
from witnesses import Nginx, httpbin, nginx

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with httpbin() as started:
        yield started


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server


# -- by type


class Slide(BaseXmlModel, tag="slide", search_mode="unordered"):
    type: str = attr()
    title: str = element()


class Slideshow(BaseXmlModel, tag="slideshow", search_mode="unordered"):
    author: str = attr()
    slides: list[Slide] = element(tag="slide")


class Show(BaseModel):
    author: str
    title: str


class Id(BaseModel):
    uuid: UUID


class NotAcceptable(BaseModel):
    message: str
    accept: list[str]


class Coded(BaseModel):
    method: str
    gzipped: bool = False
    brotli: bool = False
    deflated: bool = False


class Kinds(ApiClient):
    errors = {406: NotAcceptable}

    @get("/image", headers={"Accept": "image/png"})
    def png(self) -> bytes:
        raise NotImplementedError

    @get("/image")
    def image(self, accept: Annotated[str, Header()]) -> bytes:
        raise NotImplementedError

    @get("/image", headers={"Accept": "image/svg+xml"})
    def svg(self) -> str:
        raise NotImplementedError

    @get("/image")
    def unsaid(self) -> bytes:
        raise NotImplementedError

    @get("/json", unwrap="slideshow")
    def json(self) -> Show:
        raise NotImplementedError

    @get("/json")
    def json_text(self) -> str:
        raise NotImplementedError

    @get("/xml")
    def xml(self) -> Slideshow:
        raise NotImplementedError

    @get("/xml")
    def xml_text(self) -> str:
        raise NotImplementedError

    @get("/encoding/utf8")
    def utf8(self) -> str:
        raise NotImplementedError

    @get("/encoding/utf8")
    def utf8_bytes(self) -> bytes:
        raise NotImplementedError

    @get("/uuid")
    def uuid(self) -> Id:
        raise NotImplementedError

    @get("/bytes/<n>")
    def bytes_(self, n: int, seed: int) -> bytes:
        raise NotImplementedError

    @get("/<coding>")
    def coded(self, coding: str) -> Coded:
        raise NotImplementedError

    @get("/<coding>")
    def coded_bytes(self, coding: str) -> bytes:
        raise NotImplementedError

    @get("/<coding>")
    def coded_stream(self, coding: str) -> Stream[str]:
        raise NotImplementedError

    @get("/status/<code>", none_on={404})
    def status(self, code: int) -> Show | None:
        raise NotImplementedError

    @get("/response-headers?X-Total=42&X-At=1709168523&X-Tags=a,b")
    def said(self) -> None:
        raise NotImplementedError


def test_an_image_is_what_was_asked_for(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds:
        assert colour.run(kinds.png).startswith(b"\x89PNG\r\n")
        assert colour.run(kinds.image, "image/jpeg").startswith(b"\xff\xd8\xff")
        assert colour.run(kinds.image, "image/webp")[8:12] == b"WEBP"
        assert "<svg" in colour.run(kinds.svg)
        response = colour.response(kinds.image, "image/*")
        assert (response.content_type, len(response.data)) == ("image/png", int(response.headers["content-length"]))


def test_what_is_not_to_be_had_is_a_406_with_its_body(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds, pytest.raises(ClientError) as error:
        colour.run(kinds.unsaid)
    assert error.value.status_code == 406
    assert isinstance(error.value.body, NotAcceptable)
    assert "image/png" in error.value.body.accept


def test_one_path_is_read_as_json_xml_text_or_bytes(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds:
        assert colour.run(kinds.json) == Show(author="Yours Truly", title="Sample Slide Show")
        assert '"slideshow"' in colour.run(kinds.json_text)
        show: Slideshow = colour.run(kinds.xml)
        titles = [(slide.type, slide.title) for slide in show.slides]
        assert titles == [("all", "Wake up to WonderWidgets!"), ("all", "Overview")]
        assert colour.run(kinds.xml_text).startswith("<?xml version='1.0' encoding='us-ascii'?>")
        assert colour.run(kinds.uuid).uuid.version == 4


def test_text_and_bytes_keep_every_character(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds:
        text: str = colour.run(kinds.utf8)
        assert colour.run(kinds.utf8_bytes).decode() == text
        assert "∮ E⋅da = Q" in text
        assert "Зарегистрируйтесь сейчас на Десятую" in text
        generated = random.Random(5)
        assert colour.run(kinds.bytes_, 5000, 5) == bytes(generated.randint(0, 255) for _ in range(5000))


@pytest.mark.parametrize(("coding", "flag"), [("gzip", "gzipped"), ("deflate", "deflated"), ("brotli", "brotli")])
def test_a_compressed_body_is_read(url: str, engine: EngineName, colour: Colour, coding: str, flag: str) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds:
        response = colour.response(kinds.coded, coding)
        assert response.headers["content-encoding"] == {"brotli": "br"}.get(coding, coding)
        assert response.data == Coded.model_validate({"method": "GET", flag: True})
        content: bytes = colour.run(kinds.coded_bytes, coding)
        assert f'"{flag}": true'.encode() in content
        lines = read(colour, kinds.coded_stream, coding).items
        assert (lines[0], lines[-1]) == ("{", "}")


def test_a_status_is_none_or_raises(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None, retry=None) as kinds:
        assert colour.run(kinds.status, 204) is None
        assert colour.run(kinds.status, 404) is None
        for code in (304, 400, 403, 418, 500, 503):
            with pytest.raises(HTTPStatusError) as error:
                colour.run(kinds.status, code)
            assert error.value.status_code == code


def test_response_headers_are_typed(url: str, engine: EngineName, colour: Colour) -> None:
    with Kinds(base_url=url, engine=engine, proxy=None) as kinds:
        response = colour.response(kinds.said)
    assert response.header("X-Total", int) == 42
    assert response.header("X-At", UnixTime) == datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    assert response.header("X-Tags", list[str]) == ["a", "b"]
    assert response.header("Date", HttpDate).tzinfo is not None


# -- by validator, over TLS


class Hello(BaseModel):
    hello: str


class Web(ApiClient):
    @get("/a.json", none_on={304})
    def hello(
        self,
        if_none_match: Annotated[str | None, Header()] = None,
        if_modified_since: Annotated[HttpDate | None, Header()] = None,
    ) -> Hello | None:
        raise NotImplementedError

    @get("/a.json")
    def strict(self, if_none_match: Annotated[str, Header()]) -> Hello:
        raise NotImplementedError

    @get("/mtls")
    def secret(self) -> Hello:
        raise NotImplementedError

    @get("/big.txt")
    def big(self) -> bytes:
        raise NotImplementedError


@pytest.mark.parametrize("http2", [False, True])
def test_what_has_not_changed_is_not_sent_again(web: Nginx, engine: EngineName, colour: Colour, http2: bool) -> None:
    with Web(base_url=web.tls_url, verify=web.authority, http2=http2, engine=engine, proxy=None) as client:
        response = colour.response(client.hello)
        assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert response.data == Hello(hello="world")
        etag, modified = response.header("ETag"), response.header("Last-Modified", HttpDate)
        assert colour.run(client.hello, etag) is None
        assert colour.run(client.hello, None, modified) is None
        assert colour.run(client.hello, '"another"') == Hello(hello="world")
        assert colour.run(client.hello, None, modified - timedelta(seconds=1)) == Hello(hello="world")
        with pytest.raises(HTTPStatusError) as error:
            colour.run(client.strict, etag)
        assert (error.value.status_code, error.value.response.content) == (304, b"")


@pytest.mark.parametrize("http2", [False, True])
def test_what_nginx_compresses_is_what_it_serves(web: Nginx, engine: EngineName, colour: Colour, http2: bool) -> None:
    with Web(base_url=web.tls_url, verify=web.authority, http2=http2, engine=engine, proxy=None) as client:
        response = colour.response(client.big)
    assert response.headers["content-encoding"] == "gzip"
    assert response.data == (web.folder / "www" / "big.txt").read_bytes()


@pytest.mark.filterwarnings("ignore:Web does not verify:UserWarning")
def test_an_unknown_authority_is_not_trusted(web: Nginx, engine: EngineName, colour: Colour) -> None:
    with (
        Web(base_url=web.tls_url, engine=engine, proxy=None, retry=None) as client,
        pytest.raises(ConnectError, match="certificate verify failed"),
    ):
        colour.run(client.hello)
    with Web(base_url=web.tls_url, verify=False, engine=engine, proxy=None) as client:
        assert colour.run(client.hello) == Hello(hello="world")


def test_a_client_shows_its_certificate(web: Nginx, engine: EngineName, colour: Colour) -> None:
    with Web(base_url=web.tls_url, verify=web.client_context(), engine=engine, proxy=None) as client:
        assert colour.run(client.secret) == Hello(hello="world")
    with (
        Web(base_url=web.tls_url, verify=web.authority, engine=engine, proxy=None) as client,
        pytest.raises(PermissionDeniedError),
    ):
        colour.run(client.secret)
