"""`LoggerPlugin`: the fields of a line, levels that nobody listens to, calls that are cancelled, loggers that break."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import (
    ApiClient,
    CallError,
    CallNext,
    CancelToken,
    ConfigurationError,
    DeadlineExceeded,
    FixedDelay,
    Request,
    Response,
    Retry,
    get,
    sleep,
)
from stubwire.plugins import LoggerPlugin

MakeApi = Callable[..., Api]
NAME = "stubwire_logger_fields"


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))
    plugins = [LoggerPlugin(logging.getLogger(NAME))]

    @get("/users/<name>")
    def user(self, name: str) -> int | None:
        raise NotImplementedError

    @get("/people/<name>", none_on={404})
    def person(self, name: str) -> int | None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, NAME)


def fields(record: logging.LogRecord, *names: str) -> dict[str, object]:
    shown = ("endpoint", "method", "template", "status", "error", "elapsed", "attempt", *names)
    return {name: getattr(record, name) for name in shown}


def test_a_call_has_fields(api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(0.25)
        return Reply(json=1, headers={"X-Request-Id": "8F3A"})

    colour.run(GitHub(transport=api(slow).transport).user, "octocat")
    (record,) = caplog.records
    assert fields(record, "request_id") == {
        "endpoint": "GitHub.user",
        "method": "GET",
        "template": "/users/<name>",
        "status": 200,
        "error": None,
        "elapsed": 0.25,
        "attempt": 1,
        "request_id": "8F3A",
    }


def test_a_retry_has_fields_of_what_came_before(
    api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = (Reply(503), Fail("ReadTimeout"), Reply(json=1))
    colour.run(GitHub(transport=api(*answers).transport).user, "octocat")
    first, second, call = caplog.records
    known = {"endpoint": "GitHub.user", "method": "GET", "template": "/users/<name>", "wait": 2.0, "elapsed": 0.0}
    assert fields(first, "wait") == {**known, "status": 503, "error": None, "attempt": 2}
    assert fields(second, "wait") == {**known, "status": None, "error": "ReadTimeout", "attempt": 3}
    assert (call.__dict__["attempt"], call.__dict__["elapsed"]) == (3, 4.0)


def test_a_failure_has_the_name_of_its_error(api: MakeApi, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(CallError):
        GitHub(transport=api(Fail("ConnectError")).transport, retry=None).user("octocat")
    (record,) = caplog.records
    assert (record.__dict__["status"], record.__dict__["error"]) == (None, "ConnectError")


def test_a_status_that_means_none_is_expected(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    assert GitHub(transport=api(Reply(404)).transport).person("nobody") is None
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_level_that_is_off_makes_no_line(
    api: MakeApi, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stubwire.plugins import _log_lines

    def unwanted(*_: object) -> None:
        raise AssertionError("nobody listens")

    monkeypatch.setattr(_log_lines, "called", unwanted)
    caplog.set_level(logging.WARNING, NAME)
    GitHub(transport=api(Reply(json=1)).transport).user("octocat")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("8F3A" * 100, "8F3A" * 32),
        ("a\x85GitHub.user 200", "a\\u0085GitHub.user 200"),
        ("\x9b2J", "\\u009b2J"),
    ],
)
def test_a_request_id_stays_on_its_line(api: MakeApi, caplog: pytest.LogCaptureFixture, given: str, shown: str) -> None:
    """It is a server's word: short, and without characters that move a cursor or begin a line."""
    answer = Reply(json=1, headers={"X-Request-Id": given.encode("latin-1")})  # type: ignore[dict-item]
    GitHub(transport=api(answer).transport).user("octocat")
    (record,) = caplog.records
    assert record.__dict__["request_id"] == shown
    assert record.getMessage().endswith(f"(request id {shown})")


# ---- calls that are ended from outside


def ended(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage().partition(" in ")[0]) for record in caplog.records]


