"""OAuth 2: one renewal at a time, over threads, tasks and event loops that share an auth."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import trio

from conftest import Api, Clock, Colour, Reply
from servers import HANG, PATIENCE, RawServer
from stubwire import AuthenticationError, CancelError, CancelToken, ColourError, DeadlineExceeded
from stubwire._runtime import AsyncRuntime, SyncRuntime
from stubwire.auth import OAuth2ClientCredentials, Token, TokenError
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]


def credentials(**options: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(TOKEN_URL, "shop", "s3cr3t", **options)


class Gate(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A realm whose token endpoint answers when it is let, in both colours."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.open = threading.Event()
        self.reached = threading.Event()
        self.before: Callable[[], None] = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            self.before()
            self.reached.set()
            assert self.open.wait(PATIENCE)
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            self.before()
            self.reached.set()
            assert await anyio.to_thread.run_sync(self.open.wait, PATIENCE, abandon_on_cancel=True)
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        reply = self.realm(request)
        return httpx.Response(reply.status, json=reply.json)


class Waiting:
    """Opens a gate when so many calls wait for the renewal of another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, gate: Gate, count: int) -> None:
        self._left = count
        self._gate = gate
        self._lock = threading.Lock()
        for kind in (SyncRuntime, AsyncRuntime):
            monkeypatch.setattr(kind, "wait", self._counting(kind.wait))

    def _counting(self, wait: Any) -> Any:
        async def counting(runtime: Any, future: Future[Any], seconds: float | None) -> bool:
            with self._lock:
                self._left -= 1
                if not self._left:
                    self._gate.open.set()
            return bool(await wait(runtime, future, seconds))

        return counting


