"""How the demo looks in a terminal: headings, the code that runs, and below it what came of it.

Nothing here makes a call. Colours are for terminals only, and not where `NO_COLOR` is set (https://no-color.org).
"""

from __future__ import annotations

import logging
import os
import re
import sys
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stubwire import Attempt, Request
    from stubwire.demo.client import Issue, Repo, User

BOLD, DIM, CYAN = "1", "2", "36"


def styled(text: str, style: str) -> str:
    """The text as a terminal shows it in a style; unchanged for anything else than a terminal."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{style}m{text}\x1b[0m"


def heading(title: str) -> None:
    """Open a section."""
    print(f"\n{styled(title, BOLD)}\n{styled('-' * len(title), DIM)}")


def code(text: str) -> None:
    """What runs next."""
    print("  " + styled(f">>> {text}", CYAN))


def row(label: str, shown: object) -> None:
    """One line of a result; the values of a section stand below each other."""
    print(f"      {label:<20}  {shown}")


def value(text: str) -> None:
    """A result of one line."""
    print(f"      {text}")


def show_user(user: User) -> None:
    """Some attributes of an account."""
    row("user", f"{type(user).__name__}, validated")
    row("user.name", repr(user.name))
    row("user.created_at.year", user.created_at.year)
    row("user.followers", user.followers)


def show_repos(repos: Sequence[Repo]) -> None:
    """A table of repositories, the last column their language."""
    for repo in repos:
        line = f"{type(repo).__name__}  {repo.full_name:<28}  {repo.stargazers_count:>6} stars  {repo.language or ''}"
        value(line.rstrip())
    if not repos:
        value("[]")


def show_issues(issues: Iterable[Issue]) -> None:
    """A line for each issue, with its labels."""
    for issue in issues:
        labels = "".join(f"  [{label.name}]" for label in issue.labels)
        value(f"{type(issue).__name__}  #{issue.number} {issue.title}{labels}")


def show_attempts(attempts: Iterable[Attempt]) -> None:
    """A line for each attempt of a call: what came back, and the wait until the next."""
    for attempt in attempts:
        waited = "" if attempt.wait is None else f", then waited {attempt.wait:.2f} s"
        row(f"attempt {attempt.number}", f"{attempt.status_code or attempt.error}{waited}")


def show_command(request: Request) -> None:
    """The request as a command line, an option a line, still for a shell."""
    command = re.sub(r" (-H|--data-raw) ", r" \\\n  \1 ", request.curl())
    print(indent(command, "      "))


class _Lines(logging.Handler):
    """Prints what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        value(styled(f"{record.levelname:<7}  {record.getMessage()}", DIM))


def log_to_terminal(name: str) -> logging.Logger:
    """A logger whose lines appear where they come up, so that one sees when something waits."""
    logger = logging.getLogger(name)
    logger.handlers = [_Lines()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger
