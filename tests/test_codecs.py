"""Other formats than JSON by a `Codec`, chosen by content type: MessagePack as the example."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict

from conftest import Api, Colour, Reply
from formats import MSGPACK, Csv, MsgPack, msgpack
from servers import RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    Body,
    Codec,
    DecodeError,
    NotFoundError,
    Response,
    ResponseValidationError,
    get,
    post,
)
from stubwire._decode import decoder

MakeApi = Callable[..., Api]
UTC = timezone.utc  # noqa: UP017 - as msgpack makes it
AN_ID = UUID("12345678-1234-5678-1234-567812345678")
NOW = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


class Paint(Enum):
    RED = "red"


class Event(BaseModel):
    id: int
    at: datetime = NOW
    raw: bytes = b""
    key: UUID = AN_ID
    paint: Paint = Paint.RED
    tags: set[str] = set()


class Problem(BaseModel):
    message: str


class Events(ApiClient):
    base_url = "https://api.example"
    codecs = [MsgPack(), Csv()]
    errors = {404: Problem}

    @get("/event")
    def event(self) -> Event:
        raise NotImplementedError

    @get("/maybe")
    def maybe(self) -> Event | None:
        raise NotImplementedError

    @get("/rows")
    def rows(self) -> list[Event]:
        raise NotImplementedError

    @get("/count", unwrap="meta.counts.1")
    def count(self) -> int:
        raise NotImplementedError

    @get("/text")
    def text(self) -> str:
        raise NotImplementedError

    @get("/bytes")
    def content(self) -> bytes:
        raise NotImplementedError

    @post("/events")
    def create(self, event: Annotated[Event, Body(content_type=MSGPACK)]) -> Event:
        raise NotImplementedError

    @post("/import")
    def load(self, rows: Annotated[list[Event], Body(content_type="text/csv")]) -> None:
        raise NotImplementedError

    @post("/json")
    def as_json(self, event: Event) -> Event:
        raise NotImplementedError


def packed(value: object, content_type: str = MSGPACK) -> Reply:
    return Reply(200, content=MsgPack().encode(value), headers={"Content-Type": content_type})


def test_a_codec_is_public() -> None:
    codec: Codec = MsgPack()
    assert codec.decode(codec.encode({"a": 1})) == {"a": 1}
    assert Codec.__module__ == "stubwire"


def test_a_round_trip_over_a_real_socket(engine: Any, colour: Colour) -> None:
    def echo(request: RawRequest) -> bytes:
        return http(request.body, headers={"Content-Type": request.header("Content-Type") or ""})

    event = Event(id=1, raw=b"\xff\x00", tags={"a"})
    with RawServer(echo) as server, Events(base_url=server.url, engine=engine) as client:
        assert colour.run(client.create, event) == event
        assert colour.run(client.as_json, Event(id=2)) == Event(id=2)
    assert [request.header("Content-Type") for request in server.requests] == [MSGPACK, "application/json"]
    assert msgpack.unpackb(server.requests[0].body, timestamp=3) == {
        "id": 1,
        "at": NOW,
        "raw": b"\xff\x00",
        "key": str(AN_ID),
        "paint": "red",
        "tags": ["a"],
    }


@pytest.mark.parametrize("content_type", [MSGPACK, "Application/X-MsgPack ; v=1"])
def test_the_content_type_of_a_response_chooses_the_codec(api: MakeApi, colour: Colour, content_type: str) -> None:
    client = Events(transport=api(packed({"id": 1, "at": NOW}, content_type)).transport)
    assert colour.run(client.event) == Event(id=1)


def test_another_content_type_is_json_as_ever(api: MakeApi, colour: Colour) -> None:
    client = Events(transport=api(Reply(json={"id": 1})).transport)
    assert colour.run(client.event) == Event(id=1)
    assert colour.run(client.maybe) == Event(id=1)


def test_text_bytes_and_nothing_need_no_codec(api: MakeApi) -> None:
    client = Events(transport=api(Reply(content=b"\x01", headers={"Content-Type": MSGPACK})).transport)
    assert (client.text(), client.content()) == ("\x01", b"\x01")


def test_an_empty_body_is_none_where_that_is_declared(api: MakeApi) -> None:
    client = Events(transport=api(Reply(content=b"", headers={"Content-Type": MSGPACK})).transport)
    assert client.maybe() is None
    assert Events(transport=api(Reply(content=b"", headers={"Content-Type": "text/csv"})).transport).rows() == []


def test_unwrap_leads_into_what_a_codec_read(api: MakeApi) -> None:
    client = Events(transport=api(packed({"meta": {"counts": [5, 7]}})).transport)
    assert client.count() == 7
    with pytest.raises(ResponseValidationError) as caught:
        Events(transport=api(packed({"meta": {"counts": ["a", "b"]}})).transport).count()
    assert [error.get("loc") for error in caught.value.errors()] == [("meta", "counts", 1)]
    with pytest.raises(ResponseValidationError) as caught:
        Events(transport=api(packed({"meta": {}})).transport).count()
    assert str(caught.value).endswith("application/msgpack that does not fit: meta.counts: Field required")


def test_python_values_of_the_format_are_taken_as_they_are() -> None:
    """A strict model would refuse the text of a datetime, and a MessagePack timestamp is none."""

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        at: datetime

    decode = decoder(Strict, None, "Test.stub", codecs=[MsgPack()])
    response = Response(200, headers={"Content-Type": MSGPACK}, content=MsgPack().encode({"at": NOW}))
    assert decode(response) == Strict(at=NOW)


def test_data_that_an_interceptor_assigned_is_json(api: MakeApi) -> None:
    client = Events(transport=api(packed({"id": 1})).transport)

    def assign(response: Response[Any]) -> None:
        response.data = {"id": 2}

    client.interceptors.response.use(assign)
    assert client.event() == Event(id=2)


def test_a_codec_of_json_goes_over_our_own(api: MakeApi) -> None:
    class Upper:
        content_types = {"application/json"}

        def encode(self, value: object, /) -> bytes:
            raise NotImplementedError

        def decode(self, content: bytes, /) -> object:
            return {"id": len(content)}

    client = Events(codecs=[Upper()], transport=api(Reply(json={"id": 1000})).transport)
    assert client.event() == Event(id=12)


def test_two_clients_of_a_class_may_have_other_codecs(api: MakeApi) -> None:
    answers = api(packed({"id": 1}))
    assert Events(transport=answers.transport).event() == Event(id=1)
    with pytest.raises(DecodeError, match="answered 200 with a body that is not utf-8"):
        Events(transport=answers.transport, codecs=[]).event()
    assert Events(transport=answers.transport, codecs=[MsgPack()]).event() == Event(id=1)


def test_a_view_has_the_codecs_of_its_client(api: MakeApi) -> None:
    assert Events(transport=api(packed({"id": 1})).transport).with_options(timeout=1.0).event() == Event(id=1)


def test_an_endpoint_asks_for_the_types_of_its_codecs(api: MakeApi) -> None:
    answers = api(packed({"id": 1}))
    Events(transport=answers.transport).event()
    assert answers.request.headers["accept"] == (
        "application/msgpack, application/x-msgpack, text/csv, application/json;q=0.9, */*;q=0.5"
    )


# ---- failures


def test_a_failure_has_its_body(api: MakeApi, colour: Colour) -> None:
    answer = Reply(404, content=MsgPack().encode({"message": "gone"}), headers={"Content-Type": MSGPACK})
    with pytest.raises(NotFoundError) as caught:
        colour.run(Events(transport=api(answer).transport).event)
    assert caught.value.body == Problem(message="gone")


def test_a_failure_of_another_content_type_is_json_as_ever(api: MakeApi) -> None:
    with pytest.raises(NotFoundError) as caught:
        Events(transport=api(Reply(404, json={"message": "gone"})).transport).event()
    assert caught.value.body == Problem(message="gone")


@pytest.mark.parametrize("content", [b"\xc1", msgpack.packb({"wrong": 1})])
def test_a_failure_whose_body_does_not_fit_has_none(api: MakeApi, content: bytes) -> None:
    answer = Reply(404, content=content, headers={"Content-Type": MSGPACK})
    with pytest.raises(NotFoundError) as caught:
        Events(transport=api(answer).transport).event()
    assert caught.value.body is None


def test_a_failure_without_a_model_has_plain_data(api: MakeApi) -> None:
    answer = Reply(409, content=MsgPack().encode({"a": 1}), headers={"Content-Type": MSGPACK})
    with pytest.raises(Exception, match="409") as caught:
        Events(transport=api(answer, answer).transport, retry=None).event()
    assert getattr(caught.value, "body", None) == {"a": 1}


def test_what_a_codec_cannot_read_is_a_decode_error_that_quotes_nothing(api: MakeApi, colour: Colour) -> None:
    class Angry(MsgPack):
        def decode(self, content: bytes, /) -> object:
            raise LookupError(f"never heard of {content!r}")

    answer = Reply(content=b"s3cret", headers={"Content-Type": MSGPACK})
    with pytest.raises(DecodeError) as caught:
        colour.run(Events(codecs=[Angry()], transport=api(answer).transport).event)
    assert str(caught.value) == (
        "Events.event: GET https://api.example/event answered 200 with application/msgpack, "
        "which Angry cannot decode (LookupError)"
    )
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_what_does_not_fit_is_a_validation_error(api: MakeApi, colour: Colour) -> None:
    with pytest.raises(ResponseValidationError) as caught:
        colour.run(Events(transport=api(packed({"id": "s3cret"})).transport).event)
    assert str(caught.value) == (
        "Events.event: GET https://api.example/event answered 200 with application/msgpack that does not fit: "
        "id: Input should be a valid integer, unable to parse string as an integer"
    )


def test_a_bug_in_a_validator_says_where_once() -> None:
    bug = LookupError("my own bug")

    def broken(value: int) -> int:
        raise bug

    decode = decoder(Annotated[int, AfterValidator(broken)], None, "Events.number", codecs=[MsgPack()])
    for _ in range(2):
        with pytest.raises(LookupError, match="my own bug") as caught:
            decode(Response(200, headers={"Content-Type": MSGPACK}, content=b"\x01"))
        assert caught.value.__notes__ == ["raised while decoding the response of Events.number"]
