"""What it costs to see calls: each plugin that observes, beside the same call without one."""

import logging
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.data import USER_JSON, USERNAME
from benchmarks.declared import GitHub
from benchmarks.groups import Entry, Group
from benchmarks.hand import Hand
from benchmarks.harness import Case
from benchmarks.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stubwire import Plugin

NAME = "GET one user, observed"


def group() -> Group:
    """The group; what is not installed is left out."""
    wire = Wire(USER_JSON)
    hand, plain = Hand(wire), GitHub(transport=wire.transport)
    entries = [
        Entry(Case("by hand", lambda: hand.user(USERNAME)), wire.sent),
        Entry(Case("without a plugin", lambda: plain.user(USERNAME)), wire.sent),
    ]
    for name, plugin in (*_logging(), *_structlog(), *_telemetry()):
        client = GitHub(transport=wire.transport, plugins=[plugin])
        entries.append(Entry(Case(name, partial(client.user, USERNAME))))
    return Group(NAME, entries)


def _logging() -> "Iterator[tuple[str, Plugin]]":
    from stubwire.plugins import LoggerPlugin

    yield "LoggerPlugin, nobody listens", LoggerPlugin(_logger("off", logging.ERROR))
    yield "LoggerPlugin", LoggerPlugin(_logger("on", logging.INFO))
    yield "LoggerPlugin, with bodies", LoggerPlugin(_logger("bodies", logging.INFO), max_body_bytes=2048)


def _logger(name: str, level: int) -> logging.Logger:
    """A logger whose records are made and not written."""
    logger = logging.getLogger(f"benchmarks.{name}")
    logger.setLevel(level)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


def _structlog() -> "Iterator[tuple[str, Plugin]]":
    if find_spec("structlog") is None:
        return
    import structlog

    from stubwire.plugins import LoggerPlugin

    wrapper = structlog.make_filtering_bound_logger(logging.INFO)
    logger = structlog.wrap_logger(None, wrapper_class=wrapper, processors=[_drop], cache_logger_on_first_use=True)
    yield "LoggerPlugin, structlog", LoggerPlugin(logger)


def _drop(*_: object) -> str:
    import structlog

    raise structlog.DropEvent


def _telemetry() -> "Iterator[tuple[str, Plugin]]":
    if find_spec("opentelemetry") is None:
        return
    from stubwire.plugins import OpenTelemetryPlugin

    yield "OpenTelemetryPlugin, no SDK", OpenTelemetryPlugin()
    if find_spec("opentelemetry.sdk") is None:
        return
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    for name, sampler in (("not sampled", ALWAYS_OFF), ("sampled", ALWAYS_ON)):
        plugin = OpenTelemetryPlugin(TracerProvider(sampler=sampler), MeterProvider([InMemoryMetricReader()]))
        yield f"OpenTelemetryPlugin, SDK, {name}", plugin
