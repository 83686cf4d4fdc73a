"""The production guide, `examples/production`, as real processes: the service, GitHub and Stripe, over real HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from production_processes import EXAMPLE, HEADER, PATIENCE, ROOT, Provider, Service, providing, sent, serving, starting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TUNED = {"TIMEOUT": "0.3", "MAX_RETRIES": "0"}
GITHUB_TOKEN = "ghp_secret_of_github"
STRIPE_KEY = "sk_secret_of_stripe"


def new_id() -> str:
    return f"test-{uuid4().hex}"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory to run in, so that no `.env` file is read."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def github(workplace: Path) -> Iterator[Provider]:
    with providing("github", workplace) as started:
        yield started


@pytest.fixture(scope="module")
def stripe(workplace: Path) -> Iterator[Provider]:
    with providing("stripe", workplace) as started:
        yield started


@pytest.fixture(scope="module")
def environment(github: Provider, stripe: Provider) -> dict[str, str]:
    return {
        "GITHUB_BASE_URL": github.url,
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "STRIPE_BASE_URL": stripe.url,
        "STRIPE_API_KEY": STRIPE_KEY,
    }


@pytest.fixture(scope="module")
def service(workplace: Path, environment: dict[str, str]) -> Iterator[Service]:
    """The service with its production timeouts and retries."""
    with serving(workplace, environment) as started:
        yield started


@pytest.fixture(scope="module")
def impatient_service(workplace: Path, environment: dict[str, str]) -> Iterator[Service]:
    """The service as its environment may tune it: short timeouts, no retries."""
    tuned = {f"{name}_{setting}": value for name in ("GITHUB", "STRIPE") for setting, value in TUNED.items()}
    with serving(workplace, {**environment, **tuned}) as started:
        yield started


def test_a_sync_returns_and_logs_what_it_synced(service: Service, github: Provider) -> None:
    """The happy path: one request with the client's headers, one log line of the service and one of the client."""
    correlation_id = new_id()
    answer = service.call("POST", "/users/octocat/sync", correlation_id)
    assert answer.status_code == 200
    assert answer.json() == {"username": "octocat", "repositories": ["octocat-hello", "octocat-spoon"]}
    assert answer.headers[HEADER] == correlation_id
    (request,) = github.recorded(correlation_id)
    assert (request["path"], request["query"]) == ("/users/octocat/repos", {"per_page": "100"})
    assert sent(request, "Authorization") == [f"Bearer {GITHUB_TOKEN}"]
    assert sent(request, "Accept") == ["application/vnd.github.v3+json"]
    assert sent(request, "User-Agent") == ["MyProductionApp/1.0"]
    service.process.expect(rf"INFO user_sync \[{correlation_id}\] synced 2 repositories of octocat: octocat-hello, ")
    service.process.expect(rf"INFO github_client \[{correlation_id}\] .*GitHub\.user_repos")


def test_the_search_envelope_is_unwrapped_by_the_interceptor(service: Service) -> None:
    """`{"items": [...]}` becomes the list that the stub declares."""
    answer = service.call("GET", "/users/octocat/popular", new_id())
    assert answer.status_code == 200
    assert [repository["name"] for repository in answer.json()] == ["repositories-hello", "repositories-spoon"]


def test_a_balance_is_added_up_by_the_synchronous_client(service: Service, stripe: Provider) -> None:
    """Two calls of one `def` handler carry the id of the request that caused both."""
    correlation_id = new_id()
    answer = service.call("GET", "/customers/cus_1/balance", correlation_id)
    assert answer.status_code == 200
    assert answer.json() == {"customer_id": "cus_1", "email": "cus_1@example.com", "due": {"eur": 1500, "usd": 50}}
    customer, invoices = stripe.recorded(correlation_id)
    assert customer["path"] == "/v1/customers/cus_1"
    assert invoices["path"] == "/v1/invoices"
    assert invoices["query"] == {"customer": "cus_1", "status": "open", "limit": "100"}
    assert sent(customer, "Authorization") == [f"Bearer {STRIPE_KEY}"]


