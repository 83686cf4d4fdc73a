"""Wrong calls, never run: every line marked with an E comment must be rejected by every checker, and no other."""

from __future__ import annotations

import asyncio
from typing import Annotated, Generic, Literal, Protocol, TypeVar

import httpx
from pydantic import BaseModel, SecretStr

from stubwire import (
    UNSET,
    ApiClient,
    Body,
    CallNext,
    ClientError,
    ClientSettings,
    Cookie,
    Header,
    Limits,
    Path,
    Query,
    Request,
    Resource,
    Response,
    Retry,
    Timeout,
    Unset,
    get,
    post,
    route,
)
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth

M = TypeVar("M")


class Repo(BaseModel):
    name: str


class Issue(BaseModel):
    number: int


class NewIssue(BaseModel):
    title: str


class Problem(BaseModel):
    code: str


class ProblemError(ClientError[Problem]):
    pass


class Crud(Resource, Generic[M]):
    @get("/<id>")
    def find(self, id: int) -> M:
        raise NotImplementedError

    @post("")
    def create(self, item: Annotated[M, Body()]) -> M:
        raise NotImplementedError


class Settings(ClientSettings):
    token: SecretStr = SecretStr("")


class GitHub(ApiClient):
    settings: Settings
    repos: Crud[Repo]

    @get("/users/<username>/repos")
    def user_repos(
        self, username: str, *, per_page: int = 30, sort: Literal["created", "updated"] = "created"
    ) -> list[Repo]:
        raise NotImplementedError

    @post("/repos/<owner>/<repo>/issues")
    async def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        raise NotImplementedError

    @get("/users/<username>")
    def find_user(self, username: str, /) -> Repo | None:
        raise NotImplementedError

    @get("/whole")
    def whole(self) -> Response[Issue]:
        raise NotImplementedError

    @get("/ping")
    def ping(self) -> None:
        raise NotImplementedError

    @get("/notes")
    def annotate(self, note: str | Unset | None = UNSET) -> bytes:
        raise NotImplementedError

    @get("/later")
    async def search_later(self, q: str) -> object:
        raise NotImplementedError


# ---- calls


def arguments(gh: GitHub) -> None:
    gh.user_repos()  # E missing argument
    gh.user_repos(1)  # E wrong type
    gh.user_repos("a", "b")  # E too many positional arguments
    gh.user_repos("a", per_pag=3)  # E unknown keyword
    gh.user_repos("a", per_page="3")  # E wrong type of a keyword
    gh.user_repos("a", sort="stars")  # E not in the Literal
    gh.find_user(username="a")  # E positional only
    gh.annotate(note=3)  # E neither text, None nor UNSET


def results(gh: GitHub) -> None:
    gh.user_repos("a").name  # E wrong attribute of the result  # noqa: B018
    gh.find_user("a").name  # E it may be None  # noqa: B018
    gh.whole().number  # E the whole response  # noqa: B018
    a: int = gh.user_repos("a")  # E wrong type of the result
    b: Response[Repo] = gh.user_repos.response("a")  # E a list of them
    c: Response[Response[Issue]] = gh.whole.response()  # E not wrapped twice
    d: str = gh.user_repos.request("a")  # E a Request
    e: list[Issue] = gh.user_repos("a")  # E wrong model
    del a, b, c, d, e


def modes(gh: GitHub) -> None:
    gh.user_repos.request()  # E missing argument
    gh.user_repos.response(1)  # E wrong type
    gh.user_repos.aio.response("a", per_pag=1)  # E unknown keyword
    gh.user_repos.request("a").culr()  # E no such method
    gh.user_repos.aoi("a")  # E no such mode
    gh.whole.response("a")  # E too many arguments
    gh.user_repos = 3  # E not assignable


async def colours(gh: GitHub) -> None:
    await gh.user_repos("a")  # E not awaitable
    await gh.user_repos.aio(1)  # E wrong type
    await gh.create_issue.aio("o", "r", NewIssue(title="t"))  # E already asynchronous
    await gh.create_issue("o")  # E missing arguments
    await gh.create_issue("o", "r", {"title": "t"})  # E not a model
    a: Issue = gh.create_issue("o", "r", NewIssue(title="t"))  # E not awaited
    b: Response[Issue] = gh.create_issue.response("o", "r", NewIssue(title="t"))  # E not awaited
    asyncio.run(gh.user_repos("a"))  # E no coroutine
    gh.user_repos.aio.aio("a")  # E already asynchronous
    del a, b


def on_the_class() -> None:
    GitHub.user_repos("octocat")  # E not bound to a client
    GitHub.user_repos.response("octocat")  # E not bound to a client
    GitHub.create_issue.aio  # E not bound to a client  # noqa: B018
    GitHub.user_repos.spec.verb  # E no such attribute  # noqa: B018


def resources(gh: GitHub) -> None:
    gh.repos.create(Issue(number=1))  # E wrong model
    gh.repos.find("1")  # E wrong type
    gh.repos.remove(1)  # E no such endpoint
    a: Issue = gh.repos.find(1)  # E wrong model
    del a


