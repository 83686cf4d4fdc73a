"""GitHub, as far as this service needs it."""

import logging
from typing import Any

from pydantic import BaseModel
from stubwire import ApiClient, ExponentialBackoff, Response, Retry, get
from stubwire.plugins import LoggerPlugin

from core.config import GitHubSettings
from core.middleware import tracing_middleware


class Repository(BaseModel):
    """A repository, cut down to what the service reads."""

    id: int
    name: str
    stargazers_count: int = 0


def extract_items(response: Response[Any]) -> Response[Any]:
    """Unwrap GitHub's search envelope, `{"total_count": ..., "items": [...]}`; leave every other answer alone."""
    data: Any = response.data
    if isinstance(data, dict) and "items" in data:
        response.data = data["items"]
    return response


class UnwrapItems:
    """A plugin, so that every `GitHub()` unwraps, however it was made."""

    def install(self, client: ApiClient) -> None:
        client.interceptors.response.use(extract_items)


class GitHub(ApiClient):
    """The provider's rules stand here; what differs between deployments comes from `GITHUB_...`."""

    settings: GitHubSettings
    timeout = 5.0
    deadline = 30.0
    retry = Retry(max_retries=3, backoff=ExponentialBackoff(base=1.0, multiplier=2.0))
    headers = {"Accept": "application/vnd.github.v3+json", "User-Agent": "MyProductionApp/1.0"}
    middleware = [tracing_middleware]
    plugins = [LoggerPlugin(logging.getLogger("github_client")), UnwrapItems()]

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, per_page: int = 100) -> list[Repository]:
        """List a user's public repositories."""
        raise NotImplementedError

    @get("/search/repositories")
    def search_repositories(self, q: str, *, sort: str = "stars", per_page: int = 5) -> list[Repository]:
        """Search repositories, best match first."""
        raise NotImplementedError
