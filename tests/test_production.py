"""The production guide, `examples/production`, as real processes: the service, GitHub and Stripe, over real HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from production_providers import Recorded

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "production" / "src"
PROVIDERS = Path(__file__).with_name("production_providers.py")
UVICORN = ["-m", "uvicorn", "--factory", "app:create_app", "--app-dir", str(EXAMPLE)]
LOOPBACK = ["--host", "127.0.0.1", "--port", "0", "--timeout-graceful-shutdown", "5"]
HEADER = "X-Correlation-ID"
PATIENCE = 30.0
TUNED = {"TIMEOUT": "0.3", "MAX_RETRIES": "0"}
GITHUB_TOKEN = "ghp_secret_of_github"
STRIPE_KEY = "sk_secret_of_stripe"


class Process:
    """A Python process of ours, and every line that it printed."""

    def __init__(self, *command: str, cwd: Path, env: Mapping[str, str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, *command],
            cwd=cwd,
            env={**clean_environment(), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.input, self.output = self.popen.stdin, self.popen.stdout
        self.lines: list[str] = []
        self.ended = False
        self.printed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.output:
            with self.printed:
                self.lines.append(line.rstrip())
                self.printed.notify_all()
        with self.printed:
            self.ended = True
            self.printed.notify_all()

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until a line matches, and give the match; fail when the process ends or takes too long without one."""
        found: re.Match[str] | None = None

        def appeared() -> bool:
            nonlocal found
            found = next((match for line in self.lines if (match := re.search(pattern, line))), None)
            return found is not None or self.ended

        with self.printed:
            self.printed.wait_for(appeared, timeout=PATIENCE)
        assert found is not None, "\n".join([f"no line matches {pattern!r} in:", *self.lines])
        return found

    def stop(self) -> None:
        """End the process and collect its last lines; one that does not end when asked is killed, and fails the run."""
        self.input.close()
        self.popen.terminate()
        try:
            self.popen.wait(PATIENCE)
        finally:
            self.popen.kill()
            self.popen.wait()
            self.reader.join()
            self.output.close()


def clean_environment() -> dict[str, str]:
    """The environment of the test run, without a proxy and without settings of the service."""
    unwanted = re.compile(r"(?i)(GITHUB|STRIPE|SERVICE)_|.*_proxy$")
    kept = {name: value for name, value in os.environ.items() if not unwanted.match(name)}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "always::ResourceWarning"}


@contextmanager
def running(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> Generator[Process]:
    process = Process(*command, cwd=cwd, env=env or {})
    try:
        yield process
    finally:
        process.stop()


class Provider(NamedTuple):
    """A running provider."""

    url: str

    def recorded(self, correlation_id: str) -> list[Recorded]:
        """The requests that arrived with this correlation id, and with no other beside it."""
        arrived = cast("list[Recorded]", fetch("GET", f"{self.url}/_recorded").json())
        return [request for request in arrived if sent(request, HEADER) == [correlation_id]]

    def everything(self) -> str:
        """All that ever arrived, as text."""
        return fetch("GET", f"{self.url}/_recorded").text


class Service(NamedTuple):
    """A running service."""

    url: str
    process: Process

    def call(self, method: str, path: str, correlation_id: str) -> httpx.Response:
        return fetch(method, self.url + path, {HEADER: correlation_id})


def fetch(method: str, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.request(method, url, headers=headers, timeout=PATIENCE, trust_env=False)


def sent(request: Recorded, header: str) -> list[str]:
    """Every value of a header, so that one sent twice is seen."""
    return [value for name, value in request["headers"] if name == header.lower()]


def new_id() -> str:
    return f"test-{uuid4().hex}"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory to run in, so that no `.env` file is read."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def github(workplace: Path) -> Iterator[Provider]:
    with running(str(PROVIDERS), "github", cwd=workplace) as process:
        yield Provider(process.expect(r"listening on (\S+)")[1])


@pytest.fixture(scope="module")
def stripe(workplace: Path) -> Iterator[Provider]:
    with running(str(PROVIDERS), "stripe", cwd=workplace) as process:
        yield Provider(process.expect(r"listening on (\S+)")[1])


@pytest.fixture(scope="module")
def environment(github: Provider, stripe: Provider) -> dict[str, str]:
    return {
        "GITHUB_BASE_URL": github.url,
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "STRIPE_BASE_URL": stripe.url,
        "STRIPE_API_KEY": STRIPE_KEY,
    }


@contextmanager
def serving(workplace: Path, env: Mapping[str, str]) -> Generator[Service]:
    """Run the service; it ends cleanly: the lifespan ran to its end, no socket was left open, no secret was printed."""
    with running(*UVICORN, *LOOPBACK, cwd=workplace, env=env) as process:
        yield Service(process.expect(r"Uvicorn running on (http://\S+)")[1], process)
    printed = "\n".join(process.lines)
    assert "Application shutdown complete" in printed
    assert "ResourceWarning" not in printed
    assert GITHUB_TOKEN not in printed
    assert STRIPE_KEY not in printed


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
    with running(*UVICORN, *LOOPBACK, cwd=workplace, env=env) as process:
        process.expect("ConfigurationError.*GITHUB_TOKEN")
        assert process.popen.wait(PATIENCE) != 0


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
