"""GitHub's JSON for a few accounts, repositories and issues: pure functions from a base URL to what GitHub would send.

Field names and shapes are those of GitHub's description of its REST API,
https://github.com/github/rest-api-description; counts and dates are of no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A user; `created` is a date."""

    login: str
    id: int
    name: str
    location: str
    followers: int
    created: str
    bio: str | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `created` and `pushed` are dates."""

    owner: str
    id: int
    name: str
    description: str | None
    language: str | None
    stars: int
    forks: int
    created: str
    pushed: str

    @property
    def full_name(self) -> str:
        """The owner's login and the name, as GitHub joins them."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; `created` is a time as GitHub writes it."""

    repository: str
    number: int
    title: str
    body: str | None
    author: str
    labels: Sequence[str]
    created: str


ACCOUNTS = (
    Account("octocat", 583231, "The Octocat", "San Francisco", 22347, "2011-01-25"),
    Account("hubot", 480938, "Hubot", "your chat room", 1811, "2010-11-15", bio="I am a robot."),
)
_DEMONSTRATION = "This repo is for demonstration purposes only."
REPOSITORIES = (
    Repository("octocat", 132935648, "boysenberry-repo-1", "Testing", None, 405, 37, "2018-05-10", "2024-01-27"),
    Repository("octocat", 18221276, "git-consortium", _DEMONSTRATION, None, 530, 190, "2014-03-28", "2024-10-28"),
    Repository("octocat", 20978623, "hello-worId", "My first repository.", None, 650, 361, "2014-06-18", "2025-02-08"),
    Repository("octocat", 1296269, "Hello-World", "My first repository!", None, 3487, 6138, "2011-01-26", "2024-08-20"),
    Repository("octocat", 64778136, "linguist", "Language savant.", "Ruby", 609, 432, "2016-08-02", "2025-01-13"),
    Repository("octocat", 17881631, "octocat.github.io", None, "CSS", 939, 541, "2014-03-18", "2024-06-30"),
    Repository("octocat", 1300192, "Spoon-Knife", _DEMONSTRATION, "HTML", 13668, 155600, "2011-01-27", "2024-09-04"),
    Repository("octocat", 526661, "test-repo1", None, None, 345, 148, "2010-02-17", "2024-04-14"),
    Repository("hubot", 2066514, "hubot-scripts", "Optional.", "CoffeeScript", 3499, 1573, "2011-07-18", "2021-03-01"),
)
ISSUES = (
    Issue("octocat/Hello-World", 1, "Edited README via GitHub", None, "hubot", (), "2011-04-10T20:09:31Z"),
    Issue("octocat/Hello-World", 2, "The cat has no box", "I looked.", "octocat", ("bug",), "2012-05-01T08:00:00Z"),
)

# The fields that end in `_url`: the field's name without it, and what follows the URL of the resource.
_ACCOUNT_LINKS = """
followers=/followers following=/following{/other_user} gists=/gists{/gist_id} starred=/starred{/owner}{/repo}
subscriptions=/subscriptions organizations=/orgs repos=/repos events=/events{/privacy} received_events=/received_events
"""
_REPOSITORY_LINKS = """
archive=/{archive_format}{/ref} assignees=/assignees{/user} blobs=/git/blobs{/sha} branches=/branches{/branch}
collaborators=/collaborators{/collaborator} comments=/comments{/number} commits=/commits{/sha}
compare=/compare/{base}...{head} contents=/contents/{+path} contributors=/contributors deployments=/deployments
downloads=/downloads events=/events forks=/forks git_commits=/git/commits{/sha} git_refs=/git/refs{/sha}
git_tags=/git/tags{/sha} hooks=/hooks issue_comment=/issues/comments{/number} issue_events=/issues/events{/number}
issues=/issues{/number} keys=/keys{/key_id} labels=/labels{/name} languages=/languages merges=/merges
milestones=/milestones{/number} notifications=/notifications{?since,all,participating} pulls=/pulls{/number}
releases=/releases{/id} stargazers=/stargazers statuses=/statuses/{sha} subscribers=/subscribers
subscription=/subscription tags=/tags teams=/teams trees=/git/trees{/sha}
"""
_ISSUE_LINKS = "labels=/labels{/name} comments=/comments events=/events"


