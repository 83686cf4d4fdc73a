"""What becomes of a call when its server misbehaves, as a row of a table; `python tests/outcomes.py` writes the table.

The page docs/outcomes.md is what the tests expect: they observe each row anew, on both engines and in every colour.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from pydantic import BaseModel

import faults
from conftest import COLOURS, ENGINES, Colour, EngineName
from faults import PATH, Fault, FaultServer
from servers import PATIENCE
from stubwire import ApiClient, CallError, FixedDelay, Retry, Timeout, TransportError, get, post

T = TypeVar("T")

PAGE = Path(__file__).parent.parent / "docs" / "outcomes.md"
SHORT = 0.01
"""Seconds for a timeout that is to pass. It never decides what the server sees: that lies in its buffers by then."""
DEADLINES = (0.03, 0.15, 0.75, 3.75, 18.75)
"""Seconds for a deadline that is to pass; the next one if a machine was so busy that nothing met the fault before."""

METHODS = {"read": "GET", "order": "POST", "order_once": "POST with a key"}


class Order(BaseModel):
    id: int


class Shop(ApiClient):
    retry = Retry(backoff=FixedDelay(0.0))

    @get(PATH)
    def read(self) -> Order:
        raise NotImplementedError

    @post(PATH)
    def order(self, order: Order) -> Order:
        raise NotImplementedError

    @post(PATH, idempotency_key=True)
    def order_once(self, order: Order) -> Order:
        raise NotImplementedError

    @post("/next", retry=None, timeout=PATIENCE)
    def next_(self) -> dict[str, int]:
        raise NotImplementedError


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        error: the class, or nothing if it succeeded.
        says: its message, without what is of this call alone and what the system says.
        requests: how many reached the server.
        attempts: how many were made.
        notes: of the error.
    """

    error: str
    says: str
    requests: int
    attempts: int
    notes: tuple[str, ...] = ()


# ---- one call


def observe(fault: Fault, endpoint: str, engine: EngineName, colour: Colour, *, deadline: bool = False) -> Outcome:
    """Make a call while the server misbehaves, then one when it behaves, which succeeds with its first request."""
    if not deadline:
        return _observe(fault, endpoint, engine, colour, None)[0]
    for seconds in DEADLINES:
        outcome, met = _observe(fault, endpoint, engine, colour, seconds)
        if met:
            return outcome
    raise AssertionError(f"{fault.name}: was not met in {DEADLINES[-1]} s")


def _observe(
    fault: Fault, endpoint: str, engine: EngineName, colour: Colour, deadline: float | None
) -> tuple[Outcome, bool]:
    """What became of a call, and whether it met the fault."""
    ends = fault.is_slow and deadline is None
    connects = fault.where in ("resolve", "handshake")
    steps = Timeout(
        connect=SHORT if ends and connects else PATIENCE,
        read=SHORT if ends and not connects else PATIENCE,
        write=PATIENCE,
        pool=PATIENCE,
    )
    verify = faults.trusting("ours") if fault.certificate else True
    follows = fault.follows
    with (
        FaultServer(fault) as server,
        _resolving(server, (deadline or SHORT) * 2, colour),
        Shop(
            base_url=server.url, engine=engine, timeout=steps, verify=verify, follow_redirects=follows, proxy=None
        ) as shop,
    ):
        outcome = _drive(colour, _calls, colour, server, shop, endpoint, deadline)
        shop.close()
        server.wait_until_open(0)
    return outcome, server.met


async def _calls(colour: Colour, server: FaultServer, shop: Shop, endpoint: str, deadline: float | None) -> Outcome:
    if deadline is not None and server.fault.where in ("accept", "answer"):
        server.behave()
        await _call(colour, shop.next_)  # the deadline is not to pass before there is a connection
        server.misbehave()
    error: CallError | None = None
    attempts = 1
    try:
        client = shop if deadline is None else shop.with_options(deadline=deadline)
        arguments = () if endpoint == "read" else (Order(id=1),)
        assert await _call(colour, getattr(client, endpoint), *arguments) == Order(id=1)
    except CallError as failure:
        error = failure
        attempts = len(failure.attempts)
    if server.fault.leaves:
        server.wait_until_open(0)
    server.behave()
    assert await _call(colour, shop.next_) == {}
    server.wait_until_open(1)
    says = "" if error is None else _said(error, server.url, endpoint)
    if colour.name != "sync":
        await shop.aclose()
    notes = tuple(getattr(error, "__notes__", ()))
    return Outcome("" if error is None else type(error).__name__, says, len(server.requests), attempts, notes)


async def _call(colour: Colour, endpoint: Any, *arguments: object) -> object:
    return endpoint(*arguments) if colour.name == "sync" else await endpoint.aio(*arguments)


