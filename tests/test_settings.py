"""Settings: from the environment, a `.env` file, or handed over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi
import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from conftest import Api, Reply
from stubwire import (
    ApiClient,
    ClientSettings,
    ConfigurationError,
    FixedDelay,
    HTTPStatusError,
    Limits,
    Retry,
    get,
)
from stubwire.auth import BearerAuth
from stubwire.settings import read, stated


class GitHubSettings(ClientSettings):
    model_config = SettingsConfigDict(env_prefix="GITHUB_", env_file=".env")
    base_url: str = "https://api.github.com"
    token: SecretStr

    @property
    def auth(self) -> BearerAuth:
        return BearerAuth(self.token)


class GitHub(ApiClient):
    settings: GitHubSettings
    timeout = 9.0
    retry = Retry(max_retries=5, backoff=FixedDelay(1.0))
    headers = {"X-A": "class", "X-B": "class"}

    @get("/user")
    def user(self) -> int:
        raise NotImplementedError


class Plain(ApiClient):
    base_url = "https://api.example"

    @get("/user")
    def user(self) -> int:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, whose `.env` is the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the one variable that must be there."""
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    return monkeypatch


def sent(client: Any, server: Api) -> Any:
    """The request that a call sends."""
    client.user()
    return server.requests[-1]


