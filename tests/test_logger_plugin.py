"""`LoggerPlugin`: one line per call, one per retry, no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import ApiClient, CallError, CallNext, FixedDelay, Request, Resource, Response, Retry, get, plugins
from stubwire.auth import BearerAuth
from stubwire.plugins import LoggerPlugin

MakeApi = Callable[..., Api]
SECRET = "s3cret"


class Issues(Resource, path="/repos/<repo>/issues"):
    @get("/<number>")
    def get(self, repo: str, number: int) -> int:
        raise NotImplementedError


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))
    plugins = [LoggerPlugin(logging.getLogger("github_client"))]
    issues: Issues

    @get("/users/<name>")
    def user(self, name: str, *, token: str | None = None) -> int:
        raise NotImplementedError


def lines(caplog: pytest.LogCaptureFixture, logger: str = "github_client") -> list[tuple[str, str]]:
    """Level and text of each record, from this logger."""
    assert {record.name for record in caplog.records} == {logger}
    return [(record.levelname, record.getMessage()) for record in caplog.records]


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    """Hear everything that ours say."""
    for name in ("github_client", "stubwire"):
        caplog.set_level(logging.DEBUG, name)


def test_a_call_is_one_line(api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """With endpoint, method, template, status, time and request id."""

    def slow(_: Any) -> Reply:
        clock.advance(0.25)
        return Reply(json=1, headers={"X-Request-Id": "8F3A"})

    client = GitHub(transport=api(slow).transport)
    colour.run(client.user, "octocat")
    colour.run(client.issues.get, "stubwire", 7)
    assert lines(caplog) == [
        ("INFO", "GitHub.user GET /users/<name> 200 in 0.250 s (request id 8F3A)"),
        ("INFO", "GitHub.issues.get GET /repos/<repo>/issues/<number> 200 in 0.250 s (request id 8F3A)"),
    ]


def test_a_retry_is_one_more(api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    colour.run(GitHub(transport=api(Reply(503), Fail("ReadTimeout"), Reply(json=1)).transport).user, "octocat")
    assert lines(caplog) == [
        ("WARNING", "GitHub.user GET /users/<name> attempt 2 after 503, waited 2.000 s"),
        ("WARNING", "GitHub.user GET /users/<name> attempt 3 after ReadTimeout, waited 2.000 s"),
        ("INFO", "GitHub.user GET /users/<name> 200 in 4.000 s after 3 attempts"),
    ]


FAILURES: list[tuple[Reply | Fail, tuple[str, str]]] = [
    (Reply(404), ("WARNING", "GitHub.user GET /users/<name> 404 in 0.000 s")),
    (Fail("ReadTimeout"), ("ERROR", "GitHub.user GET /users/<name> failed: ReadTimeout in 0.000 s")),
    (Fail("ConnectError"), ("ERROR", "GitHub.user GET /users/<name> failed: ConnectError in 0.000 s")),
]


@pytest.mark.parametrize(("answer", "line"), FAILURES, ids=str)
def test_a_failure_is_louder(  # noqa: PLR0917 - fixtures and one row of a table
    api: MakeApi,
    colour: Colour,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    answer: Reply | Fail,
    line: tuple[str, str],
) -> None:
    with pytest.raises(CallError):
        colour.run(GitHub(transport=api(answer).transport, retry=None).user, "octocat")
    assert lines(caplog) == [line]


def test_a_bug_of_a_middleware_is_a_line_too(api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request, call_next: CallNext) -> Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        GitHub(transport=api(Reply(json=1)).transport).use(broken).user("octocat")
    assert lines(caplog) == [("ERROR", "GitHub.user GET /users/<name> failed: ZeroDivisionError in 0.000 s")]


def test_calling_on_twice_is_no_retry(api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    async def twice(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return await call_next(request)

    GitHub(transport=api(Reply(json=1)).transport).use(twice).user("octocat")
    assert lines(caplog) == [("INFO", "GitHub.user GET /users/<name> 200 in 0.000 s after 2 attempts")]


def test_no_secret_is_logged(api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"Set-Cookie": SECRET}
    client = GitHub(
        transport=api(Reply(503, json={"token": SECRET}, headers=headers)).transport,
        auth=BearerAuth(SECRET),
        headers={"Cookie": SECRET},
    )
    with pytest.raises(CallError):
        colour.run(client.user, "octocat", token=SECRET)
    assert len(lines(caplog)) == 3
    assert SECRET not in caplog.text
    assert "octocat" not in caplog.text


def test_the_path_of_a_call_without_a_stub_is_redacted(
    api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    GitHub(transport=api(Reply(json=1)).transport).call("GET", f"/users?token={SECRET}&page=2")
    assert lines(caplog) == [("INFO", "GitHub.call GET /users?token=[redacted]&page=2 200 in 0.000 s")]


def test_without_a_logger_it_is_stubwires(api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    GitHub(transport=api(Reply(json=1)).transport, plugins=[LoggerPlugin()]).user("octocat")
    assert lines(caplog, "stubwire") == [("INFO", "GitHub.user GET /users/<name> 200 in 0.000 s")]


def test_a_request_made_by_hand_has_no_template() -> None:
    from stubwire.plugins._telemetry import braces_of, template_of

    by_hand = Request("GET", "https://api.example/")
    assert (template_of(by_hand), braces_of(by_hand)) == ("", "")
    assert plugins.LoggerPlugin is LoggerPlugin
