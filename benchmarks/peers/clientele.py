"""clientele: decorated functions that receive the validated result, over its own httpx2 backend."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

from clientele import api
from clientele.http.httpx_backend import HttpxHTTPBackend

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.peers._httpx2_wire import Httpx2Wire


def connect(body: bytes) -> Peer:
    wire = Httpx2Wire(body)
    headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
    backend = HttpxHTTPBackend({"base_url": BASE_URL, "headers": headers, "transport": wire.transport})
    client = api.APIClient(config=api.BaseConfig(base_url=BASE_URL, http_backend=backend))

    @client.get("/users/{username}")
    def user(username: str, result: User, view: str = "full") -> User:  # noqa: ARG001 (clientele reads the signature)
        return result

    @client.get("/users/{username}/repos")
    def repos(username: str, result: list[Repo], per_page: int = 30) -> list[Repo]:  # noqa: ARG001
        return result

    return Peer(lambda: user(USERNAME), lambda: repos(USERNAME), wire.sent)