def test_50_threads_renew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = Realm()
    gate = Gate(realm)
    Waiting(monkeypatch, gate, 49)
    shop = Shop(transport=gate, auth=credentials())
    with ThreadPoolExecutor(50) as threads:
        results = [each.result()["token"] for each in [threads.submit(shop.items) for _ in range(50)]]
    assert results == ["Bearer t1"] * 50
    assert len(realm.asked) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_50_tasks_renew_once(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    realm = Realm()
    gate = Gate(realm)
    Waiting(monkeypatch, gate, 49)
    shop = Shop(transport=gate, auth=credentials())
    results: list[str] = []

    async def call() -> None:
        results.append((await shop.items.aio())["token"])

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(call)

    anyio.run(main, backend=backend)
    assert results == ["Bearer t1"] * 50
    assert len(realm.asked) == 1


def test_threads_and_the_tasks_of_several_loops_renew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = Realm()
    gate = Gate(realm)
    Waiting(monkeypatch, gate, 19)
    shop = Shop(transport=gate, auth=credentials())

    async def five() -> list[str]:
        return [each["token"] for each in await asyncio.gather(*(shop.items.aio() for _ in range(5)))]

    async def five_in_trio() -> list[str]:
        found: list[str] = []

        async def call() -> None:
            found.append((await shop.items.aio())["token"])

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(call)
        return found

    with ThreadPoolExecutor(8) as threads:
        loops = [threads.submit(asyncio.run, five()), threads.submit(asyncio.run, five())]
        loops.append(threads.submit(trio.run, five_in_trio))
        singles = [threads.submit(lambda: shop.items()["token"]) for _ in range(5)]
        results = [token for loop in loops for token in loop.result()] + [each.result() for each in singles]
    assert results == ["Bearer t1"] * 20
    assert len(realm.asked) == 1


def test_many_401s_of_one_token_renew_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are refused; one renews, and the others use what it brought, those too that come later."""
    realm = Realm()
    gate = Gate(realm)
    gate.open.set()
    shop = Shop(transport=gate, auth=credentials())
    shop.items()
    realm.revoked = {"t1"}
    with ThreadPoolExecutor(20) as threads:
        results = [each.result()["token"] for each in [threads.submit(shop.items) for _ in range(100)]]
    assert results == ["Bearer t2"] * 100
    assert len(realm.asked) == 2


def test_a_refusal_holds_for_all_that_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten calls, one token request, ten errors of their own; the next call asks again."""
    realm = Realm(replies=[Reply(401, json={"error": "invalid_client"})])
    gate = Gate(realm)
    Waiting(monkeypatch, gate, 9)
    shop = Shop(transport=gate, auth=credentials())

    def call(number: int) -> TokenError:
        with pytest.raises(TokenError) as caught:
            shop.add({"number": str(number)})
        return caught.value

    with ThreadPoolExecutor(10) as threads:
        errors = list(threads.map(call, range(10)))
    assert len({id(error) for error in errors}) == 10
    message = f"got no token: {TOKEN_URL} answered 401 invalid_client: check client_id and client_secret of "
    shown = f"Shop.add: POST https://api.example/items {message}OAuth2ClientCredentials"
    assert {str(error) for error in errors} == {shown}
    assert {error.code for error in errors} == {"invalid_client"}
    assert {error.request.content for error in errors} == {b'{"number":"%d"}' % number for number in range(10)}
    assert len(realm.asked) == 1
    assert shop.items() == {"token": "Bearer t2"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_waited_takes_over_from_one_that_was_cancelled(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    realm = Realm()
    gate = Gate(realm)
    shop = Shop(transport=gate, auth=credentials())
    results: list[str] = []

    async def call() -> None:
        results.append((await shop.items.aio())["token"])

    seen = Gate(realm)
    Waiting(monkeypatch, seen, 1)

    async def main() -> None:
        async with anyio.create_task_group() as second, anyio.create_task_group() as first:
            first.start_soon(call)
            await anyio.to_thread.run_sync(gate.reached.wait, PATIENCE)
            second.start_soon(call)
            await anyio.to_thread.run_sync(seen.open.wait, PATIENCE)
            gate.before = gate.open.set
            first.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert results == ["Bearer t1"]


def test_who_waits_is_cancelled_by_its_own_token(monkeypatch: pytest.MonkeyPatch, colour: Colour) -> None:
    """And whoever renews goes on."""
    realm = Realm()
    gate = Gate(realm)
    cancel = CancelToken()
    shop = Shop(transport=gate, auth=credentials())
    seen = Gate(realm)
    Waiting(monkeypatch, seen, 1)

    def end() -> None:
        assert seen.open.wait(PATIENCE)
        cancel.cancel("enough")

    with ThreadPoolExecutor(2) as threads:
        leader = threads.submit(shop.items)
        assert gate.reached.wait(PATIENCE)
        ending = threads.submit(end)
        with pytest.raises(CancelError, match="was cancelled: enough"):
            colour.run(shop.items.with_options(cancel=cancel))
        ending.result()
        gate.open.set()
        assert leader.result() == {"token": "Bearer t1"}
    assert len(realm.asked) == 1


def test_who_renews_is_ended_by_its_own_deadline(colour: Colour) -> None:
    """On the default transport, whose sockets know of it."""
    with RawServer(HANG) as server:
        auth = OAuth2ClientCredentials(f"{server.url}/token", "shop", "s3cr3t")
        with Shop(base_url=server.url, auth=auth) as shop, pytest.raises(DeadlineExceeded):
            colour.run(shop.items.with_options(deadline=0.3))
        assert not any("/items" in line for line in server.lines)


def test_a_renewal_has_a_time_of_its_own(colour: Colour) -> None:
    """A token endpoint that never answers ends in an error without any deadline or timeout of the call."""
    with RawServer(HANG) as server:
        auth = OAuth2ClientCredentials(f"{server.url}/token", "shop", "s3cr3t", timeout=0.1)
        with Shop(base_url=server.url, auth=auth, timeout=None) as shop, pytest.raises(TokenError) as caught:
            colour.run(shop.items)
        assert str(caught.value) == (
            f"Shop.items: GET {server.url}/items got no token: {server.url}/token gave none within timeout=0.1"
        )


def test_who_waits_does_not_wait_longer_than_a_renewal_may_take(clock: Clock, colour: Colour) -> None:
    """Whoever renews may be gone, in a process that was forked: the next call renews."""
    realm = Realm()
    gate = Gate(realm)
    auth = credentials(timeout=0.05)
    shop = Shop(transport=gate, auth=auth)
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(shop.items)
        assert gate.reached.wait(PATIENCE)
        with pytest.raises(TokenError) as caught:
            colour.run(shop.items)
        assert "got no token: another call asks for it, for longer than timeout=0.05" in str(caught.value)
        gate.open.set()
        assert colour.run(shop.items)["token"] in ("Bearer t1", "Bearer t2")
        assert leader.result()["token"] in ("Bearer t1", "Bearer t2")


def test_a_forked_process_does_not_wait_for_its_parents_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = Realm()
    gate = Gate(realm)
    shop = Shop(transport=gate, auth=credentials())
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(shop.items)
        assert gate.reached.wait(PATIENCE)
        child = os.getpid() + 1
        gate.before = gate.open.set
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: child)
            assert shop.items()["token"] in ("Bearer t1", "Bearer t2")
        leader.result()
    assert len(realm.asked) == 2


def test_while_one_renews_early_the_others_use_the_token_that_still_holds(clock: Clock, colour: Colour) -> None:
    realm = Realm({"expires_in": 100})
    gate = Gate(realm)
    gate.open.set()
    shop = Shop(transport=gate, auth=credentials())
    shop.items()
    clock.advance(75)
    gate.open.clear()
    gate.reached.clear()
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(shop.items)
        assert gate.reached.wait(PATIENCE)
        assert colour.run(shop.items) == {"token": "Bearer t1"}
        gate.open.set()
        assert leader.result() == {"token": "Bearer t2"}


def test_a_synchronous_call_does_not_wait_for_a_task_of_its_own_thread() -> None:
    """The task could not go on meanwhile: the call gets a token by itself."""
    realm = Realm()
    gate = Gate(realm)
    shop = Shop(transport=gate, auth=credentials())

    async def main() -> tuple[dict[str, str], dict[str, str]]:
        task = asyncio.create_task(shop.items.aio())
        await asyncio.to_thread(gate.reached.wait, PATIENCE)
        gate.open.set()
        blocking = shop.items()
        return blocking, await task

    blocking, task = asyncio.run(main())
    assert blocking == {"token": "Bearer t1"}
    assert task["token"] in ("Bearer t1", "Bearer t2")


def test_a_function_that_suspends_in_a_synchronous_call_is_named(api: MakeApi) -> None:
    async def from_vault() -> str:
        await asyncio.sleep(0)
        return "never"

    shop = Shop(transport=api(Realm()).transport, auth=OAuth2ClientCredentials(TOKEN_URL, "shop", from_vault))
    with pytest.raises(ColourError, match=r"'from_vault' awaited something that suspends"):
        shop.items()
    assert asyncio.run(shop.items.aio()) == {"token": "Bearer t1"}


def test_a_token_that_comes_again_is_sent_once_more_and_no_further(api: MakeApi, colour: Colour) -> None:
    """Some endpoints give the same token again as long as it lasts."""
    realm = Realm({"access_token": "same"})
    realm.revoked = {"same"}
    shop = Shop(transport=api(realm).transport, auth=credentials())
    with pytest.raises(AuthenticationError):
        colour.run(shop.items)
    assert realm.sent == ["Bearer same"] * 2


def test_a_token_holds_from_when_it_was_asked_for(clock: Clock) -> None:
    assert Token("t", expires_at=clock.time + 31)._is_fresh(clock.time)
    assert not Token("t", expires_at=clock.time + 30)._is_fresh(clock.time)
