"""OAuth 2: what is wrong is said once, by the name of its setting, and never by its value."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Answer, Api, Clock, Colour, Fail, Reply
from stubwire import CallError, ConfigurationError, DeadlineExceeded, Outcome, Retry
from stubwire.auth import OAuth2ClientCredentials, OAuth2RefreshToken, Token, TokenError
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]

SECRET = "s3cr3t+/1"


def credentials(**options: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(TOKEN_URL, "shop", SECRET, **options)


def refreshing(**options: Any) -> OAuth2RefreshToken:
    return OAuth2RefreshToken(TOKEN_URL, SECRET, client_id="shop", **options)


def any_(value: Any) -> Any:
    """What a type checker would refuse."""
    return value


# ---- settings

CC, RT = "OAuth2ClientCredentials", "OAuth2RefreshToken"
URL = "token_url must be a URL such as 'https://auth.example/token', without userinfo"
BLANKS = "has blanks around it: it was perhaps read with its newline"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OAuth2ClientCredentials(any_(None), "a", SECRET), f"{CC} token_url must be a str, not NoneType"),
        (lambda: OAuth2ClientCredentials("", "a", SECRET), f"{CC} {URL}"),
        (lambda: OAuth2ClientCredentials("/token", "a", SECRET), f"{CC} {URL}"),
        (lambda: OAuth2ClientCredentials("ftp://auth.example/", "a", SECRET), f"{CC} {URL}"),
        (lambda: OAuth2ClientCredentials(f"https://a:{SECRET}@auth.example/", "a", SECRET), f"{CC} {URL}"),
        (lambda: OAuth2ClientCredentials("https://auth.example/#x", "a", SECRET), f"{CC} {URL}"),
        (lambda: OAuth2ClientCredentials("https://auth.example/ x", "a", SECRET), f"{CC} {URL}"),
        (
            lambda: OAuth2ClientCredentials("http://auth.example/token", "a", SECRET),
            f"{CC} token_url must begin with https://: what is sent there is secret",
        ),
        (lambda: OAuth2ClientCredentials(TOKEN_URL, "", SECRET), f"{CC} client_id is empty"),
        (
            lambda: OAuth2ClientCredentials(TOKEN_URL, any_(1), SECRET),
            f"{CC} client_id must be a str, a SecretStr or a function, not int",
        ),
        (lambda: OAuth2ClientCredentials(TOKEN_URL, "a\n", SECRET), f"{CC} client_id {BLANKS}"),
        (
            lambda: OAuth2ClientCredentials(TOKEN_URL, "a", any_(None)),
            f"{CC} client_secret is None: this grant needs one",
        ),
        (lambda: OAuth2ClientCredentials(TOKEN_URL, "a", ""), f"{CC} client_secret is empty"),
        (lambda: OAuth2ClientCredentials(TOKEN_URL, "a", f"{SECRET}\n"), f"{CC} client_secret {BLANKS}"),
        (
            lambda: OAuth2ClientCredentials(TOKEN_URL, "a", any_(b"s3cr3t")),
            f"{CC} client_secret must be a str, a SecretStr or a function, not bytes",
        ),
        (lambda: credentials(scope=7), f"{CC} scope must be a str or a list of them, not int"),
        (lambda: credentials(scope=["a", 7]), f"{CC} scope must be a str or a list of them, not list"),
        (lambda: credentials(audience=7), f"{CC} audience must be a str, not int"),
        (lambda: credentials(extra="a=b"), f"{CC} extra must be a mapping of names to texts, not str"),
        (lambda: credentials(extra={"a": 7}), f"{CC} extra must be a mapping of names to texts: 'a' is none"),
        (lambda: credentials(extra={"scope": "x"}), f"{CC} extra has 'scope', which is an argument of its own"),
        (lambda: credentials(client_auth="header"), f"{CC} client_auth='header': write 'basic' or 'body'"),
        (lambda: credentials(scheme="a b"), f"{CC} scheme='a b' is no word such as 'Bearer'"),
        (lambda: credentials(timeout=0), f"{CC} timeout=0 must be a finite number above 0, or None for no limit"),
        (
            lambda: credentials(timeout=None),
            f"{CC} timeout=None must be a finite number above 0: no call waits for ever",
        ),
        (lambda: credentials(store="tokens.json"), f"{CC} store must be a TokenStore, not str"),
        (lambda: OAuth2RefreshToken(TOKEN_URL, ""), f"{RT} refresh_token is empty"),
        (lambda: OAuth2RefreshToken(TOKEN_URL, " "), f"{RT} refresh_token is empty"),
        (lambda: OAuth2RefreshToken(TOKEN_URL, f"{SECRET}\n"), f"{RT} refresh_token {BLANKS}"),
        (
            lambda: OAuth2RefreshToken(TOKEN_URL, any_(None)),
            f"{RT} refresh_token must be a str, a SecretStr or a function, not NoneType",
        ),
        (
            lambda: OAuth2RefreshToken(TOKEN_URL, "r", client_secret=SECRET),
            f"{RT} client_id is empty, and client_secret is not: pass both",
        ),
        (lambda: Token(any_(None)), "Token access_token must be a str, a SecretStr or a function, not NoneType"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_configuration_error(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == message
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url", ["http://localhost:1/t", "http://127.0.0.1/t", "http://[::1]:1/t", "http://a.localhost/t", "https://a/t?x=@"]
)
def test_http_is_good_enough_on_this_machine(url: str) -> None:
    assert repr(OAuth2ClientCredentials(url, "a", SECRET)) == f"{CC}({url!r}, [redacted])"


@pytest.mark.parametrize("url", ["http://127.0.0.1.evil.example/", "http://localhost.evil.example/", "http://127.1/"])
def test_and_only_there(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must begin with https://"):
        OAuth2ClientCredentials(url, "a", SECRET)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (OAuth2ClientCredentials(TOKEN_URL, "a", lambda: ""), f"{CC} client_secret is empty"),
        (
            OAuth2ClientCredentials(TOKEN_URL, "a", any_(lambda: None)),
            f"{CC} client_secret must be a str, a SecretStr or a function, not NoneType",
        ),
        (OAuth2RefreshToken(TOKEN_URL, lambda: ""), f"{RT} refresh_token is empty"),
    ],
)
def test_a_function_that_answers_with_nothing(api: MakeApi, colour: Colour, auth: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        colour.run(Shop(transport=api(Realm()).transport, auth=auth).items)
    assert str(caught.value) == message


# ---- refused

GOT = f"Shop.items: GET https://api.example/items got no token: {TOKEN_URL} "


def said(error: str, description: object = None) -> dict[str, object]:
    return {"error": error, **({} if description is None else {"error_description": description})}


@pytest.mark.parametrize(
    ("auth", "reply", "message", "code"),
    [
        (
            credentials,
            Reply(401, json=said("invalid_client")),
            f"answered 401 invalid_client: check client_id and client_secret of {CC}",
            "invalid_client",
        ),
        (
            credentials,
            Reply(400, json=said("invalid_client", "unknown\nclient é")),
            f"answered 400 invalid_client: check client_id and client_secret of {CC} (it says 'unknown client  ')",
            "invalid_client",
        ),
        (
            credentials,
            Reply(401, json={}),
            f"answered 401: check client_id and client_secret of {CC}",
            "",
        ),
        (
            refreshing,
            Reply(400, json=said("invalid_grant")),
            f"answered 400 invalid_grant: check refresh_token of {RT}",
            "invalid_grant",
        ),
        (
            credentials,
            Reply(400, json=said("invalid_grant")),
            f"answered 400 invalid_grant: check the settings of {CC}",
            "invalid_grant",
        ),
        (
            credentials,
            Reply(400, json=said("invalid_scope")),
            f"answered 400 invalid_scope: check scope of {CC}",
            "invalid_scope",
        ),
        (
            credentials,
            Reply(400, json=said("unauthorized_client")),
            f"answered 400 unauthorized_client: check client_id of {CC}, which may not use this grant",
            "unauthorized_client",
        ),
        (credentials, Reply(403, json=said("blocked")), "answered 403 blocked", "blocked"),
        (credentials, Reply(400, json=said("<script>")), "answered 400", ""),
        (credentials, Reply(400, json={"error": {"code": 1}}), "answered 400", ""),
        (credentials, Reply(200, json={}), "answered 200 without an access_token", ""),
        (credentials, Reply(200, json={"access_token": ""}), "answered 200 without an access_token", ""),
        (credentials, Reply(200, json={"access_token": 7}), "answered 200 without an access_token", ""),
        (credentials, Reply(200, json=said("bad_code")), "answered 200 bad_code", "bad_code"),
        (
            credentials,
            Reply(200, json={"access_token": "a\nb"}),
            "answered with an access_token that cannot stand in a header",
            "",
        ),
        (
            credentials,
            Reply(200, json={"access_token": "a", "token_type": "DPoP"}),
            "answered with a token_type other than Bearer",
            "",
        ),
        (
            credentials,
            Reply(200, content=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}),
            "answered 200 with text/html, which is no JSON object: check token_url",
            "",
        ),
        (
            credentials,
            Reply(200, json=[]),
            "answered 200 with application/json, which is no JSON object: check token_url",
            "",
        ),
        (credentials, Reply(200), "answered 200 with no content type, which is no JSON object: check token_url", ""),
        (credentials, Reply(502, content=b"bad"), "answered 502 with no content type, which is no JSON object", ""),
        (
            credentials,
            Reply(302, headers={"Location": "https://evil.example/"}),
            "answered 302, a redirect, which credentials do not follow: check token_url",
            "",
        ),
    ],
)
def test_a_refused_token_is_one_error_that_names_the_setting(  # noqa: PLR0917 - a row of the table
    api: MakeApi, colour: Colour, auth: Callable[..., Any], reply: Reply, message: str, code: str
) -> None:
    realm = Realm(replies=[reply])
    with pytest.raises(TokenError) as caught:
        colour.run(Shop(transport=api(realm).transport, auth=auth(), retry=None, follow_redirects=True).items)
    error = caught.value
    assert str(error) == GOT + message
    assert (error.code, error.status_code) == (code, reply.status)
    assert realm.sent == []
    assert len(realm.asked) == 1
    assert error.endpoint == "Shop.items"
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.code, twin.status_code) == (str(error), code, reply.status)


@pytest.mark.parametrize("spelling", [SECRET, "s3cr3t%2B%2F1", SECRET.upper(), "c2hvcDpzM2NyM3QlMkIlMkYx"])
@pytest.mark.parametrize("make", [credentials, refreshing])
def test_what_the_endpoint_says_is_not_shown_where_it_repeats_a_secret(
    api: MakeApi, colour: Colour, make: Callable[..., Any], spelling: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    realm = Realm(replies=[Reply(400, json=said("invalid_grant", f"no {spelling} here"))])
    auth = make()
    with pytest.raises(TokenError) as caught:
        colour.run(Shop(transport=api(realm).transport, auth=auth).items)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(auth) + repr(auth.__dict__)
    shown += repr(caught.value.__dict__) + pickle.dumps(caught.value).decode("latin-1")
    assert spelling.lower() not in shown.lower()
    assert "s3cr3t" not in shown.lower()


def test_a_code_or_a_type_that_is_the_secret_is_not_shown(api: MakeApi) -> None:
    realm = Realm(replies=[Reply(400, json=said("abcdef"))])
    auth = OAuth2ClientCredentials(TOKEN_URL, "shop", "abcdef")
    with pytest.raises(TokenError) as caught:
        Shop(transport=api(realm).transport, auth=auth).items()
    assert str(caught.value) == f"{GOT}answered 400"
    realm = Realm(replies=[Reply(200, content=b"x", headers={"Content-Type": "text/abcdef"})])
    with pytest.raises(TokenError) as caught:
        Shop(transport=api(realm).transport, auth=auth).items()
    assert "abcdef" not in str(caught.value)


# ---- failures on the way


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Fail("ConnectError"), "could not connect: it failed"),
        (Fail("ReadTimeout"), "timed out while waiting for the response: it failed"),
        (Fail("LocalProtocolError"), "cannot be sent: LocalProtocolError: check token_url"),
        (Reply(200, content=b"x" * (2**20 + 1)), "answered with more than max_response_bytes=1048576 bytes"),
    ],
)
def test_a_failure_on_the_way_to_the_endpoint(api: MakeApi, colour: Colour, answer: Answer, message: str) -> None:
    with pytest.raises(TokenError) as caught:
        colour.run(Shop(transport=api(answer).transport, auth=credentials(), retry=None).items)
    assert str(caught.value) == GOT + message
    assert isinstance(caught.value.__cause__, CallError)


def test_the_endpoint_is_asked_again_as_the_calls_retry_says(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """For a POST too, which has not been sent yet; its own attempts are not touched."""
    realm = Realm(replies=[Reply(503, headers={"Retry-After": "7"}), Reply(500)])
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=Retry(max_retries=2))
    assert colour.run(shop.add, {"a": "b"}) == {"token": "Bearer t3"}
    assert clock.waits[0] == 7.0
    assert len(realm.asked) == 3


def test_it_is_not_asked_endlessly(api: MakeApi, colour: Colour, clock: Clock) -> None:
    realm = Realm(replies=[Reply(503, json={})] * 100)
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=Retry(max_retries=2))
    with pytest.raises(TokenError) as caught:
        colour.run(shop.items)
    assert str(caught.value) == f"{GOT}answered 503"
    assert len(realm.asked) == 3


def test_a_wait_that_does_not_fit_is_not_begun(api: MakeApi, colour: Colour, clock: Clock) -> None:
    realm = Realm(replies=[Reply(503, json={}, headers={"Retry-After": "50"})])
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=Retry(max_retries=2))
    with pytest.raises(TokenError):
        colour.run(shop.items)
    assert clock.waits == []


def test_a_when_that_judges_the_calls_answers_does_not_judge_the_endpoints(api: MakeApi, clock: Clock) -> None:
    judged: list[str] = []

    def judge(outcome: Outcome) -> bool:
        judged.append(outcome.request.url)
        return False

    realm = Realm(replies=[Reply(503, json={})])
    shop = Shop(transport=api(realm).transport, auth=credentials(), retry=Retry(when=judge))
    assert shop.items() == {"token": "Bearer t2"}
    assert judged == ["https://api.example/items"]


def test_the_calls_deadline_holds_for_the_token_too(api: MakeApi, colour: Colour, clock: Clock) -> None:
    realm = Realm()

    def slow(request: Any) -> Reply:
        clock.advance(11)
        return Reply(503, json={})

    shop = Shop(transport=api(slow).transport, auth=credentials(), deadline=10.0, retry=Retry(max_retries=5))
    with pytest.raises((DeadlineExceeded, TokenError)):
        colour.run(shop.items)
    assert realm.sent == []
