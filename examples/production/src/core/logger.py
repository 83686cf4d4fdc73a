"""One line per event, each with the correlation id of the request that caused it."""

import logging

from core.middleware import correlation_id

LINE = "%(asctime)s %(levelname)s %(name)s [%(correlation_id)s] %(message)s"


class CorrelationFilter(logging.Filter):
    """Put the correlation id on each record; `-` outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id.get() or "-"
        return True


def configure_logging(level: str) -> None:
    """Send every logger's lines, from `level` on, to stderr.

    The HTTP engine's own line per request is left out: the `LoggerPlugin` of a client says more, and once per call.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LINE))
    handler.addFilter(CorrelationFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(logging.WARNING)
