"""Both examples as programs, and the settings that they read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from examples import github, stripe

from example_servers import Routes, answering, asked, in_turn, plain_environment, run_example, says
from servers import RawRequest, RawServer, free_port, http
from stubwire import ConfigurationError

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, STRIPE_API_KEY=KEY, GITHUB_TOKEN=TOKEN)


# -- settings


def test_each_host_has_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with stripe.Stripe() as one, stripe.StripeFiles() as two, github.GitHub() as three, github.GitHubUploads() as four:
        assert [client.base_url for client in (one, two, three, four)] == [
            "https://api.stripe.com",
            "https://files.stripe.com",
            "https://api.github.com",
            "https://uploads.github.com",
        ]
        shown = repr([client.settings for client in (one, two, three, four)])
        assert KEY not in shown
        assert TOKEN not in shown
    for name in ("STRIPE_BASE_URL", "STRIPE_FILES_URL", "GITHUB_BASE_URL", "GITHUB_UPLOADS_URL"):
        monkeypatch.setenv(name, f"https://{name.replace('_', '-').lower()}.test")
    with stripe.Stripe() as one, stripe.StripeFiles() as two, github.GitHub() as three, github.GitHubUploads() as four:
        assert [client.base_url for client in (one, two, three, four)] == [
            "https://stripe-base-url.test",
            "https://stripe-files-url.test",
            "https://github-base-url.test",
            "https://github-uploads-url.test",
        ]


@pytest.mark.parametrize("client", [stripe.Stripe, stripe.StripeFiles])
def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch, client: type[stripe.StripeApi]) -> None:
    monkeypatch.delenv("STRIPE_API_KEY")
    with pytest.raises(ConfigurationError, match=r": STRIPE_API_KEY: Field required$"):
        client()


# -- Stripe


def payments(_: RawRequest) -> bytes:
    """The latest payments, of customers in every shape."""
    ada = {"id": "cus_1", "email": "ada@example.com", "created": 1}
    customers: list[Any] = [ada, {**ada, "email": None}, {"id": "cus_2", "deleted": True}, "cus_3", None]
    intent = {"id": "pi_1", "amount": 1099, "currency": "eur", "status": "succeeded", "created": 1_704_067_200}
    return says({"data": [{**intent, "customer": customer} for customer in customers], "has_more": False})


PAYMENTS = """\
2024-01-01 00:00       1099 eur  succeeded                ada@example.com
2024-01-01 00:00       1099 eur  succeeded                cus_1
2024-01-01 00:00       1099 eur  succeeded                cus_2 (deleted)
2024-01-01 00:00       1099 eur  succeeded                cus_3
2024-01-01 00:00       1099 eur  succeeded
"""


def test_stripe_prints_the_latest_payments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with RawServer(answering({"GET /v1/payment_intents": payments})) as server:
        monkeypatch.setenv("STRIPE_BASE_URL", server.url)
        assert stripe.main() == 0
        ran = run_example("stripe.py", cwd=tmp_path)
    assert capsys.readouterr() == (PAYMENTS, "")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, PAYMENTS, "")
    assert server.lines == ["GET /v1/payment_intents?limit=20&expand%5B%5D=data.customer HTTP/1.1"] * 2


def test_stripe_says_what_went_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    refusal = says({"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}, 401)
    with RawServer(answering({"GET /v1/payment_intents": in_turn(refusal, http(b"", 400))})) as server:
        monkeypatch.setenv("STRIPE_BASE_URL", server.url)
        assert (stripe.main(), stripe.main()) == (1, 1)
    monkeypatch.delenv("STRIPE_API_KEY")
    assert stripe.main() == 1
    said = [
        "Invalid API Key provided",
        f"Stripe.payment_intents.find: GET {server.url}{server.requests[0].target} answered 400",
        "Stripe needs settings (StripeSettings): STRIPE_API_KEY: Field required",
    ]
    assert capsys.readouterr() == ("", "\n".join([*said, ""]))


# -- GitHub

OCTOCAT = {"id": 1, "login": "octocat", "public_repos": 12, "followers": 34}
CONTENT = b"00ff  app.zip\n"
RELEASES = "/repos/cli/cli/releases"


def repositories(request: RawRequest) -> bytes:
    """Twelve repositories, ten on a page."""
    first = "page" not in asked(request)
    numbers = range(10) if first else range(10, 12)
    repos = [
        {"id": number, "name": "x", "full_name": f"octocat/repo-{number}", "owner": OCTOCAT, "stargazers_count": number}
        for number in numbers
    ]
    repos[0]["language"] = "Python"
    return (
        says(repos, Link=f'<http://{request.header("Host")}{request.target}&page=2>; rel="next"')
        if first
        else says(repos)
    )


def release(**asset: str) -> bytes:
    sums = {"id": 5, "name": "SHA256SUMS", "size": len(CONTENT), "content_type": "text/plain", **asset}
    return says({"id": 7, "tag_name": "v2.0", "name": "Two", "assets": [{**sums, "id": 4, "name": "app.zip"}, sums]})


def test_github_prints_who_that_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    routes: Routes = {"GET /users/octocat": says(OCTOCAT), "GET /users/octocat/repos": repositories}
    with RawServer(answering(routes)) as server:
        monkeypatch.setenv("GITHUB_BASE_URL", server.url)
        assert github.main("octocat") == 0
        ran = run_example("github.py", cwd=tmp_path)
    printed = capsys.readouterr().out
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, printed, "")
    assert printed.splitlines()[:3] == [
        "octocat: 12 public repositories, 34 followers",
        "  octocat/repo-0                                     Python             0 stars",
        "  octocat/repo-1                                                        1 stars",
    ]
    assert len(printed.splitlines()) == 11
    assert len(server.requests) == 4, "no page is fetched that is not printed"


def test_github_prints_what_happens_in_a_repository(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    issue = {"number": 3, "title": "It crashes", "state": "open", "user": None}
    events = [
        {"type": "PushEvent", "actor": OCTOCAT, "payload": {"ref": "refs/heads/main"}},
        {"type": "ForkEvent", "actor": OCTOCAT, "payload": {}},
    ]
    routes: Routes = {
        "GET /repos/cli/cli/issues": says([issue]),
        f"GET {RELEASES}/latest": in_turn(release(), http(b"", 404)),
        "GET /repos/cli/cli/events": in_turn(says(events), says([])),
    }
    with RawServer(answering(routes)) as server:
        monkeypatch.setenv("GITHUB_BASE_URL", server.url)
        assert (github.main("cli/cli"), github.main("cli/cli")) == (0, 0)
    assert capsys.readouterr().out.splitlines() == [
        "#3 It crashes",
        "v2.0: app.zip, SHA256SUMS",
        "octocat: pushed to refs/heads/main",
        "octocat: ForkEvent",
        "#3 It crashes",
    ]


def test_github_saves_a_file_of_the_latest_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    with RawServer(http(CONTENT)) as storage:
        elsewhere = http(b"", 302, {"Location": f"{storage.url}/5"})
        routes: Routes = {f"GET {RELEASES}/latest": release(digest=digest), f"GET {RELEASES}/assets/5": elsewhere}
        with RawServer(answering(routes)) as server:
            monkeypatch.setenv("GITHUB_BASE_URL", server.url)
            ran = run_example("github.py", "cli/cli", "SHA256SUMS", cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "SHA256SUMS: 14 bytes\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["SHA256SUMS"]
    assert (tmp_path / "SHA256SUMS").read_bytes() == CONTENT
    assert storage.requests[0].header("Authorization") is None


def test_github_says_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    routes: Routes = {
        "GET /users/octocat": in_turn(says({"message": "Not Found"}, 404), says([])),
        f"GET {RELEASES}/latest": release(digest=f"sha256:{'0' * 64}"),
        f"GET {RELEASES}/assets/4": http(CONTENT),
    }
    with RawServer(answering(routes)) as server:
        monkeypatch.setenv("GITHUB_BASE_URL", server.url)
        assert (github.main("octocat"), github.main("octocat"), github.main("cli/cli", "app.zip")) == (1, 1, 1)
        with pytest.raises(SystemExit, match=r"^cli/cli has no \.\./app\.zip in its latest release$"):
            github.main("cli/cli", "../app.zip")
    monkeypatch.setenv("GITHUB_BASE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("GITHUB_MAX_RETRIES", "0")
    assert github.main("octocat") == 1
    out, err = capsys.readouterr()
    said = err.splitlines()
    assert out == ""
    assert said[0] == "Not Found"
    assert said[1].startswith(f"GitHub.user: GET {server.url}/users/octocat answered 200 with JSON that does not fit: ")
    assert said[2].endswith(f"not {'0' * 64}")
    assert said[3].startswith("GitHub.user: GET http://127.0.0.1:")
    assert len(said) == 4
    assert [*tmp_path.iterdir()] == []
