"""One value to text, as the JSON serializer of its type shows it, wherever it is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, NewType, Optional
from urllib.parse import quote
from uuid import UUID

import pytest
from annotated_types import Gt, Len, Predicate
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    Json,
    PlainSerializer,
    PositiveInt,
    SecretBytes,
    SecretStr,
    StringConstraints,
)
from typing_extensions import TypeAliasType, TypedDict

from stubwire import ApiClient, ArgumentError, Cookie, Header, Query, SpecError, _encode, get

WHERE = "Api.get: value"


class Colour(Enum):
    RED = "red"
    TWO = 2
    DAY = date(2024, 1, 2)


class Word(StrEnum):
    A = "a"


class Number(IntEnum):
    ONE = 1


class Bits(IntFlag):
    ONE = 1
    TWO = 2


class Sub(str):
    __slots__ = ()


UserId = NewType("UserId", int)
Positive = TypeAliasType("Positive", Annotated[int, Gt(0)])
German = Annotated[date, PlainSerializer(lambda day: day.strftime("%d.%m.%Y"), return_type=str)]
SHORT = UUID(int=1)

SENT: list[tuple[Any, object, str]] = [
    (str, "text", "text"),
    (str, Sub("text"), "text"),
    (str, Word.A, "a"),
    (int, -5, "-5"),
    (int, Number.ONE, "1"),
    (UserId, 7, "7"),
    (bool, True, "true"),
    (bool, False, "false"),
    (float, 1.5, "1.5"),
    (float, 1e22, "1e+22"),
    (Decimal, Decimal("1.50"), "1.50"),
    (UUID, SHORT, "00000000-0000-0000-0000-000000000001"),
    (Colour, Colour.RED, "red"),
    (Colour, Colour.TWO, "2"),
    (Colour, Colour.DAY, "2024-01-02"),
    (Word, Word.A, "a"),
    (Number, Number.ONE, "1"),
    (Bits, Bits.ONE | Bits.TWO, "3"),
    (date, date(2024, 1, 2), "2024-01-02"),
    (datetime, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05Z"),
    (datetime, datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2024-01-02T00:00:00+02:00"),
    (datetime, datetime(2024, 1, 2, 3, 4, 5, 600), "2024-01-02T03:04:05.000600"),  # noqa: DTZ001 - naive on purpose
    (time, time(1, 2), "01:02:00"),
    (timedelta, timedelta(seconds=90), "PT1M30S"),
    (timedelta, timedelta(days=-1), "-P1D"),
    (bytes, b"text", "text"),
    (IPv4Address, IPv4Address("1.2.3.4"), "1.2.3.4"),
    (Literal["a", 1, True], "a", "a"),
    (Literal["a", 2], 2, "2"),
    (Literal[True], True, "true"),
    (Literal[Colour.RED], Colour.RED, "red"),
    (SecretStr, SecretStr("s3"), "s3"),
    (SecretStr, SecretStr("***"), "***"),
    (SecretBytes, SecretBytes(b"s3"), "s3"),
    (SecretStr | str, SecretStr("s3"), "s3"),
    (SecretStr | str, "plain", "plain"),
    (Annotated[SecretStr, Field(min_length=2)], SecretStr("s3"), "s3"),
    (German, date(2024, 1, 2), "02.01.2024"),
    (Annotated[int, Field(ge=1, le=100)], 100, "100"),
    (Annotated[int, Field(ge=1), Field(description="no constraint")], 1, "1"),
    (Annotated[int, Field(description="no constraint")], -1, "-1"),
    (Optional[Annotated[int, Field(ge=1)]], 1, "1"),  # noqa: UP045
    (Positive, 1, "1"),
    (int | str, 1, "1"),
    (int | str, "a", "a"),
    (int | date, date(2024, 1, 2), "2024-01-02"),
    (Any, 1.5, "1.5"),
    (Any, date(2024, 1, 2), "2024-01-02"),
    (object, "a", "a"),
]

NO_NUMBER = "a number that is infinite or not a number cannot be sent"
NO_UTF8 = "bytes that are not UTF-8 cannot be sent: encode them first, as base64 for example"

FITS_NOT: list[tuple[Any, object, str]] = [
    (str, 83512, "expected str, got int"),
    (str, b"83512", "expected str, got bytes"),
    (str, None, "expected str, got NoneType"),
    (str, SecretStr("83512"), "expected str, got SecretStr"),
    (int, "83512", "expected int, got str"),
    (int, 83512.5, "expected int, got float"),
    (int, None, "expected int, got NoneType"),
    (UserId, "83512", "expected UserId, got str"),
    (bool, 83512, "expected bool, got int"),
    (float, "83512", "expected float, got str"),
    (float, float("nan"), NO_NUMBER),
    (float, float("-inf"), NO_NUMBER),
    (Any, float("inf"), NO_NUMBER),
    (Decimal, Decimal("NaN"), NO_NUMBER),
    (Decimal, 83512, "expected Decimal, got int"),
    (UUID, "83512", "expected UUID, got str"),
    (Colour, "83512", "must be one of red, 2, 2024-01-02"),
    (Colour, "red", "must be one of red, 2, 2024-01-02"),
    (Number, True, "must be one of 1"),
    (Literal["a", 1], "83512", "must be one of a, 1"),
    (Literal["a", 1], True, "must be one of a, 1"),
    (Literal["a"], ["83512"], "must be one of a"),
    (date, datetime(2024, 1, 2, tzinfo=UTC), "expected date, got datetime"),
    (date, "83512", "expected date, got str"),
    (datetime, date(2024, 1, 2), "expected datetime, got date"),
    (timedelta, 83512, "expected timedelta, got int"),
    (bytes, "83512", "expected bytes, got str"),
    (bytes, b"83512\xff", NO_UTF8),
    (SecretStr, "83512", "expected SecretStr, got str"),
    (SecretBytes, b"83512", "expected SecretBytes, got bytes"),
    (Annotated[int, Field(ge=1, le=100)], 83512, "Input should be less than or equal to 100"),
    (
        Annotated[int, Field(ge=1)],
        "a83512",
        "Input should be a valid integer, unable to parse string as an integer",
    ),
    (Annotated[str, Field(pattern="^a")], "83512", "String should match pattern '^a'"),
    (Annotated[str, StringConstraints(max_length=2)], "83512", "String should have at most 2 characters"),
    (Annotated[str, Len(0, 2)], "83512", "String should have at most 2 characters"),
    (PositiveInt, -83512, "Input should be greater than 0"),
    (Positive, -83512, "Input should be greater than 0"),
    (Optional[Annotated[int, Field(ge=1)]], -83512, "Input should be greater than or equal to 1"),  # noqa: UP045
    (Annotated[UUID, Predicate(bool)], "83512", "Input should be a valid UUID"),
    (int | str, 83512.5, "expected int | str, got float"),
    (int | str, None, "expected int | str, got NoneType"),
    (Any, [83512], "a value of type list is no text, number or boolean"),
    (Any, {"a": 83512}, "a value of type dict is no text, number or boolean"),
    (Any, None, "expected Any, got NoneType"),
    (Any, object(), "a value of type object cannot be serialized"),
    (Any, b"83512\xff", NO_UTF8),
    (object, [83512], "a value of type list is no text, number or boolean"),
    (Json, {"a": 83512}, "a value of type dict is no text, number or boolean"),
]


def _fail(value: object) -> Any:
    raise ValueError(f"{value} is wrong")


FAILS: list[tuple[Any, object, str]] = [
    (Annotated[int, PlainSerializer(_fail)], 83512, "a value of type int cannot be serialized"),
    (Annotated[int, Gt(0), AfterValidator(_fail)], 83512, "a validator of its type refuses it"),
    (Annotated[float, PlainSerializer(lambda _: float("nan"), return_type=float)], 83512.0, NO_NUMBER),
]


@pytest.mark.parametrize(("hint", "value", "text"), SENT)
def test_a_scalar_is_what_its_serializer_shows(hint: Any, value: object, text: str) -> None:
    assert _encode.scalar(hint, WHERE)(value) == text


@pytest.mark.parametrize(("hint", "value", "text"), SENT)
def test_it_is_so_in_path_query_header_and_cookie_alike(hint: Any, value: object, text: str) -> None:
    assert _encode.path(hint, WHERE, many=False)(value) == quote(text, safe="")
    assert _encode.query(hint, "a b", WHERE)(value) == f"&a%20b={quote(text, safe='')}"
    assert _encode.header(hint, "X-Value", WHERE)(value) == text
    assert _encode.cookie(hint, "c", WHERE)(value) == f"c={text}"


@pytest.mark.parametrize(("hint", "value", "message"), [*FITS_NOT, *FAILS])
@pytest.mark.parametrize("role", ["path", "query", "header", "cookie"])
def test_what_does_not_fit_is_refused_without_being_shown(hint: Any, value: object, message: str, role: str) -> None:
    encoders = {
        "path": lambda: _encode.path(hint, WHERE, many=False),
        "query": lambda: _encode.query(hint, "value", WHERE),
        "header": lambda: _encode.header(hint, "X-Value", WHERE),
        "cookie": lambda: _encode.cookie(hint, "value", WHERE),
    }
    encode = encoders[role]()
    with pytest.raises(ArgumentError) as caught:
        encode(value)
    assert str(caught.value) == f"{WHERE}: {message}"
    assert "83512" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("hint", [int, Any])
def test_a_number_that_python_cannot_write_is_refused(hint: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        _encode.scalar(hint, WHERE)(10**5000)
    assert str(caught.value) == f"{WHERE}: the number has too many digits"


class Unknown:
    pass


class Odd(Enum):
    PAIR = (1, 2)
    THING = Unknown()


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (
            Unknown,
            (
                "pydantic cannot handle the type Unknown: Unable to generate pydantic-core schema for "
                f"<class '{__name__}.Unknown'>. Set `arbitrary_types_allowed=True` in the model_config to ignore this "
                "error or implement `__get_pydantic_core_schema__` on your type to fully support it."
            ),
        ),
        (Odd, "a choice in its type is no text, number or boolean"),
        (Literal[Odd.PAIR], "a choice in its type is no text, number or boolean"),
    ],
)
def test_a_type_that_cannot_be_sent_is_a_spec_error(hint: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        _encode.scalar(hint, WHERE)
    assert str(caught.value) == f"{WHERE}: {message}"


class Shape(TypedDict):
    size: int


class Model(BaseModel):
    size: int


@pytest.mark.parametrize("hint", [Shape, Model])
def test_a_value_that_is_no_scalar_is_refused(hint: Any) -> None:
    with pytest.raises(ArgumentError, match=r"a value of type \w+ is no text, number or boolean"):
        _encode.scalar(hint, WHERE)({"size": 1} if hint is Shape else Model(size=1))


def test_an_encoder_refuses_again_and_again() -> None:
    encode = _encode.scalar(int, WHERE)
    for _ in range(2):
        with pytest.raises(ArgumentError):
            encode("83512")
    assert encode(Number.ONE) == "1"


def test_a_stub_sends_its_scalars_everywhere() -> None:
    class Api(ApiClient):
        base_url = "https://api.example"

        @get("/days/<day>/<colour>")
        def find(
            self,
            day: date,
            colour: Colour,
            *,
            limit: Annotated[int, Query("per-page"), Field(ge=1, le=100)] = 30,
            exact: bool | None = None,
            since: Annotated[datetime | None, Header("If-Modified-Since")] = None,
            key: Annotated[UUID | None, Cookie()] = None,
        ) -> None:
            raise NotImplementedError

    api = Api()
    request = api.find.request(
        date(2024, 1, 2), Colour.RED, limit=5, exact=False, since=datetime(2024, 1, 2, tzinfo=UTC), key=SHORT
    )
    assert request.url == "https://api.example/days/2024-01-02/red?per-page=5&exact=false"
    assert request.headers["If-Modified-Since"] == "2024-01-02T00:00:00Z"
    assert request.headers["Cookie"] == "key=00000000-0000-0000-0000-000000000001"
    request = api.find.request(date(2024, 1, 2), Colour.RED)
    assert request.url == "https://api.example/days/2024-01-02/red?per-page=30"
    assert list(request.headers) == []
    with pytest.raises(ArgumentError) as caught:
        api.find.request(date(2024, 1, 2), Colour.RED, limit=0)
    assert str(caught.value) == "Api.find: limit: Input should be greater than or equal to 1"
