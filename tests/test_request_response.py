"""What travels: `Request` and `Response`, made by the core, by an engine, or by hand."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import Api, Clock, Colour, Reply
from stubwire import (
    ApiClient,
    ArgumentError,
    CallNext,
    DecodeError,
    NotFoundError,
    Request,
    Response,
    get,
    post,
)
from stubwire._response import REQUEST_ID_HEADERS
from stubwire.auth import ApiKeyAuth, BearerAuth

MakeApi = Callable[..., Api]


class Item(BaseModel):
    id: int


class Items(ApiClient):
    base_url = "https://api.example"

    @get("/items/<name>")
    def item(self, name: str, *, token: str | None = None) -> Item:
        raise NotImplementedError

    @post("/items")
    def create(self, item: dict[str, object]) -> Item:
        raise NotImplementedError

    @get("/data")
    def data(self) -> bytes:
        raise NotImplementedError


# ---- requests


def test_a_request_is_what_would_be_sent() -> None:
    request = Items(headers={"X-A": "1"}).create.request({"id": 1})
    assert (request.method, request.url, request.content) == ("POST", "https://api.example/items", b'{"id":1}')
    assert dict(request.headers) == {
        "x-a": "1",
        "accept": "application/json, */*;q=0.5",
        "content-type": "application/json",
    }
    assert (request.endpoint, request.arguments, request.attempt) == ("Items.create", {"item": {"id": 1}}, 0)
    assert request.spec is not None
    assert request.spec.path == "/items"
    assert request.attempts == ()
    assert repr(request) == "<Request POST https://api.example/items>"


def test_a_request_made_by_hand_has_no_endpoint() -> None:
    request = Request("PUT", "https://api.example/x?token=s3cret", headers=[("X-A", "1"), ("x-a", "2")], content=b"b")
    assert (request.spec, request.endpoint, request.arguments, request.attempts) == (None, "", {}, ())
    assert request.headers["X-A"] == "1, 2"
    assert repr(request) == "<Request PUT https://api.example/x?token=[redacted]>"
    with pytest.raises(ArgumentError):
        Request("GET", "https://api.example", headers={"X-A": "a\r\nb"})


def test_replace_is_a_copy() -> None:
    original = Items(headers={"X-A": "1"}).create.request({"id": 1})
    changed = original.replace(method="PUT", url="https://api.example/y", headers={"X-B": "2"}, content=None)
    assert (changed.method, changed.url, changed.content) == ("PUT", "https://api.example/y", None)
    assert dict(changed.headers) == {"x-b": "2"}
    assert (changed.endpoint, changed.arguments) == ("Items.create", {"item": {"id": 1}})
    assert (original.method, original.content) == ("POST", b'{"id":1}')

    same = original.replace()
    same.headers["X-A"] = "changed"
    assert original.headers["X-A"] == "1"
    assert same.content == original.content


def test_replace_refuses_what_a_request_has_not() -> None:
    unknown: dict[str, Any] = {"body": b""}
    with pytest.raises(TypeError) as caught:
        Request("GET", "https://api.example").replace(**unknown)
    assert str(caught.value) == "replace() got an unexpected 'body': write method, url, headers or content"


def test_a_copy_of_a_request_is_whole_and_its_own() -> None:
    original = Items(headers={"X-Token": "s3cret"}).create.request({"id": 1})
    twin = copy.copy(original)
    twin.headers["X-B"] = "2"
    assert "x-b" not in original.headers
    assert (twin.url, twin.content, twin.spec, twin.arguments) == (
        original.url,
        original.content,
        original.spec,
        original.arguments,
    )
    assert twin.headers["X-Token"] == "s3cret"


def test_a_pickled_request_is_redacted_and_without_body_arguments_and_spec() -> None:
    client = Items(headers={"X-Token": "s3cret", "X-A": "1"}, auth=ApiKeyAuth("s3cret", query="q"))
    for request in (client.item.request("s3cret-not", token="s3cret"), client.create.request({"password": "s3cret"})):
        pickled = pickle.dumps(request)
        twin = pickle.loads(pickled)
        assert b"=s3cret" not in pickled
        assert b'"s3cret"' not in pickled
        assert (twin.spec, twin.arguments, twin.content) == (None, {}, None)
        assert twin.headers["X-Token"] == "[redacted]"
        assert twin.headers["X-A"] == "1"
        assert (twin.method, twin.attempt) == (request.method, 0)


def test_a_command_line_for_curl_hides_secrets() -> None:
    client = Items(headers={"X-Token": "s3cret", "X-A": "it's"}, auth=BearerAuth("s3cret"))
    assert client.item.request("a b", token="s3cret").curl() == (
        "curl -X GET 'https://api.example/items/a%20b?token=[redacted]' "
        "-H 'X-Token: [redacted]' -H 'X-A: it'\"'\"'s' "
        "-H 'Accept: application/json, */*;q=0.5' -H 'Authorization: [redacted]'"
    )
    line = client.create.request({"id": 1, "password": "s3cret"}).curl()
    assert line.endswith("""--data-raw '{"id": 1, "password": "[redacted]"}'""")
    binary = Request("POST", "https://api.example/", content=b"\xff\x00").curl()
    assert binary == "curl -X POST https://api.example/ --data-raw '<2 bytes>'"


def test_an_attempt_is_a_copy_that_knows_its_number_and_those_before(
    api: MakeApi, colour: Colour, clock: Clock
) -> None:
    seen: list[tuple[int, int]] = []

    async def note(request: Request, call_next: CallNext) -> Response:
        seen.append((request.attempt, len(request.attempts)))
        request.headers["X-Attempt"] = str(request.attempt)
        return await call_next(request)

    server = api(Reply(503), Reply(json={"id": 1}))
    colour.run(Items(transport=server.transport).use(note, per="attempt").item, "a")
    assert seen == [(1, 0), (2, 1)]
    assert [request.headers["x-attempt"] for request in server.requests] == ["1", "2"]


# ---- responses


def is_lazy(response: Response[Item]) -> bool:
    """Whether the headers are made when they are read, and kept."""
    before = response._headers
    return before is None and response.headers["x-a"] == "1" and response._headers is response.headers


def test_headers_are_decoded_when_they_are_read(api: MakeApi, colour: Colour) -> None:
    """Not on the way of a success."""
    client = Items(transport=api(Reply(json={"id": 1}, headers={"X-A": "1"})).transport)

    async def asked() -> bool:
        """Asked inside, because asyncio shows the result of its task to itself."""
        return is_lazy(await client.item.aio.response("a"))

    assert is_lazy(client.item.response("a")) if colour.name == "sync" else colour.drive(asked)


def test_a_response_knows_its_call(api: MakeApi, colour: Colour, clock: Clock) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(0.5)
        return Reply(201, json={"id": 1})

    client = Items(transport=api(slow).transport, auth=BearerAuth("s3cret"))
    response = colour.response(client.item, "a")
    assert (response.status_code, response.data, response.text) == (201, Item(id=1), '{"id": 1}')
    assert (response.request.url, response.request.attempt) == ("https://api.example/items/a", 1)
    assert "authorization" not in response.request.headers
    assert response.elapsed == 0.5
    assert [(attempt.number, attempt.status_code) for attempt in response.attempts] == [(1, 201)]
    assert response.http_version == "HTTP/1.1"
    assert type(response.raw).__module__.partition(".")[0] in {"httpx", "httpx2"}
    assert repr(response) == "<Response 201 application/json, 9 bytes>"


@pytest.mark.parametrize("name", REQUEST_ID_HEADERS)
def test_a_request_id_has_many_names(name: str) -> None:
    assert Response[Any](200, headers={name.title(): "8F3A"}).request_id == "8F3A"
    assert Response[Any](200, headers={"X-Other": "8F3A"}).request_id is None


def test_a_response_made_by_hand() -> None:
    response: Response[Any] = Response(200, json={"id": 1})
    assert (response.content, response.headers["content-type"]) == (b'{"id":1}', "application/json")
    assert response.data == {"id": 1}
    assert (response.raw, response.http_version, response.attempts, response.elapsed) == (None, "", (), 0.0)
    with pytest.raises(RuntimeError, match=r"^this response has no request yet: no call has returned it$"):
        _ = response.request
    assert repr(Response(204)) == "<Response 204 without a type, 0 bytes>"


def test_json_of_a_response_may_be_anything_that_pydantic_serialises() -> None:
    assert Response(200, json=Item(id=1)).content == b'{"id":1}'
    assert Response(200, json=None).content == b"null"
    problem: Response[Any] = Response(400, json={}, headers={"Content-Type": "application/problem+json"})
    assert problem.content_type == "application/problem+json"
    with pytest.raises(TypeError) as caught:
        Response(200, json=object())
    assert str(caught.value) == "Response(json=...) got a value of type object, which is no JSON"
    assert caught.value.__context__ is None


def test_a_middleware_answers_itself(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """The core fills in what the call knows."""
    server = api()

    async def answer(request: Request, call_next: CallNext) -> Response:
        clock.advance(0.25)
        return Response(200, json={"id": 7}, headers={"X-Request-Id": "mine"})

    response = colour.response(Items(transport=server.transport).use(answer).item, "a")
    assert (response.data, response.request_id, response.attempts) == (Item(id=7), "mine", ())
    assert (response.request.url, response.elapsed) == ("https://api.example/items/a", 0.25)
    assert server.requests == []


def test_a_middleware_answers_an_attempt_and_its_status_is_judged(api: MakeApi, colour: Colour, clock: Clock) -> None:
    async def answer(request: Request, call_next: CallNext) -> Response:
        return Response(503 if request.attempt == 1 else 404, json={"message": "no"})

    with pytest.raises(NotFoundError) as caught:
        colour.run(Items(transport=api().transport).use(answer, per="attempt").item, "a")
    assert caught.value.body == {"message": "no"}
    assert [attempt.status_code for attempt in caught.value.attempts] == [503, 404]


def test_data_is_decoded_json_until_the_end(api: MakeApi, colour: Colour) -> None:
    seen: list[object] = []
    client = Items(transport=api(Reply(json={"id": 1})).transport)
    client.interceptors.response.use(lambda response: seen.append(response.data))
    assert colour.run(client.item, "a") == Item(id=1)
    assert seen == [{"id": 1}]


def test_data_without_a_body_is_none_and_without_json_an_error() -> None:
    assert Response[Any](204).data is None
    with pytest.raises(DecodeError) as caught:
        _ = Response[Any](200, content=b"<html>", headers={"Content-Type": "text/html"}).data
    assert str(caught.value) == "answered 200 with text/html, which is not JSON: '<html>'"
    assert caught.value.__context__ is None
    with pytest.raises(DecodeError) as caught:
        _ = Response[Any](200, content=b"\xff").data
    assert str(caught.value) == "answered 200 with a body that is not utf-8"
    with pytest.raises(DecodeError, match="names the charset 'zlib', which is no text encoding"):
        _ = Response[Any](200, content=b"a", headers={"Content-Type": "text/plain; charset=zlib"}).text


def test_reading_data_decodes_once() -> None:
    response: Response[Any] = Response(200, json=[1])
    assert response.data is response.data
    response.data = [2]
    assert response.data == [2]
    assert response.content == b"[1]"


def test_a_copy_of_a_response_is_whole_and_its_own(api: MakeApi) -> None:
    original = Items(transport=api(Reply(json={"id": 1}, headers={"Set-Cookie": "a=s3cret"})).transport).item.response(
        "a"
    )
    twin = copy.copy(original)
    twin.headers["X-New"] = "1"
    twin.data = Item(id=2)
    assert "x-new" not in original.headers
    assert (original.data, twin.headers["set-cookie"]) == (Item(id=1), "a=s3cret")
    assert (twin.request, twin.attempts, twin.raw) == (original.request, original.attempts, original.raw)


def test_a_pickled_response_is_redacted_and_decodes_again(api: MakeApi) -> None:
    reply = Reply(json={"id": 1, "token": "s3cret"}, headers={"Set-Cookie": "a=s3cret", "X-Request-Id": "8F3A"})
    original = Items(transport=api(reply).transport, auth=BearerAuth("s3cret")).item.response("a", token="s3cret")
    for pickled in (pickle.dumps(original), pickle.dumps(copy.deepcopy(original))):
        twin = pickle.loads(pickled)
        assert b"s3cret" not in pickled
        assert (twin.status_code, twin.request_id, twin.raw, twin.http_version) == (200, "8F3A", None, "")
        assert twin.data == {"id": 1, "token": "[redacted]"}
        assert (twin.attempts, twin.elapsed) == (original.attempts, original.elapsed)
        assert twin.request.url == "https://api.example/items/a?token=[redacted]"


def test_a_pickle_keeps_a_body_that_is_no_text(api: MakeApi) -> None:
    response = Items(transport=api(Reply(content=b"\xff\x00")).transport).data.response()
    assert pickle.loads(pickle.dumps(response)).content == b"\xff\x00"
    assert pickle.loads(pickle.dumps(Response(200, content="é".encode()))).text == "é"