# ---- options


def of_an_endpoint(gh: GitHub) -> None:
    gh.user_repos.with_options(timeut=3)  # E unknown option
    gh.user_repos.with_options(timeout="3")  # E wrong type
    gh.user_repos.with_options(3)  # E by keyword only
    gh.user_repos.with_options(retry=3)  # E wrong type
    gh.user_repos.with_options(unwrap="a")  # E an option of the verb
    gh.user_repos.aio.with_options(heders={})  # E unknown option


def of_a_client(gh: GitHub) -> None:
    gh.with_options(timeut=3)  # E unknown option
    gh.with_options(base_url="https://example.com")  # E an option of the constructor
    gh.with_options(headers=["X"])  # E wrong type
    gh.with_options(headers={"X": 1})  # E wrong type of a value
    gh.with_options(timeout=1).user_repos(1)  # E wrong type
    gh.use(3)  # E no middleware
    gh.use(_middleware, per="hop")  # E not in the Literal
    gh.plugin(_middleware)  # E no plugin
    gh.interceptors.request.use(_middleware)  # E no interceptor


def of_the_constructor() -> None:
    GitHub(base_ulr="https://example.com")  # E unknown option
    GitHub("https://example.com")  # E no settings
    GitHub(timeout="5")  # E wrong type
    GitHub(retry=3)  # E wrong type
    GitHub(errors={404: "message"})  # E no class
    GitHub(auth="token")  # E no auth
    GitHub(auth=BearerAuth)  # E not an instance
    GitHub(engine="requests")  # E not in the Literal
    GitHub(limits=5)  # E wrong type
    GitHub(transport=3)  # E no transport
    GitHub(transport=httpx.Client())  # E a client
    GitHub(http_client=httpx.HTTPTransport())  # E a transport
    GitHub(transport=(httpx.AsyncHTTPTransport(), httpx.HTTPTransport()))  # E the wrong way round
    GitHub(middleware=_middleware)  # E not a sequence
    GitHub(plugins=[_middleware])  # E no plugin
    GitHub().settings.tokn  # E no such field  # noqa: B018


def of_parts() -> None:
    Retry(3)  # E by keyword only
    Retry(max_retry=3)  # E unknown option
    Retry(backoff=3)  # E no backoff
    Retry(when=lambda: True)  # E takes the outcome
    Timeout(conect=1)  # E unknown option
    Timeout(5)  # E by keyword only
    Limits(max_connections="5")  # E wrong type
    BearerAuth(3)  # E no secret
    BasicAuth("user", 3)  # E no secret
    ApiKeyAuth("key", "X-Key")  # E by keyword only
    Path("a", "b")  # E one alias
    Query(3)  # E no name
    Header(name="X")  # E unknown option
    Cookie(alias=3)  # E no name
    Body("a")  # E no alias


class Declared(ApiClient):
    @get("/x", unwarp="a")  # E unknown option
    def a(self) -> Repo:
        raise NotImplementedError

    @get("/x", none_on=[404])  # E not a set
    def b(self) -> Repo | None:
        raise NotImplementedError

    @get("/x", errors={404: "message"})  # E no class
    def c(self) -> Repo:
        raise NotImplementedError

    @get(path="/x", base_url="https://example.com")  # E an option of the client
    def d(self) -> Repo:
        raise NotImplementedError

    @get  # E without a path
    def e(self) -> Repo:
        raise NotImplementedError

    @route("/x")  # E without a method
    def f(self) -> Repo:
        raise NotImplementedError

    @get("/x", retry=3)  # E wrong type
    def g(self) -> Repo:
        raise NotImplementedError


class Configured(ApiClient):
    base_url = 3  # E wrong type
    timeout = "5"  # E wrong type
    headers = ["X"]  # E wrong type
    middleware = [1]  # E no middleware
    retry = 3  # E wrong type


# ---- the way out, errors, protocols


async def without_a_stub(gh: GitHub) -> None:
    gh.call("GET")  # E no path
    gh.call("GET", "/x", jsn={})  # E unknown argument
    gh.call("GET", "/x", params=3)  # E wrong type
    gh.call("GET", "/x", content="text")  # E not bytes
    a: Issue = gh.call("GET", "/x", into=Repo)  # E wrong model
    b: Repo = gh.acall("GET", "/x", into=Repo)  # E not awaited
    del a, b


def errors(error: ProblemError) -> None:
    error.body.code  # E it may be None  # noqa: B018
    error.body = Issue(number=1)  # E wrong model
    if error.body:
        error.body.message  # E no such field  # noqa: B018


class Wanted(Protocol):
    def user_repos(self, username: int) -> list[Repo]: ...


class WantedLater(Protocol):
    async def user_repos(self, username: str) -> list[Repo]: ...


def protocols(gh: GitHub) -> None:
    a: Wanted = gh  # E wrong type of the argument
    b: WantedLater = gh  # E not asynchronous
    del a, b


async def _middleware(request: Request, call_next: CallNext) -> Response:
    await call_next("request")  # E no request
    request.headers["X"] = 1  # E no text
    return await call_next(request)
