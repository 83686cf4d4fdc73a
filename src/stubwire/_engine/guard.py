"""Connections whose call may be cut at any point: each is used up, closed, or lives on, and none is forgotten.

This module's rule: a guard stands between a pool of httpcore and one of its connections. When a request fails, or its
response is left, a connection that cannot be known to be in order takes no further request, and is closed as soon as
nobody uses it.

A synchronous connection serves one call at a time, with HTTP/2 too: two threads that share one would wait for each
other's reads, where no deadline reaches them.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from stubwire._engine.backend import has_hung_up
from stubwire._engine.opening import Noting, aclose_all, note


class _Guard:
    """What both colours share.

    Args:
        connection: of httpcore.
        core: httpcore.
        keeps: whether it may take a second request; false in a pool that was closed.
    """

    def __init__(self, connection: Any, core: ModuleType, *, keeps: bool = True) -> None:
        self._connection = connection
        self._unavailable: type[Exception] = core.ConnectionNotAvailable
        self._keeps = keeps
        self._opened: list[Any] = []
        """Its sockets."""
        self._retired = False
        """Whether it takes no further request."""
        self._protocol: Any = None
        """The innermost connection, once it is known which protocol it speaks."""

    def __getattr__(self, name: str) -> Any:
        """What a guard does not change; looked up once."""
        value = getattr(self._connection, name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        """Show the connection."""
        return repr(self._connection)

    def _await(self, *, begins: bool) -> None:
        """Begin, or end, to count what arrives before a response; whoever aborts may have taken the socket away."""
        for stream in list(self._opened):
            if begins:
                stream.allowance.begin()
            else:
                stream.allowance.end()

    def is_closed(self) -> bool:
        """Whether the pool may forget it."""
        return self._retired or self._connection.is_closed()

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the server closed it meanwhile.

        With HTTP/2 httpcore does not look whether it did, and a request that cannot be sent again would be lost.
        """
        if self._connection.has_expired():
            return True
        if self._spoken("_h2_state") is None or not self._connection.is_idle():
            return False
        return any(has_hung_up(stream.get_extra_info("socket")) for stream in self._opened)

    def _has_surplus(self) -> bool:
        """Whether the server said more than its response, which httpcore would take for the beginning of the next."""
        state = self._spoken("_h11_state")
        return state is not None and bool(state.trailing_data[0])

    def _spoken(self, state: str) -> Any:
        """The state of a protocol, if this is what is spoken; nothing public tells."""
        if self._protocol is None:
            spoken = self._connection
            while (inner := getattr(spoken, "_connection", None)) is not None:
                spoken = inner
            if not (hasattr(spoken, "_h11_state") or hasattr(spoken, "_h2_state")):
                return None
            self._protocol = spoken
        return getattr(self._protocol, state, None)


class Guard(_Guard):
    """A synchronous connection."""

    def __init__(self, connection: Any, core: ModuleType, *, keeps: bool = True) -> None:
        super().__init__(connection, core, keeps=keeps)
        self._used = threading.Lock()

    def handle_request(self, request: Any) -> Any:
        """Send a request.

        Raises:
            Exception: httpcore's `ConnectionNotAvailable`: somebody else uses it, or it was closed.
        """
        if not self._used.acquire(blocking=False):
            raise self._unavailable
        try:
            answer = self._send(request)
        except BaseException as error:
            self.leave(whole=isinstance(error, self._unavailable))
            raise
        answer.stream = Arriving(answer.stream, self)
        return answer

    def _send(self, request: Any) -> Any:
        if self._retired:
            raise self._unavailable
        if self._opened:
            self._await(begins=True)
            answer = self._connection.handle_request(request)
        else:
            with Noting(self._opened):
                answer = self._connection.handle_request(request)
        self._await(begins=False)
        return answer

    def leave(self, *, whole: bool) -> None:
        """End its use; `whole` says whether it is in order."""
        self._retired = self._retired or not whole or not self._keeps or self._has_surplus()
        self._used.release()
        if self._retired:
            self.close()

    def is_available(self) -> bool:
        """Whether it takes a request now."""
        return not self._used.locked() and bool(self._connection.is_available())

    def is_idle(self) -> bool:
        """Whether nobody uses it."""
        return not self._used.locked() and bool(self._connection.is_idle())

    def can_multiplex(self) -> bool:
        """Whether it takes several requests at once: never."""
        return False

    def close(self) -> None:
        """Close it, as soon as nobody uses it: a pool may think it idle while somebody begins."""
        self._retired = True
        if self._used.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._used.release()

    def abort(self) -> None:
        """End it though another thread may use it, which closes it."""
        self._retired = True
        for stream in list(self._opened):
            stream.abort()

    def _end(self) -> None:
        try:
            self._connection.close()
        finally:
            while self._opened:
                self._opened.pop().close()


