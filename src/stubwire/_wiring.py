"""From a client's options to its parts.

This module's rule: pure but for the pool, which opens nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from stubwire._compile import check_errors
from stubwire._engine.choose import choose, made_by
from stubwire._options import NAMES, HeaderValue, Limits, Options, check, kind_of, merge_headers
from stubwire._pool import Connecting, Given, Pool
from stubwire._redact import url as redact_url
from stubwire._url import BaseUrl, parse_base_url
from stubwire.errors import ConfigurationError, SpecError
from stubwire.markers import UNSET
from stubwire.retry import Retry

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._engine.library import Library

_TLS = ("verify", "cert", "min_tls_version")
_CONNECTING = (*_TLS, "proxy", "http2", "limits")
_MERGED = ("headers", "query", "errors", "variables")


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
    if not isinstance(found.get("variables", {}), Mapping):
        raise ConfigurationError(f"{owner.__name__}: variables must be a mapping: write variables = {{...}}")
    codecs_of(found, owner.__name__)
    check(Options(**{name: value for name, value in found.items() if name in NAMES}), owner.__name__, auth="table")
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


def settings_options(stated_by: Mapping[str, object], auth: object, owner: type) -> dict[str, Any]:
    """Settings as options; `max_retries` and the limits adjust what is below them."""
    values: dict[str, Any] = dict(stated_by)
    if (max_retries := values.pop("max_retries", None)) is not None:
        retry = getattr(owner, "retry", None) or Retry()
        values["retry"] = replace(retry, max_retries=max_retries)
    limits = {name: values.pop(name) for name in ("max_connections", "max_keepalive_connections") if name in values}
    if limits:
        values["limits"] = replace(getattr(owner, "limits", Limits()), **limits)
    if auth is not None:
        values["auth"] = auth
    return values


def client_options(options: Mapping[str, Any], known: type, client: str) -> dict[str, Any]:
    """The constructor's options.

    Raises:
        TypeError: there is none of that name.
        ConfigurationError: one is plainly of another kind.
    """
    for name in options:
        if name == "settings":
            raise TypeError(f"{client}() takes settings as its first argument, without a name: {client}(MySettings())")
        if name not in known.__annotations__:
            raise TypeError(
                f"{client}() got an unexpected option {name!r}; see ClientOptions for those there are, "
                f"and pass settings as {client}(MySettings({name}=...))"
            )
    for name in _MERGED:
        if not isinstance(options.get(name, {}), Mapping):
            what = type(options[name]).__name__
            raise ConfigurationError(f"{client}: {name} must be a mapping: write {name}={{...}}, not {what}")
    try:
        check_errors(options.get("errors", {}), client)
    except SpecError as error:
        message = str(error)
    else:
        return dict(options)
    raise ConfigurationError(message)


def installed(layers: dict[str, Any], name: str, client: str) -> list[Any]:
    """The middleware or the plugins of a client, which leave the layers.

    Raises:
        ConfigurationError: they are no sequence, or one of them is a class or cannot be used.
    """
    given = layers.pop(name, ())
    if not isinstance(given, (list, tuple)):
        raise ConfigurationError(f"{client}: {name} must be a list: write {name}=[...]")
    items: list[Any] = [*cast("list[object]", given)]
    for item in items:
        what = item.__name__ if isinstance(item, type) else type(item).__name__
        if name == "plugins" and (isinstance(item, type) or not hasattr(item, "install")):
            raise ConfigurationError(f"{client}: {what} is no plugin: pass an object with install(client)")
        if name == "middleware" and (isinstance(item, type) or not callable(item)):
            raise ConfigurationError(f"{client}: {what} is no middleware: write async def (request, call_next)")
    return items


def base_of(layers: dict[str, Any], given: Mapping[str, Any], settings: object, client: str) -> BaseUrl:
    """A client's base URL, with its placeholders filled; it leaves the layers.

    Raises:
        ConfigurationError: it is none, or a variable is missing, is not used, or cannot stand in its place.
    """
    url, variables = layers.pop("base_url", ""), given.get("variables", {})
    if isinstance(url, str) and (variables or "<" in url or "{" in url):
        from stubwire._variables import Sources, fill

        url = fill(url, Sources(variables, settings, layers.get("variables", {}), client))
    return parse_base_url(url, client)


def codecs_of(layers: Mapping[str, Any], client: str) -> tuple[Codec, ...]:
    """The codecs of a client.

    Raises:
        ConfigurationError: they are no list, or one of them is no codec.
    """
    given = layers.get("codecs", ())
    if given == ():
        return ()
    from stubwire import _codecs

    return _codecs.check(given, client)


def shown(layers: Mapping[str, Any]) -> dict[str, Any]:
    """The options as attributes of the client: what was handed over is not among them, nor a password."""
    kept = {name: value for name, value in layers.items() if name not in ("transport", "http_client")}
    cert = kept.get("cert")
    if isinstance(cert, tuple) and len(cast("tuple[object, ...]", cert)) == 3 and isinstance(cert[2], str):
        from pydantic import SecretStr

        kept["cert"] = (*cert[:2], SecretStr(cert[2]))
    return kept


def open_pool(layers: dict[str, Any], origin: str, client: str) -> Pool:
    """A client's connections, from its options, which leave the layers.

    Args:
        layers: its options.
        origin: that of its base URL.
        client: its name, for messages.

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
        raise ConfigurationError(f"{client}: limits must be stubwire.Limits(...), not {kind_of(limits)}")
    if "proxy" in connecting:
        connecting["proxy"] = _proxy(connecting["proxy"], client)
    library = choose(engine)
    stated = {name: connecting.pop(name) for name in _TLS if name in connecting}
    if stated:
        connecting |= _tls(stated, library, (origin, layers.get("auth_origins", ())), client)
    return Pool(library, Connecting(**connecting), None, client)


