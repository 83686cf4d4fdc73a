"""`python -m stubwire.demo`: the documented GitHub client at work, against a server of its own or against GitHub.

    python -m stubwire.demo                 # starts a small GitHub-shaped server on loopback
    python -m stubwire.demo --live octocat  # reads from api.github.com; GITHUB_TOKEN and GITHUB_BASE_URL are honoured

Exits with 1, and says why, when a call does not give what it should.
"""

from __future__ import annotations

import asyncio
import re
import sys
from argparse import ArgumentParser
from textwrap import indent
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, SecretStr

from stubwire import ExponentialBackoff, Retry, StubwireError, TimeoutError, get
from stubwire.demo.client import GitHub, GitHubError, GitHubSettings, NewIssue, Repo, User
from stubwire.demo.server import DemoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stubwire import Attempt

E = TypeVar("E", bound=Exception)
PAGES = (1, 2, 3)


class DemoError(Exception):
    """Something went otherwise than the demo is there to show."""


class Turns(BaseModel):
    """How often a flaky endpoint was asked before it answered."""

    key: str
    attempts: int


class DemoGitHub(GitHub):
    """The documented client, shorter waits, and two endpoints that only the demo's server has."""

    retry = Retry(max_retries=3, backoff=ExponentialBackoff(base=0.1, multiplier=2.0))

    @get("/flaky/<key>")
    def flaky(self, key: str) -> Turns:
        """Fail twice with 503 for each key, then answer."""
        raise NotImplementedError

    @get("/slow")
    def slow(self, *, seconds: float) -> None:
        """Answer after so many seconds."""
        raise NotImplementedError


# -- how it looks


def heading(title: str) -> None:
    """Open a section."""
    print(f"\n{title}\n{'-' * len(title)}")


def shown(call: str) -> None:
    """The code whose result follows."""
    print(f"  {call}")


def row(label: str, value: object) -> None:
    """One line of a result; the values of a section stand below each other."""
    print(f"    {label:<14}{value}")


def show_user(user: User) -> None:
    """A profile in three lines."""
    row(type(user).__name__, f"{user.login} ({user.name or 'no name'}), {user.location or 'somewhere'}")
    row("since", f"{user.created_at:%d %B %Y}")
    row("has", f"{user.public_repos} public repositories, {user.followers} followers")


def show_repos(repos: Sequence[Repo]) -> None:
    """A table of repositories."""
    width = max((len(repo.full_name) for repo in repos), default=0)
    for repo in repos:
        print(f"    {repo.full_name:<{width}}  {repo.stargazers_count:>6} stars  {repo.language or '-'}")
    if not repos:
        print("    nothing here")


def show_attempts(attempts: Sequence[Attempt]) -> None:
    """One line for each attempt of a call: what came back, and the wait until the next."""
    for attempt in attempts:
        waited = "" if attempt.wait is None else f", then waited {attempt.wait:.2f} s"
        row(f"attempt {attempt.number}", f"{attempt.status_code or attempt.error}{waited}")


def failure(kind: type[E], call: Callable[[], object]) -> E:
    """The error that a call must raise.

    Raises:
        DemoError: it raised none.
    """
    try:
        result = call()
    except kind as error:
        return error
    raise DemoError(f"a call should have raised {kind.__name__}, and returned {result!r}")


# -- what is shown


def typed_results(github: GitHub, username: str) -> None:
    """One call, and the pages of another."""
    heading("Typed results")
    shown(f'github.user("{username}")')
    show_user(github.user(username))
    for page in PAGES:
        shown(f'github.user_repos("{username}", sort="pushed", per_page=3, page={page})')
        show_repos(github.user_repos(username, sort="pushed", per_page=3, page=page))
    shown(f'github.search_repositories("user:{username}", per_page=2)   # the "items" of the answer')
    show_repos(github.search_repositories(f"user:{username}", per_page=2))


def typed_error(github: GitHub, username: str) -> None:
    """The declared error of a 404."""
    heading("A typed error")
    shown(f'github.repo("{username}", "no-such-repository")')
    error = failure(GitHubError, lambda: github.repo(username, "no-such-repository"))
    row(type(error).__name__, error)
    row("body.message", error.body.message if error.body else "no body")
    row("body.docs", error.body.documentation_url if error.body else "no body")
    row("request id", error.request_id)


