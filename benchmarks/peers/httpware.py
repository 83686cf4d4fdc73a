"""httpware: not declarative, a typed call on a client built on httpx2, wrapped in the method a user would write."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

from httpware import Client

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.peers._httpx2_wire import Httpx2Wire


class GitHub:
    def __init__(self, wire: Httpx2Wire) -> None:
        headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
        self.client = Client(base_url=BASE_URL, headers=headers, transport=wire.transport)

    def user(self, username: str, view: str = "full") -> User:
        return self.client.get(f"/users/{username}", params={"view": view}, response_model=User)

    def repos(self, username: str, per_page: int = 30) -> list[Repo]:
        return self.client.get(f"/users/{username}/repos", params={"per_page": per_page}, response_model=list[Repo])


def connect(body: bytes) -> Peer:
    wire = Httpx2Wire(body)
    github = GitHub(wire)
    return Peer(lambda: github.user(USERNAME), lambda: github.repos(USERNAME), wire.sent)
