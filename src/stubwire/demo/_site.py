"""What the demo server answers: routes, paging and error bodies as GitHub has them, and three endpoints to test with.

Nothing here knows a socket: `Site.answer` maps a recorded request to a reply.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, isfinite
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlencode

from stubwire.demo._data import (
    ACCOUNTS,
    ISSUES,
    REPOSITORIES,
    Issue,
    Json,
    Repository,
    issue_json,
    profile_json,
    repository_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as the server received it. Header names are in lower case; repeated headers are joined by commas."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target up to its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The decoded query; of a repeated name, the last value."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def number(self, name: str, default: float) -> float:
        """A number from the query, or the default where it is absent or no finite number."""
        try:
            number = float(self.query[name])
        except (KeyError, ValueError):
            return default
        return number if isfinite(number) else default


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a status, a value to send as JSON, and headers beside those that every answer has."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class RefusalError(Exception):
    """Ends a request early with an error reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def problem(status: int, message: str, docs: str = "rest", errors: Sequence[Json] = ()) -> Reply:
    """GitHub's error body; `docs` is the page of docs.github.com that it links to."""
    details: Json = {"errors": list(errors)} if errors else {}
    links = {"documentation_url": f"https://docs.github.com/{docs}", "status": str(status)}
    return Reply(status, {"message": message, **details, **links})


_CREATE_ISSUE = "rest/issues/issues#create-an-issue"
_ACCOUNTS = {account.login.lower(): account for account in ACCOUNTS}
_REPOSITORIES = {repository.full_name.lower(): repository for repository in REPOSITORIES}
_SORTS: dict[str, Callable[[Repository], tuple[int, str]]] = {
    "created": lambda repository: (0, repository.created),
    "updated": lambda repository: (0, repository.pushed),
    "pushed": lambda repository: (0, repository.pushed),
    "full_name": lambda repository: (0, repository.full_name.lower()),
    "stars": lambda repository: (repository.stars, ""),
    "forks": lambda repository: (repository.forks, ""),
}


