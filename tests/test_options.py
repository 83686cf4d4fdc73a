"""Options: class, constructor, verb and views, each over what is left of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import pytest
from pydantic import SecretStr

from conftest import Api, Colour, Reply
from stubwire import (
    UNSET,
    ApiClient,
    ConfigurationError,
    ExponentialBackoff,
    HTTPStatusError,
    Limits,
    Retry,
    Timeout,
    get,
)
from stubwire._options import DEFAULTS, Options, check, merge_headers, timeout

MakeApi = Callable[..., Api]


class Bare(ApiClient):
    base_url = "https://api.example"

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


class Things(ApiClient):
    base_url = "https://api.example"
    timeout = 1.0
    headers = {"X-Class": "class", "X-Verb": "class", "X-View": "class", "X-Call": "class", "X-New": "class"}
    query = {"class": "class", "view": "class", "new": "class", "call": "class"}

    @get("/thing", timeout=3.0, headers={"x-verb": "verb", "X-View": "verb", "X-Call": "verb"})
    def thing(self) -> int:
        raise NotImplementedError

    @get("/thing?template=1&view=template")
    def plain(self, *, call: str | None = None) -> int:
        raise NotImplementedError


def sent(server: Api) -> Any:
    """The latest request."""
    return server.requests[-1]


def shown(server: Api) -> dict[str, str]:
    """The headers of the latest request that are the test's."""
    return {name: value for name, value in sent(server).headers.items() if name.startswith("x-")}


def test_each_layer_overrides_what_is_left_of_it_and_headers_merge(api: MakeApi, colour: Colour) -> None:
    """Class, constructor, verb, view of the client, view of the endpoint."""
    server = api(Reply(json=1))
    client = Things(transport=server.transport, timeout=2.0, headers={"X-NEW": "new", "X-Call": "new"})

    colour.run(client.plain)
    assert sent(server).extensions["timeout"]["read"] == 2.0
    assert shown(server) == {"x-class": "class", "x-verb": "class", "x-view": "class", "x-call": "new", "x-new": "new"}

    colour.run(client.thing)
    assert sent(server).extensions["timeout"]["read"] == 3.0
    assert shown(server) == {"x-class": "class", "x-verb": "verb", "x-view": "verb", "x-call": "verb", "x-new": "new"}

    view = client.with_options(timeout=4.0, headers={"X-View": "view"})
    colour.run(view.thing)
    assert sent(server).extensions["timeout"]["read"] == 4.0
    assert shown(server)["x-view"] == "view"

    colour.run(view.thing.with_options(timeout=Timeout(connect=1, read=5), headers={"X-Call": "call"}))
    assert sent(server).extensions["timeout"] == {"connect": 1, "read": 5, "write": 30.0, "pool": 5.0}
    assert shown(server) == {"x-class": "class", "x-verb": "verb", "x-view": "view", "x-call": "call", "x-new": "new"}

    colour.run(client.thing)
    assert sent(server).extensions["timeout"]["read"] == 3.0  # a view changes nothing but itself


def test_queries_merge(api: MakeApi, colour: Colour) -> None:
    """The template's, the client's and the call's merge in that order; a later name replaces an earlier."""
    server = api(Reply(json=1))
    client = Things(transport=server.transport, query={"new": "a b&c", "flag": True, "none": None, "n": 1.5})
    colour.run(client.with_options(query={"view": "view"}).plain, call="call")
    assert dict(sent(server).url.params) == {
        "template": "1",
        "class": "class",
        "view": "view",
        "new": "a b&c",
        "flag": "true",
        "n": "1.5",
        "call": "call",
    }


def test_the_defaults(api: MakeApi) -> None:
    server = api(Reply(json=1))
    Bare(transport=server.transport).thing()
    assert sent(server).extensions["timeout"] == {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 5.0}
    assert DEFAULTS.retry == Retry(max_retries=2, backoff=ExponentialBackoff(0.5, 2.0, 8.0, jitter=True))
    assert DEFAULTS.max_response_bytes == 100 * 2**20


def test_none_turns_off_and_unset_keeps_what_is_below(api: MakeApi) -> None:
    server = api(Reply(json=1))
    client = Things(transport=server.transport)
    client.plain.with_options(timeout=None)()
    assert sent(server).extensions["timeout"] == {"connect": None, "read": None, "write": None, "pool": None}
    client.plain.with_options(timeout=cast("Any", UNSET))()
    assert sent(server).extensions["timeout"]["read"] == 1.0


def test_a_secret_header_is_sent_and_never_shown(api: MakeApi) -> None:
    server = api(Reply(404))
    client = Bare(transport=server.transport, headers={"X-Custom": SecretStr("s3cret")})
    with pytest.raises(HTTPStatusError) as caught:
        client.thing()
    assert sent(server).headers["x-custom"] == "s3cret"
    assert caught.value.request.headers["x-custom"] == "[redacted]"
    assert "s3cret" not in client.thing.request().curl()


def test_a_number_of_seconds_stands_for_each_step() -> None:
    assert timeout(2) == Timeout(connect=2, read=2, write=2, pool=2)
    assert timeout(None) == Timeout(connect=None, read=None, write=None, pool=None)
    assert timeout(Timeout(read=1)) == Timeout(read=1)
    assert Timeout().extension() == {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 5.0}


