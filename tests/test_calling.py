"""One stub, both colours, both engines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any

import pytest
import trio
from pydantic import BaseModel

import stubwire
from conftest import Api, Colour, Reply
from stubwire import ApiClient, CallNext, ColourError, Request, Response, get, post

MakeApi = Callable[..., Api]


class User(BaseModel):
    id: int
    login: str


class NewUser(BaseModel):
    login: str


class Users(ApiClient):
    base_url = "https://api.example/v1/"

    @get("/users/<login>")
    def user(self, login: str, *, verbose: bool = False) -> User:
        """Get a user."""
        raise NotImplementedError

    @post("/users")
    async def create(self, user: NewUser) -> User:
        """Create a user."""
        raise NotImplementedError


OCTOCAT = {"id": 1, "login": "octocat"}


def test_a_stub_is_called_in_every_colour(api: MakeApi, colour: Colour) -> None:
    """A `def` stub gives its result when called, and a coroutine of it through `.aio`."""
    server = api(Reply(json=OCTOCAT))
    users = Users(transport=server.transport)

    assert colour.run(users.user, "octocat", verbose=True) == User(id=1, login="octocat")

    assert server.request.method == "GET"
    assert str(server.request.url) == "https://api.example/v1/users/octocat?verbose=true"
    assert server.request.headers["host"] == "api.example"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_an_async_stub_is_awaited(api: MakeApi, loop: str) -> None:
    """An `async def` stub gives a coroutine of its result, and has no `.aio`."""
    server = api(Reply(201, json=OCTOCAT))
    users = Users(transport=server.transport)

    assert Colour(loop).drive(users.create, NewUser(login="octocat")) == User(id=1, login="octocat")

    assert server.request.content == b'{"login":"octocat"}'
    assert server.request.headers["content-type"] == "application/json"
    assert server.request.headers["content-length"] == "19"
    assert not hasattr(users.create, "aio")


def test_the_response_has_what_the_call_knows(api: MakeApi, colour: Colour) -> None:
    """`.response` gives the result with status, headers, request, request id, attempts and times."""
    server = api(Reply(json=OCTOCAT, headers={"X-Request-Id": "8F3A"}))
    users = Users(transport=server.transport)

    response = colour.response(users.user, "octocat")

    assert response.data == User(id=1, login="octocat")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.request.url == "https://api.example/v1/users/octocat?verbose=false"
    assert response.request_id == "8F3A"
    assert response.http_version == "HTTP/1.1"
    assert isinstance(response.raw, server.library.Response)
    assert [(attempt.number, attempt.status_code, attempt.error) for attempt in response.attempts] == [(1, 200, None)]
    assert response.elapsed >= response.attempts[0].elapsed >= 0


def test_the_request_is_made_without_sending_it(api: MakeApi) -> None:
    """`.request` binds and does nothing else."""
    server = api()
    users = Users(transport=server.transport)

    request = users.user.request("octocat")

    assert (request.method, request.url) == ("GET", "https://api.example/v1/users/octocat?verbose=false")
    assert request.arguments == {"login": "octocat", "verbose": False}
    assert request.spec is not None
    assert request.spec.path == "/users/<login>"
    assert (
        request.curl()
        == "curl -X GET 'https://api.example/v1/users/octocat?verbose=false' -H 'Accept: application/json, */*;q=0.5'"
    )
    assert server.requests == []


def test_asyncio_run_takes_what_aio_returns(api: MakeApi) -> None:
    """`.aio(...)` is a coroutine object."""
    users = Users(transport=api(Reply(json=OCTOCAT)).transport)

    assert asyncio.run(users.user.aio("octocat")) == User(id=1, login="octocat")


def test_a_synchronous_call_works_inside_a_running_loop(api: MakeApi) -> None:
    """It blocks the loop, as any synchronous call does, and needs no loop of its own."""
    users = Users(transport=api(Reply(json=OCTOCAT)).transport)

    async def main() -> User:
        return users.user("octocat")

    assert asyncio.run(main()) == User(id=1, login="octocat")
    assert trio.run(main) == User(id=1, login="octocat")


def test_a_wrong_argument_fails_before_any_io(api: MakeApi, colour: Colour) -> None:
    """Python's own TypeError names the endpoint."""
    server = api()
    users = Users(transport=server.transport)

    with pytest.raises(TypeError, match=r"^Users\.user\(\) missing 1 required positional argument: 'login'$"):
        colour.run(users.user)
    with pytest.raises(TypeError, match=r"^Users\.user\(\) got an unexpected keyword argument 'verbos'"):
        colour.run(users.user, "octocat", verbos=True)

    assert server.requests == []


