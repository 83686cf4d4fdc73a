"""What both colours of a stream share.

This module's rule: no I/O of its own. It knows the request, what came of it and who reads it, and says what is done
next; whatever a stream waits for ends when its token is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from stubwire._deadline import limit_between
from stubwire._limits import Limit, Limited
from stubwire._reconnects import Reconnects
from stubwire._runtime import SYNC, bounded
from stubwire._streamed import Blocking, body_of
from stubwire.errors import ReadError

if TYPE_CHECKING:
    from stubwire._call import Call
    from stubwire._core import Core
    from stubwire._items import Reader
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._runtime import Runtime
    from stubwire._stream_kinds import Shape
    from stubwire._streamed import Body
    from stubwire.errors import CallError

T = TypeVar("T")


class Streamed(Generic[T]):
    """What both colours share: the request, what came of it, and who reads it."""

    __stubwire_lazy__ = "stream"

    _core: Core
    _plan: Plan
    _request: Request
    _shape: Shape
    _sent: Request
    _response: Response[Any] | None
    _body: Body | None
    _reader: Reader | None
    _reconnects: Reconnects
    _state: str
    _limit: Limit | None

    @classmethod
    def _make(cls, core: Core, plan: Plan, request: Request, shape: Shape) -> Self:
        """A stream; not `__init__`, because users make none."""
        self = cls.__new__(cls)
        self._core, self._plan, self._request, self._shape = core, plan, request, shape
        self._sent = request
        self._response = self._body = self._reader = None
        self._reconnects = Reconnects(shape.sse)
        self._state = "new"
        self._limit = None if plan.cancel is None else Limit(None, plan.cancel)  # the deadline ends at the headers
        return self

    @property
    def response(self) -> Response[None]:
        """Status and headers of what was opened; after a reconnect, those of the latest response.

        Raises:
            RuntimeError: nothing was opened yet.
        """
        if self._response is None:
            raise RuntimeError(f"{self._name} is not open yet: enter it, or iterate it")
        return self._response

    def __repr__(self) -> str:
        """Show whose it is, and how far."""
        shown = self._state if self._response is None else f"{self._state}, {self._response.status_code}"
        return f"<{type(self).__name__} of {self._plan.name}: {shown}>"

    @property
    def _name(self) -> str:
        return f"the stream of {self._plan.name}"

    def _become(self, state: str, *before: str) -> None:
        """Go on to the next state.

        Raises:
            RuntimeError: it has been there.
        """
        if self._state not in before:
            raise RuntimeError(f"{self._name} is read once, and was: call the endpoint again")
        self._state = state

    def _next_request(self) -> Request:
        """The request of the next connection.

        Raises:
            ReadError: the stream was closed meanwhile.
        """
        if self._state == "closed":
            raise self._closed()
        self._sent = self._request._copy()
        if self._reconnects.last_id:
            self._sent.headers["Last-Event-ID"] = self._reconnects.last_id
        return self._sent

    def _opened(self, response: Response[Any]) -> Body:
        self._response, self._body = response, body_of(response)
        return self._body

    def _closed(self) -> CallError:
        """What whoever reads is told when another task has closed the stream."""
        return self._call.dress(ReadError("was closed while it was read"))

    def _taken(self) -> Body | None:
        """The open body, for the one who closes it."""
        body, self._body = self._body, None
        return body

    def _begin_reading(self) -> Reader:
        self._reader = self._shape.reader(self.response, self._reconnects.last_id)
        return self._reader

    def _wait(self, failure: CallError | None) -> float | None:
        """Seconds until the next connection, or `None` where the stream has ended.

        Raises:
            CallError: the failure, where there is no further connection.
        """
        reader, self._reader = self._reader, None
        if failure is not None and self._state == "closed":
            raise failure
        return self._reconnects.after(self._response, reader, failure)

    @property
    def _call(self) -> Call:
        """The call of the latest connection."""
        return cast("Call", self._sent._call)

    # ---- what waits

    def _chunks(self, body: Body) -> Iterator[bytes]:
        """What arrives, in a synchronous call.

        Raises:
            CancelError: the token was cancelled.
        """
        return body.chunks() if self._limit is None else _limited(body.chunks(), self._limit)

    def _achunks(self, body: Body, runtime: Runtime) -> AsyncIterator[bytes]:
        """The same, also in a synchronous call, where nothing suspends."""
        chunks = Blocking(body.chunks()) if runtime is SYNC else body.achunks()
        return chunks if self._limit is None else _Limited(chunks, runtime, self._limit)

    def _given(self, items: Iterable[Any]) -> Iterable[Any]:
        """What was read of a chunk, as long as it is wanted."""
        return items if self._limit is None else _wanted(items, self._limit)

    async def _pause(self, runtime: Runtime, seconds: float) -> None:
        """Wait between two connections.

        Raises:
            CallError: the token was cancelled, or a deadline passed that all connections share.
        """
        limit = limit_between(self._plan)
        if limit is None:
            await runtime.sleep(seconds)
        else:
            await bounded(runtime, limit, partial(runtime.sleep, seconds))


def _wanted(items: Iterable[Any], limit: Limit) -> Iterator[Any]:
    for item in items:
        limit.check()
        yield item


def _limited(chunks: Iterator[bytes], limit: Limit) -> Iterator[bytes]:
    while True:
        with Limited(limit):
            limit.check()
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


class _Limited:
    """Chunks that are awaited one by one within a limit; no generator, which trio would want to see ended."""

    def __init__(self, chunks: AsyncIterator[bytes], runtime: Runtime, limit: Limit) -> None:
        self._chunks = chunks
        self._runtime = runtime
        self._limit = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await bounded(self._runtime, self._limit, self._chunks.__anext__)
