"""Whose responses they are: one credential's answers are never another's, and no storage has a credential."""

from __future__ import annotations

import contextvars
import importlib
import itertools
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import fakeredis
import pytest
import trustme

from caching import SECRET, Things, in_memory, ok, respond, status
from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, Auth, CallNext, Cookie, Header, Request, Response, Retry, get
from stubwire._endpoint import mount_of
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth, OAuth2ClientCredentials
from stubwire.plugins import CachePlugin
from stubwire.plugins._cache_keys import identify, sender_of
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]
FRESH = ok(cache_control="max-age=60")
PLANTED = "pl4nted-s3cret"


@pytest.fixture
def cache() -> Iterator[CachePlugin]:
    plugin = CachePlugin()
    yield plugin
    plugin.close()


AUTHS: list[Auth | None] = [
    None,
    BearerAuth("a"),
    BearerAuth("b"),
    BasicAuth("a", "b"),
    ApiKeyAuth("a", header="X-Tenant"),
    ApiKeyAuth("b", header="X-Tenant"),
    ApiKeyAuth("a", query="tenant"),
    ApiKeyAuth("b", query="tenant"),
]


def test_each_credential_has_a_cache_of_its_own(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    server = api(FRESH)
    clients = [Things(transport=server.transport, plugins=[cache], auth=auth) for auth in AUTHS]
    assert [status(client, colour) for client in clients] == ["miss"] * len(AUTHS)
    assert [status(client, colour) for client in clients] == ["hit"] * len(AUTHS)
    assert len(server.requests) == len(AUTHS)
    assert respond(clients[1], colour, "change", 1).status_code == 200
    assert [status(client, colour) for client in clients] == ["hit", "miss", *["hit"] * (len(AUTHS) - 2)]


def test_the_same_credential_shares_over_clients(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    server = api(FRESH)
    auths = [BearerAuth("a"), BearerAuth(lambda: "a"), BearerAuth("a")]
    clients = [Things(transport=server.transport, plugins=[cache], auth=auth) for auth in auths]
    assert [status(client, colour) for client in clients] == ["miss", "hit", "hit"]


user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


async def of_user(request: Request, call_next: CallNext) -> Response:
    request.headers["Authorization"] = f"Bearer {user.get()}"
    return await call_next(request)


def test_an_auth_that_looks_who_calls(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    client = Things(transport=api(FRESH).transport, plugins=[cache], auth=of_user)
    found: list[str | None] = []
    for name in ("ann", "ben", "ann"):
        mark = user.set(name)
        found.append(status(client, colour))
        user.reset(mark)
    assert found == ["miss", "miss", "hit"]


def counting() -> Auth:
    numbers = itertools.count()

    async def auth(request: Request, call_next: CallNext) -> Response:
        request.headers["Authorization"] = f"Signature {next(numbers)}"
        return await call_next(request)

    return auth


async def answering(request: Request, call_next: CallNext) -> Response:
    return Response(200, json="mine", headers={"Cache-Control": "max-age=60"})


def digest(name: str) -> Any:
    return importlib.import_module(name).DigestAuth("ann", PLANTED)


def test_a_credential_that_is_new_each_time_keeps_nothing(
    api: MakeApi, colour: Colour, cache: CachePlugin, engine: str
) -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Digest realm="cups", nonce="17", qop="auth"'})
    for auth, answers in (
        (counting(), (FRESH,)),
        (answering, (FRESH,)),
        (digest(engine), (challenge, FRESH)),
    ):
        client = Things(transport=api(*answers).transport, plugins=[cache], auth=auth)
        assert [status(client, colour) for _ in range(3)] == ["miss"] * 3


def test_an_auth_that_fails_fails_the_call_as_without_a_cache(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    async def auth(request: Request, call_next: CallNext) -> Response:
        raise LookupError("no token")

    server = api(FRESH)
    client = Things(transport=server.transport, plugins=[cache], auth=auth)
    for name in ("thing", "change"):
        with pytest.raises(LookupError, match="no token") as caught:
            respond(client, colour, name, 1)
        assert caught.value.__notes__ == [
            "raised in the auth 'auth'",
        ]
    assert server.requests == []


def test_an_auth_that_fails_after_a_change_leaves_the_change(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    tokens = iter(["a"])
    client = Things(transport=api(FRESH).transport, plugins=[cache], auth=BearerAuth(lambda: next(tokens)))
    assert respond(client, colour, "change", 1).data == "cup"


@pytest.mark.parametrize("per", ["call", "attempt"])
@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Signature"])
def test_a_credential_that_a_middleware_inside_sets_keeps_nothing(
    api: MakeApi, colour: Colour, cache: CachePlugin, per: Any, name: str
) -> None:
    async def sign(request: Request, call_next: CallNext) -> Response:
        request.headers[name] = "17"
        return await call_next(request)

    client = Things(transport=api(FRESH).transport, plugins=[cache]).use(sign, per=per)
    assert [status(client, colour) for _ in range(2)] == ["miss", "miss"]


class Keyed(ApiClient):
    base_url = "https://things.test"
    retry: Retry | None = None

    @get("/cups")
    def cups(
        self,
        session: Annotated[str, Cookie()] = "",
        key: Annotated[str | None, Header("X-Api-Key")] = None,
        host: Annotated[str | None, Header("Host")] = None,
        trace: Annotated[str | None, Header("X-Trace")] = None,
    ) -> object:
        raise NotImplementedError


def test_cookies_secret_headers_and_the_host_count_and_others_do_not(
    api: MakeApi, colour: Colour, cache: CachePlugin
) -> None:
    client = Keyed(transport=api(FRESH).transport, plugins=[cache])
    calls: list[dict[str, str]] = [
        {"session": "a"},
        {"session": "b"},
        {"session": "a", "key": "a"},
        {"session": "a", "host": "other.test"},
    ]
    assert [colour.response(client.cups, **call).cache for call in calls] == ["miss"] * 4
    assert [colour.response(client.cups, **call, trace="17").cache for call in calls] == ["hit"] * 4


def test_a_certificate_counts(tmp_path: Path) -> None:
    (tmp_path / "ann.pem").write_bytes(
        trustme.CA().issue_cert("ann@things.test").private_key_and_cert_chain_pem.bytes()
    )
    clients = [Things(), *(Things(cert=str(tmp_path / "ann.pem")) for _ in range(2))]
    request = clients[0].thing.request(1)
    keys = [identify(b"17", request, request, sender_of(mount_of(client).core.pool)).key for client in clients * 2]
    assert len(set(keys)) == 3
    assert keys[:3] == keys[3:]
    for client in clients:
        client.close()


def test_a_token_that_was_renewed_has_a_cache_of_its_own(
    api: MakeApi, colour: Colour, cache: CachePlugin, clock: Clock
) -> None:
    realm = Realm()

    def answer(request: Any) -> Reply:
        return replace(realm(request), headers={"Cache-Control": "max-age=86400"})

    auth = OAuth2ClientCredentials(TOKEN_URL, "shop", PLANTED)
    client = Shop(transport=api(answer).transport, plugins=[cache], auth=auth)
    assert [colour.response(client.items).cache for _ in range(3)] == ["miss", "hit", "hit"]
    assert (len(realm.asked), realm.sent) == (1, ["Bearer t1"])
    clock.advance(3600)
    assert [colour.response(client.items).cache for _ in range(2)] == ["miss", "hit"]
    assert realm.sent == ["Bearer t1", "Bearer t2"]


def test_an_auth_that_never_has_the_same_token_mixes_nothing_up(
    api: MakeApi, colour: Colour, cache: CachePlugin
) -> None:
    """What it sends for itself is not the call's request."""

    async def auth(request: Request, call_next: CallNext) -> Response:
        token = await call_next(request.replace(method="POST", url="https://things.test/token"))
        request.headers["Authorization"] = f"Bearer {token.headers['x-token']}"
        return await call_next(request)

    numbers = itertools.count()

    def answer(request: Any) -> Reply:
        if request.url.path == "/token":
            return Reply(headers={"X-Token": str(next(numbers))})
        return ok(request.url.path, cache_control="max-age=60")

    client = Things(transport=api(answer).transport, plugins=[cache], auth=auth)
    for number in (1, 2, 1):
        response = colour.response(client.thing, number)
        assert (response.cache, response.data) == ("miss", f"/things/{number}")


# ---- a client of the user's own


def own_client(engine: str, server: Api, colour: Colour, **settings: Any) -> Any:
    library = importlib.import_module(engine)
    make = library.Client if colour.name == "sync" else library.AsyncClient
    return make(transport=server.transport, **settings)


def test_the_headers_of_an_own_client_count(api: MakeApi, colour: Colour, cache: CachePlugin, engine: str) -> None:
    server = api(FRESH)
    clients = [
        Things(http_client=own_client(engine, server, colour, headers=headers), plugins=[cache])
        for headers in ({}, {"Authorization": "Bearer a"}, {"Authorization": "Bearer b"})
    ]
    assert [status(client, colour) for client in clients] == ["miss"] * 3
    assert [status(client, colour) for client in clients] == ["hit"] * 3


def test_the_auth_of_an_own_client_keeps_nothing(api: MakeApi, colour: Colour, cache: CachePlugin, engine: str) -> None:
    client = Things(http_client=own_client(engine, api(FRESH), colour, auth=("a", "b")), plugins=[cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", "miss"]


# ---- what a storage has


def planted(api: MakeApi, plugin: CachePlugin) -> None:
    """Make calls with a secret wherever one can stand in a request."""
    answer = ok(cache_control="max-age=60", vary="Authorization, Cookie, X-Api-Key")
    for auth in (BearerAuth(PLANTED), BasicAuth("ann", PLANTED), ApiKeyAuth(PLANTED, query="api_key")):
        client = Keyed(transport=api(answer).transport, plugins=[plugin], auth=auth)
        assert [client.cups.response(PLANTED, PLANTED).cache for _ in range(2)] == ["miss", "hit"]
    plugin.close()


def test_a_file_has_no_credential_and_is_its_owners(api: MakeApi, tmp_path: Path) -> None:
    planted(api, CachePlugin(tmp_path / "cache.db"))
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert b"max-age=60" in content
    for secret in (PLANTED, "YW5uOnBsNG50ZWQ", "api_key", "/cups"):
        assert secret.encode() not in content


def test_redis_has_no_credential(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    server = in_memory(monkeypatch)
    planted(api, CachePlugin(redis="redis://cache.test", secret=SECRET))
    memory = fakeredis.FakeRedis(server=server)
    keys: list[bytes] = list(memory.scan_iter())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    dumped = b"".join(key + (memory.dump(key) or b"") for key in keys)
    memory.close()
    assert b"max-age=60" in dumped
    for secret in (PLANTED, "YW5uOnBsNG50ZWQ", "api_key", "/cups", SECRET):
        assert secret.encode() not in dumped


def test_the_digests_of_a_secret_are_those_of_no_other(api: MakeApi, colour: Colour, tmp_path: Path) -> None:
    for secret, expected in ((SECRET, "miss"), (SECRET[::-1], "miss"), (SECRET, "hit")):
        cache = CachePlugin(tmp_path / "cache.db", secret=secret)
        assert status(Things(transport=api(FRESH).transport, plugins=[cache]), colour) == expected
        cache.close()
