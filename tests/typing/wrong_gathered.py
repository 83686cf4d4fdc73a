"""Wrong uses of `gather` and of budgets, never run: every line marked with E must be rejected by every checker."""

from __future__ import annotations

from stubwire import ApiClient, Retry, RetryBudget, gather, get


class GitHub(ApiClient):
    base_url = "https://api.github.com"

    @get("/stars")
    def stars(self) -> int:
        raise NotImplementedError


async def calls(github: GitHub) -> None:
    await gather([github.stars()])  # E
    await gather(github.stars.aio())  # E
    await gather([github.stars.aio()], 5)  # E
    await gather([github.stars.aio()], limit="5")  # E
    await gather([github.stars.aio()], retries=1)  # E
    take_strings(await gather([github.stars.aio()]))  # E
    take_numbers(await gather([github.stars.aio()], return_errors=True))  # E


def take_strings(strings: list[str]) -> None:
    raise NotImplementedError


def take_numbers(numbers: list[int]) -> None:
    raise NotImplementedError


def budgets() -> None:
    RetryBudget(500)  # E
    RetryBudget(tokens="500")  # E
    RetryBudget(price=1)  # E
    Retry(budget=500)  # E
    Retry(budget=RetryBudget)  # E
    RetryBudget().left = 5  # E
