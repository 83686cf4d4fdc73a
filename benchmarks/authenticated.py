"""What credentials add to a call: each auth beside the same call without one, in both colours."""

import time
from collections.abc import Iterator
from functools import partial

import httpx

from benchmarks.data import USER_JSON, USERNAME
from benchmarks.declared import AsyncGitHub, GitHub
from benchmarks.groups import Entry, Group
from benchmarks.hand import AsyncHand, Hand
from benchmarks.harness import Case
from benchmarks.wire import Wire
from stubwire import Auth
from stubwire.auth import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    MemoryTokenStore,
    OAuth2ClientCredentials,
    Token,
)


class _Kept(MemoryTokenStore):
    """A token that is good for a day, so that none is asked for."""

    def load(self, key: str) -> Token:  # noqa: ARG002
        return Token("17 cups", expires_at=time.time() + 86400)


def groups() -> Iterator[Group]:
    """Both, each built when its turn comes."""
    yield _sync()
    yield _async()


def _auths() -> dict[str, Auth | httpx.Auth | None]:
    oauth2 = OAuth2ClientCredentials("https://id.example/token", "an id", "a secret", store=_Kept())
    return {
        "none": None,
        "BearerAuth": BearerAuth("17 cups"),
        "BearerAuth, of a function": BearerAuth(lambda: "17 cups"),
        "BasicAuth": BasicAuth("octocat", "17 cups"),
        "ApiKeyAuth, header": ApiKeyAuth("17 cups", header="X-Api-Key"),
        "OAuth2ClientCredentials, valid token": oauth2,
        "httpx.BasicAuth": httpx.BasicAuth("octocat", "17 cups"),
    }


def _sync() -> Group:
    wire = Wire(USER_JSON)
    hand = Hand(wire)
    entries = [Entry(Case("by hand", lambda: hand.user(USERNAME)), wire.sent)]
    for name, auth in _auths().items():
        client = GitHub(transport=wire.transport, auth=auth)
        entries.append(Entry(Case(name, partial(client.user, USERNAME)), wire.sent))
    return Group("GET one user, with credentials", entries)


def _async() -> Group:
    wire = Wire(USER_JSON)
    hand = AsyncHand(wire)
    entries = [Entry(Case("by hand", acall=lambda: hand.user(USERNAME)), wire.sent)]
    for name, auth in _auths().items():
        client = AsyncGitHub(transport=wire.transport, auth=auth)
        entries.append(Entry(Case(name, acall=partial(client.user, USERNAME)), wire.sent))
    return Group("GET one user, with credentials, async", entries)
