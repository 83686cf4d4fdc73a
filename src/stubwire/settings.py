"""Settings from the environment: `ClientSettings`.

This module's rule: imported when a client uses settings, because pydantic-settings takes as long to import as httpx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from stubwire import _kinds
from stubwire._annotations import class_annotations, name_of
from stubwire._headers import check_name, check_value
from stubwire._options import reveal
from stubwire._url import parse_base_url
from stubwire.errors import ArgumentError, ConfigurationError

if TYPE_CHECKING:
    from stubwire._annotations import Scope
    from stubwire._types import Auth, HttpAuth

_FIELD = re.compile(r'for field "(\w+)"')


def _no_bool(value: object) -> object:
    """Let anything pass but what pydantic would take for a 1 or a 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number of seconds, not a bool")  # noqa: TRY004 - of which pydantic makes its own
    return value


_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_bool)]


class ClientSettings(BaseSettings):
    """The settings of one client, read from the environment, a `.env` file, or wherever pydantic-settings reads.

    Subclass it with `model_config = SettingsConfigDict(env_prefix="GITHUB_")`, add fields of your own, and name it in
    the client: `settings: GitHubSettings`. A field counts when it was set, or when the subclass declares it with a
    default. What else stands in the environment is ignored, so that several clients may share one `.env` file.

    Attributes:
        base_url: where the API is.
        timeout: seconds for each step of an attempt; `None` for no limit.
        deadline: seconds for the whole call; `None` for no limit.
        max_retries: attempts after the first, in place of those of the client's `Retry`.
        headers: sent with every request.
        proxy: a proxy's URL; `None` for none.
        verify: whether to verify certificates, or a path to a bundle.
        cert: the client's certificate: a path, or JSON: `["certificate.pem", "key.pem", "password of the key"]`.
        min_tls_version: the lowest that is spoken, `"1.2"` by default.
        http2: whether to offer HTTP/2.
        max_connections: at most open at once.
        max_keepalive_connections: at most open while idle.
        follow_redirects: whether to follow redirects.
        max_response_bytes: the largest body to read; `None` for no limit.
        engine: `"httpx"` or `"httpx2"`.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(extra="ignore")

    base_url: str = ""
    timeout: _Seconds | None = None
    deadline: _Seconds | None = None
    max_retries: Annotated[int, Field(ge=0)] | None = None
    headers: dict[str, str | SecretStr] = {}
    proxy: str | None = None
    verify: Annotated[bool | str, Field(union_mode="left_to_right")] = True
    cert: str | tuple[str, str] | tuple[str, str, SecretStr] | None = None
    min_tls_version: Literal["1.2", "1.3"] = "1.2"
    http2: bool = False
    max_connections: Annotated[int, Field(gt=0)] = 100
    max_keepalive_connections: Annotated[int, Field(ge=0)] = 20
    follow_redirects: bool = False
    max_response_bytes: Annotated[int, Field(gt=0)] | None = None
    engine: Literal["httpx", "httpx2"] = "httpx"

    @property
    def auth(self) -> Auth | HttpAuth | Mapping[str, Auth | HttpAuth] | None:
        """Who puts credentials on; override it to make one from the fields."""
        return None


def stated(settings: ClientSettings) -> Mapping[str, object]:
    """The fields of `ClientSettings` that count: set, or declared by the subclass with a default of its own."""
    kind = type(settings)
    own = kind.__mro__[: kind.__mro__.index(ClientSettings)]
    declared = settings.model_fields_set.union(*(class_annotations(base) for base in own))
    return {name: getattr(settings, name) for name in ClientSettings.model_fields if name in declared}


def given(settings: object, client: str) -> ClientSettings:
    """Settings that were passed to a client.

    Raises:
        ConfigurationError: they are none.
    """
    if isinstance(settings, ClientSettings):
        return settings
    what = settings.__name__ if isinstance(settings, type) else type(settings).__name__
    raise ConfigurationError(f"{client}(...) takes a ClientSettings, not {what}: options go by name")


def declared(hint: object, scope: Scope, module: dict[str, Any], client: str) -> type[ClientSettings]:
    """The settings class that a client's annotation names.

    Raises:
        ConfigurationError: it names none.
    """
    try:
        resolved = scope.resolve(hint, module)
    except NameError as error:
        found = f"the name {error.name!r}, which is not defined"
    else:
        inner = get_args(resolved)[0] if get_origin(resolved) is ClassVar else resolved
        kind = _kinds.plain(_kinds.without_none(inner))
        if isinstance(kind, type) and issubclass(kind, ClientSettings):
            return kind
        found = name_of(resolved)
    raise ConfigurationError(f"{client}: write settings: MySettings, a subclass of ClientSettings, not {found}")


def read(kind: type[ClientSettings], client: str) -> ClientSettings:
    """Settings of a class, from the environment.

    Raises:
        ConfigurationError: one is missing or wrong; the message names its environment variable.
    """
    settings: ClientSettings | None = None
    try:
        settings = kind()
    except ValidationError as error:
        problems = [
            f"{_variable(kind, problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    except SettingsError as error:
        name = _FIELD.search(str(error))
        problems = [f"{_variable(kind, (name[1],))}: it is no JSON" if name else str(error)]
    except UnicodeError:
        problems = [f"the file {kind.model_config.get('env_file')} is not UTF-8"]
    else:
        problems = _unusable(settings, client)
    if settings is not None and not problems:
        return settings
    raise ConfigurationError(f"{client} needs settings ({kind.__name__}): " + "; ".join(problems))


def _unusable(settings: ClientSettings, client: str) -> list[str]:
    """What pydantic lets pass and no client can use."""
    problems: list[str] = []
    filled_later = "<" in settings.base_url or "{" in settings.base_url  # what fills a placeholder, the client knows
    if settings.base_url and "base_url" in settings.model_fields_set and not filled_later:
        try:
            parse_base_url(settings.base_url, client)
        except ConfigurationError as error:
            problems.append(f"{_variable(type(settings), ('base_url',))}: {str(error).removeprefix(f'{client}: ')}")
    problems += [f"{_variable(type(settings), (name,))}: {wrong}" for name, wrong in _unreadable(settings)]
    for name, value in settings.headers.items():
        try:
            check_value(check_name(name), reveal(value))
        except ArgumentError as error:
            problems.append(f"{_variable(type(settings), ('headers',))}: {error}")
    return problems


def _unreadable(settings: ClientSettings) -> Iterator[tuple[str, str]]:
    """The names of what TLS needs and nobody can read, each with what is wrong."""
    stated = settings.model_fields_set & {"verify", "cert"}
    if not stated:
        return
    from stubwire import _tls

    for name in sorted(stated):
        try:
            _tls.check(name, getattr(settings, name))
        except ConfigurationError as error:
            yield name, str(error)


def _variable(kind: type[ClientSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind the location of a validation error."""
    config, name = kind.model_config, str(location[0]) if location else ""
    field = kind.model_fields.get(name)
    if field is None:
        return name or kind.__name__  # pydantic reports an alias, which is read without the prefix
    if isinstance(field.validation_alias, str):
        return field.validation_alias
    delimiter = config.get("env_nested_delimiter")
    path = delimiter.join(map(str, location)) if delimiter else name
    variable = f"{config.get('env_prefix', '')}{path}"
    return variable if config.get("case_sensitive") else variable.upper()
