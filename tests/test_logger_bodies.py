"""`LoggerPlugin(max_body_bytes=...)`: bodies with their secrets hidden, and only what can be told apart from them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, Field, PlainSerializer, SecretStr
from typing_extensions import TypedDict

from conftest import Api, Colour, Reply
from stubwire import ApiClient, Body, CallError, ClientError, File, Form, Request, Response, Stream, get, post
from stubwire.plugins import LoggerPlugin, _log_bodies

MakeApi = Callable[..., Api]
NAME = "stubwire_logger_bodies"
SECRET = "s3cr3t"
Sent = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]
"""A secret that may stand in a body of JSON."""


class Inner(BaseModel):
    pass_key: SecretStr = Field(alias="k", default=SecretStr(""))


class Account(BaseModel):
    """Secrets whose names do not look so."""

    id: int
    iban: Sent
    code: Sent = Field(default=SecretStr(""), validation_alias=AliasChoices("c1", AliasPath("c2", 0, "c3")))
    hidden: Inner = Field(default_factory=Inner, exclude=True)
    listed: list[Sent] = []
    parent: Account | None = Field(default=None, exclude=True)


class Problem(BaseModel):
    hint: SecretStr


class Refused(ClientError[Problem]):
    pass


@dataclass
class Login:
    user: str
    phrase: SecretStr


class Shape(TypedDict):
    phrase: SecretStr


class Bank(ApiClient):
    base_url = "https://bank.test"
    retry = None
    plugins = [LoggerPlugin(logging.getLogger(NAME), max_body_bytes=200)]

    @post("/accounts")
    def add(self, account: dict[str, object]) -> object:
        raise NotImplementedError

    @post("/accounts")
    def open(self, account: Account) -> Account:
        raise NotImplementedError

    @get("/accounts", errors={404: Refused, 409: Problem, 410: ClientError})
    def accounts(self) -> list[Account]:
        raise NotImplementedError

    @get("/secret", unwrap="data")
    def secret(self) -> SecretStr:
        raise NotImplementedError

    @get("/anything")
    def anything(self) -> object:
        raise NotImplementedError

    @get("/text")
    def text(self) -> str:
        raise NotImplementedError

    @post("/form")
    def form(self, user: Annotated[str, Form()], iban: Annotated[SecretStr, Form()]) -> object:
        raise NotImplementedError

    @post("/file")
    def file(self, content: Annotated[bytes, File()]) -> object:
        raise NotImplementedError

    @post("/raw")
    def raw(self, content: Annotated[bytes, Body(content_type="application/octet-stream")]) -> object:
        raise NotImplementedError

    @post("/rows")
    def rows(self, content: Annotated[Iterator[bytes], Body(content_type="text/csv")]) -> object:
        raise NotImplementedError

    @get("/stream")
    def stream(self) -> Stream[bytes]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, NAME)


def bodies(caplog: pytest.LogCaptureFixture) -> tuple[object, object]:
    (record,) = caplog.records
    assert SECRET not in record.getMessage()
    return record.__dict__["request_body"], record.__dict__["response_body"]


def test_without_being_asked_for_no_body_is_logged(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    client = Bank(transport=api(Reply(json={"id": 7})).transport, plugins=[LoggerPlugin(logging.getLogger(NAME))])
    client.add({"user": "octocat"})
    (record,) = caplog.records
    assert "octocat" not in record.getMessage()
    assert {"request_body", "response_body"} & set(record.__dict__) == set()


def test_bodies_stand_in_the_line_and_in_its_fields(
    api: MakeApi, colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    client = Bank(transport=api(Reply(json={"id": 7, "access_token": SECRET})).transport)
    colour.run(client.add, {"user": "ä", "password": SECRET, "n": [1, {"apiKey": SECRET}]})
    sent = '{"user":"ä","password":"[redacted]","n":[1,{"apiKey":"[redacted]"}]}'
    received = '{"id":7,"access_token":"[redacted]"}'
    assert bodies(caplog) == (sent, received)
    assert caplog.messages[0].endswith(f" s, sent {sent}, received {received}")


def test_a_secret_type_hides_its_field(api: MakeApi, colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    """Under every name that it may be sent or received by."""
    answer = {
        "id": 7,
        "iban": SECRET,
        "c1": SECRET,
        "c2": [{"c3": SECRET}],
        "hidden": {"k": SECRET},
        "listed": [SECRET],
        "parent": {"id": 8, "iban": SECRET},
    }
    client = Bank(transport=api(Reply(json=answer)).transport)
    colour.run(client.open, Account(id=7, iban=SecretStr(SECRET), listed=[SecretStr(SECRET)]))
    sent, received = bodies(caplog)
    assert json.loads(str(sent))["iban"] == "[redacted]"
    assert json.loads(str(received)) == {
        "id": 7,
        "iban": "[redacted]",
        "c1": "[redacted]",
        "c2": "[redacted]",
        "hidden": {"k": "[redacted]"},
        "listed": "[redacted]",
        "parent": {"id": 8, "iban": "[redacted]"},
    }


@pytest.mark.parametrize("status", [404, 409])
def test_a_secret_of_a_declared_error_is_hidden(api: MakeApi, caplog: pytest.LogCaptureFixture, status: int) -> None:
    with pytest.raises(CallError):
        Bank(transport=api(Reply(status, json={"hint": SECRET, "number": 5})).transport).accounts()
    assert bodies(caplog) == (None, '{"hint":"[redacted]","number":5}')


@pytest.mark.parametrize("hint", [Login, Shape, list[Login]], ids=repr)
def test_records_of_every_kind_have_secrets(hint: object) -> None:
    assert set(_log_bodies._names(hint)) == {"phrase"}


def test_a_result_that_is_a_secret_is_no_more_than_a_size(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    Bank(transport=api(Reply(json={"data": SECRET})).transport).secret()
    assert bodies(caplog) == (None, "<application/json, 18 bytes>")


def test_a_body_that_is_a_secret_is_no_more_than_a_size(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    class Vault(Bank):
        @post("/vault")
        def put_in(self, phrases: Annotated[list[Sent], Body()]) -> None:
            raise NotImplementedError

    Vault(transport=api(Reply(204)).transport).put_in([SecretStr(SECRET)])
    sent, received = bodies(caplog)
    assert str(sent).startswith("<application/json, ")
    assert received is None


def test_a_form_hides_names_and_secret_types(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    Bank(transport=api(Reply(json=1)).transport).form("octocat", SecretStr(SECRET))
    assert bodies(caplog) == ("user=octocat&iban=[redacted]", "1")


def test_a_form_that_is_cut_is_no_more_than_a_size(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """A name may have been cut off from its value."""
    Bank(transport=api(Reply(json=1)).transport).form("o" * 300, SecretStr(SECRET))
    assert bodies(caplog)[0] == "<application/x-www-form-urlencoded, 317 bytes>"


def test_a_url_in_json_is_redacted(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    answer = {"next": f"https://u:{SECRET}@x.test/a?page=2&token={SECRET}"}
    Bank(transport=api(Reply(json=answer)).transport).anything()
    assert bodies(caplog) == (None, '{"next":"https://x.test/a?page=2&token=[redacted]"}')


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (Reply(content=b"PNG" + SECRET.encode(), headers={"Content-Type": "image/png"}), "<image/png, 9 bytes>"),
        (Reply(content=SECRET.encode(), headers={"Content-Type": "text/plain; x=1"}), "<text/plain, 6 bytes>"),
        (Reply(content=SECRET.encode()), "<without a type, 6 bytes>"),
        (Reply(content=b""), None),
    ],
    ids=["binary", "text", "untyped", "empty"],
)
def test_what_has_no_names_is_no_more_than_a_size(
    api: MakeApi, caplog: pytest.LogCaptureFixture, answer: Reply, shown: str | None
) -> None:
    Bank(transport=api(answer).transport).text()
    assert bodies(caplog) == (None, shown)


@pytest.mark.parametrize("content", [b"{" + SECRET.encode(), b"\xff", b"[" * 150, b'{"a": 1} x'], ids=repr)
def test_what_only_says_that_it_is_json_is_no_more_than_a_size(
    api: MakeApi, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    answer = Reply(500, content=content, headers={"Content-Type": "application/problem+json"})
    with pytest.raises(CallError):
        Bank(transport=api(answer).transport).anything()
    assert bodies(caplog) == (None, f"<application/problem+json, {len(content)} bytes>")


def test_a_number_that_python_does_not_write_is_no_more_than_a_size() -> None:
    content = b"1" * 5000
    assert _log_bodies._shown("application/json", content, frozenset(), 9000) == "<application/json, 5000 bytes>"


def test_a_long_body_is_cut_and_still_redacted(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """What lies behind the cut is not read, and what lies before it has kept its names."""
    answer = {"secret": {"value": SECRET}, "items": ["ä" * 10] * 100, "token": SECRET}
    Bank(transport=api(Reply(json=answer)).transport).anything()
    _, shown = bodies(caplog)
    start, _, rest = str(shown).partition(" ... ")
    assert start.startswith('{"secret":"[redacted]","items":["ää')
    assert len(start) <= 200
    assert rest == f"({len(json.dumps(answer))} bytes)"


@pytest.mark.parametrize("cut", range(1, 120))
def test_no_cut_shows_a_secret(cut: int) -> None:
    document = {"a": "é\x85", "credentials": {"user": SECRET, "list": [SECRET, SECRET]}, "password": SECRET, "z": 1}
    content = json.dumps(document, ensure_ascii=False).encode()
    assert SECRET not in _log_bodies._shown("application/json", content, frozenset(), cut)


def test_a_body_stays_on_its_line(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """And moves no cursor: it is still JSON, with the same text in it."""
    text = "a\nb\x85c\u2028d\x9b2Je\U000e0001"
    Bank(transport=api(Reply(json=text)).transport).anything()
    _, shown = bodies(caplog)
    assert str(shown).isprintable()
    assert json.loads(str(shown)) == text


def test_what_is_streamed_is_not_read(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    client = Bank(transport=api(Reply(content=SECRET.encode())).transport)
    with client.stream() as stream:
        assert b"".join(stream) == SECRET.encode()
    assert bodies(caplog) == (None, "<streamed>")


def test_what_is_sent_from_elsewhere_is_not_read(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    Bank(transport=api(Reply(json=1)).transport).rows(iter([SECRET.encode()]))
    sent, _ = bodies(caplog)
    assert sent == "<stream>"


def test_bytes_and_files_are_no_more_than_a_size(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    client = Bank(transport=api(Reply(json=1)).transport)
    client.raw(SECRET.encode())
    assert bodies(caplog)[0] == "<application/octet-stream, 6 bytes>"
    caplog.clear()
    client.file(SECRET.encode())
    assert str(bodies(caplog)[0]).startswith("<multipart/form-data, ")


def test_a_call_that_fails_shows_what_it_sent(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_: Any) -> Reply:
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        Bank(transport=api(breaks).transport).add({"a": 1})
    assert bodies(caplog) == ('{"a":1}', None)


def test_a_call_without_a_stub_has_bodies_too(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    Bank(transport=api(Reply(json=[{"id": 1, "iban": SECRET}])).transport).call("GET", "/a", into=list[Account])
    assert bodies(caplog) == (None, '[{"id":1,"iban":"[redacted]"}]')


def test_a_request_made_by_hand_declares_nothing() -> None:
    request = Request("POST", "https://bank.test/", headers={"Content-Type": "application/json"}, content=b"[1]")
    assert _log_bodies._sent(request, 10) == "[1]"
    assert _log_bodies._received(request, Response(200, json={"token": SECRET}), 99) == '{"token":"[redacted]"}'
