"""Libraries that do the same declared work, one module each; a peer that is not installed is left out with a note.

Each module has `connect(body)`, a client of that library over an in-memory transport that answers every request with
`body`. A peer's module is written the way that peer's own documentation writes a client.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import NamedTuple, Protocol

from benchmarks.data import Repo, User
from benchmarks.wire import Sent

DISTRIBUTIONS = {
    "apiroute": "apiroute",
    "clientele": "clientele",
    "combadge": "combadge",
    "httpware": "httpware",
    "meatie": "meatie",
    "rapid_api_client": "rapid-api-client",
    "uplink": "uplink",
}


class Peer(NamedTuple):
    """One connected peer: its two calls, and the last request that its transport saw."""

    user: Callable[[], User]
    repos: Callable[[], list[Repo]]
    sent: Callable[[], Sent]


class Connect(Protocol):
    """What every module of this package offers."""

    def __call__(self, body: bytes) -> Peer: ...


def installed() -> tuple[dict[str, Connect], list[str]]:
    """The peers that can be imported, by name and version, and a note for each that cannot."""
    found: dict[str, Connect] = {}
    notes: list[str] = []
    for module, distribution in DISTRIBUTIONS.items():
        try:
            connect: Connect = import_module(f"benchmarks.peers.{module}").connect
        except ImportError as error:
            notes.append(f"{distribution} is not compared: {error}")
        else:
            found[f"{distribution} {version(distribution)}"] = connect
    return found, notes
