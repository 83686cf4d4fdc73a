"""How long a retry waits: backoffs, tenacity's waits and stops, and what the server asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from conftest import Api, Clock, Fail, Reply
from stubwire import (
    ApiClient,
    CallError,
    ConfigurationError,
    ExponentialBackoff,
    FixedDelay,
    LinearBackoff,
    Outcome,
    Request,
    Response,
    Retry,
    get,
)
from stubwire._headers import Headers
from stubwire._retry_after import retry_after
from stubwire.retry import Backoff, Decision

MakeApi = Callable[..., Api]
NOW = 1_700_000_000.0


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


def waits(api: MakeApi, clock: Clock, retry: Retry, answer: Reply | Fail = Reply(503)) -> list[float]:  # noqa: B008
    """What a call that is always answered so waits."""
    clock.waits.clear()
    with pytest.raises(CallError):
        Things(transport=api(answer).transport, retry=retry).thing()
    return clock.waits


def outcome(number: int = 1, status: int = 503, elapsed: float = 0.0, **headers: str) -> Outcome:
    """An outcome of a GET."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request("GET", "https://api.example/")
    return Outcome(request, number, elapsed, Response(status, headers=named), None, True)


def tens(state: tenacity.RetryCallState) -> float:
    """A wait as tenacity also takes it: any function of its state."""
    return state.attempt_number * 10


def negative(_: tenacity.RetryCallState) -> float:
    """A wait that is no duration, and counts as none."""
    return -1


def second_failure(state: tenacity.RetryCallState) -> bool:
    """A stop as tenacity also takes it."""
    return state.outcome is not None and state.outcome.result().status_code == 503 and state.attempt_number > 1


BACKOFFS: list[tuple[Any, list[float]]] = [
    (ExponentialBackoff(jitter=False), [0.5, 1, 2, 4, 8, 8]),
    (ExponentialBackoff(base=1.0, multiplier=2.0, jitter=False), [1, 2, 4, 8, 8, 8]),
    (ExponentialBackoff(base=1.0, multiplier=3.0, max_delay=100, jitter=False), [1, 3, 9, 27, 81, 100]),
    (LinearBackoff(), [0.5, 1, 1.5, 2, 2.5, 3]),
    (LinearBackoff(base=1, increment=2, max_delay=6), [1, 3, 5, 6, 6, 6]),
    (FixedDelay(), [1] * 6),
    (FixedDelay(0.25), [0.25] * 6),
    (FixedDelay(0), [0] * 6),
    (tenacity.wait_fixed(3), [3] * 6),
    (tenacity.wait_fixed(3) + tenacity.wait_fixed(1), [4] * 6),
    (tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(9)), [1, 9, 9, 9, 9, 9]),
    (tens, [10, 20, 30, 40, 50, 60]),
    (negative, [0] * 6),
]


@pytest.mark.parametrize(("backoff", "expected"), BACKOFFS)
def test_a_backoff_is_one_of_ours_or_any_wait_of_tenacitys(
    api: MakeApi, clock: Clock, backoff: Any, expected: list[float]
) -> None:
    assert waits(api, clock, Retry(max_retries=6, backoff=backoff)) == pytest.approx(expected)


def test_by_default_a_wait_is_drawn_evenly_from_zero_to_the_backoff(clock: Clock) -> None:
    """Full jitter: base 0.5 s, times 2, at most 8 s."""
    for number, highest in enumerate([0.5, 1, 2, 4, 8, 8, 8], 1):
        drawn = [Retry(max_retries=9).decide(outcome(number)).wait or 0.0 for _ in range(200)]
        assert 0 <= min(drawn) < highest * 0.2
        assert highest * 0.8 < max(drawn) <= highest


def test_an_enormous_number_of_attempts_waits_no_longer() -> None:
    assert Retry(max_retries=10**6, backoff=ExponentialBackoff(jitter=False)).decide(outcome(10**5)) == Decision(8.0)


def test_a_wait_of_tenacitys_sees_the_failure(api: MakeApi, clock: Clock) -> None:
    backoff = tenacity.wait_exception(lambda error: 7.0 if isinstance(error, TimeoutError) else 1.0)
    assert waits(api, clock, Retry(backoff=backoff), Fail("ReadTimeout")) == [7, 7]
    assert waits(api, clock, Retry(backoff=backoff), Fail("ReadError")) == [1, 1]


