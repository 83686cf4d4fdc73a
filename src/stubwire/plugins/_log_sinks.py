"""Where lines go: to a logger of the standard library, or to one of structlog.

This module's rule: it knows how each is asked whether it listens, and how it takes fields. structlog is not imported:
its loggers are told by their `bind`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire.plugins._log_lines import Line

_BODIES = {"request_body": "sent", "response_body": "received"}


class KeywordLogger(Protocol):
    """A logger that takes fields as keyword arguments, as those of structlog do."""

    def bind(self, **fields: object) -> object:
        """A logger that has these fields too."""
        ...

    def log(self, level: int, event: str, *args: object, **fields: object) -> object:
        """Log an event."""
        ...


class Sink(Protocol):
    """A logger, whatever its kind."""

    def listens(self, level: int) -> bool:
        """Whether a line of this level would be written."""
        ...

    def write(self, level: int, line: Line) -> None:
        """Write a line."""
        ...


def sink(logger: object, plugin: str) -> Sink:
    """A logger as a sink.

    Raises:
        ConfigurationError: it is no logger.
    """
    if logger is None:
        return StandardSink(logging.getLogger("stubwire"))
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        return StandardSink(cast("logging.Logger", logger))
    if hasattr(type(logger), "bind"):
        return KeywordSink(cast("KeywordLogger", logger))
    if hasattr(logger, "log") and hasattr(logger, "isEnabledFor"):
        return StandardSink(cast("logging.Logger", logger))
    kind = type(logger).__name__
    raise ConfigurationError(f"{plugin} takes a logger, not {kind}: write logging.getLogger(...)")


class StandardSink:
    """A logger of the standard library: the line is its message, the fields are attributes of its record.

    Bodies stand in the message too, because what formats a record seldom shows more than that.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.listens = logger.isEnabledFor

    def write(self, level: int, line: Line) -> None:
        """Write a line; without its fields where a record has attributes of these names already."""
        bodies = {word: line.fields.get(name) for name, word in _BODIES.items()}
        text = line.text + "".join(f", {word} %s" for word, body in bodies.items() if body)
        args = (*line.args, *filter(None, bodies.values()))
        try:
            self._logger.log(level, text, *args, extra=line.fields)
        except KeyError:
            self._logger.log(level, text, *args)


class KeywordSink:
    """A logger of structlog: the line is its event, the fields are keyword arguments."""

    def __init__(self, logger: KeywordLogger) -> None:
        self._logger = logger

    def listens(self, level: int) -> bool:
        """Whether it filters such a line out; one that does not say so does not."""
        bound = self._logger.bind()
        asked: Callable[[object, int], bool] | None = getattr(type(bound), "is_enabled_for", None)
        return asked is None or asked(bound, level)

    def write(self, level: int, line: Line) -> None:
        """Write a line."""
        event = line.text % line.args
        self._logger.log(level, event, **line.fields)