class Site:
    """The answers of one server, and its state: the issues created on it, and how often each flaky key was asked for.

    `pause` waits for so many seconds, or less when the server stops.
    """

    def __init__(self, base_url: str, pause: Callable[[float], object]) -> None:
        self._base = base_url
        self._pause = pause
        self._lock = threading.Lock()
        self._issues = list(ISSUES)
        self._flaky = Counter[str]()

    def answer(self, request: RecordedRequest) -> Reply:
        """The reply to a request; GitHub's 404 for a path or a method that nothing here serves."""
        wanted = request.method.replace("HEAD", "GET")
        for method, pattern, handler in _ROUTES:
            match = pattern.fullmatch(request.path)
            if match and method in ("*", wanted):
                names = {name: unquote(text) for name, text in match.groupdict().items()}
                try:
                    return handler(self, request, **names)
                except RefusalError as refusal:
                    return refusal.reply
        return problem(404, "Not Found")

    # GitHub's own endpoints

    def user(self, _: RecordedRequest, username: str) -> Reply:
        """One account."""
        if account := _ACCOUNTS.get(username.lower()):
            return Reply(200, profile_json(self._base, account))
        return problem(404, "Not Found", "rest/users/users#get-a-user")

    def user_repos(self, request: RecordedRequest, username: str) -> Reply:
        """One page of an account's repositories."""
        if username.lower() not in _ACCOUNTS:
            return problem(404, "Not Found", "rest/repos/repos#list-repositories-for-a-user")
        owned = [repository for repository in REPOSITORIES if repository.owner == username.lower()]
        page, links = self._page(request, _sorted(request, owned, "full_name"))
        return Reply(200, [self._repository_json(repository) for repository in page], links)

    def repo(self, _: RecordedRequest, owner: str, repo: str) -> Reply:
        """One repository."""
        return Reply(200, self._repository_json(_repository(owner, repo)))

    def search_repositories(self, request: RecordedRequest) -> Reply:
        """One page of the repositories that match every term, in the envelope that GitHub's searches have."""
        terms = request.query.get("q", "").lower().split()
        if not terms:
            missing = {"resource": "Search", "field": "q", "code": "missing"}
            return problem(422, "Validation Failed", "v3/search", [missing])
        found = [repository for repository in REPOSITORIES if _matches(repository, terms)]
        page, links = self._page(request, _sorted(request, found, "stars"))
        items = [{**self._repository_json(repository), "score": 1.0} for repository in page]
        return Reply(200, {"total_count": len(found), "incomplete_results": False, "items": items}, links)

    def issues(self, request: RecordedRequest, owner: str, repo: str) -> Reply:
        """One page of a repository's issues, the latest first. All are open."""
        issues = self._issues_of(_repository(owner, repo))
        labels = set(filter(None, request.query.get("labels", "").split(",")))
        wanted = [issue for issue in reversed(issues) if labels <= set(issue.labels)]
        page, links = self._page(request, [] if request.query.get("state") == "closed" else wanted)
        return Reply(200, [self._issue_json(issue) for issue in page], links)

    def issue(self, _: RecordedRequest, owner: str, repo: str, number: str) -> Reply:
        """One issue."""
        for issue in self._issues_of(_repository(owner, repo)):
            if str(issue.number) == number:
                return Reply(200, self._issue_json(issue))
        return problem(404, "Not Found", "rest/issues/issues#get-an-issue")

    def create_issue(self, request: RecordedRequest, owner: str, repo: str) -> Reply:
        """Add an issue in the name of octocat, whatever the bearer token is."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return problem(401, "Requires authentication", _CREATE_ISSUE)
        repository, sent = _repository(owner, repo), _json_object(request.body)
        title = sent.get("title")
        if not isinstance(title, str) or not title.strip():
            missing = {"resource": "Issue", "field": "title", "code": "missing_field"}
            return problem(422, "Validation Failed", _CREATE_ISSUE, [missing])
        created = self._issue_json(self._add_issue(repository.full_name, title, sent))
        return Reply(201, created, {"Location": str(created["url"])})

    # Endpoints to test with

    def flaky(self, request: RecordedRequest, key: str) -> Reply:
        """Fail the first `fails` times (2) with `status` (503) and the `retry_after` asked for, then answer.

        Each key counts for itself.
        """
        with self._lock:
            self._flaky[key] += 1
            attempt = self._flaky[key]
        if attempt > request.number("fails", 2):
            return Reply(200, {"key": key, "attempts": attempt})
        failure = problem(int(request.number("status", 503)), "This server is busy. Please try again.")
        wait = request.query.get("retry_after")
        return Reply(failure.status, failure.body, {} if wait is None else {"Retry-After": wait})

    def slow(self, request: RecordedRequest) -> Reply:
        """Answer after `seconds` (1, at most 60)."""
        seconds = min(max(request.number("seconds", 1.0), 0.0), 60.0)
        self._pause(seconds)
        return Reply(200, {"seconds": seconds})

    def echo(self, request: RecordedRequest, **_: str) -> Reply:
        """What was received: method, target, headers (names in lower case) and body (as text)."""
        body = request.body.decode("utf-8", "replace")
        return Reply(
            200, {"method": request.method, "target": request.target, "headers": dict(request.headers), "body": body}
        )

    # What they share

    def _repository_json(self, repository: Repository) -> Json:
        return repository_json(self._base, repository, _ACCOUNTS[repository.owner])

    def _issue_json(self, issue: Issue) -> Json:
        return issue_json(self._base, issue, _ACCOUNTS[issue.author])

    def _issues_of(self, repository: Repository) -> list[Issue]:
        with self._lock:
            return [issue for issue in self._issues if issue.repository == repository.full_name]

    def _add_issue(self, repository: str, title: str, sent: Json) -> Issue:
        labels = [str(label) for label in cast("list[object]", sent.get("labels") or [])]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._lock:
            number = 1 + sum(issue.repository == repository for issue in self._issues)
            issue = Issue(repository, number, title, sent.get("body"), "octocat", labels, now)
            self._issues.append(issue)
        return issue

    def _page(self, request: RecordedRequest, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """The page of the items that the query asks for, and a Link header (RFC 8288) to those around it."""
        size = min(max(int(request.number("per_page", 30)), 1), 100)
        page = max(int(request.number("page", 1)), 1)
        last = max(ceil(len(items) / size), 1)
        around = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        shown = [rel for rel in around if (page > 1 if rel in ("prev", "first") else page < last)]
        links = [f'<{self._url(request, around[rel])}>; rel="{rel}"' for rel in shown]
        return items[(page - 1) * size : page * size], {"Link": ", ".join(links)} if links else {}

    def _url(self, request: RecordedRequest, page: int) -> str:
        return f"{self._base}{request.path}?{urlencode({**request.query, 'page': page})}"


def _repository(owner: str, repo: str) -> Repository:
    if repository := _REPOSITORIES.get(f"{owner}/{repo}".lower()):
        return repository
    raise RefusalError(problem(404, "Not Found", "rest/repos/repos#get-a-repository"))


def _sorted(request: RecordedRequest, repositories: Sequence[Repository], default: str) -> list[Repository]:
    """In GitHub's order: names ascending, all else descending, unless the query has a direction or an order."""
    sort = request.query.get("sort", default)
    sort = sort if sort in _SORTS else default
    usual = "asc" if sort == "full_name" else "desc"
    direction = request.query.get("direction", request.query.get("order", usual))
    return sorted(repositories, key=_SORTS[sort], reverse=direction == "desc")


def _matches(repository: Repository, terms: Sequence[str]) -> bool:
    """Whether a repository has every term of a search: words, `user:`, `language:`."""
    text = f"{repository.name} {repository.description or ''}".lower()
    qualifiers = {f"user:{repository.owner}", f"language:{repository.language}".lower()}
    return all(term in qualifiers if ":" in term else term in text for term in terms)


def _json_object(body: bytes) -> Json:
    try:
        value: object = json.loads(body)
    except ValueError:
        raise RefusalError(problem(400, "Problems parsing JSON")) from None
    if not isinstance(value, dict):
        raise RefusalError(problem(400, "Body should be a JSON object"))
    return cast("Json", value)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template))


_ROUTES: tuple[tuple[str, re.Pattern[str], Callable[..., Reply]], ...] = (
    ("GET", _pattern("/users/{username}"), Site.user),
    ("GET", _pattern("/users/{username}/repos"), Site.user_repos),
    ("GET", _pattern("/repos/{owner}/{repo}"), Site.repo),
    ("GET", _pattern("/search/repositories"), Site.search_repositories),
    ("GET", _pattern("/repos/{owner}/{repo}/issues"), Site.issues),
    ("POST", _pattern("/repos/{owner}/{repo}/issues"), Site.create_issue),
    ("GET", _pattern("/repos/{owner}/{repo}/issues/{number}"), Site.issue),
    ("*", _pattern("/flaky/{key}"), Site.flaky),
    ("*", _pattern("/slow"), Site.slow),
    ("*", _pattern("/echo(/.*)?"), Site.echo),
)
