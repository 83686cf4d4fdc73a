"""What tests of `CachePlugin` share: a tiny client, and requirements of RFC 9111 as scripts of calls and answers.

A row is what a requirement says, and steps that show it: what is called after how long, what the server answers, if it
is asked at all, and what the cache says that it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import fakeredis
import redis

from conftest import Reply
from stubwire import ApiClient, CallError, HTTPStatusError, Response, Retry, delete, get, head, post, put

if TYPE_CHECKING:
    import pytest

    from conftest import Answer, Clock, Colour

START = 1_700_000_000.0
SECRET = "seventeen cups of tea"


class Things(ApiClient):
    base_url = "https://things.test"
    retry: Retry | None = None

    @get("/things/<number>")
    def thing(self, number: int) -> object:
        raise NotImplementedError

    @head("/things/<number>")
    def has(self, number: int) -> None:
        raise NotImplementedError

    @put("/things/<number>")
    def change(self, number: int) -> object:
        raise NotImplementedError

    @delete("/things/<number>")
    def remove(self, number: int) -> object:
        raise NotImplementedError

    @post("/things")
    def add(self) -> object:
        raise NotImplementedError


def in_memory(patch: pytest.MonkeyPatch) -> fakeredis.FakeServer:
    """A Redis in memory, for whoever connects to one."""
    server = fakeredis.FakeServer(server_type="redis")

    def from_url(_: str, **__: object) -> redis.Redis:
        return fakeredis.FakeRedis(server=server)

    patch.setattr(redis.Redis, "from_url", from_url)
    return server


def date(offset: float) -> str:
    """An HTTP date, so many seconds from the start of a test."""
    return formatdate(START + offset, usegmt=True)


def ok(text: str = "", **headers: str) -> Reply:
    """A success; in the names of headers, `_` stands for `-`."""
    return Reply(json=text or "cup", headers={name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True)
class Step:
    """One call.

    Attributes:
        cache: what the cache should say of it.
        answer: what the server does; `None` if it must not be asked.
        after: seconds since the call before.
        headers: of the request.
        sends: headers that the server should see; `None` for one that it should not.
        brings: the data that should come back, if that is checked.
        has: headers that the response should have.
        status: that should come back.
        name: of the endpoint.
        number: its argument, if it takes one.
    """

    cache: str | None
    answer: Answer | None = None
    after: float = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    sends: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    brings: object = None
    has: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    status: int = 200
    name: str = "thing"
    number: int | None = 1


@dataclass(frozen=True)
class Row:
    """A requirement.

    Attributes:
        section: of RFC 9111, or of another where it says so.
        says: the requirement.
        steps: what shows it.
        grace: the plugin's `stale_if_error`.
    """

    section: str
    says: str
    steps: tuple[Step, ...]
    grace: float = 0


class Script:
    """A server that plays the steps of a row."""

    def __init__(self, row: Row, clock: Clock) -> None:
        self.row = row
        self._clock = clock
        self._step = row.steps[0]
        self._asked = 0

    def __call__(self, request: Any) -> Reply:
        step = self._step
        self._asked += 1
        assert step.answer is not None, "the server was asked"
        for name, value in step.sends.items():
            assert request.headers.get(name) == value, name
        assert isinstance(step.answer, Reply)
        return step.answer

    def play(self, client: Things, colour: Colour) -> None:
        """Make the calls of the row."""
        for step in self.row.steps:
            self._step, self._asked = step, 0
            self._clock.advance(step.after)
            response = respond(client.with_options(headers=step.headers), colour, step.name, step.number)
            assert self._asked == (step.answer is not None)
            assert (response.cache, response.status_code) == (step.cache, step.status)
            assert step.brings is None or response.data == step.brings
            for name, value in step.has.items():
                assert response.headers.get(name) == value, name


def respond(client: Things, colour: Colour, name: str = "thing", number: int | None = 1) -> Response:
    """The response of a call, whatever its status."""
    arguments = () if number is None else (number,)
    try:
        response: Response = colour.response(getattr(client, name), *arguments)
    except HTTPStatusError as error:
        return error.response
    return response


def status(client: Things, colour: Colour, name: str = "thing", number: int | None = 1) -> str | None:
    """What the cache says of a call; the name of its error if it fails."""
    try:
        return respond(client, colour, name, number).cache
    except CallError as error:
        return type(error).__name__
