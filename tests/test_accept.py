"""The `Accept` header that a return type asks for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from pydantic_xml import BaseXmlModel, attr

from conftest import Api, Colour, Reply
from servers import RawRequest, RawServer, http
from stubwire import ApiClient, get
from stubwire._accept import accept

MakeApi = Callable[..., Api]


class Repo(BaseModel):
    id: int


class XmlRepo(BaseXmlModel, tag="repo"):
    id: int = attr()


class MsgPack:
    content_types = frozenset({"application/x-msgpack", "application/msgpack"})


class Csv:
    content_types = ("text/csv",)


class OwnJson:
    content_types = ["application/json"]


JSON = "application/json, */*;q=0.5"
TEXT = "text/plain, text/*;q=0.9, */*;q=0.5"
XML = "application/xml, text/xml;q=0.9, */*;q=0.5"
EITHER = "application/xml, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
CASES: list[tuple[object, str | None, tuple[Any, ...], str]] = [
    (Repo, None, (), JSON),
    (Repo | None, None, (), JSON),
    (list[Repo], None, (), JSON),
    (int, None, (), JSON),
    (str | int, None, (), JSON),
    (Literal["a"], None, (), JSON),
    (Any, None, (), JSON),
    (str, None, (), TEXT),
    (str | None, None, (), TEXT),
    (Annotated[str, Field(max_length=3)], None, (), TEXT),
    (str, "data.name", (), JSON),
    (bytes, None, (), "*/*"),
    (bytes | None, None, (), "*/*"),
    (None, None, (), "*/*"),
    (type(None), None, (), "*/*"),
    (XmlRepo, None, (), XML),
    (XmlRepo | None, None, (), XML),
    (XmlRepo | Repo, None, (), EITHER),
    (Repo, None, (MsgPack(),), "application/msgpack, application/x-msgpack, application/json;q=0.9, */*;q=0.5"),
    (
        Repo,
        None,
        (MsgPack(), Csv()),
        "application/msgpack, application/x-msgpack, text/csv, application/json;q=0.9, */*;q=0.5",
    ),
    (Repo, None, (OwnJson(),), JSON),
    (XmlRepo, None, (Csv(),), "text/csv, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"),
    (str, None, (MsgPack(),), TEXT),
    (bytes, None, (MsgPack(),), "*/*"),
]


@pytest.mark.parametrize(("data_type", "unwrap", "codecs", "expected"), CASES)
def test_a_type_asks_for_what_it_is_read_from(
    data_type: object, unwrap: str | None, codecs: tuple[Any, ...], expected: str
) -> None:
    assert accept(data_type, unwrap, codecs) == expected


def test_nothing_of_xml_is_imported_for_who_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pydantic_xml")
    assert accept(Repo) == JSON


class Charts(ApiClient):
    """One path, answered by what is asked for."""

    @get("/chart")
    def data(self) -> dict[str, int]:
        raise NotImplementedError

    @get("/chart")
    def text(self) -> str:
        raise NotImplementedError

    @get("/chart", headers={"Accept": "image/png"})
    def image(self) -> bytes:
        raise NotImplementedError

    @get("/chart")
    def xml(self) -> XmlRepo:
        raise NotImplementedError

    @get("/chart")
    def anything(self) -> bytes:
        raise NotImplementedError


PNG = b"\x89PNG\r\n\x1a\n"
OFFERS: dict[str, bytes] = {
    "image/png": PNG,
    "text/plain": b"a: 1",
    "application/json": b'{"a": 1}',
    "application/xml": b'<repo id="1"/>',
}


def negotiate(request: RawRequest) -> bytes:
    """The representation that is wanted most (RFC 9110, section 12.5.1); of several, the first."""
    wanted: dict[str, float] = {}
    for item in (request.header("Accept") or "*/*").split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        wanted[name] = next((float(text[2:]) for text in parameters if text.startswith("q=")), 1.0)

    def quality(name: str) -> float:
        return wanted.get(name, wanted.get(f"{name.partition('/')[0]}/*", wanted.get("*/*", 0.0)))

    best = max(OFFERS, key=quality)
    return http(OFFERS[best], headers={"Content-Type": best, "X-Wanted": json.dumps(wanted)})


def test_one_path_is_answered_as_json_text_xml_or_an_image_by_the_declared_type(engine: Any, colour: Colour) -> None:
    with RawServer(negotiate) as server, Charts(base_url=server.url, engine=engine) as client:
        assert colour.run(client.data) == {"a": 1}
        assert colour.run(client.text) == "a: 1"
        assert colour.run(client.image) == PNG
        assert colour.run(client.xml) == XmlRepo(id=1)
        assert colour.run(client.anything) == PNG


def test_whoever_declares_accept_is_heard(api: MakeApi) -> None:
    every = api(Reply(json={"a": 1}))
    Charts(base_url="https://api.example", transport=every.transport).data()
    Charts(base_url="https://api.example", transport=every.transport, headers={"accept": "application/hal+json"}).data()
    assert [request.headers["accept"] for request in every.requests] == [JSON, "application/hal+json"]
