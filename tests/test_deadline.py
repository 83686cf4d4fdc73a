"""One clock over a whole call: attempts, waits, redirects, what is inherited."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

import stubwire
from conftest import Api, Clock, Colour, Fail, Reply
from servers import HANG, RawServer
from stubwire import (
    ApiClient,
    CallError,
    ClientSettings,
    ConfigurationError,
    DeadlineExceeded,
    FixedDelay,
    LinkPages,
    Pages,
    ReadTimeout,
    RedirectError,
    Request,
    Response,
    Retry,
    ServerError,
    SpecError,
    deadline,
    get,
)

if TYPE_CHECKING:
    from conftest import EngineName
    from stubwire._types import CallNext

MakeApi = Callable[..., Api]
READ = "read"


class Things(ApiClient):
    base_url = "https://api.example"
    timeout = 5.0
    retry = Retry(max_retries=5, backoff=FixedDelay(1.0))

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError

    @get("/quick", deadline=0.5)
    def quick(self) -> int:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def pages(self) -> Pages[int]:
        raise NotImplementedError


def after(clock: Clock, seconds: float, answer: Reply | Fail) -> Callable[[Any], Reply]:
    """An answer that takes some seconds."""

    def handle(_: Any) -> Reply:
        clock.advance(seconds)
        assert isinstance(answer, Reply)
        return answer

    return handle


def read_timeouts(server: Api) -> list[float]:
    return [request.extensions["timeout"][READ] for request in server.requests]


def test_each_attempt_has_what_is_left(api: MakeApi, clock: Clock, colour: Colour) -> None:
    """The timeouts of an attempt are no longer than what remains of the deadline."""
    server = api(after(clock, 1.5, Reply(503)), after(clock, 1.5, Reply(503)), Reply(json=1))
    assert colour.run(Things(transport=(server.transport, server.transport), deadline=7.0).thing) == 1
    assert read_timeouts(server) == [5.0, 4.5, 2.0]


def test_without_a_deadline_each_attempt_has_its_timeouts(api: MakeApi, clock: Clock) -> None:
    server = api(after(clock, 100.0, Reply(503)), Reply(json=1))
    assert Things(transport=server.transport).thing() == 1
    assert read_timeouts(server) == [5.0, 5.0]


def test_a_wait_that_does_not_fit_is_not_begun(api: MakeApi, clock: Clock, colour: Colour) -> None:
    server = api(after(clock, 1.5, Reply(503)))
    client = Things(transport=(server.transport, server.transport), deadline=2.0)
    with pytest.raises(ServerError) as caught:
        colour.run(client.thing)
    assert caught.value.__notes__ == ["not retried: a wait of 1.0 s does not fit in what is left of the deadline"]
    assert (len(server.requests), clock.waits) == (1, [])


def test_a_server_that_asks_for_longer_than_is_left_ends_the_retries(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(503, headers={"Retry-After": "9"}))
    with pytest.raises(ServerError) as caught:
        Things(transport=server.transport, deadline=8.0).thing()
    assert caught.value.__notes__ == ["not retried: a wait of 9.0 s does not fit in what is left of the deadline"]
    assert clock.waits == []


def test_a_timeout_that_the_deadline_cut_short_is_the_deadline_s(api: MakeApi, clock: Clock, colour: Colour) -> None:
    """`DeadlineExceeded` says where the time went, attempt by attempt."""
    answers: list[Reply | None] = [Reply(503), None]

    def handle(request: Any) -> Reply:
        answer = answers.pop(0)
        clock.advance(0.5 if answer else request.extensions["timeout"][READ])
        if answer is None:
            raise server.library.ReadTimeout("")
        return answer

    server = api(handle)
    with pytest.raises(DeadlineExceeded) as caught:
        colour.run(Things(transport=(server.transport, server.transport), deadline=2.0).thing)
    assert str(caught.value) == (
        "Things.thing: GET https://api.example/thing ran into its deadline of 2 s after 2 attempts in 2.0 s"
    )
    assert caught.value.__notes__ == [
        "the time went into attempt 1 (503): 0.50 s, a wait of 1.00 s, attempt 2 (DeadlineExceeded): 0.50 s"
    ]
    assert isinstance(caught.value.__cause__, ReadTimeout)
    assert isinstance(caught.value, builtins.TimeoutError)
    assert [attempt.status_code for attempt in caught.value.attempts] == [503, None]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_middleware_that_waits_too_long_is_ended(api: MakeApi, clock: Clock) -> None:
    async def slow(request: Request, call_next: CallNext) -> Response:
        await stubwire.sleep(30.0)
        return await call_next(request)

    server = api(Reply(json=1))
    with pytest.raises(DeadlineExceeded) as caught:
        Things(transport=server.transport, deadline=2.0, middleware=[slow]).thing()
    assert (clock.waits, server.requests, caught.value.attempts) == ([2.0], [], ())


def test_the_time_before_the_first_attempt_is_accounted_for(api: MakeApi, clock: Clock, colour: Colour) -> None:
    """And that after the last one."""

    async def slow(request: Request, call_next: CallNext) -> Response:
        clock.advance(1.5)
        response = await call_next(request)
        clock.advance(2.0)
        await call_next(request)
        return response

    server = api(after(clock, 1.0, Reply(json=1)))
    client = Things(transport=(server.transport, server.transport), deadline=4.0, middleware=[slow])
    with pytest.raises(DeadlineExceeded) as caught:
        colour.run(client.thing)
    (note,) = caught.value.__notes__
    assert note == (
        "the time went into what ran before the first attempt: 1.50 s, attempt 1 (200): 1.00 s, "
        "attempt 2 (DeadlineExceeded): 0.00 s"
    )
    with deadline(1.0):
        clock.advance(2.0)
        with pytest.raises(DeadlineExceeded) as before:
            colour.run(client.thing)
    assert not hasattr(before.value, "__notes__")


def test_redirects_share_the_clock(api: MakeApi, clock: Clock, colour: Colour) -> None:
    """Each hop has what the one before it left."""
    moved = Reply(302, headers={"Location": "/quick"})
    server = api(after(clock, 1.5, moved), after(clock, 1.0, moved), Reply(json=1))
    client = Things(transport=(server.transport, server.transport), deadline=4.0, follow_redirects=True, retry=None)
    assert server.requests == []
    with pytest.raises(RedirectError):  # back to where it was
        colour.run(client.thing)
    assert read_timeouts(server) == [4.0, 2.5]


def test_an_asynchronous_call_is_ended_wherever_it_waits(engine: Any) -> None:
    """A server that never answers is left at the deadline, and sees the connection end."""
    for colour in (Colour("asyncio"), Colour("trio")):
        with RawServer(HANG) as server:
            client = Things(base_url=server.url, engine=engine, deadline=0.2)
            with pytest.raises(DeadlineExceeded) as caught:
                colour.run(client.thing)
            assert [attempt.error for attempt in caught.value.attempts] == ["DeadlineExceeded"]
            server.wait_until(lambda server: server.closed == server.opened)


@pytest.mark.parametrize("where", ["class", "constructor", "client view", "endpoint view", "verb", "settings"])
def test_where_a_deadline_may_stand(where: str, api: MakeApi, clock: Clock) -> None:
    class Slow(Things):
        deadline = 2.0

    server = api(after(clock, 3.0, Reply(503)))
    ends: dict[str, Callable[[], object]] = {
        "class": Slow(transport=server.transport).thing,
        "constructor": Things(transport=server.transport, deadline=2.0).thing,
        "client view": Things(transport=server.transport).with_options(deadline=2.0).thing,
        "endpoint view": Things(transport=server.transport).thing.with_options(deadline=2.0),
        "verb": Things(transport=server.transport).quick,
        "settings": Things(ClientSettings(deadline=2.0), transport=server.transport).thing,
    }
    with pytest.raises(CallError):
        ends[where]()
    assert len(server.requests) == 1


# ---- inherited


def test_calls_share_the_deadline_of_the_block_they_are_made_in(api: MakeApi, clock: Clock, colour: Colour) -> None:
    server = api(after(clock, 1.5, Reply(json=1)))
    client = Things(transport=(server.transport, server.transport))
    with deadline(4.0):
        colour.run(client.thing)
        colour.run(client.thing)
        colour.run(client.with_options(retry=None).thing)
        clock.advance(5.0)
        with pytest.raises(DeadlineExceeded, match=r" ran into its deadline$"):
            colour.run(client.thing)
    assert read_timeouts(server) == [4.0, 2.5, 1.0]
    assert colour.run(client.thing) == 1


def test_an_inner_deadline_only_brings_it_nearer(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(json=1))
    client = Things(transport=server.transport)
    with deadline(2.0):
        with deadline(1.0):
            client.thing()
        with deadline(4.0):
            client.thing()
        client.with_options(deadline=3.0).thing()
        client.with_options(deadline=0.5).thing()
    assert read_timeouts(server) == [1.0, 2.0, 2.0, 0.5]
    assert clock.waits == []


def test_a_call_that_a_middleware_makes_shares_the_time_of_the_outer_one(api: MakeApi, clock: Clock) -> None:
    inner_server, outer_server = api(after(clock, 1.0, Reply(json=2))), api(Reply(json=1))
    inner = Things(transport=inner_server.transport)

    async def asks(request: Request, call_next: CallNext) -> Response:
        await inner.thing.aio()
        return await call_next(request)

    assert Things(transport=outer_server.transport, middleware=[asks], deadline=3.0).thing() == 1
    assert (read_timeouts(inner_server), read_timeouts(outer_server)) == ([3.0], [2.0])


def test_tasks_inherit_the_deadline(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(json=1))
    client = Things(transport=server.transport)

    async def serve() -> list[int]:
        with deadline(2.0):
            tasks = [asyncio.create_task(client.thing.aio()) for _ in range(3)]
        return [await task for task in tasks]

    assert asyncio.run(serve()) == [1, 1, 1]
    assert read_timeouts(server) == [2.0, 2.0, 2.0]
    assert clock.waits == []


def test_pages_have_a_deadline_each(api: MakeApi, clock: Clock) -> None:
    more = {"Link": '</pages?page=2>; rel="next"'}
    server = api(after(clock, 1.5, Reply(json=[1], headers=more)), after(clock, 1.5, Reply(json=[2])))
    assert list(Things(transport=server.transport, deadline=2.0).pages()) == [1, 2]
    assert read_timeouts(server) == [2.0, 2.0]


# ---- transports that know nothing of it


def test_on_a_transport_that_is_not_ours_it_ends_a_body_at_the_next_chunk(engine: EngineName, clock: Clock) -> None:
    library = importlib.import_module(engine)
    sent: list[int] = []

    class Slow(library.SyncByteStream):  # type: ignore[name-defined,misc]
        def __iter__(self) -> Iterator[bytes]:
            for number in range(10):
                clock.advance(1.0)
                sent.append(number)
                yield b" "

    def answer(_: object) -> object:
        return library.Response(200, stream=Slow())

    transport = library.MockTransport(answer)
    with pytest.raises(DeadlineExceeded, match=r" ran into its deadline of 2\.5 s\n"):
        Things(transport=transport, deadline=2.5).thing()
    assert sent == [0, 1, 2]


# ---- what is no deadline


@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), float("nan"), True, "2", 10**400])
def test_what_is_no_duration_is_refused(wrong: Any) -> None:
    message = f"deadline={wrong!r} must be a finite number above 0, or None for no limit"
    with pytest.raises(ConfigurationError) as caught:
        Things(deadline=wrong)
    assert str(caught.value) == f"Things: {message}"
    with pytest.raises(ConfigurationError) as caught:
        Things().thing.with_options(deadline=wrong)
    assert str(caught.value) == f"Things.thing.with_options: {message}"
    with pytest.raises(ConfigurationError) as caught, deadline(wrong):
        pytest.fail("the block ran")
    assert str(caught.value) == message
    with pytest.raises(SpecError) as declared:

        class Wrong(ApiClient):
            @get("/x", deadline=wrong)
            def x(self) -> int:
                raise NotImplementedError

    assert str(declared.value) == f"Wrong.x: {message}"


@pytest.mark.parametrize("wrong", ["0", "-1", "inf", "nan", "true", "soon"])
def test_what_is_no_duration_is_refused_from_the_environment(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Set(Things):
        settings: ClientSettings

    monkeypatch.setenv("DEADLINE", wrong)
    with pytest.raises(ConfigurationError, match=r"^Set needs settings \(ClientSettings\): DEADLINE: Input should be "):
        Set()


@pytest.mark.parametrize("field", ["deadline", "timeout"])
@pytest.mark.parametrize("wrong", [True, False])
def test_a_bool_is_no_setting_of_seconds(field: str, wrong: Any) -> None:
    with pytest.raises(ValidationError, match="must be a number of seconds, not a bool"):
        ClientSettings(**{field: wrong})


def test_a_block_is_no_decorator() -> None:
    """It would end before an asynchronous function begins."""
    block: Any = deadline(2.0)
    with pytest.raises(TypeError, match="not callable"):
        block(asyncio.sleep)


def test_a_block_begins_where_it_is_entered(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(json=1))
    client, block = Things(transport=server.transport), deadline(2.0)
    for _ in range(2):
        clock.advance(60.0)
        with block:
            client.thing()
    client.thing()
    assert read_timeouts(server) == [2.0, 2.0, 5.0]


def test_a_block_needs_a_duration() -> None:
    nothing: Any = None
    with pytest.raises(ConfigurationError, match=r"^deadline=None must be a finite number above 0$"), deadline(nothing):
        pytest.fail("the block ran")