def test_one_middleware_serves_both_colours(api: MakeApi, colour: Colour) -> None:
    """It is written once, as `async def`, and may wait with `stubwire.sleep`."""
    server = api(Reply(json=OCTOCAT))

    async def tracing(request: Request, call_next: CallNext) -> Response:
        await stubwire.sleep(0)
        request.headers["X-Correlation-ID"] = "c1"
        return await call_next(request)

    users = Users(transport=server.transport, middleware=[tracing])

    assert colour.run(users.user, "octocat").id == 1
    assert server.request.headers["x-correlation-id"] == "c1"


def test_a_middleware_makes_calls_of_its_own(api: MakeApi, colour: Colour) -> None:
    """`await other.endpoint.aio()` inside a synchronous call runs in that call's own colour."""
    tokens = api(Reply(json={"id": 7, "login": "token-holder"}))
    server = api(Reply(json=OCTOCAT))
    issuer = Users(transport=tokens.transport)

    async def token(request: Request, call_next: CallNext) -> Response:
        holder = await issuer.user.aio("me")
        request.headers["X-Holder"] = str(holder.id)
        return await call_next(request)

    users = Users(transport=server.transport, middleware=[token])

    assert colour.run(users.user, "octocat").login == "octocat"
    assert server.request.headers["x-holder"] == "7"


def test_a_task_made_inside_a_synchronous_call_is_asynchronous_itself(api: MakeApi) -> None:
    """That a thread drives a synchronous call is no context variable: a task created inside does not inherit it."""
    users = Users(transport=api(Reply(json=OCTOCAT)).transport)
    tasks: list[asyncio.Task[User]] = []

    async def spawning(request: Request, call_next: CallNext) -> Response:
        tasks.append(asyncio.get_running_loop().create_task(users.user.aio("later")))
        return await call_next(request)

    outer = Users(transport=api(Reply(json=OCTOCAT)).transport, middleware=[spawning])

    async def main() -> User:
        outer.user("octocat")
        return await tasks[0]

    assert asyncio.run(main()).id == 1


def test_context_variables_reach_the_middleware(api: MakeApi, colour: Colour) -> None:
    """`call_next` is a plain awaited call."""
    correlation: ContextVar[str] = ContextVar("correlation")
    server = api(Reply(json=OCTOCAT))

    async def tracing(request: Request, call_next: CallNext) -> Response:
        request.headers["X-Correlation-ID"] = correlation.get()
        return await call_next(request)

    users = Users(transport=server.transport, middleware=[tracing])
    correlation.set("c42")

    colour.run(users.user, "octocat")
    assert server.request.headers["x-correlation-id"] == "c42"


def test_threads_share_a_client(api: MakeApi) -> None:
    """Twenty threads get each their own answer."""

    def named(request: Any) -> Reply:
        return Reply(json={"id": 1, "login": request.url.path[-3:]})

    users = Users(transport=api(named).transport)
    results: dict[int, str] = {}

    def work(number: int) -> None:
        results[number] = users.user(f"u{number:02}").login

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {number: f"u{number:02}" for number in range(20)}


# ---- the wrong colour


def users_with(api: MakeApi, middleware: stubwire.Middleware) -> Users:
    return Users(transport=api(Reply(json=OCTOCAT)).transport, middleware=[middleware])


def message(error: pytest.ExceptionInfo[ColourError]) -> str:
    return str(error.value)


