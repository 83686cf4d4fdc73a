"""What becomes of a call when its server misbehaves is what docs/outcomes.md says, in every colour, on both engines."""

from __future__ import annotations

import pytest

import faults
import outcomes
from conftest import Clock, Colour, EngineName
from faults import Fault, FaultServer
from outcomes import PAGE, ROWS, TABLES, Order, Outcome, Row, Shop, expected, rendered
from servers import RawServer, http
from stubwire import CallError, ConnectError, NotFoundError, ReadError, ServerError

CASES = [(table, row, colour) for table, row in ROWS for colour in row.colours]


@pytest.mark.parametrize(
    ("table", "row", "colour"), CASES, ids=[f"{table}: {row.name} ({colour})" for table, row, colour in CASES]
)
def test_the_page_says_what_happens(table: str, row: Row, colour: str, engine: EngineName) -> None:
    """The error, the requests that reached the server, and that the next call succeeds."""
    page = PAGE.read_text(encoding="utf-8")
    lines = [line for line in expected(page, table) if line.startswith(f"| {row.name} |")]
    assert lines == [row.cells(engine, Colour(colour))]


def test_the_page_has_every_row_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table, rows in TABLES.items():
        lines = expected(page, table)
        assert [line.split(" | ")[0] for line in lines] == [f"| {row.name}" for row in rows]
        assert f"<!-- {table} -->\n{rendered(lines)}<!-- end of {table} -->" in page


# ---- whole messages


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (
            "hangs up without an answer",
            ReadError,
            "got no valid response after 3 attempts in 0.0 s: Server disconnected without sending a response.",
        ),
        ("answers 503", ServerError, "answered 503 after 3 attempts in 0.0 s"),
        ("answers 404", NotFoundError, "answered 404"),
    ],
)
def test_a_message_in_full(
    *, fault: str, kind: type[CallError], says: str, engine: EngineName, colour: Colour, clock: Clock
) -> None:
    """Of the cause, and of the attempts; a clock that stands still makes it the same each time."""
    found = next(each for each in (*faults.BROKEN, *faults.STATUSES) if each.name == fault)
    with FaultServer(found) as server, Shop(base_url=server.url, engine=engine, proxy=None) as shop:
        with pytest.raises(kind) as caught:
            colour.run(shop.read)
        assert str(caught.value) == f"Shop.read: GET {server.url}/order {says}"


# ---- what belongs to no call


def test_a_response_that_nobody_asked_for_is_given_to_nobody(engine: EngineName, colour: Colour) -> None:
    """What comes behind a response is no answer to the next request, however much it looks like one."""
    ahead = http(b'{"id": 1}') + http(b'{"id": 666}')
    with (
        RawServer([ahead, http(b'{"id": 2}')]) as server,
        Shop(base_url=server.url, engine=engine, proxy=None) as shop,
    ):

        async def two() -> list[Order]:
            found = [await shop.read.aio(), await shop.read.aio()]
            await shop.aclose()
            return found

        answers = [shop.read(), shop.read()] if colour.name == "sync" else colour.drive(two)
    assert answers == [Order(id=1), Order(id=2)]
    assert server.opened == 2


# ---- what an observation does not let pass


def test_a_next_call_that_fails_is_seen(engine: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultServer, "behave", FaultServer.misbehave)
    with pytest.raises(ConnectError, match=r"^Shop\.next_: "):
        outcomes.observe(faults.TLS[0], "read", engine, Colour("sync"))


def test_a_connection_that_is_left_open_is_seen(engine: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "PATIENCE", 0.0)
    with FaultServer(Fault("answers")) as server, Shop(base_url=server.url, engine=engine, proxy=None) as shop:
        shop.next_()
        with pytest.raises(AssertionError, match="1 connections were opened and 0 closed, which leaves not 0"):
            server.wait_until_open(0)


@pytest.mark.parametrize(
    ("fault", "outcome", "attempts"),
    [
        (faults.BROKEN[0], Outcome("ReadError", "", 3, 3), [3, 1, 3]),
        (faults.BROKEN[0], Outcome("ReadError", "", 1, 1), [3, 1, 3]),
        (faults.BROKEN[0], Outcome("ReadError", "", 1, 1, ("not retried",)), [1, 1, 1]),
        (faults.HANGING[0], Outcome("DeadlineExceeded", "", 1, 1), [1, 1, 1]),
        (Fault("shows another", certificate="foreign"), Outcome("ConnectError", "", 0, 1), [1, 1, 1]),
    ],
)
def test_an_error_that_does_not_say_why_there_was_no_further_attempt_is_seen(
    fault: Fault, outcome: Outcome, attempts: list[int]
) -> None:
    with pytest.raises(AssertionError):
        outcomes._check_notes(fault, outcome, attempts)
