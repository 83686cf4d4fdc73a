"""`client.call` and `client.acall`: an endpoint without a stub goes the way of any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from conftest import Api, Colour, Reply
from stubwire import ApiClient, ArgumentError, NotFoundError, Request, Response, ResponseValidationError
from stubwire.auth import BearerAuth

BASE = "https://api.example/v1"

MakeApi = Callable[..., Api]


class Repo(BaseModel):
    id: int


class Client(ApiClient):
    base_url = BASE
    headers = {"X-Client": "yes", "X-Api-Key": "k3y"}
    query = {"always": "1"}
    auth = BearerAuth("s3cr3t")


def call(colour: Colour, client: Any, *args: Any, **sent: Any) -> Any:
    """`client.call`, or `client.acall` on the colour's event loop."""
    return client.call(*args, **sent) if colour.name == "sync" else colour.drive(client.acall, *args, **sent)


def sent_by(path: str, method: str = "GET", **sent: Any) -> Any:
    """The engine's request of a call."""
    api = Api("httpx", (Reply(json={}),))
    Client(transport=api.transport).call(method, path, **sent)
    return api.request


def test_a_call_gives_the_type_that_it_names(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[{"id": 1}]))
    assert call(colour, Client(transport=server.transport), "GET", "/repos", into=list[Repo]) == [Repo(id=1)]
    assert server.request.method == "GET"
    assert str(server.request.url) == f"{BASE}/repos?always=1"
    assert server.request.headers["X-Client"] == "yes"
    assert server.request.headers["Authorization"] == "Bearer s3cr3t"


def test_without_a_type_it_gives_the_response(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(201, json={"a": 1}))
    response = call(colour, Client(transport=server.transport), "post", "/repos")
    assert type(response) is Response
    assert (response.status_code, response.data, response.request.method) == (201, {"a": 1}, "POST")


@pytest.mark.parametrize(
    ("into", "content", "result"),
    [
        (bytes, b"\xff", b"\xff"),
        (str, b"text", "text"),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (Repo | None, b"", None),
        (type(None), b"ignored", None),
    ],
)
def test_a_type_decodes_as_a_return_annotation_does(into: Any, content: bytes, result: object) -> None:
    api = Api("httpx", (Reply(content=content),))
    assert Client(transport=api.transport).call("GET", "/x", into=into) == result


def test_unions_of_another_order_are_other_types() -> None:
    class A(BaseModel):
        id: int

    class B(BaseModel):
        id: int

    api = Api("httpx", (Reply(json={"id": 1}),))
    client = Client(transport=api.transport)
    into: list[Any] = [A | B, B | A]
    assert [type(client.call("GET", "/x", into=kind)) for kind in into] == [A, B]


def test_a_status_and_a_misfit_raise_as_for_any_endpoint(api: MakeApi, colour: Colour) -> None:
    client = Client(transport=api(Reply(404), Reply(json={})).transport)
    with pytest.raises(NotFoundError) as missing:
        call(colour, client, "GET", "/repos/1", into=Repo)
    assert str(missing.value) == f"Client.call: GET {BASE}/repos/1?always=1 answered 404"
    with pytest.raises(ResponseValidationError):
        call(colour, client, "GET", "/repos/1", into=Repo)


def test_interceptors_and_middleware_see_a_call_too(api: MakeApi, colour: Colour) -> None:
    seen: list[Request] = []
    client = Client(transport=api(Reply(json={"id": 1})).transport)
    client.interceptors.request.use(seen.append)
    assert call(colour, client, "GET", "/repos/1", into=Repo) == Repo(id=1)
    assert seen[0].endpoint == "Client.call"
    assert seen[0].spec is not None
    assert (seen[0].spec.path, seen[0].spec.returns) == ("/repos/1", Repo)


