"""Auths beside one another, and tokens that are kept: what a credential must not do when something goes wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, ConfigurationError, _token_store, get
from stubwire.auth import (
    ApiKeyAuth,
    BearerAuth,
    FileTokenStore,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Token,
    TokenError,
    TokenStore,
)
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]


class Asks(httpx.Auth):
    """An auth that asks another origin for something first."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        yield httpx.Request("GET", "https://nonces.example/nonce")
        request.headers["X-Nonce"] = "1"
        yield request


class Several(ApiClient):
    base_url = "https://api.example"

    @get("/items", auth=["user", "key", "app", "asks"])
    def items(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/items", auth=["asks", "key", "app", "bearer"])
    def ask(self) -> None:
        raise NotImplementedError


def several(made: Api) -> Several:
    return Several(
        transport=made.transport,
        auth={
            "user": OAuth2ClientCredentials(TOKEN_URL, "shop", "s3cr3t"),
            "key": ApiKeyAuth("k3y-1", header="X-Api-Key"),
            "app": ApiKeyAuth("k3y-2", query="appid"),
            "bearer": BearerAuth("k3y-3"),
            "asks": Asks(),
        },
    )


def test_a_token_endpoint_learns_no_other_credential(api: MakeApi, colour: Colour) -> None:
    """What one auth asks for goes past those inside it."""
    realm = Realm()
    made = api(realm)
    assert colour.run(several(made).items) == {"token": "Bearer t1"}
    asked = made.requests[0]
    assert str(asked.url) == TOKEN_URL
    assert realm.client(0) == "shop:s3cr3t"
    assert "k3y" not in f"{asked.url} {asked.headers.raw!r} {asked.content!r}"
    assert str(made.requests[-1].url) == "https://api.example/items?appid=k3y-2"
    assert made.requests[-1].headers["X-Api-Key"] == "k3y-1"


def test_what_an_auth_asks_of_another_origin_has_no_other_credential(api: MakeApi, colour: Colour) -> None:
    made = api(Reply())
    colour.run(several(made).ask)
    first, second = made.requests
    assert str(first.url) == "https://nonces.example/nonce"
    assert "k3y" not in f"{first.url} {first.headers.raw!r}"
    assert str(second.url) == "https://api.example/items?appid=k3y-2"
    assert (second.headers["Authorization"], second.headers["X-Nonce"]) == ("Bearer k3y-3", "1")


def test_a_further_field_that_is_secret_is_not_shown(api: MakeApi, colour: Colour) -> None:
    refusal = Reply(400, json={"error": "invalid_request", "error_description": "bad: s3cr3t-assertion"})
    auth = OAuth2ClientCredentials(TOKEN_URL, "shop", "pw", extra={"client_assertion": "s3cr3t-assertion", "b": "bad"})
    with pytest.raises(TokenError) as caught:
        colour.run(Shop(transport=api(Realm(replies=[refusal])).transport, auth=auth).items)
    assert "s3cr3t" not in f"{caught.value} {caught.value!r} {vars(caught.value)} {vars(auth)} {vars(auth._asking)}"


# ---- the store


class Full(TokenStore):
    """A store that cannot be written, until it can."""

    def __init__(self, token: Token) -> None:
        self.token = token
        self.is_full = True

    def load(self, key: str) -> Token | None:
        return self.token

    def save(self, key: str, token: Token) -> None:
        if self.is_full:
            raise ConfigurationError("the disk is full")
        self.token = token


def test_a_refresh_token_that_could_not_be_kept_is_the_next_one(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """The one before, which the store still has, was used up."""
    realm = Realm(given={"refresh_token": "r1"})
    store = Full(Token("t0", expires_at=0.0, refresh_token="r0"))
    shop = Shop(transport=api(realm).transport, auth=OAuth2RefreshToken(TOKEN_URL, "first", store=store))
    with pytest.raises(ConfigurationError, match="the disk is full"):
        colour.run(shop.items)
    assert colour.run(shop.items) == {"token": "Bearer t1"}
    store.is_full = False
    clock.advance(3600)
    assert colour.run(shop.items) == {"token": "Bearer t2"}
    assert [realm.form(number)["refresh_token"] for number in range(2)] == ["r0", "r1"]
    assert store.token.refresh_token is not None
    assert store.token.refresh_token.get_secret_value() == "r1"


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the file open too, as a duplicate of its descriptor."""
    store = FileTokenStore(tmp_path / "tokens.json")
    inherited: list[int] = []
    opened = store._lock_file

    def open_and_fork() -> int:
        file = opened()
        inherited.append(os.dup(file))
        return file

    monkeypatch.setattr(store, "_lock_file", open_and_fork)
    try:
        with store.lock("key") as first:
            pass
        with store.lock("key") as second:
            pass
    finally:
        for file in inherited:
            os.close(file)
    assert (first, second) == (True, True)


def test_a_file_system_without_locks_is_a_configuration_error(
    api: MakeApi, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    system: Any = SimpleNamespace(flock=flock, LOCK_EX=1, LOCK_NB=2, LOCK_UN=4)
    monkeypatch.setattr(_token_store, "_system", system)
    path = tmp_path / "tokens.json"
    auth = OAuth2ClientCredentials(TOKEN_URL, "shop", "s3cr3t", store=FileTokenStore(path))
    with pytest.raises(ConfigurationError) as caught:
        colour.run(Shop(transport=api(Realm()).transport, auth=auth).items)
    assert str(caught.value) == f"FileTokenStore {str(path)!r} cannot be locked: No locks available"


# ---- traces


@pytest.mark.parametrize(
    "name", ["b3", "X-B3-TraceId", "uber-trace-id", "uberctx-tenant", "X-Amzn-Trace-Id", "x-datadog-trace-id"]
)
def test_a_trace_of_any_kind_stays_at_home(api: MakeApi, colour: Colour, name: str) -> None:
    made = api(Reply(302, headers={"Location": "https://other.example/"}), Reply(json={}))
    shop = Shop(transport=made.transport, headers={name: "planted", "X-Plain": "plain"}, follow_redirects=True)
    assert colour.run(shop.items) == {}
    assert [request.headers.get(name) for request in made.requests] == ["planted", None]
    assert [request.headers.get("X-Plain") for request in made.requests] == ["plain", "plain"]
