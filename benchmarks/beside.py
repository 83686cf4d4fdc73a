"""The groups that compare stubwire with its peers: the same declared work, each over its own in-memory transport."""

from collections.abc import Iterator

from benchmarks.data import REPOS_JSON, USER_JSON, USERNAME
from benchmarks.declared import GitHub
from benchmarks.groups import Bar, Entry, Group
from benchmarks.hand import Hand
from benchmarks.harness import Case
from benchmarks.peers import Connect, installed
from benchmarks.wire import Wire


def groups() -> tuple[Iterator[Group], list[str]]:
    """Both groups, and a note for each peer that is not installed."""
    peers, notes = installed()
    if not peers:
        return iter(()), [*notes, "no peer is installed: the two bars against peers are not measured"]
    return _groups(peers), notes


def _groups(peers: dict[str, Connect]) -> Iterator[Group]:
    yield _user(peers)
    yield _repos(peers)


def _user(peers: dict[str, Connect]) -> Group:
    wire = Wire(USER_JSON)
    hand, github = Hand(wire), GitHub(transport=wire.transport)
    bar = Bar(0.50, against=tuple(peers))
    return Group(
        "GET one user, beside peers",
        [
            Entry(Case("by hand", lambda: hand.user(USERNAME)), wire.sent),
            Entry(Case("stubwire", lambda: github.user(USERNAME)), wire.sent, bar),
            *(_peer_user(name, connect) for name, connect in peers.items()),
        ],
    )


def _repos(peers: dict[str, Connect]) -> Group:
    wire = Wire(REPOS_JSON)
    hand, github = Hand(wire), GitHub(transport=wire.transport)
    bar = Bar(0.70, against=tuple(peers))
    return Group(
        "GET 30 repos, beside peers",
        [
            Entry(Case("by hand", lambda: hand.repos(USERNAME)), wire.sent),
            Entry(Case("stubwire", lambda: github.repos(USERNAME)), wire.sent, bar),
            *(_peer_repos(name, connect) for name, connect in peers.items()),
        ],
    )


def _peer_user(name: str, connect: Connect) -> Entry:
    peer = connect(USER_JSON)
    return Entry(Case(name, peer.user), peer.sent)


def _peer_repos(name: str, connect: Connect) -> Entry:
    peer = connect(REPOS_JSON)
    return Entry(Case(name, peer.repos), peer.sent)