def test_concurrent_requests_carry_their_own_correlation_ids(
    service: Service, github: Provider, stripe: Provider
) -> None:
    """Two requests of each kind are in flight at once (the providers wait for both); no id reaches the other's call."""
    calls = [
        ("POST", "/users/pair-one/sync", "/users/pair-one/repos", github),
        ("POST", "/users/pair-two/sync", "/users/pair-two/repos", github),
        ("GET", "/customers/pair-one/balance", "/v1/customers/pair-one", stripe),
        ("GET", "/customers/pair-two/balance", "/v1/customers/pair-two", stripe),
    ]
    ids = [new_id() for _ in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(service.call, *zip(*[call[:2] for call in calls], strict=True), ids))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200]
    assert [answer.headers[HEADER] for answer in answers] == ids
    for correlation_id, (_, _, path, provider) in zip(ids, calls, strict=True):
        assert provider.recorded(correlation_id)[0]["path"] == path
        other = stripe if provider is github else github
        assert other.recorded(correlation_id) == []


def test_a_correlation_id_is_minted_for_a_request_without_a_sane_one(service: Service, github: Provider) -> None:
    """None, or one that would not be safe in a header or a log, is replaced; the answer names the new one."""
    minted = [service.call("POST", "/users/octocat/sync", brought).headers[HEADER] for brought in ("", "a b", "x" * 65)]
    assert len(set(minted)) == 3
    for correlation_id in minted:
        assert re.fullmatch("[0-9a-f]{32}", correlation_id)
        assert len(github.recorded(correlation_id)) == 1


def test_a_flaky_endpoint_is_retried_until_it_answers(service: Service, github: Provider) -> None:
    """Two failures cost two retries, each with a log line; the caller sees a success, and one id went all the way."""
    correlation_id = new_id()
    answer = service.call("POST", "/users/flaky/sync", correlation_id)
    assert answer.status_code == 200
    assert len(github.recorded(correlation_id)) == 3
    service.process.expect(rf"user_sync \[{correlation_id}\] synced 2 repositories of flaky")
    retries = [line for line in service.process.lines if "github_client" in line and correlation_id in line]
    assert len(retries) == 3, retries


def test_a_500_takes_the_status_path_after_three_retries(service: Service, github: Provider) -> None:
    """The service logs the status and answers 502."""
    correlation_id = new_id()
    answer = service.call("POST", "/users/broken/sync", correlation_id)
    assert (answer.status_code, answer.json()) == (502, {"detail": "GitHub answered 500"})
    assert len(github.recorded(correlation_id)) == 4
    service.process.expect(rf"WARNING user_sync \[{correlation_id}\] could not sync broken, GitHub answered 500")


def test_a_404_takes_the_status_path_at_once(service: Service, github: Provider, stripe: Provider) -> None:
    """A user or a customer who does not exist is our caller's 404; nothing is retried."""
    correlation_id = new_id()
    answer = service.call("POST", "/users/missing/sync", correlation_id)
    assert (answer.status_code, answer.json()) == (404, {"detail": "GitHub knows no user missing"})
    answer = service.call("GET", "/customers/missing/balance", correlation_id)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Stripe knows no customer missing"})
    assert len(github.recorded(correlation_id)) == 1
    assert len(stripe.recorded(correlation_id)) == 1


def test_a_provider_that_hangs_takes_the_timeout_path(impatient_service: Service, github: Provider) -> None:
    """The environment's timeout and number of retries hold; the service logs the timeout and answers 504."""
    correlation_id = new_id()
    answer = impatient_service.call("POST", "/users/hangs/sync", correlation_id)
    assert (answer.status_code, answer.json()) == (504, {"detail": "GitHub did not answer in time"})
    assert len(github.recorded(correlation_id)) == 1
    impatient_service.process.expect(rf"WARNING user_sync \[{correlation_id}\] gave up on hangs, GitHub is too slow: ")


def test_a_deadline_takes_the_timeout_path(workplace: Path, environment: dict[str, str]) -> None:
    """It ends the call, although the attempt has time left and retries would follow."""
    correlation_id = new_id()
    with serving(workplace, {**environment, "GITHUB_DEADLINE": "0.3"}) as service:
        answer = service.call("POST", "/users/hangs/sync", correlation_id)
        assert (answer.status_code, answer.json()) == (504, {"detail": "GitHub did not answer in time"})
        service.process.expect(rf"WARNING user_sync \[{correlation_id}\] gave up on hangs, .* its deadline of 0\.3 s")


