"""The clients of `examples/` against servers that nobody here wrote, unchanged but for where they are.

* emulate, a GitHub and a Stripe that keep state, give what was created back.
* Steady judges each request to GitHub by GitHub's own OpenAPI document, and answers with the examples in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from examples import github, stripe
from examples.github import GitHub, GitHubError, GitHubUploads, IssueChanges, NewIssue, NewRelease
from examples.stripe import Between, Customer, CustomerParams, PaymentIntentParams, Stripe, StripeError

from beds import bed
from example_servers import plain_environment, save
from paging import items, make, pages
from stubwire import CallError, DecodeError, Response, ResponseValidationError, Upload

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

REPO = ("octocat", "hello-world")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


class Hosts(NamedTuple):
    github: str
    stripe: str


@pytest.fixture(scope="module")
def emulate() -> Iterator[Hosts]:
    with bed("start_emulate.sh", ports=9) as port:
        yield Hosts(f"http://localhost:{port}", f"http://localhost:{port + 1}")


@pytest.fixture(scope="module")
def steady() -> Iterator[str]:
    with bed("start_steady_github.sh") as port:
        yield f"http://localhost:{port}"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, GITHUB_TOKEN="ghp_test", STRIPE_API_KEY="sk_test_emulated")


# -- a Stripe that keeps state


@pytest.fixture
def shop(emulate: Hosts, engine: EngineName) -> Iterator[Stripe]:
    with Stripe(base_url=emulate.stripe, engine=engine) as opened:
        yield opened


def test_a_customer_is_made_read_changed_and_removed(shop: Stripe, colour: Colour) -> None:
    metadata = {"order": "6735", "a b&c=d": "Grüße, 100 % + \N{CAT FACE}\r\n"}
    params = CustomerParams(email="ada+1@example.com", name="Ada & Co", metadata=metadata)
    made = colour.run(shop.customers.create, params)
    assert (made.email, made.name, made.metadata) == ("ada+1@example.com", "Ada & Co", metadata)
    assert made.created < TOMORROW
    assert colour.run(shop.customers.one, made.id) == made
    changed = colour.run(shop.customers.change, made.id, CustomerParams(description="A person", name=""))
    assert (changed.description, changed.name, changed.email) == ("A person", "", "ada+1@example.com")
    assert colour.run(shop.customers.remove, made.id).deleted
    with pytest.raises(StripeError) as caught:
        colour.run(shop.customers.one, made.id)
    assert caught.value.reason == f"No such customer: '{made.id}'"
    assert caught.value.problem is not None
    assert (caught.value.problem.type, caught.value.problem.code) == ("invalid_request_error", "resource_missing")


def test_customers_come_page_by_page(shop: Stripe, colour: Colour, engine: str) -> None:
    email = f"{engine}+{colour.name}@example.com"
    made = [colour.run(shop.customers.create, CustomerParams(email=email)) for _ in range(5)]
    found = pages(colour, make(colour, shop.customers.find, email=email, limit=2))
    assert [customer for page in found for customer in page.items] == made[::-1]
    assert [page.next_token for page in found] == [made[3].id, made[1].id, None]
    rest = make(colour, shop.customers.find, email=email, limit=2).resume(found[0].next_token)
    assert items(colour, rest) == made[2::-1]


def test_a_span_of_time_narrows_a_list(shop: Stripe, colour: Colour) -> None:
    made = colour.run(shop.customers.create, CustomerParams(email="a@example.com"))
    assert made in items(colour, make(colour, shop.customers.find, created=Between(lte=TOMORROW)))
    assert items(colour, make(colour, shop.customers.find, created=Between(gte=TOMORROW))) == []


def test_a_payment_is_made_read_confirmed_and_listed(shop: Stripe, colour: Colour) -> None:
    ada = colour.run(shop.customers.create, CustomerParams(email="ada@example.com"))
    params = PaymentIntentParams(amount=1099, currency="EUR", customer=ada.id, metadata={"order": "6735"})
    made = colour.run(shop.payment_intents.create, params)
    assert (made.amount, made.currency, made.status) == (1099, "eur", "requires_payment_method")
    assert (made.customer, made.metadata) == (ada.id, {"order": "6735"})
    assert colour.run(shop.payment_intents.one, made.id) == made
    expanded = colour.run(shop.payment_intents.one, made.id, expand=["customer"])
    assert isinstance(expanded.customer, Customer)
    assert expanded.customer == ada
    paid = colour.run(shop.payment_intents.confirm, made.id, payment_method="pm_card_visa")
    assert paid.status == "succeeded"
    assert items(colour, make(colour, shop.payment_intents.find, customer=ada.id)) == [paid]
    with pytest.raises(StripeError) as caught:
        colour.run(shop.payment_intents.cancel, made.id)
    assert caught.value.status_code == 400
    assert caught.value.problem is not None
    assert caught.value.problem.code == "payment_intent_unexpected_state"


def test_a_payment_is_cancelled(shop: Stripe, colour: Colour) -> None:
    made = colour.run(shop.payment_intents.create, PaymentIntentParams(amount=1, currency="jpy"))
    reason = "requested_by_customer"
    assert colour.run(shop.payment_intents.cancel, made.id, cancellation_reason=reason).status == "canceled"


def test_a_refused_payment_says_which_parameter(shop: Stripe, colour: Colour) -> None:
    params = PaymentIntentParams(amount=1, currency="eur", customer="cus_nobody")
    with pytest.raises(StripeError) as caught:
        colour.run(shop.payment_intents.create, params)
    assert caught.value.problem is not None
    assert (caught.value.problem.param, caught.value.reason) == ("customer", "No such customer: 'cus_nobody'")


def test_stripe_prints_what_was_paid(
    emulate: Hosts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_BASE_URL", emulate.stripe)
    with Stripe() as shop:
        made = shop.payment_intents.create(PaymentIntentParams(amount=123_456, currency="eur"))
    assert stripe.main() == 0
    latest = capsys.readouterr().out.splitlines()[0]
    assert latest == f"{made.created:%Y-%m-%d %H:%M}     123456 eur  requires_payment_method"


# -- a GitHub that keeps state


@pytest.fixture
def hub(emulate: Hosts, engine: EngineName) -> Iterator[GitHub]:
    with GitHub(base_url=emulate.github, engine=engine) as opened:
        yield opened


def test_an_account_its_repositories_and_a_search(hub: GitHub, colour: Colour) -> None:
    assert colour.run(hub.user, "octocat").name == "Octo Cat"
    repos = items(colour, make(colour, hub.user_repos, "octocat", sort="pushed"))
    assert [repo.full_name for repo in repos] == ["octocat/hello-world"]
    words = {"q": "user:octocat hello", "sort": "stars", "order": "desc"}
    assert items(colour, make(colour, hub.search, **words)) == repos
    found = colour.run(hub.search_page, **words)
    assert (found.total_count, found.items) == (1, repos)


def test_issues_are_made_changed_and_found_page_by_page(hub: GitHub, colour: Colour, engine: str) -> None:
    labels = [f"example {engine} {colour.name}", "bug"]
    new = [NewIssue(title=f"{title} \N{CAT FACE}", body="Líne 1\nLine 2", labels=labels) for title in "abc"]
    made = [colour.run(hub.issues.create, *REPO, issue) for issue in new]
    assert [(issue.title, issue.body) for issue in made] == [(issue.title, issue.body) for issue in new]
    assert colour.run(hub.issues.one, *REPO, made[0].number) == made[0]
    found = pages(colour, make(colour, hub.issues.find, *REPO, labels=labels, per_page=1))
    assert [len(page.items) for page in found] == [1, 1, 1]
    assert {issue.number for page in found for issue in page.items} == {issue.number for issue in made}
    closed = colour.run(hub.issues.change, *REPO, made[0].number, IssueChanges(state="closed", body=None))
    assert (closed.title, closed.state, closed.body) == (made[0].title, "closed", None)
    assert items(colour, make(colour, hub.issues.find, *REPO, labels=labels, state="closed")) == [closed]
    assert items(colour, make(colour, hub.issues.find, *REPO, labels=labels, since=TOMORROW)) == []


def test_a_release_is_made_and_given_files(hub: GitHub, colour: Colour, engine: EngineName, tmp_path: Path) -> None:
    tag = f"v-{engine}-{colour.name}"
    made = colour.run(hub.releases.create, *REPO, NewRelease(tag_name=tag, name="One", prerelease=False))
    built = tmp_path / "built.zip"
    built.write_bytes(bytes(range(256)) * 4000)
    with GitHubUploads(base_url=hub.base_url, engine=engine) as uploads:
        asset = colour.run(uploads.upload, *REPO, made.id, built, name="a b&c=ü.zip")
        colour.run(uploads.upload, *REPO, made.id, Upload(b"00", content_type="text/plain"), name="SUMS")
    assert (asset.name, asset.size, asset.content_type) == ("a b&c=ü.zip", 1_024_000, "application/zip")
    latest = colour.run(hub.releases.latest, *REPO)
    assert latest is not None
    assert (latest.tag_name, [file.name for file in latest.assets]) == (tag, ["a b&c=ü.zip", "SUMS"])
    assert latest in items(colour, make(colour, hub.releases.find, *REPO, per_page=2))
    assert colour.run(hub.releases.latest, "octocat", "no-such-repository") is None


def test_what_is_not_there_is_a_refusal(hub: GitHub, colour: Colour) -> None:
    with pytest.raises(GitHubError) as caught:
        colour.run(hub.user, "nobody-is-called-this")
    assert (caught.value.status_code, caught.value.reason) == (404, "Not Found")
    with pytest.raises(GitHubError) as caught:
        colour.run(hub.issues.create, *REPO, NewIssue(title=""))
    assert (caught.value.status_code, caught.value.reason) == (422, "Validation failed")


def test_github_prints_who_that_is(
    emulate: Hosts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_BASE_URL", emulate.github)
    assert github.main("octocat") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "octocat: 1 public repositories, 0 followers"
    assert second.split() == ["octocat/hello-world", "0", "stars"]


# -- GitHub's OpenAPI document as a judge


class Judged(NamedTuple):
    """The clients, and what the judge found each valid request to be."""

    hub: GitHub
    uploads: GitHubUploads
    operations: list[str]


@pytest.fixture
def judged(steady: str, engine: EngineName) -> Iterator[Judged]:
    with GitHub(base_url=steady, engine=engine) as hub, GitHubUploads(base_url=steady, engine=engine) as uploads:
        operations: list[str] = []

        def note(response: Response) -> None:
            said = {name: value for name, value in response.headers.items() if name.startswith("x-steady-")}
            assert (said["x-steady-request-valid"], said["x-steady-error-count"]) == ("true", "0"), said
            operations.append(f"{response.request.method} {said['x-steady-matched-path']}")

        def note_error(error: CallError) -> None:
            raise AssertionError(f"the judge did not answer with a success: {error}")

        for client in (hub, uploads):
            client.interceptors.response.use(note, note_error)
        yield Judged(hub, uploads, operations)


def test_every_request_is_valid(judged: Judged, colour: Colour, tmp_path: Path) -> None:
    """Each endpoint of the example once; all but one are answered with what the models read."""
    hub, uploads, operations = judged
    since = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert colour.run(hub.user, "octocat").login == "octocat"
    assert len(items(colour, make(colour, hub.user_repos, "octo-cat.42_x", sort="pushed", per_page=1))) == 1
    words = {"q": "a+b&c=d #1 language:c++ \N{CAT FACE}", "sort": "help-wanted-issues", "order": "asc"}
    assert [repo.full_name for repo in items(colour, make(colour, hub.search, **words))] == ["dtrupenn/Tetris"]
    assert colour.run(hub.search_page, **words, per_page=100).total_count == 40
    assert [event.type for event in items(colour, make(colour, hub.events, *REPO))] == ["PushEvent", "WatchEvent"]
    found = make(colour, hub.issues.find, *REPO, state="all", labels=["good first issue", "ünïcode"], since=since)
    assert [issue.number for issue in items(colour, found)] == [1347]
    with pytest.raises(ResponseValidationError):  # an example that is a reference, which the judge sends as it stands
        colour.run(hub.issues.one, *REPO, 1347)
    assert colour.run(hub.issues.create, *REPO, NewIssue(title="Found a bug", labels=["bug"])).number == 1347
    assert colour.run(hub.issues.change, *REPO, 1347, IssueChanges(state="closed", body=None)).number == 1347
    assert [release.tag_name for release in items(colour, make(colour, hub.releases.find, *REPO))] == ["v1.0.0"]
    latest = colour.run(hub.releases.latest, *REPO)
    made = colour.run(hub.releases.create, *REPO, NewRelease(tag_name="v1.0.0", name="One", prerelease=True))
    assert latest == made
    file = Upload(bytes(range(256)), content_type="application/octet-stream")
    (asset,) = made.assets
    assert colour.run(uploads.upload, *REPO, made.id, file, name="a b&c=ü.zip") == asset
    assert save(colour, hub.releases.download, *REPO, asset.id, to=tmp_path / asset.name).is_file()
    repo, issues, releases = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/issues", "/repos/{owner}/{repo}/releases"
    assert operations == [
        "GET /users/{username}",
        "GET /users/{username}/repos",
        "GET /search/repositories",
        "GET /search/repositories",
        f"GET {repo}/events",
        f"GET {issues}",
        f"GET {issues}/{{issue_number}}",
        f"POST {issues}",
        f"PATCH {issues}/{{issue_number}}",
        f"GET {releases}",
        f"GET {releases}/latest",
        f"POST {releases}",
        f"POST {releases}/{{release_id}}/assets",
        f"GET {releases}/assets/{{asset_id}}",
    ]


def test_what_is_not_the_file_is_found_out(judged: Judged, colour: Colour, tmp_path: Path) -> None:
    """The judge has no file, and answers with what it knows of it: the hash that came with the release tells."""
    release = colour.run(judged.hub.releases.latest, *REPO)
    assert release is not None
    (asset,) = release.assets
    with pytest.raises(DecodeError, match=f"not {asset.sha256}$"):
        save(colour, judged.hub.releases.download, *REPO, asset.id, to=tmp_path / asset.name, sha256=asset.sha256)
    assert [*tmp_path.iterdir()] == []


def test_the_judge_would_have_said_so(steady: str, engine: EngineName, colour: Colour) -> None:
    """The document knows one type of file only, although GitHub takes any."""
    with GitHubUploads(base_url=steady, engine=engine) as uploads, pytest.raises(GitHubError) as caught:
        colour.run(uploads.upload, *REPO, 1, Upload(b"PK", content_type="application/zip"), name="app.zip")
    assert caught.value.response.headers["x-steady-request-valid"] == "false"
    assert caught.value.response.headers["x-steady-error-1-path"] == "header.content-type"
