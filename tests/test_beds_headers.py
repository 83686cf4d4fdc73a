"""Headers and cookies as httpbin saw them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel, SecretStr

from stubwire import ApiClient, ArgumentError, Cookie, Header, get
from stubwire.types import CommaSeparated, HttpDate, UnixTime
from witnesses import httpbin

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with httpbin() as started:
        yield started


class Context(BaseModel):
    x_trace: str
    x_tags: list[str] = []
    x_token: SecretStr | None = None
    x_missing: str | None = None


class Session(BaseModel):
    sid: str
    theme: str | None = None


class Asked(ApiClient):
    headers = {"X-Client": "c", "X-Both": "client", "User-Agent": "wire/1.0"}

    @get("/headers", unwrap="headers", headers={"X-Endpoint": "e", "X-Both": "endpoint"})
    def models(self, context: Annotated[Context, Header()], session: Annotated[Session, Cookie()]) -> dict[str, str]:
        raise NotImplementedError

    @get("/headers", unwrap="headers")
    def singly(
        self,
        *,
        x_list: Annotated[list[int], Header()],
        x_object: Annotated[dict[str, int], Header("X-Object")],
        x_exploded: Annotated[dict[str, int], Header("X-Exploded", explode=True)],
        x_flag: Annotated[bool, Header()],
        x_at: Annotated[UnixTime, Header()],
        x_commas: Annotated[CommaSeparated[str], Header()],
        if_modified_since: Annotated[HttpDate, Header()],
        odd: Annotated[str, Header("X_odd.name!")],
        x_none: Annotated[str | None, Header()] = None,
    ) -> dict[str, str]:
        raise NotImplementedError

    @get("/cookies", unwrap="cookies")
    def cookies(
        self,
        session_id: Annotated[str, Cookie("session-id")],
        n: Annotated[int, Cookie()],
        session: Annotated[Session | None, Cookie()] = None,
    ) -> dict[str, str]:
        raise NotImplementedError

    @get("/headers", unwrap="headers")
    def text(self, x_value: Annotated[str, Header()] = "") -> dict[str, str]:
        raise NotImplementedError


def test_headers_of_models_arrive(url: str, engine: EngineName, colour: Colour) -> None:
    context = Context(x_trace="r 1", x_tags=["a b", "c"], x_token=SecretStr("t-1"))
    with Asked(base_url=url, headers={"X-Client": "d"}, engine=engine, proxy=None) as asked:
        seen: dict[str, str] = colour.run(asked.models, context, Session(sid="s1", theme="dark"))
    assert seen == {
        "Host": url.removeprefix("http://"),
        "Accept": "application/json, */*;q=0.5",
        "Accept-Encoding": seen["Accept-Encoding"],
        "User-Agent": "wire/1.0",
        "X-Client": "d",
        "X-Both": "endpoint",
        "X-Endpoint": "e",
        "X-Trace": "r 1",
        "X-Tags": "a b,c",
        "X-Token": "t-1",
        "Cookie": "sid=s1; theme=dark",
    }


def test_headers_of_every_kind_arrive(url: str, engine: EngineName, colour: Colour) -> None:
    at = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    with Asked(base_url=url, engine=engine, proxy=None) as asked:
        seen: dict[str, str] = colour.run(
            asked.singly,
            x_list=[1, 2],
            x_object={"R": 1, "G": 2},
            x_exploded={"R": 1, "G": 2},
            x_flag=True,
            x_at=at,
            x_commas=["a", "b"],
            if_modified_since=at,
            odd="o",
        )
    assert {name: seen.get(name) for name in ("X-List", "X-Object", "X-Exploded", "X-Flag", "X-At", "X-Commas")} == {
        "X-List": "1,2",
        "X-Object": "R,1,G,2",
        "X-Exploded": "R=1,G=2",
        "X-Flag": "true",
        "X-At": "1709168523",
        "X-Commas": "a,b",
    }
    assert seen["If-Modified-Since"] == "Thu, 29 Feb 2024 01:02:03 GMT"
    assert "X-None" not in seen


def test_cookies_arrive_with_their_values(url: str, engine: EngineName, colour: Colour) -> None:
    with Asked(base_url=url, engine=engine, proxy=None) as asked:
        assert colour.run(asked.cookies, "a=b&c/d+e:f%20", 7) == {"session-id": "a=b&c/d+e:f%20", "n": "7"}
        seen = colour.run(asked.cookies, "x", 7, Session(sid="s"))
        assert seen == {"session-id": "x", "n": "7", "sid": "s"}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "grüß"])
def test_what_cannot_stand_in_a_header_is_never_sent(url: str, engine: EngineName, colour: Colour, value: str) -> None:
    with Asked(base_url=url, engine=engine, proxy=None) as asked:
        with pytest.raises(ArgumentError, match=r"^Asked\.text: x_value: "):
            colour.run(asked.text, value)
        with pytest.raises(ArgumentError, match=r"^Asked\.cookies: session_id: "):
            colour.run(asked.cookies, value, 1)
        assert colour.run(asked.text, 'a\tb; c="d", e')["X-Value"] == 'a\tb; c="d", e'
