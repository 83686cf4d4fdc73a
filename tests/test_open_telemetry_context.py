"""`OpenTelemetryPlugin`: which span is the current one, and who is told of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.propagators.textmap import CarrierT, Setter, TextMapPropagator, default_setter

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallNext,
    CancelError,
    CancelToken,
    DeadlineExceeded,
    FixedDelay,
    Plugin,
    Request,
    Response,
    Retry,
    get,
    sleep,
)
from stubwire.plugins import LoggerPlugin
from telemetry import Telemetry

MakeApi = Callable[..., Api]
NAME = "stubwire_open_telemetry"


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))

    @get("/users/<name>")
    def user(self, name: str) -> int:
        raise NotImplementedError


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def current() -> int:
    return trace.get_current_span().get_span_context().span_id


def test_the_span_is_the_current_one_during_the_call(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    seen: list[int] = []

    def look(_: Any) -> Reply:
        seen.append(current())
        return Reply(json=1)

    async def middleware(request: Request, call_next: CallNext) -> Response:
        seen.append(current())
        return await call_next(request)

    github = GitHub(transport=api(look).transport, plugins=[telemetry.plugin]).use(middleware)
    with telemetry.tracers.get_tracer("test").start_as_current_span("outer") as outer:
        before = current()
        colour.run(github.user, "octocat")
        assert current() == before
    assert current() == 0
    span, _ = telemetry.spans
    assert span.context is not None
    assert seen == [span.context.span_id] * 2
    assert span.parent == outer.get_span_context()


def test_tasks_have_parents_of_their_own(api: MakeApi, telemetry: Telemetry) -> None:
    github = GitHub(transport=api(Reply(json=1)).transport, plugins=[telemetry.plugin])
    tracer = telemetry.tracers.get_tracer("test")

    async def one(name: str) -> None:
        with tracer.start_as_current_span(name):
            await asyncio.sleep(0)
            await github.user.aio(name)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(one(str(number)) for number in range(5)))

    asyncio.run(main())
    outer = {span.context.span_id: span.name for span in telemetry.spans if span.parent is None and span.context}
    inner = [span for span in telemetry.spans if span.parent is not None]
    assert sorted(outer.values()) == list("01234")
    for span in inner:
        assert span.parent is not None
        assert (span.attributes or {})["url.full"] == f"https://api.github.com/users/{outer[span.parent.span_id]}"


async def stay(request: Request, call_next: CallNext) -> Response:
    """A middleware that waits for ever."""
    await sleep(3600)
    return await call_next(request)


def test_a_deadline_ends_the_span(api: MakeApi, colour: Colour, clock: Clock, telemetry: Telemetry) -> None:
    async def slow(request: Request, call_next: CallNext) -> Response:
        clock.advance(2.0)
        if colour.name != "sync":
            await anyio.sleep_forever()
        return await call_next(request)

    github = GitHub(transport=api(Reply(json=1)).transport, plugins=[telemetry.plugin], deadline=0.01).use(slow)
    with pytest.raises(DeadlineExceeded):
        colour.run(github.user, "octocat")
    assert telemetry.attributes()["error.type"] == "stubwire.errors.DeadlineExceeded"
    assert telemetry.point("http.client.active_requests").value == 0


def test_a_token_ends_the_span(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    token = CancelToken()

    async def cancels(request: Request, call_next: CallNext) -> Response:
        token.cancel("enough")
        return await stay(request, call_next)

    github = GitHub(transport=api(Reply(json=1)).transport, plugins=[telemetry.plugin]).use(cancels)
    with pytest.raises(CancelError):
        colour.run(github.user.with_options(cancel=token), "octocat")
    assert telemetry.attributes()["error.type"] == "stubwire.errors.CancelError"
    assert current() == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_a_task_ends_the_span(
    api: MakeApi, telemetry: Telemetry, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And the span around it is the current one again."""
    seen: list[bool] = []

    async def main() -> None:
        github = GitHub(transport=api(Reply(json=1)).transport, plugins=[telemetry.plugin])
        with telemetry.tracers.get_tracer("test").start_as_current_span("outer"):
            before = current()
            with anyio.CancelScope() as scope:

                async def cancels(request: Request, call_next: CallNext) -> Response:
                    scope.cancel()
                    await anyio.sleep_forever()
                    return await call_next(request)

                await github.use(cancels).user.aio("octocat")
            seen.append(current() == before)

    anyio.run(main, backend=backend)
    assert seen == [True]
    span, _ = telemetry.spans
    error = (span.attributes or {})["error.type"]
    assert error == {"asyncio": "asyncio.exceptions.CancelledError", "trio": "trio.Cancelled"}[backend]
    assert [record for record in caplog.records if "context" in record.getMessage()] == []


