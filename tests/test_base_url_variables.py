"""Base URLs with placeholders: what fills them, and what they never let happen."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from conftest import ENGINES, Api, Colour, Reply
from stubwire import ApiClient, ClientSettings, ConfigurationError, get

MakeApi = Callable[..., Api]


class Zendesk(ApiClient):
    base_url = "https://<subdomain>.zendesk.com/api/<version>"

    @get("/tickets/<id>")
    def ticket(self, id: int) -> str:
        raise NotImplementedError


class Stage(Enum):
    TEST = "test"


ZENDESK: Any = Zendesk
FILLED: list[tuple[str, dict[str, Any], str]] = [
    ("https://<a>.example.com/api/<v>", {"a": "acme", "v": "v2"}, "https://acme.example.com/api/v2"),
    ("https://{a}.example.com/api/{v}", {"a": "acme", "v": 2}, "https://acme.example.com/api/2"),
    ("https://api-<a>.example.com:8443/", {"a": "eu-1"}, "https://api-eu-1.example.com:8443"),
    ("https://<a>.<b>.example.com/<a>", {"a": "x", "b": "y"}, "https://x.y.example.com/x"),
    ("https://me:pass@<a>.example.com", {"a": "x"}, "https://x.example.com"),
    ("https://<a>.example.com.", {"a": "X"}, "https://x.example.com."),
    ("https://example.com/v<v>/<p>", {"v": "1.2", "p": "a b/é"}, "https://example.com/v1.2/a%20b%2F%C3%A9"),
    ("http://[::1]:80/<a>", {"a": "x"}, "http://[::1]/x"),
    ("https://<a>.xn--bcher-kva.example", {"a": "x"}, "https://x.xn--bcher-kva.example"),
    ("https://<a>.example.com", {"a": Stage.TEST}, "https://test.example.com"),
    ("https://<a>.example.com", {"a": "a" * 63}, f"https://{'a' * 63}.example.com"),
]


@pytest.mark.parametrize(("url", "variables", "expected"), FILLED, ids=[row[2] for row in FILLED])
def test_variables_fill_the_placeholders(url: str, variables: Any, expected: str) -> None:
    assert Zendesk(base_url=url, variables=variables).base_url == expected


def test_a_call_goes_where_the_variables_say(api: MakeApi, engine: Any, colour: Colour) -> None:
    tickets = api(Reply(200, content=b"broken"))
    client = Zendesk(variables={"subdomain": "acme", "version": "v2"}, transport=tickets.transport, engine=engine)
    assert colour.run(client.ticket, 1) == "broken"
    assert str(tickets.request.url) == "https://acme.zendesk.com/api/v2/tickets/1"


def test_a_view_keeps_them() -> None:
    view = Zendesk(variables={"subdomain": "acme", "version": "v2"}).with_options(timeout=1.0)
    assert view.base_url == "https://acme.zendesk.com/api/v2"
    assert view.ticket.request(1).url == "https://acme.zendesk.com/api/v2/tickets/1"
    assert view.variables == {"subdomain": "acme", "version": "v2"}


# ---- where they come from


class Settings(ClientSettings):
    model_config = SettingsConfigDict(env_prefix="ZENDESK_")
    subdomain: str | None = None
    version: str = "v3"
    token: SecretStr = SecretStr("t")

    @property
    def region(self) -> str:
        return "eu"

    @cached_property
    def pod(self) -> int:
        return 7

    def method(self) -> str:
        raise NotImplementedError


class Versioned(Zendesk):
    settings: Settings
    variables = {"version": "v2", "subdomain": "of-the-class"}


def test_the_constructor_goes_over_the_settings_and_these_over_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Versioned(None).base_url == "https://of-the-class.zendesk.com/api/v2"
    assert Versioned().base_url == "https://of-the-class.zendesk.com/api/v3"
    monkeypatch.setenv("ZENDESK_SUBDOMAIN", "of-the-settings")
    assert Versioned().base_url == "https://of-the-settings.zendesk.com/api/v3"
    assert Versioned(variables={"subdomain": "mine"}).base_url == "https://mine.zendesk.com/api/v3"


def test_the_variables_of_a_subclass_merge_with_those_of_its_base() -> None:
    class Newest(Versioned):
        variables = {"version": "v9"}

    assert Newest(None).base_url == "https://of-the-class.zendesk.com/api/v9"


def test_variables_of_the_class_may_have_nothing_to_fill() -> None:
    assert Versioned(None, base_url="http://localhost:8080").base_url == "http://localhost:8080"


def test_a_property_of_the_settings_counts_and_a_method_does_not() -> None:
    client = Zendesk(Settings(), base_url="https://<region>-<pod>.zendesk.com")
    assert client.base_url == "https://eu-7.zendesk.com"
    with pytest.raises(ConfigurationError, match="needs 'method'"):
        Zendesk(Settings(), base_url="https://<method>.zendesk.com")


def test_a_base_url_of_the_environment_may_have_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENDESK_BASE_URL", "https://<subdomain>.test.example")
    assert Versioned(variables={"subdomain": "mine"}).base_url == "https://mine.test.example"


# ---- what is refused


A_URL = "https://<a>.example.com/<b>"
NO_LABEL = "stands in the host, where it is one label: letters, digits and inner hyphens, at most 63"
IN_HOST = "in its host, which the variables make longer than 63 characters, or the code of another name (xn--)"
NEITHER = "has a placeholder that is neither in its host nor in its path: write it out"
AT_END = (
    "has a placeholder at the end of its host, so that a variable would choose where credentials go: "
    "write the domain out"
)
AFTER_DOTS = "has a placeholder after nothing but dots: leave the dots to the value"
NO_SECRET = "takes no secret, because URLs are shown in logs and errors: send 'b' as a header"
NO_QUERY = "must not have a query or a fragment; write `query = {...}` for parameters that every call sends"
IN_THE_HOST = [
    *("", "a.b", ".", "a:1", "a@b", "a/b", "a\\b", "a?b", "a#b", "a%2eb", "a b", "a\n", "-a", "a-", "a_b", "[::1]"),
    *("é", "\uff41", "a\u3002b", "\u2488", "a\u00adb", "a" * 64),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *((A_URL, {"a": text, "b": "y"}, f"variable 'a' {NO_LABEL}") for text in IN_THE_HOST),
    (A_URL, {"a": "x"}, f"base_url {A_URL!r} needs 'b': pass Zendesk(variables={{'b': ...}})"),
    (A_URL, {"a": "x", "b": None}, f"base_url {A_URL!r} needs 'b': pass Zendesk(variables={{'b': ...}})"),
    (A_URL, {"c": 1}, f"base_url {A_URL!r} does not name 'c', which variables has: it names 'a', 'b'"),
    ("https://b.c", {"a": 1}, "base_url 'https://b.c' does not name 'a', which variables has: it has no placeholders"),
    (A_URL, {"a": "x", "b": 1.5}, f"base_url {A_URL!r} needs 'b' as a str or an int, not float"),
    (A_URL, {"a": "x", "b": True}, f"base_url {A_URL!r} needs 'b' as a str or an int, not bool"),
    (A_URL, {"a": "x", "b": SecretStr("s3cret")}, f"base_url {A_URL!r} {NO_SECRET}"),
    (A_URL, {"a": "x", "b": ""}, "variable 'b': an empty value cannot fill a path segment"),
    (A_URL, {"a": "x", "b": "%2e."}, "variable 'b': '.' and '..' in any spelling cannot fill a path segment"),
    (A_URL, {"a": "x", "b": "a\nb"}, "variable 'b': a line break or NUL cannot stand in a path"),
    ("https://v-<a>.b.c", {"a": "x" * 62}, f"base_url 'https://v-<a>.b.c' has 'v-<a>' {IN_HOST}"),
    ("https://x<a>.b.c", {"a": "n--bcher-kva"}, f"base_url 'https://x<a>.b.c' has 'x<a>' {IN_HOST}"),
    ("https://<a>.b.c", {"a": "XN--bcher-kva"}, f"base_url 'https://<a>.b.c' has '<a>' {IN_HOST}"),
    ("<a>://b.c", {"a": "x"}, f"base_url '<a>://b.c' {NEITHER}"),
    ("https://b.c:<a>", {"a": "x"}, f"base_url 'https://b.c:<a>' {NEITHER}"),
    ("https://<a>@b.c", {"a": "x"}, f"base_url 'https://b.c' {NEITHER}"),
    ("https://me:<a>@b.c", {"a": "x"}, f"base_url 'https://b.c' {NEITHER}"),
    ("https://[::<a>]/", {"a": "x"}, f"base_url 'https://[::<a>]/' {NEITHER}"),
    ("<a>", {"a": "x"}, f"base_url '<a>' {NEITHER}"),
    ("https://<a>", {"a": "x"}, f"base_url 'https://<a>' {AT_END}"),
    ("https://<a>./v1", {"a": "x"}, f"base_url 'https://<a>./v1' {AT_END}"),
    ("https://b.<a>:80", {"a": "x"}, f"base_url 'https://b.<a>:80' {AT_END}"),
    ("https://b.co<a>", {"a": "x"}, f"base_url 'https://b.co<a>' {AT_END}"),
    ("https://b.c/.<a>", {"a": "x"}, f"base_url 'https://b.c/.<a>' {AFTER_DOTS}"),
    ("https://b.c/%2E<a>", {"a": "x"}, f"base_url 'https://b.c/%2E<a>' {AFTER_DOTS}"),
    ("https://<path:a>.b.c", {}, "base_url 'https://<path:a>.b.c' has the placeholder '<path:a>', which is no name"),
    ("https://b.c/<a>?d=e", {"a": "x"}, f"base_url 'https://b.c/x?d=e' {NO_QUERY}"),
]


@pytest.mark.parametrize(("url", "variables", "message"), REFUSED, ids=[f"{row[0]} {row[1]!r}" for row in REFUSED])
def test_what_cannot_stand_there_is_a_configuration_error(url: str, variables: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Zendesk(base_url=url, variables=variables)
    assert str(caught.value) == f"Zendesk: {message}"
    assert caught.value.__context__ is None


def test_a_missing_variable_names_the_settings_that_could_have_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Zendesk(Settings())
    assert str(caught.value) == (
        "Zendesk: base_url 'https://<subdomain>.zendesk.com/api/<version>' needs 'subdomain': "
        "pass Zendesk(variables={'subdomain': ...}), or set subdomain in the settings"
    )


def test_a_secret_of_the_settings_does_not_stand_in_a_url() -> None:
    with pytest.raises(ConfigurationError, match="takes no secret"):
        Zendesk(Settings(), base_url="https://example.com/<token>")


def test_variables_are_a_mapping() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ZENDESK(variables=["acme"])
    assert str(caught.value) == "Zendesk: variables must be a mapping: write variables={...}, not list"
    with pytest.raises(ConfigurationError) as caught:

        class Wrong(ApiClient):
            variables: Any = "acme"

    assert str(caught.value) == "Wrong: variables must be a mapping: write variables = {...}"


# ---- whatever the text


HOST = ".zendesk.com"


def hosts(url: str) -> set[str | None]:
    """The host, as every parser sees it that could decide where a request goes."""
    return {urlsplit(url).hostname, *(importlib.import_module(engine).URL(url).host for engine in ENGINES)}


@given(st.text())
def test_no_text_leaves_its_label(text: str) -> None:
    try:
        url = Zendesk(variables={"subdomain": text, "version": "v2"}).base_url
    except ConfigurationError:
        return
    assert hosts(f"{url}/tickets") == {text.lower() + HOST}
    assert url == f"https://{text.lower()}{HOST}/api/v2"


@given(st.from_regex(r"(?![Xx][Nn]--)[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]", fullmatch=True))
def test_every_label_is_taken(text: str) -> None:
    assert hosts(Zendesk(variables={"subdomain": text, "version": "v2"}).base_url) == {text.lower() + HOST}


@given(st.text())
def test_no_text_leaves_its_segment(text: str) -> None:
    try:
        url = Zendesk(variables={"subdomain": "acme", "version": text}).base_url
    except ConfigurationError:
        return
    assert hosts(url) == {f"acme{HOST}"}
    assert urlsplit(url).path.count("/") == 2
    assert url.startswith(f"https://acme{HOST}/api/")
