"""OAuth 2: how a token is asked for, when it is renewed, and what is sent once more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, AuthenticationError, Body, Retry, Stream, get, post
from stubwire.auth import OAuth2ClientCredentials, OAuth2RefreshToken
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]


def credentials(**options: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(TOKEN_URL, "shop", "s3cr3t", **options)


# ---- how it is asked for


def test_a_token_is_asked_for_once_and_sent_with_every_call(api: MakeApi, colour: Colour) -> None:
    realm = Realm()
    server = api(realm)
    shop = Shop(transport=server.transport, auth=credentials())
    assert [colour.run(shop.items)["token"] for _ in range(3)] == ["Bearer t1"] * 3
    assert realm.form() == {"grant_type": "client_credentials"}
    assert realm.client() == "shop:s3cr3t"
    assert len(realm.asked) == 1
    asked = realm.asked[0]
    assert (asked.method, str(asked.url)) == ("POST", TOKEN_URL)
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("options", "form", "client"),
    [
        ({"scope": "read write"}, {"scope": "read write"}, "shop:s3cr3t"),
        ({"scope": ["read", "write"]}, {"scope": "read write"}, "shop:s3cr3t"),
        ({"audience": "https://api.example"}, {"audience": "https://api.example"}, "shop:s3cr3t"),
        ({"extra": {"resource": "a&b=c é"}}, {"resource": "a&b=c é"}, "shop:s3cr3t"),
        ({"client_auth": "body"}, {"client_id": "shop", "client_secret": "s3cr3t"}, None),
    ],
)
def test_what_is_posted(api: MakeApi, options: dict[str, Any], form: dict[str, str], client: str | None) -> None:
    realm = Realm()
    Shop(transport=api(realm).transport, auth=credentials(**options)).items()
    assert realm.form() == {"grant_type": "client_credentials", **form}
    assert realm.client() == client


def test_name_and_password_are_encoded_as_in_a_form(api: MakeApi) -> None:
    """RFC 6749, section 2.3.1: a colon in a name would end it, and not every server reads UTF-8."""
    realm = Realm()
    Shop(transport=api(realm).transport, auth=OAuth2ClientCredentials(TOKEN_URL, "a:b", SecretStr("é +%"))).items()
    assert realm.client() == "a%3Ab:%C3%A9+%2B%25"


def test_a_password_may_be_a_function_of_either_colour(api: MakeApi, colour: Colour) -> None:
    realm = Realm()

    async def from_vault() -> SecretStr:
        return SecretStr("one")

    client = Shop(transport=api(realm).transport, auth=OAuth2ClientCredentials(TOKEN_URL, "shop", from_vault))
    colour.run(client.items)
    colour.run(
        Shop(transport=api(realm).transport, auth=OAuth2ClientCredentials(TOKEN_URL, "shop", lambda: "two")).items
    )
    assert [realm.client(number) for number in (0, 1)] == ["shop:one", "shop:two"]


def test_nothing_of_the_call_goes_to_the_endpoint_but_the_user_agent(api: MakeApi, colour: Colour) -> None:
    realm = Realm()
    shop = Shop(
        transport=api(realm).transport,
        auth=credentials(),
        headers={"X-Api-Key": "k3y", "Cookie": "c00kie", "X-Plain": "plain", "User-Agent": "shop/1.0"},
        query={"appid": "k3y"},
    )
    colour.run(shop.items)
    sent = str(realm.asked[0].headers.raw) + str(realm.asked[0].url)
    assert not any(text in sent for text in ("k3y", "c00kie", "plain"))
    assert realm.asked[0].headers["User-Agent"] == "shop/1.0"


def test_the_users_own_client_adds_none_of_its_secrets(engine: str, api: MakeApi) -> None:
    realm = Realm()
    server = api(realm)
    own = server.library.Client(
        transport=server.transport, headers={"X-Api-Key": "k3y", "User-Agent": "own/1"}, auth=("me", "pw")
    )
    with own:
        Shop(http_client=own, auth=credentials(client_auth="body")).items()
    assert "X-Api-Key" not in realm.asked[0].headers
    assert "Authorization" not in realm.asked[0].headers
    assert realm.asked[0].headers["User-Agent"] == "own/1"


def test_middleware_and_interceptors_see_no_token_request(api: MakeApi, colour: Colour) -> None:
    seen: list[str] = []

    async def watch(request: Any, call_next: Any) -> Any:
        seen.append(request.url)
        return await call_next(request)

    shop = Shop(transport=api(Realm()).transport, auth=credentials(), middleware=[watch])
    shop.use(watch, per="attempt")
    response = colour.response(shop.items)
    assert seen == ["https://api.example/items"] * 2
    assert len(response.attempts) == 1
    assert "Authorization" not in response.request.headers


def test_any_scheme_may_stand_before_the_token(api: MakeApi) -> None:
    shop = Shop(transport=api(Realm()).transport, auth=credentials(scheme="Zoho-oauthtoken"))
    assert shop.items() == {"token": "Zoho-oauthtoken t1"}
    shop = Shop(transport=api(Realm({"token_type": "mac"})).transport, auth=credentials(scheme="MAC"))
    assert shop.items() == {"token": "MAC t1"}
    shop = Shop(transport=api(Realm()).transport, auth=credentials(scheme=""))
    assert shop.items() == {"token": "t1"}


def test_one_auth_serves_both_engines_and_every_loop() -> None:
    realm = Realm()
    auth = credentials()
    for name in ("httpx", "httpx2"):
        shop = Shop(transport=Api(name, (realm,)).transport, auth=auth)
        shop.items()
        asyncio.run(shop.items.aio())
        asyncio.run(shop.items.aio())
    assert realm.sent == ["Bearer t1"] * 6
    assert len(realm.asked) == 1


# ---- when it is renewed


def test_it_is_renewed_30_seconds_before_its_end(api: MakeApi, colour: Colour, clock: Clock) -> None:
    realm = Realm({"expires_in": 100})
    shop = Shop(transport=api(realm).transport, auth=credentials())
    tokens: list[str] = []
    for moment in (0, 69, 2, 68):
        clock.advance(moment)
        tokens.append(colour.run(shop.items)["token"])
    assert tokens == ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"]


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("3600", 3570),
        (3600.5, 3570),
        (10**400, 315_000_000),
        (1e300, 315_000_000),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("Infinity", None),
        (True, None),
        ([3600], None),
        ({"s": 1}, None),
        (0, 0),
        (-1, 0),
        (-(10**400), 0),
        (20, 0),
    ],
)
def test_a_lifetime_that_says_nothing_holds_until_a_401(
    api: MakeApi, clock: Clock, expires_in: object, seconds: float | None
) -> None:
    """`None` is for ever; a token that has ended, or is about to, serves the call that asked for it."""
    realm = Realm({"expires_in": expires_in})
    shop = Shop(transport=api(realm).transport, auth=credentials())
    assert shop.items() == {"token": "Bearer t1"}
    clock.advance(1e12 if seconds is None else max(0.0, seconds - 1))
    shop.items()
    assert len(realm.asked) == (2 if seconds == 0 else 1)
    if seconds:
        clock.advance(1_000_000)
        shop.items()
        assert len(realm.asked) == 2


def test_a_renewal_that_fails_early_leaves_the_token_in_use(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """It is tried again five seconds later, and raises once the token has ended."""
    realm = Realm({"expires_in": 100})
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=None)
    colour.run(shop.items)
    clock.advance(75)
    realm.replies = [Reply(503), Reply(503)]
    assert colour.run(shop.items) == {"token": "Bearer t1"}
    assert colour.run(shop.items) == {"token": "Bearer t1"}
    assert len(realm.asked) == 2
    clock.advance(6)
    assert colour.run(shop.items) == {"token": "Bearer t1"}
    assert len(realm.asked) == 3
    clock.advance(6)
    assert colour.run(shop.items) == {"token": "Bearer t4"}


# ---- a 401


def test_a_401_is_replayed_once_with_another_token(api: MakeApi, colour: Colour) -> None:
    realm = Realm()
    shop = Shop(transport=api(realm).transport, auth=credentials())
    realm.revoked = {"t1"}
    response = colour.response(shop.items)
    assert realm.sent == ["Bearer t1", "Bearer t2"]
    assert response.data == {"token": "Bearer t2"}
    assert len(response.attempts) == 1


def test_a_second_401_is_the_calls_own(api: MakeApi, colour: Colour) -> None:
    realm = Realm()
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=Retry(max_retries=5))
    realm.revoked = {"t1", "t2", "t3"}
    with pytest.raises(AuthenticationError) as caught:
        colour.run(shop.items)
    assert realm.sent == ["Bearer t1", "Bearer t2"]
    assert caught.value.body == {"error": "invalid_token"}


def test_a_post_is_replayed_with_its_body(api: MakeApi, colour: Colour) -> None:
    server = api(realm := Realm())
    realm.revoked = {"t1"}
    colour.run(Shop(transport=server.transport, auth=credentials()).add, {"name": "cup"})
    posted = [request.content for request in server.requests if request.url.host == "api.example"]
    assert posted == [b'{"name":"cup"}'] * 2


class Uploads(ApiClient):
    base_url = "https://api.example"

    @post("/raw")
    def put(self, content: Annotated[Iterator[bytes], Body()]) -> None:
        raise NotImplementedError

    @get("/raw")
    def read(self) -> Stream[bytes]:
        raise NotImplementedError


def test_a_body_that_can_be_read_only_once_is_not_replayed(colour: Colour, engine: Any) -> None:
    """The 401 is the call's own; the token is not renewed for nothing."""
    realm = Realm()
    realm.revoked = {"t1"}

    def take(request: Any) -> Reply:
        if request.url.host == "api.example":
            request.read() if colour.name == "sync" else None
        return realm(request)

    server = Api(engine, (take,))
    with pytest.raises(AuthenticationError):
        colour.run(Uploads(transport=server.transport, auth=credentials()).put, iter([b"a", b"b"]))
    assert realm.sent == ["Bearer t1"]
    assert len(realm.asked) == 1


