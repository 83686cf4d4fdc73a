"""Streams of servers that nobody here wrote: fakellm's server-sent events, httpbin's lines and bytes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from beds import bed
from conftest import Clock  # noqa: TC001 - fixtures are typed
from streaming import read
from stubwire import (
    SSE,
    ApiClient,
    DecodeError,
    Event,
    Header,
    Limits,
    NotFoundError,
    RateLimitError,
    ResponseValidationError,
    Retry,
    Stream,
    get,
    post,
)
from witnesses import httpbin

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

ONE = Limits(max_connections=1, max_keepalive_connections=1)
"""So that a connection that is not released would be missed."""


@pytest.fixture(scope="module")
def llm_url() -> Iterator[str]:
    with bed("start_small.sh", "fakellm", "{0}") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def bin_url() -> Iterator[str]:
    with httpbin() as started:
        yield started


# -- fakellm


class Message(BaseModel):
    role: Literal["user", "assistant"] | None = None
    content: str = ""


class Prompt(BaseModel):
    model: str = "gpt-4o"
    messages: list[Message]
    stream: bool = False
    max_tokens: int = 100


class Choice(BaseModel):
    index: int
    message: Message | None = None
    delta: Message | None = None
    finish_reason: str | None


class Completion(BaseModel):
    id: str
    object: Literal["chat.completion", "chat.completion.chunk"]
    choices: list[Choice]


class Start(BaseModel):
    type: Literal["message_start"]


class Delta(BaseModel):
    type: Literal["content_block_delta"]
    delta: dict[str, str]


class Other(BaseModel):
    type: Literal["content_block_start", "content_block_stop", "message_delta", "message_stop"]


class Failure(BaseModel):
    message: str
    type: str


class Failed(BaseModel):
    error: Failure


class Stats(BaseModel):
    by_rule: dict[str, int]
    conversations: dict[str, dict[str, int]]


class Chat(ApiClient):
    errors = {429: Failed}

    @post("/v1/chat/completions")
    def complete(
        self, prompt: Prompt, conversation: Annotated[str | None, Header("X-Fakellm-Conversation-Id")] = None
    ) -> Completion:
        raise NotImplementedError

    @post("/v1/chat/completions", stream=SSE(terminator="[DONE]"))
    def chunks(self, prompt: Prompt) -> Stream[Completion]:
        raise NotImplementedError

    @post("/v1/chat/completions", stream=SSE(terminator="[DONE]"))
    def events(self, prompt: Prompt) -> Stream[Event[Completion]]:
        raise NotImplementedError

    @post("/v1/chat/completions")
    def texts(self, prompt: Prompt) -> Stream[Event[str]]:
        raise NotImplementedError

    @post("/v1/chat/completions")
    def endless(self, prompt: Prompt) -> Stream[Completion]:
        raise NotImplementedError

    @post("/v1/chat/completions")
    def lines(self, prompt: Prompt) -> Stream[str]:
        raise NotImplementedError

    @post("/v1/messages")
    def messages(self, prompt: Prompt) -> Stream[Event[Annotated[Start | Delta | Other, Field(discriminator="type")]]]:
        raise NotImplementedError

    @get("/_fakellm/stats")
    def stats(self) -> Stats:
        raise NotImplementedError


def prompt(text: str = "hi", *, stream: bool = True) -> Prompt:
    return Prompt(messages=[Message(role="user", content=text)], stream=stream)


ANSWER = "Hello, unicode é 你好"


def text_of(chunks: list[Completion]) -> str:
    return "".join(choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta)


@pytest.fixture
def chat(llm_url: str, engine: EngineName) -> Iterator[Chat]:
    with Chat(base_url=llm_url, limits=ONE, engine=engine, proxy=None) as opened:
        yield opened


def test_an_answer_comes_whole(chat: Chat, colour: Colour) -> None:
    answer: Completion = colour.run(chat.complete, prompt(stream=False))
    assert [choice.message for choice in answer.choices] == [Message(role="assistant", content=ANSWER)]


def test_an_answer_comes_as_models_until_it_is_done(chat: Chat, colour: Colour) -> None:
    found = read(colour, chat.chunks, prompt())
    assert found.error is None
    assert text_of(found.items) == ANSWER
    assert len({chunk.id for chunk in found.items}) == 1
    assert [chunk.choices[0].finish_reason for chunk in found.items] == [None, None, None, None, None, "stop"]
    assert found.stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_an_answer_comes_as_events(chat: Chat, colour: Colour) -> None:
    found: list[Event[Completion]] = read(colour, chat.events, prompt()).items
    assert text_of([event.data for event in found]) == ANSWER
    assert {(event.event, event.id, event.retry) for event in found} == {("message", "", None)}
    texts: list[Event[str]] = read(colour, chat.texts, prompt()).items
    assert texts[-1].data == "[DONE]"
    assert text_of([Completion.model_validate_json(text.data) for text in texts[:-1]]) == ANSWER


def test_a_terminator_that_is_not_declared_is_no_model(chat: Chat, colour: Colour) -> None:
    """The models before it were given out."""
    found = read(colour, chat.endless, prompt())
    assert text_of(found.items) == ANSWER
    assert isinstance(found.error, DecodeError)
    assert str(found.error).endswith("answered 200 with event 7 that is not JSON")


def test_events_are_lines_too(chat: Chat, colour: Colour) -> None:
    lines: list[str] = read(colour, chat.lines, prompt()).items
    assert (lines[0][:7], lines[-2:]) == ("data: {", ["data: [DONE]", ""])


def test_events_have_their_names(chat: Chat, colour: Colour) -> None:
    found: list[Event[Any]] = read(colour, chat.messages, prompt()).items
    assert [event.event for event in found] == [event.data.type for event in found]
    assert isinstance(found[0].data, Start)
    deltas = [event.data.delta["text"] for event in found if isinstance(event.data, Delta)]
    assert "".join(deltas) == ANSWER
    assert found[-1].data == Other(type="message_stop")


@pytest.mark.parametrize("most", [1, 3])
def test_an_answer_that_is_left_early_frees_its_connection(chat: Chat, colour: Colour, most: int) -> None:
    """There is one connection; left open, it would keep the next call waiting for ever."""
    for endpoint in (chat.chunks, chat.events, chat.texts, chat.messages):
        assert len(read(colour, endpoint, prompt(), most=most).items) == most
    assert text_of(read(colour, chat.chunks, prompt()).items) == ANSWER


def test_an_answer_that_is_left_early_frees_its_connection_to_the_same_loop(chat: Chat) -> None:
    async def leave_and_go_on() -> str:
        for _ in range(5):
            async with chat.chunks.aio(prompt()) as chunks:
                async for _ in chunks:
                    break
        async with chat.chunks.aio(prompt()) as chunks:
            return text_of([chunk async for chunk in chunks])

    assert asyncio.run(leave_and_go_on()) == ANSWER


def test_many_answers_come_at_once(llm_url: str, engine: EngineName) -> None:
    async def answer(client: Chat) -> str:
        async with client.chunks.aio(prompt()) as chunks:
            return text_of([chunk async for chunk in chunks])

    async def all_at_once() -> list[str]:
        async with Chat(base_url=llm_url, engine=engine, proxy=None) as client:
            return await asyncio.gather(*(answer(client) for _ in range(25)))

    assert asyncio.run(all_at_once()) == [ANSWER] * 25


def test_a_429_is_retried_and_then_raised(llm_url: str, engine: EngineName, colour: Colour, clock: Clock) -> None:
    """fakellm counts the turns of a conversation: so many requests came."""
    conversation = f"rate-{engine}-{colour.name}"
    with Chat(base_url=llm_url, retry=Retry(max_retries=3), engine=engine, proxy=None) as client:
        with pytest.raises(RateLimitError) as error:
            colour.run(client.complete, prompt("the rate", stream=False), conversation)
        assert colour.run(client.stats).conversations[conversation]["turn"] == 4
    assert error.value.body == Failed(error=Failure(message="slow down", type="mock_error"))
    assert [attempt.status_code for attempt in error.value.attempts] == [429] * 4
    assert len(clock.waits) == 3


# -- httpbin


class Line(BaseModel):
    id: int
    args: dict[str, str]
    headers: dict[str, str]


class Wrong(BaseModel):
    id: Annotated[int, Field(lt=3)]


class Bin(ApiClient):
    @get("/stream/<n>")
    def lines(self, n: int, q: str = "ü") -> Stream[Line]:
        raise NotImplementedError

    @get("/stream/<n>")
    def wrong(self, n: int) -> Stream[Wrong]:
        raise NotImplementedError

    @get("/stream/<n>")
    def texts(self, n: int) -> Stream[str]:
        raise NotImplementedError

    @get("/stream-bytes/<n>")
    def random(self, n: int, seed: int, chunk_size: int) -> Stream[bytes]:
        raise NotImplementedError

    @get("/drip")
    def drip(self, numbytes: int, duration: float, code: int = 200) -> Stream[bytes]:
        raise NotImplementedError

    @get("/encoding/utf8")
    def utf8(self) -> Stream[str]:
        raise NotImplementedError

    @get("/encoding/utf8")
    def utf8_whole(self) -> str:
        raise NotImplementedError


@pytest.fixture
def bins(bin_url: str, engine: EngineName) -> Iterator[Bin]:
    with Bin(base_url=bin_url, limits=ONE, engine=engine, proxy=None) as opened:
        yield opened


def test_lines_of_json_are_models(bins: Bin, colour: Colour) -> None:
    found: list[Line] = read(colour, bins.lines, 100, "é&").items
    assert [line.id for line in found] == list(range(100))
    assert found[0].args == {"q": "é&"}
    accept = "application/x-ndjson, application/jsonl, text/event-stream;q=0.9, */*;q=0.5"
    assert {line.headers["Accept"] for line in found} == {accept}
    assert [text[:8] for text in read(colour, bins.texts, 3).items] == ['{"url": '] * 3


def test_a_line_that_does_not_fit_comes_after_those_before_it(bins: Bin, colour: Colour) -> None:
    found = read(colour, bins.wrong, 10)
    assert [line.id for line in found.items] == [0, 1, 2]
    assert isinstance(found.error, ResponseValidationError)
    assert "line 4" in str(found.error)


def test_lines_that_are_left_early_free_their_connection(bins: Bin, colour: Colour) -> None:
    for most in (1, 7, 100):
        assert len(read(colour, bins.lines, 100, most=most).items) == most
    assert len(read(colour, bins.lines, 2).items) == 2


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_bytes_come_as_they_were_generated(bins: Bin, colour: Colour, size: int) -> None:
    generated = random.Random(7)
    wanted = bytes(generated.randint(0, 255) for _ in range(size))
    assert b"".join(read(colour, bins.random, size, 7, 900).items) == wanted


def test_text_comes_line_by_line(bins: Bin, colour: Colour) -> None:
    whole: str = colour.run(bins.utf8_whole)
    assert read(colour, bins.utf8).items == whole.splitlines()


def test_bytes_that_drip_come_one_by_one(bins: Bin, colour: Colour) -> None:
    assert b"".join(read(colour, bins.drip, 10, 0.05).items) == b"*" * 10
    assert read(colour, bins.drip, 1000, 60, most=1).items[0].startswith(b"*")  # and nobody waits a minute
    assert b"".join(read(colour, bins.drip, 3, 0).items) == b"***"


def test_what_is_no_success_is_raised_where_it_is_opened(bins: Bin, colour: Colour) -> None:
    found = read(colour, bins.drip, 3, 0, 404)
    assert (type(found.error), found.items) == (NotFoundError, [])
    assert found.error.response.content == b"***"
