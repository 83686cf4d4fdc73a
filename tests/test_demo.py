"""The demo: the documented client in both colours, and what the program prints."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from servers import RawServer, free_port, http
from stubwire import ArgumentError
from stubwire.demo.__main__ import DemoError, exit_code, failure, main
from stubwire.demo._show import BOLD, show_repos, styled
from stubwire.demo.client import GitHub, GitHubError, GitHubSettings, Issue, NewIssue, Repo, User
from stubwire.demo.server import DemoServer

if TYPE_CHECKING:
    from conftest import Clock


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


@pytest.fixture
def github(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with GitHub(GitHubSettings(base_url=server.url, token=SecretStr("ghp_x"))) as client:
        yield client


def test_every_call_gives_its_model(github: GitHub) -> None:
    user = github.user("octocat")
    assert isinstance(user, User)
    assert (user.login, user.created_at.year) == ("octocat", 2011)
    repos = github.user_repos("octocat", sort="pushed", per_page=2, page=2)
    assert [repo.name for repo in repos] == ["git-consortium", "Spoon-Knife"]
    assert github.repo("octocat", "spoon-knife") == repos[1]
    assert github.search_repositories("demonstration", per_page=1) == [repos[1]]
    issue = github.issues.create("octocat", "Hello-World", NewIssue(title="New", labels=["bug"]))
    assert isinstance(issue, Issue)
    assert github.issues.one("octocat", "Hello-World", issue.number) == issue
    assert github.issues.find("octocat", "Hello-World", state="all", labels="bug")[0] == issue


async def every_call_awaited(github: GitHub) -> tuple[User, list[Repo], Issue]:
    async with github:
        user = await github.user.aio("octocat")
        found = await github.search_repositories.aio("demonstration")
        return user, found, await github.issues.create.aio("octocat", "Hello-World", NewIssue(title="New"))


def test_every_call_can_be_awaited(server: DemoServer) -> None:
    client = GitHub(GitHubSettings(base_url=server.url, token=SecretStr("ghp_x")))
    user, found, issue = asyncio.run(every_call_awaited(client))
    assert (user.login, issue.number) == ("octocat", 3)
    assert [repo.name for repo in found] == ["Spoon-Knife", "git-consortium"]


def test_every_request_says_what_github_wants_to_know(github: GitHub, server: DemoServer) -> None:
    github.issues.create("octocat", "Hello-World", NewIssue(title="New"))
    (request,) = server.requests
    assert request.headers["accept"] == "application/vnd.github+json"
    assert request.headers["x-github-api-version"] == "2022-11-28"
    assert request.headers["user-agent"] == "stubwire-demo"
    assert request.headers["authorization"] == "Bearer ghp_x"
    assert json.loads(request.body) == {"title": "New", "body": "", "labels": []}


def test_labels_are_joined_by_commas(github: GitHub, server: DemoServer) -> None:
    github.issues.find("octocat", "Hello-World", labels="a,b")
    target = "/repos/octocat/Hello-World/issues?state=open&labels=a%2Cb&per_page=30&page=1"
    assert server.requests[0].target == target


def test_a_refusal_is_a_github_error_with_a_typed_body(github: GitHub) -> None:
    with pytest.raises(GitHubError) as caught:
        github.issues.create("octocat", "Hello-World", NewIssue(title=""))
    assert caught.value.status_code == 422
    assert caught.value.body is not None
    assert caught.value.body.message == "Validation Failed"
    assert [problem.field for problem in caught.value.body.errors if not isinstance(problem, str)] == ["title"]
    assert str(caught.value.request_id) in str(caught.value)


def test_a_page_that_is_too_long_is_not_asked_for(github: GitHub, server: DemoServer) -> None:
    with pytest.raises(ArgumentError, match="per_page"):
        github.user_repos("octocat", per_page=101)
    assert server.requests == ()


def test_without_a_token_no_credential_is_sent(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with GitHub(GitHubSettings(base_url=server.url)) as client:
        assert client.user("octocat").id == 583231
    assert "authorization" not in server.requests[0].headers


# -- what it prints


def sections(output: str) -> dict[str, str]:
    """The text of each section by its heading."""
    parts: dict[str, str] = {}
    lines = output.splitlines()
    title = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below and set(below) == {"-"}:
            title = line
        parts[title] = parts.get(title, "") + line + "\n"
    return parts


ATTEMPTS = """\
      attempt 1             503, then waited 0.25 s
      attempt 2             503, then waited 0.50 s
      attempt 3             200
"""
USER = """\
      user                  User, validated
      user.name             'The Octocat'
      user.created_at.year  2011
      user.followers        22347
