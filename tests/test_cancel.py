"""Ending calls from elsewhere: `CancelToken`."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

from conftest import Api, Clock, Colour, Reply
from servers import Answer, RawRequest, RawServer, http
from stubwire import ApiClient, CancelError, CancelToken, ConfigurationError, FixedDelay, Retry, get

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"
    retry = Retry(max_retries=5, backoff=FixedDelay(60.0))

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError


def test_a_token_says_whether_and_why() -> None:
    token = CancelToken()
    assert (token.cancelled, token.reason, repr(token)) == (False, "", "<CancelToken not cancelled>")
    token.cancel("shutting down")
    token.cancel("again")
    assert (token.cancelled, token.reason, repr(token)) == (True, "shutting down", "<CancelToken cancelled>")


def test_a_cancelled_token_sends_nothing(api: MakeApi, colour: Colour) -> None:
    server, token = api(Reply(json=1)), CancelToken()
    token.cancel("shutting down")
    client = Things(transport=(server.transport, server.transport)).with_options(cancel=token)
    for _ in range(2):
        with pytest.raises(CancelError) as caught:
            colour.run(client.thing)
        assert str(caught.value) == "Things.thing: GET https://api.example/thing was cancelled: shutting down"
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert server.requests == []


def test_a_wait_between_attempts_ends(api: MakeApi, colour: Colour) -> None:
    """No sixty seconds are waited: the token is cancelled while the call is about to wait."""
    token = CancelToken()

    def handle(_: Any) -> Reply:
        token.cancel()
        return Reply(503)

    server = api(handle)
    client = Things(transport=(server.transport, server.transport)).with_options(cancel=token)
    with pytest.raises(CancelError, match=r" was cancelled$") as caught:
        colour.run(client.thing)
    assert len(server.requests) == 1
    assert caught.value.attempts[0].number == 1


def test_a_token_without_effect_costs_nothing(api: MakeApi, clock: Clock, colour: Colour) -> None:
    server, token = api(Reply(json=1)), CancelToken()
    client = Things(transport=(server.transport, server.transport))
    assert colour.run(client.with_options(cancel=token).thing) == 1
    assert token._told == {}
    token.cancel()
    assert colour.run(client.thing) == 1
    assert clock.waits == []


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-", http(b"[1, 2]")[:-3]])
def test_a_call_that_waits_for_a_server_ends(sent: bytes, engine: Any, colour: Colour) -> None:
    """Before, in the middle of, and after the headers; the connection is closed, and the next call has another."""
    token = CancelToken()

    def react(request: RawRequest) -> Answer:
        if request.connection > 1:
            return Answer(http(b"1"))
        threading.Thread(target=token.cancel, args=["enough"]).start()
        return Answer(sent, then="hang")

    with RawServer(react) as server, Things(base_url=server.url, engine=engine) as client:

        def both() -> None:
            with pytest.raises(CancelError, match="was cancelled: enough"):
                client.with_options(cancel=token).thing()
            server.wait_until(lambda server: server.closed == 1)
            assert client.thing() == 1

        async def aboth() -> None:
            with pytest.raises(CancelError, match="was cancelled: enough"):
                await client.with_options(cancel=token).thing.aio()
            server.wait_until(lambda server: server.closed == 1)
            assert await client.thing.aio() == 1
            await client.aclose()

        if colour.name == "sync":
            both()
        else:
            colour.drive(aboth)


def test_one_token_ends_many_calls(engine: Any) -> None:
    token = CancelToken()
    arrived = threading.Semaphore(0)

    def react(_: RawRequest) -> Answer:
        arrived.release()
        return Answer(then="hang")

    def cancel() -> None:
        for _ in range(6):
            arrived.acquire()
        token.cancel()

    with RawServer(react) as server:
        client = Things(base_url=server.url, engine=engine).with_options(cancel=token)
        found: list[str] = []

        def ask() -> None:
            with pytest.raises(CancelError):
                client.thing()
            found.append("sync")

        async def ask_aio() -> None:
            with pytest.raises(CancelError):
                await client.thing.aio()
            found.append("async")

        async def ask_twice() -> None:
            await asyncio.gather(ask_aio(), ask_aio())

        async def ask_on_trio() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask_aio)
                nursery.start_soon(ask_aio)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        threads += [threading.Thread(target=asyncio.run, args=[ask_twice()])]
        threads += [threading.Thread(target=trio.run, args=[ask_on_trio])]
        threads += [threading.Thread(target=cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == ["async"] * 4 + ["sync"] * 2


def test_a_token_may_be_cancelled_after_its_event_loop_ended() -> None:
    token, told = CancelToken(), list[str]()
    forget = token._when_cancelled(lambda: told.append("first"))
    token._when_cancelled(lambda: told.append("second"))
    forget()
    forget()
    token.cancel()
    token._when_cancelled(lambda: told.append("late"))
    assert told == ["second", "late"]


def test_one_that_is_told_may_take_back_another() -> None:
    token, told = CancelToken(), list[str]()

    def first() -> None:
        told.append("first")
        forget()

    token._when_cancelled(first)
    forget = token._when_cancelled(lambda: told.append("second"))
    token.cancel()
    assert told == ["first"]


def test_what_is_no_token_is_refused() -> None:
    wrong: Any = "now"
    with pytest.raises(ConfigurationError) as caught:
        Things().with_options(cancel=wrong)
    assert str(caught.value) == "Things.with_options: cancel must be a CancelToken, not str"
