"""What a decorated stub is on a client: its modes, its options, and where it is kept."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    AsyncEndpoint,
    ConfigurationError,
    Endpoint,
    Resource,
    Response,
    get,
    post,
)

M = TypeVar("M")
Apis = Callable[..., Api]


class Repo(BaseModel):
    name: str


class GitHub(ApiClient):
    base_url = "https://api.example"

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, per_page: int = 30, sort: Literal["name", "age"] = "name") -> list[Repo]:
        """List a user's repositories.

        The second line.
        """
        raise NotImplementedError

    @post("/repos")
    async def create(self, repo: Repo, /) -> Repo:
        raise NotImplementedError

    @get("/repos/<name>")
    def whole(self, name: str) -> Response[Repo]:
        raise NotImplementedError


def client_of(api: Api, kind: type[GitHub] = GitHub) -> GitHub:
    return kind(transport=api.transport)


# ---- the modes


def test_every_mode_binds_the_stub_s_own_parameters(api: Apis) -> None:
    server = api(Reply(json=[{"name": "x"}]))
    gh = client_of(server)
    url = "https://api.example/users/octocat/repos?per_page=5&sort=name"
    assert gh.user_repos("octocat", per_page=5) == [Repo(name="x")]
    assert gh.user_repos.response("octocat", per_page=5).data == [Repo(name="x")]
    assert gh.user_repos.with_options(timeout=1.0)("octocat", per_page=5) == [Repo(name="x")]
    assert asyncio.run(gh.user_repos.aio("octocat", per_page=5)) == [Repo(name="x")]
    assert asyncio.run(gh.user_repos.aio.response("octocat", per_page=5)).data == [Repo(name="x")]
    assert gh.user_repos.request("octocat", per_page=5).url == url
    assert [str(request.url) for request in server.requests] == [url] * 5


def test_a_stub_that_returns_a_response_gives_it_in_every_mode(api: Apis, colour: Colour) -> None:
    gh = client_of(api(Reply(json={"name": "x"})))
    found: list[Response[Repo]] = [colour.run(gh.whole, "x"), colour.response(gh.whole, "x")]
    assert [(type(each), each.data, each.status_code) for each in found] == [(Response, Repo(name="x"), 200)] * 2


def test_an_asynchronous_stub_is_awaited_and_has_no_aio(api: Apis) -> None:
    server = api(Reply(json={"name": "x"}))
    gh = client_of(server)
    assert asyncio.run(gh.create(Repo(name="x"))) == Repo(name="x")
    assert asyncio.run(gh.create.response(Repo(name="x"))).data == Repo(name="x")
    assert gh.create.request(Repo(name="x")).content == b'{"name":"x"}'
    assert isinstance(gh.create, AsyncEndpoint)
    assert not hasattr(gh.create, "aio")


def test_a_call_of_aio_is_a_coroutine_object(api: Apis) -> None:
    coroutine = client_of(api(Reply(json=[]))).user_repos.aio("octocat")
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine) == []


def test_a_request_is_not_sent(api: Apis) -> None:
    server = api()
    assert client_of(server).user_repos.request("octocat").curl() == (
        "curl -X GET 'https://api.example/users/octocat/repos?per_page=30&sort=name' "
        "-H 'Accept: application/json, */*;q=0.5'"
    )
    assert server.requests == []


@pytest.mark.parametrize("mode", ["__call__", "request", "response", "aio"])
def test_wrong_arguments_are_a_type_error_that_names_the_stub(api: Apis, mode: str) -> None:
    endpoint: Any = client_of(api()).user_repos
    with pytest.raises(TypeError, match=r"user_repos\(\) missing 1 required positional argument: 'username'"):
        asyncio.run(endpoint.aio()) if mode == "aio" else getattr(endpoint, mode)()
    with pytest.raises(TypeError, match=r"user_repos\(\) got an unexpected keyword argument 'page'"):
        asyncio.run(endpoint.aio("x", page=1)) if mode == "aio" else getattr(endpoint, mode)("x", page=1)


# ---- where it is kept


def test_an_endpoint_is_made_once_for_each_client(api: Apis) -> None:
    gh, other = client_of(api()), client_of(api())
    assert gh.user_repos is gh.user_repos
    assert gh.user_repos.aio is gh.user_repos.aio
    assert gh.user_repos is not other.user_repos
    assert gh.user_repos.spec is other.user_repos.spec  # compiled once


def test_a_view_has_endpoints_of_its_own(api: Apis) -> None:
    gh = client_of(api(Reply(json=[])))
    assert gh.user_repos.request("a").headers.get("X") is None
    view = gh.with_options(headers={"X": "1"})
    assert view.user_repos.request("a").headers["X"] == "1"
    assert gh.user_repos.request("a").headers.get("X") is None


def test_an_endpoint_under_two_names_is_one_endpoint(api: Apis) -> None:
    class Renamed(GitHub):
        @get("/new")
        def new(self) -> None: ...

        old = new

    renamed = Renamed(transport=api().transport)
    assert renamed.old is renamed.new is renamed.old


def test_super_reaches_the_endpoint_that_was_overridden_and_leaves_the_other(api: Apis) -> None:
    class Enterprise(GitHub):
        @get("/enterprise/<username>")
        def user_repos(self, username: str, *, per_page: int = 30, sort: Literal["name", "age"] = "name") -> list[Repo]:
            raise NotImplementedError

        def both(self) -> list[str]:
            return [super().user_repos.request("a").url, self.user_repos.request("a").url]

    gh = Enterprise(transport=api().transport)
    expected = ["https://api.example/users/a/repos", "https://api.example/enterprise/a"]
    for _ in range(2):
        assert [url.partition("?")[0] for url in gh.both()] == expected


def test_an_endpoint_that_was_overridden_is_still_there_under_its_other_name(api: Apis) -> None:
    class Base(ApiClient):
        base_url = "https://api.example"

        @get("/first")
        def first(self) -> None: ...

        kept = first

    class Child(Base):
        @get("/second")
        def first(self) -> None: ...

    child = Child(transport=api().transport)
    assert child.kept.request().url == "https://api.example/first"
    assert child.first.request().url == "https://api.example/second"


def test_a_type_argument_that_has_no_hash_is_compiled_each_time(api: Apis) -> None:
    class Crud(Resource, Generic[M]):
        @get("/item")
        def item(self) -> M:
            raise NotImplementedError

    class Shop(ApiClient):
        base_url = "https://api.example"
        numbers: Crud[Annotated[int, ["no hash"]]]
        lists: Crud[Annotated[list[int], ["no hash"]]]

    shop = Shop(transport=api(Reply(json=1), Reply(json=[1])).transport)
    assert (shop.numbers.item(), shop.lists.item()) == (1, [1])


# ---- options


def test_options_of_an_endpoint_leave_the_endpoint_as_it_was(api: Apis, colour: Colour) -> None:
    server = api(Reply(json=[]))
    gh = client_of(server)
    colour.run(gh.user_repos.with_options(headers={"X": "1"}).with_options(headers={"Y": "2"}), "a")
    colour.run(gh.user_repos, "a")
    assert [(request.headers.get("X"), request.headers.get("Y")) for request in server.requests] == [
        ("1", "2"),
        (None, None),
    ]


def test_options_hold_for_each_mode(api: Apis) -> None:
    gh = client_of(api(Reply(json=[])))
    hurried = gh.user_repos.with_options(query={"page": 2})
    assert isinstance(hurried, Endpoint)
    assert hurried.request("a").url.endswith("page=2&per_page=30&sort=name")
    assert hurried.aio.request("a").url == hurried.request("a").url
    assert hurried.response("a").request.url == hurried.request("a").url
    later = gh.create.with_options(idempotency_key="k")
    assert later.request(Repo(name="x")).headers["Idempotency-Key"] == "k"


def test_an_unknown_option_is_a_type_error(api: Apis) -> None:
    options: Any = {"timeut": 3}
    with pytest.raises(
        TypeError,
        match=r"^with_options\(\) got an unexpected option 'timeut'; "
        r"the options are timeout, deadline, retry, cancel, headers, query, auth, idempotency_key$",
    ):
        client_of(api()).user_repos.with_options(**options)


def test_an_option_that_cannot_be_used_says_where(api: Apis) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"^GitHub\.user_repos\.with_options: timeout=-1 must be a finite number above 0, or None for no limit$",
    ):
        client_of(api()).user_repos.with_options(timeout=-1)
