"""`stubwire.types`: the wire's other habits, in both directions, each with a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from conftest import Api as Server
from conftest import Clock, Colour, Reply
from stubwire import ApiClient, ArgumentError, Cookie, Header, Query, get, post
from stubwire.types import (
    Base64,
    Base64Url,
    CommaSeparated,
    HttpDate,
    Milliseconds,
    PipeSeparated,
    Seconds,
    SpaceSeparated,
    UnixMillis,
    UnixTime,
)

BASE = "https://api.example"
EAST = timezone(timedelta(hours=2))


class Suit(Enum):
    HEARTS = "h"


BOTH_WAYS: list[tuple[Any, Any, Any]] = [
    (HttpDate, datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), "Sun, 06 Nov 1994 08:49:37 GMT"),
    (HttpDate, datetime(2024, 1, 1, 1, tzinfo=EAST), "Sun, 31 Dec 2023 23:00:00 GMT"),
    (HttpDate, datetime(1, 1, 1, tzinfo=UTC), "Mon, 01 Jan 0001 00:00:00 GMT"),
    (UnixTime, datetime(1970, 1, 1, tzinfo=UTC), 0),
    (UnixTime, datetime(2024, 1, 1, 2, tzinfo=EAST), 1704067200),
    (UnixTime, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1),
    (UnixTime, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), 253402300799),
    (UnixMillis, datetime(2024, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC), 1704067200250),
    (UnixMillis, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), -1),
    (Seconds, timedelta(minutes=1, seconds=30), 90),
    (Seconds, timedelta(milliseconds=500), 0.5),
    (Seconds, timedelta(seconds=-1), -1),
    (Seconds, timedelta(0), 0),
    (Milliseconds, timedelta(seconds=1.5), 1500),
    (Milliseconds, timedelta(microseconds=500), 0.5),
    (Base64, b"", ""),
    (Base64, b"\xfb\xff\xfe?", "+//+Pw=="),
    (Base64Url, b"\xfb\xff\xfe?", "-__-Pw"),
    (Base64Url, b"", ""),
    (CommaSeparated[int], [1, 2], "1,2"),
    (CommaSeparated[str], ["a b", "ü"], "a b,ü"),
    (CommaSeparated[str], [], ""),
    (CommaSeparated[bool], [True, False], "true,false"),
    (CommaSeparated[Suit], [Suit.HEARTS, Suit.HEARTS], "h,h"),
    (CommaSeparated[UnixTime], [datetime(1970, 1, 2, tzinfo=UTC)], "86400"),
    (SpaceSeparated[str], ["read", "write"], "read write"),
    (SpaceSeparated[float], [0.5], "0.5"),
    (PipeSeparated[date], [date(2024, 1, 2), date(2024, 1, 3)], "2024-01-02|2024-01-03"),
]


@pytest.mark.parametrize(("hint", "value", "written"), BOTH_WAYS)
def test_a_value_is_written_and_read(hint: Any, value: object, written: object) -> None:
    adapter = TypeAdapter[Any](hint)
    assert adapter.dump_python(value, mode="json") == written
    assert type(adapter.dump_python(value, mode="json")) is type(written)
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.validate_python(value) == value
    assert adapter.dump_python(value) == value


READ: list[tuple[Any, Any, Any]] = [
    (HttpDate, "Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
    (HttpDate, "Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
    (HttpDate, "Wed Nov 16 08:49:37 1994", datetime(1994, 11, 16, 8, 49, 37, tzinfo=UTC)),
    (HttpDate, "Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (UnixTime, "1704067200", datetime(2024, 1, 1, tzinfo=UTC)),
    (UnixTime, 1704067200.25, datetime(2024, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
    (UnixMillis, "-1", datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    (UnixMillis, 0.5, datetime(1970, 1, 1, 0, 0, 0, 500, tzinfo=UTC)),
    (Seconds, "1.5", timedelta(seconds=1.5)),
    (Milliseconds, "250", timedelta(seconds=0.25)),
    (Base64, "Pw", b"?"),
    (Base64Url, "Pw==", b"?"),
    (Base64, bytearray(b"?"), b"?"),
    (CommaSeparated[int], [1, 2], [1, 2]),
    (CommaSeparated[str], "a,,b", ["a", "", "b"]),
]


@pytest.mark.parametrize(("hint", "given", "value"), READ)
def test_other_spellings_are_read(hint: Any, given: object, value: object) -> None:
    assert TypeAdapter[Any](hint).validate_python(given) == value


@pytest.mark.parametrize(("year", "full"), [("00", 2000), ("73", 2073), ("74", 1974), ("99", 1999)])
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(clock: Clock, year: str, full: int) -> None:
    """RFC 9110, section 5.6.7; the clock stands in 2023."""
    read: datetime = TypeAdapter[Any](HttpDate).validate_python(f"Monday, 01-Jan-{year} 00:00:00 GMT")
    assert read.year == full
    assert clock.waits == []


NO_DATE = "Value error, it is no HTTP date, such as 'Sun, 06 Nov 1994 08:49:37 GMT'"
NO_NUMBER = "Value error, it is no finite number"
TOO_LARGE = "Value error, it is too large a number"
UNREADABLE: list[tuple[Any, Any, str]] = [
    (HttpDate, "2024-01-01T00:00:00Z", NO_DATE),
    (HttpDate, "Sun, 06 Nov 1994 08:49:37 CET", NO_DATE),
    (HttpDate, "Sun, 06 Nov 1994 08:49:37 GMT\n", NO_DATE),
    (HttpDate, "Sun, ٠٦ Nov 1994 08:49:37 GMT", NO_DATE),
    (HttpDate, 0, NO_DATE),
    (HttpDate, "Sun, 31 Feb 1994 08:49:37 GMT", "Value error, it is no date that there is"),
    (HttpDate, "Sun, 06 Nov 1994 24:49:37 GMT", "Value error, it is no date that there is"),
    (HttpDate, datetime(2024, 1, 1), "Value error, it has no time zone: write datetime(..., tzinfo=UTC)"),  # noqa: DTZ001
    (UnixTime, "2024-01-01T00:00:00Z", NO_NUMBER),
    (UnixTime, True, NO_NUMBER),
    (UnixTime, float("nan"), NO_NUMBER),
    (UnixTime, None, NO_NUMBER),
    (UnixTime, timedelta(1), NO_NUMBER),
    (UnixTime, 10**15, TOO_LARGE),
    (UnixMillis, 10**400, TOO_LARGE),
    (UnixMillis, datetime(2024, 1, 1), "Value error, it has no time zone: write datetime(..., tzinfo=UTC)"),  # noqa: DTZ001
    (Seconds, "PT1H", NO_NUMBER),
    (Seconds, 10**400, TOO_LARGE),
    (Milliseconds, "1e3", NO_NUMBER),
    (Base64, "-_", "Value error, it is no base64"),
    (Base64, "A", "Value error, it is no base64"),
    (Base64, "P w=", "Value error, it is no base64"),
    (Base64, 1, "Value error, it is no base64"),
    (Base64Url, "+/", "Value error, it is no base64url"),
    (CommaSeparated[int], "1,x", "Input should be a valid integer, unable to parse string as an integer"),
    (CommaSeparated[int], 1, "Input should be a valid list"),
]


@pytest.mark.parametrize(("hint", "given", "message"), UNREADABLE)
def test_what_cannot_be_read_is_refused(hint: Any, given: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](hint).validate_python(given)
    assert [detail["msg"] for detail in caught.value.errors()] == [message]


# ---- as parameters


class Sent(BaseModel):
    at: UnixTime
    scopes: SpaceSeparated[str] = []


class Api(ApiClient):
    base_url = BASE

    @get("/x/<at>")
    def find(
        self,
        at: UnixTime,
        *,
        ids: CommaSeparated[int] | None = None,
        tags: Annotated[PipeSeparated[str] | None, Query(style="brackets")] = None,
        wait: Milliseconds | None = None,
        key: Annotated[Base64Url | None, Cookie()] = None,
        since: Annotated[HttpDate | None, Header("If-Modified-Since")] = None,
        several: list[UnixTime] | None = None,
        hidden: CommaSeparated[SecretStr] | None = None,
        sent: Annotated[Sent | None, Query()] = None,
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def send(self, sent: Sent) -> Sent:
        raise NotImplementedError

    @get("/date")
    def date(self) -> HttpDate:
        raise NotImplementedError


DAY = datetime(1970, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, ""),
        ({"ids": [1, 2]}, "?ids=1%2C2"),
        ({"ids": []}, "?ids="),
        ({"tags": ["a b", "c"]}, "?tags=a%20b%7Cc"),
        ({"wait": timedelta(seconds=1.5)}, "?wait=1500"),
        ({"several": [DAY, DAY]}, "?several=86400&several=86400"),
        ({"sent": Sent(at=DAY, scopes=["a", "b"])}, "?at=86400&scopes=a%20b"),
    ],
)
def test_a_parameter_is_written_so(given: dict[str, Any], query: str) -> None:
    assert Api().find.request(DAY, **given).url == f"{BASE}/x/86400{query}"


def test_a_header_and_a_cookie_are_written_so() -> None:
    request = Api().find.request(DAY, since=DAY, key=b"\xfb\xff")
    assert request.headers["If-Modified-Since"] == "Fri, 02 Jan 1970 00:00:00 GMT"
    assert request.headers["Cookie"] == "key=-_8"


NO_ZONE = "it has no time zone: write datetime(..., tzinfo=UTC)"


@pytest.mark.parametrize(
    ("at", "given", "message"),
    [
        (datetime(2024, 1, 1), {}, f"at: {NO_ZONE}"),  # noqa: DTZ001
        (DAY, {"since": datetime(2024, 1, 1)}, f"since: {NO_ZONE}"),  # noqa: DTZ001
        (
            DAY,
            {"since": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))},
            "since: it is no date that there is",
        ),
        (DAY, {"ids": ["83512"]}, "ids: a value in it must be int"),
        (
            DAY,
            {"tags": ["83512|b"]},
            "tags: an item has '|' in it, or is the only one and empty, and would be read as others",
        ),
        (DAY, {"tags": [""]}, "tags: an item has '|' in it, or is the only one and empty, and would be read as others"),
        (DAY, {"wait": 83512}, "wait: expected timedelta, got int"),
        (DAY, {"hidden": [SecretStr("83512")]}, "hidden: a SecretStr in it would be sent as '**********': write str"),
    ],
)
def test_what_cannot_be_written_is_refused(at: datetime, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Api().find.request(at, **given)
    assert str(caught.value) == f"Api.find: {message}"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("item", [{"a": 1}, float("inf"), None])
def test_an_item_that_is_no_text_is_refused(item: object) -> None:
    class Odd(ApiClient):
        base_url = BASE

        @get("/x")
        def find(self, a: CommaSeparated[Any]) -> None:
            raise NotImplementedError

    with pytest.raises(ArgumentError) as caught:
        Odd().find.request([item])
    assert str(caught.value) == "Odd.find: a: an item in it is no text, finite number or boolean"


def test_a_model_has_them_in_both_directions(api: Callable[..., Server], colour: Colour) -> None:
    server = api(Reply(json={"at": 86400, "scopes": "a b"}))
    got = colour.run(Api(transport=server.transport).send, Sent(at=DAY, scopes=["c"]))
    assert server.request.content == b'{"at":86400,"scopes":"c"}'
    assert got == Sent(at=DAY, scopes=["a", "b"])


def test_a_result_may_be_one(api: Callable[..., Server]) -> None:
    server = api(Reply(json="Fri, 02 Jan 1970 00:00:00 GMT"))
    assert Api(transport=server.transport).date() == DAY


def test_a_strict_model_reads_them_too() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)

        at: UnixTime
        wait: Seconds
        raw: Base64
        tags: CommaSeparated[str]

    read = Strict.model_validate_json('{"at": 86400, "wait": 1, "raw": "Pw==", "tags": "a,b"}')
    assert read == Strict(at=DAY, wait=timedelta(seconds=1), raw=b"?", tags=["a", "b"])


@given(st.binary())
def test_bytes_come_back(value: bytes) -> None:
    for hint in (Base64, Base64Url):
        adapter = TypeAdapter[Any](hint)
        assert adapter.validate_json(adapter.dump_json(value)) == value


@given(st.timedeltas(min_value=timedelta(days=-1000), max_value=timedelta(days=1000)))
def test_durations_come_back(value: timedelta) -> None:
    for hint in (Seconds, Milliseconds):
        adapter = TypeAdapter[Any](hint)
        assert adapter.validate_json(adapter.dump_json(value)) == value


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(EAST)))  # noqa: DTZ001
def test_instants_come_back_without_what_they_cut_off(value: datetime) -> None:
    cuts: list[tuple[Any, timedelta]] = [
        (HttpDate, timedelta(seconds=1)),
        (UnixTime, timedelta(seconds=1)),
        (UnixMillis, timedelta(milliseconds=1)),
    ]
    for hint, unit in cuts:
        adapter = TypeAdapter[Any](hint)
        assert timedelta(0) <= value - adapter.validate_json(adapter.dump_json(value)) < unit


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=",")), min_size=2))
def test_separated_items_come_back(items: list[str]) -> None:
    adapter = TypeAdapter[Any](CommaSeparated[str])
    assert adapter.validate_json(adapter.dump_json(items)) == items
