"""What each form of a call gives: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

import asyncio
import inspect
from typing import Annotated, Any, Literal, assert_type

from pydantic import BaseModel, Field

from stubwire import (
    UNSET,
    ApiClient,
    AsyncEndpoint,
    Attempt,
    Body,
    Cookie,
    Endpoint,
    EndpointSpec,
    Header,
    Headers,
    Path,
    Query,
    Request,
    Response,
    Retry,
    Route,
    Timeout,
    Unset,
    delete,
    get,
    head,
    options,
    patch,
    post,
    put,
    route,
)
from stubwire.auth import BearerAuth


class NewIssue(BaseModel):
    title: str


class Issue(BaseModel):
    number: int
    title: str


class NotFound(BaseModel):
    message: str


class GitHub(ApiClient):
    base_url = "https://api.github.com"

    @get(
        "/users/<username>/repos",
        unwrap="data.items",
        errors={404: NotFound, "5XX": NotFound, range(410, 412): NotFound},
    )
    def user_repos(
        self, username: str, *, per_page: int = 30, sort: Literal["created", "updated"] = "created"
    ) -> list[Repo]:
        """List a user's public repositories."""
        raise NotImplementedError

    @post("/repos/<owner>/<repo>/issues", idempotency_key=True, timeout=Timeout(read=60.0), retry=None)
    async def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        raise NotImplementedError

    @get("/users/<username>", none_on={404, 410})
    def find_user(self, username: Annotated[str, Path()], /) -> Repo | None:
        raise NotImplementedError

    @get("/search", headers={"Accept": "application/json"}, auth=None)
    def search(
        self,
        q: str,
        page: Annotated[int, Query("p"), Field(ge=1)] = 1,
        *,
        trace: Annotated[str | None, Header("X-Trace")] = None,
        session: Annotated[str | None, Cookie()] = None,
        tags: list[str] | None = None,
    ) -> Any:
        raise NotImplementedError

    @get("/later", auth=BearerAuth("token"), timeout=1)
    async def search_later(self, q: str) -> Any:
        raise NotImplementedError

    @put("/ping", timeout=None, idempotency_key="X-Key")
    def ping(self) -> None:
        raise NotImplementedError

    @delete("/ping", retry=Retry(max_retries=5))
    async def unping(self) -> None:
        raise NotImplementedError

    @patch("/notes/{id:path}")
    def annotate(self, id: str, *, note: Annotated[str | Unset | None, Body()] = UNSET) -> bytes:
        raise NotImplementedError

    @head("/whole")
    def whole(self, name: str) -> Response[Issue]:
        raise NotImplementedError

    @options("/whole")
    async def whole_later(self, name: str) -> Response[list[Issue]]:
        raise NotImplementedError

    @route("PURGE", "/cache")
    def purge(self, keys: frozenset[int]) -> dict[str, list[Issue]]:
        raise NotImplementedError

    def many(self, *names: str) -> list[Repo]:
        """A method of the client's own that uses its endpoints."""
        assert_type(self.user_repos("octocat"), list[Repo])
        return [repo for name in names for repo in self.user_repos(name)]


class Repo(BaseModel):
    """Defined after the client that returns it."""

    name: str


class Enterprise(GitHub):
    base_url = "https://github.example.com"


def synchronous(gh: GitHub) -> None:
    assert_type(gh.user_repos("octocat"), list[Repo])
    assert_type(gh.user_repos("octocat", per_page=5, sort="updated"), list[Repo])
    assert_type(gh.user_repos(username="octocat"), list[Repo])
    assert_type(gh.user_repos("octocat")[0].name, str)
    assert_type(gh.find_user("octocat"), Repo | None)
    assert_type(gh.search("x"), Any)
    assert_type(gh.search("x", 2, trace="1", session="s", tags=["a"]), Any)
    assert_type(gh.annotate("a/b"), bytes)
    assert_type(gh.annotate("a/b", note=None), bytes)
    assert_type(gh.annotate("a/b", note=UNSET), bytes)
    assert_type(gh.purge(frozenset({1})), dict[str, list[Issue]])
    assert_type(gh.whole("x"), Response[Issue])
    assert_type(gh.whole("x").data, Issue)
    gh.ping()


def of_a_subclass(gh: Enterprise) -> None:
    assert_type(gh.user_repos("octocat"), list[Repo])
    assert_type(gh.user_repos.response("octocat"), Response[list[Repo]])


def responses(gh: GitHub) -> None:
    response = gh.user_repos.response("octocat", per_page=5)
    assert_type(response, Response[list[Repo]])
    assert_type(response.data, list[Repo])
    assert_type(response.status_code, int)
    assert_type(response.headers, Headers)
    assert_type(response.headers["ETag"], str)
    assert_type(response.request, Request)
    assert_type(response.request_id, str | None)
    assert_type(response.attempts, tuple[Attempt, ...])
    assert_type(response.elapsed, float)
    assert_type(response.http_version, str)
    assert_type(response.content, bytes)
    assert_type(response.text, str)
    assert_type(gh.find_user.response("octocat"), Response[Repo | None])
    assert_type(gh.ping.response(), Response[None])
    assert_type(gh.whole.response("x"), Response[Issue])
    assert_type(gh.whole.response(name="x").data, Issue)


