"""What an error says about its call, and whose errors pass as they are."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    ConnectError,
    FixedDelay,
    NotFoundError,
    ReadError,
    Request,
    Resource,
    Response,
    Retry,
    ServerError,
    TransportError,
    get,
    post,
)
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]
SECRET = "s3cret"


class Issues(Resource, path="/repos/<repo>/issues"):
    @get("")
    def list(self, repo: str) -> int:
        raise NotImplementedError


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(max_retries=3, backoff=FixedDelay(2.0))
    issues: Issues

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, token: str | None = None) -> int:
        raise NotImplementedError

    @post("/users")
    def create(self) -> int:
        raise NotImplementedError


def failure(run: Callable[[], object]) -> CallError:
    """The error that a call raises."""
    with pytest.raises(CallError) as caught:
        run()
    return caught.value


def test_a_message_says_what_came_of_it_how_often_it_was_tried_and_the_request_id(
    api: MakeApi, colour: Colour, clock: Clock
) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(0.275)
        return Reply(503, headers={"X-Request-Id": "8F3A"})

    error = failure(lambda: colour.run(GitHub(transport=api(slow).transport).user_repos, "octocat"))

    assert str(error) == (
        "GitHub.user_repos: GET https://api.github.com/users/octocat/repos "
        "answered 503 after 4 attempts in 7.1 s (request id 8F3A)"
    )
    assert repr(error) == f"<ServerError {error}>"
    assert error.__notes__ == ["not retried: max_retries=3 is used up"]
    assert (error.endpoint, error.request_id) == ("GitHub.user_repos", "8F3A")
    assert error.elapsed == pytest.approx(7.1)
    assert [attempt.number for attempt in error.attempts] == [1, 2, 3, 4]
    assert [attempt.status_code for attempt in error.attempts] == [503] * 4
    assert [attempt.wait for attempt in error.attempts] == [2.0, 2.0, 2.0, None]
    assert [attempt.started for attempt in error.attempts] == pytest.approx([0, 2.275, 4.55, 6.825])
    assert [attempt.elapsed for attempt in error.attempts] == pytest.approx([0.275] * 4)


def test_the_last_error_itself_is_raised(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503), Fail("ReadTimeout"), Reply(502), Fail("ConnectError", "refused"))
    error = failure(lambda: colour.run(GitHub(transport=server.transport).user_repos, "octocat"))
    assert type(error) is ConnectError
    assert str(error) == (
        "GitHub.user_repos: GET https://api.github.com/users/octocat/repos "
        "could not connect after 4 attempts in 6.0 s: refused"
    )
    assert [attempt.error for attempt in error.attempts] == [None, "ReadTimeout", None, "ConnectError"]
    assert [attempt.status_code for attempt in error.attempts] == [503, None, 502, None]


def test_an_endpoint_of_a_resource_has_its_whole_name(api: MakeApi, colour: Colour) -> None:
    error = failure(lambda: colour.run(GitHub(transport=api(Reply(404)).transport).issues.list, "stubwire"))
    assert error.endpoint == "GitHub.issues.list"
    assert str(error) == "GitHub.issues.list: GET https://api.github.com/repos/stubwire/issues answered 404"
    assert not hasattr(error, "__notes__")


NOTES: list[tuple[Reply | Fail, str]] = [
    (Reply(500), "not retried: the server may have acted on this POST, which has no idempotency key"),
    (Fail("ReadTimeout"), "not retried: the server may have acted on this POST, which has no idempotency key"),
    (Reply(503, headers={"x-should-retry": "false"}), "not retried: the server answered x-should-retry: false"),
    (
        Reply(503, headers={"Retry-After": "61"}),
        "not retried: the server asked to wait 61 s, longer than retry_after_max=60",
    ),
]


@pytest.mark.parametrize(("answer", "note"), NOTES, ids=str)
def test_a_note_says_why_it_was_not_retried(api: MakeApi, colour: Colour, answer: Reply | Fail, note: str) -> None:
    error = failure(lambda: colour.run(GitHub(transport=api(answer).transport).create))
    assert error.__notes__ == [note]
    assert len(error.attempts) == 1


def test_the_request_of_an_error_is_redacted(api: MakeApi, colour: Colour) -> None:
    client = GitHub(
        transport=api(Reply(404)).transport,
        auth=BearerAuth(SECRET),
        headers={"X-Custom": SecretStr(SECRET), "X-Plain": "shown", "X-Api-Key": SECRET},
    )
    error = failure(lambda: colour.run(client.user_repos, "octocat", token=SECRET))
    assert error.request.url == "https://api.github.com/users/octocat/repos?token=[redacted]"
    assert error.request.headers["x-custom"] == "[redacted]"
    assert error.request.headers["x-api-key"] == "[redacted]"
    assert error.request.headers["x-plain"] == "shown"
    assert error.request.attempt == 0
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in repr(error) + error.request.curl() + repr(error.request)


def test_an_error_that_no_call_raised_has_no_request() -> None:
    error = CallError("nothing was called")
    assert str(error) == "nothing was called"
    assert str(CallError()) == ""
    assert (error.endpoint, error.attempts, error.elapsed, error.request_id) == ("", (), 0.0, None)
    with pytest.raises(RuntimeError, match=r"^this error has no request: it was not raised by a call$"):
        _ = error.request


# ---- errors that users raise


class Quota(CallError):
    """A user's own error, which keeps nothing of its base's constructor."""

    def __init__(self, left: int) -> None:
        self.left = left


def raising(error: BaseException) -> Callable[[Any], Any]:
    """An interceptor that raises."""

    def interceptor(_: Any) -> Any:
        raise error

    return interceptor


def installed(client: GitHub, place: str, error: BaseException) -> GitHub:
    """The client with something that raises at this place."""

    async def middleware(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        raise error

    if place == "request interceptor":
        client.interceptors.request.use(raising(error))
    elif place == "response interceptor":
        client.interceptors.response.use(raising(error))
    else:
        client.use(middleware, per="call" if place == "middleware" else "attempt")
    return client


PLACES = ["request interceptor", "response interceptor", "middleware", "middleware per attempt"]


@pytest.mark.parametrize("place", PLACES)
def test_an_error_of_ours_that_a_user_raises_gets_its_context(api: MakeApi, colour: Colour, place: str) -> None:
    client = installed(GitHub(transport=api(Reply(json=1)).transport), place, NotFoundError(response=Response(404)))
    error = failure(lambda: colour.run(client.user_repos, "octocat"))
    assert type(error) is NotFoundError
    assert str(error) == "GitHub.user_repos: GET https://api.github.com/users/octocat/repos answered 404"
    assert error.response.request.method == "GET"


@pytest.mark.parametrize("place", PLACES)
def test_so_does_a_users_own_subclass(api: MakeApi, colour: Colour, place: str) -> None:
    client = installed(GitHub(transport=api(Reply(json=1)).transport), place, Quota(3))
    error = failure(lambda: colour.run(client.user_repos, "octocat"))
    assert isinstance(error, Quota)
    assert (error.left, error.endpoint) == (3, "GitHub.user_repos")
    assert error.request.method == "GET"


def test_a_transport_error_of_a_middleware_is_retried_as_the_engines_are(
    api: MakeApi, colour: Colour, clock: Clock
) -> None:
    client = GitHub(transport=api(Reply(json=1)).transport)

    async def flaky(request: Request, call_next: CallNext) -> Response:
        if request.attempt < 3:
            raise ReadError("the disk is full: again")
        return await call_next(request)

    client.use(flaky, per="attempt")
    response = colour.response(client.user_repos, "octocat")
    assert [attempt.error for attempt in response.attempts] == ["ReadError", "ReadError", None]
    error = failure(lambda: colour.run(client.with_options(retry=Retry(max_retries=1)).user_repos, "octocat"))
    assert "the disk is full after 2 attempts in" in str(error)


def test_an_error_of_another_call_keeps_its_own_context(api: MakeApi) -> None:
    class Tokens(ApiClient):
        base_url = "https://tokens.example"

        @get("/token")
        def token(self) -> str:
            raise NotImplementedError

    tokens = Tokens(transport=api(Reply(404)).transport)
    client = GitHub(transport=api(Reply(json=1)).transport)

    async def authorize(request: Request, call_next: CallNext) -> Response:
        await tokens.token.aio()
        return await call_next(request)

    client.use(authorize)
    error = failure(lambda: client.user_repos("octocat"))
    assert str(error) == "Tokens.token: GET https://tokens.example/token answered 404"


@pytest.mark.parametrize("place", PLACES)
def test_a_bug_of_a_user_propagates_as_itself_with_a_note(api: MakeApi, colour: Colour, place: str) -> None:
    bug = ZeroDivisionError("a bug")
    client = installed(GitHub(transport=api(Reply(json=1)).transport), place, bug)
    with pytest.raises(ZeroDivisionError) as caught:
        colour.run(client.user_repos, "octocat")
    assert caught.value is bug
    kind = place.removesuffix(" per attempt").removeprefix("request ").removeprefix("response ")
    assert bug.__notes__ == [f"raised in the {kind} {kind!r}"]


class Stop(BaseException):
    """What no `except Exception` sees."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_base_exceptions_pass_untouched(api: MakeApi, place: str, kind: type[BaseException]) -> None:
    stop = kind("now")
    server = api(Reply(json=1))
    client = installed(GitHub(transport=server.transport), place, stop)
    with pytest.raises(kind) as caught:
        client.user_repos("octocat")
    assert caught.value is stop
    assert not hasattr(stop, "__notes__")
    assert len(server.requests) <= 1


def test_a_base_exception_of_the_transport_is_not_retried(api: MakeApi) -> None:
    server = api()

    def interrupt(_: Any) -> Any:
        server.requests.append(None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GitHub(transport=server.library.MockTransport(interrupt)).user_repos("octocat")
    assert len(server.requests) == 1


def test_cancellation_passes_untouched(api: MakeApi) -> None:
    async def cancelled() -> None:
        async def hang(request: Request, call_next: CallNext) -> Response:
            await asyncio.Event().wait()
            return await call_next(request)

        client = GitHub(transport=api(Reply(json=1)).transport).use(hang)
        task = asyncio.ensure_future(client.user_repos.aio("octocat"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def test_a_rejected_interceptor_sees_the_whole_error(api: MakeApi, colour: Colour) -> None:
    client = GitHub(transport=api(Reply(500)).transport, retry=None)
    seen: list[str] = []
    client.interceptors.response.use(None, lambda error: seen.append(str(error)))
    error = failure(lambda: colour.run(client.user_repos, "octocat"))
    assert seen == [str(error)]
    assert seen == ["GitHub.user_repos: GET https://api.github.com/users/octocat/repos answered 500"]
    assert isinstance(error, ServerError)
    assert not isinstance(error, TransportError)