def test_a_stream_is_opened_once_more_after_a_401(api: MakeApi) -> None:
    realm = Realm()
    realm.revoked = {"t1"}
    with Uploads(transport=api(realm).transport, auth=credentials()).read() as stream:
        assert b"".join(stream) == b'{"token": "Bearer t2"}'


# ---- refresh tokens


def test_a_refresh_token_is_posted(api: MakeApi, colour: Colour) -> None:
    realm = Realm()
    auth = OAuth2RefreshToken(TOKEN_URL, "r0", client_id="shop", client_secret="s3cr3t", scope="read")
    assert colour.run(Shop(transport=api(realm).transport, auth=auth).items) == {"token": "Bearer t1"}
    assert realm.form() == {"grant_type": "refresh_token", "refresh_token": "r0", "scope": "read"}
    assert realm.client() == "shop:s3cr3t"


@pytest.mark.parametrize(
    ("options", "form"), [({}, {}), ({"client_id": "shop"}, {"client_id": "shop"})], ids=["nobody", "public"]
)
def test_a_public_client_says_its_name_in_the_body(api: MakeApi, options: dict[str, Any], form: dict[str, str]) -> None:
    realm = Realm()
    Shop(transport=api(realm).transport, auth=OAuth2RefreshToken(TOKEN_URL, "r0", **options)).items()
    assert realm.form() == {"grant_type": "refresh_token", "refresh_token": "r0", **form}
    assert realm.client() is None


def test_refresh_tokens_rotate(api: MakeApi, colour: Colour) -> None:
    """A new one takes the place of the one before; without a new one, the one before stays."""
    realm = Realm(replies=[Reply(json={"access_token": "t1", "refresh_token": "r1"})])
    shop = Shop(transport=api(realm).transport, auth=OAuth2RefreshToken(TOKEN_URL, lambda: "r0"))
    for _ in range(3):
        colour.run(shop.items)
        realm.revoked.add(f"t{len(realm.asked)}")
    assert [realm.form(number)["refresh_token"] for number in range(3)] == ["r0", "r1", "r1"]