@pytest.mark.parametrize(
    ("path", "params", "url"),
    [
        ("", None, f"{BASE}?always=1"),
        ("/", None, f"{BASE}/?always=1"),
        ("/a%20b/c", None, f"{BASE}/a%20b/c?always=1"),
        ("?action=query", None, f"{BASE}?action=query&always=1"),
        ("/a?b=c+d&always=2", None, f"{BASE}/a?b=c%20d&always=1"),
        ("/a?b=c", {"b": "d e", "always": None}, f"{BASE}/a?always=1&b=d%20e"),
        ("/a", {"k": ["x", 1], "t": (True,), "e": []}, f"{BASE}/a?always=1&k=x&k=1&t=true"),
        (
            "/a",
            {"day": date(2024, 1, 2), "id": UUID(int=1), "always": SecretStr("s")},
            f"{BASE}/a?day=2024-01-02&id=00000000-0000-0000-0000-000000000001&always=s",
        ),
        (f"{BASE}/a?b=c", {}, f"{BASE}/a?b=c&always=1"),
        ("https://api.example/other", {}, "https://api.example/other?always=1"),
        ("HTTPS://API.Example:443/other", {}, "https://api.example/other?always=1"),
        ("https://api.example?a=b", {}, "https://api.example/?a=b&always=1"),
        ("https://api.example", {}, "https://api.example/?always=1"),
    ],
)
def test_a_path_and_its_parameters_make_the_url(path: str, params: dict[str, Any] | None, url: str) -> None:
    request = sent_by(path, params=params)
    assert str(request.url) == url
    assert request.url.raw_path.decode() == url.removeprefix("https://api.example")


@pytest.mark.parametrize("url", ["https://other.example/x?a=1", "http://api.example/x?a=1", "https://[::1]:8443/x?a=1"])
def test_an_absolute_url_on_another_origin_gets_nothing_of_ours(url: str) -> None:
    """No credentials, and no parameter that the client always sends; what is no secret goes along."""
    request = sent_by(url, params={"b": 2})
    assert str(request.url) == f"{url}&b=2"
    assert "Authorization" not in request.headers
    assert "X-Api-Key" not in request.headers
    assert request.headers["X-Client"] == "yes"


@pytest.mark.parametrize(
    ("sent", "content", "content_type"),
    [
        ({}, b"", None),
        ({"json": None}, b"", None),
        ({"json": {"a": date(2024, 1, 2)}}, b'{"a":"2024-01-02"}', "application/json"),
        ({"json": Repo(id=1)}, b'{"id":1}', "application/json"),
        ({"json": [Repo(id=1), float("nan")]}, b'[{"id":1},null]', "application/json"),
        ({"json": 0, "headers": {"Content-Type": "application/vnd.a+json"}}, b"0", "application/vnd.a+json"),
        ({"content": b"raw"}, b"raw", None),
        ({"content": b"raw", "headers": {"Content-Type": "text/plain"}}, b"raw", "text/plain"),
        ({"content": None, "headers": None, "params": None}, b"", None),
    ],
)
def test_a_body_is_json_or_bytes(sent: dict[str, Any], content: bytes, content_type: str | None) -> None:
    request = sent_by("/x", "POST", **sent)
    assert request.content == content
    assert request.headers.get("Content-Type") == content_type


def test_headers_are_sent_over_those_of_the_client() -> None:
    request = sent_by("/x", headers={"x-client": "mine", "X-Secret": SecretStr("s")})
    assert request.headers["X-Client"] == "mine"
    assert request.headers["X-Secret"] == "s"


def test_a_secret_parameter_is_hidden() -> None:
    seen: list[Request] = []
    client = Client(transport=Api("httpx", (Reply(json={}),)).transport)
    client.interceptors.request.use(seen.append)
    client.call("GET", "/x", params={"tenant": SecretStr("s3cr3t")}, headers={"X-Tenant": SecretStr("s3cr3t")})
    assert "s3cr3t" not in seen[0].curl()
    assert seen[0].line == f"GET {BASE}/x?always=1&tenant=[redacted]"