def test_a_failure_that_no_service_expects_is_answered_by_the_application(impatient_service: Service) -> None:
    """The synchronous client's timeout is a 504, its 500 a 502, and both are logged with their id."""
    for customer, status in (("hangs", 504), ("broken", 502)):
        correlation_id = new_id()
        answer = impatient_service.call("GET", f"/customers/{customer}/balance", correlation_id)
        assert answer.status_code == status
        assert answer.headers[HEADER] == correlation_id
        impatient_service.process.expect(rf"ERROR app \[{correlation_id}\] Stripe\.customer: ")


def test_an_argument_that_cannot_be_sent_is_the_callers_fault(service: Service, github: Provider) -> None:
    """`..` would be another endpoint of the provider; nothing is sent."""
    correlation_id = new_id()
    answer = service.call("POST", "/users/%2E%2E/sync", correlation_id)
    assert answer.status_code == 422
    assert "username" in answer.json()["detail"]
    assert github.recorded(correlation_id) == []


def test_the_clients_are_isolated_from_each_other(service: Service, github: Provider, stripe: Provider) -> None:
    """No header, credential, interceptor or plugin of one client touches the other's calls."""
    correlation_id = new_id()
    assert service.call("POST", "/users/octocat/sync", correlation_id).status_code == 200
    assert service.call("GET", "/customers/cus_1/balance", correlation_id).status_code == 200
    (of_github,) = github.recorded(correlation_id)
    of_stripe, _ = stripe.recorded(correlation_id)
    assert sent(of_github, "Stripe-Version") == []
    assert sent(of_stripe, "Stripe-Version") == ["2024-06-20"]
    assert sent(of_stripe, "Accept") != sent(of_github, "Accept")
    assert sent(of_stripe, "User-Agent") != sent(of_github, "User-Agent")
    assert GITHUB_TOKEN not in stripe.everything()
    assert STRIPE_KEY not in github.everything()
    service.process.expect(rf"github_client \[{correlation_id}\]")
    plugin_lines = [line for line in service.process.lines if " github_client " in line]
    assert not [line for line in plugin_lines if "Stripe" in line]


def test_a_missing_setting_ends_the_start(workplace: Path, environment: dict[str, str]) -> None:
    """The service does not start without its token, and says which variable to set."""
    env = {name: value for name, value in environment.items() if name != "GITHUB_TOKEN"}
    with starting(workplace, env) as process:
        process.expect("ConfigurationError.*GITHUB_TOKEN")
        assert process.popen.wait(PATIENCE) != 0


def test_the_service_starts_from_a_file(tmp_path: Path, github: Provider) -> None:
    """As the README says: `.env.example`, copied and filled in, serves the service and both clients."""
    example = (EXAMPLE.parent / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(f"{example}GITHUB_BASE_URL={github.url}\n", encoding="utf-8")
    with serving(tmp_path, {}) as service:
        assert service.call("POST", "/users/octocat/sync", correlation_id := new_id()).status_code == 200
    assert [sent(request, "Authorization") for request in github.recorded(correlation_id)] == [["Bearer ghp_..."]]


def test_the_service_ends_cleanly_and_prints_no_secret(workplace: Path, environment: dict[str, str]) -> None:
    """Both clients were used, for better and for worse; at the end, every connection is closed."""
    correlation_id = new_id()
    with serving(workplace, environment) as service:
        for method, path in (("POST", "/users/{}/sync"), ("GET", "/customers/{}/balance")):
            for name, status in (("octocat", 200), ("broken", 502)):
                assert service.call(method, path.format(name), correlation_id).status_code == status
    printed = "\n".join(service.process.lines)
    assert service.process.popen.returncode == 0, printed
    assert "Application shutdown complete" in printed
    assert "ResourceWarning" not in printed
    assert GITHUB_TOKEN not in printed
    assert STRIPE_KEY not in printed


def test_the_page_quotes_the_files_as_they_are() -> None:
    """Each paragraph of a titled block of `docs/production.md` stands, word for word, in the file of that title."""
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    quotes = re.findall(r'^```python title="src/([^"]+)"\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    paragraphs = [(name, part) for name, text in quotes for part in re.split(r"\n{2,}", text.strip("\n"))]
    assert {name for name, _ in paragraphs} >= {
        "app.py",
        "core/config.py",
        "clients/github.py",
        "services/user_sync.py",
    }
    sources = {name: (EXAMPLE / name).read_text(encoding="utf-8") for name, _ in paragraphs}
    assert [(name, part) for name, part in paragraphs if f"\n{part}\n" not in sources[name]] == []
