"""The names that users import, and nothing beside them."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator

import pytest

import stubwire

VERBS = ["delete", "get", "head", "options", "patch", "post", "put", "route"]
MARKERS = ["UNSET", "Body", "Cookie", "File", "Form", "Header", "Path", "Query", "Unset"]
CLIENT = ["ApiClient", "ClientOptions", "ClientSettings", "Handle", "Interceptors", "Resource"]
ENDPOINTS = [
    "AsyncEndpoint",
    "AsyncLazyEndpoint",
    "CallOptions",
    "Endpoint",
    "EndpointOptions",
    "EndpointSpec",
    "LazyEndpoint",
    "ParameterSpec",
    "Route",
]
TRAVELS = ["Attempt", "Headers", "Request", "Response", "Upload"]
PAGES = ["AsyncPages", "CursorPages", "LinkPages", "NumberPages", "OffsetPages", "Page", "Pages"]
STREAMS = ["SSE", "AsyncStream", "Event", "Lines", "Stream"]
POLICIES = [
    "Backoff",
    "CancelToken",
    "ExponentialBackoff",
    "FixedDelay",
    "Limits",
    "LinearBackoff",
    "Outcome",
    "Retry",
    "RetryBudget",
    "Timeout",
    "deadline",
    "gather",
    "sleep",
]
PLUGGED = [
    "AsyncTransport",
    "Auth",
    "CallNext",
    "Codec",
    "HttpClient",
    "Middleware",
    "PageStrategy",
    "Plugin",
    "ResumableStrategy",
    "Transport",
]
ERRORS = [
    "ArgumentError",
    "AuthenticationError",
    "BadRequestError",
    "CallError",
    "CancelError",
    "CircuitOpenError",
    "ClientError",
    "ColourError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeout",
    "DeadlineExceeded",
    "DecodeError",
    "ErrorDetail",
    "ForeignPageError",
    "HTTPStatusError",
    "LimitExceededError",
    "NetworkError",
    "NotFoundError",
    "PageLimitError",
    "PaginationError",
    "PermissionDeniedError",
    "PoolTimeout",
    "ProtocolError",
    "RateLimitError",
    "ReadError",
    "ReadTimeout",
    "RedirectError",
    "RepeatedPageError",
    "ResponseTooLargeError",
    "ResponseValidationError",
    "ServerError",
    "SpecError",
    "StubwireError",
    "TimeoutError",
    "TransportError",
    "UnprocessableEntityError",
    "WriteError",
    "WriteTimeout",
]
PUBLIC = [*VERBS, *MARKERS, *CLIENT, *ENDPOINTS, *TRAVELS, *PAGES, *STREAMS, *POLICIES, *PLUGGED, *ERRORS]
ALIASES = ["CallNext", "Middleware"]
MODULES = [
    *("auth", "client", "errors", "markers", "pages", "plugins", "retry", "settings", "streams", "types", "webhooks"),
]


def test_the_names_are_these() -> None:
    assert sorted(stubwire.__all__) == sorted(PUBLIC)
    assert len(set(stubwire.__all__)) == len(stubwire.__all__)


def test_what_stands_in_all_is_sorted() -> None:
    assert stubwire.__all__ == sorted(stubwire.__all__, key=lambda name: (not name.isupper(), name))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_name_resolves_and_says_what_it_is(name: str) -> None:
    item = getattr(stubwire, name)
    if name in {"UNSET", *ALIASES}:  # a value and two types made of others: their text stands in the source
        return
    assert inspect.getdoc(item)
    assert item.__doc__ is not None
    assert item.__doc__ != dict.__doc__, "a TypedDict without a text of its own"


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ALIASES])
def test_a_name_says_where_it_is_imported_from(name: str) -> None:
    """Tracebacks and reprs show `stubwire.Route` or `stubwire.errors.SpecError`, never a private module."""
    module = getattr(stubwire, name).__module__
    assert module == "stubwire" or module in {f"stubwire.{public}" for public in MODULES}
    assert getattr(importlib.import_module(module), name) is getattr(stubwire, name)


@pytest.mark.parametrize("name", [name for name in PUBLIC if inspect.isclass(getattr(stubwire, name))])
def test_a_class_pickles_by_its_public_name(name: str) -> None:
    item = getattr(stubwire, name)
    data = pickle.dumps(item, protocol=0)
    assert pickle.loads(data) is item
    assert b"stubwire._" not in data


@pytest.mark.parametrize(
    "value",
    [stubwire.Timeout(read=1.0), stubwire.Limits(max_connections=1), stubwire.Attempt(1, 0.0, 1.0), stubwire.UNSET],
    ids=repr,
)
def test_values_pickle_and_copy(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_can_stand_in_an_annotation_that_is_evaluated(name: str) -> None:
    alias = getattr(stubwire, name)
    assert typing.get_args(alias | None)[-1] is type(None)
    assert typing.get_origin(alias) is Callable


# ---- what comes at first use (PEP 562)


def test_what_is_seldom_used_comes_when_it_is_asked_for() -> None:
    code = (
        "import sys, stubwire\n"
        "late = {'stubwire.auth', 'stubwire.plugins', 'stubwire.settings', 'stubwire.webhooks', 'pydantic_settings'}\n"
        "late |= {'tenacity', 'stubwire._tls'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
        "assert stubwire.auth.BearerAuth and stubwire.plugins.LoggerPlugin and stubwire.ClientSettings\n"
        "assert stubwire.settings.ClientSettings is stubwire.ClientSettings\n"
        "from stubwire import ClientSettings, auth, plugins, webhooks\n"
        "assert stubwire.auth is auth and stubwire.plugins is plugins and stubwire.webhooks is webhooks\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_of_them_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("auth", "plugins", "settings", "webhooks"):
        module = importlib.import_module(f"stubwire.{name}")
        monkeypatch.delattr(stubwire, name, raising=False)
        assert getattr(stubwire, name) is module
    assert stubwire.ClientSettings is stubwire.ClientSettings


def test_dir_names_them_too() -> None:
    assert set(dir(stubwire)) >= {*PUBLIC, "auth", "plugins", "settings", "webhooks"}
    assert dir(stubwire) == sorted(dir(stubwire))


def test_another_name_is_an_error_that_says_so() -> None:
    with pytest.raises(AttributeError, match=r"^module 'stubwire' has no attribute 'gett'$"):
        getattr(stubwire, "gett")  # noqa: B009 - a checker would refuse it
    assert not hasattr(stubwire, "testing")


def test_importing_everything_works() -> None:
    names: dict[str, object] = {}
    exec("from stubwire import *", names)
    assert set(names) >= set(PUBLIC)


def test_the_public_modules_are_these() -> None:
    found = [module.name for module in pkgutil.iter_modules(stubwire.__path__) if not module.name.startswith("_")]
    assert sorted(found) == sorted([*MODULES, "demo"])


# ---- signatures


def functions(item: object) -> Iterator[object]:
    """A public function itself; of a class, its public methods and the getters of its properties."""
    if not inspect.isclass(item):
        yield item
        return
    for name, value in vars(item).items():
        if name in {"__init__", "__call__"} or not name.startswith("_"):
            yield value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def signatures() -> Iterator[tuple[str, inspect.Signature]]:
    """Each public signature, its overloads instead of what implements them."""
    for name in stubwire.__all__:
        for function in functions(getattr(stubwire, name)):
            if inspect.isfunction(function) and function.__module__.startswith("stubwire"):
                for overload in typing.get_overloads(function) or [function]:
                    yield f"{name}.{function.__name__}", inspect.signature(overload)


def words(signature: inspect.Signature) -> set[str]:
    annotations = [parameter.annotation for parameter in signature.parameters.values()]
    return {word for hint in (*annotations, signature.return_annotation) for word in re.findall(r"\w+", str(hint))}


def test_no_public_signature_names_an_engine_s_class() -> None:
    named = {where for where, signature in signatures() if words(signature) & {"httpx", "httpx2", "httpcore"}}
    assert named == set()


def test_no_public_signature_says_any_but_for_the_default_of_a_type_variable() -> None:
    saying = {where: str(signature) for where, signature in signatures() if "Any" in words(signature)}
    assert {where for where, text in saying.items() if "Any" in text.replace("Response[Any]", "")} == set()


def test_the_signatures_are_looked_at() -> None:
    found = {where for where, _ in signatures()}
    assert found >= {
        "get.get",
        "ApiClient.call",
        "Request.curl",
        "Endpoint.response",
        "Response.request",
        "sleep.sleep",
    }
