"""Fixtures: each engine, each colour, and an API in memory."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json as jsonlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import pytest
import trio
from hypothesis import HealthCheck, settings

from stubwire import _clock

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a machine may be busy, and no test measures time

EngineName = Literal["httpx", "httpx2"]
ENGINES: tuple[EngineName, ...] = ("httpx", "httpx2")
COLOURS = ("sync", "asyncio", "trio")


def pytest_report_header() -> str:
    """Say what the suite runs on."""
    return f"stubwire: engines {', '.join(ENGINES)}; colours {', '.join(COLOURS)}"


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: the cycle collector need not look through it in each test."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Reply:
    """What the API answers with; `json` is encoded."""

    status: int = 200
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Fail:
    """What the API fails with: the name of one of the engine's exceptions, such as `"ConnectError"`."""

    name: str
    text: str = "it failed"


Answer = Reply | Fail | Callable[[Any], Reply]


class Api:
    """An API in memory: gives its answers in order, the last one again and again, and keeps the requests it got."""

    def __init__(self, engine: str, answers: tuple[Answer, ...]) -> None:
        self.library = importlib.import_module(engine)
        self.requests: list[Any] = []
        self._answers = list(answers) or [Reply()]
        self.transport = self.library.MockTransport(self._handle)

    @property
    def request(self) -> Any:
        """The only request that came."""
        assert len(self.requests) == 1, f"{len(self.requests)} requests came"
        return self.requests[0]

    def _handle(self, request: Any) -> Any:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Fail):
            raise getattr(self.library, answer.name)(answer.text)
        reply = answer if isinstance(answer, Reply) else answer(request)
        content = (
            jsonlib.dumps(reply.json).encode() if reply.content is None and reply.json is not None else reply.content
        )
        typed = {} if reply.json is None else {"Content-Type": "application/json"}
        return self.library.Response(reply.status, content=content or b"", headers={**typed, **reply.headers})


@dataclass(frozen=True)
class Colour:
    """One way to make a call of a `def` stub."""

    name: str

    def run(self, endpoint: Any, *args: Any, **kwargs: Any) -> Any:
        """Call an endpoint in this colour and return its result."""
        if self.name == "sync":
            return endpoint(*args, **kwargs)
        return self.drive(endpoint.aio, *args, **kwargs)

    def response(self, endpoint: Any, *args: Any, **kwargs: Any) -> Any:
        """The same for `.response`."""
        return (
            self.run(endpoint.response, *args, **kwargs)
            if self.name == "sync"
            else self.drive(endpoint.aio.response, *args, **kwargs)
        )

    def drive(self, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
        """Run an asynchronous function on this colour's event loop."""
        if self.name == "trio":
            return trio.run(partial(function, *args, **kwargs))
        return asyncio.run(function(*args, **kwargs))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """The name of an engine."""
    name: EngineName = request.param
    return name


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> Colour:
    """One colour."""
    return Colour(str(request.param))


@pytest.fixture
def api(engine: str) -> Callable[..., Api]:
    """Make an API in memory on the engine: `api(Reply(503), Reply(200, json={}))`."""
    return lambda *answers: Api(engine, answers)


class Clock:
    """A clock that only moves when something waits, or when it is told to."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.waits: list[float] = []

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds

    def sleep(self, seconds: float) -> None:
        """Wait, synchronously."""
        self.waits.append(seconds)
        self.time += seconds

    async def asleep(self, seconds: float) -> None:
        """Wait, asynchronously."""
        self.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of the real one: no test sleeps."""
    fake = Clock()
    monkeypatch.setattr(_clock, "monotonic", lambda: fake.time)
    monkeypatch.setattr(_clock, "now", lambda: fake.time)
    monkeypatch.setattr(_clock, "sleep", fake.sleep)
    monkeypatch.setattr(_clock, "asleep", fake.asleep)
    return fake
