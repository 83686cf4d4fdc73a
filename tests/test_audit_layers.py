"""How layers of options come together, and what they declare secret."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from conftest import Api, Colour, Reply
from stubwire import ApiClient, ConnectError, HTTPStatusError, Limits, get, route
from stubwire._pool import environment_proxy
from stubwire.auth import ApiKeyAuth

MakeApi = Callable[..., Api]


class OfBase(BaseModel):
    """A body."""


class OfClass(BaseModel):
    """A body."""


class OfConstructor(BaseModel):
    """A body."""


class Base(ApiClient):
    base_url = "https://api.example"
    errors = {401: OfBase, 402: OfBase, 403: OfBase}

    @get("/<status>")
    def thing(self, status: int) -> None:
        """Get a status."""
        raise NotImplementedError


class Derived(Base):
    errors = {402: OfClass, 403: OfClass}


def test_errors_of_base_class_class_and_constructor_merge(api: MakeApi) -> None:
    """Each layer replaces the keys that it names, and keeps the others."""
    expected: dict[int, object] = {401: OfBase(), 402: OfClass(), 403: OfConstructor(), 404: {}}
    for status, body in expected.items():
        client = Derived(transport=api(Reply(status, json={})).transport, errors={403: OfConstructor})
        with pytest.raises(HTTPStatusError) as error:
            client.thing(status)
        assert (error.value.body, type(error.value.body)) == (body, type(body))


def test_a_view_of_a_view_keeps_what_the_first_one_said(api: MakeApi) -> None:
    """The later view overrides, option by option; headers and queries merge."""
    server = api()
    first = Base(transport=server.transport).with_options(timeout=7.0, headers={"X-A": "1", "X-B": "1"}, query={"a": 1})
    second = first.with_options(headers={"x-b": "2"}, query={"b": 2})

    second.thing(1)
    assert server.request.headers["x-a"] == "1"
    assert server.request.headers["x-b"] == "2"
    assert str(server.request.url) == "https://api.example/1?a=1&b=2"
    assert server.request.extensions["timeout"]["read"] == 7.0


def test_options_of_an_endpoint_add_to_those_it_has(api: MakeApi) -> None:
    """`endpoint.with_options` twice says both."""
    server = api()
    thing = Base(transport=server.transport).thing.with_options(timeout=7.0, headers={"X-A": "1"})

    thing.with_options(headers={"X-B": "2"})(1)
    assert (server.request.headers["x-a"], server.request.headers["x-b"]) == ("1", "2")
    assert server.request.extensions["timeout"]["read"] == 7.0


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"auth": ApiKeyAuth("s3cret", query="appid")}, "?appid=s3cret"),
        ({"auth": ApiKeyAuth("s3cret", header="X-Partner"), "query": {"x-partner": "s3cret"}}, "?x-partner=s3cret"),
        ({"headers": {"X-Partner": SecretStr("s3cret")}, "query": {"x-partner": "s3cret"}}, "?x-partner=s3cret"),
    ],
    ids=["query of auth", "header of auth", "SecretStr"],
)
def test_the_engines_log_hides_what_was_declared_secret(
    api: MakeApi, caplog: pytest.LogCaptureFixture, options: dict[str, Any], sent: str
) -> None:
    """httpx logs each URL; a name that looks harmless is hidden too, once somebody said that it is secret."""
    server = api()
    caplog.set_level(logging.DEBUG)
    with server.library.Client(transport=server.transport) as own:
        Base(http_client=own, **options).thing(1)

    assert str(server.request.url).endswith(sent)
    assert "HTTP Request: GET https://api.example/1?" in caplog.text
    assert "s3cret" not in caplog.text


def options_of_the_pool(engine: str, colour: Colour, monkeypatch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    """What the core of an engine is told of connections."""
    core = importlib.import_module(engine.replace("httpx", "httpcore"))
    name = "ConnectionPool" if colour.name == "sync" else "AsyncConnectionPool"
    seen: list[dict[str, Any]] = []

    make: Any = getattr(core, name).__init__

    def tell(pool: object, **options: Any) -> None:
        seen.append(options)
        make(pool, **options)

    monkeypatch.setattr(getattr(core, name), "__init__", tell)
    client = Base(base_url="http://127.0.0.1:1", engine=engine, retry=None, proxy=None, **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConnectError):
        colour.run(client.thing, 1)
    client.close()
    assert len(seen) == 1
    return seen[0]


def test_limits_reach_the_connections(engine: str, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number of `Limits` is that of the engine's pool."""
    wanted = Limits(max_connections=7, max_keepalive_connections=3, keepalive_expiry=2.5)
    seen = options_of_the_pool(engine, colour, monkeypatch, limits=wanted)
    names = ("max_connections", "max_keepalive_connections", "keepalive_expiry")
    assert [seen[name] for name in names] == [7, 3, 2.5]


def test_hooks_of_the_users_own_client_see_the_engines_own_url(api: MakeApi) -> None:
    """Not the one that is made for transports alone."""
    server = api()
    seen: list[Any] = []

    def look(request: Any) -> None:
        seen.append(request.url)

    with server.library.Client(transport=server.transport, event_hooks={"request": [look]}) as own:
        Base(http_client=own).with_options(query={"q": "a b"}).thing(1)

    assert [type(url) for url in seen] == [server.library.URL]
    assert seen[0].params["q"] == "a b"


def test_of_several_request_ids_x_request_id_counts(api: MakeApi) -> None:
    """In the order of their list, whatever the order of arrival."""
    names = ["cf-ray", "x-correlation-id", "request-id", "x-request-id"]
    server = api(Reply(headers={name: f"id of {name}" for name in names}))
    client = Base(transport=server.transport)

    assert client.thing.response(1).request_id == "id of x-request-id"


@pytest.mark.parametrize("http2", [False, True])
def test_http2_reaches_the_connections(
    engine: str, colour: Colour, monkeypatch: pytest.MonkeyPatch, http2: bool
) -> None:
    """It is what the engine's pool is made with."""
    assert options_of_the_pool(engine, colour, monkeypatch, http2=http2)["http2"] is http2


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"ALL_PROXY": "http://all.example"}, "http://all.example"),
        ({"ALL_PROXY": "http://all.example", "HTTPS_PROXY": "http://one.example"}, "http://one.example"),
        ({"ALL_PROXY": "http://all.example", "HTTP_PROXY": "http://one.example"}, "http://all.example"),
        ({"ALL_PROXY": "http://all.example", "NO_PROXY": "api.example"}, None),
        ({}, None),
    ],
    ids=["all", "https before all", "http is another", "none for this host", "none"],
)
def test_all_proxy_stands_where_none_is_named_for_the_scheme(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://api.example") == proxy


def test_a_method_is_sent_in_upper_case(api: MakeApi) -> None:
    """Methods are case-sensitive (RFC 9110, section 9.1), and nobody means `purge`."""

    class Cache(ApiClient):
        base_url = "https://api.example"

        @route("purge", "/cache")
        def purge(self) -> None:
            """Empty it."""
            raise NotImplementedError

    server = api()
    cache = Cache(transport=server.transport)
    cache.purge()
    cache.call("purge", "/cache")
    assert [request.method for request in server.requests] == ["PURGE", "PURGE"]
    assert repr(Cache.purge) == "<PURGE /cache -> None>"
