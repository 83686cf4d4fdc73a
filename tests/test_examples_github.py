"""`examples/github.py` over real sockets: what GitHub would receive, byte for byte, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from examples.github import (
    Account,
    GitHub,
    GitHubError,
    IssueChanges,
    IssuesEvent,
    NewIssue,
    NewRelease,
    OtherEvent,
    PushEvent,
)

from example_servers import Routes, answering, asked, in_turn, plain_environment, says
from paging import items, make, result, until_error
from servers import RawRequest, RawServer, http
from stubwire import ArgumentError, ForeignPageError

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
REPO = ("octocat", "Hello-World")
ISSUES = "/repos/octocat/Hello-World/issues"
RELEASES = "/repos/octocat/Hello-World/releases"

OCTOCAT = {"id": 1, "login": "octocat"}
FOUND = {"id": 1296269, "name": "Hello-World", "full_name": "octocat/Hello-World", "owner": OCTOCAT}
ISSUE = {"number": 1347, "title": "Found a bug", "state": "open", "body": None, "user": OCTOCAT}
RELEASE: dict[str, Any] = {"id": 7, "tag_name": "v1.0", "name": None, "assets": []}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, GITHUB_TOKEN=TOKEN)


@contextmanager
def serving(engine: EngineName, routes: Routes) -> Generator[tuple[RawServer, GitHub]]:
    """A server with these routes, and the example in front of it."""
    with RawServer(answering(routes)) as server, GitHub(base_url=server.url, engine=engine) as github:
        yield server, github


def linked(item: dict[str, Any], *, unwrapped: str | None = None, last: int = 3) -> Any:
    """Pages of one item each, linked as GitHub does it: by absolute URLs, with more relations than one."""

    def page(request: RawRequest) -> bytes:
        number = int(asked(request).get("page", 1))
        where = f"http://{request.header('Host')}{request.target.partition('&page=')[0]}"
        links = [f'<{where}&page={number + 1}>; rel="next"', f'<{where}&page={last}>; rel="last"']
        found = [{**item, "id": number, "number": number}]
        body = found if unwrapped is None else {"total_count": last, "incomplete_results": False, unwrapped: found}
        return says(body, Link=", ".join(links)) if number < last else says(body)

    return page


# -- pages


def test_repositories_come_page_by_page(engine: EngineName, colour: Colour) -> None:
    with serving(engine, {"GET /users/octocat/repos": linked(FOUND)}) as (server, github):
        repos = items(colour, make(colour, github.user_repos, "octocat", sort="pushed", per_page=1))
        assert [(repo.id, repo.full_name, repo.owner.login) for repo in repos] == [
            (number, "octocat/Hello-World", "octocat") for number in (1, 2, 3)
        ]
        assert [request.target for request in server.requests] == [
            "/users/octocat/repos?sort=pushed&per_page=1",
            "/users/octocat/repos?sort=pushed&per_page=1&page=2",
            "/users/octocat/repos?sort=pushed&per_page=1&page=3",
        ]
        assert len(result(colour, make(colour, github.user_repos, "octocat").to_list, limit=1)) == 1
    assert len(server.requests) == 4
    for request in server.requests:
        assert request.header("Authorization") == f"Bearer {TOKEN}"
        assert request.header("Accept") == "application/vnd.github+json"
        assert request.header("X-GitHub-Api-Version") == "2022-11-28"


def test_the_token_does_not_follow_a_link_to_another_host(engine: EngineName, colour: Colour) -> None:
    with RawServer() as other:
        link = f'<{other.url}/users/octocat/repos?page=2>; rel="next"'
        with serving(engine, {"GET /users/octocat/repos": says([FOUND], Link=link)}) as (_, github):
            found, error = until_error(colour, make(colour, github.user_repos, "octocat"))
        assert (len(found), type(error)) == (1, ForeignPageError)
        assert other.requests == []


def test_a_search_is_its_items_or_its_envelope(engine: EngineName, colour: Colour) -> None:
    routes = {"GET /search/repositories": linked(FOUND, unwrapped="items")}
    with serving(engine, routes) as (server, github):
        words = "http client language:c++"
        repos = items(colour, make(colour, github.search, q=words, sort="stars", order="desc", per_page=1))
        assert [repo.id for repo in repos] == [1, 2, 3]
        found = colour.run(github.search_page, q=words)
        assert (found.total_count, found.incomplete_results, [repo.id for repo in found.items]) == (3, False, [1])
    query = "q=http%20client%20language%3Ac%2B%2B"
    assert server.requests[0].target == f"/search/repositories?q={query[2:]}&sort=stars&order=desc&per_page=1"
    assert server.requests[-1].target == f"/search/repositories?{query}"
    assert [asked(request)["q"] for request in server.requests] == [words] * 4


@pytest.mark.parametrize("per_page", [0, 101])
def test_a_page_has_at_most_100_items(engine: EngineName, colour: Colour, per_page: int) -> None:
    with serving(engine, {}) as (server, github):
        for endpoint, arguments in ((github.user_repos, {"username": "octocat"}), (github.search, {"q": "x"})):
            with pytest.raises(ArgumentError, match="per_page: "):
                make(colour, endpoint, **arguments, per_page=per_page)
    assert server.requests == []


# -- issues


def test_issues_are_found_by_labels_and_time(engine: EngineName, colour: Colour) -> None:
    since, octocat = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), Account(id=1, login="octocat")
    with serving(engine, {f"GET {ISSUES}": linked(ISSUE, last=2)}) as (server, github):
        found = make(colour, github.issues.find, *REPO, state="all", labels=["bug", "good first issue"], since=since)
        assert [(issue.number, issue.user) for issue in items(colour, found)] == [(1, octocat), (2, octocat)]
        items(colour, make(colour, github.issues.find, *REPO))
    assert server.requests[0].target == (
        f"{ISSUES}?state=all&labels=bug,good%20first%20issue&since=2024-01-02T03%3A04%3A05Z&per_page=100"
    )
    assert server.requests[2].target == f"{ISSUES}?state=open&per_page=100"


def test_an_issue_is_written_as_json(engine: EngineName, colour: Colour) -> None:
    one = f"{ISSUES}/1347"
    routes = {f"POST {ISSUES}": says(ISSUE, 201), f"GET {one}": says(ISSUE), f"PATCH {one}": says(ISSUE)}
    with serving(engine, routes) as (server, github):
        created = colour.run(github.issues.create, *REPO, NewIssue(title="Found a bug", labels=["bug"]))
        assert colour.run(github.issues.one, *REPO, created.number) == created
        colour.run(github.issues.change, *REPO, 1347, IssueChanges(state="closed"))
        colour.run(github.issues.change, *REPO, 1347, IssueChanges(body=None, labels=["ünïcode"]))
    assert [(request.method, request.body) for request in server.requests] == [
        ("POST", b'{"title":"Found a bug","body":"","labels":["bug"]}'),
        ("GET", b""),
        ("PATCH", b'{"state":"closed"}'),
        ("PATCH", '{"body":null,"labels":["ünïcode"]}'.encode()),
    ]
    assert server.requests[0].header("Content-Type") == "application/json"


# -- releases and events


def test_a_repository_may_have_no_release(engine: EngineName, colour: Colour) -> None:
    routes: Routes = {f"GET {RELEASES}/latest": in_turn(http(b'{"message": "Not Found"}', 404), says(RELEASE))}
    with serving(engine, routes) as (_, github):
        assert colour.run(github.releases.latest, *REPO) is None
        assert colour.run(github.releases.latest, *REPO).tag_name == "v1.0"


def test_releases_are_listed_and_made(engine: EngineName, colour: Colour) -> None:
    routes = {f"GET {RELEASES}": linked(RELEASE, last=2), f"POST {RELEASES}": says(RELEASE, 201)}
    with serving(engine, routes) as (server, github):
        assert [release.id for release in items(colour, make(colour, github.releases.find, *REPO))] == [1, 2]
        assert colour.run(github.releases.create, *REPO, NewRelease(tag_name="v1.0", name="One")).id == 7
    assert server.requests[-1].body == b'{"tag_name":"v1.0","name":"One","body":"","prerelease":false}'


def test_events_are_models_by_their_type(engine: EngineName, colour: Colour) -> None:
    """One whose kind or shape nobody knows does not end the pages."""
    events = [
        {"type": "PushEvent", "actor": OCTOCAT, "payload": {"ref": "refs/heads/main", "size": 1}},
        {"type": "IssuesEvent", "actor": OCTOCAT, "payload": {"action": "closed", "issue": ISSUE}},
        {"type": "WatchEvent", "actor": OCTOCAT, "payload": {"action": "started"}},
        {"type": "PushEvent", "actor": OCTOCAT, "payload": {}},
    ]
    with serving(engine, {"GET /repos/octocat/Hello-World/events": says(events)}) as (_, github):
        push, issues, watch, odd = items(colour, make(colour, github.events, *REPO))
    assert push == PushEvent.model_validate(events[0])
    assert (push.actor.login, push.ref) == ("octocat", "refs/heads/main")
    assert isinstance(issues, IssuesEvent)
    assert (issues.action, issues.issue.number) == ("closed", 1347)
    assert [type(event) for event in (watch, odd)] == [OtherEvent, OtherEvent]
    assert [event.type for event in (watch, odd)] == ["WatchEvent", "PushEvent"]


# -- refusals


@pytest.mark.parametrize(
    ("body", "reason"), [(b'{"message": "Validation Failed", "errors": []}', "Validation Failed"), (b"<h1>", None)]
)
def test_a_refusal_says_why(engine: EngineName, colour: Colour, body: bytes, reason: str | None) -> None:
    answer = http(body, 422, {"X-GitHub-Request-Id": "8F3A"})
    with serving(engine, {f"POST {ISSUES}": answer}) as (server, github):
        with pytest.raises(GitHubError) as caught:
            colour.run(github.issues.create, *REPO, NewIssue(title=""))
        plain = f"GitHub.issues.create: POST {server.url}{ISSUES} answered 422 (request id 8F3A)"
    assert (str(caught.value), caught.value.reason) == (plain, reason or plain)
    assert TOKEN not in repr(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (403, {"Retry-After": "7"}, 7.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}, 30.0),
        (429, {"Retry-After": "7"}, 7.0),
    ],
)
def test_a_rate_limit_is_waited_for(
    engine: EngineName, clock: Clock, status: int, headers: dict[str, str], wait: float
) -> None:
    answers = in_turn(http(b"", status, headers), says(OCTOCAT))
    with serving(engine, {"GET /users/octocat": answers}) as (server, github):
        assert github.user("octocat").id == 1
    assert clock.waits == [wait]
    assert len(server.requests) == 2


TOO_LONG = ["not retried: the server asked to wait 3600 s, longer than retry_after_max=60"]


@pytest.mark.parametrize(
    ("status", "headers", "notes"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700003600"}, TOO_LONG),
        (403, {"X-RateLimit-Remaining": "59"}, []),
        (404, {"Retry-After": "7"}, []),
    ],
)
def test_what_is_no_rate_limit_or_a_long_one_is_final(
    engine: EngineName, clock: Clock, status: int, headers: dict[str, str], notes: list[str]
) -> None:
    routes = {"GET /users/octocat": http(b"", status, headers)}
    with serving(engine, routes) as (server, github), pytest.raises(GitHubError) as caught:
        github.user("octocat")
    assert getattr(caught.value, "__notes__", []) == notes
    assert (clock.waits, len(server.requests)) == ([], 1)


def test_without_a_token_no_credential_is_sent(
    engine: EngineName, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    with serving(engine, {"GET /users/octocat": says(OCTOCAT)}) as (server, github):
        assert colour.run(github.user, "octocat").login == "octocat"
    assert server.requests[0].header("Authorization") is None
