"""A malicious argument reaches no place but its own, over real sockets: it is sent as what it is, or refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, unquote

import pytest

from servers import RawRequest, RawServer
from stubwire import ApiClient, ArgumentError, Cookie, File, Form, Header, Upload, get, post

if TYPE_CHECKING:
    from conftest import Colour, EngineName

HOSTILE = [
    "../admin",
    "..",
    ".",
    "..%2f..%2fadmin",
    "a/../../admin",
    "a\\..\\admin",
    "a?admin=1",
    "a#frag",
    "a&admin=1",
    "a;admin=1",
    "a=b",
    "//evil.example/x",
    "https://evil.example/",
    "@evil.example",
    "a b",
    "a\r\nX-Injected: 1",
    "a\nX-Injected: 1",
    "a\rX-Injected: 1",
    "a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
    "a\x00b",
    "a\x85X-Injected: 1",
    "a\u2028X-Injected: 1",
    "a; sid=2",
    'a", b="c',
    "嘊嘍X-Injected: 1",
    "\ud800",
    "",
    "%0d%0aX-Injected:%201",
]


class Things(ApiClient):
    headers = {"X-Own": "1"}
    retry = None
    proxy = None

    @get("/things/<id>/end")
    def path(self, id: str) -> Any:
        raise NotImplementedError

    @get("/query")
    def query_(self, q: str) -> Any:
        raise NotImplementedError

    @get("/header")
    def header(self, x_value: Annotated[str, Header()]) -> Any:
        raise NotImplementedError

    @get("/cookie")
    def cookie(self, sid: Annotated[str, Cookie()]) -> Any:
        raise NotImplementedError

    @post("/form")
    def form(self, name: Annotated[str, Form()]) -> Any:
        raise NotImplementedError

    @post("/parts")
    def parts(self, name: Annotated[str, Form()], photo: Annotated[Upload, File()]) -> Any:
        raise NotImplementedError


def sent(engine: EngineName, colour: Colour, endpoint: str, *arguments: Any) -> RawRequest | None:
    """The one request that arrived; `None` if the argument was refused before anything was sent."""
    with RawServer() as server, Things(base_url=server.url, engine=engine) as things:
        try:
            colour.run(getattr(things, endpoint), *arguments)
        except ArgumentError as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:
            assert server.requests == []
            assert len(arguments[0]) < 3 or arguments[0] not in refusal, "it is not shown"
            return None
        assert len(server.requests) == 1, server.lines
        request = server.requests[0]
    assert request.header("X-Own") == "1"
    assert request.headers("X-Injected") == []
    assert not re.search(rb"[\r\n](?!\n)\s*X-Injected", request.head.replace(b"\r\n", b"\n"))
    return request


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_path_value_stays_in_its_segment(engine: EngineName, colour: Colour, value: str) -> None:
    request = sent(engine, colour, "path", value)
    if request is None:
        return
    segments = request.target.split("/")
    assert (segments[1], segments[3:]) == ("things", ["end"])
    assert not re.search(r"[?#&\\ ;@]", segments[2].replace("@", "").replace("&", "").replace(";", ""))
    assert unquote(segments[2]) == value
    assert value not in (".", "..", "")


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_query_value_stays_in_its_parameter(engine: EngineName, colour: Colour, value: str) -> None:
    request = sent(engine, colour, "query_", value)
    if request is None:
        assert value == "\ud800"
        return
    path, _, query = request.target.partition("?")
    assert (path, parse_qsl(query, keep_blank_values=True)) == ("/query", [("q", value)])


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_header_value_stays_in_its_line(engine: EngineName, colour: Colour, value: str) -> None:
    request = sent(engine, colour, "header", value)
    if request is None:
        assert re.search(r"[^\t\x20-\x7e]", value)
        return
    assert request.header("X-Value") == value


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_cookie_value_stays_in_its_pair(engine: EngineName, colour: Colour, value: str) -> None:
    request = sent(engine, colour, "cookie", value)
    if request is None:
        assert re.search(r"[^\x21-\x7e]|[;,\"\\]", value)
        return
    assert request.header("Cookie") == f"sid={value}"
    assert ";" not in value


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_form_value_stays_in_its_field(engine: EngineName, colour: Colour, value: str) -> None:
    request = sent(engine, colour, "form", value)
    if request is None:
        assert value == "\ud800"
        return
    assert parse_qsl(request.body.decode(), keep_blank_values=True) == [("name", value)]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_multipart_value_stays_in_its_part(engine: EngineName, colour: Colour, value: str) -> None:
    """As the text of a field, and as the name of a file."""
    refused = 0
    for arguments in ((value, Upload(b"x", filename="x.txt")), ("x", value)):
        given = arguments if isinstance(arguments[1], Upload) else upload(value)
        request = None if given is None else sent(engine, colour, "parts", *given)
        if request is None:
            refused += 1
            continue
        kind = request.header("Content-Type")
        assert kind is not None
        boundary = kind.partition("boundary=")[2].encode()
        parts = request.body.split(b"--" + boundary)
        assert len(parts) == 4, "the field, the file, and what surrounds them"
        heads = [part.partition(b"\r\n\r\n")[0].strip().split(b"\r\n") for part in parts[1:3]]
        assert [head[0].partition(b";")[0] for head in heads] == [b"Content-Disposition: form-data"] * 2
        assert [len(head) for head in heads] == [1, 2]
    assert refused < 2 or value == "\ud800"


def upload(name: str) -> tuple[str, Upload] | None:
    try:
        return "x", Upload(b"x", filename=name)
    except ArgumentError:
        return None
