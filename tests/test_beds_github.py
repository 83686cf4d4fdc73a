"""The documented GitHub client against two servers that nobody here wrote, unchanged but for its `base_url`.

* emulate, a GitHub that keeps state, gives what was created back.
* Steady judges each request by GitHub's own OpenAPI document, and answers with the examples in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from pydantic import SecretStr

from beds import bed
from stubwire import CallError, Response, ResponseValidationError
from stubwire.demo.client import GitHub, GitHubError, GitHubSettings, Issue, NewIssue, Repo, User

if TYPE_CHECKING:
    from conftest import Colour

pytestmark = pytest.mark.bed

REPO = ("octocat", "hello-world")
Sort = Literal["created", "updated", "pushed", "full_name"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting and no proxy but those that a test names."""
    for name in list(os.environ):
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("no_proxy", "localhost")


def client(url: str, engine: Any) -> GitHub:
    return GitHub(GitHubSettings(base_url=url, token=SecretStr("ghp_test")), engine=engine)


# -- a GitHub that keeps state


@pytest.fixture(scope="module")
def emulate() -> Iterator[str]:
    with bed("start_emulate.sh", ports=9) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def github(emulate: str, engine: str) -> Iterator[GitHub]:
    with client(emulate, engine) as opened:
        yield opened


def test_an_account_and_its_repositories_are_read(github: GitHub, colour: Colour) -> None:
    user: User = colour.run(github.user, "octocat")
    assert (user.login, user.name, user.type, user.public_repos) == ("octocat", "Octo Cat", "User", 1)
    assert user.created_at.utcoffset() == timedelta(0)
    repo: Repo = colour.run(github.repo, *REPO)
    assert (repo.full_name, repo.owner.login, repo.fork) == ("octocat/hello-world", "octocat", False)
    assert colour.run(github.user_repos, "octocat", sort="pushed", per_page=5) == [repo]
    assert colour.run(github.user_repos, "octocat", page=2) == []


def test_a_search_is_unwrapped(github: GitHub, colour: Colour) -> None:
    found: list[Repo] = colour.run(github.search_repositories, "user:octocat")
    assert [repo.full_name for repo in found] == ["octocat/hello-world"]
    assert colour.run(github.search_repositories, "no-repository-is-called-this") == []


def test_an_issue_is_created_read_back_and_found(github: GitHub, colour: Colour, engine: str) -> None:
    label = f"{engine}-{colour.name}"
    new = NewIssue(title=f"Found by {label}", body="Líne 1\nLine 2 \N{CAT FACE}", labels=["bug", label])
    created: Issue = colour.run(github.issues.create, *REPO, new)
    assert (created.title, created.body, created.state, created.comments) == (new.title, new.body, "open", 0)
    assert [item.name for item in created.labels] == new.labels
    assert created.user is not None
    assert created.user.login == "octocat"
    assert colour.run(github.issues.one, *REPO, created.number) == created
    assert created in colour.run(github.issues.find, *REPO, per_page=100)
    assert colour.run(github.issues.find, *REPO, labels=f"bug,{label}") == [created]
    assert colour.run(github.issues.find, *REPO, labels=f"wontfix,{label}") == []
    assert colour.run(github.issues.find, *REPO, labels=label, state="closed") == []


