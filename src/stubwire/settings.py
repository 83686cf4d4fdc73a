"""Settings from the environment: `ClientSettings`.

This module's rule: imported when a client uses settings, because pydantic-settings takes as long to import as httpx.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings
from pydantic_settings.exceptions import SettingsError

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._types import Auth


class ClientSettings(BaseSettings):
    """The settings of one client, read from the environment, a `.env` file, or wherever pydantic-settings reads.

    Subclass it with `model_config = SettingsConfigDict(env_prefix="GITHUB_")`, add fields of your own, and name it in
    the client: `settings: GitHubSettings`. A field counts when it was set, or when the subclass gives it a default.

    Attributes:
        base_url: where the API is.
        timeout: seconds for each step of an attempt.
        max_retries: attempts after the first.
        headers: sent with every request.
        proxy: a proxy's URL.
        verify: whether to verify certificates, or a path to a bundle.
        http2: whether to offer HTTP/2.
        max_connections: at most open at once.
        max_keepalive_connections: at most open while idle.
        follow_redirects: whether to follow redirects.
        max_response_bytes: the largest body to read.
        engine: `"httpx"` or `"httpx2"`.
    """

    base_url: str = ""
    timeout: float | None = None
    max_retries: int | None = None
    headers: dict[str, str | SecretStr] = {}
    proxy: str | None = None
    verify: bool | str = True
    http2: bool = False
    max_connections: int = 100
    max_keepalive_connections: int = 20
    follow_redirects: bool = False
    max_response_bytes: int | None = None
    engine: str = "httpx"

    @property
    def auth(self) -> Auth | None:
        """Who puts credentials on; override it to make one from the fields."""
        return None

    def stated(self) -> Mapping[str, Any]:
        """The fields of `ClientSettings` that count: set, or with a default of the subclass's own."""
        own = ClientSettings.model_fields
        return {
            name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in own and (name in self.model_fields_set or field.default != own[name].default)
        }


def read(kind: type[ClientSettings], client: str) -> ClientSettings:
    """Settings of a class, from the environment.

    Raises:
        ConfigurationError: one is missing or wrong; the message names its environment variable.
    """
    try:
        return kind()
    except ValidationError as error:
        problems = [
            f"{_variable(kind, problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    except SettingsError as error:
        problems = [str(error)]
    raise ConfigurationError(f"{client} needs settings ({kind.__name__}): " + "; ".join(problems))


def _variable(kind: type[ClientSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind the location of a validation error."""
    name = str(location[0]) if location else ""
    field = kind.model_fields.get(name)
    if field is None or field.validation_alias is not None:
        return name  # pydantic reports an alias, which is read without the prefix
    variable = f"{kind.model_config.get('env_prefix', '')}{name}"
    return variable if kind.model_config.get("case_sensitive") else variable.upper()