def _links(url: str, table: str) -> Mapping[str, str]:
    rows = (row.partition("=") for row in table.split())
    return {f"{name}_url": url + suffix for name, _, suffix in rows}


def account_json(base: str, account: Account) -> Json:
    """An account where another resource names it: GitHub's `simple-user`."""
    url = f"{base}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": f"U_{account.id}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"https://github.com/{account.login}",
        **_links(url, _ACCOUNT_LINKS),
        "type": "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def profile_json(base: str, account: Account) -> Json:
    """An account on its own: GitHub's `public-user`."""
    return {
        **account_json(base, account),
        "name": account.name,
        "company": "@github",
        "blog": "https://github.blog",
        "location": account.location,
        "email": None,
        "hireable": None,
        "bio": account.bio,
        "twitter_username": None,
        "public_repos": sum(repository.owner == account.login for repository in REPOSITORIES),
        "public_gists": 8,
        "followers": account.followers,
        "following": 9,
        "created_at": f"{account.created}T12:00:00Z",
        "updated_at": f"{account.created}T12:00:00Z",
    }


def _counts(repository: Repository) -> Json:
    features = ("issues", "projects", "downloads", "wiki", "pages", "discussions")
    return {
        **{f"has_{feature}": feature != "pages" for feature in features},
        "stargazers_count": repository.stars,
        "watchers_count": repository.stars,
        "watchers": repository.stars,
        "forks_count": repository.forks,
        "forks": repository.forks,
        "network_count": repository.forks,
        "subscribers_count": 42,
        "open_issues_count": 2,
        "open_issues": 2,
        "size": 256,
    }


def repository_json(base: str, repository: Repository, owner: Account) -> Json:
    """A repository with every field that GitHub sends for it alone, in a list, or (but for its score) in a search."""
    name, url = repository.full_name, f"{base}/repos/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": f"R_{repository.id}",
        "name": repository.name,
        "full_name": name,
        "private": False,
        "owner": account_json(base, owner),
        "html_url": f"https://github.com/{name}",
        "description": repository.description,
        "fork": False,
        "url": url,
        **_links(url, _REPOSITORY_LINKS),
        "git_url": f"git://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "clone_url": f"https://github.com/{name}.git",
        "svn_url": f"https://github.com/{name}",
        "mirror_url": None,
        "homepage": None,
        "language": repository.language,
        "license": None,
        "topics": [],
        "visibility": "public",
        "default_branch": "main",
        "archived": False,
        "disabled": False,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        **_counts(repository),
        "created_at": f"{repository.created}T12:00:00Z",
        "updated_at": f"{repository.pushed}T12:00:00Z",
        "pushed_at": f"{repository.pushed}T12:00:00Z",
    }


def _label_json(repository_url: str, name: str) -> Json:
    url = f"{repository_url}/labels/{name}"
    return {"id": 1, "node_id": f"LA_{name}", "url": url, "name": name, "color": "d73a4a", "default": name == "bug"}


def issue_json(base: str, issue: Issue, author: Account) -> Json:
    """An issue, open and without comments: GitHub's `issue`."""
    repository_url = f"{base}/repos/{issue.repository}"
    url = f"{repository_url}/issues/{issue.number}"
    return {
        "id": 1_000_000 + issue.number,
        "node_id": f"I_{issue.number}",
        "url": url,
        "repository_url": repository_url,
        **_links(url, _ISSUE_LINKS),
        "html_url": f"https://github.com/{issue.repository}/issues/{issue.number}",
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": "open",
        "locked": False,
        "user": account_json(base, author),
        "author_association": "OWNER",
        "labels": [{**_label_json(repository_url, label), "description": None} for label in issue.labels],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": issue.created,
        "updated_at": issue.created,
        "closed_at": None,
    }