def created_issue(github: GitHub) -> None:
    """A body that is a model, and a model back."""
    heading("A model sent, a model back")
    issue = NewIssue(title="The cat is out", body="It was in the box.", labels=["bug"])
    shown(f'github.issues.create("octocat", "Hello-World", {issue!r})')
    created = github.issues.create("octocat", "Hello-World", issue)
    row(type(created).__name__, f"#{created.number} {created.title}, {created.state}")
    row("labels", ", ".join(label.name for label in created.labels))


def retries(github: DemoGitHub) -> None:
    """An endpoint that fails twice."""
    heading("Retries")
    shown('github.flaky.response("sync")')
    response = github.flaky.response("sync")
    show_attempts(response.attempts)
    row("data", repr(response.data))


def timeouts(github: DemoGitHub) -> None:
    """An endpoint that is too slow for this one call."""
    heading("A timeout")
    shown("github.slow.with_options(timeout=0.2, retry=None)(seconds=30)")
    slow = github.slow.with_options(timeout=0.2, retry=None)
    error = failure(TimeoutError, lambda: slow(seconds=30))
    row(type(error).__name__, error)


def unsent_request(github: GitHub) -> None:
    """What a call would send, with its secret redacted."""
    heading("The request that a call would send")
    shown('github.issues.create.request("octocat", "Hello-World", NewIssue(title="Unsent")).curl()')
    request = github.issues.create.request("octocat", "Hello-World", NewIssue(title="Unsent"))
    command = re.sub(r" (-H|--data-raw) ", r" \\\n  \1 ", request.curl())  # an option a line, still for a shell
    print(indent(command, "    "))


async def asynchronous(github: GitHub, username: str) -> None:
    """The same stubs, awaited; several at once."""
    heading("The same stubs, asynchronously")
    async with github:
        shown(f'await github.user.aio("{username}")')
        show_user(await github.user.aio(username))
        shown(f'await asyncio.gather(*(github.user_repos.aio("{username}", per_page=3, page=n) for n in {PAGES}))')
        calls = (github.user_repos.aio(username, per_page=3, page=page) for page in PAGES)
        show_repos([repo for page in await asyncio.gather(*calls) for repo in page])


async def asynchronous_retries(github: DemoGitHub) -> None:
    """Retries of the asynchronous colour."""
    async with github:
        shown('await github.flaky.aio.response("async")')
        response = await github.flaky.aio.response("async")
        show_attempts(response.attempts)
        row("data", repr(response.data))


# -- which of it


def run_demo() -> None:
    """All of it, against a server of our own."""
    with DemoServer() as server:
        settings = GitHubSettings(base_url=server.url, token=SecretStr("ghp_a_secret"))
        print(f"The documented GitHub client, against a small GitHub-shaped server at {server.url}")
        with DemoGitHub(settings) as github:
            typed_results(github, "octocat")
            created_issue(github)
            retries(github)
            typed_error(github, "octocat")
            timeouts(github)
            unsent_request(github)
        asyncio.run(asynchronous(GitHub(settings), "octocat"))
        asyncio.run(asynchronous_retries(DemoGitHub(settings)))
        print(f"\nAll of it worked; the server saw {len(server.requests)} requests.")


def run_live(username: str) -> None:
    """What only reads, against GitHub."""
    with GitHub() as github:
        print(f"The documented GitHub client, against {github.settings.base_url}")
        typed_results(github, username)
        typed_error(github, username)
        unsent_request(github)
    asyncio.run(asynchronous(GitHub(), username))
    print("\nAll of it worked.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = ArgumentParser(prog="python -m stubwire.demo", description="A typed GitHub client at work.")
    parser.add_argument("--live", metavar="USERNAME", help="read this account from api.github.com instead")
    username = parser.parse_args(arguments).live
    try:
        if username:
            run_live(username)
        else:
            run_demo()
    except (StubwireError, DemoError, OSError) as error:
        print(f"\nThe demo failed. {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
