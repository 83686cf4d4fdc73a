"""A group: cases that do the same work, checked to do so, measured together, and judged by their bars."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable

from benchmarks.harness import Case, Sample, measure, run
from benchmarks.rows import Row
from benchmarks.wire import Sent


@dataclass(frozen=True)
class Bar:
    """At most `times` the fastest of `against`; `or_hand` excuses up to that part of the hand-written call more."""

    times: float
    against: tuple[str, ...] = ("by hand",)
    or_hand: float | None = None


@dataclass(frozen=True)
class Entry:
    """A case of a group, with its bar if it has one; `sent` is the last request that its transport saw."""

    case: Case
    sent: Callable[[], Sent] | None = None
    bar: Bar | None = None


@dataclass(frozen=True)
class Group:
    """Cases of the same work. The first is the hand-written call, which is also what every other must equal."""

    name: str
    entries: Sequence[Entry]

    def run(self, rounds: int) -> list[Row]:
        """Check that every case does the same work, measure them all, and judge each."""
        return run(self._run(rounds), in_loop=any(entry.case.acall for entry in self.entries))

    async def _run(self, rounds: int) -> list[Row]:
        await self.check()
        samples = await measure([entry.case for entry in self.entries], rounds)
        return [self._row(entry, samples) for entry in self.entries]

    async def check(self) -> None:
        """Raise an AssertionError unless every case returns what the hand-written call does, and asks for the same."""
        expected = await self._once(self.entries[0])
        for entry in self.entries[1:]:
            result, sent = await self._once(entry)
            label = f"{self.name}: {entry.case.name}"
            assert type(result) is type(expected[0]), f"{label} returned a {type(result).__name__}"
            assert result == expected[0], f"{label} returned {result!r}, by hand it is {expected[0]!r}"
            assert sent is None or sent == expected[1], f"{label} sent {sent}, by hand it is {expected[1]}"

    @staticmethod
    async def _once(entry: Entry) -> tuple[object, Sent | None]:
        call: Callable[[], object | Awaitable[object]] | None = entry.case.call or entry.case.acall
        assert call is not None
        result = call()
        if isawaitable(result):
            result = await result
        return result, None if entry.sent is None else entry.sent()

    def _row(self, entry: Entry, samples: dict[str, Sample]) -> Row:
        sample = samples[entry.case.name]
        hand = samples[self.entries[0].case.name].median_ns
        measured, of, excused = judged(entry.bar, sample, samples, hand)
        return Row(
            group=self.name,
            case=entry.case.name,
            value=sample.median_ns / 1e3,
            unit="us",
            to_hand=sample.median_ns / hand,
            measured=measured,
            bar=None if entry.bar is None else entry.bar.times,
            of=of,
            excused=excused,
            spread=sample.spread_ns / sample.median_ns,
            entered=sample.entered,
            cyclic=sample.cyclic,
        )


def judged(bar: Bar | None, sample: Sample, samples: dict[str, Sample], hand: float) -> tuple[float | None, str, bool]:
    """The ratio that the bar bounds, to what, and whether the bar's second clause holds."""
    if bar is None:
        return None, "", False
    fastest = min(bar.against, key=lambda name: samples[name].median_ns)
    other = samples[fastest].median_ns
    excused = bar.or_hand is not None and sample.median_ns - other <= bar.or_hand * hand
    return sample.median_ns / other, f"x {fastest}", excused
