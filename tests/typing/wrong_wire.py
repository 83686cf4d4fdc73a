"""Wrong uses of pages, streams and bodies, never run: every line marked with E must be rejected by every checker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel

from stubwire import (
    SSE,
    ApiClient,
    AsyncStream,
    CursorPages,
    Event,
    File,
    LinkPages,
    Pages,
    Stream,
    Upload,
    get,
    post,
)


class Repo(BaseModel):
    name: str


class GitHub(ApiClient):
    base_url = "https://api.github.com"

    @get("/users/<username>/repos", paginate=LinkPages())
    def repos(self, username: str, *, per_page: int = 30) -> Pages[Repo]:
        raise NotImplementedError

    @get("/events", stream=SSE())
    def events(self) -> Stream[Event[Repo]]:
        raise NotImplementedError

    @get("/lines")
    def lines(self) -> Stream[str]:
        raise NotImplementedError

    @get("/tail")
    def tail(self) -> AsyncStream[Repo]:
        raise NotImplementedError

    @post("/upload")
    def upload(self, file: Annotated[Upload, File()]) -> Repo:
        raise NotImplementedError


class Declared(ApiClient):
    base_url = "https://api.github.com"

    @get("/a", paginate="link")  # E
    def a(self) -> Pages[Repo]:
        raise NotImplementedError

    @get("/b", stream=True)  # E
    def b(self) -> Stream[Repo]:
        raise NotImplementedError

    @get("/c", query_style="php")  # E
    def c(self, q: list[str]) -> Repo:
        raise NotImplementedError

    @get("/d", responses=[Repo])  # E
    def d(self) -> Repo:
        raise NotImplementedError


def pages(github: GitHub) -> None:
    github.repos("octocat", per_page="5")  # E
    github.repos()  # E
    github.repos.response("octocat")  # E
    names: list[str] = github.repos("octocat").to_list()  # E
    names.clear()
    str(github.repos("octocat").first().name)  # E
    str(github.repos("octocat")[0])  # E
    github.repos("octocat").to_list(limit="3")  # E
    for _repo in github.repos.aio("octocat"):  # E
        pass
    CursorPages(cursor=1, param="cursor")  # E


async def pages_asynchronously(github: GitHub) -> None:
    await github.repos.aio("octocat")  # E
    async for _repo in github.repos("octocat"):  # E
        pass
    str((await github.repos.aio("octocat").first()).name)  # E


def streams(github: GitHub) -> None:
    github.lines().save("there")  # E
    github.events("now")  # E
    github.tail.aio()  # E
    with github.tail():  # E
        pass
    for event in github.events():
        str(event.data.stars)  # E


async def streams_asynchronously(github: GitHub) -> None:
    async with github.events():  # E
        pass
    await github.tail()  # E


def bodies(github: GitHub) -> None:
    github.upload("text")  # E
    github.upload(Path("file"))  # E
    Upload(1)  # E
    Upload(b"", progress="bar")  # E
    GitHub(variables={"host": 1.5})  # E
    GitHub(codecs=[object()])  # E
    GitHub(query_style="odd")  # E
