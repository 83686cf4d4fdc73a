"""From a client's options to its parts.

This module's rule: pure but for the pool, which opens nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from stubwire._compile import check_errors
from stubwire._engine.choose import choose
from stubwire._options import HeaderValue, Limits, Options, check, merge_headers
from stubwire._pool import Connecting, Given, Pool
from stubwire.errors import ConfigurationError
from stubwire.markers import UNSET

_CONNECTING = ("verify", "proxy", "http2", "limits")
_MERGED = ("headers", "query", "errors")


def stated(owner: type, root: type) -> dict[str, Any]:
    """The options that a class and its bases state.

    Raises:
        SpecError: `errors` is wrong.
        ConfigurationError: another is.
    """
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        if not issubclass(base, root) or base is root:
            continue
        own = {name: value for name, value in vars(base).items() if name in root.__annotations__}
        found = over(own, found)
    check_errors(found.get("errors", {}), owner.__name__)
    check(
        Options(**{name: found[name] for name in (*_MERGED, "timeout", "max_response_bytes") if name in found}),
        owner.__name__,
    )
    return found


def over(upper: Mapping[str, Any], lower: Mapping[str, Any]) -> dict[str, Any]:
    """Two layers as one: headers, query and errors merge, the rest replaces."""
    merged = {**lower, **upper}
    for name in _MERGED:
        if name in upper and name in lower:
            merged[name] = _merge(name, lower[name], upper[name])
    return merged


def _merge(name: str, lower: Mapping[str, HeaderValue], upper: Mapping[str, HeaderValue]) -> Mapping[str, HeaderValue]:
    return merge_headers(lower, upper) if name == "headers" else {**lower, **upper}


def client_options(options: Mapping[str, Any], known: type, client: str) -> dict[str, Any]:
    """The constructor's options.

    Raises:
        TypeError: there is none of that name.
    """
    for name in options:
        if name not in known.__annotations__:
            raise TypeError(f"{client}() got an unexpected option {name!r}; see ClientOptions for those there are")
    return dict(options)


def open_pool(layers: dict[str, Any], client: str) -> Pool:
    """A client's connections, from its options, which leave the layers.

    Raises:
        ConfigurationError: they contradict each other.
    """
    transport, http_client = layers.pop("transport", None), layers.pop("http_client", None)
    engine = layers.pop("engine", UNSET)
    connecting = {name: layers.pop(name) for name in _CONNECTING if name in layers}
    if http_client is not None and (transport is not None or connecting):
        other = "transport" if transport is not None else next(iter(connecting))
        raise ConfigurationError(f"{client}: http_client has its own connections, so it takes no {other}")
    if http_client is not None:
        library = choose(engine, http_client)
        return Pool(library, Connecting(), _given_client(http_client, client), client)
    if transport is not None:
        pair = cast("tuple[object, ...]", transport) if isinstance(transport, tuple) else (transport,)
        return Pool(choose(engine, *pair), Connecting(), _given_transports(pair, client), client)
    limits = connecting.get("limits", Limits())
    if not isinstance(limits, Limits):
        raise ConfigurationError(f"{client}: limits must be a Limits(...), not {type(limits).__name__}")
    return Pool(choose(engine), Connecting(**connecting), None, client)


def _given_client(http_client: Any, client: str) -> Given:
    if not hasattr(http_client, "send"):
        raise ConfigurationError(f"{client}: http_client must be a Client or AsyncClient of httpx or httpx2")
    is_async = hasattr(http_client, "aclose")
    return Given(None if is_async else http_client, http_client if is_async else None, is_client=True)


def _given_transports(pair: tuple[object, ...], client: str) -> Given:
    synchronous = next((item for item in pair if hasattr(item, "handle_request")), None)
    asynchronous = next((item for item in pair if hasattr(item, "handle_async_request")), None)
    if synchronous is None and asynchronous is None:
        raise ConfigurationError(f"{client}: transport must be one of httpx or httpx2, not {type(pair[0]).__name__}")
    return Given(synchronous, asynchronous, is_client=False)