def _tls(stated: Mapping[str, Any], library: Library, origins: tuple[str, object], client: str) -> dict[str, Any]:
    """How a client speaks TLS, and to whom it shows its certificate: to those that its credentials are for."""
    from stubwire import _auth_check, _tls

    try:
        made = _tls.contexts(library, stated)
        trusted = _auth_check.origins(*origins) if made.own is not None else frozenset[str]()
    except ConfigurationError as error:
        message = f"{client}: {error}"
    else:
        if _tls.is_off(made.verify):
            _tls.caution(client)
        return {**made._asdict(), "origins": trusted}
    raise ConfigurationError(message)


def _proxy(proxy: str | None, client: str) -> str | None:
    """A proxy's URL; an empty one, as an environment variable may be, is none."""
    if not proxy:
        return None
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in ("http", "https", "socks5", "socks5h") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if usable:
        return proxy
    raise ConfigurationError(
        f"{client}: proxy {redact_url(proxy)!r} must begin with http://, https:// or socks5:// and name a host"
    )


def _given_client(http_client: Any, client: str) -> Given:
    if isinstance(http_client, type) or not hasattr(http_client, "send") or not made_by(http_client):
        raise ConfigurationError(f"{client}: http_client must be a Client(...) or AsyncClient(...) of httpx or httpx2")
    is_async = hasattr(http_client, "aclose")
    return Given(None if is_async else http_client, http_client if is_async else None, is_client=True)


def _given_transports(pair: tuple[object, ...], client: str) -> Given:
    objects = [item for item in pair if not isinstance(item, type)]
    synchronous = next((item for item in objects if hasattr(item, "handle_request")), None)
    asynchronous = next((item for item in reversed(objects) if hasattr(item, "handle_async_request")), None)
    if synchronous is None and asynchronous is None:
        raise ConfigurationError(f"{client}: transport must be a transport of httpx or httpx2, not {kind_of(pair[0])}")
    return Given(synchronous, asynchronous, is_client=False)
