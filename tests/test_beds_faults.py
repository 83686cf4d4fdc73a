"""What WireMock did to requests, and how many its journal has: a witness that nobody here wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from servers import PATIENCE
from stubwire import ApiClient, CallError, FixedDelay, Retry, Timeout, get, post
from witnesses import Journal, wiremock

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName

pytestmark = pytest.mark.bed

REFUSED = "not retried: the server may have acted on this POST, which has no idempotency key"
METHODS = ("read", "send", "send_once")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with wiremock() as (plain, _), Journal(base_url=plain, proxy=None) as journal:
        journal.answer(answering("/drops", body="0123456789", chunkedDribbleDelay=DROPS))
        journal.answer(answering("/there", status=307, headers={"Location": "/back"}))
        journal.answer(answering("/back", status=307, headers={"Location": "/there"}))
        yield plain


DROPS = {"numberOfChunks": 5, "totalDuration": 200}


def answering(path: str, **response: object) -> dict[str, Any]:
    """A mapping of WireMock's."""
    return {"request": {"method": "ANY", "url": path}, "response": response}


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    """WireMock's own API; the journal is empty, and every scenario at its beginning."""
    with Journal(base_url=url, proxy=None) as journal:
        journal.forget()
        journal.begin_anew()
        yield journal


class Shop(ApiClient):
    proxy = None
    retry = Retry(backoff=FixedDelay(0.0))
    timeout = PATIENCE

    @get("/<path:path>")
    def read(self, path: str) -> str:
        raise NotImplementedError

    @post("/<path:path>")
    def send(self, path: str) -> str:
        raise NotImplementedError

    @post("/<path:path>", idempotency_key=True)
    def send_once(self, path: str) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Ended:
    """What became of a call: the name of its error, and its notes; or its result."""

    error: str = ""
    notes: tuple[str, ...] = ()
    result: object = None


def make(shop: Shop, method: str, path: str, *, colour: Colour, journal: Journal, requests: int) -> Ended:
    """Make a call, see how many requests the journal has of it, and make one that succeeds on the same client."""

    async def both() -> Ended:
        ended = await _ended(getattr(shop, method), path, colour)
        wait_for(journal, path, requests)
        following = await _ended(shop.with_options(timeout=PATIENCE, deadline=None, retry=None).send, "kept/x", colour)
        assert following == Ended(result="")
        if colour.name != "sync":
            await shop.aclose()
        return ended

    if colour.name != "sync":
        found: Ended = colour.drive(both)
        return found
    try:
        both().send(None)
    except StopIteration as stop:
        ended: Ended = stop.value
        return ended
    raise AssertionError("a synchronous call suspended")


async def _ended(endpoint: Any, path: str, colour: Colour) -> Ended:
    try:
        return Ended(result=endpoint(path) if colour.name == "sync" else await endpoint.aio(path))
    except CallError as error:
        return Ended(type(error).__name__, tuple(getattr(error, "__notes__", ())))


def wait_for(journal: Journal, path: str, requests: int) -> None:
    """Wait until the journal has so many; one that was left may be entered later."""
    end = time.monotonic() + PATIENCE
    while (found := sum(entry.request.url == f"/{path}" for entry in journal.entries())) != requests:
        assert time.monotonic() < end, f"{found} requests came, not {requests}"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "fault",
    ["CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE"],
)
def test_a_broken_answer_is_asked_for_again_unless_it_is_of_a_post_without_a_key(
    *, url: str, journal: Journal, fault: str, method: str, engine: EngineName, colour: Colour
) -> None:
    requests = 1 if method == "send" else 3
    note = REFUSED if method == "send" else "not retried: max_retries=2 is used up"
    with Shop(base_url=url, engine=engine) as shop:
        assert make(shop, method, f"fault/{fault}", colour=colour, journal=journal, requests=requests) == Ended(
            "ReadError", (note,)
        )


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_is_late(url: str, journal: Journal, method: str, engine: EngineName, colour: Colour) -> None:
    """It takes 1.5 seconds, which nobody here waits for."""
    requests = 1 if method == "send" else 3
    note = REFUSED if method == "send" else "not retried: max_retries=2 is used up"
    patience = Timeout(connect=PATIENCE, read=0.2, write=PATIENCE, pool=PATIENCE)
    with Shop(base_url=url, engine=engine, timeout=patience) as shop:
        assert make(shop, method, "delay", colour=colour, journal=journal, requests=requests) == Ended(
            "ReadTimeout", (note,)
        )


@pytest.mark.parametrize("path", ["delay", "dribble"])
@pytest.mark.parametrize("method", METHODS)
def test_a_deadline_leaves_an_answer_that_is_late_or_comes_by_the_piece(
    *, url: str, journal: Journal, path: str, method: str, engine: EngineName, colour: Colour
) -> None:
    with Shop(base_url=url, engine=engine, deadline=0.6) as shop:
        ended = make(shop, method, path, colour=colour, journal=journal, requests=1)
    assert ended.error == "DeadlineExceeded"
    assert [note.partition(":")[0] for note in ended.notes] == ["the time went into attempt 1 (DeadlineExceeded)"]


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_comes_by_the_piece_is_waited_for(
    url: str, journal: Journal, method: str, engine: EngineName, colour: Colour
) -> None:
    with Shop(base_url=url, engine=engine) as shop:
        ended = make(shop, method, "drops", colour=colour, journal=journal, requests=1)
        assert ended == Ended(result="0123456789")


@pytest.mark.parametrize("method", METHODS)
def test_redirects_that_lead_back_are_followed_once(
    url: str, journal: Journal, method: str, engine: EngineName, colour: Colour
) -> None:
    with Shop(base_url=url, engine=engine, follow_redirects=True) as shop:
        ended = make(shop, method, "there", colour=colour, journal=journal, requests=1)
    wait_for(journal, "back", 1)
    assert ended == Ended("RedirectError")


@pytest.mark.parametrize("method", METHODS)
def test_a_server_that_is_busy_twice_is_asked_three_times_by_every_method(
    *, url: str, journal: Journal, method: str, engine: EngineName, colour: Colour, clock: Clock
) -> None:
    """503 and 429 say that it did not act, and how long to wait."""
    with Shop(base_url=url, engine=engine) as shop:
        ended = make(shop, method, "flaky", colour=colour, journal=journal, requests=3)
        assert ended == Ended(result='{"ok":true}')
    assert clock.waits == [1.0, 1.0]


@pytest.mark.parametrize("method", METHODS)
def test_a_server_that_resets_once(url: str, journal: Journal, method: str, engine: EngineName, colour: Colour) -> None:
    with Shop(base_url=url, engine=engine) as shop:
        if method == "send":
            assert make(shop, method, "reset-once", colour=colour, journal=journal, requests=1) == Ended(
                "ReadError", (REFUSED,)
            )
        else:
            ended = make(shop, method, "reset-once", colour=colour, journal=journal, requests=2)
            assert ended == Ended(result="ok")
