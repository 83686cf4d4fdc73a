"""The GitHub client that the documentation, the demo and the tests share.

Every request is one that GitHub's description of its REST API allows, and the models read what api.github.com answers:

    with GitHub() as github:                                   # GITHUB_TOKEN, when it is set
        repos = github.user_repos("octocat", per_page=5)       # list[Repo]
        issues = github.issues.find("octocat", "Hello-World")  # list[Issue]
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from stubwire import (
    ApiClient,
    Auth,
    ClientError,
    ClientSettings,
    ExponentialBackoff,
    Query,
    Resource,
    Retry,
    Timeout,
    get,
    post,
)
from stubwire.auth import BearerAuth

# -- what GitHub sends and takes


class Account(BaseModel):
    """Who owns a repository or wrote an issue: a user, an organization or a bot."""

    id: int
    login: str
    type: str
    html_url: str


class User(Account):
    """An account with its profile."""

    name: str | None
    company: str | None
    location: str | None
    bio: str | None
    public_repos: int
    followers: int
    created_at: datetime


class Repo(BaseModel):
    """A repository. The fields with a default are those that GitHub may leave out of a list."""

    id: int
    name: str
    full_name: str
    owner: Account
    html_url: str
    description: str | None
    fork: bool
    language: str | None = None
    stargazers_count: int = 0
    pushed_at: datetime | None = None


class Label(BaseModel):
    """A label of an issue."""

    name: str
    color: str | None = None


class Issue(BaseModel):
    """An issue. A deleted account leaves its issues without a user."""

    id: int
    number: int
    title: str
    state: str
    body: str | None = None
    user: Account | None
    labels: list[Label]
    comments: int
    html_url: str
    created_at: datetime


class NewIssue(BaseModel):
    """What creates an issue."""

    title: str
    body: str = ""
    labels: list[str] = []


# -- what GitHub says when it refuses


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    code: str
    resource: str | None = None
    field: str | None = None
    message: str | None = None


class GitHubProblem(BaseModel):
    """GitHub's error body."""

    message: str
    documentation_url: str | None = None
    errors: list[FieldProblem | str] = []


class GitHubError(ClientError[GitHubProblem]):
    """GitHub refused a request: `error.body.message` says why."""


# -- the client


class GitHubSettings(ClientSettings):
    """Read from the environment: GITHUB_TOKEN, GITHUB_BASE_URL, GITHUB_TIMEOUT, ..."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="GITHUB_")

    base_url: str = "https://api.github.com"
    token: SecretStr | None = None

    @property
    def auth(self) -> Auth | None:
        """The token as a bearer token; without one, GitHub answers what is public."""
        return BearerAuth(self.token) if self.token else None


PerPage = Annotated[int, Query(), Field(ge=1, le=100)]


class Issues(Resource, path="/repos/<owner>/<repo>/issues"):
    """The issues of a repository."""

    @get("")
    def find(
        self,
        owner: str,
        repo: str,
        *,
        state: Literal["open", "closed", "all"] = "open",
        labels: str | None = None,
        per_page: PerPage = 30,
        page: int = 1,
    ) -> list[Issue]:
        """List the issues of a repository, pull requests included; `labels`, joined by commas, must all be there."""
        raise NotImplementedError

    @get("/<number>")
    def one(self, owner: str, repo: str, number: int) -> Issue:
        """Get one issue."""
        raise NotImplementedError

    @post("")
    def create(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        """Create an issue. Needs a token."""
        raise NotImplementedError


class GitHub(ApiClient):
    """A part of GitHub's REST API.

    Its options have annotations because it ships in a typed package; a client of your own needs none.
    """

    settings: GitHubSettings
    timeout: float | Timeout | None = 5.0
    retry: Retry | None = Retry(max_retries=3, backoff=ExponentialBackoff(base=0.5, multiplier=2.0))
    headers: Mapping[str, str | SecretStr] = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "stubwire-demo",
    }
    errors: Mapping[int | range | str, type] = {"4XX": GitHubError}

    issues: Issues

    @get("/users/<username>")
    def user(self, username: str) -> User:
        """Get an account by its login."""
        raise NotImplementedError

    @get("/users/<username>/repos")
    def user_repos(
        self,
        username: str,
        *,
        sort: Literal["created", "updated", "pushed", "full_name"] = "full_name",
        per_page: PerPage = 30,
        page: int = 1,
    ) -> list[Repo]:
        """List the public repositories of an account."""
        raise NotImplementedError

    @get("/repos/<owner>/<repo>")
    def repo(self, owner: str, repo: str) -> Repo:
        """Get a repository."""
        raise NotImplementedError

    @get("/search/repositories", unwrap="items")
    def search_repositories(self, q: str, *, per_page: PerPage = 30, page: int = 1) -> list[Repo]:
        """Search for repositories, the best match first; `q` takes words and qualifiers such as `language:python`."""
        raise NotImplementedError
