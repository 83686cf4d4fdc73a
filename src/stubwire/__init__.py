"""stubwire turns a class of typed method stubs into an API client.

This module's rule: the public names and nothing else. What is slow to import comes at first use (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from stubwire._cancel import CancelToken
from stubwire._deadline import deadline
from stubwire._declaration import EndpointOptions
from stubwire._endpoint import AsyncEndpoint, AsyncLazyEndpoint, Endpoint, LazyEndpoint
from stubwire._headers import Headers
from stubwire._middleware import Handle, Interceptors
from stubwire._options import CallOptions, Limits, Timeout
from stubwire._request import Request
from stubwire._resource import Resource
from stubwire._response import Attempt, Response
from stubwire._route import Route
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
    CancelError,
    CircuitOpenError,
    ClientError,
    ColourError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectTimeout,
    DeadlineExceeded,
    DecodeError,
    ErrorDetail,
    ForeignPageError,
    HTTPStatusError,
    LimitExceededError,
    NetworkError,
    NotFoundError,
    PageLimitError,
    PaginationError,
    PermissionDeniedError,
    PoolTimeout,
    ProtocolError,
    RateLimitError,
    ReadError,
    ReadTimeout,
    RedirectError,
    RepeatedPageError,
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
from stubwire.markers import UNSET, Body, Cookie, File, Form, Header, Path, Query, Unset
from stubwire.retry import Backoff, ExponentialBackoff, FixedDelay, LinearBackoff, Outcome, Retry

if TYPE_CHECKING:
    from stubwire import auth as auth
    from stubwire import plugins as plugins
    from stubwire import settings as settings
    from stubwire import types as types
    from stubwire import webhooks as webhooks
    from stubwire._budget import RetryBudget
    from stubwire._codecs import Codec
    from stubwire._gather import gather
    from stubwire._paging import PageStrategy, ResumableStrategy
    from stubwire._strategies import CursorPages, LinkPages, NumberPages, OffsetPages
    from stubwire._uploads import Upload
    from stubwire.pages import AsyncPages, Page, Pages
    from stubwire.settings import ClientSettings
    from stubwire.streams import SSE, AsyncStream, Event, Lines, Stream

__all__ = [
    "SSE",
    "UNSET",
    "ApiClient",
    "ArgumentError",
    "AsyncEndpoint",
    "AsyncLazyEndpoint",
    "AsyncPages",
    "AsyncStream",
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
    "CancelError",
    "CancelToken",
    "CircuitOpenError",
    "ClientError",
    "ClientOptions",
    "ClientSettings",
    "Codec",
    "ColourError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeout",
    "Cookie",
    "CursorPages",
    "DeadlineExceeded",
    "DecodeError",
    "Endpoint",
    "EndpointOptions",
    "EndpointSpec",
    "ErrorDetail",
    "Event",
    "ExponentialBackoff",
    "File",
    "FixedDelay",
    "ForeignPageError",
    "Form",
    "HTTPStatusError",
    "Handle",
    "Header",
    "Headers",
    "HttpClient",
    "Interceptors",
    "LazyEndpoint",
    "LimitExceededError",
    "Limits",
    "LinearBackoff",
    "Lines",
    "LinkPages",
    "Middleware",
    "NetworkError",
    "NotFoundError",
    "NumberPages",
    "OffsetPages",
    "Outcome",
    "Page",
    "PageLimitError",
    "PageStrategy",
    "Pages",
    "PaginationError",
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
    "RepeatedPageError",
    "Request",
    "Resource",
    "Response",
    "ResponseTooLargeError",
    "ResponseValidationError",
    "ResumableStrategy",
    "Retry",
    "RetryBudget",
    "Route",
    "ServerError",
    "SpecError",
    "Stream",
    "StubwireError",
    "Timeout",
    "TimeoutError",
    "Transport",
    "TransportError",
    "UnprocessableEntityError",
    "Unset",
    "Upload",
    "WriteError",
    "WriteTimeout",
    "deadline",
    "delete",
    "gather",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "sleep",
]


_MODULES = frozenset({"auth", "plugins", "settings", "types", "webhooks"})
_LATER = {
    "AsyncPages": "pages",
    "AsyncStream": "streams",
    "ClientSettings": "settings",
    "Codec": "_codecs",
    "CursorPages": "_strategies",
    "Event": "streams",
    "Lines": "streams",
    "LinkPages": "_strategies",
    "NumberPages": "_strategies",
    "OffsetPages": "_strategies",
    "Page": "pages",
    "PageStrategy": "_paging",
    "Pages": "pages",
    "ResumableStrategy": "_paging",
    "RetryBudget": "_budget",
    "SSE": "streams",
    "Stream": "streams",
    "Upload": "_uploads",
    "gather": "_gather",
}
"""Where the names are that are slow to import, or seldom used."""


def __getattr__(name: str) -> object:
    """Import what is slow, or seldom used, when it is asked for."""
    if name in _LATER:
        item: object = getattr(importlib.import_module(f"stubwire.{_LATER[name]}"), name)
        globals()[name] = _as_public(item)
        return item
    if name in _MODULES:
        return importlib.import_module(f"stubwire.{name}")
    raise AttributeError(f"module 'stubwire' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, those that are imported at first use too."""
    return sorted({*globals(), *__all__, *_MODULES})


def _as_public(item: object) -> object:
    """Let tracebacks, reprs and pickles name what a user imports: `stubwire.Retry`, not where it is written."""
    if str(getattr(item, "__module__", "")).startswith("stubwire._"):
        setattr(item, "__module__", __name__)  # noqa: B010 - what it is, a checker cannot know
    return item


for _name in __all__:
    _as_public(globals().get(_name))
