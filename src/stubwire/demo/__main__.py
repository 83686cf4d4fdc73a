"""`python -m stubwire.demo`: the documented GitHub client at work, against a server of its own or against GitHub.

    python -m stubwire.demo                 # starts a small GitHub-shaped server on loopback
    python -m stubwire.demo --live octocat  # reads from api.github.com; GITHUB_TOKEN and GITHUB_BASE_URL are honoured

Exits with 1, and says why, when a call does not give what it should.
"""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import ArgumentParser
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, SecretStr

from stubwire import ArgumentError, ExponentialBackoff, NetworkError, Retry, StubwireError, TimeoutError, get
from stubwire.demo._show import (
    code,
    heading,
    log_to_terminal,
    row,
    show_attempts,
    show_command,
    show_issues,
    show_repos,
    show_user,
    value,
)
from stubwire.demo.client import GitHub, GitHubError, GitHubSettings, Issues, NewIssue
from stubwire.demo.server import DemoServer
from stubwire.plugins import LoggerPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

E = TypeVar("E", bound=Exception)

PAGES = (1, 2, 3)


class DemoError(Exception):
    """Something went otherwise than the demo is there to show."""


class Turns(BaseModel):
    """How often a flaky endpoint was asked before it answered."""

    key: str
    attempts: int


class DemoGitHub(GitHub):
    """The documented client, waits that one can foresee, and two endpoints that only the demo's server has."""

    retry: Retry | None = Retry(max_retries=3, backoff=ExponentialBackoff(base=0.25, multiplier=2.0, jitter=False))

    @get("/flaky/<key>")
    def flaky(self, key: str, *, fails: int = 2, status: int = 503, retry_after: int | None = None) -> Turns:
        """Fail so many times for each key, then answer."""
        raise NotImplementedError

    @get("/slow")
    def slow(self, *, seconds: float) -> None:
        """Answer after so many seconds."""
        raise NotImplementedError


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


def declarations() -> None:
    """What the class says."""
    heading("A class of typed stubs (stubwire/demo/client.py)")
    for route in (GitHub.user, GitHub.user_repos, GitHub.repo):
        row(f"GitHub.{route.__name__}", route)
    row("GitHub.issues.create", Issues.create)


def typed_results(github: GitHub, username: str) -> None:
    """One call, and the pages of another."""
    heading("Typed results")
    code(f'user = github.user("{username}")')
    show_user(github.user(username))
    for page in PAGES:
        code(f'github.user_repos("{username}", sort="pushed", per_page=3, page={page})')
        show_repos(github.user_repos(username, sort="pushed", per_page=3, page=page))
    code(f'github.search_repositories("user:{username}", per_page=2)  # the "items" of the answer')
    show_repos(github.search_repositories(f"user:{username}", per_page=2))


def created_issue(github: GitHub) -> None:
    """A body that is a model, and a model back."""
    heading("A model sent, a model back")
    code('issue = NewIssue(title="The cat is out", labels=["bug"])')
    issue = NewIssue(title="The cat is out", labels=["bug"])
    code('github.issues.create("octocat", "Hello-World", issue)')
    show_issues([github.issues.create("octocat", "Hello-World", issue)])
    code('github.issues.find("octocat", "Hello-World")')
    show_issues(github.issues.find("octocat", "Hello-World"))


def typed_error(github: GitHub, username: str) -> None:
    """The declared error of a 404."""
    heading("A typed error")
    code(f'github.repo("{username}", "no-such-repository")')
    error = failure(GitHubError, lambda: github.repo(username, "no-such-repository"))
    row(type(error).__name__, error)
    row("error.status_code", error.status_code)
    row("error.body", type(error.body).__name__)
    row("error.body.message", repr(error.body.message if error.body else None))
    row("error.request_id", repr(error.request_id))


def timed_out(github: DemoGitHub) -> None:
    """An endpoint that is too slow for this one call."""
    heading("A timeout")
    code("github.slow.with_options(timeout=0.2, retry=None)(seconds=30)")
    slow = github.slow.with_options(timeout=0.2, retry=None)
    error = failure(TimeoutError, lambda: slow(seconds=30))
    row(type(error).__name__, error)


def refused_argument(github: GitHub, username: str) -> None:
    """An argument that the stub's own type forbids."""
    heading("A wrong argument, before anything is sent")
    code(f'github.user_repos("{username}", per_page=1000)')
    error = failure(ArgumentError, lambda: github.user_repos(username, per_page=1000))
    row(type(error).__name__, error)


def unsent_request(github: GitHub) -> None:
    """What a call would send, with its secret redacted."""
    heading("The request that a call would send")
    code('github.issues.create.request("octocat", "Hello-World", NewIssue(title="Unsent")).curl()')
    show_command(github.issues.create.request("octocat", "Hello-World", NewIssue(title="Unsent")))


