"""The baseline: what an expert writes by hand with httpx and pydantic, in both colours, and the floor below it.

Type adapters are built once, the client is reused, and nothing is checked that the task does not ask for.
"""

import httpx
from pydantic import TypeAdapter

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, Issue, NewIssue, Repo, User
from benchmarks.wire import Wire

HEADERS = {"Accept": ACCEPT}
_user = TypeAdapter(User)
_repos = TypeAdapter(list[Repo])
_issue = TypeAdapter(Issue)


class Hand:
    """The three calls, synchronous."""

    def __init__(self, wire: Wire) -> None:
        self.client = httpx.Client(base_url=BASE_URL, headers={"User-Agent": USER_AGENT}, transport=wire.transport)

    def user(self, username: str, *, view: str = "full") -> User:
        """GET one user."""
        response = self.client.get(f"/users/{username}", params={"view": view}, headers=HEADERS)
        response.raise_for_status()
        return _user.validate_json(response.content)

    def repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        """GET thirty repositories."""
        response = self.client.get(f"/users/{username}/repos", params={"per_page": per_page}, headers=HEADERS)
        response.raise_for_status()
        return _repos.validate_json(response.content)

    def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        """POST a model, and get a model back."""
        response = self.client.post(f"/repos/{owner}/{repo}/issues", json=issue.model_dump(), headers=HEADERS)
        response.raise_for_status()
        return _issue.validate_json(response.content)


class AsyncHand:
    """The three calls, asynchronous."""

    def __init__(self, wire: Wire) -> None:
        self.client = httpx.AsyncClient(base_url=BASE_URL, headers={"User-Agent": USER_AGENT}, transport=wire.transport)

    async def user(self, username: str, *, view: str = "full") -> User:
        """GET one user."""
        response = await self.client.get(f"/users/{username}", params={"view": view}, headers=HEADERS)
        response.raise_for_status()
        return _user.validate_json(response.content)

    async def repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        """GET thirty repositories."""
        response = await self.client.get(f"/users/{username}/repos", params={"per_page": per_page}, headers=HEADERS)
        response.raise_for_status()
        return _repos.validate_json(response.content)

    async def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        """POST a model, and get a model back."""
        response = await self.client.post(f"/repos/{owner}/{repo}/issues", json=issue.model_dump(), headers=HEADERS)
        response.raise_for_status()
        return _issue.validate_json(response.content)


class ClientHeadersHand(Hand):
    """`user` with the endpoint's header set on the client instead of in the call, which saves httpx a merge."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.client.headers.update(HEADERS)

    def user(self, username: str, *, view: str = "full") -> User:
        """GET one user."""
        response = self.client.get(f"/users/{username}", params={"view": view})
        response.raise_for_status()
        return _user.validate_json(response.content)


class Floor:
    """No client at all: the transport and `validate_json`, below which nothing can be."""

    def __init__(self, wire: Wire) -> None:
        self._transport = wire.transport
        self._request = httpx.Request("GET", BASE_URL)

    def user(self) -> User:
        """One user."""
        return _user.validate_json(self._body())

    def repos(self) -> list[Repo]:
        """Thirty repositories."""
        return _repos.validate_json(self._body())

    def _body(self) -> bytes:
        stream = self._transport.handle_request(self._request).stream
        assert isinstance(stream, httpx.SyncByteStream)
        return b"".join(stream)
