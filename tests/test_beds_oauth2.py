"""OAuth 2 against a server that nobody here wrote: oauth2-mock-server, whose tokens are signed JWTs."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from beds import bed
from servers import RawRequest, RawServer, http
from stubwire import ApiClient, get
from stubwire.auth import MemoryTokenStore, OAuth2ClientCredentials, OAuth2RefreshToken, Token

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with bed("start_small.sh", "oauth2", "{0}") as port:
        yield f"http://127.0.0.1:{port}"


class Shop(ApiClient):
    @get("/items")
    def items(self) -> dict[str, Any]:
        raise NotImplementedError


class Api:
    """Takes tokens of the issuer, but for those that it has revoked, and shows what is in them."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: RawRequest) -> bytes:
        token = (request.header("Authorization") or "").removeprefix("Bearer ")
        with self._lock:
            self.tokens.append(token)
            if token in self.revoked or token.count(".") != 2:
                return http('{"error": "invalid_token"}', 401)
        claims = token.split(".")[1]
        return http(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))


class Counting:
    """Passes token requests on to the issuer, and counts them."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.lines: list[str] = []

    def __call__(self, request: RawRequest) -> bytes:
        import urllib.request

        self.lines.append(request.line)
        headers = {name: request.header(name) or "" for name in ("Authorization", "Content-Type")}
        onward = urllib.request.Request(f"{self._issuer}/token", request.body, headers)
        with urllib.request.urlopen(onward) as answer:
            return http(answer.read())


def expired(auth: OAuth2ClientCredentials | OAuth2RefreshToken, store: MemoryTokenStore) -> None:
    """What was kept an hour ago."""
    store.save(auth._key, Token("ex.pi.red", expires_at=time.time() - 3600, refresh_token="kept"))


@pytest.fixture
def tokens(issuer: str) -> Iterator[RawServer]:
    with RawServer(Counting(issuer)) as server:
        yield server


Make = Callable[..., Any]


def credentials(url: str, **options: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(url, "shop", "s3cr3t", scope="read", **options)


def refreshing(url: str, **options: Any) -> OAuth2RefreshToken:
    return OAuth2RefreshToken(url, "r0", client_id="shop", client_secret="s3cr3t", **options)


@pytest.mark.parametrize("make", [credentials, refreshing])
def test_a_token_is_given_and_taken(issuer: str, engine: EngineName, colour: Colour, make: Make) -> None:
    api = Api()
    with RawServer(api) as server:
        client = Shop(base_url=server.url, engine=engine, auth=make(f"{issuer}/token"))
        claims = colour.run(client.items)
        assert colour.run(client.items) == claims
        client.close()
    assert claims["iss"].endswith(issuer.rpartition(":")[2])
    assert len(set(api.tokens)) == 1


@pytest.mark.parametrize("make", [credentials, refreshing])
def test_50_threads_with_an_expired_token_renew_it_once(tokens: RawServer, engine: EngineName, make: Make) -> None:
    store, api = MemoryTokenStore(), Api()
    auth = make(f"{tokens.url}/token", store=store)
    expired(auth, store)
    with RawServer(api) as server, Shop(base_url=server.url, engine=engine, auth=auth) as client:
        threads = ThreadPoolExecutor(50)
        for call in [threads.submit(client.items) for _ in range(50)]:
            call.result()
        threads.shutdown()
    assert len(api.tokens) == 50
    assert len(set(api.tokens)) == 1
    assert "ex.pi.red" not in api.tokens
    assert tokens.lines == ["POST /token HTTP/1.1"]


def test_50_tasks_with_an_expired_token_renew_it_once(tokens: RawServer, engine: EngineName) -> None:
    store, api = MemoryTokenStore(), Api()
    auth = credentials(f"{tokens.url}/token", store=store)
    expired(auth, store)

    async def main(client: Shop) -> None:
        async with client:
            await asyncio.gather(*(client.items.aio() for _ in range(50)))

    with RawServer(api) as server:
        asyncio.run(main(Shop(base_url=server.url, engine=engine, auth=auth)))
    assert len(api.tokens) == 50
    assert len(set(api.tokens)) == 1
    assert tokens.lines == ["POST /token HTTP/1.1"]


def test_threads_and_tasks_that_share_an_auth_renew_it_once(tokens: RawServer) -> None:
    store, api = MemoryTokenStore(), Api()
    auth = credentials(f"{tokens.url}/token", store=store)
    expired(auth, store)

    async def ten(client: Shop) -> None:
        await asyncio.gather(*(client.items.aio() for _ in range(10)))
        await client.aclose()

    with RawServer(api) as server, ThreadPoolExecutor(14) as threads:
        client = Shop(base_url=server.url, auth=auth)
        loops = [threads.submit(asyncio.run, ten(Shop(base_url=server.url, auth=auth))) for _ in range(4)]
        calls = [threads.submit(client.items) for _ in range(10)]
        for loop in loops:
            loop.result()
        for call in calls:
            call.result()
        client.close()
    assert len(api.tokens) == 50
    assert tokens.lines == ["POST /token HTTP/1.1"]


def test_a_401_is_replayed_once(tokens: RawServer, engine: EngineName, colour: Colour) -> None:
    api = Api()
    auth = credentials(f"{tokens.url}/token", store=(store := MemoryTokenStore()))
    store.save(auth._key, Token("ex.pi.red", expires_at=time.time() + 3600))
    api.revoked = {"ex.pi.red"}
    with RawServer(api) as server:
        client = Shop(base_url=server.url, engine=engine, auth=auth)
        response = colour.response(client.items)
        client.close()
    assert len(api.tokens) == 2
    assert api.tokens[0] == "ex.pi.red"
    assert len(response.attempts) == 1
    assert json.loads(response.content)["iss"]
    assert tokens.lines == ["POST /token HTTP/1.1"]
