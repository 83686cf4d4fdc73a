"""`LoggerPlugin` with the loggers of structlog, and with any that takes fields as keywords."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, FixedDelay, Retry, get
from stubwire.plugins import LoggerPlugin

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

MakeApi = Callable[..., Api]
NAME = "stubwire_logger_structlog"


class GitHub(ApiClient):
    base_url = "https://api.github.com"
    retry: Retry | None = Retry(backoff=FixedDelay(2.0))

    @get("/users/<name>")
    def user(self, name: str) -> int:
        raise NotImplementedError


def structured(kind: str, said: list[Any]) -> FilteringBoundLogger | structlog.stdlib.BoundLogger:
    """A logger of structlog, of one of the kinds that it has, at INFO."""
    if kind == "native":
        wrapper = structlog.make_filtering_bound_logger(logging.INFO)
        native: FilteringBoundLogger = structlog.wrap_logger(None, wrapper_class=wrapper, processors=[keep(said)])
        return native.bind(service="shop")
    standard = logging.getLogger(f"{NAME}.structlog")
    standard.setLevel(logging.INFO)
    through: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        standard, wrapper_class=structlog.stdlib.BoundLogger, processors=[structlog.stdlib.add_log_level, keep(said)]
    )
    return through.bind(service="shop")


def keep(said: list[Any]) -> Callable[[Any, str, Any], Any]:
    def processor(_: Any, method: str, event: Any) -> Any:
        said.append((method, dict(event)))
        raise structlog.DropEvent

    return processor


@pytest.mark.parametrize("kind", ["native", "standard"])
def test_structlog_gets_fields_as_keywords(api: MakeApi, colour: Colour, clock: Clock, kind: str) -> None:
    said: list[Any] = []
    client = GitHub(transport=api(Reply(503), Reply(json=1)).transport, plugins=[LoggerPlugin(structured(kind, said))])
    colour.run(client.user, "octocat")
    (level, retry), (last_level, call) = said
    assert (level, last_level) == ("warning", "info")
    assert retry["event"] == "GitHub.user GET /users/<name> attempt 2 after 503, waited 2.000 s"
    assert call.pop("event") == "GitHub.user GET /users/<name> 200 in 2.000 s after 2 attempts"
    call.pop("level", None)
    assert call == {
        "service": "shop",
        "endpoint": "GitHub.user",
        "method": "GET",
        "template": "/users/<name>",
        "status": 200,
        "error": None,
        "elapsed": 2.0,
        "attempt": 2,
        "request_id": None,
    }


def test_structlog_is_asked_whether_it_listens(monkeypatch: pytest.MonkeyPatch, api: MakeApi) -> None:
    from stubwire.plugins import _log_lines

    def unwanted(*_: object) -> None:
        raise AssertionError("nobody listens")

    monkeypatch.setattr(_log_lines, "called", unwanted)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )
    GitHub(transport=api(Reply(json=1)).transport, plugins=[LoggerPlugin(logger)]).user("octocat")


def test_structlog_is_configured_after_the_plugin_was_made(api: MakeApi) -> None:
    """A class is defined before an application sets up its logging."""
    plugin, said = LoggerPlugin(structlog.get_logger()), list[Any]()
    structlog.configure(processors=[keep(said)])
    try:
        GitHub(transport=api(Reply(json=1)).transport, plugins=[plugin]).user("octocat")
    finally:
        structlog.reset_defaults()
    assert [event["status"] for _, event in said] == [200]


def test_a_logger_that_does_not_say_whether_it_listens_does(api: MakeApi) -> None:
    said: list[dict[str, object]] = []

    class Own:
        def bind(self, **fields: object) -> Own:
            return self

        def log(self, level: int, event: str, *args: object, **fields: object) -> None:
            said.append({"event": event, **fields})

    GitHub(transport=api(Reply(json=1)).transport, plugins=[LoggerPlugin(Own())]).user("octocat")
    assert [line["endpoint"] for line in said] == ["GitHub.user"]