def requests(gh: GitHub) -> None:
    request = gh.user_repos.request("octocat", per_page=5)
    assert_type(request, Request)
    assert_type(request.curl(), str)
    assert_type(request.method, str)
    assert_type(request.url, str)
    assert_type(request.content, bytes | None)
    assert_type(request.spec, EndpointSpec | None)
    assert_type(request.replace(url="https://example.com"), Request)
    assert_type(gh.create_issue.request("o", "r", NewIssue(title="t")), Request)
    assert_type(gh.create_issue.request("o", repo="r", issue=NewIssue(title="t")).curl(), str)
    assert_type(gh.user_repos.aio.request("octocat"), Request)
    assert_type(gh.whole.request("x"), Request)


def with_options(gh: GitHub) -> None:
    assert_type(gh.user_repos.with_options(timeout=1.0)("octocat"), list[Repo])
    assert_type(gh.user_repos.with_options(timeout=None, retry=None, auth=None)("octocat"), list[Repo])
    assert_type(gh.user_repos.with_options(headers={"X": "1"}, query={"a": 1, "b": None})("octocat"), list[Repo])
    assert_type(gh.user_repos.with_options(timeout=Timeout(read=1.0)).response("octocat"), Response[list[Repo]])
    assert_type(gh.user_repos.with_options(idempotency_key="k").request("octocat"), Request)
    assert_type(gh.user_repos.with_options(idempotency_key=True).with_options(timeout=1)("octocat"), list[Repo])
    assert_type(gh.whole.with_options(timeout=1).response("x"), Response[Issue])
    assert_type(gh.search.with_options(timeout=1)("x"), Any)


async def asynchronous(gh: GitHub) -> None:
    assert_type(await gh.create_issue("o", "r", NewIssue(title="t")), Issue)
    assert_type(await gh.create_issue.response("o", "r", issue=NewIssue(title="t")), Response[Issue])
    assert_type(await gh.create_issue.with_options(timeout=1)("o", "r", NewIssue(title="t")), Issue)
    assert_type(await gh.search_later("x"), Any)
    assert_type(await gh.search_later.response("x"), Response[Any])
    assert_type(await gh.whole_later("x"), Response[list[Issue]])
    assert_type(await gh.whole_later.response("x"), Response[list[Issue]])
    await gh.unping()
    await gh.ping.aio()
    assert_type(await gh.user_repos.aio("octocat"), list[Repo])
    assert_type(await gh.user_repos.aio("octocat", per_page=5, sort="updated"), list[Repo])
    assert_type(await gh.user_repos.aio.response("octocat"), Response[list[Repo]])
    assert_type(await gh.user_repos.aio.with_options(timeout=1)("octocat"), list[Repo])
    assert_type(await gh.user_repos.aio.with_options(timeout=1).response("octocat"), Response[list[Repo]])
    assert_type(await gh.user_repos.with_options(timeout=1).aio("octocat"), list[Repo])
    assert_type(await gh.user_repos.with_options(timeout=1).aio.response("octocat"), Response[list[Repo]])
    assert_type(await gh.find_user.aio("octocat"), Repo | None)
    assert_type(await gh.search.aio("x"), Any)
    assert_type(await gh.whole.aio("x"), Response[Issue])
    assert_type(await gh.whole.aio.response("x"), Response[Issue])
    assert_type(await asyncio.gather(gh.user_repos.aio("a"), gh.find_user.aio("b")), tuple[list[Repo], Repo | None])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(gh.user_repos.aio("octocat"))
    assert_type(await task, list[Repo])


def from_synchronous_code(gh: GitHub) -> None:
    assert_type(asyncio.run(gh.user_repos.aio("octocat")), list[Repo])
    assert_type(asyncio.run(gh.create_issue("o", "r", NewIssue(title="t"))), Issue)


def on_the_class() -> None:
    assert_type(GitHub.user_repos.spec, EndpointSpec)
    assert_type(GitHub.create_issue.spec.path, str)
    assert_type(GitHub.user_repos.spec.is_async, bool)
    assert_type(GitHub.user_repos.__doc__, str | None)
    assert_type(GitHub.user_repos.__name__, str)
    assert_type(inspect.signature(GitHub().user_repos), inspect.Signature)
    assert_type(GitHub().user_repos.spec, EndpointSpec)
    assert_type([parameter.role == "query" for parameter in GitHub.user_repos.spec.parameters], list[bool])


def named_types(gh: GitHub) -> None:
    """An endpoint and a route have types that can be written, most easily where the parameters have no names."""
    find: Endpoint[[str], Repo | None] = gh.find_user
    later: AsyncEndpoint[[str], Repo | None] = gh.find_user.aio
    kept: Route[[str], Repo | None] = GitHub.find_user
    assert_type(find("octocat"), Repo | None)
    assert_type(later.request("octocat"), Request)
    assert_type(kept.spec, EndpointSpec)