class Arriving:
    """The body of a response on a guarded connection."""

    def __init__(self, stream: Any, guard: Guard) -> None:
        self._stream = stream
        self._guard: Guard | None = guard
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        """Its pieces."""
        yield from self._stream
        self._whole = True

    def close(self) -> None:
        """End the use of the connection."""
        guard, self._guard = self._guard, None
        if guard is not None:
            try:
                self._stream.close()
            finally:
                guard.leave(whole=self._whole)


class AsyncGuard(_Guard):
    """An asynchronous connection."""

    def __init__(self, connection: Any, core: ModuleType, *, keeps: bool = True) -> None:
        super().__init__(connection, core, keeps=keeps)
        self._users = 0
        self._begun = False
        self._aborted = False

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request.

        Raises:
            Exception: httpcore's `ConnectionNotAvailable`: somebody else uses it, or it was closed.
        """
        if self._retired:
            raise self._unavailable
        self._begun = True
        self._users += 1
        try:
            answer = await self._send(request)
        except BaseException as error:
            if self.leave(whole=isinstance(error, self._unavailable)):
                await self.aclose()
            raise
        answer.stream = arriving = AsyncArriving(answer.stream, self)
        note(arriving)
        return answer

    async def _send(self, request: Any) -> Any:
        if self._opened:
            self._await(begins=True)
            answer = await self._connection.handle_async_request(request)
        else:
            with Noting(self._opened):
                answer = await self._connection.handle_async_request(request)
        self._await(begins=False)
        return answer

    def leave(self, *, whole: bool) -> bool:
        """End one use; `whole` says whether it is in order. What is returned says whether to close it."""
        self._retired = self._retired or not whole or not self._keeps or self._has_surplus()
        self._users -= 1
        return self._retired

    def is_available(self) -> bool:
        """Whether it takes a request now."""
        return not self._retired and bool(self._connection.is_available())

    def is_idle(self) -> bool:
        """Whether nobody uses it."""
        return not self._users and bool(self._connection.is_idle())

    def is_unused(self) -> bool:
        """Whether nobody ever used it: the pool keeps one for whoever it was made for, who may be gone."""
        return not self._begun

    def abort(self) -> None:
        """Let it be closed though somebody uses it."""
        self._aborted = True

    async def aclose(self) -> None:
        """Close it, as soon as nobody uses it."""
        self._retired = True
        if self._aborted or not self._users:
            await self._end()

    async def _end(self) -> None:
        from anyio import CancelScope

        with CancelScope(shield=True):
            try:
                await self._connection.aclose()
            finally:
                opened = list(self._opened)
                self._opened.clear()
                await aclose_all(opened)


class AsyncArriving:
    """The body of a response on a guarded connection.

    What asyncio itself cancels goes through httpcore's shields, and a pool whose `aclose` is cut never counts the
    response as closed. So closing goes on to its end here, and `interruption` is what is to be raised afterwards.
    """

    def __init__(self, stream: Any, guard: AsyncGuard) -> None:
        self.interruption: BaseException | None = None
        self._stream = stream
        self._pieces: AsyncIterator[bytes] | None = None
        self._guard: AsyncGuard | None = guard
        self._whole = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its pieces."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        if self._pieces is None:
            self._pieces = aiter(self._stream)
        try:
            return await anext(self._pieces)
        except StopAsyncIteration:
            self._whole = True
            raise

    async def aclose(self) -> None:
        """End the use of the connection."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        try:
            await self._stream.aclose()
        except BaseException as error:  # noqa: BLE001 - raised by whoever closes the whole
            self.interruption = error
        try:
            if guard.leave(whole=self._whole and self.interruption is None):
                await guard.aclose()
        except BaseException as error:  # noqa: BLE001
            self.interruption = error
