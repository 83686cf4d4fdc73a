"""Everything that differs between a laptop, staging and production: read from the environment and from `.env`.

Each client has its own settings class and its own prefix, so no variable reaches two of them.
What never differs (headers, the retry schedule, the shape of an answer) stands on the client's class.
"""

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from stubwire import Auth, ClientSettings
from stubwire.auth import BearerAuth


class ServiceSettings(BaseSettings):
    """`SERVICE_LOG_LEVEL`."""

    model_config = SettingsConfigDict(env_prefix="SERVICE_", env_file=".env", extra="ignore")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class GitHubSettings(ClientSettings):
    """`GITHUB_TOKEN`, and what every client has: `GITHUB_BASE_URL`, `GITHUB_TIMEOUT` and so on."""

    model_config = SettingsConfigDict(env_prefix="GITHUB_", env_file=".env")

    base_url: str = "https://api.github.com"
    token: SecretStr

    @property
    def auth(self) -> Auth:
        return BearerAuth(self.token)


class StripeSettings(ClientSettings):
    """`STRIPE_API_KEY`, and what every client has: `STRIPE_BASE_URL`, `STRIPE_TIMEOUT` and so on."""

    model_config = SettingsConfigDict(env_prefix="STRIPE_", env_file=".env")

    base_url: str = "https://api.stripe.com"
    api_key: SecretStr

    @property
    def auth(self) -> Auth:
        return BearerAuth(self.api_key)