def test_a_deadline_is_named_in_every_colour(
    api: MakeApi, colour: Colour, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An event loop ends a call with an exception of its own; the line says what the caller sees."""

    async def slow(request: Request, call_next: CallNext) -> Response:
        clock.advance(2.0)
        if colour.name != "sync":
            await anyio.sleep_forever()
        return await call_next(request)

    client = GitHub(transport=api(Reply(json=1)).transport, deadline=0.01).use(slow)
    with pytest.raises(DeadlineExceeded):
        colour.run(client.user, "octocat")
    assert ended(caplog) == [("ERROR", "GitHub.user GET /users/<name> failed: DeadlineExceeded")]


def test_a_call_that_its_token_ends_is_no_failure(
    api: MakeApi, colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    token = CancelToken()

    async def cancels(request: Request, call_next: CallNext) -> Response:
        token.cancel("enough")
        await sleep(3600)
        return await call_next(request)

    client = GitHub(transport=api(Reply(json=1)).transport).use(cancels)
    with pytest.raises(CallError):
        colour.run(client.user.with_options(cancel=token), "octocat")
    assert ended(caplog) == [("INFO", "GitHub.user GET /users/<name> cancelled: CancelError")]


def test_a_cancelled_task_is_no_failure(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def waits(request: Request, call_next: CallNext) -> Response:
            begun.set()
            await asyncio.sleep(3600)
            return await call_next(request)

        client = GitHub(transport=api(Reply(json=1)).transport).use(waits)
        task = asyncio.create_task(client.user.aio("octocat"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended(caplog) == [("INFO", "GitHub.user GET /users/<name> cancelled: CancelledError")]


def test_an_interrupt_is_logged_and_goes_on(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    async def interrupts(request: Request, call_next: CallNext) -> Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GitHub(transport=api(Reply(json=1)).transport).use(interrupts).user("octocat")
    assert ended(caplog) == [("INFO", "GitHub.user GET /users/<name> cancelled: KeyboardInterrupt")]


# ---- loggers of every kind


class Broken(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise ZeroDivisionError("of a filter")


@pytest.fixture
def broken() -> Iterator[logging.Logger]:
    logger = logging.getLogger(f"{NAME}.broken")
    breaks = Broken()
    logger.addFilter(breaks)
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.removeFilter(breaks)


def test_a_logger_that_breaks_does_not_break_the_call(
    api: MakeApi, colour: Colour, clock: Clock, broken: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exception is printed, as the standard library does with that of a handler."""
    client = GitHub(transport=api(Reply(503), Reply(json=1)).transport, plugins=[LoggerPlugin(broken)])
    assert colour.run(client.user, "octocat") == 1
    assert capsys.readouterr().err.count("ZeroDivisionError: of a filter") == 2


def test_a_logger_that_breaks_can_be_silent(
    api: MakeApi, broken: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert GitHub(transport=api(Reply(json=1)).transport, plugins=[LoggerPlugin(broken)]).user("octocat") == 1
    assert capsys.readouterr().err == ""


def test_a_record_that_has_such_a_field_already_keeps_it(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """An application may set its own `request_id` on every record: the line is written without fields then."""
    factory = logging.getLogRecordFactory()

    def with_request_id(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        record.request_id = "the application's"
        return record

    logging.setLogRecordFactory(with_request_id)
    try:
        GitHub(transport=api(Reply(json=1)).transport).user("octocat")
    finally:
        logging.setLogRecordFactory(factory)
    (record,) = caplog.records
    assert record.__dict__["request_id"] == "the application's"
    assert record.getMessage().startswith("GitHub.user GET /users/<name> 200 in ")


def test_an_adapter_is_a_logger(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    class Adapter(logging.LoggerAdapter[logging.Logger]):
        def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
            return f"[github] {msg}", kwargs

    plugin = LoggerPlugin(Adapter(logging.getLogger(NAME), {}))
    GitHub(transport=api(Reply(json=1)).transport, plugins=[plugin]).user("octocat")
    (record,) = caplog.records
    assert record.getMessage().startswith("[github] GitHub.user GET /users/<name> 200 in ")
    assert record.__dict__["status"] == 200


def test_what_does_as_a_logger_does_is_one(api: MakeApi) -> None:
    seen: list[str] = []

    class Own:
        def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as the standard library calls it
            return True

        def log(self, level: int, msg: str, *args: object, extra: object) -> None:
            seen.append(msg % args)

    own: Any = Own()
    GitHub(transport=api(Reply(json=1)).transport, plugins=[LoggerPlugin(own)]).user("octocat")
    assert len(seen) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"logger": "github_client"}, "LoggerPlugin takes a logger, not str: write logging.getLogger(...)"),
    ({"max_body_bytes": 0}, "LoggerPlugin max_body_bytes=0 must be a whole number from 1"),
    ({"max_body_bytes": True}, "LoggerPlugin max_body_bytes=True must be a whole number from 1"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=str)
def test_a_wrong_setting_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        LoggerPlugin(**arguments)
    assert str(caught.value) == message