# ---- propagation


def test_the_server_is_told_of_the_span(api: MakeApi, colour: Colour, clock: Clock, telemetry: Telemetry) -> None:
    """The same in every attempt, because they are one span."""
    made = api(Reply(503), Fail("ReadTimeout"), Reply(json=1))
    colour.run(GitHub(transport=made.transport, plugins=[telemetry.plugin]).user, "octocat")
    found = telemetry.span.context
    assert found is not None
    told = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
    assert [request.headers["traceparent"] for request in made.requests] == [told] * 3


@pytest.fixture
def with_baggage() -> Iterator[None]:
    token = context.attach(baggage.set_baggage("tenant", "s3cret"))
    yield
    context.detach(token)


@pytest.mark.usefixtures("with_baggage")
def test_baggage_goes_to_the_api(api: MakeApi, telemetry: Telemetry) -> None:
    made = api(Reply(json=1))
    GitHub(transport=made.transport, plugins=[telemetry.plugin]).user("octocat")
    assert made.request.headers["baggage"] == "tenant=s3cret"


@pytest.mark.usefixtures("with_baggage")
def test_another_origin_is_told_nothing(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    made = api(Reply(json=1))
    github = GitHub(transport=made.transport, plugins=[telemetry.plugin])
    if colour.name == "sync":
        github.call("GET", "https://elsewhere.test/a")
    else:
        colour.drive(github.acall, "GET", "https://elsewhere.test/a")
    assert {"traceparent", "baggage"} & set(made.request.headers) == set()
    assert telemetry.attributes()["server.address"] == "elsewhere.test"


@pytest.mark.usefixtures("with_baggage")
def test_another_origin_is_told_nothing_after_a_redirect(api: MakeApi, colour: Colour, telemetry: Telemetry) -> None:
    made = api(Reply(302, headers={"location": "https://elsewhere.test/a"}), Reply(json=1))
    github = GitHub(transport=made.transport, plugins=[telemetry.plugin], follow_redirects=True)
    assert colour.run(github.user, "octocat") == 1
    first, second = made.requests
    assert {"traceparent", "baggage"} <= set(first.headers)
    assert {"traceparent", "baggage"} & set(second.headers) == set()


def test_an_origin_that_credentials_go_to_is_told(api: MakeApi, telemetry: Telemetry) -> None:
    made = api(Reply(json=1))
    github = GitHub(transport=made.transport, plugins=[telemetry.plugin], auth_origins=["https://uploads.test"])
    github.call("GET", "https://uploads.test/a")
    assert "traceparent" in made.request.headers


class Split(TextMapPropagator):
    """A propagator that writes what no header can have."""

    @property
    def fields(self) -> set[str]:
        return {"x-trace"}

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        raise NotImplementedError

    def inject(self, carrier: CarrierT, context: Any = None, setter: Setter[CarrierT] = default_setter) -> None:
        setter.set(carrier, "x-trace", "a\r\nX-Other: b")
        setter.set(carrier, "x-good", "c")


@pytest.fixture
def split() -> Iterator[None]:
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(Split())
    yield
    propagate.set_global_textmap(before)


@pytest.mark.usefixtures("split")
def test_what_no_header_can_have_is_not_sent(api: MakeApi, telemetry: Telemetry) -> None:
    made = api(Reply(json=1))
    assert GitHub(transport=made.transport, plugins=[telemetry.plugin]).user("octocat") == 1
    assert made.request.headers["x-good"] == "c"
    assert {"x-trace", "x-other"} & set(made.request.headers) == set()


# ---- logs


def test_a_line_is_logged_within_the_span(
    api: MakeApi, colour: Colour, clock: Clock, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """So what puts a trace's id on records puts it on these, if the logger is installed after."""
    seen: list[int] = []

    class Correlate(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            seen.append(current())
            return True

    logger, correlate = logging.getLogger(NAME), Correlate()
    caplog.set_level(logging.INFO, NAME)
    logger.addFilter(correlate)
    try:
        plugins: list[Plugin] = [telemetry.plugin, LoggerPlugin(logger)]
        colour.run(GitHub(transport=api(Reply(503), Reply(json=1)).transport, plugins=plugins).user, "octocat")
    finally:
        logger.removeFilter(correlate)
    found = telemetry.span.context
    assert found is not None
    assert seen == [found.span_id] * 2
