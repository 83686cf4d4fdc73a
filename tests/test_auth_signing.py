"""Requests that are signed: a middleware around each attempt sees the target and the body as they go out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from conftest import Api, Clock, Colour, EngineName, Reply
from servers import RawRequest, RawServer, http
from stubwire import ApiClient, CallNext, Form, Request, Response, Retry, _clock, get, post
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]

KEY = SecretStr("s3cr3t")


def signature(method: str, target: str, moment: str, body: bytes) -> str:
    text = "\n".join((method, target, moment, hashlib.sha256(body).hexdigest()))
    digest = hmac.new(KEY.get_secret_value().encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


async def sign(request: Request, call_next: CallNext) -> Response:
    target = "/" + request.url.split("/", 3)[3]
    moment = str(int(_clock.now()))
    request.headers["X-Timestamp"] = moment
    request.headers["X-Signature"] = signature(request.method, target, moment, request.content or b"")
    return await call_next(request)


class Signed(ApiClient):
    base_url = "https://api.example/v1"

    @get("/items/<name>")
    def item(self, name: str, *, tags: list[str]) -> dict[str, str]:
        raise NotImplementedError

    @post("/items")
    def add(self, item: dict[str, str]) -> dict[str, str]:
        raise NotImplementedError

    @post("/form")
    def fill(self, text: Annotated[str, Form()]) -> dict[str, str]:
        raise NotImplementedError


def is_right(request: RawRequest) -> bool:
    """Whether a request is signed, as a server finds it that has only the bytes that came."""
    moment, sent = request.header("X-Timestamp"), request.header("X-Signature")
    return sent == signature(request.method, request.target, moment or "", request.body)


def test_a_server_finds_the_signature_right(engine: EngineName, colour: Colour) -> None:
    """With values of every kind in the path, the query and the body."""
    with RawServer(http("{}")) as server, Signed(base_url=f"{server.url}/v1", engine=engine) as client:
        client.use(sign, per="attempt")
        colour.run(client.item, "a b/c?d=é&%2F'|~[]", tags=["x y", "+&=", "ü"])
        colour.run(client.add, {"name": "é\n"})
        colour.run(client.fill, "a b&c=é")
        assert [is_right(request) for request in server.requests] == [True] * 3


def test_each_attempt_is_signed_anew(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503, headers={"Retry-After": "2"}), Reply(json={}))
    client = Signed(transport=server.transport, retry=Retry(max_retries=1), auth=BearerAuth("t"))
    client.use(sign, per="attempt")
    response = colour.response(client.item, "a", tags=[])
    first, second = (request.headers["X-Signature"] for request in server.requests)
    assert first != second
    assert first not in repr(response.request.headers)


@pytest.mark.parametrize("status", [302, 307])
def test_a_signature_does_not_follow_a_redirect_elsewhere(api: MakeApi, colour: Colour, status: int) -> None:
    """Its name looks secret; one that does not is declared by the `names` of an auth."""
    server = api(Reply(status, headers={"Location": "https://other.example/"}), Reply(json={}))
    client = Signed(transport=server.transport, follow_redirects=True)
    client.use(sign, per="attempt")
    colour.run(client.item, "a", tags=[])
    assert ["X-Signature" in request.headers for request in server.requests] == [True, False]


def test_an_auth_signs_with_its_key_in_the_query(api: MakeApi, colour: Colour) -> None:
    """As an auth, a signature covers what is sent on each hop, and what is sent again."""

    class SignedUrl:
        query_names = ("mac",)

        async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
            mark = "&" if "?" in request.url else "?"
            request.url += f"{mark}mac={hashlib.sha256(request.url.encode()).hexdigest()[:8]}"
            return await call_next(request)

    server = api(Reply(302, headers={"Location": "/v1/else"}), Reply(json={}))
    client: Any = Signed(transport=server.transport, auth=SignedUrl(), follow_redirects=True)
    colour.run(client.item, "a", tags=["b"])
    for request, url in zip(server.requests, ("/v1/items/a?tags=b", "/v1/else"), strict=True):
        mark = "&" if "?" in url else "?"
        mac = hashlib.sha256(f"https://api.example{url}".encode()).hexdigest()[:8]
        assert request.url.raw_path.decode() == f"{url}{mark}mac={mac}"
    assert "mac=[redacted]" in client.item.request("a", tags=[]).curl()
