"""combadge: a protocol class bound to a backend over the user's own `httpx.Client`."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

from typing import Annotated, Protocol

import httpx
from combadge.support.http.markers import QueryParam, http_method, path
from combadge.support.httpx.backends.sync import HttpxBackend

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.wire import Wire


class GitHub(Protocol):
    @http_method("GET")
    @path("/users/{username}")
    def user(self, username: str, *, view: Annotated[str, QueryParam("view")] = "full") -> User: ...

    @http_method("GET")
    @path("/users/{username}/repos")
    def repos(self, username: str, *, per_page: Annotated[int, QueryParam("per_page")] = 30) -> list[Repo]: ...


def connect(body: bytes) -> Peer:
    wire = Wire(body)
    headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
    github = HttpxBackend(httpx.Client(base_url=BASE_URL, headers=headers, transport=wire.transport))[GitHub]
    return Peer(lambda: github.user(USERNAME), lambda: github.repos(USERNAME), wire.sent)
