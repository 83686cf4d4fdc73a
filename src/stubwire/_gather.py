"""Many calls at once: `gather`.

This module's rule: a call is taken when there is room for it, and runs in a task of its own; whatever ends them, none
is left that nobody awaits.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Collection,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import closing
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, cast, overload

import anyio
import anyio.lowlevel

from stubwire._progress import Progress, reporter
from stubwire.errors import CallError, ConfigurationError

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from stubwire._progress import Reporter

T = TypeVar("T")

Calls: TypeAlias = Iterable[Awaitable[T]] | AsyncIterable[Awaitable[T]]
"""What gives one call after another."""


@overload
async def gather(
    calls: Calls[T],
    *,
    limit: int = 20,
    return_errors: Literal[False] = False,
    progress: Progress | None = False,
) -> list[T]: ...
@overload
async def gather(
    calls: Calls[T],
    *,
    limit: int = 20,
    return_errors: bool,
    progress: Progress | None = False,
) -> list[T | CallError]: ...
async def gather(
    calls: Calls[T],
    *,
    limit: int = 20,
    return_errors: bool = False,
    progress: Progress | None = False,
) -> list[T] | list[T | CallError]:
    """Await many calls, so many at once, and return their results in the order of the calls.

    `await gather(client.user.aio(name) for name in names)`: a generator is asked for its next call when there is room
    for it, so that a million calls are never there at once. Each runs in a task of its own, on asyncio or trio.

    The first error cancels the calls that run, closes those that have not begun, and is raised itself, in no group.
    So does an error of the iterable, or a cancellation.

    Args:
        calls: coroutines of `.aio(...)` or of `async def` stubs, or anything else to be awaited.
        limit: the most that run at once.
        return_errors: put a `CallError` in the place of the result; other exceptions are raised all the same.
        progress: `True` for a bar (extra `progress`), or a function of the calls that are done and those in all, `None`
            where the iterable does not know how many it has.

    Raises:
        ConfigurationError: `limit` or `progress` cannot be used, or the bar wants its extra.
        TypeError: what is to be awaited cannot be.
    """
    gathering: _Gathering[T] | None = None
    try:
        _check(calls, limit, progress)
        total = len(calls) if isinstance(calls, Collection) else None
        with closing(reporter(progress, total, "gather", "call")) as told:
            gathering = _Gathering[T](limit, told, return_errors=return_errors)
            return await gathering.run(calls, total)
    finally:
        await _leave(calls, gathering.taken if gathering else 0)


def _check(calls: object, limit: object, progress: object) -> None:
    kind = type(calls).__name__
    if type(limit) is not int or limit < 1:
        raise ConfigurationError(f"gather limit={limit!r} must be a whole number from 1")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ConfigurationError(f"gather progress={progress!r} must be True, False, or a function of done and total")
    if isinstance(calls, Awaitable) or not isinstance(calls, (Iterable, AsyncIterable)):
        raise TypeError(f"gather takes an iterable of calls, not one of type {kind}: write gather([...])")


def _check_call(call: object, number: int) -> None:
    if not isinstance(call, Awaitable):
        kind = type(call).__name__
        raise TypeError(f"gather: call {number} is of type {kind}, which cannot be awaited: write client.stub.aio(...)")


class _Gathering(Generic[T]):
    """The calls that were taken so far, and what came of them.

    Attributes:
        taken: how many.
    """

    def __init__(self, limit: int, told: Reporter, *, return_errors: bool) -> None:
        self.taken = 0
        self._told = told
        self._return_errors = return_errors
        self._room = anyio.Semaphore(limit)
        self._results: list[Any] = []
        self._failure: BaseException | None = None

    async def run(self, calls: Calls[T], total: int | None) -> list[T]:
        """Await them."""
        try:
            async with anyio.create_task_group() as group:
                await self._take(calls, total, group)
            if self._failure is not None:
                raise self._failure
            return self._results
        finally:
            self._failure = None  # its traceback leads back here

    async def _take(self, calls: Calls[T], total: int | None, group: TaskGroup) -> None:
        """Begin one call after another, each when there is room for it."""
        try:
            self._told.start(0, total)
            await self._room.acquire()
            if isinstance(calls, AsyncIterable):
                async for call in calls:
                    await self._begin(call, group)
            else:
                for call in calls:
                    await self._begin(call, group)
        except BaseException as error:  # noqa: BLE001 - `run` raises it
            self._fail(error, group)

    async def _begin(self, call: Awaitable[T], group: TaskGroup) -> None:
        """Begin a call, and wait until there is room for another."""
        number, self.taken = self.taken, self.taken + 1
        _check_call(call, number)
        self._results.append(None)
        group.start_soon(self._await, number, call, group)
        await self._room.acquire()

    async def _await(self, number: int, call: Awaitable[T], group: TaskGroup) -> None:
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()  # no call begins after an error
            self._results[number] = await self._result(call)
            self._told.add(1)
        except BaseException as error:  # noqa: BLE001 - `run` raises it
            self._fail(error, group)
        finally:
            _drop(call)
            self._room.release()

    async def _result(self, call: Awaitable[T]) -> T | CallError:
        try:
            return await call
        except CallError as error:
            if self._return_errors:
                return error
            raise

    def _fail(self, error: BaseException, group: TaskGroup) -> None:
        """End the others; the first error is the one that `gather` raises, and a group would wrap it."""
        self._failure = self._failure or error
        if isinstance(error, (anyio.get_cancelled_exc_class(), GeneratorExit)):
            raise error
        group.cancel_scope.cancel()


async def _leave(calls: object, taken: int) -> None:
    """Close what was not taken, as far as it exists: a collection's items do, a generator's do not.

    Nor do those of other iterators, unless one knows how many are left, as that of a list does.
    """
    if isinstance(calls, AsyncGenerator):
        await cast("AsyncGenerator[object]", calls).aclose()
    elif isinstance(calls, Generator):
        cast("Generator[object]", calls).close()
    elif isinstance(calls, Collection):
        for call in islice(cast("Collection[object]", calls), taken, None):
            _drop(call)
    elif isinstance(calls, Iterator):
        rest = cast("Iterator[object]", calls)
        for call in islice(rest, length_hint(rest)):
            _drop(call)
    else:
        _drop(calls)


def _drop(call: object) -> None:
    """Let go of a call that may not have begun: close a coroutine, cancel a task; one that has ended takes no harm."""
    if isinstance(call, Coroutine):
        cast("Coroutine[object, object, object]", call).close()
    elif isinstance(call, asyncio.Future):
        cast("asyncio.Future[object]", call).cancel()
