"""Who waits in line still ends: by deadline, by token, by its event loop."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conftest import Api, Clock, Colour, Reply
from queueing import Shop, in_threads, let_waits_pass
from stubwire import CancelError, CancelToken, DeadlineExceeded, LimitExceededError
from stubwire.plugins import ConcurrencyLimit

if TYPE_CHECKING:
    from stubwire.plugins._places import Place

MakeApi = Callable[..., Api]
LOOPS = ("asyncio", "trio")


def taken(limit: ConcurrencyLimit) -> Place:
    """A place that another thread has."""
    place: Place = in_threads(1, lambda _: limit._places.ask(blocks=False))[0]
    place.thread = -1  # its own has ended, and the next one may have its number
    return place


@pytest.mark.parametrize("max_wait", [None, 30.0])
def test_a_deadline_ends_a_synchronous_wait(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch, max_wait: float | None
) -> None:
    let_waits_pass(clock, monkeypatch)
    limit = ConcurrencyLimit(1, max_wait=max_wait)
    place, server = taken(limit), api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit])
    with pytest.raises(DeadlineExceeded):
        shop.with_options(deadline=2.0).order(1)
    assert (clock.waits, server.requests) == ([2.0], [])
    limit._places.leave(place)
    assert shop.with_options(deadline=2.0).order(1) == "cups"


def test_a_token_ends_a_synchronous_wait(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()
    let_waits_pass(clock, monkeypatch, meanwhile=token.cancel)
    limit = ConcurrencyLimit(1)
    place, server = taken(limit), api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit])
    with pytest.raises(CancelError):
        shop.with_options(cancel=token).order(1)
    assert (clock.waits, server.requests) == ([], [])
    limit._places.leave(place)
    assert shop.with_options(cancel=CancelToken()).order(1) == "cups"


def test_a_deadline_longer_than_the_wait_changes_nothing(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = ConcurrencyLimit(1)
    place = taken(limit)
    let_waits_pass(clock, monkeypatch, meanwhile=lambda: limit._places.leave(place))
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit])
    assert shop.with_options(deadline=2.0).order(1) == "cups"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_token_ends_an_asynchronous_wait(api: MakeApi, loop: str) -> None:
    limit, token = ConcurrencyLimit(1), CancelToken()
    place, server = taken(limit), api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit])

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                await anyio.wait_all_tasks_blocked()
                await anyio.to_thread.run_sync(token.cancel)

            group.start_soon(cancel)
            with pytest.raises(CancelError):
                await shop.with_options(cancel=token).order.aio(1)

    Colour(loop).drive(main)
    assert server.requests == []
    limit._places.leave(place)
    assert shop.order(1) == "cups"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_place_that_comes_when_the_loop_is_gone_goes_on(engine: str, loop: str) -> None:
    """The loop of who waited has ended; whoever gives the place back hears nothing of that."""
    library = importlib.import_module(engine)
    limit = ConcurrencyLimit(1)

    def answer(_: object) -> object:
        return library.Response(200, text="cups")

    shop = Shop(transport=library.MockTransport(answer), plugins=[limit])
    place = taken(limit)
    waiting: list[Any] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(shop.order.aio, 1)
                await anyio.wait_all_tasks_blocked()
                waiting.extend(limit._places._queue)
                scope.cancel()

    Colour(loop).drive(main)
    assert list(limit._places._queue) == []
    waiting[0].given.set_result(None)
    limit._places.leave(place)
    assert shop.order(1) == "cups"


def test_an_interrupt_leaves_the_queue(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    let_waits_pass(clock, monkeypatch, meanwhile=interrupt)
    limit = ConcurrencyLimit(1)
    place = taken(limit)
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit])
    with pytest.raises(KeyboardInterrupt):
        shop.order(1)
    limit._places.leave(place)
    assert shop.order(1) == "cups"


def test_a_thread_waits_for_a_thread(api: MakeApi) -> None:
    """On the real clock, with a wait that has a limit."""
    limit = ConcurrencyLimit(1, max_wait=60)
    place, queued = taken(limit), threading.Event()
    ask = limit._places.ask

    def asked(*, blocks: bool) -> Place | None:
        waits = ask(blocks=blocks)
        queued.set()
        return waits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit._places, "ask", asked)
        shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit])
        answers: list[str] = []
        thread = threading.Thread(target=lambda: answers.append(shop.order(1)))
        thread.start()
        assert queued.wait(30)
        limit._places.leave(place)
        thread.join(30)
    assert answers == ["cups"]


def test_one_that_two_clients_have_is_one_limit(api: MakeApi, colour: Colour) -> None:
    """A place that somebody has is missing in both."""
    limit = ConcurrencyLimit(1, max_wait=0)
    one, other = (Shop(transport=api(Reply(content=b"cups")).transport, plugins=[limit]) for _ in range(2))
    place = taken(limit)
    for client in (one, other):
        with pytest.raises(LimitExceededError):
            colour.run(client.order, 1)
    limit._places.leave(place)
    for client in (one, other):
        assert colour.run(client.order, 1) == "cups"