def refused(make: type[ApiClient] = GitHub) -> str:
    """The message with which a client is refused."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


# ---- where they come from


def test_the_annotation_names_the_class_that_reads_the_environment(env: pytest.MonkeyPatch, engine: str) -> None:
    server = Api(engine, (Reply(json=1),))
    env.setenv("GITHUB_TIMEOUT", "2.5")
    env.setenv("GITHUB_HEADERS", '{"X-B": "settings"}')

    client = GitHub(transport=server.transport)
    request = sent(client, server)

    assert client.settings.token.get_secret_value() == "s3cret"
    assert str(request.url) == "https://api.github.com/user"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.extensions["timeout"] == {"connect": 2.5, "read": 2.5, "write": 2.5, "pool": 2.5}
    assert (request.headers["x-a"], request.headers["x-b"]) == ("class", "settings")


def test_a_dotenv_file_is_read_and_other_variables_in_it_are_ignored(elsewhere: Path) -> None:
    """Several clients share one file."""
    (elsewhere / ".env").write_text("GITHUB_TOKEN=dotenv\nGITHUB_UNKNOWN=1\nSTRIPE_KEY=2\n")
    assert GitHub().settings.token.get_secret_value() == "dotenv"


def test_the_environment_goes_before_the_file(elsewhere: Path, env: pytest.MonkeyPatch) -> None:
    (elsewhere / ".env").write_text("GITHUB_TOKEN=dotenv\n")
    assert GitHub().settings.token.get_secret_value() == "s3cret"


def test_settings_are_handed_over() -> None:
    settings = GitHubSettings(token=SecretStr("mine"), base_url="https://github.example/api")
    client = GitHub(settings)
    assert client.settings is settings
    assert client.base_url == "https://github.example/api"


def test_a_client_without_an_annotation_takes_settings_too() -> None:
    client: Any = Plain(GitHubSettings(token=SecretStr("mine"), max_retries=1))
    assert (client.base_url, client.retry.max_retries) == ("https://api.github.com", 1)


def test_none_reads_nothing() -> None:
    """Not even what must be there."""

    class Hub(GitHub):
        base_url = "https://hub.example"

    client: Any = Hub(None)
    assert client.settings is None
    assert client.base_url == "https://hub.example"


def test_a_client_without_settings_has_none() -> None:
    client: Any = Plain()
    assert client.settings is None


def test_a_subclass_inherits_the_annotation(env: pytest.MonkeyPatch) -> None:
    class Enterprise(GitHub):
        base_url = "https://never.example"  # settings are above the class

    assert Enterprise().base_url == "https://api.github.com"


def test_a_class_inside_a_function_is_found(env: pytest.MonkeyPatch) -> None:
    class Local(ClientSettings):
        model_config = SettingsConfigDict(env_prefix="GITHUB_")
        base_url: str = "https://local.example"

    class Hub(ApiClient):
        settings: Local

    assert Hub().base_url == "https://local.example"


# ---- precedence


@pytest.mark.parametrize(
    ("variable", "option", "expected"), [(None, None, 9.0), ("2", None, 2.0), (None, 3.0, 3.0), ("2", 3.0, 3.0)]
)
def test_the_constructor_goes_before_settings_and_they_before_the_class(
    env: pytest.MonkeyPatch, variable: str | None, option: float | None, expected: float
) -> None:
    if variable is not None:
        env.setenv("GITHUB_TIMEOUT", variable)
    server = Api("httpx", (Reply(json=1),))
    client = (
        GitHub(transport=server.transport) if option is None else GitHub(transport=server.transport, timeout=option)
    )
    assert sent(client, server).extensions["timeout"]["read"] == expected
    assert sent(client.with_options(timeout=4.0), server).extensions["timeout"]["read"] == 4.0


def test_a_default_of_the_subclass_counts_and_one_of_ours_does_not() -> None:
    """Also one that is the same as ours: it was written there."""

    class Quiet(ClientSettings):
        pass

    class Loud(ClientSettings):
        timeout: float | None = None
        follow_redirects: bool = False
        headers: dict[str, str | SecretStr] = {}

    class Louder(Loud):
        max_retries: int | None = Field(default_factory=lambda: 4)

    assert dict(stated(Quiet())) == {}
    assert dict(stated(Quiet(http2=False))) == {"http2": False}
    assert dict(stated(Loud())) == {"timeout": None, "headers": {}, "follow_redirects": False}
    assert dict(stated(Louder())) == {"timeout": None, "max_retries": 4, "headers": {}, "follow_redirects": False}


def test_fields_of_the_users_own_are_no_options(env: pytest.MonkeyPatch) -> None:
    assert dict(stated(GitHub().settings)) == {"base_url": "https://api.github.com"}


@pytest.mark.parametrize("retries", [0, 1])
def test_max_retries_replaces_that_of_the_clients_retry(env: pytest.MonkeyPatch, retries: int) -> None:
    env.setenv("GITHUB_MAX_RETRIES", str(retries))
    client = GitHub()
    assert client.retry == Retry(max_retries=retries, backoff=FixedDelay(1.0))
    assert GitHub(retry=Retry(max_retries=7)).retry == Retry(max_retries=7)


def test_max_retries_of_a_client_that_does_not_retry_makes_it_retry(clock: Any) -> None:
    class Once(Plain):
        retry: Retry | None = None

    server = Api("httpx", (Reply(503),))
    with pytest.raises(HTTPStatusError):
        Once(ClientSettings(max_retries=1), transport=server.transport).user()
    assert len(server.requests) == 2


def test_limits_are_adjusted() -> None:
    class Hub(Plain):
        limits = Limits(max_connections=7, keepalive_expiry=1.0)

    from stubwire.client import _from_settings

    assert _from_settings(ClientSettings(max_keepalive_connections=0), Hub)["limits"] == Limits(
        max_connections=7, max_keepalive_connections=0, keepalive_expiry=1.0
    )
    assert _from_settings(ClientSettings(max_connections=3), Plain)["limits"] == Limits(max_connections=3)
    assert "limits" not in _from_settings(ClientSettings(timeout=1), Plain)


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("VERIFY", "false", "verify", False),
        ("VERIFY", "1", "verify", True),
        ("VERIFY", certifi.where(), "verify", certifi.where()),
        ("HTTP2", "on", "http2", True),
        ("PROXY", "http://proxy.example:3128", "proxy", "http://proxy.example:3128"),
        ("MAX_CONNECTIONS", "7", "max_connections", 7),
        ("MAX_KEEPALIVE_CONNECTIONS", "0", "max_keepalive_connections", 0),
        ("FOLLOW_REDIRECTS", "yes", "follow_redirects", True),
        ("MAX_RESPONSE_BYTES", "1000", "max_response_bytes", 1000),
        ("ENGINE", "httpx2", "engine", "httpx2"),
        ("BASE_URL", "https://other.example/", "base_url", "https://other.example/"),
    ],
)
def test_each_field_is_read(env: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: object) -> None:
    env.setenv(f"GITHUB_{variable}", value)
    found = stated(read(GitHubSettings, "GitHub"))
    assert found[field] == expected
    assert type(found[field]) is type(expected)


def test_the_engine_of_settings_is_used(env: pytest.MonkeyPatch) -> None:
    env.setenv("GITHUB_ENGINE", "httpx2")
    server = Api("httpx2", (Reply(json=1),))
    GitHub(transport=server.transport).user()
    with pytest.raises(ConfigurationError, match="engine='httpx2' cannot use an object of httpx"):
        GitHub(transport=Api("httpx", ()).transport)


# ---- what is missing or wrong


def test_a_missing_setting_names_its_variable() -> None:
    assert refused() == "GitHub needs settings (GitHubSettings): GITHUB_TOKEN: Field required"


NO_QUERY = "must not have a query or a fragment; write `query = {...}` for parameters that every call sends"
WRONG: list[tuple[str, str, str]] = [
    ("TIMEOUT", "soon", "Input should be a valid number, unable to parse string as a number"),
    ("TIMEOUT", "0", "Input should be greater than 0"),
    ("TIMEOUT", "inf", "Input should be a finite number"),
    ("MAX_RETRIES", "-1", "Input should be greater than or equal to 0"),
    ("MAX_CONNECTIONS", "0", "Input should be greater than 0"),
    ("MAX_KEEPALIVE_CONNECTIONS", "-1", "Input should be greater than or equal to 0"),
    ("MAX_RESPONSE_BYTES", "0", "Input should be greater than 0"),
    ("HTTP2", "perhaps", "Input should be a valid boolean, unable to interpret input"),
    ("ENGINE", "curl", "Input should be 'httpx' or 'httpx2'"),
    ("HEADERS", "{s3cret", "it is no JSON"),
    ("HEADERS", '{"X Y": "a"}', "'X Y' is no header name: write letters, digits and hyphens"),
    ("BASE_URL", "https://api.example?a=1", f"base_url 'https://api.example?a=1' {NO_QUERY}"),
]


@pytest.mark.parametrize(("variable", "value", "message"), WRONG, ids=[f"{row[0]}={row[1]}" for row in WRONG])
def test_a_wrong_setting_names_its_variable(env: pytest.MonkeyPatch, variable: str, value: str, message: str) -> None:
    env.setenv(f"GITHUB_{variable}", value)
    assert refused() == f"GitHub needs settings (GitHubSettings): GITHUB_{variable}: {message}"


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TIMEOUT", "0")
    assert refused() == (
        "GitHub needs settings (GitHubSettings): "
        "GITHUB_TIMEOUT: Input should be greater than 0; GITHUB_TOKEN: Field required"
    )


def test_a_file_that_is_not_utf_8_is_named(elsewhere: Path) -> None:
    (elsewhere / ".env").write_bytes("GITHUB_TOKEN=ü".encode("latin-1"))
    assert refused() == "GitHub needs settings (GitHubSettings): the file .env is not UTF-8"


class Inner(BaseModel):
    size: int


class Named(ClientSettings):
    model_config = SettingsConfigDict(env_prefix="Hub_", case_sensitive=True, env_nested_delimiter="__")
    token: SecretStr = Field(validation_alias="GH_TOKEN")
    key: SecretStr = Field(validation_alias=AliasChoices("GH_KEY", "KEY"))
    inner: Inner
    numbers: list[int] = Field(default=[], validation_alias="GH_NUMBERS")


def test_aliases_prefixes_cases_and_nested_fields_are_named_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hub(ApiClient):
        settings: Named

    monkeypatch.setenv("Hub_inner__size", "large")
    assert refused(Hub) == (
        "Hub needs settings (Named): GH_TOKEN: Field required; GH_KEY: Field required; "
        "Hub_inner__size: Input should be a valid integer, unable to parse string as an integer"
    )
    monkeypatch.setenv("GH_NUMBERS", "[1")
    assert refused(Hub) == "Hub needs settings (Named): GH_NUMBERS: it is no JSON"


def test_what_a_whole_model_refuses_names_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import model_validator

    class Both(ClientSettings):
        @model_validator(mode="after")
        def check(self) -> Both:
            raise ValueError("user and password go together")

    class Hub(ApiClient):
        settings: Both

    assert refused(Hub) == "Hub needs settings (Both): Both: Value error, user and password go together"


def test_no_secret_is_shown(env: pytest.MonkeyPatch) -> None:
    env.setenv("GITHUB_TIMEOUT", "s3cret")
    assert "s3cret" not in refused()
    env.setenv("GITHUB_TIMEOUT", "1")
    assert "s3cret" not in repr(GitHub().settings)


def test_pydantic_settings_is_imported_by_clients_with_settings_only() -> None:
    program = """
import sys, stubwire as sw
class Plain(sw.ApiClient):
    base_url = "https://api.example"
Plain()
assert "pydantic_settings" not in sys.modules
sw.ClientSettings
assert "pydantic_settings" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
