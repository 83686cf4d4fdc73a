"""`OpenTelemetryPlugin`: the span of a call, by OpenTelemetry's semantic conventions for HTTP clients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    ConfigurationError,
    FixedDelay,
    LinkPages,
    Pages,
    Request,
    Resource,
    Response,
    Retry,
    Stream,
    get,
    post,
    route,
)
from stubwire.plugins import OpenTelemetryPlugin
from telemetry import Telemetry

MakeApi = Callable[..., Api]


class Files(Resource, path="/repos/{repo}"):
    @get("/files/<path:name>?raw=1&token=x")
    def fetch(self, repo: str, name: str) -> int:
        raise NotImplementedError

    @get("/call")
    def call(self, repo: str) -> int:
        raise NotImplementedError


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))
    files: Files

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, token: str | None = None) -> int:
        raise NotImplementedError

    @get("/people/<name>", none_on={404})
    def person(self, name: str) -> int | None:
        raise NotImplementedError

    @post("/repos")
    def create(self, *, name: str) -> int:
        raise NotImplementedError

    @route("PURGE", "/cache")
    def purge(self) -> int:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def paged(self) -> Pages[int]:
        raise NotImplementedError

    @get("/bytes")
    def stream(self) -> Stream[bytes]:
        raise NotImplementedError


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def client(telemetry: Telemetry, api: Api, **options: Any) -> GitHub:
    return GitHub(transport=api.transport, plugins=[telemetry.plugin], **options)


def test_a_call_is_a_client_span(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    assert colour.run(client(telemetry, api(Reply(json=1))).user_repos, "octocat") == 1
    span = telemetry.span
    assert (span.name, span.kind) == ("GET /users/{username}/repos", SpanKind.CLIENT)
    assert telemetry.attributes() == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "server.address": "api.github.com",
        "server.port": 443,
        "url.full": "https://api.github.com/users/octocat/repos",
        "url.scheme": "https",
        "url.template": "/users/{username}/repos",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.events == ()
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.schema_url) == ("stubwire", "https://opentelemetry.io/schemas/1.44.0")


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("http://localhost:8080/v1", "localhost", 8080),
        ("http://api.test", "api.test", 80),
        ("https://[::1]:444", "::1", 444),
    ],
)
def test_the_server_is_that_of_the_url(api: MakeApi, telemetry: Telemetry, url: str, address: str, port: int) -> None:
    client(telemetry, api(Reply(json=1)), base_url=url).user_repos("octocat")
    found = telemetry.attributes()
    assert (found["server.address"], found["server.port"]) == (address, port)
    assert found["url.full"] == f"{url}/users/octocat/repos"


def test_a_template_is_that_of_openapi(api: MakeApi, telemetry: Telemetry) -> None:
    """With the prefixes of resources, and a query of its own, redacted."""
    client(telemetry, api(Reply(json=1))).files.fetch("stubwire", "a/b")
    assert telemetry.span.name == "GET /repos/{repo}/files/{name}?raw=1&token=[redacted]"


def test_a_call_without_a_stub_has_no_template(api: MakeApi, telemetry: Telemetry) -> None:
    """Its path may hold values, of which a name must have few."""
    github = client(telemetry, api(Reply(json=1)))
    github.call("GET", "/users/octocat")
    github.files.call("stubwire")
    first, second = telemetry.spans
    assert (first.name, second.name) == ("GET", "GET /repos/{repo}/call")
    assert "url.template" not in (first.attributes or {})
    assert (first.attributes or {})["url.full"] == "https://api.github.com/users/octocat"


def test_a_url_is_redacted(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    github = client(telemetry, api(Reply(json=1)), query={"page": 2})
    colour.run(github.user_repos, "octocat", token="s3cret")
    shown = telemetry.attributes()["url.full"]
    assert shown == "https://api.github.com/users/octocat/repos?page=2&token=[redacted]"


def test_a_method_that_nobody_knows_is_another(api: MakeApi, telemetry: Telemetry) -> None:
    client(telemetry, api(Reply(json=1))).purge()
    found = telemetry.attributes()
    assert telemetry.span.name == "HTTP /cache"
    assert (found["http.request.method"], found["http.request.method_original"]) == ("_OTHER", "PURGE")


def test_the_application_says_which_methods_it_knows(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET,PURGE")
    telemetry = Telemetry()
    github = client(telemetry, api(Reply(json=1)))
    github.purge()
    github.create(name="x")
    assert [span.name for span in telemetry.spans] == ["PURGE /cache", "HTTP /repos"]


def test_a_status_that_raises_is_an_error(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    with pytest.raises(CallError):
        colour.run(client(telemetry, api(Reply(404))).user_repos, "octocat")
    found = telemetry.attributes()
    assert (found["http.response.status_code"], found["error.type"]) == (404, "404")
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.status.description is None


def test_a_status_that_means_none_is_no_error(api: MakeApi, telemetry: Telemetry) -> None:
    assert client(telemetry, api(Reply(404))).person("nobody") is None
    assert telemetry.attributes()["http.response.status_code"] == 404
    assert "error.type" not in telemetry.attributes()
    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_a_failure_is_named_and_not_told(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    """What an exception says may hold anything: the span has its class."""
    with pytest.raises(CallError):
        colour.run(client(telemetry, api(Fail("ConnectError", "s3cret")), retry=None).user_repos, "octocat")
    assert telemetry.attributes()["error.type"] == "stubwire.errors.ConnectError"
    assert "http.response.status_code" not in telemetry.attributes()
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.events == ()
    assert "s3cret" not in telemetry.shown()


def test_a_bug_of_a_middleware_is_an_error_too(api: MakeApi, telemetry: Telemetry) -> None:
    async def broken(request: Request, call_next: CallNext) -> Response:
        raise ZeroDivisionError("s3cret")

    with pytest.raises(ZeroDivisionError):
        client(telemetry, api(Reply(json=1))).use(broken).user_repos("octocat")
    assert telemetry.attributes()["error.type"] == "ZeroDivisionError"
    assert "s3cret" not in telemetry.shown()


def test_an_answer_of_a_middleware_is_one(api: MakeApi, telemetry: Telemetry) -> None:
    """Nothing was sent, so there is no protocol."""

    async def answers(request: Request, call_next: CallNext) -> Response:
        return Response(200, json=2)

    assert client(telemetry, api(Reply(json=1))).use(answers).user_repos("octocat") == 2
    assert telemetry.attributes()["http.response.status_code"] == 200
    assert "network.protocol.version" not in telemetry.attributes()


def test_a_request_that_leads_nowhere_has_no_server(api: MakeApi, telemetry: Telemetry) -> None:
    async def nowhere(request: Request, call_next: CallNext) -> Response:
        return await call_next(request.replace(url="nowhere"))

    with pytest.raises(CallError):
        client(telemetry, api(Fail("UnsupportedProtocol")), middleware=[nowhere]).user_repos("octocat")
    assert {"server.address", "server.port", "url.scheme"} & set(telemetry.attributes()) == set()


def test_a_retry_is_an_event(api: MakeApi, colour: Colour, clock: Clock, telemetry: Telemetry) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(0.5)
        return Reply(503)

    colour.run(client(telemetry, api(slow, Fail("ReadTimeout"), Reply(json=1))).user_repos, "octocat")
    assert telemetry.attributes()["http.request.resend_count"] == 2
    assert "error.type" not in telemetry.attributes()
    first, second = telemetry.span.events
    assert (first.name, second.name) == ("stubwire.retry", "stubwire.retry")
    assert dict(first.attributes or {}) == {
        "http.request.resend_count": 1,
        "http.response.status_code": 503,
        "stubwire.retry.wait": 2.0,
    }
    assert dict(second.attributes or {}) == {
        "error.type": "ReadTimeout",
        "http.request.resend_count": 2,
        "stubwire.retry.wait": 2.0,
    }
    assert (first.timestamp, second.timestamp) == (1_700_000_000_500_000_000, 1_700_000_002_500_000_000)


def test_the_attempts_that_failed_are_counted(api: MakeApi, clock: Clock, telemetry: Telemetry) -> None:
    with pytest.raises(CallError):
        client(telemetry, api(Reply(503))).user_repos("octocat")
    assert telemetry.attributes()["http.request.resend_count"] == 2
    assert telemetry.attributes()["error.type"] == "503"
    assert len(telemetry.span.events) == 2


def test_an_attempt_that_is_interrupted_is_counted(api: MakeApi, clock: Clock, telemetry: Telemetry) -> None:
    async def interrupts(request: Request, call_next: CallNext) -> Response:
        if request.attempt == 2:
            raise KeyboardInterrupt
        return await call_next(request)

    github = client(telemetry, api(Reply(503))).use(interrupts, per="attempt")
    with pytest.raises(KeyboardInterrupt):
        github.user_repos("octocat")
    assert telemetry.attributes()["http.request.resend_count"] == 1
    assert telemetry.attributes()["error.type"] == "KeyboardInterrupt"


def test_a_page_is_a_span(api: MakeApi, telemetry: Telemetry) -> None:
    link = {"Link": '<https://api.github.com/pages?page=2>; rel="next"'}
    pages = client(telemetry, api(Reply(json=[1], headers=link), Reply(json=[2]))).paged()
    assert telemetry.spans == []
    assert list(pages) == [1, 2]
    assert [span.name for span in telemetry.spans] == ["GET /pages", "GET /pages"]


def test_a_stream_is_a_span_until_its_headers_came(api: MakeApi, telemetry: Telemetry) -> None:
    with client(telemetry, api(Reply(content=b"abc"))).stream() as stream:
        assert telemetry.attributes()["http.response.status_code"] == 200
        assert b"".join(stream) == b"abc"
    assert len(telemetry.spans) == 1


def test_a_span_that_is_not_sampled_costs_no_attributes(api: MakeApi, clock: Clock) -> None:
    """It is measured all the same."""
    telemetry = Telemetry(ALWAYS_OFF)
    assert client(telemetry, api(Reply(503), Reply(json=1))).user_repos("octocat") == 1
    assert telemetry.spans == []
    assert telemetry.point("http.client.request.duration").count == 1


def test_without_an_sdk_nothing_is_made(api: MakeApi, colour: Colour) -> None:
    """The application decides whether anything is exported; its providers may be set after the class was defined."""
    made = api(Reply(json=1))
    assert colour.run(GitHub(transport=made.transport, plugins=[OpenTelemetryPlugin()]).user_repos, "octocat") == 1
    assert "traceparent" not in made.request.headers


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError) as caught:
        OpenTelemetryPlugin()
    assert str(caught.value) == (
        "OpenTelemetryPlugin needs the package opentelemetry-api: pip install 'stubwire[opentelemetry]'"
    )


def test_it_is_imported_when_a_plugin_is_made() -> None:
    code = (
        "import sys, stubwire.plugins as p\n"
        "assert 'opentelemetry' not in sys.modules\n"
        "p.OpenTelemetryPlugin()\n"
        "assert 'opentelemetry' in sys.modules and 'opentelemetry.sdk' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        ((3, None), "OpenTelemetryPlugin tracer_provider must be a TracerProvider, not int"),
        ((None, TracerProvider()), "OpenTelemetryPlugin meter_provider must be a MeterProvider, not TracerProvider"),
    ],
)
def test_what_is_no_provider_is_refused(providers: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OpenTelemetryPlugin(*providers)
    assert str(caught.value) == message
