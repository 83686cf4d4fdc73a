"""JSON bodies beyond one model: embedded fields, JSON types by suffix, merge patch, codecs."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Collection, Iterable
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, Field
from pydantic_xml import BaseXmlModel

from stubwire import UNSET, ApiClient, ArgumentError, Body, Resource, SpecError, Unset, get, patch, post, put
from stubwire._bodies import compile_body

T = TypeVar("T")


class Item(BaseModel):
    id: int
    note: str | None = None


class Api(ApiClient):
    base_url = "https://api.example"

    @post("/x")
    def one(self, item: Annotated[Item, Body(embed=True)]) -> None:
        raise NotImplementedError

    @post("/x")
    def several(
        self,
        item: Annotated[Item, Body(embed=True)],
        when: Annotated[dt.date | None, Body(embed=True)] = None,
        tags: Annotated[list[str] | Unset | None, Body(embed=True)] = UNSET,
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def maybe(self, item: Annotated[Item | None, Body(embed=True)] = None) -> None:
        raise NotImplementedError

    @patch("/x")
    def changes(self, item: Annotated[Item, Body(embed=True, content_type="application/vnd.x+json")]) -> None:
        raise NotImplementedError

    @post("/x")
    def suffixed(self, item: Annotated[Item, Body(content_type="application/vnd.api+json; v=1")]) -> None:
        raise NotImplementedError

    @put("/x")
    def merge(self, item: Annotated[Item, Body(content_type="application/merge-patch+json")]) -> None:
        raise NotImplementedError

    @patch("/x")
    def merge_all(
        self, item: Annotated[Item, Body(content_type="application/merge-patch+json", exclude_unset=False)]
    ) -> None:
        raise NotImplementedError

    @patch("/x")
    def operations(
        self, operations: Annotated[list[dict[str, Any]], Body(content_type="application/json-patch+json")]
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def numbers(self, numbers: Annotated[list[int] | int, Body()]) -> None:
        raise NotImplementedError

    @post("/x")
    def lazy(self, items: Annotated[Iterable[Item], Body()]) -> None:
        raise NotImplementedError

    @get("/x")
    def search(self, query: Annotated[Item, Body()]) -> None:
        """As Elasticsearch has it."""
        raise NotImplementedError

    @post("/x")
    def bounded(self, count: Annotated[int, Body(embed=True), Field(le=3)]) -> None:
        raise NotImplementedError


JSON = "application/json"


@pytest.mark.parametrize(
    ("endpoint", "arguments", "sent", "content_type"),
    [
        ("one", [Item(id=1)], {"item": {"id": 1, "note": None}}, JSON),
        ("several", [Item(id=1)], {"item": {"id": 1, "note": None}}, JSON),
        (
            "several",
            [Item(id=1), dt.date(2026, 5, 1), ["a"]],
            {"item": {"id": 1, "note": None}, "when": "2026-05-01", "tags": ["a"]},
            JSON,
        ),
        ("several", [Item(id=1), None, None], {"item": {"id": 1, "note": None}, "tags": None}, JSON),
        ("maybe", [], {}, JSON),
        ("changes", [Item(id=1)], {"item": {"id": 1}}, "application/vnd.x+json"),
        ("suffixed", [Item(id=1)], {"id": 1, "note": None}, "application/vnd.api+json; v=1"),
        ("merge", [Item(id=1)], {"id": 1}, "application/merge-patch+json"),
        ("merge", [Item(id=1, note=None)], {"id": 1, "note": None}, "application/merge-patch+json"),
        ("merge_all", [Item(id=1)], {"id": 1, "note": None}, "application/merge-patch+json"),
        (
            "operations",
            [[{"op": "remove", "path": "/a"}]],
            [{"op": "remove", "path": "/a"}],
            "application/json-patch+json",
        ),
        ("numbers", [[1, 2]], [1, 2], JSON),
        ("lazy", [iter([Item(id=1)])], [{"id": 1, "note": None}], JSON),
        ("search", [Item(id=1)], {"id": 1, "note": None}, JSON),
    ],
)
def test_a_json_body_is_what_its_types_serialize_to(
    endpoint: str, arguments: list[object], sent: object, content_type: str
) -> None:
    request = getattr(Api(), endpoint).request(*arguments)
    assert json.loads(request.content) == sent
    assert request.headers.get_list("Content-Type") == [content_type]


def test_an_embedded_value_is_checked_as_any_body() -> None:
    with pytest.raises(ArgumentError) as caught:
        Api().bounded.request(83512)
    assert str(caught.value) == "Api.bounded: count: Input should be less than or equal to 3"
    with pytest.raises(ArgumentError) as caught:
        Api().one.request({"id": 83512})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "Api.one: item: expected Item, got dict"


def test_a_declared_type_counts_more_than_a_clients_header() -> None:
    api = Api(headers={"Content-Type": "application/vnd.mine+json"})
    assert api.merge.request(Item(id=1)).headers.get_list("Content-Type") == ["application/merge-patch+json"]
    for endpoint in (api.one, api.search):
        assert endpoint.request(Item(id=1)).headers.get_list("Content-Type") == ["application/vnd.mine+json"]


# -- what is neither JSON nor raw


class Upper:
    """A codec that shows what it was given."""

    content_types: Collection[str] = {"application/x-upper"}

    def encode(self, value: object, /) -> bytes:
        return repr(value).upper().encode()

    def decode(self, content: bytes, /) -> object:
        raise NotImplementedError


class Odd(ApiClient):
    base_url = "https://api.example"

    @post("/x")
    def send(self, item: Annotated[Item, Body(content_type="application/x-upper")]) -> None:
        raise NotImplementedError


def test_a_codec_writes_what_has_its_content_type() -> None:
    spec = Odd.send.spec
    made = compile_body(spec, spec.parameters, "form", [Upper()])
    payload = made.encode({"item": Item(id=1)})
    assert payload is not None
    assert (payload.whole, made.content_type) == (b"{'ID': 1, 'NOTE': NONE}", "application/x-upper")


def test_a_content_type_that_nothing_writes_is_refused_when_the_endpoint_is_compiled() -> None:
    with pytest.raises(SpecError) as caught:
        _ = Odd().send
    assert str(caught.value) == (
        "Odd.send: item: nothing writes Item as 'application/x-upper': write bytes or str to send it as it is, or give "
        "the client a codec of that type, codecs=[...]"
    )


class Note(BaseXmlModel, tag="note"):
    text: str


class Notes(ApiClient):
    base_url = "https://api.example"

    @post("/x")
    def send(self, note: Note) -> None:
        raise NotImplementedError

    @post("/x")
    def plain(self, item: Item) -> None:
        raise NotImplementedError


def test_an_xml_model_is_a_body_of_xml() -> None:
    request = Notes().send.request(Note(text="a"))
    assert request.content is not None
    assert request.content.endswith(b"<note>a</note>")
    assert request.headers["Content-Type"].startswith("application/xml")
    assert Notes().plain.request(Item(id=1)).headers["Content-Type"] == "application/json"


def test_nothing_is_asked_of_xml_where_nobody_imported_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unread(ApiClient):
        base_url = "https://api.example"

        @post("/x")
        def plain(self, item: Item) -> None:
            raise NotImplementedError

    monkeypatch.delitem(sys.modules, "pydantic_xml")
    assert Unread().plain.request(Item(id=1)).headers["Content-Type"] == "application/json"
    assert "pydantic_xml" not in sys.modules


class Crud(Resource, Generic[T], path="/crud"):
    @post("")
    def create(self, body: Annotated[T, Body()]) -> None:
        raise NotImplementedError


def test_a_type_variable_is_decided_where_it_is_filled() -> None:
    class Client(ApiClient):
        base_url = "https://api.example"
        items: Crud[Item]
        blobs: Crud[bytes]

    client = Client()
    assert client.items.create.request(Item(id=1)).content == b'{"id":1,"note":null}'
    assert client.blobs.create.request(b"abc").headers["Content-Type"] == "application/octet-stream"
    with pytest.raises(SpecError) as caught:

        class Mixed(ApiClient):
            base_url = "https://api.example"
            mixed: Crud[bytes | Item]

    assert str(caught.value) == (
        "Crud.create: parameter 'body' has the type bytes | Item, of which one part is sent as it is and another as "
        "JSON: write one"
    )
