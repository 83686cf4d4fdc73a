"""The declared side: the three calls as stubs of stubwire, in both colours, and what is added around them."""

import httpx

from benchmarks.data import ACCEPT, BASE_URL, USER_AGENT, Issue, NewIssue, Repo, User
from benchmarks.wire import Wire
from stubwire import ApiClient, CallNext, Request, Response, get, post

HEADERS = {"Accept": ACCEPT}
CLIENT_HEADERS = {"User-Agent": USER_AGENT}


class GitHub(ApiClient):
    """The three calls, synchronous."""

    base_url = BASE_URL
    headers = CLIENT_HEADERS

    @get("/users/<username>", headers=HEADERS)
    def user(self, username: str, *, view: str = "full") -> User:
        """GET one user."""
        raise NotImplementedError

    @get("/users/<username>/repos", headers=HEADERS)
    def repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        """GET thirty repositories."""
        raise NotImplementedError

    @post("/repos/<owner>/<repo>/issues", headers=HEADERS)
    def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        """POST a model, and get a model back."""
        raise NotImplementedError


class AsyncGitHub(ApiClient):
    """The three calls, asynchronous."""

    base_url = BASE_URL
    headers = CLIENT_HEADERS

    @get("/users/<username>", headers=HEADERS)
    async def user(self, username: str, *, view: str = "full") -> User:
        """GET one user."""
        raise NotImplementedError

    @get("/users/<username>/repos", headers=HEADERS)
    async def repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        """GET thirty repositories."""
        raise NotImplementedError

    @post("/repos/<owner>/<repo>/issues", headers=HEADERS)
    async def create_issue(self, owner: str, repo: str, issue: NewIssue) -> Issue:
        """POST a model, and get a model back."""
        raise NotImplementedError


async def first(request: Request, call_next: CallNext) -> Response:
    """A middleware that passes on what it is given; three of them, because each is its own function in real code."""
    return await call_next(request)


async def second(request: Request, call_next: CallNext) -> Response:
    """Pass on."""
    return await call_next(request)


async def third(request: Request, call_next: CallNext) -> Response:
    """Pass on."""
    return await call_next(request)


MIDDLEWARE = [first, second, third]


def add_three_middlewares_and_two_interceptors(client: ApiClient) -> None:
    """What the bar names: three middlewares, an interceptor of requests and one of responses."""
    for middleware in MIDDLEWARE:
        client.use(middleware)
    client.interceptors.request.use(_see_request)
    client.interceptors.response.use(_see_response)


def _see_request(request: Request) -> Request:
    return request


def _see_response(response: Response) -> Response:
    return response


def stock_client(wire: Wire) -> httpx.Client:
    """The user's own client, for `http_client=`."""
    return httpx.Client(transport=wire.transport)


def stock_async_client(wire: Wire) -> httpx.AsyncClient:
    """The user's own asynchronous client, for `http_client=`."""
    return httpx.AsyncClient(transport=wire.transport)
