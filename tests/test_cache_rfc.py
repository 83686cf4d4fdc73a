"""The cache against RFC 9111, requirement by requirement, in each storage and colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import cache_rows
import cache_rows_used
from caching import SECRET, Row, Script, Things, in_memory
from conftest import Api, Clock, Colour
from stubwire.plugins import CachePlugin

ROWS = [*cache_rows.ROWS, *cache_rows_used.ROWS]


Make = Callable[[float], CachePlugin]
"""Make a plugin, of this `stale_if_error`."""


@pytest.fixture(params=["memory", "file", "redis"])
def plugin(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a plugin that stores in one place."""
    if request.param == "memory":
        return lambda grace: CachePlugin(stale_if_error=grace)
    if request.param == "file":
        return lambda grace: CachePlugin(tmp_path / "cache.db", stale_if_error=grace)
    in_memory(monkeypatch)
    return lambda grace: CachePlugin(redis="redis://cache.test", secret=SECRET, stale_if_error=grace)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.says}")
def test_a_requirement(row: Row, plugin: Make, colour: Colour, clock: Clock) -> None:
    script = Script(row, clock)
    cache = plugin(row.grace)
    script.play(Things(transport=Api("httpx", (script,)).transport, plugins=[cache]), colour)
    cache.close()


def test_each_requirement_stands_in_the_documentation() -> None:
    page = (Path(__file__).parent.parent / "docs" / "caching.md").read_text(encoding="utf-8").splitlines()
    rows = [f"| {row.section} | {row.says} | {shown(row)} |" for row in ROWS]
    assert [row for row in rows if row not in page] == []
    assert len(rows) == sum(line.endswith((*STATUSES,)) for line in page if line.startswith("| "))


STATUSES = ("hit |", "stale |", "revalidated |", "miss |")


def shown(row: Row) -> str:
    """What the calls of a row say of the cache."""
    return ", ".join(step.cache or "-" for step in row.steps)
