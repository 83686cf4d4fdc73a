"""What each plugin adds to a call that need not wait: the groups of limits and breakers, in both colours."""

from collections.abc import Iterator
from functools import partial

from benchmarks.data import USER_JSON, USERNAME
from benchmarks.declared import AsyncGitHub, GitHub
from benchmarks.groups import Entry, Group
from benchmarks.hand import AsyncHand, Hand
from benchmarks.harness import Case
from benchmarks.wire import Wire
from stubwire import Plugin
from stubwire.plugins import CircuitBreaker, ConcurrencyLimit, RateLimit

ENOUGH = 1e8
"""Requests per second that no machine makes, so that nothing waits."""


def groups() -> Iterator[Group]:
    """Both, each built when its turn comes."""
    yield _sync()
    yield _async()


def _plugins() -> dict[str, list[Plugin]]:
    return {
        "none": [],
        "RateLimit": [RateLimit(per_second=ENOUGH, burst=1000)],
        "RateLimit, adaptive": [RateLimit(adaptive=True)],
        "ConcurrencyLimit": [ConcurrencyLimit(10)],
        "CircuitBreaker": [CircuitBreaker()],
        "all three": [CircuitBreaker(), ConcurrencyLimit(10), RateLimit(per_second=ENOUGH, burst=1000)],
    }


def _sync() -> Group:
    wire = Wire(USER_JSON)
    hand = Hand(wire)
    entries = [Entry(Case("by hand", lambda: hand.user(USERNAME)), wire.sent)]
    for name, plugins in _plugins().items():
        client = GitHub(transport=wire.transport, plugins=plugins)
        entries.append(Entry(Case(name, partial(client.user, USERNAME)), wire.sent))
    return Group("plugins", entries)


def _async() -> Group:
    wire = Wire(USER_JSON)
    hand = AsyncHand(wire)
    entries = [Entry(Case("by hand", acall=lambda: hand.user(USERNAME)), wire.sent)]
    for name, plugins in _plugins().items():
        client = AsyncGitHub(transport=wire.transport, plugins=plugins)
        entries.append(Entry(Case(name, acall=partial(client.user, USERNAME)), wire.sent))
    return Group("plugins, async", entries)
