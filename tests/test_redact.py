"""What a person may see of names, headers, URLs and bodies."""

from __future__ import annotations

import shlex

import pytest
from pydantic import BaseModel

from stubwire import ApiClient, Request, _redact, get, post
from stubwire.auth import ApiKeyAuth, BearerAuth

SECRET_NAMES = [
    *("token", "Token", "access_token", "accessToken", "AccessToken", "X-Auth-Token", "x_auth_token", "token2"),
    *("key", "api_key", "apikey", "APIKey", "X-API-Key", "x-api-key", "AWSAccessKeyId", "private.key", "key[id]"),
    *("secret", "client_secret", "clientSecret", "secrets", "password", "userPassword", "passwd", "pwd", "passcode"),
    *("Authorization", "Proxy-Authorization", "Authentication", "Cookie", "Set-Cookie", "session", "session_id"),
    *("signature", "X-Amz-Signature", "sig", "X-Amz-Credential", "jwt", "otp", "pin", "client_assertion", "X-XSRF-T"),
    *("accesstoken", "x-authtoken", "clientsecret", "refreshtoken"),
    *("next_token_secret", "public_password_key"),
]

HARMLESS_NAMES = [
    *("", "keyword", "keywords", "monkey", "tokenizer", "max_tokens", "passport", "passage", "secretary", "cookies"),
    *("author", "authority", "X-Request-ID", "WWW-Authenticate", "Content-Type", "ETag", "signed", "pinned", "assign"),
    *("next_token", "nextToken", "NextToken", "page_token", "nextPageToken", "continuation-token", "prev_token"),
    *("Idempotency-Key", "X-Idempotency-Key", "sort_key", "public_key", "sync_token", "cursor_key"),
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_with_a_secret_word_is_secret(name: str) -> None:
    assert _redact.is_secret(name)
    assert _redact.header(name, "v", frozenset()) == "[redacted]"
    assert _redact.url(f"/x?{name}=v&a=1") == f"/x?{name}=[redacted]&a=1"


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_part_of_a_word_is_no_secret_word(name: str) -> None:
    assert not _redact.is_secret(name)
    assert _redact.header(name, "v", frozenset()) == "v"
    assert _redact.url(f"/x?{name}=v") == f"/x?{name}=v"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/b?c=d", "https://a.example/b?c=d"),
        ("https://a.example/token/key", "https://a.example/token/key"),
        ("https://u:p@a.example/b", "https://a.example/b"),
        ("https://u@a.example", "https://a.example"),
        ("https://u:p@q@a.example/b@c", "https://a.example/b@c"),
        ("//u:p@a.example/b", "//a.example/b"),
        ("HTTPS://u:p@a.example", "HTTPS://a.example"),
        ("https://a.example/@me?x=a@b", "https://a.example/@me?x=a@b"),
        ("/b?token=s&c=d", "/b?token=[redacted]&c=d"),
        ("/b?token=s;t&c=d", "/b?token=[redacted]&c=d"),
        ("/b?c=d;token=s;e=f", "/b?c=d;token=[redacted]"),
        ("/b?c=d;e=f", "/b?c=d;e=f"),
        ("/b?%74oken=s", "/b?%74oken=[redacted]"),
        ("/b?api%5Fkey=s", "/b?api%5Fkey=[redacted]"),
        ("/b?access+token=s", "/b?access+token=[redacted]"),
        ("/b?X-Tenant=s&x-tenant=t", "/b?X-Tenant=[redacted]&x-tenant=[redacted]"),
        ("/b?token", "/b?token"),
        ("/b?token=", "/b?token=[redacted]"),
        ("/b?a=b=token=s", "/b?a=b=token=s"),
        ("/b?next_token=s", "/b?next_token=s"),
        ("/b#access_token=s", "/b"),
        ("/b?c=d#access_token=s", "/b?c=d"),
        ("/b#x?token=s", "/b"),
        ("/b?", "/b?"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert _redact.url(url, frozenset({"x-tenant"})) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("X-Tenant", "s", "[redacted]"),
        ("Location", "https://u:p@a.example/b?token=s&c=d#f", "https://a.example/b?token=[redacted]&c=d"),
        ("Location", "/b?x-tenant=s", "/b?x-tenant=[redacted]"),
        (
            "Link",
            '<https://a.example/?page=2&key=s>; rel="next", </x?token=s>; rel="last"',
            '<https://a.example/?page=2&key=[redacted]>; rel="next", </x?token=[redacted]>; rel="last"',
        ),
        ("Refresh", "0;url=https://u:p@a.example/", "0;url=https://a.example/"),
        ("User-Agent", "Mozilla/5.0 (X11; https://a.example)", "Mozilla/5.0 (X11; https://a.example)"),
        ("Cache-Control", "no-store, max-age=0", "no-store, max-age=0"),
    ],
)
def test_a_header_is_shown_without_its_secrets(name: str, value: str, shown: str) -> None:
    assert _redact.headers([(name, value)], frozenset({"x-tenant"})) == [(name, shown)]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b'{"name":"a","password":"s"}', '{"name": "a", "password": "[redacted]"}'),
        (b'[{"a":{"apiKey":{"b":"s"}}},1,null]', '[{"a": {"apiKey": "[redacted]"}}, 1, null]'),
        ('{"ü":"ß"}'.encode(), '{"ü": "ß"}'),
        (b'"text"', '"text"'),
        (b'{"password":"s=","a":"b=c"}', '{"password": "[redacted]", "a": "b=c"}'),
        (b'{"password":"s="', '{"password":"[redacted]"'),
        (b"a[password]=s", "a[password]=[redacted]"),
        (b"a=b&password=s&c=d", "a=b&password=[redacted]&c=d"),
        (b"grant_type=x&client_secret=s", "grant_type=x&client_secret=[redacted]"),
        (b'{"token":"s"}\n{"a":1}', '{"token":"[redacted]"}\n{"a":1}'),
        (b'{"a":1,"token" : "s\\"s", "key":5}x', '{"a":1,"token" : "[redacted]", "key":"[redacted]"}x'),
        (b'{"a":1,"token":"cut o', '{"a":1,"token":"[redacted]"'),
        (b"just text, token and all", "just text, token and all"),
        (b"", ""),
        (b"\xff\xfe", None),
    ],
)
def test_a_body_is_shown_by_names(content: bytes, shown: str | None) -> None:
    assert _redact.json_body(content) == shown