HOST = "an absolute URL needs a plain host, and has no userinfo: credentials are auth's"
VALUE = "a value with a line break, a control character or one outside ASCII cannot be sent; encode it first"
MASKED = (
    "json: pydantic would send a SecretStr in it as '**********': give the field a serializer, as in "
    "Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
)
LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("method", "path", "sent", "message"),
    [
        ("GET IT", "/x", {}, "'GET IT' is no HTTP method"),
        ("", "/x", {}, "'' is no HTTP method"),
        ("GET", "x", {}, "path 'x' must begin with a slash: write '/x'"),
        ("GET", "/a/../x", {}, "path '/a/../x' has a '.' or '..' segment: write the path that it stands for"),
        (
            "GET",
            "/users/<name>",
            {},
            "path '/users/<name>' has a placeholder, and a call has no parameters: put the encoded value there",
        ),
        ("GET", "https://me:83512@api.example/x", {}, HOST),
        ("GET", "https://evil.example\\.api.example/x", {}, HOST),
        ("GET", "https://api.example\\@evil.example/x", {}, HOST),
        ("GET", "https://api.example:x/", {}, HOST),
        ("GET", "https://api.example:99999/", {}, HOST),
        ("GET", "https://[::1/", {}, HOST),
        ("GET", "https://bücher.example/", {}, HOST),
        ("GET", "/x", {"headers": {"X Y": "1"}}, "'X Y' is no header name: write letters, digits and hyphens"),
        ("GET", "/x", {"headers": {"X": "83512\n"}}, f"header 'X': {VALUE}"),
        ("GET", "/x", {"headers": {"X": 83512}}, "header 'X': expected a str, got int"),
        (
            "GET",
            "/x",
            {"params": {"k": {"a": 83512}}},
            "params 'k': a value of type dict is no text, number or boolean",
        ),
        ("GET", "/x", {"params": {"k": ["a", None]}}, "params 'k': None cannot stand among several values"),
        ("GET", "/x", {"params": {"k": "83512\ud800"}}, "params 'k': it is no valid Unicode text"),
        ("POST", "/x", {"json": {}, "content": b""}, "json and content are both bodies: pass one"),
        ("POST", "/x", {"content": "83512"}, "content must be bytes, not str"),
        ("POST", "/x", {"params": [("k", "83512")]}, "params must be a mapping of names to values, not list"),
        ("POST", "/x", {"headers": [("X", "83512")]}, "headers must be a mapping of names to values, not list"),
        ("POST", "/x", {"json": {"password": SecretStr("83512")}}, MASKED),
        ("POST", "/x", {"json": object()}, "json: a value of type object cannot be serialized"),
        ("POST", "/x", {"json": LOOP}, "json: it contains itself, or is nested too deep"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    method: str, path: str, sent: dict[str, Any], message: str
) -> None:
    api = Api("httpx", (Reply(json={}),))
    with pytest.raises(ArgumentError) as caught:
        Client(transport=api.transport).call(method, path, **sent)
    assert str(caught.value) == f"Client.call: {message}"
    assert "83512" not in str(caught.value)
    assert caught.value.__context__ is None
    assert api.requests == []


def test_a_type_that_cannot_be_decoded_is_named() -> None:
    class Unknown:
        pass

    with pytest.raises(ArgumentError) as caught:
        Client().call("GET", "/x", into=Unknown)
    assert str(caught.value).startswith("Client.call: into: pydantic cannot handle the type Unknown: ")


def test_an_unknown_argument_is_named() -> None:
    wrong: dict[Literal["data"], Any] = {"data": b""}
    with pytest.raises(TypeError) as caught:
        Client().call("POST", "/x", **wrong)  # pyright: ignore[reportCallIssue]
    assert str(caught.value) == "call() got an unexpected argument 'data'; write params, json, content or headers"


def test_a_view_calls_with_its_options() -> None:
    api = Api("httpx", (Reply(json={}),))
    client = Client(transport=api.transport).with_options(headers={"X-View": "1"}, auth=None, query={"always": "2"})
    asyncio.run(client.acall("PUT", "/x", json={"a": 1}))
    assert str(api.request.url) == f"{BASE}/x?always=2"
    assert api.request.headers["X-View"] == "1"
    assert "Authorization" not in api.request.headers
    assert json.loads(api.request.content) == {"a": 1}
