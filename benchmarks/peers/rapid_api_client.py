"""rapid-api-client: decorated methods with marked parameters over the user's own `httpx.Client`."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

from typing import Annotated

import httpx
from rapid_api_client import Path, Query, RapidApi, get

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.wire import Wire


class GitHub(RapidApi):
    @get("/users/{username}")
    def user(self, username: Annotated[str, Path()], view: Annotated[str, Query()] = "full") -> User: ...

    @get("/users/{username}/repos")
    def repos(self, username: Annotated[str, Path()], per_page: Annotated[int, Query()] = 30) -> list[Repo]: ...


def connect(body: bytes) -> Peer:
    wire = Wire(body)
    headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
    github = GitHub(client=httpx.Client(base_url=BASE_URL, headers=headers, transport=wire.transport))
    return Peer(lambda: github.user(USERNAME), lambda: github.repos(USERNAME), wire.sent)
