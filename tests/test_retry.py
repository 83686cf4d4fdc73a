"""Retries, rule by rule: which outcome is tried again, for which request, and how often."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    FixedDelay,
    HTTPStatusError,
    Outcome,
    Request,
    Response,
    Retry,
    delete,
    get,
    head,
    options,
    patch,
    post,
    put,
    route,
)

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/thing")
    def get_(self) -> int:
        raise NotImplementedError

    @head("/thing")
    def head_(self) -> None:
        raise NotImplementedError

    @options("/thing")
    def options_(self) -> int:
        raise NotImplementedError

    @put("/thing")
    def put_(self) -> int:
        raise NotImplementedError

    @delete("/thing")
    def delete_(self) -> int:
        raise NotImplementedError

    @route("TRACE", "/thing")
    def trace_(self) -> int:
        raise NotImplementedError

    @post("/thing")
    def post_(self, thing: dict[str, int] | None = None) -> int:
        raise NotImplementedError

    @patch("/thing")
    def patch_(self) -> int:
        raise NotImplementedError

    @post("/thing", idempotency_key=True)
    def keyed(self, thing: dict[str, int] | None = None) -> int:
        raise NotImplementedError

    @post("/thing", idempotency_key="X-Request-Key")
    def keyed_by_name(self) -> int:
        raise NotImplementedError

    @get("/thing", retry=None)
    def once(self) -> int:
        raise NotImplementedError


IDEMPOTENT = ["get_", "head_", "options_", "put_", "delete_", "trace_", "keyed", "keyed_by_name"]
OTHERS = ["post_", "patch_"]
ANY = [*IDEMPOTENT, *OTHERS]


def requests_made(api: MakeApi, endpoint: str, answer: Reply | Fail, colour: str = "sync") -> int:
    """How many requests a call makes if it is always answered so."""
    server = api(answer)
    with pytest.raises(CallError) as caught:
        Colour(colour).run(getattr(Things(transport=server.transport), endpoint))
    assert len(caught.value.attempts) == len(server.requests)
    return len(server.requests)


@pytest.mark.parametrize("endpoint", ANY)
@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_a_status_that_says_it_did_not_act_is_retried_for_any_method(
    api: MakeApi, clock: Clock, status: int, endpoint: str
) -> None:
    assert requests_made(api, endpoint, Reply(status)) == 3


@pytest.mark.parametrize("endpoint", ANY)
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_status_of_unknown_outcome_is_retried_where_that_is_safe(
    api: MakeApi, clock: Clock, status: int, endpoint: str
) -> None:
    assert requests_made(api, endpoint, Reply(status)) == (3 if endpoint in IDEMPOTENT else 1)


@pytest.mark.parametrize("status", [300, 302, 304, 400, 401, 403, 404, 409, 418, 422, 501, 505, 599])
@pytest.mark.parametrize("endpoint", ["get_", "keyed"])
def test_any_other_status_is_not_retried(api: MakeApi, clock: Clock, status: int, endpoint: str) -> None:
    assert requests_made(api, endpoint, Reply(status)) == 1


@pytest.mark.parametrize("endpoint", ANY)
@pytest.mark.parametrize("failure", ["ConnectError", "ConnectTimeout", "PoolTimeout"])
def test_what_was_never_sent_is_retried_for_any_method(api: MakeApi, clock: Clock, failure: str, endpoint: str) -> None:
    assert requests_made(api, endpoint, Fail(failure)) == 3


@pytest.mark.parametrize("endpoint", ANY)
@pytest.mark.parametrize(
    "failure", ["ReadError", "WriteError", "CloseError", "ReadTimeout", "WriteTimeout", "RemoteProtocolError"]
)
def test_an_unknown_outcome_is_retried_where_that_is_safe(
    api: MakeApi, clock: Clock, failure: str, endpoint: str
) -> None:
    assert requests_made(api, endpoint, Fail(failure)) == (3 if endpoint in IDEMPOTENT else 1)


@pytest.mark.parametrize("endpoint", ["get_", "post_", "keyed"])
@pytest.mark.parametrize(
    "failure", ["LocalProtocolError", "InvalidURL", "UnsupportedProtocol", "ProxyError", "TooManyRedirects"]
)
def test_our_own_fault_is_never_retried(api: MakeApi, clock: Clock, failure: str, endpoint: str) -> None:
    assert requests_made(api, endpoint, Fail(failure)) == 1


def test_a_body_that_cannot_be_decoded_is_not_retried(api: MakeApi, clock: Clock) -> None:
    assert requests_made(api, "get_", Reply(200, content=b"<html>")) == 1


@pytest.mark.parametrize("endpoint", ["get_", "post_"])
@pytest.mark.parametrize(("status", "said", "count"), [(404, "true", 3), (500, "TRUE", 3), (503, "false", 1)])
def test_x_should_retry_wins(  # noqa: PLR0917 - one row of a table
    api: MakeApi, clock: Clock, status: int, said: str, count: int, endpoint: str
) -> None:
    assert requests_made(api, endpoint, Reply(status, headers={"X-Should-Retry": said})) == count


def test_any_other_x_should_retry_says_nothing(api: MakeApi, clock: Clock) -> None:
    assert requests_made(api, "get_", Reply(404, headers={"X-Should-Retry": "1"})) == 1
    assert requests_made(api, "get_", Reply(503, headers={"X-Should-Retry": ""})) == 3


@pytest.mark.parametrize(("retry", "count"), [(None, 1), (Retry(max_retries=0), 1), (Retry(max_retries=5), 6)])
def test_max_retries_counts_attempts_after_the_first_and_none_turns_it_off(
    api: MakeApi, colour: Colour, clock: Clock, retry: Retry | None, count: int
) -> None:
    server = api(Reply(503))
    client = Things(transport=server.transport, retry=retry)
    with pytest.raises(HTTPStatusError) as caught:
        colour.run(client.get_)
    assert len(server.requests) == count
    assert len(clock.waits) == count - 1
    assert getattr(caught.value, "__notes__", []) == (
        [f"not retried: max_retries={count - 1} is used up"] if retry else []
    )


def test_an_endpoint_or_a_view_can_turn_it_off(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(503))
    client = Things(transport=server.transport)
    for endpoint in (client.once, client.get_.with_options(retry=None), client.with_options(retry=None).get_):
        server.requests.clear()
        with pytest.raises(HTTPStatusError):
            endpoint()
        assert len(server.requests) == 1


def test_a_later_success_is_the_result(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """Its attempts are on the response: when each began, how long it took, what came, and what was waited."""
    server = api(Reply(503), Fail("ReadTimeout"), Reply(json=5))
    client = Things(transport=server.transport, retry=Retry(backoff=FixedDelay(2.0)))
    response = colour.response(client.get_)
    assert response.data == 5
    assert clock.waits == [2.0, 2.0]
    assert response.elapsed == pytest.approx(4.0)
    assert [(a.number, a.started, a.elapsed, a.status_code, a.error, a.wait) for a in response.attempts] == [
        (1, 0.0, 0.0, 503, None, 2.0),
        (2, 2.0, 0.0, None, "ReadTimeout", 2.0),
        (3, 4.0, 0.0, 200, None, None),
    ]


def test_each_attempt_sends_the_same_bytes(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503), Fail("ReadError"), Reply(json=1))
    thing = {"id": 1}

    async def grow(request: Request, call_next: CallNext) -> Response:
        thing["id"] += 1  # the body was encoded when the call was bound
        request.headers[f"X-Attempt-{request.attempt}"] = "1"
        return await call_next(request)

    client = Things(transport=server.transport).use(grow, per="attempt")
    colour.run(client.keyed, thing)
    assert [request.content for request in server.requests] == [b'{"id":1}'] * 3
    assert [sorted(name for name in r.headers if "attempt" in name) for r in server.requests] == [
        ["x-attempt-1"],
        ["x-attempt-2"],
        ["x-attempt-3"],
    ]


# ---- the predicate, and calling on twice


@pytest.mark.parametrize(
    ("verdict", "status", "count"), [(True, 404, 3), (False, 503, 1), (None, 503, 3), (None, 404, 1)]
)
def test_a_predicate_decides_or_falls_back_to_the_table(
    api: MakeApi, clock: Clock, verdict: bool | None, status: int, count: int
) -> None:
    server, seen = api(Reply(status)), list[Outcome]()

    def when(outcome: Outcome) -> bool | None:
        seen.append(outcome)
        return verdict

    client = Things(transport=server.transport, retry=Retry(when=when))
    with pytest.raises(HTTPStatusError) as caught:
        client.get_()
    assert len(server.requests) == count
    first = seen[0]
    assert (first.number, first.elapsed, first.error, first.idempotent) == (1, 0.0, None, True)
    assert first.response is not None
    assert (first.response.status_code, first.request.method) == (status, "GET")
    assert (getattr(caught.value, "__notes__", []) == ["not retried: the `when` predicate says so"]) == (
        verdict is False
    )


def test_a_predicate_sees_failures(api: MakeApi, clock: Clock) -> None:
    server = api(Fail("ReadTimeout"), Fail("LocalProtocolError"), Reply(json=1))
    client = Things(transport=server.transport, retry=Retry(when=lambda outcome: outcome.error is not None))
    assert client.post_() == 1


def test_a_predicate_may_wait_for_a_success(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """It sees successes too: an answer of 202 may be asked for again until there is a result."""
    server = api(Reply(202), Reply(202), Reply(json=1))

    def accepted(outcome: Outcome) -> bool:
        return outcome.response is not None and outcome.response.status_code == 202

    poll = Retry(max_retries=5, when=accepted)
    response = colour.response(Things(transport=server.transport, retry=poll).get_)
    assert [attempt.status_code for attempt in response.attempts] == [202, 202, 200]


def test_a_bug_in_a_predicate_propagates_with_a_note(api: MakeApi, colour: Colour) -> None:
    def broken(outcome: Outcome) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        colour.run(Things(transport=api(Reply(503)).transport, retry=Retry(when=broken)).get_)
    assert caught.value.__notes__ == ["raised in the retry predicate 'broken'"]


def test_calling_on_twice_makes_two_loops_with_one_list_of_attempts(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Reply(503))
    seen: list[int] = []

    async def twice(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return await call_next(request)

    async def note(request: Request, call_next: CallNext) -> Response:
        seen.append(request.attempt)
        return await call_next(request)

    client = Things(transport=server.transport).use(twice).use(note, per="attempt")
    with pytest.raises(HTTPStatusError) as caught:
        colour.run(client.get_)
    assert len(server.requests) == 6
    assert [attempt.number for attempt in caught.value.attempts] == [1, 2, 3, 4, 5, 6]
    assert [attempt.wait is None for attempt in caught.value.attempts] == [False, False, True, False, False, True]
    assert seen == [1, 2, 3, 4, 5, 6]
    assert len(clock.waits) == 4


def test_a_retry_is_a_loop(api: MakeApi, clock: Clock) -> None:
    """The stack does not grow: a thousand attempts are no deeper than one."""
    depths: set[int] = set()

    async def measure(request: Request, call_next: CallNext) -> Response:
        frame, depth = sys._getframe(), 0
        while (frame := frame.f_back) is not None:  # type: ignore[assignment]
            depth += 1
        depths.add(depth)
        return await call_next(request)

    retry = Retry(max_retries=1000, backoff=FixedDelay(0))
    client = Things(transport=api(Reply(503)).transport, retry=retry).use(measure, per="attempt")
    with pytest.raises(HTTPStatusError):
        client.get_()
    assert len(depths) == 1


def test_tenacity_is_imported_after_the_first_failure_only() -> None:
    program = """
import sys, httpx, stubwire as sw
class Things(sw.ApiClient):
    base_url = "https://api.example"
    retry = sw.Retry(backoff=sw.FixedDelay(0))
    @sw.get("/thing")
    def thing(self) -> int:
        raise NotImplementedError
answers = [200, 503, 200]
things = Things(transport=httpx.MockTransport(lambda _: httpx.Response(answers.pop(0), content=b"1")))
things.thing()
assert "tenacity" not in sys.modules
things.thing()
assert "tenacity" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
