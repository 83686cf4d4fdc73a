"""The retry budget: what a retry costs, what a success earns, and whose tokens they are."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubwire import ConfigurationError, Retry, RetryBudget
from stubwire._budget import RetryBudget as Imported

Settings = dict[str, Any]


def paid(budget: RetryBudget) -> int:
    """How many retries a budget still pays for."""
    count = 0
    while budget._take():
        count += 1
    return count


def earn(budget: RetryBudget, successes: int) -> None:
    for _ in range(successes):
        budget._give()


def test_by_default_35_retries_are_paid_for_and_14_successes_pay_for_another() -> None:
    budget = RetryBudget()
    assert (budget.tokens, budget.cost, budget.refund, budget.left) == (500, 14, 1, 500)
    assert paid(budget) == 35
    assert budget.left == 500 - 35 * 14
    earn(budget, 3)
    assert not budget._take()
    budget._give()
    assert budget._take()
    assert budget.left == 0


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(1, 20),
    st.lists(st.booleans(), max_size=200),
)
def test_it_is_never_below_zero_nor_above_its_maximum(cost: int, more: int, refund: int, retries: list[bool]) -> None:
    """And what it paid for is never more than it began with and earned."""
    budget = RetryBudget(tokens=cost + more, cost=cost, refund=refund)
    taken = 0
    for retry in retries:
        if retry:
            taken += budget._take()
        else:
            budget._give()
        assert 0 <= budget.left <= budget.tokens
    assert taken * cost <= budget.tokens + refund * retries.count(False)


def test_threads_share_it() -> None:
    """What all of them take together is what there was."""
    budget = RetryBudget(tokens=1000, cost=1)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(paid, [budget] * 8))
    assert sum(counts) == 1000
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(earn, [budget] * 8, [100] * 8))
    assert budget.left == 800


class Locked:
    """A lock that nobody may ask for."""

    def __enter__(self) -> None:
        raise AssertionError("it was locked")

    def __exit__(self, *_: object) -> None:
        raise AssertionError("unreachable")


def test_a_full_budget_is_not_locked() -> None:
    """A success costs a comparison."""
    budget = RetryBudget()
    budget._lock = Locked()  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    budget._give()
    assert budget.left == 500


WRONG: list[tuple[Settings, str]] = [
    ({"tokens": 0}, "RetryBudget tokens=0 must be a finite number above 0"),
    ({"tokens": -5}, "RetryBudget tokens=-5 must be a finite number above 0"),
    ({"tokens": float("inf")}, "RetryBudget tokens=inf must be a finite number above 0"),
    ({"tokens": float("nan")}, "RetryBudget tokens=nan must be a finite number above 0"),
    ({"tokens": True}, "RetryBudget tokens=True must be a finite number above 0"),
    ({"tokens": 10**400}, f"RetryBudget tokens={10**400} must be a finite number above 0"),
    ({"tokens": "500"}, "RetryBudget tokens='500' must be a finite number above 0"),
    ({"cost": 0}, "RetryBudget cost=0 must be a finite number above 0"),
    ({"cost": -1.5}, "RetryBudget cost=-1.5 must be a finite number above 0"),
    ({"cost": None}, "RetryBudget cost=None must be a finite number above 0"),
    ({"refund": 0}, "RetryBudget refund=0 must be a finite number above 0"),
    ({"refund": float("inf")}, "RetryBudget refund=inf must be a finite number above 0"),
    (
        {"tokens": 10},
        (
            "RetryBudget cost=14 is more than tokens=10, so that nothing would be retried: "
            "write Retry(max_retries=0) for that"
        ),
    ),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[str(row[0])[:40] for row in WRONG])
def test_a_setting_that_cannot_be_used_is_refused(settings: Settings, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RetryBudget(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [True, 500, "500", RetryBudget])
def test_what_is_no_budget_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Retry(budget=value)
    assert str(caught.value) == f"Retry budget={value!r} must be a RetryBudget, or None for no limit"


def test_its_repr_says_what_is_left() -> None:
    budget = RetryBudget(tokens=20, cost=2.5, refund=0.5)
    budget._take()
    assert repr(budget) == "<RetryBudget(tokens=20, cost=2.5, refund=0.5): 17.5 left>"


def pickled(budget: RetryBudget) -> RetryBudget:
    twin: RetryBudget = pickle.loads(pickle.dumps(budget))
    return twin


AGAIN: list[Callable[[RetryBudget], RetryBudget]] = [copy.copy, copy.deepcopy, pickled]


@pytest.mark.parametrize("again", AGAIN)
def test_a_copy_begins_with_what_is_left_and_is_its_own(again: Callable[[RetryBudget], RetryBudget]) -> None:
    budget = RetryBudget(tokens=100, cost=30, refund=2)
    budget._take()
    twin = again(budget)
    assert type(twin) is RetryBudget is Imported
    assert (twin.tokens, twin.cost, twin.refund, twin.left) == (100, 30, 2, 70)
    assert twin._take()
    twin._give()
    assert (twin.left, budget.left) == (42, 70)


def test_a_retry_that_is_changed_keeps_its_budget() -> None:
    """As the settings field `max_retries` changes it."""
    retry = Retry(budget=RetryBudget())
    assert replace(retry, max_retries=5).budget is retry.budget
    assert pickle.loads(pickle.dumps(Retry())) == Retry()
    assert copy.deepcopy(Retry(budget=None)).budget is None
