"""Many calls to a server that hardly ever answers, and what of them came to it twice."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle

from benchmarks.echoes import ENGINES, Echoes, Engine, Job, Tally, ask_before, awork, jobs, work
from benchmarks.flaky import Seen
from stubwire import FixedDelay, Retry, Timeout

RETRY = Retry(max_retries=3, backoff=FixedDelay(0.0), budget=None)
COLOURS = ("sync", "asyncio", "trio")


@dataclass
class Faults:
    """What became of calls to a server that hardly ever answers."""

    tally: Tally
    seen: Seen

    def wrong(self) -> list[str]:
        """What should not be."""
        found = [f"{id} was sent again after {kinds}" for id, kinds in self.seen.wrongly_repeated().items()]
        if self.tally.crossed:
            found.append(f"{self.tally.crossed} calls were given the answer of another")
        return found

    def lines(self) -> list[str]:
        """The figures."""
        safe = self.seen.repeated - self._repeated_unsafe()
        return [
            f"calls                    {self.tally.calls:>8}",
            f"requests that arrived    {self.seen.requests:>8}",
            f"faults                   {self.seen.faults:>8}",
            f"POSTs without a key      {len(self.seen.unsafe):>8}",
            f"  sent again, as allowed {self._repeated_unsafe():>8}",
            f"  sent again, otherwise  {len(self.seen.wrongly_repeated()):>8}",
            f"others sent again        {safe:>8}",
            f"answers to another call  {self.tally.crossed:>8}",
            "what was done            " + ", ".join(f"{kind}: {n}" for kind, n in self.seen.by_kind().most_common()),
        ]

    def _repeated_unsafe(self) -> int:
        only = Seen(arrivals={id: kinds for id, kinds in self.seen.arrivals.items() if id in self.seen.unsafe})
        return only.repeated


def meet_faults(
    url: str,
    look: Callable[[], Seen],
    faults: int,
    *,
    engines: tuple[Engine, ...] = ENGINES,
    retry: Retry = RETRY,
    hang: float = 0.05,
) -> Faults:
    """Make calls until a server has failed so often, an equal part of it on each engine and in each colour.

    Args:
        url: of the server.
        look: what it has seen so far.
        faults: how many.
        engines: on which.
        retry: of the clients.
        hang: seconds after which a call gives up on a server that hangs.
    """
    tally, ways = Tally(), [(engine, colour) for engine in engines for colour in COLOURS]
    for turn, (engine, colour) in enumerate(ways, 1):
        enough = faults * turn // len(ways)
        clients = _clients(url, engine, retry, hang)
        todo = cycle([jobs(client, count(), f"{engine}-{colour}-{name}") for name, client in clients.items()])
        while look().faults < enough:
            some = iter([True] * 8 + [False])
            _in_colour(colour, next(todo), tally, partial(next, some))
        for client in clients.values():
            client.close()
    return Faults(tally, look())


def _clients(url: str, engine: Engine, retry: Retry, hang: float) -> dict[str, Echoes]:
    """A client, one of little patience, and two whose middleware sends twice: in each call, and in each attempt."""
    make = partial(
        Echoes,
        base_url=url,
        engine=engine,
        follow_redirects=True,
        timeout=Timeout(connect=20.0, read=hang, write=20.0, pool=20.0),
        retry=retry,
    )
    clients = {"plain": make(), "brief": make(deadline=hang / 10), "call": make(), "attempt": make()}
    clients["call"].use(ask_before)
    clients["attempt"].use(ask_before, per="attempt")
    return clients


def _in_colour(colour: str, todo: Iterator[Job], tally: Tally, goes_on: Callable[[], bool]) -> None:
    if colour == "sync":
        work(todo, tally, goes_on)
    elif colour == "asyncio":
        asyncio.run(awork(todo, tally, goes_on))
    else:
        import trio

        trio.run(awork, todo, tally, goes_on)