def test_headers_merge_whatever_the_case() -> None:
    assert merge_headers({"X-A": "1", "x-b": "2"}, {"x-a": "3"}) == {"x-b": "2", "x-a": "3"}
    assert merge_headers({}, {"A": "1"}) == {"A": "1"}


def test_over_merges_mappings_and_replaces_the_rest() -> None:
    lower = Options(timeout=1, retry=None, headers={"A": "1"}, query={"q": 1}, errors={404: int})
    upper = Options(timeout=2, headers={"a": "2"}, query={"r": 2}, errors={"4XX": str})
    assert upper.over(lower) == Options(
        timeout=2, retry=None, headers={"a": "2"}, query={"q": 1, "r": 2}, errors={404: int, "4XX": str}
    )


LIMIT = "must be a finite number above 0, or None for no limit"
ASCII = "a value with a line break, a control character or one outside ASCII cannot be sent; encode it first"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timeout": 0}, f"timeout=0 {LIMIT}"),
    ({"timeout": -1}, f"timeout=-1 {LIMIT}"),
    ({"timeout": math.inf}, f"timeout=inf {LIMIT}"),
    ({"timeout": math.nan}, f"timeout=nan {LIMIT}"),
    ({"timeout": True}, f"timeout=True {LIMIT}"),
    ({"timeout": "5"}, f"timeout='5' {LIMIT}"),
    ({"timeout": (1, 2)}, "timeout must be seconds, or a stubwire.Timeout(...), not tuple"),
    ({"max_response_bytes": 0}, f"max_response_bytes=0 {LIMIT}"),
    ({"retry": 3}, "retry=3 must be a Retry, or None: write Retry(max_retries=3)"),
    ({"retry": False}, "retry=False must be a Retry, or None: write Retry(max_retries=3)"),
    ({"auth": "s3cret"}, "auth must be an Auth such as BearerAuth(token), not str"),
    ({"auth": ("user", "s3cret")}, "auth must be an Auth such as BearerAuth(token), not tuple"),
    ({"follow_redirects": "no"}, "follow_redirects must be True or False, not str"),
    ({"headers": ["X-A"]}, "headers must be a mapping of names to values, not list"),
    ({"headers": {"X-A": 1}}, "header 'X-A' must be a str or a SecretStr, not int"),
    ({"headers": {"X-A": None}}, "header 'X-A' must be a str or a SecretStr, not NoneType"),
    ({"headers": {"X A": "1"}}, "'X A' is no header name: write letters, digits and hyphens"),
    ({"headers": {"X-A": "a\r\nb"}}, f"header 'X-A': {ASCII}"),
    ({"headers": {"X-A": SecretStr("é")}}, f"header 'X-A': {ASCII}"),
    ({"query": "a=1"}, "query must be a mapping of names to values, not str"),
    ({"query": {"a": [1]}}, "query 'a' must be a str, a number or a bool, not list"),
    ({"query": {"a": math.nan}}, "query 'a': nan is no number that can be sent"),
    ({"query": {"a": "\ud800"}}, "query 'a': it is no valid Unicode text"),
    ({"idempotency_key": 5}, "idempotency_key must be True or False, not int"),
    ({"idempotency_key": ""}, "idempotency_key is empty: write True to mint one for each call"),
    ({"idempotency_key": "a\nb"}, f"header 'Idempotency-Key': {ASCII}"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[row[1] for row in WRONG])
def test_an_option_that_cannot_be_used_is_a_configuration_error_that_says_where(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(Options(**options), "Things")
    assert str(caught.value) == f"Things: {message}"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", ["timeout", "retry", "auth", "headers", "query", "idempotency_key"])
def test_so_it_is_in_a_view(name: str) -> None:
    options = next(options for options, _ in WRONG if name in options)
    with pytest.raises(ConfigurationError, match=r"^Bare\.with_options: "):
        Bare().with_options(**options)
    with pytest.raises(ConfigurationError, match=r"^Bare\.thing\.with_options: "):
        Bare().thing.with_options(**options)


def test_an_option_that_there_is_not_is_a_type_error() -> None:
    unknown: dict[str, Any] = {"tiemout": 5}
    with pytest.raises(TypeError, match=r"^with_options\(\) got an unexpected option 'tiemout'; the options are "):
        Bare().with_options(**unknown)


PARTS: list[tuple[Callable[..., object], dict[str, Any], str]] = [
    (Timeout, {"connect": 0}, f"Timeout connect=0 {LIMIT}"),
    (Timeout, {"pool": "1"}, f"Timeout pool='1' {LIMIT}"),
    (Limits, {"max_connections": 0}, f"Limits max_connections=0 {LIMIT}"),
    (Limits, {"max_keepalive_connections": -1}, f"Limits max_keepalive_connections=-1 {LIMIT}"),
    (Limits, {"keepalive_expiry": math.nan}, f"Limits keepalive_expiry=nan {LIMIT}"),
]


@pytest.mark.parametrize(("kind", "options", "message"), PARTS, ids=[row[2] for row in PARTS])
def test_timeouts_and_limits_are_amounts(kind: Callable[..., object], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(**options)
    assert str(caught.value) == message


def test_no_connection_need_be_kept() -> None:
    assert Limits(max_keepalive_connections=0).max_keepalive_connections == 0
