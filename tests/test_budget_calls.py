"""What a client's calls make of the retry budget: what is paid for, by whom, and what an error says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Api, Clock, Colour, EngineName, Fail, Reply
from downloads import TAG, Files, cut, part
from streaming import Server, save
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    FixedDelay,
    Outcome,
    ReadError,
    Request,
    Response,
    Retry,
    RetryBudget,
    gather,
    get,
)
from stubwire import _budgets as budgets

MakeApi = Callable[..., Api]
EMPTY = "not retried: the retry budget of https://api.example is empty"


class Things(ApiClient):
    base_url = "https://api.example"
    retry = Retry(backoff=FixedDelay(0.0))

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError

    @get("/maybe", none_on={404})
    def maybe(self) -> int | None:
        raise NotImplementedError

    @get("/once", retry=None)
    def once(self) -> int:
        raise NotImplementedError


def failure(run: Callable[[], object]) -> CallError:
    with pytest.raises(CallError) as caught:
        run()
    return caught.value


def drain(client: Things) -> None:
    """Use up the client's own budget against a server that fails: 35 retries, 10 tokens are left."""
    for _ in range(18):
        failure(client.thing)


def test_by_default_35_retries_are_made_and_then_each_call_is_one_request(
    api: MakeApi, colour: Colour, clock: Clock
) -> None:
    server = api(Reply(503))
    client = Things(transport=server.transport)
    errors = [failure(lambda: colour.run(client.thing)) for _ in range(30)]
    assert len(server.requests) == 30 + 35
    assert [len(error.attempts) for error in errors] == [3] * 17 + [2] + [1] * 12
    assert errors[16].__notes__ == ["not retried: max_retries=2 is used up"]
    assert {tuple(error.__notes__) for error in errors[17:]} == {(EMPTY,)}


def test_an_empty_budget_starts_no_wait(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(503, headers={"Retry-After": "7"}))
    client = Things(transport=server.transport, retry=Retry(budget=RetryBudget(tokens=14)))
    error = failure(client.thing)
    assert clock.waits == [7.0]
    assert [attempt.wait for attempt in error.attempts] == [7.0, None]
    assert error.__notes__ == ["not retried: the budget of its Retry is empty"]


