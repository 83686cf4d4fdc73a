"""stubwire turns a class of typed method stubs into an API client.

This module's rule: the public names and nothing else. What is slow to import comes at first use (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from stubwire._declaration import EndpointOptions
from stubwire._endpoint import AsyncEndpoint, Endpoint, Route
from stubwire._headers import Headers
from stubwire._middleware import Handle, Interceptors
from stubwire._options import CallOptions, Limits, Timeout
from stubwire._request import Request
from stubwire._resource import Resource
from stubwire._response import Attempt, Response
from stubwire._runtime import sleep
from stubwire._spec import EndpointSpec, ParameterSpec
from stubwire._types import AsyncTransport, Auth, CallNext, HttpClient, Middleware, Plugin, Transport
from stubwire._verbs import delete, get, head, options, patch, post, put, route
from stubwire.client import ApiClient, ClientOptions
from stubwire.errors import (
    ArgumentError,
    AuthenticationError,
    BadRequestError,
    CallError,
    ClientError,
    ColourError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectTimeout,
    DecodeError,
    ErrorDetail,
    HTTPStatusError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    PoolTimeout,
    ProtocolError,
    RateLimitError,
    ReadError,
    ReadTimeout,
    RedirectError,
    ResponseTooLargeError,
    ResponseValidationError,
    ServerError,
    SpecError,
    StubwireError,
    TimeoutError,
    TransportError,
    UnprocessableEntityError,
    WriteError,
    WriteTimeout,
)
from stubwire.markers import UNSET, Body, Cookie, Header, Path, Query, Unset
from stubwire.retry import Backoff, ExponentialBackoff, FixedDelay, LinearBackoff, Outcome, Retry

if TYPE_CHECKING:
    from stubwire import auth as auth
    from stubwire import plugins as plugins
    from stubwire import settings as settings
    from stubwire.settings import ClientSettings

__all__ = [
    "UNSET",
    "ApiClient",
    "ArgumentError",
    "AsyncEndpoint",
    "AsyncTransport",
    "Attempt",
    "Auth",
    "AuthenticationError",
    "Backoff",
    "BadRequestError",
    "Body",
    "CallError",
    "CallNext",
    "CallOptions",
    "ClientError",
    "ClientOptions",
    "ClientSettings",
    "ColourError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeout",
    "Cookie",
    "DecodeError",
    "Endpoint",
    "EndpointOptions",
    "EndpointSpec",
    "ErrorDetail",
    "ExponentialBackoff",
    "FixedDelay",
    "HTTPStatusError",
    "Handle",
    "Header",
    "Headers",
    "HttpClient",
    "Interceptors",
    "Limits",
    "LinearBackoff",
    "Middleware",
    "NetworkError",
    "NotFoundError",
    "Outcome",
    "ParameterSpec",
    "Path",
    "PermissionDeniedError",
    "Plugin",
    "PoolTimeout",
    "ProtocolError",
    "Query",
    "RateLimitError",
    "ReadError",
    "ReadTimeout",
    "RedirectError",
    "Request",
    "Resource",
    "Response",
    "ResponseTooLargeError",
    "ResponseValidationError",
    "Retry",
    "Route",
    "ServerError",
    "SpecError",
    "StubwireError",
    "Timeout",
    "TimeoutError",
    "Transport",
    "TransportError",
    "UnprocessableEntityError",
    "Unset",
    "WriteError",
    "WriteTimeout",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "sleep",
]


_MODULES = frozenset({"auth", "plugins", "settings"})


def __getattr__(name: str) -> object:
    """Import what is slow, or seldom used, when it is asked for."""
    if name == "ClientSettings":
        return importlib.import_module("stubwire.settings").ClientSettings
    if name in _MODULES:
        return importlib.import_module(f"stubwire.{name}")
    raise AttributeError(f"module 'stubwire' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, those that are imported at first use too."""
    return sorted({*globals(), *__all__, *_MODULES})


def _show_as_public() -> None:
    """Tracebacks, reprs and pickles name what a user imports: `stubwire.Retry`, not the module it is written in."""
    for name in __all__:
        item = globals().get(name)
        if str(getattr(item, "__module__", "")).startswith("stubwire._"):
            setattr(item, "__module__", __name__)  # noqa: B010 - what it is, a checker cannot know


_show_as_public()
