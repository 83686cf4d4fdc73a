"""One process of `test_beds_redis.py`: `python redis_clients.py URL CALLS SETTINGS` makes so many calls in each colour.

It prints `ready`, begins when it is told to, and then prints how many were sent and how many were refused.
"""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stubwire import ApiClient, LimitExceededError, get
from stubwire.plugins import RateLimit


class Shop(ApiClient):
    @get("/orders/<number>")
    def order(self, number: int) -> object:
        raise NotImplementedError


def main(url: str, calls: int, settings: dict[str, Any]) -> None:
    with Shop(base_url=url, plugins=[RateLimit(**settings, on_error="refuse")]) as shop:

        def call(number: int) -> bool:
            try:
                shop.order(number)
            except LimitExceededError:
                return False
            return True

        async def acall(number: int) -> bool:
            try:
                await shop.order.aio(number)
            except LimitExceededError:
                return False
            return True

        async def together() -> list[bool]:
            return await asyncio.gather(*(acall(number) for number in range(calls)))

        print("ready", flush=True)  # noqa: T201 - it is how the test hears of it
        sys.stdin.readline()
        with ThreadPoolExecutor(5) as threads:
            sent = [*threads.map(call, range(calls)), *asyncio.run(together())]
        print(sent.count(True), sent.count(False), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
