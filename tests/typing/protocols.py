"""Code that depends on a protocol, not on a client: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, assert_type

from pydantic import BaseModel

from stubwire import ApiClient, Resource, get, post


class Repo(BaseModel):
    name: str


class NewRepo(BaseModel):
    name: str


class Gists(Resource, path="/gists"):
    @get("/<id>")
    def find(self, id: str) -> Repo:
        raise NotImplementedError


class GitHub(ApiClient):
    gists: Gists

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        raise NotImplementedError

    @post("/repos")
    async def create(self, repo: NewRepo) -> Repo:
        raise NotImplementedError

    @get("/ping")
    def ping(self) -> None:
        raise NotImplementedError


class HasRepos(Protocol):
    """What a service needs: plain methods, so that a fake is a plain class."""

    def user_repos(self, username: str, *, per_page: int = 30) -> list[Repo]: ...
    def ping(self) -> None: ...


class CreatesRepos(Protocol):
    async def create(self, repo: NewRepo) -> Repo: ...


class FindsGists(Protocol):
    def find(self, id: str) -> Repo: ...


class Fake:
    def user_repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        return [Repo(name=username)] * per_page

    def ping(self) -> None:
        pass

    async def create(self, repo: NewRepo) -> Repo:
        return Repo(name=repo.name)


class Service:
    def __init__(self, repos: HasRepos, creator: CreatesRepos) -> None:
        self._repos = repos
        self._creator = creator

    def names(self, username: str) -> list[str]:
        self._repos.ping()
        return [repo.name for repo in self._repos.user_repos(username, per_page=100)]

    async def copy(self, username: str) -> Repo:
        return await self._creator.create(NewRepo(name=self.names(username)[0]))


def names(client: GitHub, fetch: Callable[[str], list[Repo]]) -> list[str]:
    return [repo.name for repo in [*client.user_repos("octocat"), *fetch("octocat")]]


async def first(fetch: Callable[[str], Awaitable[list[Repo]]]) -> Repo:
    return (await fetch("octocat"))[0]


async def wired(gh: GitHub) -> None:
    Service(gh, gh)
    Service(Fake(), Fake())
    Service(gh.with_options(timeout=1), gh)
    finder: FindsGists = gh.gists
    assert_type(finder.find("1"), Repo)
    names(gh, gh.user_repos)
    names(gh, gh.user_repos.with_options(timeout=1))
    assert_type(await first(gh.user_repos.aio), Repo)
    create: Callable[[NewRepo], Coroutine[Any, Any, Repo]] = gh.create
    assert_type(await create(NewRepo(name="x")), Repo)
