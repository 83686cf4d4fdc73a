"""Bodies as httpbin decoded them: JSON, forms, files and whatever is sent as it is, and again behind a redirect."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from conftest import ENGINES
from stubwire import UNSET, ApiClient, Body, Form, Unset, patch, post, put
from witnesses import Seen, httpbin

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with httpbin() as started:
        yield started


# -- JSON


class Address(BaseModel):
    city: str
    zip: str | None = None


class Person(BaseModel):
    name: str
    born: datetime | None = None
    balance: Decimal = Decimal(0)
    addresses: list[Address] = []


class Documents(ApiClient):
    @post("/post")
    def create(self, person: Person) -> Seen:
        raise NotImplementedError

    @put("/put")
    def replace(self, person: Person) -> Seen:
        raise NotImplementedError

    @patch("/patch")
    def change(self, person: Person) -> Seen:
        raise NotImplementedError

    @patch("/patch")
    def merge(self, person: Annotated[Person, Body(content_type="application/merge-patch+json")]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def embedded(
        self,
        person: Annotated[Person, Body(embed=True)],
        count: Annotated[int | Unset | None, Body(embed=True)] = UNSET,
    ) -> Seen:
        raise NotImplementedError

    @post("/post")
    def numbers(self, numbers: Annotated[list[float], Body()]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def perhaps(self, person: Person | None = None) -> Seen:
        raise NotImplementedError


ADA = Person(
    name='Ada "L" \N{CAT FACE}\u2028\0',
    born=datetime(1815, 12, 10, tzinfo=UTC),
    balance=Decimal("1.50"),
    addresses=[Address(city="Zürich")],
)
ADA_JSON = {
    "name": 'Ada "L" \N{CAT FACE}\u2028\0',
    "born": "1815-12-10T00:00:00Z",
    "balance": "1.50",
    "addresses": [{"city": "Zürich", "zip": None}],
}


@pytest.mark.parametrize("verb", ["create", "replace", "change", "merge"])
def test_a_model_arrives_as_json(url: str, engine: EngineName, colour: Colour, verb: str) -> None:
    with Documents(base_url=url, engine=engine, proxy=None) as documents:
        seen: Seen = colour.run(getattr(documents, verb), ADA)
    unset = verb in ("change", "merge")
    assert seen.decoded == (ADA_JSON | {"addresses": [{"city": "Zürich"}]} if unset else ADA_JSON)
    assert seen.headers["Content-Type"] == f"application/{'merge-patch+' if verb == 'merge' else ''}json"
    assert seen.headers["Content-Length"] == str(len(seen.content()))


def test_a_patch_sends_what_was_set_and_none_too(url: str, engine: EngineName, colour: Colour) -> None:
    with Documents(base_url=url, engine=engine, proxy=None) as documents:
        for endpoint in (documents.change, documents.merge):
            seen: Seen = colour.run(endpoint, Person(name="x", born=None))
            assert seen.decoded == {"name": "x", "born": None}


def test_several_parameters_are_one_object(url: str, engine: EngineName, colour: Colour) -> None:
    person: dict[str, Any] = {"name": "x", "born": None, "balance": "0", "addresses": []}
    with Documents(base_url=url, engine=engine, proxy=None) as documents:
        for given_, count in (({}, {}), ({"count": 1}, {"count": 1}), ({"count": None}, {"count": None})):
            seen: Seen = colour.run(documents.embedded, Person(name="x"), **given_)
            assert seen.decoded == {"person": person, **count}


def test_a_list_is_json_and_nothing_is_no_body(url: str, engine: EngineName, colour: Colour) -> None:
    with Documents(base_url=url, engine=engine, proxy=None) as documents:
        assert colour.run(documents.numbers, [1, 2.5]).decoded == [1.0, 2.5]
        seen: Seen = colour.run(documents.perhaps)
        assert (seen.data, seen.decoded, seen.headers["Content-Length"]) == ("", None, "0")
        assert "Content-Type" not in seen.headers


# -- forms


class Forms(ApiClient):
    @post("/post")
    def create(
        self,
        *,
        name: Annotated[str, Form()],
        tags: Annotated[list[str], Form()],
        metadata: Annotated[dict[str, Any], Form(style="brackets")],
        items: Annotated[list[dict[str, int]], Form("line-items", style="deep")],
        address: Annotated[Address, Form()],
        extra: Annotated[dict[str, int], Form("größe", style="json")],
        secret: Annotated[SecretStr, Form()],
        phone: Annotated[str | None, Form()] = None,
    ) -> Seen:
        raise NotImplementedError

    @put("/put")
    def replace(self, address: Annotated[Address, Form()]) -> Seen:
        raise NotImplementedError

    @patch("/patch", query_style="brackets")
    def change(self, expand: Annotated[list[str], Form()], live: Annotated[bool, Form()]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def any_text(self, first: Annotated[str, Form("a b&ü")], second: Annotated[list[str], Form()]) -> Seen:
        raise NotImplementedError


def test_a_form_arrives_field_by_field(url: str, engine: EngineName, colour: Colour) -> None:
    with Forms(base_url=url, engine=engine, proxy=None) as forms:
        seen: Seen = colour.run(
            forms.create,
            name="Ada & Lady=Lovelace + \N{CAT FACE}\r\n%20",
            tags=["new", "", "v i p"],
            metadata={"order id": 6735, "deep": {"er": [True, "x"]}},
            items=[{"price": 1}, {"price": 2, "n": 3}],
            address=Address(city="Köln"),
            extra={"h": 1},
            secret=SecretStr("s&cret"),
        )
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.form == {
        "name": "Ada & Lady=Lovelace + \N{CAT FACE}\r\n%20",
        "tags": ["new", "", "v i p"],
        "metadata[order id]": "6735",
        "metadata[deep][er][]": ["true", "x"],
        "line-items[0][price]": "1",
        "line-items[1][price]": "2",
        "line-items[1][n]": "3",
        "city": "Köln",
        "größe": '{"h":1}',
        "secret": "s&cret",
    }


def test_put_and_patch_send_forms_too(url: str, engine: EngineName, colour: Colour) -> None:
    with Forms(base_url=url, engine=engine, proxy=None) as forms:
        assert colour.run(forms.replace, Address(city="Ulm", zip="89073")).form == {"city": "Ulm", "zip": "89073"}
        assert colour.run(forms.change, ["a", "b"], live=False).form == {"expand[]": ["a", "b"], "live": "false"}


@pytest.mark.parametrize("engine", ENGINES)
def test_any_text_arrives_in_its_field(url: str, engine: EngineName) -> None:
    with Forms(base_url=url, engine=engine, proxy=None) as forms:

        @SETTINGS
        @given(st.text(max_size=30), st.lists(st.text(max_size=10), min_size=2, max_size=3))
        def check(first: str, second: list[str]) -> None:
            assert forms.any_text(first, second).form == {"a b&ü": first, "second": second}

        check()


# -- what is sent as it is


class Row(BaseModel):
    id: int
    name: str = "ü"


class Raw(ApiClient):
    @put("/put")
    def content(self, content: Annotated[bytes, Body()]) -> Seen:
        raise NotImplementedError

    @put("/put")
    def text(self, content: Annotated[str, Body()]) -> Seen:
        raise NotImplementedError

    @put("/put")
    def latin(self, content: Annotated[str, Body(content_type="text/plain; charset=latin-1")]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def file(self, content: Annotated[Path | BinaryIO, Body()]) -> Seen:
        raise NotImplementedError

    @patch("/patch")
    def chunks(self, content: Annotated[Iterable[bytes], Body(content_type="text/csv")]) -> Seen:
        raise NotImplementedError

    @patch("/patch")
    def async_chunks(self, content: Annotated[AsyncIterable[bytes], Body(content_type="text/csv")]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def rows(self, rows: Annotated[Iterable[Row], Body(content_type="application/x-ndjson")]) -> Seen:
        raise NotImplementedError

    @post("/post")
    def all_rows(self, rows: Annotated[list[Row], Body(content_type="application/x-ndjson")]) -> Seen:
        raise NotImplementedError


BINARY = bytes(range(256)) * 1000


def described(seen: Seen) -> tuple[str | None, str | None, str | None]:
    """How a body came: its type, its length, and whether it came in chunks."""
    headers = seen.headers
    return headers.get("Content-Type"), headers.get("Content-Length"), headers.get("Transfer-Encoding")


def test_bytes_and_text_arrive_as_they_are(url: str, engine: EngineName, colour: Colour) -> None:
    with Raw(base_url=url, engine=engine, proxy=None) as raw:
        seen: Seen = colour.run(raw.content, BINARY)
        assert seen.content() == BINARY
        assert described(seen) == ("application/octet-stream", "256000", None)
        seen = colour.run(raw.text, "grüß\r\n\0")
        assert seen.content() == "grüß\r\n\0".encode()
        assert described(seen) == ("text/plain; charset=utf-8", "9", None)
        seen = colour.run(raw.latin, "grüß")
        assert seen.content() == "grüß".encode("latin-1")
        assert described(seen) == ("text/plain; charset=latin-1", "4", None)
        assert colour.run(raw.content, b"").headers["Content-Length"] == "0"


def test_a_file_arrives_from_disk_and_from_where_it_stands(
    url: str, engine: EngineName, colour: Colour, tmp_path: Path
) -> None:
    path = tmp_path / "größe.png"
    path.write_bytes(BINARY)
    with Raw(base_url=url, engine=engine, proxy=None) as raw, path.open("rb") as file:
        seen: Seen = colour.run(raw.file, path)
        assert seen.content() == BINARY
        assert described(seen) == ("image/png", "256000", None)
        file.seek(255_000)
        seen = colour.run(raw.file, file)
        assert seen.content() == BINARY[255_000:]
        assert described(seen) == ("image/png", "1000", None)


def chunks() -> Iterator[bytes]:
    """Chunks of many sizes, an empty one too, which would end a chunked body."""
    for size in (1, 0, 70_000, 3):
        yield b"\xff" * size


async def async_chunks() -> AsyncIterator[bytes]:
    for chunk in chunks():
        yield chunk


def test_a_body_of_unknown_length_arrives_in_chunks(url: str, engine: EngineName, colour: Colour) -> None:
    with Raw(base_url=url, engine=engine, proxy=None) as raw:
        seen = [colour.run(raw.chunks, chunks())]
        if colour.name != "sync":
            seen.append(colour.run(raw.async_chunks, async_chunks()))
    for each in seen:
        assert each.content() == b"\xff" * 70_004
        assert described(each) == ("text/csv", None, "chunked")


def test_models_arrive_as_lines(url: str, engine: EngineName, colour: Colour) -> None:
    lines = "".join(f'{{"id":{number},"name":"ü"}}\n' for number in range(3000))
    with Raw(base_url=url, engine=engine, proxy=None) as raw:
        seen: Seen = colour.run(raw.rows, (Row(id=number) for number in range(3000)))
        assert seen.data == lines
        assert described(seen) == ("application/x-ndjson", None, "chunked")
        seen = colour.run(raw.all_rows, [Row(id=number) for number in range(3000)])
        assert seen.data == lines
        assert described(seen) == ("application/x-ndjson", str(len(lines.encode())), None)


def test_a_big_file_arrives_whole(url: str, engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(BINARY * 12)
    with Raw(base_url=url, engine=engine, proxy=None) as raw:
        assert colour.run(raw.file, path).content() == BINARY * 12


# -- behind a redirect


class Moved(ApiClient):
    follow_redirects = True

    @post("/redirect-to?url=/post")
    def model(self, person: Person, status_code: int) -> Seen:
        raise NotImplementedError

    @post("/redirect-to?url=/get%3Ffrom%3Dpost")
    def elsewhere(self, person: Person, status_code: int) -> Seen:
        raise NotImplementedError

    @post("/redirect-to?url=/post")
    def form(self, name: Annotated[str, Form()], status_code: int) -> Seen:
        raise NotImplementedError


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_is_sent_again_behind_a_redirect(url: str, engine: EngineName, colour: Colour, status: int) -> None:
    with Moved(base_url=url, engine=engine, proxy=None) as moved:
        assert colour.run(moved.model, ADA, status).decoded == ADA_JSON
        assert colour.run(moved.form, "a b", status).form == {"name": "a b"}


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_becomes_a_get_behind_other_redirects(url: str, engine: EngineName, colour: Colour, status: int) -> None:
    with Moved(base_url=url, engine=engine, proxy=None) as moved:
        seen: Seen = colour.run(moved.elsewhere, ADA, status)
    assert seen.url == f"{url}/get?from=post"
    assert {"Content-Type", "Content-Length", "Transfer-Encoding"}.isdisjoint(seen.headers)
