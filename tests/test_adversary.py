"""What an unlucky network and a hostile server must not bring about: a second POST, a credential elsewhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr

import servers
from conftest import Api, Clock, Colour, EngineName, Fail, Reply
from servers import RawRequest, RawServer, http
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    ConnectError,
    FixedDelay,
    Outcome,
    ProtocolError,
    Request,
    Response,
    Retry,
    get,
    post,
)
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"
    retry: Retry | None = Retry(max_retries=2, backoff=FixedDelay(0.0))
    follow_redirects = True

    @get("/things/<n>")
    def thing(self, n: int) -> dict[str, int]:
        raise NotImplementedError

    @post("/things/<n>")
    def create(self, n: int) -> dict[str, int]:
        raise NotImplementedError

    @post("/things/<n>", idempotency_key=True)
    def keyed(self, n: int) -> dict[str, int]:
        raise NotImplementedError

    @get("")
    def root(self, q: str | None = None) -> None:
        raise NotImplementedError


def methods(server: Api) -> list[str]:
    return [request.method for request in server.requests]


def notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))


NOT_SAFE = "not retried: the server may have acted on this POST, which has no idempotency key"


# -- a POST is sent once


def to(location: str, status: int) -> Reply:
    return Reply(status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize(
    "after",
    [Reply(503), Reply(429), Reply(500, headers={"X-Should-Retry": "true"}), Fail("ConnectError"), Fail("ReadError")],
    ids=str,
)
def test_a_post_is_not_sent_again_because_its_redirect_leads_to_a_failure(
    api: MakeApi, colour: Colour, clock: Clock, status: int, after: Reply | Fail
) -> None:
    """The failure is that of the GET; the server answered the POST."""
    server = api(to("/done", status), after)
    with pytest.raises(CallError) as caught:
        colour.run(Things(transport=server.transport).create, 1)
    assert methods(server) == ["POST", "GET"]
    assert notes(caught.value) == [NOT_SAFE]


def test_with_a_key_on_the_wire_it_is(api: MakeApi, clock: Clock) -> None:
    server = api(to("/done", 303), Fail("ConnectError"), to("/done", 303), Reply(json={"n": 1}))
    assert Things(transport=server.transport).keyed(1) == {"n": 1}
    assert methods(server) == ["POST", "GET"] * 2


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_was_not_acted_on(api: MakeApi, clock: Clock, status: int) -> None:
    server = api(to("/there", status), Reply(503), to("/there", status), Reply(json={"n": 1}))
    assert Things(transport=server.transport).create(1) == {"n": 1}
    assert methods(server) == ["POST"] * 4


def test_a_post_is_not_sent_again_because_a_middleware_failed_after_it(api: MakeApi, colour: Colour) -> None:
    """Such as one that tells another service of each attempt."""
    server = api(Reply(json={"n": 1}))

    async def auditing(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        raise ConnectError("the audit is down")

    with pytest.raises(ConnectError) as caught:
        colour.run(Things(transport=server.transport).use(auditing, per="attempt").create, 1)
    assert (methods(server), notes(caught.value)) == (["POST"], [NOT_SAFE])


def test_a_status_that_a_middleware_made_of_a_failure_is_not_the_servers(api: MakeApi) -> None:
    server = api(Fail("ReadTimeout"))

    async def masking(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except CallError:
            return Response(503)

    with pytest.raises(CallError, match="answered 503"):
        Things(transport=server.transport).use(masking, per="attempt").create(1)
    assert methods(server) == ["POST"]


def test_what_went_over_the_wire_decides_not_the_stub(api: MakeApi) -> None:
    """A middleware may send a GET as a POST."""
    server = api(Fail("ReadTimeout"))

    async def posting(request: Request, call_next: CallNext) -> Response:
        return await call_next(request.replace(method="POST"))

    with pytest.raises(CallError) as caught:
        Things(transport=server.transport).use(posting, per="attempt").thing(1)
    assert (methods(server), notes(caught.value)) == (["POST"], [NOT_SAFE])


def test_a_predicate_sees_it_and_decides(api: MakeApi, clock: Clock) -> None:
    server = api(to("/done", 303), Reply(503), to("/done", 303), Reply(json={"n": 1}))
    seen: list[tuple[str, bool]] = []

    def when(outcome: Outcome) -> bool | None:
        seen.append((outcome.acted, outcome.idempotent))
        return True if outcome.error or (outcome.response and outcome.response.status_code >= 400) else None

    retry = Retry(backoff=FixedDelay(0.0), when=when)
    assert Things(transport=server.transport, retry=retry).create(1) == {"n": 1}
    assert seen == [("POST", False)] * 2


def test_nothing_that_a_server_does_makes_an_unkeyed_post_come_twice(engine: EngineName) -> None:
    """Unless it answered that it did not act; by chance, from a seed, over real sockets."""
    chance = random.Random(20)
    seen: dict[str, list[tuple[str, int | None]]] = {}
    broken = [servers.CLOSE, servers.RESET, servers.GARBAGE, servers.MID_HEADERS, servers.truncated()]

    def react(request: RawRequest) -> servers.Reaction:
        number = request.target.split("/")[2]
        status = chance.choice([200, 201, 302, 303, 307, 404, 408, 425, 429, 500, 502, 503, 504, None, None, None])
        seen.setdefault(number, []).append((request.method, status))
        if status is None:
            return chance.choice(broken)
        return http(b'{"n": %s}' % number.encode(), status, {"Location": f"/things/{number}/{chance.random()}"})

    with RawServer(react) as server, Things(base_url=server.url, engine=engine) as things:
        for number in range(60):
            colour = Colour("asyncio" if number % 6 == 0 else "sync")
            with suppress(CallError):
                assert colour.run(things.create, number) == {"n": number}
    for events in seen.values():
        before_a_post = [events[index - 1] for index, event in enumerate(events) if index and event[0] == "POST"]
        assert {method for method, _ in before_a_post} <= {"POST"}, events
        assert {status for _, status in before_a_post} <= {307, 408, 425, 429, 503}, events
    assert sum(len(events) for events in seen.values()) > len(seen)  # some were sent again


# -- a credential stays with its origin, and gets there


@pytest.mark.parametrize("base", ["https://xn--bcher-kva.example", "https://XN--BCHER-KVA.example:443/"])
@pytest.mark.parametrize("q", [None, "1"])
def test_a_host_beyond_ascii_is_ours_and_keeps_its_path(api: MakeApi, colour: Colour, base: str, q: str | None) -> None:
    server = api(Reply())
    colour.run(Things(base_url=base, auth=BearerAuth("word"), transport=server.transport).root, q)
    assert server.request.headers["authorization"] == "Bearer word"
    assert server.request.headers["host"] == "xn--bcher-kva.example"
    assert server.request.url.raw_path == (b"/?q=1" if q else b"/")


@pytest.mark.parametrize("declared", [{"headers": {"X-Tenant": SecretStr("ours")}}, {}])
def test_the_users_own_client_adds_nothing_elsewhere_that_was_declared_secret(
    api: MakeApi, declared: dict[str, Any]
) -> None:
    class TenantAuth:
        names = ("X-Tenant",)

        async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
            request.headers["X-Tenant"] = "ours"
            return await call_next(request)

    options = declared or {"auth": TenantAuth()}
    server = api(to("https://other.example/y", 302), Reply(json={}))
    with server.library.Client(transport=server.transport, headers={"X-Tenant": "theirs", "X-Plain": "1"}) as client:
        Things(http_client=client, **options).thing(1)
    first, second = server.requests
    assert (first.headers["x-tenant"], second.headers.get("x-tenant")) == ("ours", None)
    assert second.headers["x-plain"] == "1"


def test_a_redirect_elsewhere_names_the_host_that_it_leads_to(api: MakeApi) -> None:
    server = api(to("/y", 302), to("https://other.example/y", 302), Reply(json={}))
    Things(transport=server.transport, headers={"Host": "front.example"}).thing(1)
    assert [request.headers["host"] for request in server.requests] == [
        "front.example",
        "front.example",
        "other.example",
    ]


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "h:99999"])
def test_a_host_that_cannot_be_looked_up_is_a_protocol_error(colour: Colour, engine: EngineName, host: str) -> None:
    """Not an error of a codec's or a socket's, and no attempt is wasted on it."""

    async def elsewhere(request: Request, call_next: CallNext) -> Response:
        request.url = f"http://{host}/"
        return await call_next(request)

    with (
        Things(engine=engine, proxy=None) as things,
        pytest.raises(ProtocolError, match="its URL is not valid") as caught,
    ):
        colour.run(things.use(elsewhere).thing, 1)
    assert len(caught.value.attempts) == 1
