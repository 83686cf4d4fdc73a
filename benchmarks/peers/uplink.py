"""uplink: a consumer class over requests, whose transport adapter answers from memory."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

import io

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from uplink import Consumer, Query, get, headers, returns

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, USERNAME, Repo, User
from benchmarks.peers import Peer
from benchmarks.wire import RESPONSE_HEADERS, Sent


class Adapter(BaseAdapter):
    """Answers 200 with `body`, which is still to be read."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._headers = {name.decode(): value.decode() for name, value in RESPONSE_HEADERS}
        self._body = body

    def send(self, request: requests.PreparedRequest, **_options: object) -> requests.Response:
        self._last = request
        response = requests.Response()
        response.status_code = 200
        response.headers = CaseInsensitiveDict(self._headers)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(self._body)
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None: ...

    def sent(self) -> Sent:
        """The last request that arrived."""
        request = self._last
        return Sent.of("GET", request.url, request.headers["Accept"], request.headers["User-Agent"], b"")


@headers({"Accept": ACCEPT, "User-Agent": USER_AGENT})
class GitHub(Consumer):
    @returns.json
    @get("/users/{username}")
    def user(self, username: str, view: Query = "full") -> User: ...

    @returns.json
    @get("/users/{username}/repos")
    def repos(self, username: str, per_page: Query = 30) -> list[Repo]: ...


def connect(body: bytes) -> Peer:
    adapter = Adapter(body)
    session = requests.Session()
    session.mount("https://", adapter)
    github = GitHub(base_url=BASE_URL, client=session)
    return Peer(lambda: github.user(USERNAME), lambda: github.repos(USERNAME), adapter.sent)
