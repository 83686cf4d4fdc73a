"""A deadline ends a call on any server, at each stage of a connection, with TLS and without, in every colour.

What a server says never ends by itself, and no timeout is near: but for the deadline, no call here would end.
"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio

from servers import HANG, Answer, RawServer, http
from stages import STAGES, Authority, Staged, answer
from stubwire import ApiClient, CancelError, CancelToken, DeadlineExceeded, Limits, Retry, Timeout, deadline, get
from test_transport_limits import SOON, full_backlog

if TYPE_CHECKING:
    from conftest import Colour, EngineName

FEW = ("silent", "no headers", "slow headers", "slow body")


class Things(ApiClient):
    timeout: float | Timeout | None = None
    retry: Retry | None = None

    @get("/thing")
    def thing(self) -> dict[str, int]:
        raise NotImplementedError


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("stage", FEW)
def test_at_each_stage(engine: EngineName, authority: Authority, colour: Colour, stage: str, tls: bool) -> None:
    """The error has the attempt, the connection is closed, and the next call has another."""
    with (
        Staged(STAGES[stage][0], authority.server() if tls else None) as server,
        Things(
            base_url=server.url, engine=engine, verify=authority.client(), limits=Limits(max_connections=1)
        ) as client,
    ):

        def ended(error: DeadlineExceeded) -> None:
            assert f"ran into its deadline of {SOON:g} s" in str(error)
            (attempt,) = error.attempts
            assert (attempt.error, attempt.status_code) == ("DeadlineExceeded", None)
            assert server.all_are_gone()
            server.handle = answer

        def synchronous() -> None:
            with pytest.raises(DeadlineExceeded) as caught:
                client.with_options(deadline=SOON).thing()
            ended(caught.value)
            assert client.thing() == {}

        async def asynchronous() -> None:
            with pytest.raises(DeadlineExceeded) as caught:
                await client.with_options(deadline=SOON).thing.aio()
            ended(caught.value)
            assert await client.thing.aio() == {}
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)


def test_while_it_connects(engine: EngineName, colour: Colour) -> None:
    with (
        full_backlog() as url,
        Things(base_url=url, engine=engine) as client,
        pytest.raises(DeadlineExceeded, match="ran into its deadline"),
    ):
        colour.run(client.with_options(deadline=SOON).thing)


def test_while_it_waits_for_a_connection(engine: EngineName, colour: Colour) -> None:
    """Whoever has the only one keeps it."""
    with (
        RawServer(HANG) as server,
        Things(base_url=server.url, engine=engine, limits=Limits(max_connections=1)) as client,
    ):
        held = CancelToken()

        def hold() -> None:
            with pytest.raises(CancelError):
                client.with_options(cancel=held).thing()

        def synchronous() -> None:
            holder = threading.Thread(target=hold)
            holder.start()
            server.wait_until(lambda server: len(server.requests) == 1)
            with pytest.raises(DeadlineExceeded):
                client.with_options(deadline=SOON).thing()
            assert holder.is_alive()
            held.cancel()
            holder.join()

        async def asynchronous() -> None:
            async with anyio.create_task_group() as holder:
                holder.start_soon(client.thing.aio)
                while not server.requests:  # noqa: ASYNC110 - the server is a thread
                    await anyio.sleep(0.001)
                with pytest.raises(DeadlineExceeded):
                    await client.with_options(deadline=SOON).thing.aio()
                assert server.closed == 0
                holder.cancel_scope.cancel()
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        assert len(server.requests) == 1


# ---- inherited


def test_a_thread_in_a_copy_of_the_context_shares_it(engine: EngineName) -> None:
    found: list[Any] = []

    def ask(client: Things) -> None:
        with pytest.raises(DeadlineExceeded) as caught:
            client.thing()
        found.append(caught.value)

    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine) as client:
        with deadline(SOON):
            context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=[ask, client])
        thread.start()
        thread.join()
    assert str(found[0]).endswith("ran into its deadline")


def test_the_tasks_of_a_nursery_share_it(engine: EngineName) -> None:
    """Those that were started in the block, whenever they ask."""
    found: list[Any] = []

    async def ask(client: Things) -> None:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.thing.aio()
        found.append(caught.value)

    async def main(client: Things) -> None:
        async with trio.open_nursery() as nursery:
            with deadline(SOON):
                for _ in range(3):
                    nursery.start_soon(ask, client)
        await client.aclose()

    with RawServer(HANG) as server, Things(base_url=server.url, engine=engine) as client:
        trio.run(main, client)
        server.wait_until(lambda server: server.closed == server.opened)
    assert len(found) == 3


def test_a_server_that_is_slow_but_in_time(engine: EngineName, colour: Colour) -> None:
    with (
        RawServer(Answer(http(b'{"a": 1}'), delay=0.02)) as server,
        Things(base_url=server.url, engine=engine) as client,
        deadline(3600.0),
    ):
        assert colour.run(client.thing) == {"a": 1}