STOPS: list[tuple[Any, list[float]]] = [
    (tenacity.stop_after_attempt(3), [4, 4]),
    (tenacity.stop_after_delay(10), [4, 4, 4]),
    (tenacity.stop_before_delay(10), [4, 4]),
    (tenacity.stop_never, [4] * 5),
    (tenacity.stop_after_attempt(2) | tenacity.stop_after_delay(100), [4]),
    (second_failure, [4]),
]


@pytest.mark.parametrize(("stop", "expected"), STOPS)
def test_a_stop_of_tenacitys_ends_the_retries_beside_max_retries(
    api: MakeApi, clock: Clock, stop: Any, expected: list[float]
) -> None:
    assert waits(api, clock, Retry(max_retries=5, stop=stop, backoff=FixedDelay(4))) == expected


def test_a_stop_is_explained() -> None:
    retry = Retry(stop=tenacity.stop_after_attempt(1))
    assert retry.decide(outcome()) == Decision(None, "not retried: the stop says so")


def broken(_: Any) -> Any:
    """A bug."""
    raise ZeroDivisionError


@pytest.mark.parametrize("what", ["backoff", "stop"])
def test_a_bug_in_a_users_wait_or_stop_says_where_it_is(what: str) -> None:
    options: dict[str, Any] = {what: broken}
    with pytest.raises(ZeroDivisionError) as caught:
        Retry(**options).decide(outcome())
    assert caught.value.__notes__ == [f"raised in the retry {what} 'broken'"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_backoff_that_gives_no_duration_is_a_configuration_error(value: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Retry(backoff=lambda _: value).decide(outcome())
    assert str(caught.value) == f"Retry backoff gave a wait of {value} seconds: it must be a finite number"


# ---- what the server asked for

DATE = datetime.fromtimestamp(NOW + 30, UTC)

ASKED: list[tuple[dict[str, str], float | None]] = [
    ({}, None),
    ({"Retry-After": "30"}, 30),
    ({"Retry-After": " 1.5 "}, 1.5),
    ({"Retry-After": "0"}, 0),
    ({"Retry-After": format_datetime(DATE, usegmt=True)}, 30),
    ({"Retry-After": DATE.strftime("%A, %d-%b-%y %H:%M:%S GMT")}, 30),
    ({"Retry-After": DATE.strftime("%a %b %e %H:%M:%S %Y")}, 30),
    ({"Retry-After": "Wed, 15 Nov 2023 00:14:20 +0200"}, 60),
    ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
    ({"Retry-After": f"{NOW + 30:.0f}"}, 30),
    ({"Retry-After": f"{NOW - 30:.0f}"}, 0),
    ({"Retry-After": "-1"}, None),
    ({"Retry-After": "nan"}, None),
    ({"Retry-After": "inf"}, None),
    ({"Retry-After": "9" * 400}, None),
    ({"Retry-After": "1_0"}, None),
    ({"Retry-After": ""}, None),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "Wed, 99 Nov 2023 99:99:99 GMT"}, None),
    ({"Retry-After-Ms": "1500"}, 1.5),
    ({"Retry-After-Ms": "1500", "Retry-After": "30"}, 1.5),
    ({"Retry-After-Ms": "-1", "Retry-After": "30"}, 30),
    ({"Retry-After-Ms": "soon"}, None),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 30:.0f}"}, 30),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "20"}, 20),
    ({"X-RateLimit-Remaining": " 0 ", "X-RateLimit-Reset": "20"}, 20),
    ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "20"}, None),
    ({"X-RateLimit-Reset": "20"}, None),
    ({"X-RateLimit-Remaining": "0"}, None),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "20", "Retry-After": "3"}, 3),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "20", "Retry-After": "nan"}, 20),
]


