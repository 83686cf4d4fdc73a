"""Secrets in bodies, and secrets that no type declares: sent where they should be, and shown nowhere."""

from __future__ import annotations

import pickle
from typing import Annotated, Any, NotRequired

import pytest
from pydantic import BaseModel, Field, PlainSerializer, SecretBytes, SecretStr
from typing_extensions import TypedDict, Unpack

from conftest import Api, Colour, EngineName, Reply
from stubwire import ApiClient, ArgumentError, Body, File, Form, Header, HTTPStatusError, Query, Request, get, post

SECRET = "83512"
SHOWN = "[redacted]"
UNDECLARED = "a secret needs a type that says so, or logs and errors would show it: write SecretStr"

Sent = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]


class Answer(BaseModel):
    reply: Sent


class Question(BaseModel):
    text: str
    first: Annotated[Answer | None, Field(serialization_alias="one")] = None
    answers: list[Answer] = []
    hints: dict[str, Sent] = {}


class Fields(TypedDict):
    reply: Annotated[SecretStr, Form()]
    text: NotRequired[Annotated[str, Form()]]


class Loose(BaseModel):
    thing: Any


class Quiz(ApiClient):
    base_url = "https://quiz.example"

    @post("/form")
    def form(self, reply: Annotated[SecretStr, Form()], text: Annotated[str, Form()] = "t") -> None:
        raise NotImplementedError

    @post("/form")
    def spread(self, answer: Annotated[Answer, Form()]) -> None:
        raise NotImplementedError

    @post("/form")
    def unpacked(self, **fields: Unpack[Fields]) -> None:
        raise NotImplementedError

    @post("/parts")
    def parts(self, reply: Annotated[SecretStr, Form()], file: Annotated[bytes, File()]) -> None:
        raise NotImplementedError

    @post("/json")
    def ask(self, question: Question) -> None:
        raise NotImplementedError

    @post("/json")
    def embedded(self, reply: Annotated[Sent, Body(embed=True)]) -> None:
        raise NotImplementedError

    @post("/lines")
    def lines(self, answers: Annotated[list[Answer], Body(content_type="application/jsonl")]) -> None:
        raise NotImplementedError

    @get("/x", query_style="deep")
    def loose(
        self,
        *,
        x: Any = None,
        several: Annotated[list[Any], Query()] = [],  # noqa: B006 - never changed
        thing: Annotated[Loose | None, Query()] = None,
        header: Annotated[object, Header("X-Thing")] = None,
    ) -> None:
        raise NotImplementedError

    @get("/x")
    def plain(self, x: object = None) -> None:
        raise NotImplementedError


def _requests() -> dict[str, Request]:
    quiz, secret, answer = Quiz(), SecretStr(SECRET), Answer(reply=SecretStr(SECRET))
    question = Question(text="t", first=answer, answers=[answer], hints={"a": secret})
    return {
        "form": quiz.form.request(secret),
        "spread": quiz.spread.request(answer),
        "unpacked": quiz.unpacked.request(reply=secret),
        "parts": quiz.parts.request(secret, b"a file"),
        "json": quiz.ask.request(question),
        "embedded": quiz.embedded.request(secret),
        "lines": quiz.lines.request([answer, answer]),
    }


@pytest.mark.parametrize("name", _requests())
def test_a_command_line_shows_no_secret_of_a_body(name: str) -> None:
    request = _requests()[name]
    assert SECRET.encode() in (request.content or b"")
    assert SECRET not in request.curl()


def test_a_command_line_shows_the_rest_of_a_body() -> None:
    requests = _requests()
    assert requests["form"].curl().endswith(f"--data-raw 'reply={SHOWN}&text=t'")
    assert (
        requests["json"]
        .curl()
        .endswith(
            f"""--data-raw '{{"text": "t", "one": {{"reply": "{SHOWN}"}}, "answers": [{{"reply": "{SHOWN}"}}], """
            f""""hints": "{SHOWN}"}}'"""
        )
    )
    assert requests["embedded"].curl().endswith(f"""--data-raw '{{"reply": "{SHOWN}"}}'""")
    parts = requests["parts"]
    assert parts.curl().endswith(f"--data-raw '<{len(parts.content or b'')} bytes>'")


def test_an_error_shows_no_secret_of_a_body(engine: EngineName, colour: Colour) -> None:
    server = Api(engine, (Reply(422),))
    with Quiz(transport=server.transport) as quiz, pytest.raises(HTTPStatusError) as caught:
        colour.run(quiz.form, SecretStr(SECRET))
    error = caught.value
    shown = f"{error!r} {error} {error.request!r} {error.request.curl()} {pickle.dumps(error)!r}"
    assert server.request.content.startswith(b"reply=83512")
    assert SECRET not in shown


# -- what no type declares


@pytest.mark.parametrize("value", [SecretStr(SECRET), SecretBytes(SECRET.encode())])
def test_a_secret_that_no_type_declares_is_refused(value: SecretStr | SecretBytes) -> None:
    """Nobody would know which name to redact."""
    quiz = Quiz()
    asked: dict[str, Any] = {"x": value, "several": [value], "thing": Loose(thing=value), "header": value}
    for name, item in asked.items():
        with pytest.raises(ArgumentError) as caught:
            quiz.loose.request(**{name: item})
        assert str(caught.value) == f"Quiz.loose: {name}: {UNDECLARED}"
        assert caught.value.__context__ is None
    with pytest.raises(ArgumentError) as caught:
        quiz.plain.request(value)
    assert str(caught.value) == f"Quiz.plain: x: {UNDECLARED}"


def test_a_call_without_a_stub_hides_several_secrets_as_one(engine: EngineName) -> None:
    server = Api(engine, (Reply(500),))
    client = Quiz(transport=server.transport, retry=None)
    with client, pytest.raises(HTTPStatusError) as caught:
        client.call("GET", "/x", params={"a": [SecretStr(SECRET), "b"], "c": SecretStr(SECRET), "d": 1})
    assert server.request.url.query == b"a=83512&a=b&c=83512&d=1"
    assert str(caught.value.request.url).endswith(f"/x?a={SHOWN}&a={SHOWN}&c={SHOWN}&d=1")


# -- what only looks like a secret


class Comment(BaseModel):
    text: str


class Board(ApiClient):
    base_url = "https://board.example"

    @post("/x")
    def post_(self, comment: Comment) -> None:
        raise NotImplementedError


def test_ten_asterisks_are_no_secret() -> None:
    assert Board().post_.request(Comment(text="*" * 10)).content == b'{"text":"**********"}'
