"""`OpenTelemetryPlugin`: how long calls take, and how many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import ApiClient, CallError, FixedDelay, Retry, get
from telemetry import Telemetry

MakeApi = Callable[..., Api]
DURATION = "http.client.request.duration"
ACTIVE = "http.client.active_requests"
KNOWN = {
    "http.request.method": "GET",
    "server.address": "api.github.com",
    "server.port": 443,
    "url.scheme": "https",
    "url.template": "/users/{name}",
}


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))

    @get("/users/<name>")
    def user(self, name: str) -> int:
        raise NotImplementedError


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def test_a_call_is_measured_with_its_retries(api: MakeApi, colour: Colour, clock: Clock, telemetry: Telemetry) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(0.25)
        return Reply(json=1)

    github = GitHub(transport=api(Reply(503), slow).transport, plugins=[telemetry.plugin])
    colour.run(github.user, "octocat")
    colour.run(github.user, "hubot")
    point = telemetry.point(DURATION)
    assert (point.count, point.sum, point.min) == (2, 2.5, 0.25)
    assert dict(point.attributes) == {**KNOWN, "http.response.status_code": 200, "network.protocol.version": "1.1"}
    assert tuple(point.explicit_bounds) == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    )


def test_failures_are_measured_apart(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    answers = (Reply(404), Fail("ConnectError"))
    github = GitHub(transport=api(*answers).transport, plugins=[telemetry.plugin], retry=None)
    for _ in answers:
        with pytest.raises(CallError):
            colour.run(github.user, "octocat")
    assert {point.attributes["error.type"] for point in telemetry.points(DURATION)} == {
        "404",
        "stubwire.errors.ConnectError",
    }


def test_a_call_is_active_while_it_runs(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    seen: list[Any] = []

    def look(_: Any) -> Reply:
        seen.append(telemetry.point(ACTIVE).value)
        return Reply(json=1)

    colour.run(GitHub(transport=api(look).transport, plugins=[telemetry.plugin]).user, "octocat")
    point = telemetry.point(ACTIVE)
    assert (seen, point.value, dict(point.attributes)) == ([1], 0, KNOWN)


def test_a_call_that_failed_is_active_no_more(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    github = GitHub(transport=api(Fail("ConnectError")).transport, plugins=[telemetry.plugin], retry=None)
    with pytest.raises(CallError):
        colour.run(github.user, "octocat")
    assert telemetry.point(ACTIVE).value == 0