def test_looking_for_a_loop_in_a_synchronous_call_names_the_middleware(api: MakeApi) -> None:
    """asyncio says that no loop runs; the error says what to do."""

    async def impatient(request: Request, call_next: CallNext) -> Response:
        await asyncio.sleep(0.01)
        return await call_next(request)

    with pytest.raises(ColourError) as error:
        users_with(api, impatient).user("octocat")

    assert message(error) == (
        "Users.user: 'impatient' needs an event loop, and this call is synchronous: "
        "make the stub `async def`, or call it through .aio (stubwire.sleep works in both)"
    )
    assert isinstance(error.value, RuntimeError)


def test_suspending_in_a_synchronous_call_names_the_middleware(api: MakeApi) -> None:
    """Whatever really suspends is refused, and the middleware's `finally` runs."""
    cleaned: list[bool] = []

    async def impatient(request: Request, call_next: CallNext) -> Response:
        try:
            await asyncio.sleep(0)
        finally:
            cleaned.append(True)
        return await call_next(request)

    with pytest.raises(ColourError) as error:
        users_with(api, impatient).user("octocat")

    assert message(error) == (
        "Users.user: 'impatient' awaited something that suspends, and this call is synchronous: "
        "make the stub `async def`, or call it through .aio (stubwire.sleep works in both)"
    )
    assert cleaned == [True]


def test_suspending_inside_a_running_loop_is_refused_too(api: MakeApi) -> None:
    """A loop that runs does not help: the synchronous call blocks it."""

    async def impatient(request: Request, call_next: CallNext) -> Response:
        await asyncio.sleep(0.01)
        return await call_next(request)

    users = users_with(api, impatient)

    async def main() -> None:
        users.user("octocat")

    with pytest.raises(ColourError, match=r"'impatient' awaited something that suspends"):
        asyncio.run(main())


@pytest.mark.parametrize("how", ["swallows it", "raises another", "suspends again"])
def test_a_middleware_cannot_hide_that_it_suspended(api: MakeApi, how: str) -> None:
    """Whatever it makes of the error, the caller gets a ColourError."""

    async def stubborn(request: Request, call_next: CallNext) -> Response:
        try:
            await asyncio.sleep(0)
        except ColourError:
            if how == "raises another":
                raise ValueError from None
            if how == "suspends again":
                await asyncio.sleep(0)
        return await call_next(request)

    with pytest.raises(ColourError, match=r"'stubborn' awaited something that suspends"):
        users_with(api, stubborn).user("octocat")


def test_a_trio_middleware_in_a_synchronous_call_is_named(api: MakeApi) -> None:
    """Trio and anyio say it in words of their own."""

    async def impatient(request: Request, call_next: CallNext) -> Response:
        await trio.sleep(0.01)
        return await call_next(request)

    with pytest.raises(ColourError, match=r"'impatient' needs an event loop"):
        users_with(api, impatient).user("octocat")


class Suspends:
    def __await__(self) -> Generator[None, None, Response]:
        yield
        raise AssertionError("unreachable")


class AsksForALoop:
    __await__ = staticmethod(asyncio.get_running_loop)


@pytest.mark.parametrize(
    ("awaitable", "what"), [(Suspends, "awaited something that suspends"), (AsksForALoop, "needs an event loop")]
)
def test_what_has_no_name_is_something(api: MakeApi, awaitable: Callable[[], Any], what: str) -> None:
    """An awaitable that is no coroutine of a function."""

    def unusual(request: Request, call_next: CallNext) -> Any:
        return awaitable()

    with pytest.raises(ColourError, match=f"^Users.user: something {what}, and this call is synchronous: "):
        users_with(api, unusual).user("octocat")


def test_another_runtime_error_is_the_users_own(api: MakeApi) -> None:
    """Only what looked for a loop becomes a ColourError."""

    async def broken(request: Request, call_next: CallNext) -> Response:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine") as error:
        users_with(api, broken).user("octocat")
    assert error.value.__notes__ == ["raised in the middleware 'broken'"]
