"""The page on resilience states the defaults that hold, and the order in which things nest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    CallNext,
    ExponentialBackoff,
    FixedDelay,
    Limits,
    Middleware,
    RedirectError,
    Request,
    Response,
    Retry,
    RetryBudget,
    Timeout,
    get,
)
from stubwire._options import DEFAULTS

MakeApi = Callable[..., Api]
PLUGINS = ["CircuitBreaker", "ConcurrencyLimit", "RateLimit"]
PAGE = (Path(__file__).parent.parent / "docs" / "resilience.md").read_text(encoding="utf-8")


class Shop(ApiClient):
    base_url = "https://api.example"
    retry = Retry(backoff=FixedDelay(0))

    @get("/order")
    def order(self) -> str:
        raise NotImplementedError


def row(name: str) -> list[str]:
    """The cells of a row of the table of defaults, after its first."""
    line = re.search(rf"^\| {name} \| (.*) \|$", PAGE.partition("## In what order")[0], re.MULTILINE)
    assert line is not None
    return line[1].split(" | ")


def test_the_timeouts_are_these() -> None:
    assert DEFAULTS.timeout == Timeout()
    step = Timeout()
    assert row("timeouts")[0] == (
        f"connect {step.connect:g} s, read {step.read:g} s, write {step.write:g} s, a free connection {step.pool:g} s"
    )


def test_there_is_no_deadline_and_no_token() -> None:
    assert (DEFAULTS.deadline, DEFAULTS.cancel) == (None, None)
    assert row("deadline")[0] == "none"


def test_the_retries_are_these() -> None:
    assert DEFAULTS.retry == Retry()
    assert row("retries")[0].startswith(f"at most {Retry().max_retries}, ")
    assert Retry().backoff == ExponentialBackoff(base=0.5, multiplier=2.0, jitter=True)
    assert "a random part of 0.5 s, then of 1 s" in row("waits between attempts")[0]
    assert f"up to {Retry().retry_after_max:g} s" in row("waits between attempts")[0]
    assert row("retry budget")[0] == f"{RetryBudget().tokens} tokens for each origin"


def test_redirects_are_followed_so_often(api: MakeApi) -> None:
    assert DEFAULTS.follow_redirects is False
    hops = [Reply(307, headers={"Location": f"/{number}"}) for number in range(7)]
    server = api(*hops)
    with pytest.raises(RedirectError):
        Shop(transport=server.transport, follow_redirects=True).order()
    assert row("redirects")[0] == f"not followed; if followed, at most {len(server.requests) - 1}"


def test_connections_and_bodies_are_bounded() -> None:
    pool = Limits()
    most, idle = pool.max_connections, pool.max_keepalive_connections
    assert row("connections")[0] == f"at most {most}, of which {idle} idle, for {pool.keepalive_expiry:g} s"
    assert DEFAULTS.max_response_bytes == 100 * 2**20
    assert row("size of a body")[0] == "100 MiB, after decompression"


def noting(happened: list[str], what: str) -> Middleware:
    async def note(request: Request, call_next: CallNext) -> Response:
        happened.append(what)
        return await call_next(request)

    return note


def test_things_nest_as_the_page_draws_it(api: MakeApi, colour: Colour) -> None:
    """A call of two attempts, the second of two hops; any middleware stands for a plugin."""

    happened: list[str] = []
    server = api(Reply(503), Reply(307, headers={"Location": "/new"}), Reply(200, content=b"17 cups"))
    around, inside = noting(happened, "middleware"), noting(happened, "auth")
    shop = Shop(transport=server.transport, follow_redirects=True, middleware=[around], auth=inside)
    for plugin in PLUGINS:
        shop.use(noting(happened, plugin), per="attempt")
    shop.interceptors.request.use(lambda request: happened.append("request interceptors"))
    shop.interceptors.response.use(lambda response: happened.append("response interceptors"))
    assert colour.run(shop.order) == "17 cups"
    before, after = ["request interceptors", "middleware"], ["response interceptors"]
    assert happened == [*before, *PLUGINS, "auth", *PLUGINS, "auth", "auth", *after]
    drawing = PAGE.partition("## In what order")[2]
    places = [drawing.index(what) for what in (*before, "retry", *PLUGINS, "redirects", "auth", *after)]
    assert places == sorted(places)
