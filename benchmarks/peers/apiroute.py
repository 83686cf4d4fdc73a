"""apiroute: a class of routes over the user's own `httpx.Client`."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

import httpx
from apiroute import Client, Query, route
from apiroute.transports.httpx_client_transport import HttpxClientTransport

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.wire import Wire

HEADERS = {"Accept": ACCEPT, "User-Agent": USER_AGENT}


class GitHub(Client):
    base_url = BASE_URL
    headers = HEADERS

    @route("/users/{username}")
    def get_user(self, username: str, view: Query = "full") -> User: ...

    @route("/users/{username}/repos")
    def get_repos(self, username: str, per_page: Query = 30) -> list[Repo]: ...


def connect(body: bytes) -> Peer:
    wire = Wire(body)
    github = GitHub(transport=HttpxClientTransport(httpx.Client(transport=wire.transport)))
    return Peer(lambda: github.get_user(USERNAME), lambda: github.get_repos(USERNAME), wire.sent)
