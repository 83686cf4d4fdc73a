"""The decisions of the cache, as tables: what a header says, and what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching import START, date
from stubwire._headers import Headers
from stubwire.plugins._cache_rules import Asked, Record, age, decide, directives, first_age, lifetime, moment, seconds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("no-store", {"no-store": ""}),
        ("Max-Age=60, PUBLIC", {"max-age": "60", "public": ""}),
        ('private="set-cookie, x-cup",max-age="5"', {"private": "set-cookie, x-cup", "max-age": "5"}),
        ("max-age=1, max-age=2", {"max-age": "1"}),
        ("max-age = 60", {"max-age": "60"}),
        (";;, max-age=60;no-cache", {"max-age": "60", "no-cache": ""}),
    ],
)
def test_directives(text: str, found: dict[str, str]) -> None:
    assert directives(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("60", 60), ("0", 0), ("9" * 5000, 2**31), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("soon", None)],
)
def test_seconds(text: str, found: int | None) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (date(0), int(START)),
        ("Tuesday, 14-Nov-23 22:13:20 GMT", int(START)),
        ("0", None),
        ("", None),
        ("-1", None),
        ("Tue, 14 Nov 99999999999 22:13:20 GMT", None),
        ("Tue, 99 Nov 2023 22:13:20 GMT", None),
    ],
)
def test_moments(text: str, found: int | None) -> None:
    assert moment(text) == found


@pytest.mark.parametrize(
    ("when", "said", "delay", "found"),
    [
        (None, "", 0, 0),
        (None, "7", 2, 9),
        (START - 5, "", 2, 5),
        (START - 5, "7", 2, 9),
        (START + 5, "", 0, 0),
        (None, "7, 8", 0, 7),
        (None, "old", 0, 0),
    ],
)
def test_how_old_a_response_is_when_it_comes(when: float | None, said: str, delay: float, found: float) -> None:
    assert first_age(None if when is None else int(when), said, START, delay) == found


def record(**headers: str) -> Record:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Record(None, "GET", 200, Headers(pairs), b"", {}, START, 0)


def test_expires_without_a_date_that_can_be_read_counts_from_its_receipt() -> None:
    assert lifetime(record(expires=date(30), date="today")) == 30


def test_a_clock_that_goes_back_makes_nothing_younger() -> None:
    assert age(record(date=date(0)), START - 100) == 0


def test_of_several_that_fit_the_latest_counts() -> None:
    older = record(date=date(0), cache_control="max-age=60")
    later = Record(None, "GET", 200, older.headers, b"later", {}, START + 1, 0)
    asked = Asked("GET", {}, {})
    for records in ((older, later), (later, older)):
        assert decide(asked, records, START + 2).record is later


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_whatever_is_said_something_is_decided(wanted: str, said: str, expires: str, when: str, old: str) -> None:
    headers = Headers._received([("cache-control", said), ("expires", expires), ("date", when)])
    stored = Record(None, "GET", 200, headers, b"", {}, START, first_age(moment(when), old, START, 0))
    assert decide(Asked("GET", directives(wanted), {}), [stored], START + 10).kind in (
        "hit",
        "stale",
        "validate",
        "refuse",
    )
