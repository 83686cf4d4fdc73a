"""The probe of a half-open circuit: one at a time, whoever races for it, and never kept by one that is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from conftest import Api, Clock, Colour, Reply
from queueing import Shop, in_threads, outcome
from stubwire import CallError, CallNext, CancelToken, CircuitOpenError, Request, Response
from stubwire.plugins import CircuitBreaker, _origins
from stubwire.plugins._circuit import Circuit

MakeApi = Callable[..., Api]
ORIGIN = "https://shop.test"
LOOPS = ("asyncio", "trio")


def half_open(api: MakeApi, clock: Clock, *answers: Any) -> tuple[Shop, CircuitBreaker]:
    """A client whose circuit was opened by a 500, and may be tried."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=1)
    shop = Shop(transport=api(Reply(500), *answers, Reply(content=b"cups")).transport, plugins=[breaker])
    with pytest.raises(CallError):
        shop.order(1)
    clock.advance(1)
    assert breaker.states == {ORIGIN: "half-open"}
    return shop, breaker


def test_of_twenty_threads_that_race_one_has_the_probe() -> None:
    circuit, barrier = Circuit(1, 30.0), threading.Barrier(20)
    opened = circuit.enter(0.0)
    assert isinstance(opened, int)
    circuit.leave(opened, "failure", "500", 0.0)

    def race(_: int) -> bool:
        barrier.wait(30)
        return isinstance(circuit.enter(30.0), int)

    assert in_threads(20, race).count(True) == 1


def test_twenty_threads_and_two_hundred_tasks_send_one_probe(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """Whatever they are, only one is let through while the circuit is half-open."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=1)
    seen: list[str] = []

    def probe(_: object) -> Reply:
        if colour.name == "sync":
            seen.extend(in_threads(20, lambda number: outcome(colour, shop.order, number)))
        return Reply(content=b"cups")

    server = api(Reply(500), probe)
    shop = Shop(transport=server.transport, plugins=[breaker])
    assert outcome(colour, shop.order) == "ServerError"
    clock.advance(1)

    async def many() -> None:
        async def one(number: int) -> None:
            try:
                seen.append(await shop.order.aio(number))
            except CircuitOpenError:
                seen.append("CircuitOpenError")

        async def slow(request: Request, call_next: CallNext) -> Response:
            await anyio.wait_all_tasks_blocked()
            return await call_next(request)

        shop.use(slow, per="attempt")
        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(one, number)

    if colour.name == "sync":
        assert shop.order(0) == "cups"
        assert seen == ["CircuitOpenError"] * 20
    else:
        colour.drive(many)
        assert sorted(seen) == ["CircuitOpenError"] * 199 + ["cups"]
    assert len(server.requests) == 2
    assert breaker.states == {ORIGIN: "closed"}


def test_who_is_refused_meanwhile_is_told_so(api: MakeApi, clock: Clock) -> None:
    """The moment until which it was open has passed."""

    def refused(_: int) -> str:
        with pytest.raises(CircuitOpenError) as caught:
            shop.order(2)
        return str(caught.value)

    def probe(_: object) -> Reply:
        messages.extend(in_threads(1, refused))
        return Reply(content=b"cups")

    messages: list[str] = []
    shop, _ = half_open(api, clock, probe)
    assert shop.order(1) == "cups"
    (message,) = messages
    assert message == (
        f"Shop.order: GET {ORIGIN}/orders/2 was not sent: the circuit of {ORIGIN} is half-open, with one attempt on "
        "its way, after it was open since 22:13:20 until 22:13:21 UTC, after a 500"
    )


@pytest.mark.parametrize("loop", LOOPS)
def test_a_probe_that_is_cancelled_leaves_the_way_free(api: MakeApi, clock: Clock, loop: str) -> None:
    shop, breaker = half_open(api, clock)
    refused: list[str] = []

    async def endless(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"] == 0:
            await anyio.sleep_forever()
        return await call_next(request)

    shop.use(endless, per="attempt")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(shop.order.aio, 0)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(CircuitOpenError) as caught:
                await shop.order.aio(1)
            refused.append(caught.value.endpoint)
            group.cancel_scope.cancel()

    Colour(loop).drive(main)
    assert refused == ["Shop.order"]
    assert breaker.states == {ORIGIN: "half-open"}
    assert shop.order(1) == "cups"
    assert breaker.states == {ORIGIN: "closed"}


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_probe_that_is_interrupted_leaves_the_way_free(
    api: MakeApi, colour: Colour, clock: Clock, ends: type[BaseException]
) -> None:
    async def interrupted(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"] == 0:
            raise ends
        return await call_next(request)

    shop, breaker = half_open(api, clock)
    shop.use(interrupted, per="attempt")
    with pytest.raises(ends):
        colour.run(shop.order, 0)
    assert breaker.states == {ORIGIN: "half-open"}
    assert colour.run(shop.order, 1) == "cups"


def test_a_probe_whose_token_was_cancelled_leaves_the_way_free(api: MakeApi, colour: Colour, clock: Clock) -> None:
    token = CancelToken()
    shop, breaker = half_open(api, clock)

    async def cancelling(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"] == 0:
            token.cancel()
            assert request._call is not None
            assert request._call.limit is not None
            raise request._call.limit.failure()
        return await call_next(request)

    shop.use(cancelling, per="attempt")
    with pytest.raises(CallError):
        colour.run(shop.with_options(cancel=token).order, 0)
    assert breaker.states == {ORIGIN: "half-open"}
    assert colour.run(shop.order, 1) == "cups"


def test_one_that_two_clients_have_is_one_circuit(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """Its middleware is in both, and what one of them learns the other knows."""
    shop, breaker = half_open(api, clock, Reply(502))
    other = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[breaker])
    with pytest.raises(CallError):
        colour.run(shop.order, 1)
    with pytest.raises(CircuitOpenError):
        colour.run(other.order, 1)
    clock.advance(1)
    assert colour.run(other.order, 1) == "cups"
    assert breaker.states == {ORIGIN: "closed"}


def test_only_so_many_origins_are_remembered(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was called longest ago is forgotten, also while a request to it is on its way."""
    monkeypatch.setattr(_origins, "MOST", 2)
    breaker = CircuitBreaker(failure_threshold=1)

    def answer(request: Any) -> Reply:
        if request.url.host == "a.test":
            for name in ("b", "c"):
                shop.call("GET", f"https://{name}.test/")
        return Reply(500 if request.url.host == "a.test" else 200)

    shop = Shop(transport=api(answer).transport, plugins=[breaker])
    with pytest.raises(CallError):
        shop.call("GET", "https://a.test/")
    assert breaker.states == {"https://b.test": "closed", "https://c.test": "closed"}
