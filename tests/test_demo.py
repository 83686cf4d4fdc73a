"""The demo: the documented client in both colours, and what the program prints."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from servers import free_port
from stubwire import ArgumentError
from stubwire.demo.__main__ import DemoError, failure, main, show_repos
from stubwire.demo.client import GitHub, GitHubError, GitHubSettings, Issue, NewIssue, Repo, User
from stubwire.demo.server import DemoServer


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
    assert github.issues.find("octocat", "Hello-World", state="all", labels=["bug"])[0] == issue


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
    github.issues.find("octocat", "Hello-World", labels=["a", "b"])
    assert server.requests[0].target == "/repos/octocat/Hello-World/issues?state=open&labels=a,b&per_page=30&page=1"


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


def check_typed_results(printed: dict[str, str]) -> None:
    assert "octocat (The Octocat), San Francisco" in printed["Typed results"]
    assert printed["Typed results"].count("octocat/hello-worId") == 1
    assert "octocat/Spoon-Knife         13668 stars  HTML" in printed["Typed results"]
    assert "octocat (The Octocat), San Francisco" in printed["The same stubs, asynchronously"]


def check_demo(output: str) -> None:
    printed = sections(output)
    check_typed_results(printed)
    assert "#3 The cat is out, open" in printed["A model sent, a model back"]
    for section, key in (("Retries", "sync"), ("The same stubs, asynchronously", "async")):
        assert printed[section].count("503, then waited 0.") == 2
        assert "attempt 3     200\n" in printed[section]
        assert f"Turns(key='{key}', attempts=3)" in printed[section]
    assert "GitHubError   " in printed["A typed error"]
    assert "/repos/octocat/no-such-repository answered 404" in printed["A typed error"]
    assert "body.message  Not Found" in printed["A typed error"]
    assert "request id    DEMO:" in printed["A typed error"]
    assert "ReadTimeout   " in printed["A timeout"]
    assert "curl" in printed["The request that a call would send"]
    assert "/repos/octocat/Hello-World/issues" in printed["The request that a call would send"]
    assert '"title":"Unsent"' in printed["The request that a call would send"]
    assert "ghp_a_secret" not in output
    assert "All of it worked; the server saw " in output


def test_the_demo_shows_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    captured = capsys.readouterr()
    check_demo(captured.out)
    assert captured.err == ""


def test_the_live_demo_only_reads(
    server: DemoServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_BASE_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_a_secret")
    assert main(["--live", "octocat"]) == 0
    printed = capsys.readouterr().out
    check_typed_results(sections(printed))
    assert "ghp_a_secret" not in printed
    assert {request.method for request in server.requests} == {"GET"}
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer ghp_a_secret"}


def test_a_demo_that_fails_says_why(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_BASE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("GITHUB_MAX_RETRIES", "0")
    assert main(["--live", "octocat"]) == 1
    assert "The demo failed. ConnectError: GitHub.user: GET http://127.0.0.1:" in capsys.readouterr().err


def test_a_call_that_should_have_failed_is_an_error() -> None:
    with pytest.raises(DemoError, match="should have raised GitHubError, and returned 42"):
        failure(GitHubError, lambda: 42)


def test_an_empty_page_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_repos([])
    assert capsys.readouterr().out == "    nothing here\n"


def test_the_demo_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "stubwire.demo"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    check_demo(done.stdout)


def test_the_program_exits_with_what_main_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stubwire.demo"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(main.__globals__["__file__"]), run_name="__main__")
    assert ended.value.code == 0
