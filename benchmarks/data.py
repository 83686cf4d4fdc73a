"""The models and the bytes that every side of a comparison works with.

One GitHub user is 1.4 kB of compact JSON, thirty repositories are 56 kB. The payloads are built once, at import.
"""

import json
from datetime import datetime

from pydantic import BaseModel

BASE_URL = "https://api.example.com"
ACCEPT = "application/vnd.github+json"
USER_AGENT = "benchmarks/1"
USERNAME = "octocat"
USER_LINKS = ("followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events")
REPO_LINKS = (
    *("assignees", "branches", "commits", "contents", "deployments", "events"),
    *("forks", "issues", "labels", "pulls", "tags"),
)


class User(BaseModel):
    """One account, as `GET /users/<username>` answers it."""

    login: str
    id: int
    node_id: str
    avatar_url: str
    html_url: str
    type: str
    site_admin: bool
    name: str | None
    company: str | None
    blog: str | None
    location: str | None
    email: str | None
    bio: str | None
    public_repos: int
    public_gists: int
    followers: int
    following: int
    created_at: datetime
    updated_at: datetime


class Owner(BaseModel):
    """The account a repository belongs to."""

    login: str
    id: int
    avatar_url: str
    html_url: str
    type: str


class License(BaseModel):
    """The license of a repository."""

    key: str
    name: str
    spdx_id: str


class Repo(BaseModel):
    """One repository of `GET /users/<username>/repos`."""

    id: int
    name: str
    full_name: str
    private: bool
    owner: Owner
    html_url: str
    description: str | None
    fork: bool
    created_at: datetime
    updated_at: datetime
    size: int
    stargazers_count: int
    forks_count: int
    open_issues_count: int
    watchers_count: int
    archived: bool
    language: str | None
    license: License | None
    topics: list[str]
    default_branch: str


class NewIssue(BaseModel):
    """What is posted to create an issue."""

    title: str
    body: str | None = None
    labels: list[str] = []
    assignees: list[str] = []
    milestone: int | None = None


class Issue(BaseModel):
    """The issue that was created."""

    id: int
    number: int
    title: str
    state: str
    body: str | None
    labels: list[str]
    user: Owner
    comments: int
    created_at: datetime


def _account(login: str, links: tuple[str, ...]) -> dict[str, object]:
    url = f"{BASE_URL}/users/{login}"
    return {
        "login": login,
        "id": 583231,
        "node_id": "MDQ6VXNlcjU4MzIzMQ==",
        "avatar_url": "https://avatars.example.com/u/583231?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"https://example.com/{login}",
        **{f"{link}_url": f"{url}/{link}" for link in links},
        "type": "User",
        "site_admin": False,
    }


def _user() -> dict[str, object]:
    return {
        **_account(USERNAME, USER_LINKS),
        "name": "The Octocat",
        "company": "@example",
        "blog": "https://blog.example.com",
        "location": "San Francisco",
        "email": None,
        "hireable": None,
        "bio": "There once was a cat who answered every request that it was sent, in order, and never asked why.",
        "twitter_username": None,
        "public_repos": 8,
        "public_gists": 8,
        "followers": 17534,
        "following": 9,
        "created_at": "2011-01-25T18:44:36Z",
        "updated_at": "2024-09-22T11:25:21Z",
        "total_private_repos": 100,
        "owned_private_repos": 100,
        "disk_usage": 10000,
        "two_factor_authentication": True,
        "notification_email": None,
        "plan": {"name": "pro", "space": 976562499, "private_repos": 9999, "collaborators": 0},
    }


def _repo(number: int) -> dict[str, object]:
    name = f"repository-{number:02}"
    url = f"{BASE_URL}/repos/octocat/{name}"
    return {
        "id": 1296269 + number,
        "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5",
        "name": name,
        "full_name": f"octocat/{name}",
        "private": False,
        "owner": _account(USERNAME, ("repos",)),
        "html_url": f"https://example.com/octocat/{name}",
        "description": f"Repository number {number} of an account that keeps thirty of them.",
        "fork": number % 3 == 0,
        "url": url,
        **{f"{link}_url": f"{url}/{link}" for link in REPO_LINKS},
        "created_at": "2011-01-26T19:01:12Z",
        "updated_at": "2024-09-20T08:31:07Z",
        "pushed_at": "2024-09-21T10:12:45Z",
        "size": 108 + number,
        "stargazers_count": 80 * number,
        "watchers_count": 80 * number,
        "forks_count": 9 * number,
        "open_issues_count": number,
        "language": None if number % 5 == 0 else "Python",
        "archived": False,
        "topics": ["octocat", "api", "python"],
        "visibility": "public",
        "default_branch": "main",
        "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
    }


def _issue() -> dict[str, object]:
    return {
        "id": 1,
        "node_id": "MDU6SXNzdWUx",
        "number": 1347,
        "title": NEW_ISSUE.title,
        "state": "open",
        "body": NEW_ISSUE.body,
        "labels": NEW_ISSUE.labels,
        "user": _account(USERNAME, ("repos",)),
        "assignees": NEW_ISSUE.assignees,
        "comments": 0,
        "created_at": "2024-09-22T13:33:48Z",
    }


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


NEW_ISSUE = NewIssue(title="Found a bug", body="I'm having a problem with this.", labels=["bug", "api"])
USER_JSON = _compact(_user())
REPOS_JSON = _compact([_repo(number) for number in range(1, 31)])
ISSUE_JSON = _compact(_issue())