@pytest.mark.parametrize(("headers", "expected"), ASKED, ids=str)
def test_a_server_asks_in_seconds_by_date_or_by_epoch(
    clock: Clock, headers: dict[str, str], expected: float | None
) -> None:
    """Negative, NaN, infinite or unparsable counts as absent, and a past date as 0."""
    assert retry_after(Headers._received(headers.items())) == expected


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_a_server_writes_is_a_wait_or_none(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        asked = retry_after(Headers._received([(name, text)]))
        assert asked is None or (asked >= 0 and math.isfinite(asked))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_it_is_honoured_for_any_retried_status(api: MakeApi, clock: Clock, status: int) -> None:
    assert waits(api, clock, Retry(), Reply(status, headers={"Retry-After": "7"})) == [7, 7]


def test_it_is_not_honoured_for_a_status_that_is_not_retried(api: MakeApi, clock: Clock) -> None:
    assert waits(api, clock, Retry(), Reply(404, headers={"Retry-After": "7"})) == []


def test_one_longer_than_retry_after_max_stops_the_retries(api: MakeApi, clock: Clock) -> None:
    """It is never shortened."""
    assert waits(api, clock, Retry(), Reply(503, headers={"Retry-After": "60"})) == [60, 60]
    assert waits(api, clock, Retry(), Reply(503, headers={"Retry-After": "61"})) == []
    assert waits(api, clock, Retry(retry_after_max=5), Reply(503, headers={"Retry-After": "6"})) == []
    assert waits(api, clock, Retry(retry_after_max=0), Reply(503, headers={"Retry-After": "0"})) == [0, 0]
    assert Retry(retry_after_max=5).decide(outcome(retry_after="6")) == Decision(
        None, "not retried: the server asked to wait 6 s, longer than retry_after_max=5"
    )


def test_it_counts_for_a_stop_that_looks_ahead() -> None:
    retry = Retry(stop=tenacity.stop_before_delay(10))
    assert retry.decide(outcome(retry_after="9")) == Decision(9.0)
    assert retry.decide(outcome(retry_after="10")).wait is None


# ---- wrong settings

WRONG: list[tuple[Callable[..., object], dict[str, Any], str]] = [
    (Retry, {"max_retries": -1}, "Retry max_retries=-1 must be a whole number from 0"),
    (Retry, {"max_retries": 1.5}, "Retry max_retries=1.5 must be a whole number from 0"),
    (Retry, {"max_retries": True}, "Retry max_retries=True must be a whole number from 0"),
    (Retry, {"max_retries": "3"}, "Retry max_retries='3' must be a whole number from 0"),
    (Retry, {"retry_after_max": -1}, "Retry retry_after_max=-1 must be a finite number from 0"),
    (Retry, {"retry_after_max": math.inf}, "Retry retry_after_max=inf must be a finite number from 0"),
    (Retry, {"retry_after_max": "1"}, "Retry retry_after_max='1' must be a finite number from 0"),
    (
        Retry,
        {"backoff": 3},
        "Retry backoff=3 must be a backoff or one of tenacity's waits: write FixedDelay(1.0)",
    ),
    (Retry, {"stop": 3}, "Retry stop=3 must be one of tenacity's stops: see max_retries"),
    (Retry, {"when": True}, "Retry when=True must be a function of an Outcome"),
    (ExponentialBackoff, {"base": 0}, "ExponentialBackoff base=0 must be a finite number above 0"),
    (ExponentialBackoff, {"base": "1"}, "ExponentialBackoff base='1' must be a finite number above 0"),
    (ExponentialBackoff, {"multiplier": -2}, "ExponentialBackoff multiplier=-2 must be a finite number above 0"),
    (ExponentialBackoff, {"max_delay": math.nan}, "ExponentialBackoff max_delay=nan must be a finite number above 0"),
    (LinearBackoff, {"base": -1}, "LinearBackoff base=-1 must be a finite number from 0"),
    (LinearBackoff, {"increment": True}, "LinearBackoff increment=True must be a finite number from 0"),
    (LinearBackoff, {"max_delay": 0}, "LinearBackoff max_delay=0 must be a finite number above 0"),
    (FixedDelay, {"delay": -1}, "FixedDelay delay=-1 must be a finite number from 0"),
]


@pytest.mark.parametrize(("kind", "options", "message"), WRONG, ids=[row[2] for row in WRONG])
def test_what_is_no_number_of_retries_and_no_duration_is_a_configuration_error(
    kind: Callable[..., object], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(**options)
    assert str(caught.value) == message


def test_ours_become_tenacitys() -> None:
    made: list[Backoff] = [ExponentialBackoff(), LinearBackoff(), FixedDelay()]
    assert [type(backoff.wait()).__name__ for backoff in made] == [
        "wait_random_exponential",
        "wait_incrementing",
        "wait_fixed",
    ]
