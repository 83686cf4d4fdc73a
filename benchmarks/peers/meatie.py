"""meatie: a class of endpoints over the user's own `httpx.Client`."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

import httpx
from meatie import endpoint
from meatie_httpx import Client

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.wire import Wire


class GitHub(Client):
    @endpoint("/users/{username}")
    def get_user(self, username: str, view: str = "full") -> User: ...

    @endpoint("/users/{username}/repos")
    def get_repos(self, username: str, per_page: int = 30) -> list[Repo]: ...


def connect(body: bytes) -> Peer:
    wire = Wire(body)
    headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
    github = GitHub(httpx.Client(base_url=BASE_URL, headers=headers, transport=wire.transport))
    return Peer(lambda: github.get_user(USERNAME), lambda: github.get_repos(USERNAME), wire.sent)
