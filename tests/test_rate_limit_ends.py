"""Who waits for a `RateLimit` still ends, and no moment is taken that will not be used."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from conftest import Api, Clock, Colour, Reply
from queueing import Shop, let_waits_pass
from stubwire import CancelError, CancelToken, DeadlineExceeded, LimitExceededError, Response, _clock, deadline
from stubwire.plugins import RateLimit, _origins
from stubwire.plugins._follow import Flight

MakeApi = Callable[..., Api]
LOOPS = ("asyncio", "trio")
ORIGIN = "https://shop.test"
NONE_LEFT = {"RateLimit": '"default";r=0;t=30'}


def shop(api: MakeApi, limit: RateLimit, *answers: Reply) -> Shop:
    return Shop(transport=api(*answers or (Reply(content=b"cups"),)).transport, plugins=[limit])


# ---- by a deadline


def test_a_wait_that_does_not_fit_the_deadline_is_refused_at_once(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """It takes no moment: many that have little time would leave none for anybody."""
    client = shop(api, RateLimit(per_minute=1))
    assert colour.run(client.order, 1) == "cups"
    for _ in range(3):
        with pytest.raises(LimitExceededError) as caught:
            colour.run(client.with_options(deadline=5.0).order, 2)
        assert str(caught.value) == (
            "Shop.order: GET https://shop.test/orders/2 was not sent: RateLimit(per_minute=1) is used up for 60.0 s, "
            "longer than what is left of the deadline"
        )
    assert clock.waits == []
    assert colour.run(client.with_options(deadline=61.0).order, 3) == "cups"
    assert clock.waits == [60]


def test_an_inherited_deadline_counts_too(api: MakeApi, colour: Colour, clock: Clock) -> None:
    client = shop(api, RateLimit(per_minute=1, max_wait=None))
    with deadline(5.0):
        assert colour.run(client.order, 1) == "cups"
        with pytest.raises(LimitExceededError, match=r"longer than what is left of the deadline$"):
            colour.run(client.order, 2)
    assert colour.run(client.order, 3) == "cups"
    assert clock.waits == [60]


def test_whichever_ends_first_is_named(api: MakeApi, clock: Clock) -> None:
    client = shop(api, RateLimit(per_minute=1, max_wait=5))
    assert client.order(1) == "cups"
    for seconds in (5.5, 7.0):
        with pytest.raises(LimitExceededError, match=r"longer than max_wait=5$"):
            client.with_options(deadline=seconds).order(2)


def test_what_the_server_says_must_fit_too(api: MakeApi, colour: Colour, clock: Clock) -> None:
    client = shop(api, RateLimit(adaptive=True), Reply(content=b"cups", headers=NONE_LEFT))
    assert colour.run(client.order, 1) == "cups"
    with pytest.raises(LimitExceededError) as caught:
        colour.run(client.with_options(deadline=5.0).order, 2)
    assert str(caught.value).endswith(
        "was not sent: the server allows no more requests for 30.0 s, longer than what is left of the deadline"
    )
    assert clock.waits == []


# ---- by a token


def test_a_token_ends_a_wait_and_gives_its_moment_back(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, token = shop(api, RateLimit(per_minute=1)), CancelToken()
    assert client.order(1) == "cups"
    with monkeypatch.context() as patch:
        let_waits_pass(clock, patch, meanwhile=token.cancel)
        with pytest.raises(CancelError):
            client.with_options(cancel=token).order(2)
    assert client.order(3) == "cups"
    assert clock.waits == [60]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_task_gives_its_moment_back(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    client = shop(api, RateLimit(per_minute=1))

    async def never(_: float) -> None:
        await anyio.sleep_forever()

    async def main() -> None:
        await client.order.aio(1)
        async with anyio.create_task_group() as group:
            group.start_soon(client.order.aio, 2)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    with monkeypatch.context() as patch:
        patch.setattr(_clock, "asleep", never)
        Colour(loop).drive(main)
    assert client.order(3) == "cups"
    assert clock.waits == [60]


# ---- two limits, of the server and of our own


def test_after_a_pause_our_own_limit_holds_still(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """Its moment is asked for when the server allows one, or two would be sent at once after the pause."""
    sent: list[float] = []

    def answer(_: object) -> Reply:
        sent.append(clock.time)
        return Reply(content=b"cups", headers=NONE_LEFT if len(sent) == 1 else {})

    with pytest.MonkeyPatch.context() as patch:
        let_waits_pass(clock, patch)
        client = Shop(transport=api(answer).transport, plugins=[RateLimit(per_second=1, adaptive=True)])
        for number in range(4):
            colour.run(client.order, number)
    assert [at - sent[0] for at in sent] == [0, 30, 31, 32]


def test_a_pause_that_comes_while_our_own_limit_is_waited_for_holds(
    api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another attempt meets a 429 meanwhile."""
    let_waits_pass(clock, monkeypatch)
    limit = RateLimit(per_second=1, adaptive=True)
    client = shop(api, limit)
    assert client.order(1) == "cups"
    began, follower = clock.time, limit._origins.of(ORIGIN).follower
    other = follower.ask(began, blocks=False)
    assert isinstance(other, Flight)

    def refused(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.time == began + 1:
            follower.answer(other, Response(429, headers={"Retry-After": "10"}), clock.time)

    monkeypatch.setattr(_clock, "sleep", refused)
    assert client.order(2) == "cups"
    assert clock.time - began == 11


def test_who_cannot_wait_for_our_own_limit_leaves_the_way_free(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """What the server allowed them, two requests here, is free for others."""
    left = {"RateLimit": '"default";r=2;t=3600'}
    client = shop(api, RateLimit(per_minute=1, max_wait=5, adaptive=True), Reply(content=b"cups", headers=left))
    assert colour.run(client.order, 1) == "cups"
    for _ in range(3):
        with pytest.raises(LimitExceededError, match=r"RateLimit\(per_minute=1\) is used up"):
            colour.run(client.order, 2)
    clock.advance(60)
    assert colour.run(client.order, 3) == "cups"


# ---- whose state it is


def test_one_that_two_clients_have_is_one_limit(api: MakeApi, colour: Colour, clock: Clock) -> None:
    limit = RateLimit(per_minute=2)
    one, other = shop(api, limit), shop(api, limit)
    for client in (one, other, one):
        assert colour.run(client.order, 1) == "cups"
    assert clock.waits == [pytest.approx(60)]


def test_only_so_many_origins_are_remembered(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was called longest ago is forgotten."""
    monkeypatch.setattr(_origins, "MOST", 2)
    limit = RateLimit(per_minute=1, max_wait=0)
    client = shop(api, limit)
    for name in ("a", "b", "c"):
        client.call("GET", f"https://{name}.test/")
    assert list(limit._origins.all()) == ["https://b.test", "https://c.test"]
    with pytest.raises(LimitExceededError):
        client.call("GET", "https://b.test/")
    client.call("GET", "https://d.test/")
    assert list(limit._origins.all()) == ["https://b.test", "https://d.test"]


# ---- a Redis that does not answer


@pytest.mark.parametrize("ends", ["deadline", "token"])
def test_a_redis_that_hangs_does_not_hold_up_what_must_end(
    api: MakeApi, colour: Colour, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """It accepts connections, and never says anything; without these the call would be refused after a while."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        limit = RateLimit(per_second=1, redis=url, on_error="refuse")
        client, token = shop(api, limit), CancelToken()
        assert limit._shared is not None
        submit = limit._shared._submit

        def submitted(key: str, longest: float | None) -> Any:
            asked = submit(key, longest)
            token.cancel()
            return asked

        if ends == "token":
            monkeypatch.setattr(limit._shared, "_submit", submitted)
            with pytest.raises(CancelError):
                colour.run(client.with_options(cancel=token).order, 1)
        else:
            with pytest.raises(DeadlineExceeded):
                colour.run(client.with_options(deadline=0.05).order, 1)
