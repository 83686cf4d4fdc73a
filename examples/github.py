"""A GitHub client to start from: lists page by page, search, issues, releases with their files, events, typed errors.

    with GitHub() as github:                                             # GITHUB_TOKEN, where it is set
        for repo in github.user_repos("octocat"):                        # every page, fetched when it is needed
            print(repo.full_name, repo.stargazers_count)

Each endpoint has its asynchronous twin: `await github.user.aio(...)`, `async for ... in github.user_repos.aio(...)`.

    python examples/github.py octocat                # who that is, and their repositories
    python examples/github.py cli/cli                # its issues, its latest release, what happened
    python examples/github.py cli/cli app.zip        # save a file of its latest release

GITHUB_BASE_URL and GITHUB_UPLOADS_URL name another server, such as a GitHub Enterprise Server.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Required, TypedDict, Unpack

from pydantic import AliasPath, BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from stubwire import (
    ApiClient,
    Auth,
    Body,
    ClientError,
    ClientSettings,
    LinkPages,
    Outcome,
    Pages,
    Query,
    Resource,
    Retry,
    Stream,
    StubwireError,
    Upload,
    get,
    patch,
    post,
)
from stubwire.auth import BearerAuth

# -- what GitHub sends


class Account(BaseModel):
    id: int
    login: str


class User(Account):
    name: str | None = None
    public_repos: int = 0
    followers: int = 0


class Repo(BaseModel):
    id: int
    name: str
    full_name: str
    owner: Account
    description: str | None = None
    language: str | None = None
    stargazers_count: int = 0
    pushed_at: datetime | None = None


class Issue(BaseModel):
    number: int
    title: str
    state: Literal["open", "closed"]
    body: str | None = None
    user: Account | None


class Asset(BaseModel):
    id: int
    name: str
    size: int
    content_type: str
    digest: str | None = None

    @property
    def sha256(self) -> str | None:
        """Its hash, where GitHub knows it."""
        return self.digest.removeprefix("sha256:") if self.digest else None


class Release(BaseModel):
    id: int
    tag_name: str
    name: str | None
    assets: list[Asset]


class Found(BaseModel):  # the envelope of a search
    total_count: int
    incomplete_results: bool
    items: list[Repo]


class PushEvent(BaseModel):
    type: Literal["PushEvent"]
    actor: Account
    ref: str = Field(validation_alias=AliasPath("payload", "ref"))


class IssuesEvent(BaseModel):
    type: Literal["IssuesEvent"]
    actor: Account
    action: str = Field(validation_alias=AliasPath("payload", "action"))
    issue: Issue = Field(validation_alias=AliasPath("payload", "issue"))


class OtherEvent(BaseModel):  # one of the many kinds that have no model here
    type: str
    actor: Account


Event = PushEvent | IssuesEvent | OtherEvent

# -- what GitHub takes

PerPage = Annotated[int, Query(), Field(ge=1, le=100)]
RepoSort = Literal["created", "updated", "pushed", "full_name"]


class RepoSearch(TypedDict, total=False):
    """`q` has words and qualifiers, as in `"http client language:python"`."""

    q: Required[str]
    sort: Literal["stars", "forks", "help-wanted-issues", "updated"]
    order: Literal["asc", "desc"]
    per_page: PerPage


class NewIssue(BaseModel):
    title: str
    body: str = ""
    labels: list[str] = []


class IssueChanges(BaseModel):
    """What is not set stays as it is; `body=None` empties it."""

    title: str = ""
    body: str | None = None
    state: Literal["open", "closed"] = "open"
    labels: list[str] = []


class NewRelease(BaseModel):
    tag_name: str
    name: str
    body: str = ""
    prerelease: bool = False


# -- what GitHub says when it refuses


class Problem(BaseModel):
    message: str


class GitHubError(ClientError[Problem]):
    """GitHub refused a request."""

    @property
    def reason(self) -> str:
        """Why, in GitHub's words where it found any."""
        return self.body.message if self.body else str(self)


def over_the_limit(outcome: Outcome) -> bool | None:
    """Try again after a 403 that is a rate limit, once it has passed; the usual rules decide about anything else."""
    response = outcome.response
    if response is None or response.status_code != 403:
        return None
    return "Retry-After" in response.headers or response.headers.get("X-RateLimit-Remaining") == "0" or None


# -- the client