def test_a_body_without_end_is_shown_by_names() -> None:
    shown = _redact.json_body(b"[" * 100_000 + b'{"token":"s"}')
    assert shown == "[" * 100_000 + '{"token":"[redacted]"}'


# ---- curl


class Item(BaseModel):
    name: str
    password: str


class Api(ApiClient):
    base_url = "https://api.example"
    headers = {"X-Api-Key": "s3cr3t", "X-Name": "it's"}
    auth = BearerAuth("s3cr3t")

    @get("/find")
    def find(self, q: str, *, token: str = "s3cr3t") -> None:
        raise NotImplementedError

    @post("/items")
    def create(self, item: Item) -> None:
        raise NotImplementedError


def test_curl_is_a_command_line_with_its_secrets_redacted() -> None:
    command = Api().find.request("a'b$(c) d").curl()
    assert command == (
        "curl -X GET 'https://api.example/find?q=a%27b%24%28c%29%20d&token=[redacted]' -H 'X-Api-Key: [redacted]' "
        """-H 'X-Name: it'"'"'s' -H 'Authorization: [redacted]'"""
    )
    assert shlex.split(command)[-3] == "X-Name: it's"


def test_curl_shows_a_body_by_names() -> None:
    words = shlex.split(Api().create.request(Item(name="it's", password="s3cr3t")).curl())
    assert words[-2:] == ["--data-raw", '{"name": "it\'s", "password": "[redacted]"}']
    assert "Content-Type: application/json" in words


def test_curl_says_how_long_a_body_is_that_is_no_text() -> None:
    assert Request("PUT", "https://api.example/x", content=b"\xff\x00").curl() == (
        "curl -X PUT https://api.example/x --data-raw '<2 bytes>'"
    )


def test_curl_shows_a_key_of_the_query_in_the_query() -> None:
    class Keyed(ApiClient):
        base_url = "https://api.example"
        auth = ApiKeyAuth("s3cr3t", query="appid")

        @get("/x")
        def find(self) -> None:
            raise NotImplementedError

    assert Keyed().find.request().curl() in (
        "curl -X GET https://api.example/x",
        "curl -X GET 'https://api.example/x?appid=[redacted]'",
    )
