"""Measure everything, print the table, and exit with 1 if a bar does not hold: `python -m benchmarks --help`."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from importlib.metadata import version

from benchmarks import authenticated, beside, cached, calls, observed, plugins, processes, sockets, streams, transfers
from benchmarks.groups import Group
from benchmarks.rows import Row, table

ROUNDS = 51
ENOUGH_ROUNDS = 25


def main(arguments: list[str] | None = None) -> int:
    """Run the groups asked for; return the exit code."""
    options = _options(arguments)
    found, notes = _measure(options.only, options.rounds)
    if not found:
        print(f"no group is named like {options.only}", file=sys.stderr)
        return 2
    if options.rounds < ENOUGH_ROUNDS:
        notes.append(f"a verdict needs {ENOUGH_ROUNDS} rounds, these are {options.rounds}")
    failed = [row for row in found if row.holds is False]
    if options.json:
        print(json.dumps(_document(found, notes, options.rounds), indent=2))
    else:
        print(table(found), "", *notes, *_closing(found, failed), sep="\n")
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--only", metavar="NAME", action="append", help="only groups whose name contains NAME")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"interleaved rounds ({ROUNDS})")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _measure(only: list[str] | None, rounds: int) -> tuple[list[Row], list[str]]:
    peers, notes = beside.groups()
    rows: list[Row] = []
    for name, run in _runs(peers):
        if only is None or any(part.lower() in name.lower() for part in only):
            print(f"measuring {name} ...", file=sys.stderr)
            rows += run(rounds)
    return rows, notes


def _runs(peers: Iterator[Group]) -> Iterator[tuple[str, Callable[[int], list[Row]]]]:
    for group in calls.groups():
        yield group.name, group.run
    yield observed.NAME, lambda rounds: observed.group().run(rounds)
    yield cached.NAME, cached.run
    for group in (*authenticated.groups(), *plugins.groups()):
        yield group.name, group.run
    for group in peers:
        yield group.name, group.run
    for name in (processes.IMPORT, processes.DEFINE):
        yield name, partial(processes.rows, name)
    for name in (streams.NDJSON, streams.DATA, streams.EVENTS):
        yield name, partial(streams.rows, name)
    yield sockets.NAME, sockets.run
    yield transfers.NAME, transfers.rows


def _document(rows: list[Row], notes: list[str], rounds: int) -> dict[str, object]:
    packages = {name: version(name) for name in ("stubwire", "httpx", "pydantic")}
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": packages,
        "rounds": rounds,
        "notes": notes,
        "rows": [{**asdict(row), "holds": row.holds} for row in rows],
    }


def _closing(rows: list[Row], failed: list[Row]) -> list[str]:
    judged = sum(row.holds is not None for row in rows)
    lines = [f"{judged - len(failed)} of {judged} bars hold"]
    return lines + [f"does not hold: {row.group}: {row.case}" for row in failed]


if __name__ == "__main__":
    sys.exit(main())
