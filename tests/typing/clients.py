"""Clients, resources and what they are made from: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

import builtins
import logging
import ssl
from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar, assert_type

import httpx
import httpx2
from pydantic import BaseModel, SecretStr
from pydantic_settings import SettingsConfigDict
from tenacity import stop_after_delay, wait_chain, wait_fixed
from typing_extensions import override

from stubwire import (
    UNSET,
    ApiClient,
    Auth,
    Body,
    ClientError,
    ClientSettings,
    Endpoint,
    ExponentialBackoff,
    FixedDelay,
    Limits,
    LinearBackoff,
    Outcome,
    Resource,
    Response,
    Retry,
    Timeout,
    get,
    post,
)
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth
from stubwire.plugins import LoggerPlugin

M = TypeVar("M")


class Repo(BaseModel):
    name: str


class Issue(BaseModel):
    number: int


class Problem(BaseModel):
    message: str


class ProblemError(ClientError[Problem]):
    pass


# ---- resources


class Crud(Resource, Generic[M]):
    @get("")
    def list(self) -> builtins.list[M]:
        raise NotImplementedError

    @get("/<id>")
    def find(self, id: int) -> M | None:
        raise NotImplementedError

    @post("")
    def create(self, item: Annotated[M, Body()]) -> M:
        raise NotImplementedError

    @get("/<id>/whole")
    async def whole(self, id: int) -> Response[M]:
        raise NotImplementedError


class Repos(Crud[Repo], path="/repos"):
    @get("/<name>/stars")
    def stars(self, name: str) -> int:
        raise NotImplementedError


class Comments(Resource, path="/comments"):
    @get("/<id>")
    async def get(self, owner: str, repo: str, number: int, id: int) -> str:
        raise NotImplementedError


class Issues(Resource, path="/repos/<owner>/<repo>/issues/<number>"):
    comments: Comments

    @get("")
    def find(self, owner: str, repo: str, number: int) -> Issue:
        raise NotImplementedError


class GitHubSettings(ClientSettings):
    model_config = SettingsConfigDict(env_prefix="GITHUB_", env_file=".env")

    base_url: str = "https://api.github.com"
    token: SecretStr = SecretStr("")
    organisation: str | None = None

    @property
    @override
    def auth(self) -> Auth:
        return BearerAuth(self.token)


class GitHub(ApiClient):
    settings: GitHubSettings
    base_url = "https://api.github.com"
    timeout = 5.0
    retry = Retry(max_retries=3, backoff=ExponentialBackoff(base=1.0, multiplier=2.0))
    headers = {"Accept": "application/vnd.github+json", "X-Key": SecretStr("k")}
    query = {"v": 3}
    errors = {"4XX": Problem, 402: ProblemError, range(500, 505): Problem}
    plugins = [LoggerPlugin(logging.getLogger("github_client"))]
    follow_redirects = True

    repos: Repos
    issues: Issues
    labels: Crud[Issue]

    @get("/user")
    def user(self) -> Repo:
        raise NotImplementedError


class Configured(ApiClient):
    """Meant for subclasses: what they may change is annotated in full, or mypy takes the type of the value."""

    timeout: float | Timeout | None = 5.0
    retry: Retry | None = Retry(max_retries=3)


class Unhurried(Configured):
    timeout = Timeout(connect=1, read=None)
    retry = None


class Patient(Configured):
    timeout = None


class Quick(GitHub):
    timeout = 10.0
    headers = {"Accept": "*/*"}
    auth = BasicAuth("user", "password")
    limits = Limits(max_connections=10)
    verify = "/etc/ssl/bundle.pem"
    engine = "httpx2"
    max_response_bytes = None


async def resources(gh: GitHub) -> None:
    assert_type(gh.repos, Repos)
    assert_type(gh.repos.list(), list[Repo])
    assert_type(gh.repos.find(1), Repo | None)
    assert_type(gh.repos.find.response(1), Response[Repo | None])
    assert_type(gh.repos.create(Repo(name="x")), Repo)
    assert_type(gh.repos.stars("x"), int)
    assert_type(await gh.repos.list.aio(), list[Repo])
    assert_type(await gh.repos.whole(1), Response[Repo])
    assert_type(await gh.repos.whole.response(1), Response[Repo])
    assert_type(gh.labels, Crud[Issue])
    assert_type(gh.labels.create(Issue(number=1)), Issue)
    assert_type(gh.labels.list.with_options(timeout=1)(), list[Issue])
    assert_type(gh.issues.find("o", "r", 1), Issue)
    assert_type(await gh.issues.comments.get("o", "r", 1, id=2), str)
    assert_type(gh.with_options(timeout=1).issues.find("o", "r", 1), Issue)
    stars: Endpoint[..., int] = gh.repos.stars
    assert_type(stars("x"), int)


def views(gh: Quick) -> None:
    assert_type(gh.with_options(timeout=1.0), Quick)
    assert_type(gh.with_options(timeout=None, retry=Retry(max_retries=0), headers={"X": SecretStr("1")}), Quick)
    assert_type(gh.with_options(auth=BearerAuth("t"), query={"a": True}, idempotency_key="k").user(), Repo)
    assert_type(gh.use(_middleware).plugin(LoggerPlugin()).with_options(auth=None), Quick)


async def without_a_stub(gh: GitHub) -> None:
    assert_type(gh.call("GET", "/rate_limit"), Response[Any])
    assert_type(gh.call("GET", "/rate_limit").data, Any)
    assert_type(gh.call("GET", "/repos", into=Repo), Repo)
    assert_type(gh.call("GET", "/repos", into=list[Repo], params={"a": 1, "b": None}), list[Repo])
    assert_type(gh.call("POST", "/repos", into=Repo, json={"name": "x"}, headers={"X": "1"}), Repo)
    assert_type(gh.call("POST", "/raw", into=bytes, content=b"x"), bytes)
    assert_type(gh.call("GET", "/map", into=dict[str, int]), dict[str, int])
    assert_type(await gh.acall("GET", "/rate_limit"), Response[Any])
    assert_type(await gh.acall("GET", "/repos", into=list[Repo]), list[Repo])


async def lifetime() -> None:
    with GitHub() as gh:
        assert_type(gh, GitHub)
    async with Quick(GitHubSettings(token=SecretStr("t"))) as quick:
        assert_type(quick, Quick)
    assert_type(quick.settings, GitHubSettings)
    assert_type(quick.settings.token, SecretStr)
    assert_type(quick.settings.auth, Auth)
    gh.close()
    await gh.aclose()


def construction(given: Mapping[str, str]) -> None:
    GitHub(GitHubSettings(), timeout=None, retry=None, auth=None, max_response_bytes=None, proxy=None)
    GitHub(None)
    GitHub(UNSET, base_url="https://example.com")
    GitHub(timeout=Timeout(connect=1.0), retry=Retry(), headers=given, query={"a": "1", "b": 2.5, "c": None})
    GitHub(errors={404: Problem, "5XX": ProblemError}, auth=ApiKeyAuth("k", query="key"), follow_redirects=True)
    GitHub(verify=False, http2=True, limits=Limits(max_connections=5), engine="httpx2", proxy="http://proxy")
    GitHub(verify=ssl.create_default_context(), middleware=[_middleware], plugins=[LoggerPlugin()])
    GitHub(auth=BasicAuth("u", lambda: "p"), middleware=(_middleware,), plugins=())


def retries() -> None:
    GitHub(retry=Retry(max_retries=5, backoff=LinearBackoff(), retry_after_max=10, when=_when))
    GitHub(retry=Retry(backoff=FixedDelay(1)))
    GitHub(retry=Retry(backoff=wait_fixed(1) + wait_fixed(2), stop=stop_after_delay(10) | stop_after_delay(20)))
    GitHub(retry=Retry(backoff=wait_chain(wait_fixed(1), wait_fixed(2))))
    GitHub(retry=Retry(when=lambda outcome: outcome.response is not None and outcome.response.status_code == 418))


def transports(app: Any, wsgi: Any) -> None:
    mock = httpx.MockTransport(lambda request: httpx.Response(200, request=request))
    GitHub(transport=mock)
    GitHub(transport=httpx.ASGITransport(app))
    GitHub(transport=httpx.WSGITransport(wsgi))
    GitHub(transport=(httpx.WSGITransport(wsgi), httpx.ASGITransport(app)))
    GitHub(transport=(mock, mock))
    GitHub(transport=httpx.HTTPTransport(retries=1))
    GitHub(transport=httpx.AsyncHTTPTransport())
    GitHub(http_client=httpx.Client())
    GitHub(http_client=httpx.AsyncClient())


def transports_of_httpx2(app: Any, wsgi: Any) -> None:
    GitHub(transport=httpx2.MockTransport(lambda request: httpx2.Response(200, request=request)))
    GitHub(transport=httpx2.ASGITransport(app))
    GitHub(transport=httpx2.WSGITransport(wsgi))
    GitHub(transport=(httpx2.WSGITransport(wsgi), httpx2.ASGITransport(app)))
    GitHub(http_client=httpx2.Client())
    GitHub(http_client=httpx2.AsyncClient())


async def _middleware(request: Any, call_next: Any) -> Response:
    raise NotImplementedError


def _when(outcome: Outcome) -> bool | None:
    assert_type(outcome.response, Response[Any] | None)
    assert_type(outcome.number, int)
    return None
