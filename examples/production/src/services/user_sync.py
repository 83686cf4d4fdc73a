"""Keep up with a user's repositories on GitHub."""

import logging
from dataclasses import dataclass
from typing import TypeAlias

import stubwire

from clients.github import GitHub, Repository

log = logging.getLogger("user_sync")


@dataclass(frozen=True, slots=True)
class Synced:
    """The user's repositories, by name."""

    username: str
    repositories: list[str]


@dataclass(frozen=True, slots=True)
class TimedOut:
    """GitHub did not answer, in any attempt."""

    username: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """GitHub answered, and said no."""

    username: str
    status_code: int


Outcome: TypeAlias = Synced | TimedOut | Rejected


@dataclass(frozen=True, slots=True)
class UserSync:
    """Needs a GitHub client; of HTTP it knows that a call can time out, and that a status can be wrong."""

    github: GitHub

    async def sync_repositories(self, username: str) -> Outcome:
        """Fetch the user's repositories, and log what was synced or what went wrong."""
        try:
            repositories = await self.github.user_repos.aio(username)
        except stubwire.TimeoutError as error:
            log.warning("gave up on %s, GitHub is too slow: %s", username, error)
            return TimedOut(username)
        except stubwire.HTTPStatusError as error:
            log.warning("could not sync %s, GitHub answered %d", username, error.response.status_code)
            return Rejected(username, error.response.status_code)
        names = [repository.name for repository in repositories]
        log.info("synced %d repositories of %s: %s", len(names), username, ", ".join(names))
        return Synced(username, names)

    async def popular(self, username: str) -> list[Repository]:
        """The user's repositories with the most stars, most first. Failures are the caller's."""
        return await self.github.search_repositories.aio(f"user:{username}")
