"""Plugins: what is installed on a client with `plugins=[...]` or `client.plugin(...)`."""

from stubwire.plugins.circuit_breaker import CircuitBreaker
from stubwire.plugins.concurrency import ConcurrencyLimit
from stubwire.plugins.logger import LoggerPlugin
from stubwire.plugins.rate_limit import RateLimit

__all__ = ["CircuitBreaker", "ConcurrencyLimit", "LoggerPlugin", "RateLimit"]
