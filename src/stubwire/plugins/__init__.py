"""Plugins: what is installed on a client with `plugins=[...]` or `client.plugin(...)`."""

from stubwire.plugins.cache import CachePlugin
from stubwire.plugins.circuit_breaker import CircuitBreaker
from stubwire.plugins.concurrency import ConcurrencyLimit
from stubwire.plugins.logger import LoggerPlugin
from stubwire.plugins.open_telemetry import OpenTelemetryPlugin
from stubwire.plugins.rate_limit import RateLimit

__all__ = ["CachePlugin", "CircuitBreaker", "ConcurrencyLimit", "LoggerPlugin", "OpenTelemetryPlugin", "RateLimit"]