def test_issues_come_in_pages(github: GitHub, colour: Colour, engine: str) -> None:
    label = f"pages-{engine}-{colour.name}"
    numbers = {
        colour.run(github.issues.create, *REPO, NewIssue(title=title, labels=[label])).number for title in ("1", "2")
    }
    pages = [colour.run(github.issues.find, *REPO, labels=label, per_page=1, page=page) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [1, 1, 0]
    assert {issue.number for page in pages for issue in page} == numbers


def test_what_is_not_there_is_a_github_error_with_a_body(github: GitHub, colour: Colour) -> None:
    with pytest.raises(GitHubError) as caught:
        colour.run(github.repo, "octocat", "no-such-repository")
    assert caught.value.status_code == 404
    assert caught.value.body is not None
    assert caught.value.body.message == "Not Found"
    assert str(caught.value).endswith("/repos/octocat/no-such-repository answered 404")


def test_a_refused_issue_says_why(github: GitHub, colour: Colour) -> None:
    with pytest.raises(GitHubError) as caught:
        colour.run(github.issues.create, *REPO, NewIssue(title=""))
    assert caught.value.status_code == 422
    assert caught.value.body is not None
    assert caught.value.body.message == "Validation failed"


def test_without_a_token_nothing_is_created(github: GitHub, colour: Colour) -> None:
    anonymous = github.with_options(auth=None)
    with pytest.raises(GitHubError) as caught:
        colour.run(anonymous.issues.create, *REPO, NewIssue(title="Mine"))
    assert caught.value.status_code == 401
    assert colour.run(anonymous.user, "octocat").login == "octocat"


# -- GitHub's OpenAPI document as a judge


@pytest.fixture(scope="module")
def steady() -> Iterator[str]:
    with bed("start_steady_github.sh") as port:
        yield f"http://localhost:{port}"


class Verdicts:
    """What the judge said of each request, from response interceptors."""

    def __init__(self, github: GitHub) -> None:
        self.operations: list[str] = []
        github.interceptors.response.use(self._note, self._note_error)

    def _note(self, response: Response) -> None:
        said = {name: value for name, value in response.headers.items() if name.startswith("x-steady-")}
        problems = {name: value for name, value in said.items() if name.startswith("x-steady-error-")}
        assert said.get("x-steady-request-valid") == "true", problems
        assert problems == {"x-steady-error-count": "0"}
        self.operations.append(f"{response.request.method} {said['x-steady-matched-path']}")

    def _note_error(self, error: CallError) -> None:
        raise AssertionError(f"the judge did not even answer with a success: {error}")


@pytest.fixture
def judged(steady: str, engine: str) -> Iterator[GitHub]:
    with client(steady, engine) as opened:
        yield opened


@pytest.fixture
def verdicts(judged: GitHub) -> Verdicts:
    return Verdicts(judged)


def template(route: Any) -> str:
    """The path of a route as the document writes it."""
    return re.sub(r"<(\w+)>", r"{\1}", str(route.spec.path)).replace("{number}", "{issue_number}")


def test_every_request_is_valid_and_every_answer_is_read(judged: GitHub, verdicts: Verdicts, colour: Colour) -> None:
    user: User = colour.run(judged.user, "octocat")
    assert user.login == "octocat"
    repo: Repo = colour.run(judged.repo, *REPO)
    assert repo.full_name == "octocat/Hello-World"
    assert [item.full_name for item in colour.run(judged.user_repos, "octocat")] == ["octocat/Hello-World"]
    assert [item.full_name for item in colour.run(judged.search_repositories, "tetris")] == ["dtrupenn/Tetris"]
    created: Issue = colour.run(judged.issues.create, *REPO, NewIssue(title="Found a bug", labels=["bug"]))
    assert (created.number, created.title) == (1347, "Found a bug")
    assert [item.number for item in colour.run(judged.issues.find, *REPO)] == [1347]
    assert verdicts.operations == [
        f"GET {template(GitHub.user)}",
        f"GET {template(GitHub.repo)}",
        f"GET {template(GitHub.user_repos)}",
        f"GET {template(GitHub.search_repositories)}",
        f"POST {template(type(judged.issues).create)}",
        f"GET {template(type(judged.issues).find)}",
    ]


def test_a_valid_request_for_one_issue_is_answered_with_nonsense(
    judged: GitHub, verdicts: Verdicts, colour: Colour
) -> None:
    """The document refers to its example by a `$ref` where none is allowed, and the judge sends that as the issue."""
    with pytest.raises(ResponseValidationError) as caught:
        colour.run(judged.issues.one, *REPO, 1347)
    assert verdicts.operations == [f"GET {template(type(judged.issues).one)}"]
    assert caught.value.response.text.split() == ["{", '"$ref":', '"#/components/examples/issue"', "}"]
    assert "number: Field required" in str(caught.value)


@pytest.mark.parametrize("sort", get_args(Sort))
def test_every_order_of_repositories_is_valid(judged: GitHub, verdicts: Verdicts, colour: Colour, sort: Sort) -> None:
    colour.run(judged.user_repos, "octo-cat.42_x", sort=sort, per_page=100, page=3)
    assert len(verdicts.operations) == 1


@pytest.mark.parametrize("state", ["open", "closed", "all"])
def test_every_way_to_find_issues_is_valid(judged: GitHub, verdicts: Verdicts, colour: Colour, state: str) -> None:
    colour.run(judged.issues.find, *REPO, state=state, labels="good first issue,bug & feature,ünïcode", per_page=1)
    assert len(verdicts.operations) == 1


def test_a_search_may_have_any_words(judged: GitHub, verdicts: Verdicts, colour: Colour) -> None:
    colour.run(judged.search_repositories, "a+b&c=d #1 language:c++ \N{CAT FACE}", per_page=100, page=2)
    assert len(verdicts.operations) == 1


@pytest.mark.parametrize("issue", [NewIssue(title="t"), NewIssue(title="\N{CAT FACE}", body="b\n", labels=["a", "b"])])
def test_every_new_issue_is_valid(judged: GitHub, verdicts: Verdicts, colour: Colour, issue: NewIssue) -> None:
    colour.run(judged.issues.create, *REPO, issue)
    assert len(verdicts.operations) == 1


def test_the_judge_would_have_said_so(judged: GitHub) -> None:
    """A request that the document forbids is found invalid, so the verdicts above mean something."""
    with pytest.raises(GitHubError) as caught:
        judged.call("GET", "/repos/octocat/hello-world/issues", params={"state": "ajar"})
    assert caught.value.response.headers["x-steady-request-valid"] == "false"
    assert caught.value.response.headers["x-steady-error-1-path"] == "query.state"