def retries(github: DemoGitHub) -> None:
    """An endpoint that fails twice, and one that says how long to wait; a plugin logs while it happens."""
    heading("Retries")
    code('github.plugin(LoggerPlugin(logging.getLogger("github")))')
    github.plugin(LoggerPlugin(log_to_terminal("github")))
    code('response = github.flaky.response("sync")  # fails twice')
    response = github.flaky.response("sync")
    code("response.attempts")
    show_attempts(response.attempts)
    code("response.data")
    value(repr(response.data))
    code('github.flaky("busy", status=429, fails=1, retry_after=1)  # answers "Retry-After: 1"')
    value(repr(github.flaky("busy", status=429, fails=1, retry_after=1)))


async def asynchronous(github: GitHub, username: str) -> None:
    """The same stubs, awaited; several at once."""
    heading("The same stubs, asynchronously")
    code(f'user = await github.user.aio("{username}")')
    show_user(await github.user.aio(username))
    code(f'await asyncio.gather(*(github.user_repos.aio("{username}", per_page=3, page=page) for page in {PAGES}))')
    calls = (github.user_repos.aio(username, per_page=3, page=page) for page in PAGES)
    show_repos([repo for page in await asyncio.gather(*calls) for repo in page])


async def asynchronous_trouble(github: DemoGitHub) -> None:
    """Slow endpoints side by side, and retries."""
    code("await asyncio.gather(*(github.slow.aio(seconds=0.3) for _ in range(5)))")
    started = time.perf_counter()
    await asyncio.gather(*(github.slow.aio(seconds=0.3) for _ in range(5)))
    value(f"5 answers of 0.3 s each, in {time.perf_counter() - started:.1f} s")
    code('response = await github.flaky.aio.response("async")')
    response = await github.flaky.aio.response("async")
    show_attempts(response.attempts)
    code("response.data")
    value(repr(response.data))


# -- which of it


def run_demo() -> None:
    """All of it, against a server of our own."""
    started = time.perf_counter()
    with DemoServer() as server:
        # made without the environment, so that the demo is the same everywhere
        settings = GitHubSettings.model_construct(base_url=server.url, token=SecretStr("ghp_a_secret"), proxy=None)
        print(f"The documented GitHub client, against a small GitHub-shaped server at {server.url}")
        declarations()
        with GitHub(settings) as github, DemoGitHub(settings) as flaky_github:
            typed_results(github, "octocat")
            created_issue(github)
            typed_error(github, "octocat")
            timed_out(flaky_github)
            refused_argument(github, "octocat")
            unsent_request(github)
            retries(flaky_github)
        asyncio.run(_asynchronous_demo(settings, server, started))


async def _asynchronous_demo(settings: GitHubSettings, server: DemoServer, started: float) -> None:
    async with GitHub(settings) as github, DemoGitHub(settings) as flaky_github:
        await asynchronous(github, "octocat")
        await asynchronous_trouble(flaky_github)
    seconds = time.perf_counter() - started
    print(f"\nAll of it worked: the server saw {len(server.requests)} requests in {seconds:.1f} s.")
    print("Next: python -m stubwire.demo --live octocat  (the same client, against api.github.com)")


def run_live(username: str) -> None:
    """What only reads, against GitHub."""
    with GitHub() as github:
        print(f"The documented GitHub client, against {github.settings.base_url}")
        declarations()
        typed_results(github, username)
        typed_error(github, username)
        refused_argument(github, username)
        unsent_request(github)
    asyncio.run(_asynchronous_live(username))


async def _asynchronous_live(username: str) -> None:
    async with GitHub() as github:
        await asynchronous(github, username)
    print("\nAll of it worked.")


def explained(error: Exception) -> str:
    """An error as a person wants to read it: what happened, why it was not tried again, and what to do."""
    lines = [f"The demo failed. {type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    if isinstance(error, GitHubError) and error.body:
        lines.append(f"GitHub says: {error.body.message}")
    if isinstance(error, GitHubError) and error.status_code in (401, 403, 429):
        lines.append("GITHUB_TOKEN is read from the environment; without one, GitHub answers 60 requests an hour")
    if isinstance(error, (NetworkError, TimeoutError)):
        lines.append("`python -m stubwire.demo` alone needs no network")
    return "\n  ".join(lines)


def exit_code(run: Callable[[], None]) -> int:
    """0 if it runs to its end, 1 if a call does not give what it should."""
    try:
        run()
    except (StubwireError, DemoError, OSError) as error:
        print(f"\n{explained(error)}", file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = ArgumentParser(prog="python -m stubwire.demo", description="A typed GitHub client at work.")
    parser.add_argument("--live", metavar="USERNAME", help="read this account from api.github.com instead")
    username = parser.parse_args(arguments).live
    return exit_code(partial(run_live, username) if username else run_demo)


if __name__ == "__main__":
    sys.exit(main())
