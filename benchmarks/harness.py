"""Measure calls side by side: one process, interleaved rounds, CPU time, the garbage collector held still.

A round runs every call of a comparison once, in an order shuffled anew, each for a few milliseconds; a call's figure is
the median over the rounds. Beside the time stand two figures that a busy machine does not change: how many Python and C
functions one call enters, and how many objects it leaves to the cycle collector.
"""

import asyncio
import gc
import random
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from statistics import median, quantiles
from typing import TypeVar

T = TypeVar("T")

BATCH_NS = 4_000_000
CYCLE_CALLS = 50


@dataclass(frozen=True)
class Case:
    """One call of a comparison: `call` is synchronous, or `acall` is asynchronous."""

    name: str
    call: Callable[[], object] | None = None
    acall: Callable[[], Awaitable[object]] | None = None


@dataclass(frozen=True)
class Sample:
    """What was seen of one case: the median in nanoseconds of CPU a call, and its interquartile range."""

    median_ns: float
    spread_ns: float
    entered: int
    cyclic: float


def run(work: Coroutine[object, None, T], *, in_loop: bool) -> T:
    """Run `work` to its end: in one event loop, or without any, where it must not suspend."""
    return asyncio.run(work) if in_loop else _drive(work)


def _drive(work: Coroutine[object, None, T]) -> T:
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("a synchronous case suspended")


async def measure(cases: Sequence[Case], rounds: int) -> dict[str, Sample]:
    """Measure all `cases` against each other."""
    loops = {case.name: await _calibrate(case) for case in cases}
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    order = list(cases)
    shuffle = random.Random(0).shuffle
    with still_collector():
        for _ in range(rounds):
            shuffle(order)
            for case in order:
                loop = loops[case.name]
                times[case.name].append(await _batch(case, loop) / loop)
            gc.collect()
        figures = {case.name: (await _entered(case), await _cyclic(case)) for case in cases}
    return {name: _sample(samples, *figures[name]) for name, samples in times.items()}


def _sample(samples: list[float], entered: int, cyclic: float) -> Sample:
    low, _, high = quantiles(samples, n=4) if len(samples) > 1 else (0.0, 0.0, 0.0)
    return Sample(median(samples), high - low, entered, cyclic)


@contextmanager
def still_collector() -> Generator[None, None, None]:
    """Keep the cycle collector from running inside a measurement, and what exists already out of its sight."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


async def _batch(case: Case, loop: int) -> int:
    """Nanoseconds of CPU that `loop` calls take."""
    if case.acall is not None:
        acall = case.acall
        start = time.process_time_ns()
        for _ in repeat(None, loop):
            await acall()
        return time.process_time_ns() - start
    assert case.call is not None
    call = case.call
    start = time.process_time_ns()
    for _ in repeat(None, loop):
        call()
    return time.process_time_ns() - start


async def _calibrate(case: Case) -> int:
    """Warm the case up, and return how many calls fill a batch."""
    loop = 1
    while (took := await _batch(case, loop)) < BATCH_NS // 2:
        loop *= 2
    return max(1, round(loop * BATCH_NS / took))


async def _entered(case: Case) -> int:
    """How many functions, of Python and of C, one call enters."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    sys.setprofile(profile)
    try:
        if case.acall is not None:
            await case.acall()
        elif case.call is not None:
            case.call()
    finally:
        sys.setprofile(None)
    return count - 1  # setprofile(None) itself


async def _cyclic(case: Case) -> float:
    """How many objects one call leaves that only the cycle collector can free."""
    gc.collect()
    await _batch(case, CYCLE_CALLS)
    return gc.collect() / CYCLE_CALLS
