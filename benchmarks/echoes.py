"""A client of a server that echoes, calls to make with it, and a tally of what they came to."""

import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Annotated, BinaryIO, Literal, ParamSpec

from pydantic import BaseModel

from stubwire import ApiClient, Body, CallError, CallNext, Endpoint, Request, Response, TransportError, get, post
from stubwire.errors import DeadlineExceeded, ReadTimeout

P = ParamSpec("P")
Engine = Literal["httpx", "httpx2"]
ENGINES: tuple[Engine, ...] = ("httpx", "httpx2")
LONG, SHORT = "x" * 500_000, "x" * 50
TIMEOUTS = {ReadTimeout.__name__, DeadlineExceeded.__name__}
"""After these an answer may still have been sent."""


class Echo(BaseModel):
    id: str


class Note(BaseModel):
    text: str


async def ask_before(request: Request, call_next: CallNext) -> Response:
    """Send the same to another place first, whatever comes of that."""
    with suppress(TransportError):
        await call_next(request.replace(url=f"{request.url}-before"))
    return await call_next(request)


class Echoes(ApiClient):
    proxy = None

    @get("/echo/<id>")
    def read(self, id: str) -> Echo:
        raise NotImplementedError

    @post("/echo/<id>")
    def write(self, id: str, note: Note) -> Echo:
        raise NotImplementedError

    @post("/echo/<id>", idempotency_key=True)
    def write_once(self, id: str, note: Note) -> Echo:
        raise NotImplementedError

    @post("/echo/<id>")
    def stream(self, id: str, pieces: Annotated[Iterable[bytes], Body(content_type="text/plain")]) -> Echo:
        raise NotImplementedError

    @post("/echo/<id>")
    def upload(self, id: str, file: Annotated[BinaryIO, Body(content_type="text/plain")]) -> Echo:
        raise NotImplementedError


class Tally:
    """What calls came to, in any number of threads.

    Attributes:
        calls: that have ended.
        answered: of these.
        crossed: of these, with the answer of another.
        retries: that they made.
        errors: how often each came.
        failed: the ids of calls that failed, and had not left the server before it answered.
    """

    def __init__(self) -> None:
        self.calls = self.answered = self.crossed = self.retries = 0
        self.failed: set[str] = set()
        self.errors: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, id: str, outcome: Response[Echo] | CallError) -> None:
        """Count a call that has ended."""
        with self._lock:
            self.calls += 1
            self.retries += len(outcome.attempts) - 1
            if isinstance(outcome, Response):
                self.answered += 1
                self.crossed += outcome.data.id != id
            else:
                self.errors[type(outcome).__name__] += 1
                if not any(attempt.error in TIMEOUTS for attempt in outcome.attempts):
                    self.failed.add(id)


Job = tuple[str, Callable[[], Response[Echo]], Callable[[], Coroutine[object, object, Response[Echo]]]]
"""The id of a call, and the call in each colour."""


def _job(id: str, endpoint: Endpoint[P, Echo], *args: P.args, **kwargs: P.kwargs) -> Job:
    return id, partial(endpoint.response, *args, **kwargs), partial(endpoint.aio.response, *args, **kwargs)


def jobs(client: Echoes, ids: Iterator[int], name: str) -> Iterator[Job]:
    """Calls to make, most of them a POST without a key; some take long to send, and some have a deadline."""
    brief = client.with_options(deadline=1.0)
    for number in ids:
        on = brief if number % 10 == 9 else client
        id = f"{name}-{number}"
        text = LONG if number % 50 in (1, 3, 7) else SHORT
        kind = number % 8
        if kind in (0, 4):
            yield _job(id, on.read, id)
        elif kind in (2, 6):
            yield _job(id, on.write_once, id, Note(text=text))
        elif kind == 3:
            yield _job(id, on.stream, id, (text.encode() for _ in range(3)))
        elif kind == 7:
            yield _job(id, on.upload, id, BytesIO(text.encode()))
        else:
            yield _job(id, on.write, id, Note(text=text))


def work(todo: Iterator[Job], tally: Tally, goes_on: Callable[[], bool]) -> None:
    """Make calls, synchronously."""
    while goes_on():
        id, call, _ = next(todo)
        outcome: Response[Echo] | CallError
        try:
            outcome = call()
        except CallError as error:
            outcome = error
        tally.add(id, outcome)


async def awork(todo: Iterator[Job], tally: Tally, goes_on: Callable[[], bool]) -> None:
    """Make calls, asynchronously."""
    while goes_on():
        id, _, acall = next(todo)
        outcome: Response[Echo] | CallError
        try:
            outcome = await acall()
        except CallError as error:
            outcome = error
        tally.add(id, outcome)