"""


def check_what_both_show(printed: dict[str, str]) -> None:
    declared = printed["A class of typed stubs (stubwire/demo/client.py)"]
    assert "GitHub.user_repos     <GET /users/<username>/repos -> list[Repo]>" in declared
    assert "GitHub.issues.create  <POST /repos/<owner>/<repo>/issues -> Issue>" in declared
    asynchronous = printed["The same stubs, asynchronously"]
    assert USER in printed["Typed results"]
    assert USER in asynchronous
    assert printed["Typed results"].count("Repo  octocat/hello-worId              650 stars\n") == 1
    assert "Repo  octocat/Spoon-Knife            13668 stars  HTML\n" in printed["Typed results"]
    assert asynchronous.count("Repo  octocat/") == 8
    assert "/repos/octocat/no-such-repository answered 404 (request id DEMO:" in printed["A typed error"]
    assert "error.body            GitHubProblem\n" in printed["A typed error"]
    assert "error.body.message    'Not Found'\n" in printed["A typed error"]
    assert "error.request_id      'DEMO:" in printed["A typed error"]
    refused = printed["A wrong argument, before anything is sent"]
    assert "ArgumentError         GitHub.user_repos: per_page: Input should be less than or equal to 100" in refused
    command = printed["The request that a call would send"]
    assert "      curl -X POST http://127.0.0.1:" in command
    assert "        -H 'Authorization: [redacted]' \\\n" in command
    assert '        --data-raw \'{"title": "Unsent", "body": "", "labels": []}\'\n' in command


def check_demo(output: str) -> None:
    printed = sections(output)
    check_what_both_show(printed)
    created = printed["A model sent, a model back"]
    assert created.count("Issue  #3 The cat is out  [bug]\n") == 2  # as created, and in the list
    assert "Issue  #1 Edited README via GitHub\n" in created
    assert ATTEMPTS in printed["Retries"]
    assert "WARNING  DemoGitHub.flaky GET /flaky/<key> attempt 2 after 503, waited 0.250 s\n" in printed["Retries"]
    assert "Turns(key='sync', attempts=3)" in printed["Retries"]
    assert "attempt 2 after 429, waited 1.000 s\n" in printed["Retries"]
    assert "Turns(key='busy', attempts=2)" in printed["Retries"]
    assert "ReadTimeout           DemoGitHub.slow: GET http://127.0.0.1:" in printed["A timeout"]
    asynchronous = printed["The same stubs, asynchronously"]
    assert "5 answers of 0.3 s each, in " in asynchronous
    assert ATTEMPTS in asynchronous
    assert "Turns(key='async', attempts=3)" in asynchronous
    assert "ghp_a_secret" not in output
    assert "All of it worked: the server saw 26 requests in " in output


@pytest.fixture
def hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that would lead a client astray."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "GITHUB_PROXY", "GITHUB_BASE_URL"):
        monkeypatch.setenv(name, nowhere)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_MAX_RETRIES", "0")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_another_secret")


@pytest.mark.usefixtures("hostile_environment")
def test_the_demo_shows_all_of_it_whatever_the_environment(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    assert main([]) == 0
    captured = capsys.readouterr()
    check_demo(captured.out)
    assert captured.err == ""
    assert clock.waits == [0.25, 0.5, 1.0, 0.25, 0.5]  # what is shown is what was waited


def test_the_live_demo_only_reads(
    server: DemoServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_BASE_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_a_secret")
    assert main(["--live", "octocat"]) == 0
    printed = capsys.readouterr().out
    check_what_both_show(sections(printed))
    assert "ghp_a_secret" not in printed
    assert {request.method for request in server.requests} == {"GET"}
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer ghp_a_secret"}


def test_a_server_that_cannot_be_reached_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("GITHUB_BASE_URL", url)
    assert main(["--live", "octocat"]) == 1
    first, *advice = capsys.readouterr().err.strip().splitlines()
    begins = (
        f"The demo failed. ConnectError: GitHub.user: GET {url}/users/octocat could not connect after 4 attempts in "
    )
    assert first.startswith(begins)
    assert advice == ["  not retried: max_retries=3 is used up", "  `python -m stubwire.demo` alone needs no network"]
    assert len(clock.waits) == 3


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        pytest.param(
            http('{"message": "API rate limit exceeded"}', 403),
            [
                "  GitHub says: API rate limit exceeded",
                "  GITHUB_TOKEN is read from the environment; without one, GitHub answers 60 requests an hour",
            ],
            id="over the limit",
        ),
        pytest.param(http('{"message": "Not Found"}', 404), ["  GitHub says: Not Found"], id="no such account"),
        pytest.param(http("gone", 410), [], id="without a body to show"),
    ],
)
def test_what_github_refuses_is_explained(
    answer: bytes, advice: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(answer) as raw:
        monkeypatch.setenv("GITHUB_BASE_URL", raw.url)
        assert main(["--live", "octocat"]) == 1
    first, *rest = capsys.readouterr().err.strip().splitlines()
    assert first.startswith(f"The demo failed. GitHubError: GitHub.user: GET {raw.url}/users/octocat answered 4")
    assert rest == advice


def test_a_call_that_should_have_failed_is_an_error() -> None:
    with pytest.raises(DemoError, match="should have raised GitHubError, and returned 42"):
        failure(GitHubError, lambda: 42)


def test_it_exits_with_1_only_where_something_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise DemoError("it did not fail")

    assert exit_code(lambda: None) == 0
    assert exit_code(broken) == 1
    assert capsys.readouterr().err == "\nThe demo failed. DemoError: it did not fail\n"


def test_an_empty_page_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_repos([])
    assert capsys.readouterr().out == "      []\n"


@pytest.mark.parametrize(("no_color", "shown"), [("", "\x1b[1mTitle\x1b[0m"), ("1", "Title")])
def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch, no_color: str, shown: str) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert styled("Title", BOLD) == shown
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert styled("Title", BOLD) == "Title"


def test_the_demo_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "stubwire.demo"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    check_demo(done.stdout)


@pytest.mark.usefixtures("clock")
def test_the_program_exits_with_what_main_returns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stubwire.demo"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(main.__globals__["__file__"]), run_name="__main__")
    assert ended.value.code == 0
    check_demo(capsys.readouterr().out)
