"""100,000 records into models, as JSON Lines and as server-sent events, beside a loop over the same chunks by hand.

By hand is the least that can be written: split the chunks into lines, `validate_json` each, and no HTTP at all; for
events with id and type, keep these too. stubwire reads the same chunks as the body of a response. The figure is CPU
time a record.
"""

import asyncio
import gc
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from statistics import median

import httpx
from pydantic import BaseModel, TypeAdapter

from benchmarks.harness import still_collector
from benchmarks.processes import spread
from benchmarks.rows import Row
from stubwire import ApiClient, Event, Stream, get

RECORDS = 100_000
CHUNK = 65_536
BAR = 1.30
ROUNDS = 25
NDJSON = "100,000 NDJSON records"
DATA = "100,000 events of data"
EVENTS = "100,000 events with id and type"


class Trade(BaseModel):
    """One record: about 100 bytes of JSON."""

    id: int
    symbol: str
    price: float
    quantity: int
    buyer: str | None
    tags: list[str]


validate = TypeAdapter(Trade).validate_json


class Market(ApiClient):
    """The same streams, declared."""

    base_url = "https://market.test"

    @get("/trades")
    def trades(self) -> Stream[Trade]:
        """Stream models."""
        raise NotImplementedError

    @get("/events")
    def events(self) -> Stream[Event[Trade]]:
        """Stream events."""
        raise NotImplementedError


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in chunks, in both colours."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


@dataclass(frozen=True)
class Bed:
    """The chunks of one format, and what reads them."""

    chunks: list[bytes]
    content_type: str

    def market(self) -> Market:
        headers = {"Content-Type": self.content_type}
        answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Chunks(self.chunks)))
        return Market(transport=answer)


def ndjson_by_hand(chunks: list[bytes]) -> int:
    count, rest = 0, b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            count += validate(line).quantity
    return count


def data_by_hand(chunks: list[bytes]) -> int:
    count, rest = 0, b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                count += validate(line[6:]).quantity
    return count


def events_by_hand(chunks: list[bytes]) -> int:
    """What keeps the fields, as events do."""
    count, rest, fields = 0, b"", dict[bytes, bytes]()
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                name, _, value = line.partition(b": ")
                fields[name] = value
            else:
                event = (validate(fields[b"data"]), fields[b"event"].decode(), fields[b"id"].decode())
                count += event[0].quantity
                fields = {}
    return count


def of_models(market: Market) -> int:
    return sum(trade.quantity for trade in market.trades())


def of_events(market: Market) -> int:
    return sum(event.data.quantity for event in market.events())


def of_models_async(market: Market) -> int:
    async def run() -> int:
        count = 0
        async for trade in market.trades.aio():
            count += trade.quantity
        return count

    return asyncio.run(run())


def of_events_async(market: Market) -> int:
    async def run() -> int:
        count = 0
        async for event in market.events.aio():
            count += event.data.quantity
        return count

    return asyncio.run(run())


def rows(name: str, rounds: int) -> list[Row]:
    """The rows of the group `name`, from at most 25 rounds: one takes a second."""
    cases = _cases(name)
    expected = cases["by hand"]()
    for case, run in cases.items():
        assert run() == expected, f"{name}: {case} read something else"
    samples: dict[str, list[float]] = {case: [] for case in cases}
    order = list(cases)
    shuffle = random.Random(0).shuffle
    with still_collector():
        for _ in range(min(rounds, ROUNDS)):
            shuffle(order)
            for case in order:
                start = time.process_time_ns()
                cases[case]()
                samples[case].append((time.process_time_ns() - start) / RECORDS / 1e3)
            gc.collect()
    hand = median(samples["by hand"])
    return [_row(name, case, found, hand) for case, found in samples.items()]


def _row(name: str, case: str, found: list[float], hand: float) -> Row:
    value = median(found)
    bar = None if case == "by hand" else BAR
    ratio = value / hand
    return Row(name, case, value, "us", ratio, measured=ratio, bar=bar, of="x by hand", spread=spread(found))


def _cases(name: str) -> dict[str, Callable[[], int]]:
    bed, by_hand = _bed(name)
    market = bed.market()
    cases: dict[str, Callable[[], int]] = {"by hand": lambda: by_hand(bed.chunks)}
    if name != EVENTS:
        cases["Stream[Model]"] = lambda: of_models(market)
        cases["AsyncStream[Model]"] = lambda: of_models_async(market)
    else:
        cases["Stream[Event[Model]]"] = lambda: of_events(market)
        cases["AsyncStream[Event[Model]]"] = lambda: of_events_async(market)
    return cases


def _bed(name: str) -> tuple[Bed, Callable[[list[bytes]], int]]:
    records = [_record(number) for number in range(RECORDS)]
    if name == NDJSON:
        return Bed(_cut(b"".join(record + b"\n" for record in records)), "application/x-ndjson"), ndjson_by_hand
    if name == DATA:
        return Bed(_cut(b"".join(b"data: %b\n\n" % record for record in records)), "text/event-stream"), data_by_hand
    content = b"".join(b"id: %d\nevent: trade\ndata: %b\n\n" % pair for pair in enumerate(records))
    return Bed(_cut(content), "text/event-stream"), events_by_hand


def _record(number: int) -> bytes:
    trade = Trade(id=number, symbol="ACME", price=1.5, quantity=number % 7, buyer=None, tags=["spot", "eu"])
    return trade.model_dump_json().encode()


def _cut(content: bytes) -> list[bytes]:
    return [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]


if __name__ == "__main__":
    from benchmarks.rows import table

    print(table([row for name in (NDJSON, DATA, EVENTS) for row in rows(name, ROUNDS)]))
