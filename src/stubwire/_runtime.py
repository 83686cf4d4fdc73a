"""The effects that the core may have, in both colours, and the driver of synchronous calls.

This module's rule: a runtime sends, lets go, and waits, nothing else. In a synchronous call the core's coroutine is
driven by `send(None)` and never suspends; whatever does is a `ColourError`.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, suppress
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from stubwire import _clock
from stubwire._cancel import Bell
from stubwire._limits import Limited
from stubwire._limits import current as thread_limit
from stubwire.errors import ColourError, StubwireError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from stubwire._limits import Limit
    from stubwire._plan import Plan
    from stubwire._pool import Pool
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._scope import Scope
    from stubwire._streamed import Body

R = TypeVar("R")

_NO_LOOP = ("no running event loop", "unknown async library", "must be called from async context")
_NO_LOOP_TYPES = ("AsyncLibraryNotFoundError", "NoEventLoopError")
_ADVICE = "make the stub `async def`, or call it through .aio (stubwire.sleep works in both)"


class Runtime(Protocol):
    """The effects."""

    async def send(self, pool: Pool, request: Request, plan: Plan, origin: str, *, trusted: bool) -> Response:
        """Send one request and read its response."""
        ...

    def within(self, limit: Limit) -> AbstractContextManager[object]:
        """A block that ends when the limit does: it is left, or what waits inside raises the limit's failure."""
        ...

    async def release(self, body: Body) -> None:
        """Close the body of a response that was left open."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def wait(self, future: Future[Any], seconds: float | None) -> bool:
        """Wait until a future is done, or for some seconds; `None` is for ever. Whether it is done."""
        ...


class SyncRuntime:
    """The effects of a synchronous call: they block, and never suspend."""

    async def send(self, pool: Pool, request: Request, plan: Plan, origin: str, *, trusted: bool) -> Response:
        """Send on the synchronous pool."""
        exchange = pool.exchange(origin, client_auth=trusted and not plan.own_auth)
        steps = _timeouts(request, plan)
        sent = pool.request(request, steps, origin, trusted=trusted)
        if request._payload is None:
            response = pool.library.send(exchange, sent, plan.max_response_bytes, streams=plan.streams)
        else:
            with request._payload.sending():
                response = pool.library.send(exchange, sent, plan.max_response_bytes, streams=plan.streams)
        if plan.streams:
            _let_read(steps, plan)
        return response

    def within(self, limit: Limit) -> AbstractContextManager[object]:
        """Whatever waits looks at the limit of its thread."""
        return Limited(limit)

    async def release(self, body: Body) -> None:
        """Close it."""
        body.close()

    async def sleep(self, seconds: float) -> None:
        """Block this thread, as long as its limit lets it."""
        limit = thread_limit()
        if limit is None:
            _clock.sleep(seconds)
        else:
            limit.sleep(seconds)

    async def wait(self, future: Future[Any], seconds: float | None) -> bool:
        """Block this thread, as long as its limit lets it."""
        if not future.done():
            bell = Bell()
            future.add_done_callback(lambda _: bell.ring())
            limit = thread_limit()
            if limit is None:
                _clock.wait(bell, seconds)
            else:
                limit.wait(bell, seconds)
                limit.check()
        return future.done()


class AsyncRuntime:
    """The effects of an asynchronous call."""

    async def send(self, pool: Pool, request: Request, plan: Plan, origin: str, *, trusted: bool) -> Response:
        """Send on the pool of the running event loop."""
        exchange = await pool.aexchange(origin, client_auth=trusted and not plan.own_auth)
        steps = _timeouts(request, plan)
        sent = pool.request(request, steps, origin, trusted=trusted)
        if request._payload is None:
            response = await pool.library.asend(exchange, sent, plan.max_response_bytes, streams=plan.streams)
        else:
            async with request._payload.asending():
                response = await pool.library.asend(exchange, sent, plan.max_response_bytes, streams=plan.streams)
        if plan.streams:
            _let_read(steps, plan)
        return response

    def within(self, limit: Limit) -> AbstractContextManager[object]:
        """A scope that the event loop cancels."""
        return _scope()(limit)

    async def release(self, body: Body) -> None:
        """Close it on its event loop."""
        await body.aclose()

    async def sleep(self, seconds: float) -> None:
        """Suspend this task."""
        await _clock.asleep(seconds)

    async def wait(self, future: Future[Any], seconds: float | None) -> bool:
        """Suspend this task, whatever thread sets the future."""
        if not future.done():
            from anyio import Event

            happened = Event()
            soon = _scope()._soon(happened.set)
            future.add_done_callback(lambda _: soon())
            await _clock.await_(happened, seconds)
        return future.done()


@cache
def _scope() -> type[Scope]:
    from stubwire._scope import Scope

    return Scope


def _timeouts(request: Request, plan: Plan) -> Mapping[str, float | None]:
    """Seconds by step, none more than what is left of the call."""
    limit = request._call.limit if request._call is not None else None
    return plan.timeout if limit is None else limit.timeouts(plan.timeout)


def _let_read(steps: Mapping[str, float | None], plan: Plan) -> None:
    """The deadline of a stream ends at the headers; engines look at the timeouts again for each read of the body."""
    cast("dict[str, float | None]", steps).update(plan.timeout)


SYNC = SyncRuntime()
ASYNC = AsyncRuntime()


class _Driving(threading.local):
    """Whether this thread is driving a synchronous call.

    A context variable would not do: a task that is created inside would inherit it.
    """

    active = False


_driving = _Driving()


def current() -> Runtime:
    """The runtime of an asynchronous call made here: a synchronous call's own, if one is being driven."""
    return SYNC if _driving.active else ASYNC


