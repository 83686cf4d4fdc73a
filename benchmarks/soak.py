"""What a client does when its server fails at random, counted by the server.

`python -m benchmarks.soak --faults 10000` makes calls until the server has failed so often, on both engines, in every
colour, with streamed bodies, redirects and deadlines, through middleware that sends twice, on connections that end
while they are idle: no POST without a key comes twice unless the server said that it did not act.

`python -m benchmarks.soak --seconds 60` has 20 threads and 200 tasks share one client for a minute: no connection is
left, no answer is lost or goes to another call, memory stays flat, and no more is retried than the budget pays for.

The server is a process of its own. Both print what they counted, and end with 1 if anything of it should not be.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.echoes import ENGINES, Echoes, Engine, Job, Tally, awork, jobs, work
from benchmarks.flaky import ANSWERED, HARDLY_EVER, MOSTLY_WELL, Flaky, Seen, Weights, running
from benchmarks.repeats import meet_faults
from stubwire import ExponentialBackoff, Limits, Retry, RetryBudget, Timeout
from stubwire._endpoint import MOUNT
from stubwire.errors import DeadlineExceeded

THREADS, TASKS = 20, 200
SEED = 1
SETTLED = 10.0
"""Seconds after which memory has its size; of a run that is shorter it says nothing."""
GROWTH = 2.0
"""MB by which it may grow after that: caches are bounded, but not full so soon."""


@dataclass
class Pooled:
    """What the pools of a client have when no call is under way.

    Attributes:
        connections: how many.
        busy: how many of these are not idle.
        places: how many calls have not left the gates.
    """

    connections: int = 0
    busy: int = 0
    places: int = 0

    @classmethod
    def of(cls, client: Echoes) -> "Pooled":
        """Look into a client, which shows this to nobody."""
        pool = vars(client)[MOUNT].core.pool
        found = cls()
        for lanes in (pool._sync, *(lanes for lanes, _ in pool._loops.values())):
            for transport in lanes._by_proxy.values():
                found.connections += len(transport._pool.connections)
                found.busy += sum(not connection.is_idle() for connection in transport._pool.connections)
                found.places += Limits().max_connections - transport._gate._free
        return found


@dataclass
class Soaked:
    """What was seen while many threads and tasks shared a client.

    Attributes:
        tally: of the calls.
        seen: by the server, at the end.
        budget: of the client.
        pooled: before the client was closed.
        kept: connections that the server had open then.
        files: open in this process before and after.
        traced: MB of objects after each part.
        resident: MB of the process after each part.
    """

    tally: Tally
    seen: Seen = field(default_factory=Seen)
    budget: RetryBudget = field(default_factory=RetryBudget)
    pooled: Pooled = field(default_factory=Pooled)
    kept: int = 0
    files: tuple[int, int] = (0, 0)
    traced: list[float] = field(default_factory=list[float])
    resident: list[float] = field(default_factory=list[float])

    @property
    def affordable(self) -> int:
        """The most retries that the budget pays for; a call may have earned before its deadline passed."""
        earning = self.tally.answered + self.tally.errors[DeadlineExceeded.__name__]
        return int((self.budget.tokens + earning * self.budget.refund) // self.budget.cost)

    @property
    def lost(self) -> int:
        """Answers that the server sent to calls that were still there, and failed."""
        return sum(not ANSWERED.isdisjoint(self.seen.arrivals.get(id, ())) for id in self.tally.failed)

    def wrong(self) -> list[str]:
        """What should not be."""
        tally, seen, pooled = self.tally, self.seen, self.pooled
        checks = {
            f"{tally.crossed} calls were given the answer of another": tally.crossed,
            f"{self.lost} answers were lost": self.lost,
            f"{tally.answered - seen.answered} calls were answered by nobody": tally.answered > seen.answered,
            f"{seen.opened - seen.closed} connections are still open": seen.opened != seen.closed,
            f"{self.kept} connections were open, of which the pool had {pooled.connections}": self.kept
            > pooled.connections,
            f"{pooled.busy} connections and {pooled.places} places were taken by nobody": pooled.busy or pooled.places,
            f"{self.files[1] - self.files[0]} files are still open": self.files[1] > self.files[0],
            f"{tally.retries} retries cost more than the budget has": tally.retries > self.affordable,
            f"{seen.repeated} requests came again, and {tally.retries} were sent": seen.repeated > tally.retries,
            f"{len(seen.wrongly_repeated())} POSTs were sent twice": seen.wrongly_repeated(),
            f"memory grew: {_figures(self.traced)} MB": self.traced and self.traced[-1] > self.traced[0] + GROWTH,
        }
        return [text for text, is_wrong in checks.items() if is_wrong]

    def lines(self) -> list[str]:
        """The figures."""
        tally, seen = self.tally, self.seen
        return [
            f"calls                    {tally.calls:>8}",
            f"  answered               {tally.answered:>8}, by the server's count {seen.answered}",
            f"  answers lost; crossed  {self.lost:>8}; {tally.crossed}",
            f"  errors                 {sum(tally.errors.values()):>8}: {dict(tally.errors.most_common())}",
            f"retries                  {tally.retries:>8}, the budget pays for {self.affordable}",
            f"  that arrived           {seen.repeated:>8}",
            f"connections opened       {seen.opened:>8}",
            f"  open before the end    {self.kept:>8}, {self.pooled.connections} pooled, {self.pooled.busy} busy",
            f"  still open             {seen.opened - seen.closed:>8}",
            f"open files               {self.files[0]:>8} before, {self.files[1]} after",
            f"MB of objects            {_figures(self.traced)}",
            f"MB of the process        {_figures(self.resident)}",
            "what was done            " + ", ".join(f"{kind}: {n}" for kind, n in seen.by_kind().most_common()),
        ]


def soak(
    url: str,
    look: Callable[[], Seen],
    seconds: float,
    *,
    engine: Engine,
    threads: int = THREADS,
    tasks: int = TASKS,
    hang: float = 2.0,
) -> Soaked:
    """Have threads and tasks share a client for some seconds.

    Args:
        url: of the server.
        look: what it has seen so far.
        seconds: how long.
        engine: the client's.
        threads: how many make synchronous calls.
        tasks: how many make asynchronous ones.
        hang: seconds after which a call gives up on a server that hangs.
    """
    make = partial(
        Echoes,
        base_url=url,
        engine=engine,
        timeout=Timeout(connect=20.0, read=hang, write=20.0, pool=20.0),
        retry=Retry(backoff=ExponentialBackoff(base=0.01, max_delay=0.1)),
    )
    result = Soaked(Tally())
    with ThreadPoolExecutor(threads) as pool:
        share = partial(_share, pool=pool, threads=threads, tasks=tasks)
        asyncio.run(_soak(result, make, look, seconds, share))
    result.seen = _when(look, 0)
    return result


async def _soak(
    result: Soaked,
    make: Callable[[], Echoes],
    look: Callable[[], Seen],
    seconds: float,
    share: Callable[[Iterator[Job], Tally, float], Coroutine[None, None, None]],
) -> None:
    files = _open_files()
    client = make()
    todo = _Shared(jobs(client, count(), "soak"))
    for _ in range(parts := max(1, int(seconds / SETTLED))):
        await share(todo, result.tally, seconds / parts)
        if tracemalloc.is_tracing():
            gc.collect()
            result.traced.append(tracemalloc.get_traced_memory()[0] / 2**20)
            result.resident.append(_resident())
    result.pooled = Pooled.of(client)
    seen = await asyncio.to_thread(_when, look, result.pooled.connections)
    result.kept = seen.opened - seen.closed
    await client.aclose()
    result.files = (files, _open_files())


async def _share(
    todo: Iterator[Job], tally: Tally, seconds: float, *, pool: ThreadPoolExecutor, threads: int, tasks: int
) -> None:
    """Have all of them make calls, and wait until none is under way."""
    end = time.monotonic() + seconds

    def goes_on() -> bool:
        return time.monotonic() < end

    loop = asyncio.get_running_loop()
    at_work: list[asyncio.Future[None]] = [
        loop.run_in_executor(pool, work, todo, tally, goes_on) for _ in range(threads)
    ]
    at_work += [asyncio.ensure_future(awork(todo, tally, goes_on)) for _ in range(tasks)]
    await asyncio.gather(*at_work)


class _Shared(Iterator[Job]):
    """An iterator for many threads."""

    def __init__(self, items: Iterator[Job]) -> None:
        self._items = items
        self._lock = threading.Lock()

    def __next__(self) -> Job:
        with self._lock:
            return next(self._items)


def _open_files() -> int:
    """How many files and sockets this process has open; 0 where nobody says."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def _resident() -> float:
    """MB that the system has given to this process; 0 where nobody says."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if status.exists() else 0.0


def _figures(megabytes: list[float]) -> str:
    return ", then ".join(f"{figure:>8.1f}" for figure in megabytes) or "not measured"


def _when(look: Callable[[], Seen], connections: int) -> Seen:
    """What a server has seen, when no more connections than these are open, or still are after 20 seconds."""
    for _ in range(1000):
        seen = look()
        if seen.opened - seen.closed <= connections:
            break
        time.sleep(0.02)
    return look()


# ---- the process of the server


def _serve(pipe: Connection, weights: Weights, seed: int) -> None:
    server = Flaky(weights, seed)
    with running(server) as url:
        pipe.send(url)
        while pipe.recv():
            pipe.send(server.seen)


@contextmanager
def elsewhere(weights: Weights, seed: int) -> Generator[tuple[str, Callable[[], Seen]]]:
    """Run a server in a process of its own; gives its URL, and what tells what it has seen."""
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    process = context.Process(target=_serve, args=(end, weights, seed))
    process.start()

    def look() -> Seen:
        pipe.send(True)
        seen: Seen = pipe.recv()
        return seen

    try:
        yield pipe.recv(), look
    finally:
        pipe.send(False)
        process.join()


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--faults", type=int, metavar="N", help="make calls until the server has failed N times")
    what.add_argument("--seconds", type=float, metavar="S", help="have threads and tasks share a client for S seconds")
    parser.add_argument("--engine", choices=ENGINES, default="httpx", help="of the client with --seconds")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    if options.seconds is not None and options.seconds > SETTLED:
        tracemalloc.start()
    weights = MOSTLY_WELL if options.faults is None else HARDLY_EVER
    with elsewhere(weights, options.seed) as (url, look):
        result = (
            soak(url, look, options.seconds, engine=options.engine)
            if options.faults is None
            else meet_faults(url, look, options.faults)
        )
    wrong = result.wrong()
    print(*result.lines(), *(f"WRONG: {text}" for text in wrong), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
