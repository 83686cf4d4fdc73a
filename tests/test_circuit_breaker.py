"""`CircuitBreaker`: closed, open, and half-open with one probe, for each origin."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import anyio
import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from queueing import Shop, in_threads, let_waits_pass, outcome
from stubwire import (
    CallError,
    CallNext,
    CancelError,
    CircuitOpenError,
    ConfigurationError,
    FixedDelay,
    LimitExceededError,
    Request,
    Response,
    Retry,
)
from stubwire.plugins import CircuitBreaker, ConcurrencyLimit
from stubwire.plugins._circuit import Circuit, Opening, State, Verdict

MakeApi = Callable[..., Api]
ORIGIN = "https://shop.test"
LOGGER = logging.getLogger("shop")


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    return [(record.name, record.levelname, record.getMessage()) for record in caplog.records]


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("shop", "stubwire"):
        caplog.set_level(logging.INFO, name)


def test_it_opens_tries_and_closes(
    api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """One probe that fails opens it again; each change is logged once."""
    breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=30, logger=LOGGER)
    server = api(Reply(503), Fail("ReadTimeout"), Fail("ConnectError"), Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[breaker])
    assert breaker.states == {}
    steps: list[tuple[str, State]] = []
    for advance in (0, 0, 29, 0, 1, 0, 30, 0):
        clock.advance(advance)
        steps.append((outcome(colour, shop.order), breaker.states[ORIGIN]))
    assert steps == [
        ("ServerError", "closed"),
        ("ReadTimeout", "open"),
        ("CircuitOpenError", "open"),
        ("CircuitOpenError", "open"),
        ("ConnectError", "open"),
        ("CircuitOpenError", "open"),
        ("cups", "closed"),
        ("cups", "closed"),
    ]
    assert len(server.requests) == 5
    assert logged(caplog) == [
        ("shop", "WARNING", f"the circuit of {ORIGIN} is open for 30 s after 2 failures, the last a ReadTimeout"),
        ("shop", "WARNING", f"the circuit of {ORIGIN} is open for 30 s after 3 failures, the last a ConnectError"),
        ("shop", "INFO", f"the circuit of {ORIGIN} is closed again"),
    ]


def test_a_refused_call_says_since_when_and_until_when(api: MakeApi, colour: Colour, clock: Clock) -> None:
    shop = Shop(transport=api(Reply(502)).transport, plugins=[CircuitBreaker(failure_threshold=1)])
    assert outcome(colour, shop.order) == "ServerError"
    clock.advance(12)
    with pytest.raises(CircuitOpenError) as caught:
        colour.run(shop.order, 1)
    assert str(caught.value) == (
        f"Shop.order: GET {ORIGIN}/orders/1 was not sent: the circuit of {ORIGIN} is open since 22:13:20 until "
        "22:13:50 UTC, after a 502"
    )
    assert caught.value.since == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert caught.value.until == datetime(2023, 11, 14, 22, 13, 50, tzinfo=UTC)
    twin = cast("CircuitOpenError", pickle.loads(pickle.dumps(caught.value)))
    assert (str(twin), twin.until) == (str(caught.value), caught.value.until)


def test_without_a_logger_it_is_stubwires(api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(transport=api(Reply(500)).transport, plugins=[CircuitBreaker(failure_threshold=1, recovery_timeout=2)])
    outcome(Colour("sync"), shop.order)
    assert logged(caplog) == [("stubwire", "WARNING", f"the circuit of {ORIGIN} is open for 2 s after a 500")]


JUDGED: list[tuple[Reply | Fail, bool]] = [
    (Reply(200), False),
    (Reply(302), False),
    (Reply(404), False),
    (Reply(408), False),
    (Reply(429), False),
    (Reply(500), True),
    (Reply(503), True),
    (Fail("ConnectTimeout"), True),
    (Fail("ReadTimeout"), True),
    (Fail("ConnectError"), True),
    (Fail("ReadError"), True),
    (Fail("RemoteProtocolError"), True),
    (Fail("PoolTimeout"), False),
    (Fail("UnsupportedProtocol"), False),
]


@pytest.mark.parametrize(("answer", "fails"), JUDGED, ids=str)
def test_what_is_a_failure(api: MakeApi, colour: Colour, answer: Reply | Fail, fails: bool) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    outcome(colour, Shop(transport=api(answer).transport, plugins=[breaker]).order)
    assert breaker.states == {ORIGIN: "open" if fails else "closed"}


def test_failures_are_counted_in_a_row(api: MakeApi, colour: Colour) -> None:
    """A success between begins anew; what says nothing does not."""
    breaker = CircuitBreaker(failure_threshold=2)
    answers = [Reply(500), Reply(429), Reply(500), Fail("PoolTimeout"), Reply(500)]
    shop = Shop(transport=api(*answers).transport, plugins=[breaker])
    seen: list[State] = []
    for _ in answers:
        outcome(colour, shop.order)
        seen.append(breaker.states[ORIGIN])
    assert seen == ["closed", "closed", "closed", "closed", "open"]


def test_each_attempt_counts_and_an_open_circuit_ends_the_retries(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503))
    shop = Shop(
        transport=server.transport,
        retry=Retry(max_retries=5, backoff=FixedDelay(1)),
        plugins=[CircuitBreaker(failure_threshold=2)],
    )
    with pytest.raises(CircuitOpenError) as caught:
        colour.run(shop.order, 1)
    assert [attempt.status_code or attempt.error for attempt in caught.value.attempts] == [503, 503, "CircuitOpenError"]
    assert len(server.requests) == 2


def test_origins_and_clients_apart_views_together(api: MakeApi, colour: Colour) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    shop = Shop(transport=api(Reply(500), Reply(content=b"cups")).transport, plugins=[breaker])
    assert outcome(colour, shop.order) == "ServerError"
    assert outcome(colour, shop.with_options(timeout=1.0).order) == "CircuitOpenError"
    assert shop.call("GET", "https://other.test/x").status_code == 200
    assert breaker.states == {ORIGIN: "open", "https://other.test": "closed"}


def test_a_call_inside_an_attempt_is_part_of_it(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """The probe asks for a token first: that must not be refused because the probe is out."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=1)
    shop = Shop(transport=api(Reply(500), Reply(content=b"token"), Reply(content=b"cups")).transport, plugins=[breaker])

    async def authorised(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"] == 2:
            assert await shop.order.aio(0) == "token"
        return await call_next(request)

    shop.use(authorised, per="attempt")
    assert outcome(colour, shop.order, 1) == "ServerError"
    clock.advance(1)
    assert outcome(colour, shop.order, 2) == "cups"
    assert breaker.states == {ORIGIN: "closed"}


def test_another_plugins_refusal_is_no_failure(
    api: MakeApi, colour: Colour, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that was not sent is given back, also where the deadline ends its wait."""
    let_waits_pass(clock, monkeypatch)
    breaker, limit = CircuitBreaker(failure_threshold=1, recovery_timeout=1), ConcurrencyLimit(1, max_wait=5)
    shop = Shop(transport=api(Reply(500), Reply(content=b"cups")).transport, plugins=[breaker, limit])
    assert outcome(colour, shop.order) == "ServerError"
    clock.advance(1)
    place = in_threads(1, lambda _: limit._places.ask(blocks=False))[0]
    with pytest.raises(LimitExceededError):
        colour.run(shop.order, 1)
    if colour.name == "sync":
        assert outcome(colour, shop.with_options(deadline=1.0).order) == "DeadlineExceeded"
    assert breaker.states == {ORIGIN: "half-open"}
    limit._places.leave(place)
    assert outcome(colour, shop.order) == "cups"


def test_a_bug_is_no_failure_and_gives_the_probe_back(api: MakeApi, colour: Colour, clock: Clock) -> None:
    def bug(_: object) -> Reply:
        raise ZeroDivisionError

    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=1)
    shop = Shop(transport=api(Reply(500), bug, Reply(content=b"cups")).transport, plugins=[breaker])
    assert outcome(colour, shop.order) == "ServerError"
    clock.advance(1)
    with pytest.raises(ZeroDivisionError):
        colour.run(shop.order, 1)
    assert breaker.states == {ORIGIN: "half-open"}
    assert outcome(colour, shop.order) == "cups"


def test_a_deadline_that_a_server_lets_pass_is_a_failure(api: MakeApi, clock: Clock) -> None:
    breaker = CircuitBreaker(failure_threshold=1)

    def slow(_: object) -> Reply:
        clock.advance(2)
        raise TimeoutError

    shop = Shop(transport=api(slow).transport, plugins=[breaker])
    with pytest.raises((CallError, TimeoutError)):
        shop.with_options(deadline=1.0).order(1)
    assert breaker.states == {ORIGIN: "open"}


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_cancelled_task_is_no_failure(api: MakeApi, loop: str) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[breaker])

    async def endless(request: Request, call_next: CallNext) -> Response:
        scopes[0].cancel()
        await anyio.sleep_forever()
        return await call_next(request)

    shop.use(endless, per="attempt")

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await shop.order.aio(1)

    scopes: list[anyio.CancelScope] = []
    Colour(loop).drive(main)
    assert breaker.states == {ORIGIN: "closed"}


def test_a_cancelled_call_is_no_failure(api: MakeApi) -> None:
    from stubwire import CancelToken

    token, breaker = CancelToken(), CircuitBreaker(failure_threshold=1)

    def answer(_: object) -> Reply:
        token.cancel()
        raise OSError("its connection was closed")

    shop = Shop(transport=api(answer).transport, plugins=[breaker])
    with pytest.raises((CancelError, OSError)):
        shop.with_options(cancel=token).order(1)
    assert breaker.states == {ORIGIN: "closed"}


# ---- the circuit itself

CHANGES: list[tuple[str, list[Verdict], list[State | None]]] = [
    ("a row opens it", ["failure", "failure"], [None, "open"]),
    ("a success ends a row", ["failure", "success", "failure"], [None, None, None]),
    ("neither does not", ["failure", "neither", "failure"], [None, None, "open"]),
]


@pytest.mark.parametrize(
    ("name", "verdicts", "changes"), CHANGES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_changes(name: str, verdicts: list[Verdict], changes: list[State | None]) -> None:
    circuit = Circuit(2, 30.0)
    assert [circuit.leave(circuit_era(circuit, 0.0), verdict, "500", 0.0) for verdict in verdicts] == changes


def circuit_era(circuit: Circuit, now: float) -> int:
    era = circuit.enter(now)
    assert isinstance(era, int)
    return era


def test_what_began_before_a_change_says_nothing_after_it() -> None:
    circuit = Circuit(1, 30.0)
    eras = [circuit_era(circuit, 0.0) for _ in range(3)]
    assert circuit.leave(eras[0], "failure", "500", 0.0) == "open"
    assert circuit.leave(eras[1], "success", "200", 1.0) is None
    assert circuit.leave(eras[2], "failure", "500", 2.0) is None
    assert circuit.opening == Opening(0.0, 30.0, 1, "500")
    probe = circuit_era(circuit, 30.0)
    assert circuit.enter(30.0) == circuit.opening
    assert circuit.state(30.0) == "half-open"
    assert circuit.leave(probe, "success", "200", 31.0) == "closed"
    assert circuit.leave(probe, "failure", "500", 31.0) is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"failure_threshold": 0}, "CircuitBreaker failure_threshold=0 must be a whole number from 1"),
    ({"failure_threshold": 2.0}, "CircuitBreaker failure_threshold=2.0 must be a whole number from 1"),
    ({"recovery_timeout": 0}, "CircuitBreaker recovery_timeout=0 must be a finite number above 0"),
    ({"recovery_timeout": -3}, "CircuitBreaker recovery_timeout=-3 must be a finite number above 0"),
    ({"recovery_timeout": float("inf")}, "CircuitBreaker recovery_timeout=inf must be a finite number above 0"),
    ({"recovery_timeout": float("nan")}, "CircuitBreaker recovery_timeout=nan must be a finite number above 0"),
    ({"recovery_timeout": "30"}, "CircuitBreaker recovery_timeout='30' must be a finite number above 0"),
    ({"recovery_timeout": 1e12}, "CircuitBreaker recovery_timeout=1000000000000.0 must be at most 1e+09"),
    ({"failure_threshold": True}, "CircuitBreaker failure_threshold=True must be a whole number from 1"),
    ({"failure_threshold": -1}, "CircuitBreaker failure_threshold=-1 must be a whole number from 1"),
    ({"logger": "shop"}, "CircuitBreaker takes a logger, not str: write logging.getLogger(...)"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=str)
def test_a_wrong_setting_says_which_and_why(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CircuitBreaker(**arguments)
    assert str(caught.value) == message