def _drive(colour: Colour, function: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    """Run a coroutine in a colour; one that makes synchronous calls never suspends."""
    if colour.name != "sync":
        outcome: T = colour.drive(function, *arguments)
        return outcome
    coroutine = function(*arguments)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("a synchronous call suspended")


def _said(error: CallError, url: str, endpoint: str) -> str:
    """The message, without what is of this call alone."""
    method = METHODS[endpoint].partition(" ")[0]
    lead = f"Shop.{endpoint}: {method} {url}{PATH} "
    text = str(error)
    assert text.startswith(lead), text
    text = re.sub(r" after \d attempts in \d+\.\d s", "", text.removeprefix(lead)).replace(url, "")
    text = text.replace(f"{method} {PATH}", PATH)
    text = re.sub(r"its deadline of [\d.]+ s$", "its deadline", text)
    return text.partition(": ")[0] if isinstance(error, TransportError) else text


_waits: dict[int, Callable[[], object]] = {}
"""What the resolution of a name waits for, by the port that goes with the name."""


@contextmanager
def _resolving(server: FaultServer, seconds: float, colour: Colour) -> Generator[None]:
    """Have the name resolve when the server behaves, or after some seconds where nobody else could tell it to."""
    if server.fault.where == "resolve" and not server.fault.is_slow:
        _waits[server.port] = partial(_know_none, server)
    elif server.fault.where == "resolve":
        sleeps = colour.name == "sync"
        _waits[server.port] = partial(_sleep_once, server, seconds) if sleeps else partial(_hang, server)
    yield
    _waits.pop(server.port, None)


def _sleep_once(server: FaultServer, seconds: float) -> None:
    server.met = True
    _waits.pop(server.port)
    time.sleep(seconds)


def _hang(server: FaultServer) -> None:
    server.met = server.met or not server.behaves
    server.wait_to_behave()


def _know_none(server: FaultServer) -> None:
    if not server.behaves:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


_resolve = socket.getaddrinfo


def slow_resolver(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
    """What stands in for `socket.getaddrinfo`, which both event loops call in a thread."""
    flags = rest[3] if len(rest) > 3 else options.get("flags", 0)
    if host not in ("shop.test", b"shop.test") or flags & socket.AI_NUMERICHOST:  # trio asks for that first
        return _resolve(host, port, *rest, **options)
    _waits.get(port, int)()
    return _resolve("127.0.0.1", port, *rest, **options)


# ---- the table


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        fault: what the server does.
        colours: in which the row holds.
        deadline: whether the call has one, and no timeout that would end it earlier.
        note: what is said behind the name of the fault.
    """

    fault: Fault
    colours: tuple[str, ...] = COLOURS
    deadline: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.fault.name}{self.note}"

    def cells(self, engine: EngineName, colour: Colour) -> str:
        """The row, as it is observed now."""
        see = partial(observe, self.fault, engine=engine, colour=colour, deadline=self.deadline)
        with mock.patch("socket.getaddrinfo", slow_resolver), ThreadPoolExecutor(len(METHODS)) as threads:
            outcomes = list(threads.map(see, METHODS))
        for outcome in outcomes:
            _check_notes(self.fault, outcome, [other.attempts for other in outcomes])
        found = {(outcome.error, outcome.says) for outcome in outcomes}
        assert len(found) == 1, f"{self.name}: {outcomes}"
        error, says = found.pop()
        counts = " | ".join(_count(outcome) for outcome in outcomes)
        return f"| {self.name} | {f'`{error}`: {says}' if error else 'none'} | {counts} |"


def _count(outcome: Outcome) -> str:
    if outcome.requests == outcome.attempts:
        return str(outcome.requests)
    return f"{outcome.requests} in {outcome.attempts} attempt{'s' * (outcome.attempts > 1)}"


def _check_notes(fault: Fault, outcome: Outcome, attempts: list[int]) -> None:
    """An error says why there was no further attempt."""
    if fault.certificate in ("unknown", "foreign"):
        assert outcome.notes == ("not retried: a certificate that is refused once is refused again",)
    elif outcome.error == "DeadlineExceeded":
        busy = r"(what ran before the first attempt: \d+\.\d+ s, )?"  # where the machine is
        assert len(outcome.notes) == 1
        assert re.fullmatch(rf"the time went into {busy}attempt 1 \(DeadlineExceeded\): \d+\.\d+ s", outcome.notes[0])
    elif outcome.attempts == 3:
        assert outcome.notes == ("not retried: max_retries=2 is used up",)
    elif max(attempts) == 3:
        reason = "not retried: the server may have acted on this POST, which has no idempotency key"
        assert outcome.notes == (reason,)
    else:
        assert outcome.notes == ()


_LOOPS = tuple(name for name in COLOURS if name != "sync")

TABLES: dict[str, tuple[Row, ...]] = {
    "broken": (
        *map(Row, (*faults.UNREACHABLE, *faults.BROKEN, *faults.TLS)),
        *map(Row, (*faults.STATUSES, *faults.REDIRECTS)),
    ),
    "slow": (
        *map(Row, (*faults.HANGING, *faults.SLOW)),
        Row(faults.UNRESOLVED, _LOOPS, note=", asynchronously"),
        Row(faults.UNRESOLVED, ("sync",), note=", synchronously"),
    ),
    "deadline": tuple(Row(fault, deadline=True) for fault in (*faults.HANGING, *faults.ENDLESS, faults.UNRESOLVED)),
}
"""The tables of the page, by the name in the comments around them."""

ROWS = tuple((table, row) for table, rows in TABLES.items() for row in rows)


def expected(page: str, table: str) -> list[str]:
    """The rows of a table as the page has them."""
    found: str = _between(table).findall(page)[0]
    return found.strip().splitlines()[2:]


def _between(table: str) -> re.Pattern[str]:
    return re.compile(rf"(?s)(?<=<!-- {table} -->\n).*?(?=<!-- end of {table} -->)")


def rendered(rows: list[str]) -> str:
    """A table as Markdown, with a line before and after."""
    head = f"| the server | error | {' | '.join(METHODS.values())} |"
    return "\n".join(["", head, "| --- | --- | --- | --- | --- |", *rows, "", ""])


def main() -> None:
    """Observe every row on both engines and in every colour, and write the page.

    Raises:
        AssertionError: they disagree.
    """
    page = PAGE.read_text(encoding="utf-8")
    for table, rows in TABLES.items():
        lines: list[str] = []
        for row in rows:
            found = {row.cells(engine, Colour(colour)) for engine in ENGINES for colour in row.colours}
            assert len(found) == 1, "\n".join(sorted(found))
            lines += found
            sys.stdout.write(f"{lines[-1]}\n")
        page = _between(table).sub(lambda _, lines=lines: rendered(lines), page)  # type: ignore[misc]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
