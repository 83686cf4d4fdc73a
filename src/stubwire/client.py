"""`ApiClient`: wiring and lifetime.

This module's rule: it folds class, settings and constructor into options, and owns the pool; calls are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from typing_extensions import TypedDict, TypeVar, Unpack

from stubwire import _out, _wiring
from stubwire._annotations import class_annotations, creating_locals
from stubwire._cancel import CancelToken
from stubwire._core import Core
from stubwire._endpoint import MOUNT, Bound, call_options, mount_of
from stubwire._fold import Mount
from stubwire._options import (
    DEFAULT_MAX_RESPONSE_BYTES,
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    CallOptions,
    HeaderValue,
    Limits,
    Options,
    QueryValue,
    Timeout,
    check,
)
from stubwire._resource import Resource, module_of, prepare
from stubwire._route import scope_of
from stubwire._runtime import SYNC, current, run_sync
from stubwire._template import Template
from stubwire._wiring import over
from stubwire.errors import ConfigurationError, SpecError
from stubwire.markers import UNSET, Style, Unset

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from stubwire._codecs import Codec
    from stubwire._middleware import Interceptors
    from stubwire._response import Response
    from stubwire._spec import StatusKey
    from stubwire._tls import Cert
    from stubwire._types import AsyncTransport, Auth, HttpAuth, HttpClient, Middleware, Plugin, Transport
    from stubwire.retry import Retry
    from stubwire.settings import ClientSettings

T = TypeVar("T")


class ClientOptions(TypedDict, total=False, closed=True):
    """What a client's constructor takes; all of it but the last two may also stand in the class.

    Attributes:
        base_url: where the API is: http or https, without query and fragment; `<name>` in it stands for a variable.
        variables: what the placeholders of `base_url` stand for; fields of the settings go over those of the class.
        timeout: seconds for each step of an attempt, or a `Timeout`; `None` for no limit.
        deadline: seconds for the whole call: attempts, waits, redirects, body; `None` for no limit.
        retry: when to try again; `None` does not.
        headers: sent with every request; a `SecretStr` is hidden wherever it shows.
        query: parameters sent with every request.
        query_style: how lists and objects are written in queries and forms, `"form"` by default.
        errors: what statuses raise, for every endpoint; see `EndpointOptions`.
        auth: who puts credentials on: an `Auth`, or one of httpx; or several by name, of which the first is for
            endpoints that name none.
        auth_origins: where credentials may go beside the origin of `base_url`: `["https://uploads.example"]`.
        codecs: for bodies of other content types than JSON.
        middleware: around each call, the first outermost.
        plugins: installed in order, inside the middleware.
        follow_redirects: whether to follow at most five redirects.
        max_response_bytes: the largest body to read, 100 MiB by default; `None` for no limit.
        verify: whether to verify certificates, a path to a bundle, or a TLS context.
        cert: the client's own certificate: the path of a PEM file with its key, `(certificate, key)`, or
            `(certificate, key, password)`; shown to the origin of `base_url` and to `auth_origins` alone.
        min_tls_version: the lowest that is spoken, `"1.2"` by default.
        proxy: a proxy's URL; unset takes it from the environment, `None` uses none.
        http2: whether to offer HTTP/2 (extra `http2`).
        limits: how many connections to keep.
        engine: `"httpx"` or `"httpx2"`.
        transport: a transport of the engine's instead of a connection pool, or a pair: synchronous, asynchronous.
        http_client: your own client of httpx or httpx2, which is never closed here.
    """

    base_url: str
    variables: Mapping[str, str | int]
    timeout: float | Timeout | None
    deadline: float | None
    retry: Retry | None
    headers: Mapping[str, HeaderValue]
    query: Mapping[str, QueryValue]
    query_style: Style
    errors: Mapping[StatusKey, type]
    auth: Auth | HttpAuth | Mapping[str, Auth | HttpAuth] | None
    auth_origins: Sequence[str]
    codecs: Sequence[Codec]
    middleware: Sequence[Middleware]
    plugins: Sequence[Plugin]
    follow_redirects: bool
    max_response_bytes: int | None
    verify: bool | str | Path | ssl.SSLContext
    cert: Cert | None
    min_tls_version: Literal["1.2", "1.3"]
    proxy: str | None
    http2: bool
    limits: Limits
    engine: Literal["httpx", "httpx2"]
    transport: Transport | AsyncTransport | tuple[Transport, AsyncTransport]
    http_client: HttpClient


class ApiClient:
    """A client of one HTTP API: subclass it, and declare its endpoints as stubs.

    Class attributes are its defaults; settings, constructor and verbs override them. One client may be used from many
    threads and event loops; it opens connections at its first call, and `close` or `aclose` release them.

    Args:
        settings: read from the environment where the class has an annotation `settings: MySettings`.
        **options: see `ClientOptions`.

    Raises:
        ConfigurationError: an option or a setting is missing or wrong.
    """

    base_url: str = ""
    variables: Mapping[str, str | int] = {}
    timeout: float | Timeout | None = DEFAULT_TIMEOUT
    deadline: float | None = None
    retry: Retry | None = DEFAULT_RETRY
    headers: Mapping[str, HeaderValue] = {}
    query: Mapping[str, QueryValue] = {}
    query_style: Style = "form"
    errors: Mapping[StatusKey, type] = {}
    auth: Auth | HttpAuth | Mapping[str, Auth | HttpAuth] | None = None
    auth_origins: Sequence[str] = ()
    codecs: Sequence[Codec] = ()
    middleware: Sequence[Middleware] = ()
    plugins: Sequence[Plugin] = ()
    follow_redirects: bool = False
    max_response_bytes: int | None = DEFAULT_MAX_RESPONSE_BYTES
    verify: bool | str | Path | ssl.SSLContext = True
    cert: Cert | None = None
    min_tls_version: Literal["1.2", "1.3"] = "1.2"
    proxy: str | None
    http2: bool = False
    limits: Limits = Limits()
    engine: Literal["httpx", "httpx2"] = "httpx"

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Check every declaration, and the options of the class.

        Raises:
            SpecError: a declaration or `errors` is wrong.
            ConfigurationError: another option is.
        """
        super().__init_subclass__(**kwargs)
        prepare(cls, Template("", ()), creating_locals(), RESERVED)
        if "settings" in vars(cls):
            raise SpecError(
                f"{cls.__name__}.settings is an annotation: write settings: MySettings, and pass an object of it as "
                f"{cls.__name__}(settings)"
            )
        if isinstance(getattr(cls, "cancel", None), CancelToken):
            raise SpecError(f"{cls.__name__}.cancel would end all calls for ever: write with_options(cancel=token)")
        _wiring.stated(cls, ApiClient)

    def __init__(self, settings: ClientSettings | Unset | None = UNSET, /, **options: Unpack[ClientOptions]) -> None:
        name = type(self).__name__
        given = _wiring.client_options(options, ClientOptions, name)
        chosen = self._settings(settings)
        layers = over(given, over(_from_settings(chosen, type(self)), _wiring.stated(type(self), ApiClient)))
        base = _wiring.base_of(layers, given, chosen, name)
        if base.userinfo is not None and "auth" not in layers:
            from stubwire.auth import BasicAuth

            layers["auth"] = BasicAuth(*base.userinfo)
        vars(self).update(_wiring.shown(layers))
        pool = _wiring.open_pool(layers, base.origin, name)
        layers["codecs"] = _wiring.codecs_of(layers, name)
        layers.pop("variables", None)
        middleware, plugins = _wiring.installed(layers, "middleware", name), _wiring.installed(layers, "plugins", name)
        lower = check(Options(**layers), name, auth="table")
        mount = Mount(Core(pool), name, base, Template("", ()), scope_of(type(self)), lower, Options())
        vars(self).update({"base_url": base.text, "settings": chosen, MOUNT: mount, "_is_view": False})
        for function in middleware:
            self.use(function)
        for plugin in plugins:
            self.plugin(plugin)

    def _settings(self, settings: ClientSettings | Unset | None) -> ClientSettings | None:
        if settings is None:
            return None
        name = type(self).__name__
        if not isinstance(settings, Unset):
            from stubwire.settings import given

            return given(settings, name)
        for owner in type(self).__mro__:
            hint = class_annotations(owner).get("settings")
            if hint is not None:
                from stubwire.settings import declared, read

                return read(declared(hint, scope_of(owner), module_of(owner), name), name)
        return None

    # ---- what every call goes through

    @property
    def interceptors(self) -> Interceptors:
        """Interceptors, once per call: `client.interceptors.request.use(...)` and `.response.use(...)`."""
        return mount_of(self).core.interceptors

    def use(self, middleware: Middleware, *, per: Literal["call", "attempt"] = "call") -> Self:
        """Add a middleware inside those that are there.

        Args:
            middleware: `async def (request, call_next) -> Response`.
            per: around the call, or around each of its attempts.
        """
        if per not in ("call", "attempt"):
            raise ConfigurationError(f"per={per!r}: write 'call' or 'attempt'")
        mount_of(self).core.use(middleware, per)
        return self

    def plugin(self, plugin: Plugin) -> Self:
        """Install a plugin."""
        plugin.install(self)
        return self

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """A view of this client with other options: `timeout`, `deadline`, `retry`, `cancel`, `headers`, `query`, ...

        It shares connections, interceptors and middleware. Closing it does nothing.

        Raises:
            ConfigurationError: an option cannot be used.
        """
        mount = mount_of(self)
        view = object.__new__(type(self))
        kept = {name: value for name, value in vars(self).items() if not isinstance(value, (Bound, Resource))}
        vars(view).update(kept)
        vars(view)["_is_view"] = True
        layer = call_options(options, mount.name)
        merged = {name: getattr(self, name) for name in ("headers", "query")}
        vars(view).update(over({name: value for name, value in options.items() if name in vars(ApiClient)}, merged))
        vars(view)[MOUNT] = replace(mount, upper=layer.over(mount.upper))
        return view

    # ---- the way out

    @overload
    def call(self, method: str, path: str, *, into: type[T], **sent: Unpack[_out.Sent]) -> T: ...
    @overload
    def call(self, method: str, path: str, *, into: None = None, **sent: Unpack[_out.Sent]) -> Response: ...
    def call(self, method: str, path: str, *, into: Any = None, **sent: Unpack[_out.Sent]) -> object:
        """Call an endpoint that has no stub; it takes the same way as any other.

        Args:
            method: the HTTP method.
            path: below `base_url`, or an absolute URL (to another origin no credentials are sent); encode values in it.
            into: the type of the result; without one, the whole `Response` is returned.
            **sent: `params`, `json` or `content`, and `headers`.

        Raises:
            ArgumentError: something cannot be sent.
            CallError: the call failed.
        """
        plan, request = _out.prepare(mount_of(self), method, path, into, sent)
        response = run_sync(mount_of(self).core.run(plan, request, SYNC), plan.name)
        return response if into is None else response.data

    @overload
    async def acall(self, method: str, path: str, *, into: type[T], **sent: Unpack[_out.Sent]) -> T: ...
    @overload
    async def acall(self, method: str, path: str, *, into: None = None, **sent: Unpack[_out.Sent]) -> Response: ...
    async def acall(self, method: str, path: str, *, into: Any = None, **sent: Unpack[_out.Sent]) -> object:
        """Do as `call` does, asynchronously."""
        plan, request = _out.prepare(mount_of(self), method, path, into, sent)
        response = await mount_of(self).core.run(plan, request, current())
        return response if into is None else response.data

    # ---- lifetime

    def close(self) -> None:
        """Release the connections; calls made later raise a `ConfigurationError`. On a view it does nothing."""
        if not vars(self)["_is_view"]:
            mount_of(self).core.pool.close()

    async def aclose(self) -> None:
        """Release the connections, those of the running event loop too. On a view it does nothing."""
        if not vars(self)["_is_view"]:
            await mount_of(self).core.pool.aclose()

    def __enter__(self) -> Self:
        """Close at the end of the `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    async def __aenter__(self) -> Self:
        """Close at the end of the `async with` block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close."""
        await self.aclose()

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change an option, which would have no effect on endpoints that were made before."""
        if name in RESERVED:
            raise AttributeError(
                f"{type(self).__name__}.{name} is fixed when the client is made: use with_options({name}=...), "
                "or the constructor"
            )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        """Show class and base URL, and that nobody verifies who is there."""
        mount = vars(self).get(MOUNT)
        mark = "" if mount is None or mount.core.pool.verifies else " verify=False"
        return f"<{type(self).__name__} {self.base_url}{mark}>"


def _from_settings(settings: ClientSettings | None, owner: type) -> dict[str, Any]:
    """Settings as options."""
    if settings is None:
        return {}
    from stubwire.settings import stated as stated_by

    return _wiring.settings_options(stated_by(settings), settings.auth, owner)


RESERVED = frozenset(
    {name for name in (*vars(ApiClient), *ApiClient.__annotations__) if not name.startswith("__")}
    | {"settings", "transport", "http_client"}
)
"""What a stub or a resource of a client cannot be called."""