class GitHubSettings(ClientSettings):
    """Read from the environment: GITHUB_TOKEN, GITHUB_BASE_URL, GITHUB_TIMEOUT, GITHUB_MAX_RETRIES, ..."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="GITHUB_")
    token: SecretStr | None = None

    @property
    def auth(self) -> Auth | None:
        return BearerAuth(self.token) if self.token else None


class GitHubUploadsSettings(GitHubSettings):
    base_url: str = Field("https://uploads.github.com", validation_alias="GITHUB_UPLOADS_URL")


class Issues(Resource, path="/repos/<owner>/<repo>/issues"):
    @get("", paginate=LinkPages())
    def find(
        self,
        owner: str,
        repo: str,
        *,
        state: Literal["open", "closed", "all"] = "open",
        labels: Annotated[list[str] | None, Query(style="comma")] = None,
        since: datetime | None = None,
        per_page: PerPage = 100,
    ) -> Pages[Issue]:
        """The issues that have all these labels, the latest first; `since` is when one last changed."""
        raise NotImplementedError

    @get("/<number>")
    def one(self, owner: str, repo: str, number: int) -> Issue:
        raise NotImplementedError

    @post("")
    def create(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        raise NotImplementedError

    @patch("/<number>")
    def change(self, owner: str, repo: str, number: int, changes: IssueChanges) -> Issue:
        raise NotImplementedError


class Releases(Resource, path="/repos/<owner>/<repo>/releases"):
    @get("", paginate=LinkPages())
    def find(self, owner: str, repo: str, *, per_page: PerPage = 100) -> Pages[Release]:
        raise NotImplementedError

    @get("/latest", none_on={404})
    def latest(self, owner: str, repo: str) -> Release | None:
        raise NotImplementedError

    @post("")
    def create(self, owner: str, repo: str, release: NewRelease) -> Release:
        """Create a release; `GitHubUploads` sends its files."""
        raise NotImplementedError

    @get("/assets/<asset_id>", headers={"Accept": "application/octet-stream"})
    def download(self, owner: str, repo: str, asset_id: int) -> Stream[bytes]:
        """What is in a file: `download(owner, repo, asset.id).save(asset.name, sha256=asset.sha256)`."""
        raise NotImplementedError


class GitHubApi(ApiClient):
    """What GitHub's hosts have in common."""

    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    errors = {"4XX": GitHubError}
    retry = Retry(when=over_the_limit)


class GitHub(GitHubApi):
    settings: GitHubSettings
    base_url = "https://api.github.com"
    follow_redirects = True  # files lie on another host, where the token does not go
    issues: Issues
    releases: Releases

    @get("/users/<username>")
    def user(self, username: str) -> User:
        raise NotImplementedError

    @get("/users/<username>/repos", paginate=LinkPages())
    def user_repos(self, username: str, *, sort: RepoSort = "full_name", per_page: PerPage = 100) -> Pages[Repo]:
        raise NotImplementedError

    @get("/search/repositories", unwrap="items", paginate=LinkPages())
    def search(self, **search: Unpack[RepoSearch]) -> Pages[Repo]:
        """The repositories that a search finds, the best first; GitHub gives at most 1,000."""
        raise NotImplementedError

    @get("/search/repositories")
    def search_page(self, **search: Unpack[RepoSearch]) -> Found:
        """The first page of a search, with how many there are."""
        raise NotImplementedError

    @get("/repos/<owner>/<repo>/events", paginate=LinkPages())
    def events(self, owner: str, repo: str, *, per_page: PerPage = 100) -> Pages[Event]:
        raise NotImplementedError


class GitHubUploads(GitHubApi):
    """Files are sent to a host of their own."""

    settings: GitHubUploadsSettings

    @post("/repos/<owner>/<repo>/releases/<release_id>/assets")
    def upload(
        self, owner: str, repo: str, release_id: int, file: Annotated[Path | Upload, Body()], *, name: str
    ) -> Asset:
        """Add a file to a release: `upload("me", "app", release.id, Path("dist/app.zip"), name="app.zip")`."""
        raise NotImplementedError


# -- the program


def show_user(github: GitHub, username: str) -> None:
    user = github.user(username)
    print(f"{user.login}: {user.public_repos} public repositories, {user.followers} followers")
    for repo in github.user_repos(username, sort="pushed", per_page=10).to_list(limit=10):
        print(f"  {repo.full_name:50} {repo.language or '':12} {repo.stargazers_count:>7} stars")


def show_repo(github: GitHub, owner: str, repo: str) -> None:
    for issue in github.issues.find(owner, repo, per_page=5).to_list(limit=5):
        print(f"#{issue.number} {issue.title}")
    if release := github.releases.latest(owner, repo):
        print(f"{release.tag_name}: {', '.join(asset.name for asset in release.assets) or 'no files'}")
    for event in github.events(owner, repo, per_page=5).to_list(limit=5):
        what = f"pushed to {event.ref}" if isinstance(event, PushEvent) else event.type
        print(f"{event.actor.login}: {what}")


def save_asset(github: GitHub, owner: str, repo: str, name: str) -> None:
    release = github.releases.latest(owner, repo)
    asset = next((asset for asset in release.assets if asset.name == name), None) if release else None
    if asset is None:
        raise SystemExit(f"{owner}/{repo} has no {name} in its latest release")
    saved = github.releases.download(owner, repo, asset.id).save(asset.name, sha256=asset.sha256)
    print(f"{saved}: {asset.size} bytes")


def main(target: str, *files: str) -> int:
    owner, _, repo = target.partition("/")
    try:
        with GitHub() as github:
            if not repo:
                show_user(github, owner)
            elif not files:
                show_repo(github, owner, repo)
            for name in files:
                save_asset(github, owner, repo, name)
    except StubwireError as error:
        print(error.reason if isinstance(error, GitHubError) else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["octocat"])))
