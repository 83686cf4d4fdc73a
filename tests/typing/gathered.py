"""What `gather` gives, and what a retry budget is: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import assert_type

from pydantic import BaseModel

from stubwire import ApiClient, CallError, Response, Retry, RetryBudget, gather, get


class Repo(BaseModel):
    name: str


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry = Retry(budget=RetryBudget(tokens=100, cost=10, refund=0.5))

    @get("/repos/<name>")
    def repo(self, name: str) -> Repo:
        raise NotImplementedError

    @get("/repos/<name>")
    async def fetch(self, name: str) -> Repo:
        raise NotImplementedError


async def results(github: GitHub, names: list[str], unknown: bool) -> None:
    assert_type(await gather(github.repo.aio(name) for name in names), list[Repo])
    assert_type(await gather([github.fetch(name) for name in names], limit=5), list[Repo])
    assert_type(await gather({github.fetch(name) for name in names}, return_errors=False), list[Repo])
    assert_type(await gather((github.fetch(name) for name in names), return_errors=True), list[Repo | CallError])
    assert_type(await gather((github.fetch(name) for name in names), return_errors=unknown), list[Repo | CallError])
    assert_type(await gather(github.repo.aio.response(name) for name in names), list[Response[Repo]])
    assert_type(await gather(generated(github)), list[Repo])
    later: list[Repo] = await gather(generated_later(github), progress=True)  # an assert_type is beyond ty 0.0.105
    assert_type(later, list[Repo])
    assert_type(await gather([github.fetch(name) for name in names], progress=told), list[Repo])
    for repo in await gather(github.repo.aio(name) for name in names):
        assert_type(repo.name, str)
    for result in await gather((github.repo.aio(name) for name in names), return_errors=True):
        assert_type(result if isinstance(result, CallError) else None, CallError | None)


def told(done: int, total: int | None) -> None:
    raise NotImplementedError


def generated(github: GitHub) -> Iterator[Awaitable[Repo]]:
    yield github.repo.aio("a")


async def generated_later(github: GitHub) -> AsyncIterator[Awaitable[Repo]]:
    yield github.repo.aio("a")


def budgets(github: GitHub, budget: RetryBudget) -> None:
    assert_type(budget.left, float)
    assert_type((budget.tokens, budget.cost, budget.refund), tuple[float, float, float])
    assert_type(github.with_options(retry=Retry(budget=budget)), GitHub)
    assert_type(github.with_options(retry=Retry(budget=None)).repo("a"), Repo)
