"""Responses whose bodies are still arriving, as interceptors and middleware see them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    Body,
    CallNext,
    RedirectError,
    Request,
    Response,
    Stream,
    get,
    post,
)

MakeApi = Callable[..., Api]


class Files(ApiClient):
    base_url = "https://files.example"

    @get("/lines")
    def lines(self) -> Stream[str]:
        raise NotImplementedError

    @post("/files")
    def send(self, content: Annotated[Iterator[bytes], Body(content_type="text/csv")]) -> None:
        raise NotImplementedError


def client_of(server: Api, **options: Any) -> Files:
    return Files(transport=(server.transport, server.transport), **options)


def lines_of(client: Files, colour: Colour) -> list[str]:
    if colour.name == "sync":
        return list(client.lines())

    async def collect() -> list[str]:
        async with client.lines.aio() as lines:
            return [line async for line in lines]

    found: list[str] = colour.drive(collect)
    return found


def test_an_interceptor_sees_status_and_headers_and_no_data(api: MakeApi, colour: Colour) -> None:
    """What unwraps envelopes for the whole client lets a stream pass."""
    seen: list[Any] = []
    client = client_of(api(Reply(content=b"a\nb\n", headers={"X-Total": "2", "Content-Type": "text/plain"})))
    client.interceptors.response.use(lambda response: seen.extend([response.data, response.header("X-Total", int)]))
    client.interceptors.response.use(lambda response: seen.append(repr(response)))
    assert lines_of(client, colour) == ["a", "b"]
    assert seen == [None, 2, "<Response 200 text/plain, streamed>"]


def test_the_content_of_a_stream_is_read_by_the_stream_alone(api: MakeApi, colour: Colour) -> None:
    client = client_of(api(Reply(content=b"a\n")))

    def look(response: Response) -> None:
        seen.append(response.content)

    seen: list[bytes] = []
    client.interceptors.response.use(look)
    with pytest.raises(RuntimeError) as caught:
        lines_of(client, colour)
    assert str(caught.value) == ("the body of this response is streamed: iterate the stream that the call returned")
    assert seen == []


def test_a_copy_has_the_same_body_and_a_pickle_none(api: MakeApi, colour: Colour) -> None:
    client = client_of(api(Reply(content=b"a\n", headers={"X-A": "1", "Set-Cookie": "s3cret"})))

    def twin(response: Response) -> Response:
        twins.append(pickle.loads(pickle.dumps(response)))
        twins.append(copy.copy(response))
        return twins[-1]

    twins: list[Response] = []
    client.interceptors.response.use(twin)
    assert lines_of(client, colour) == ["a"]
    pickled, copied = twins
    assert (pickled.status_code, pickled.content, pickled.headers["X-A"]) == (200, b"", "1")
    assert pickled.headers["Set-Cookie"] == "[redacted]"
    assert (copied.headers["X-A"], copied.request.url) == ("1", "https://files.example/lines")


@pytest.mark.parametrize(("content", "expected"), [(b"a\nb", ["a", "b"]), (b"", [])])
def test_a_middleware_may_answer_a_stream_itself(
    content: bytes, expected: list[str], api: MakeApi, colour: Colour
) -> None:
    async def answer(request: Request, call_next: CallNext) -> Response:
        assert callable(call_next)
        return Response(200, content=content, headers={"X-Path": request.url})

    server = api(Reply())
    assert lines_of(client_of(server, middleware=[answer]), colour) == expected
    assert server.requests == []


def test_a_body_that_can_be_read_once_is_not_redirected(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(307, headers={"Location": "/other"}))
    with pytest.raises(RedirectError) as caught:
        colour.run(client_of(server, follow_redirects=True).send, iter([b"a"]))
    assert str(caught.value) == (
        "Files.send: POST https://files.example/files answered with a redirect of a body that can be read only once"
    )
    assert len(server.requests) == 1
