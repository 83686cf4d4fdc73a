"""What a cache costs, and what it saves, beside the same call without one."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.data import USER_JSON, USERNAME
from benchmarks.declared import GitHub
from benchmarks.groups import Entry, Group
from benchmarks.hand import Hand
from benchmarks.harness import Case
from benchmarks.rows import Row
from benchmarks.wire import Wire

NAME = "GET one user, cached"

_ANY_AGE = {"Cache-Control": "max-stale"}
"""What the wire answers is old, and good enough for a hit."""

_NOTHING_KEPT = {"Cache-Control": "no-store, no-cache"}


def run(rounds: int) -> list[Row]:
    """Measure the group; without hishel there is none."""
    if find_spec("hishel") is None:
        return []
    with TemporaryDirectory() as folder:
        return _group(Path(folder)).run(rounds)


def _group(folder: Path) -> Group:
    from stubwire.auth import BearerAuth
    from stubwire.plugins import CachePlugin

    wire = Wire(USER_JSON)
    hand, plain = Hand(wire), GitHub(transport=wire.transport)
    memory, file = CachePlugin(), CachePlugin(folder / "cache.db")
    entries = [
        Entry(Case("by hand", lambda: hand.user(USERNAME)), wire.sent),
        Entry(Case("without a cache", lambda: plain.user(USERNAME)), wire.sent),
    ]
    for name, client in (
        ("CachePlugin, hit in memory", GitHub(transport=wire.transport, plugins=[memory], headers=_ANY_AGE)),
        ("CachePlugin, hit in a file", GitHub(transport=wire.transport, plugins=[file], headers=_ANY_AGE)),
        (
            "CachePlugin, hit in memory, with a token",
            GitHub(transport=wire.transport, plugins=[memory], headers=_ANY_AGE, auth=BearerAuth("17 cups")),
        ),
        (
            "CachePlugin, miss, not kept",
            GitHub(transport=wire.transport, plugins=[CachePlugin()], headers=_NOTHING_KEPT),
        ),
    ):
        entries.append(Entry(Case(name, partial(client.user, USERNAME))))
    return Group(NAME, entries)