async def bounded(runtime: Runtime, limit: Limit, act: Callable[[], Awaitable[R]]) -> R:
    """Await something that ends when a limit does.

    Raises:
        CallError: the limit came first.
    """
    limit.check()
    with runtime.within(limit):
        return await act()
    raise limit.failure()


async def sleep(seconds: float) -> None:
    """Wait in a middleware or an auth, whatever colour the call has.

    Args:
        seconds: how long.
    """
    await current().sleep(seconds)


async def wait(future: Future[Any], seconds: float | None = None) -> bool:
    """Wait for a future in a plugin, whatever colour the call has.

    Args:
        future: done in any thread.
        seconds: how long; `None` is for ever.

    Returns:
        Whether it is done.
    """
    return await current().wait(future, seconds)


def blocks() -> bool:
    """Whether whoever waits here blocks its thread: what else runs in that thread cannot go on meanwhile."""
    return _driving.active


def run_sync(coroutine: Coroutine[Any, Any, R], name: str) -> R:
    """Drive a coroutine of the core to its end without an event loop.

    Raises:
        ColourError: something in it suspended, or looked for an event loop.
    """
    outer, _driving.active = _driving.active, True
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: R = stop.value
        return result
    except RuntimeError as error:
        if not _looked_for_loop(error):
            raise
        culprit = _culprit_in(error.__traceback__)
        raise ColourError(f"{name}: {culprit} needs an event loop, and this call is synchronous: {_ADVICE}") from error
    finally:
        _driving.active = outer
    raise _suspended(coroutine, name)


def _suspended(coroutine: Coroutine[Any, Any, object], name: str) -> ColourError:
    culprit = _culprit_of(coroutine)
    message = f"{name}: {culprit} awaited something that suspends, and this call is synchronous: {_ADVICE}"
    error = ColourError(message)
    try:
        coroutine.throw(error)
    except ColourError as raised:
        return raised if raised is error else error
    except Exception:  # noqa: BLE001 - whatever the middleware made of it (a result is StopIteration)
        return error
    with suppress(RuntimeError):  # one that awaits for ever ignores that too
        coroutine.close()
    return error


def _looked_for_loop(error: RuntimeError) -> bool:
    return not isinstance(error, StubwireError) and (
        type(error).__name__ in _NO_LOOP_TYPES or str(error).startswith(_NO_LOOP)
    )


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "stubwire" and not module.startswith("stubwire.demo")


def _culprit_of(coroutine: Any) -> str:
    """The outermost function of the user's own that the coroutine waits in."""
    while coroutine is not None and hasattr(coroutine, "cr_frame"):
        frame = coroutine.cr_frame
        if frame is not None and not _is_ours(frame.f_globals.get("__name__", "")):
            return repr(coroutine.__qualname__.rpartition("<locals>.")[2])
        coroutine = coroutine.cr_await
    return "something"


def _culprit_in(traceback: TracebackType | None) -> str:
    while traceback is not None:
        frame = traceback.tb_frame
        if not _is_ours(frame.f_globals.get("__name__", "")):
            return repr(frame.f_code.co_qualname.rpartition("<locals>.")[2])
        traceback = traceback.tb_next
    return "something"
