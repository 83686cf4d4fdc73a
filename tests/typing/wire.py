"""Pages, streams, files and bodies: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO, NotRequired, Protocol, assert_type

from pydantic import BaseModel
from typing_extensions import TypedDict, Unpack

from stubwire import (
    SSE,
    ApiClient,
    AsyncLazyEndpoint,
    AsyncPages,
    AsyncStream,
    Body,
    Codec,
    CursorPages,
    EndpointSpec,
    Event,
    File,
    Form,
    LazyEndpoint,
    Lines,
    LinkPages,
    NumberPages,
    OffsetPages,
    Page,
    Pages,
    PageStrategy,
    Query,
    Request,
    Resource,
    Response,
    Route,
    Stream,
    Upload,
    get,
    patch,
    post,
)
from stubwire.types import CommaSeparated, HttpDate, Seconds, UnixTime


class Repo(BaseModel):
    name: str
    pushed_at: UnixTime


class Filter(BaseModel):
    q: str
    tags: CommaSeparated[str] = []


class ListParams(TypedDict):
    page: int
    per_page: NotRequired[int]


class Job(BaseModel):
    done: bool


class Again:
    """A strategy of one's own."""

    def next(self, request: Request, response: Response) -> Request | None:
        return None if response.status_code == 200 else request


class Commits(Resource, path="/commits"):
    @get("", paginate=LinkPages())
    def find(self) -> Pages[Repo]:
        raise NotImplementedError


class GitHub(ApiClient):
    base_url = "https://<host>.example.com"
    query_style = "brackets"
    commits: Commits

    @get("/users/<username>/repos", paginate=LinkPages())
    def repos(self, username: str, *, per_page: int = 30) -> Pages[Repo]:
        raise NotImplementedError

    @post("/search", unwrap="items", paginate=CursorPages(cursor="meta.next", param="cursor"))
    def search(self, query: Annotated[Filter, Body()]) -> AsyncPages[Repo]:
        raise NotImplementedError

    @get("/numbered", paginate=NumberPages())
    def numbered(self, query: Annotated[Filter, Query(style="deep")]) -> Pages[int]:
        raise NotImplementedError

    @get("/offset", paginate=OffsetPages())
    def offset(self, **params: Unpack[ListParams]) -> Pages[str]:
        raise NotImplementedError

    @get("/own", paginate=Again())
    def own(self) -> Pages[str]:
        raise NotImplementedError

    @get("/events", stream=SSE(reconnect=True, terminator="[DONE]"))
    def events(self) -> Stream[Event[Repo]]:
        raise NotImplementedError

    @get("/lines", stream=Lines(max_line_bytes=1000))
    def lines(self) -> Stream[str]:
        raise NotImplementedError

    @get("/file")
    def file(self, name: str) -> Stream[bytes]:
        raise NotImplementedError

    @get("/tail")
    def tail(self) -> AsyncStream[Repo]:
        raise NotImplementedError

    @post("/upload")
    def upload(
        self,
        file: Annotated[Upload | bytes | Path | BinaryIO, File()],
        more: Annotated[list[Upload], File()],
        title: Annotated[str, Form()],
    ) -> Job:
        raise NotImplementedError

    @post("/raw")
    def raw(self, content: Annotated[Iterable[bytes], Body(content_type="text/csv")]) -> None:
        raise NotImplementedError

    @patch("/merge")
    def merge(self, change: Annotated[Job, Body(content_type="application/merge-patch+json")]) -> Job:
        raise NotImplementedError

    @get("/job", responses={200: Repo, 202: Job})
    def job(self, since: HttpDate, wait: Seconds) -> Repo | Job:
        raise NotImplementedError


def pages(github: GitHub) -> None:
    assert_type(github.repos("octocat"), Pages[Repo])
    assert_type(github.repos("octocat").first(), Repo | None)
    assert_type(github.repos("octocat").to_list(limit=3), list[Repo])
    assert_type(github.repos("octocat").resume("token"), Pages[Repo])
    assert_type(github.repos.request("octocat", per_page=5), Request)
    assert_type(github.repos.with_options(timeout=1.0)("octocat"), Pages[Repo])
    assert_type(github.commits.find(), Pages[Repo])
    assert_type(github.offset(page=1), Pages[str])
    for repo in github.repos("octocat"):
        assert_type(repo, Repo)
    for page in github.repos("octocat").pages():
        assert_type(page, Page[Repo])
        assert_type(page.items, list[Repo])
        assert_type(page.number, int)
        assert_type(page.next_token, str | None)


async def pages_asynchronously(github: GitHub) -> None:
    assert_type(github.repos.aio("octocat"), AsyncPages[Repo])
    assert_type(github.search(Filter(q="x")), AsyncPages[Repo])
    assert_type(await github.search(Filter(q="x")).first(), Repo | None)
    assert_type(await github.repos.aio("octocat").to_list(), list[Repo])
    async for repo in github.repos.aio("octocat"):
        assert_type(repo, Repo)
    async for page in github.search(Filter(q="x")).pages():
        assert_type(page, Page[Repo])


def streams(github: GitHub) -> None:
    with github.events() as events:
        assert_type(events, Stream[Event[Repo]])
        for event in events:
            assert_type(event, Event[Repo])
            assert_type(event.data, Repo)
            assert_type(event.id, str)
            assert_type(event.event, str)
    with github.lines() as lines:
        for line in lines:
            assert_type(line, str)
    with github.file("a") as file:
        assert_type(file.save("there", sha256="0", progress=lambda done, total: None), Path)


async def streams_asynchronously(github: GitHub) -> None:
    assert_type(github.tail(), AsyncStream[Repo])
    async with github.tail() as tail:
        async for repo in tail:
            assert_type(repo, Repo)
    async with github.file.aio("a") as file:
        assert_type(file, AsyncStream[bytes])
        assert_type(await file.save(Path("there")), Path)


def bodies(github: GitHub, file: BinaryIO, generated: Iterator[bytes]) -> None:
    assert_type(github.upload(Path("a"), [Upload(b"", "b.txt", "text/plain", progress=True)], title="t"), Job)
    github.upload(file, [], "t")
    github.raw(generated)
    github.raw([b"a"])
    assert_type(github.job(datetime.now(UTC), timedelta(1)), Repo | Job)
    assert_type(github.job.response(datetime.now(UTC), timedelta(1)).header("X-Total", int), int)


def routes() -> None:
    lazy: Route[..., Pages[Repo]] = GitHub.repos
    assert_type(lazy.spec, EndpointSpec)


def forms(
    lazy: LazyEndpoint[..., Pages[Repo], AsyncPages[Repo]], other: AsyncLazyEndpoint[..., AsyncPages[Repo]]
) -> None:
    assert_type(lazy(), Pages[Repo])
    assert_type(lazy.aio(), AsyncPages[Repo])
    assert_type(other(), AsyncPages[Repo])


class Lists(Protocol):
    """A service layer's own view of a client."""

    def repos(self, username: str, *, per_page: int = 30) -> Iterable[Repo]: ...
    def search(self, query: Filter) -> AsyncIterator[Repo] | AsyncPages[Repo]: ...


def plugged(github: GitHub) -> Lists:
    return github


class Plain:
    """A codec of one's own."""

    content_types = ("application/x-plain",)

    def encode(self, value: object, /) -> bytes:
        return str(value).encode()

    def decode(self, content: bytes, /) -> object:
        return content.decode()


def made(codec: Codec, strategy: PageStrategy, variables: Mapping[str, str]) -> None:
    GitHub(codecs=[codec, Plain()], variables=variables, query_style="deep")
    assert_type(strategy, PageStrategy)
