"""Who has a connection, and what becomes of one on which a call was cut: the guards of the default transport."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import httpcore
import pytest

from conftest import Colour, EngineName
from stubwire._engine.bounds import Allowance
from stubwire._engine.flow import AsyncBody
from stubwire._engine.gate import AsyncGate
from stubwire._engine.guard import AsyncArriving, AsyncGuard, Guard
from stubwire._engine.opening import note
from stubwire._engine.transport import Wire

LOOPS = ["asyncio", "trio"]


class Pieces:
    """A body of httpcore."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"x"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"x"

    def close(self) -> None:
        """Nothing is to be done."""

    async def aclose(self) -> None:
        """Nothing is to be done."""


class Connection:
    """What a guard stands before; it answers, or fails with what it is told."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.closed = 0
        self.allowance = Allowance()
        self.opened: list[Any] = []

    def handle_request(self, request: object) -> httpcore.Response:
        note(self)
        if self.failure is not None:
            raise self.failure
        return httpcore.Response(200, content=Pieces())

    async def handle_async_request(self, request: object) -> httpcore.Response:
        return self.handle_request(request)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1

    def is_available(self) -> bool:
        return True

    is_idle = is_available

    def is_closed(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<Connection>"


def guard(connection: Connection) -> Guard:
    return Guard(connection, cast("Any", httpcore))


def test_a_synchronous_connection_is_used_by_one_at_a_time() -> None:
    connection = guard(Connection())
    answer = connection.handle_request(None)
    assert (connection.is_available(), connection.is_idle(), connection.can_multiplex()) == (False, False, False)
    with pytest.raises(httpcore.ConnectionNotAvailable):
        connection.handle_request(None)
    assert list(answer.stream) == [b"x"]
    answer.stream.close()
    answer.stream.close()
    assert (connection.is_available(), connection.is_idle(), connection.is_closed()) == (True, True, False)
    assert repr(connection) == "<Connection>"


def test_a_connection_that_the_pool_closes_while_it_is_used_is_closed_afterwards() -> None:
    """It thought it idle; whoever comes later has another."""
    inner = Connection()
    connection = guard(inner)
    answer = connection.handle_request(None)
    connection.close()
    assert (inner.closed, connection.is_closed()) == (0, True)
    assert list(answer.stream) == [b"x"]
    answer.stream.close()
    assert inner.closed == 2, "itself, and what it opened"
    with pytest.raises(httpcore.ConnectionNotAvailable):
        connection.handle_request(None)


@pytest.mark.parametrize("failure", [httpcore.ReadError(), KeyboardInterrupt()])
def test_a_connection_on_which_a_call_failed_is_closed(failure: BaseException) -> None:
    inner = Connection(failure)
    connection = guard(inner)
    with pytest.raises(type(failure)):
        connection.handle_request(None)
    assert (inner.closed, connection.is_closed()) == (2, True)


def test_a_connection_that_was_not_available_is_not_at_fault() -> None:
    inner = Connection(httpcore.ConnectionNotAvailable())
    connection = guard(inner)
    with pytest.raises(httpcore.ConnectionNotAvailable):
        connection.handle_request(None)
    assert (inner.closed, connection.is_closed(), connection.is_available()) == (0, False, True)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_asynchronous_connection_that_was_not_available_is_not_at_fault(loop: str) -> None:
    async def main() -> None:
        inner = Connection(httpcore.ConnectionNotAvailable())
        connection = AsyncGuard(inner, cast("Any", httpcore))
        with pytest.raises(httpcore.ConnectionNotAvailable):
            await connection.handle_async_request(None)
        assert (inner.closed, connection.is_closed(), connection.is_available()) == (0, False, True)

    Colour(loop).drive(main)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_asynchronous_connection_lives_until_its_last_user_leaves(loop: str) -> None:
    async def main() -> None:
        inner = Connection()
        connection = AsyncGuard(inner, cast("Any", httpcore))
        first, second = [(await connection.handle_async_request(None)).stream for _ in range(2)]
        assert (connection.is_available(), connection.is_idle()) == (True, False)
        await first.aclose()  # unread
        await first.aclose()
        assert (connection.is_available(), connection.is_closed(), inner.closed) == (False, True, 0)
        with pytest.raises(httpcore.ConnectionNotAvailable):
            await connection.handle_async_request(None)
        assert [piece async for piece in second] == [b"x"]
        await second.aclose()
        assert inner.closed == 2, "itself, and what it opened"

    Colour(loop).drive(main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_whose_closing_is_cut_gives_its_connection_up(loop: str) -> None:
    """Nobody can know in what state it is."""

    class Cut(Pieces):
        async def aclose(self) -> None:
            raise OSError("cut")

    async def main() -> None:
        inner = Connection()
        connection = AsyncGuard(inner, cast("Any", httpcore))
        arriving = AsyncArriving(Cut(), connection)
        connection._users = 1
        assert [piece async for piece in arriving] == [b"x"]
        await arriving.aclose()
        assert str(arriving.interruption) == "cut"
        assert (inner.closed, connection.is_closed()) == (1, True)

    Colour(loop).drive(main)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_nobodys_failure_leaves_as_it_is(engine: EngineName, loop: str) -> None:
    class Broken:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            raise ZeroDivisionError

        async def aclose(self) -> None:
            """Nothing is to be done."""

    async def main() -> None:
        gate = AsyncGate(1)
        assert await gate.enter(None)
        body = AsyncBody(Broken(), gate, Wire(importlib.import_module(engine)), None)
        with pytest.raises(ZeroDivisionError):
            await anext(body)
        await body.aclose()
        assert await gate.enter(0.01)

    Colour(loop).drive(main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_cannot_be_closed_is_closed_as_far_as_it_goes(loop: str) -> None:
    """The pool counts its response as closed; what went wrong is raised afterwards."""

    class Stuck(Connection):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("stuck")

    async def main() -> None:
        inner = Stuck()
        connection = AsyncGuard(inner, cast("Any", httpcore))
        arriving = (await connection.handle_async_request(None)).stream
        await arriving.aclose()
        assert str(arriving.interruption) == "stuck"
        assert inner.closed == 2, "itself, and what it opened"
        with pytest.raises(OSError, match="stuck"):
            await AsyncBody(Pieces(), AsyncGate(1), cast("Any", None), arriving).aclose()

    Colour(loop).drive(main)