def test_14_successes_pay_for_a_retry(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(*[Reply(503)] * 53, *[Reply(json=1)] * 13, Reply(503), Reply(json=1), Reply(503), Reply(json=1))
    budget = RetryBudget(tokens=490)
    client = Things(transport=server.transport, retry=Retry(backoff=FixedDelay(0.0), budget=budget))
    for _ in range(18):
        failure(lambda: colour.run(client.thing))
    assert budget.left == 0
    for _ in range(13):
        assert colour.run(client.thing) == 1
    assert len(failure(lambda: colour.run(client.thing)).attempts) == 1
    assert colour.run(client.thing) == 1
    assert budget.left == 14
    assert len(colour.response(client.thing).attempts) == 2
    assert budget.left == 1


def test_the_client_s_own_is_given_back_to_too(api: MakeApi, clock: Clock) -> None:
    server = api(*[Reply(503)] * 53, *[Reply(json=1)] * 4, Reply(503), Reply(json=1))
    client = Things(transport=server.transport)
    drain(client)
    for _ in range(4):
        client.thing()
    assert len(client.thing.response().attempts) == 2


def test_views_share_it_and_other_clients_do_not(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(503))
    client = Things(transport=server.transport)
    drain(client)
    for view in (client.with_options(timeout=1.0), client.with_options(retry=Retry(max_retries=9))):
        assert failure(view.thing).__notes__ == [EMPTY]
    assert failure(client.thing.with_options(headers={"X": "1"})).__notes__ == [EMPTY]
    assert failure(lambda: client.call("GET", "/other")).__notes__ == [EMPTY]
    assert len(failure(Things(transport=server.transport).thing).attempts) == 3


def test_each_origin_has_its_own(api: MakeApi, clock: Clock) -> None:
    client = Things(transport=api(Reply(503)).transport)
    drain(client)
    assert len(failure(lambda: client.call("GET", "https://other.example/thing")).attempts) == 3
    assert failure(client.thing).__notes__ == [EMPTY]
    errors = [failure(lambda: client.call("GET", "https://other.example:8443/thing")) for _ in range(19)]
    assert errors[-1].__notes__ == ["not retried: the retry budget of https://other.example:8443 is empty"]


def test_a_success_at_one_origin_earns_nothing_for_another(api: MakeApi, clock: Clock) -> None:
    server = api(*[Reply(503)] * 53, *[Reply(json=1)] * 20, Reply(503))
    client = Things(transport=server.transport)
    drain(client)
    for _ in range(20):
        client.call("GET", "https://other.example/thing")
    assert failure(client.thing).__notes__ == [EMPTY]


def test_only_so_many_origins_are_remembered(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a client that calls any number; the one that was paid from longest ago is forgotten."""
    monkeypatch.setattr(budgets, "_MOST", 2)
    client = Things(transport=api(Reply(503)).transport)
    drain(client)
    failure(lambda: client.call("GET", "https://b.example/"))
    assert failure(client.thing).__notes__ == [EMPTY]
    failure(lambda: client.call("GET", "https://c.example/"))
    assert failure(client.thing).__notes__ == [EMPTY]
    failure(lambda: client.call("GET", "https://b.example/"))
    failure(lambda: client.call("GET", "https://c.example/"))
    assert len(failure(client.thing).attempts) == 3


def test_one_that_is_passed_is_shared_by_whoever_has_it(api: MakeApi, clock: Clock) -> None:
    """Between clients, and between origins; what one of them earns another may spend."""
    retry = Retry(backoff=FixedDelay(0.0), budget=RetryBudget(tokens=28))
    failing, working = api(Reply(503)), api(Reply(json=1))
    one, two = Things(transport=failing.transport, retry=retry), Things(transport=failing.transport, retry=retry)
    healthy = Things(transport=working.transport, base_url="https://healthy.example", retry=retry)
    assert len(failure(one.thing).attempts) == 3
    assert len(failure(two.thing).attempts) == 1
    for _ in range(14):
        healthy.thing()
    assert len(failure(two.thing).attempts) == 2
    other = one.thing.with_options(retry=Retry(backoff=FixedDelay(0.0)))
    assert len(failure(other).attempts) == 3, "the client's own"


def test_none_is_unlimited(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(503))
    client = Things(transport=server.transport, retry=Retry(backoff=FixedDelay(0.0), budget=None))
    for _ in range(40):
        assert len(failure(client.thing).attempts) == 3


TIMEOUTS = ["ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"]


@pytest.mark.parametrize(("first", "left"), [*((Fail(name), 86) for name in TIMEOUTS), (Fail("ReadError"), 87)])
def test_a_success_after_a_timeout_earns_nothing(api: MakeApi, clock: Clock, first: Fail, left: int) -> None:
    budget = RetryBudget(tokens=100)
    server = api(first, Reply(json=1))
    Things(transport=server.transport, retry=Retry(backoff=FixedDelay(0.0), budget=budget)).thing()
    assert budget.left == left


def test_what_earns_is_a_success(api: MakeApi, clock: Clock) -> None:
    """As its endpoint means it: a 404 that means None is one, another is not, nor is one that is never retried."""
    budget = RetryBudget(tokens=100, cost=50)
    answers = [Reply(503), Reply(404), Reply(404), Reply(404), Reply(json=1), Reply(204)]
    client = Things(transport=api(*answers).transport, retry=Retry(backoff=FixedDelay(0.0), budget=budget))
    failure(client.thing)
    assert budget.left == 50
    failure(client.thing)
    assert budget.left == 50
    assert client.maybe() is None
    assert budget.left == 51
    client.once()
    assert budget.left == 51
    client.call("GET", "/")
    assert budget.left == 52


def test_asking_again_after_a_success_neither_costs_nor_earns(api: MakeApi, clock: Clock) -> None:
    """As a predicate that polls does; the last answer earns."""

    def pending(outcome: Outcome) -> bool | None:
        return True if outcome.response is not None and outcome.response.status_code == 202 else None

    budget = RetryBudget(tokens=100)
    retry = Retry(max_retries=9, backoff=FixedDelay(0.0), when=pending, budget=budget)
    server = api(Reply(503), *[Reply(202)] * 5, Reply(json=1))
    client = Things(transport=server.transport, retry=retry)
    assert client.thing() == 1
    assert len(server.requests) == 7
    assert budget.left == 87


def test_what_is_not_retried_costs_nothing(api: MakeApi, clock: Clock) -> None:
    budget = RetryBudget()
    retry = Retry(budget=budget, max_retries=0)
    for answer in (Reply(503), Reply(404), Fail("LocalProtocolError")):
        failure(Things(transport=api(answer).transport, retry=retry).thing)
    assert budget.left == 500


def test_going_on_with_a_download_that_was_cut_costs_too(
    engine: EngineName, colour: Colour, clock: Clock, tmp_path: Path
) -> None:
    """What the cut response had been counted as, a success, earned its token."""
    budget = RetryBudget(tokens=20)
    retry = Retry(backoff=FixedDelay(0.0), max_retries=9, budget=budget)
    server = Server(engine, cut(TAG), part(100_000, 200_000, headers=TAG, fail="ReadError"), part(200_000))
    client = Files(transport=server.transport, retry=retry)
    with pytest.raises(ReadError) as caught:
        save(colour, client.file, tmp_path / "a")
    assert caught.value.__notes__ == ["not retried: the budget of its Retry is empty"]
    assert len(server.requests) == 2
    assert budget.left == 7


def test_a_url_that_only_a_middleware_can_read_is_paid_for_by_the_client_s_origin(api: MakeApi, clock: Clock) -> None:
    async def answer(request: Request, call_next: CallNext) -> Response:
        return Response(503)

    async def elsewhere(request: Request, call_next: CallNext) -> Response:
        request.url = "app://inside/thing"
        return await call_next(request)

    client = Things(transport=api().transport).use(elsewhere).use(answer, per="attempt")
    drain(client)
    assert failure(client.thing).__notes__ == [EMPTY]


def test_tasks_that_fail_together_cannot_all_count_on_the_same_tokens(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry is paid for when it is decided, before its wait, here while all the others still wait too."""
    waiting: list[float] = []

    async def sleep(seconds: float) -> None:
        waiting.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("stubwire._clock.asleep", sleep)
    server = api(Reply(503))
    client = Things(transport=server.transport, retry=Retry(backoff=FixedDelay(1.0), budget=RetryBudget(tokens=140)))

    async def run() -> list[int | CallError]:
        return await gather([client.thing.aio() for _ in range(50)], limit=50, return_errors=True)

    errors = asyncio.run(run())
    assert len(errors) == 50
    assert len(waiting) == 10
    assert len(server.requests) == 60


def test_cancelling_a_wait_gives_nothing_back(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RetryBudget(tokens=100)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stubwire._clock.sleep", interrupted)
    client = Things(transport=api(Reply(503)).transport, retry=Retry(backoff=FixedDelay(1.0), budget=budget))
    with pytest.raises(KeyboardInterrupt):
        client.thing()
    assert budget.left == 86
