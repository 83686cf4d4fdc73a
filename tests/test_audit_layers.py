"""How layers of options come together, and what they declare secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from conftest import Api, Reply
from stubwire import ApiClient, HTTPStatusError, get
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
