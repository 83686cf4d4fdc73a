"""The decorators: `get`, `post` and their kin, and `route` for any other method.

This module's rule: to a type checker a decorated stub is an `Endpoint` with the stub's own parameters and result; at
run time it is a `Route`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, Unpack, cast, final, overload

from stubwire._declaration import Declaration, EndpointOptions
from stubwire._headers import is_name
from stubwire._route import Route
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._endpoint import AsyncEndpoint, AsyncLazyEndpoint, Endpoint, LazyEndpoint
    from stubwire.pages import AsyncPages, Pages
    from stubwire.streams import AsyncStream, Stream

P = ParamSpec("P")
T = TypeVar("T")


@final
class _OnlyAny:
    """Only `Any` is assignable to it: pyright would give a stub `-> Any` the first overload otherwise."""


class Decorator(Protocol):
    """Turns a stub into an endpoint."""

    @overload
    def __call__(self, stub: Callable[Concatenate[Any, P], _OnlyAny], /) -> Endpoint[P, Any]: ...
    @overload
    def __call__(self, stub: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /) -> AsyncEndpoint[P, T]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, stub: Callable[Concatenate[Any, P], Pages[T]], /
    ) -> LazyEndpoint[P, Pages[T], AsyncPages[T]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, stub: Callable[Concatenate[Any, P], AsyncPages[T]], /
    ) -> AsyncLazyEndpoint[P, AsyncPages[T]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, stub: Callable[Concatenate[Any, P], Stream[T]], /
    ) -> LazyEndpoint[P, Stream[T], AsyncStream[T]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, stub: Callable[Concatenate[Any, P], AsyncStream[T]], /
    ) -> AsyncLazyEndpoint[P, AsyncStream[T]]: ...
    @overload
    def __call__(self, stub: Callable[Concatenate[Any, P], T], /) -> Endpoint[P, T]: ...


def route(method: str, path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare an endpoint of any method.

    Args:
        method: the HTTP method.
        path: the path template: `<name>` or `{name}` takes one segment, `<path:name>` or `{name:path}` several.
        **options: see `EndpointOptions`.

    Raises:
        SpecError: the method is no token, or there is no path; everything else that is wrong is found when the class
            is created.
    """
    if not is_name(method):
        raise SpecError(f"{method!r} is no HTTP method")
    if not isinstance(cast("object", path), str):
        name = getattr(path, "__name__", repr(path))
        raise SpecError(f'{name}: @{method.lower()} needs a path: write @{method.lower()}("/...")')

    def decorate(stub: object) -> object:
        if not isinstance(stub, FunctionType):
            named = stub.fget if isinstance(stub, property) else stub
            name = getattr(named, "__name__", type(stub).__name__)
            raise SpecError(f"{name}: @{method.lower()} decorates a function: write it above `def {name}(self, ...)`")
        declared: Route[..., object] = Route(Declaration(stub, method.upper(), path, options))
        return declared

    return cast("Decorator", decorate)


def get(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a GET endpoint; see `route`."""
    return route("GET", path, **options)


def post(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a POST endpoint; see `route`."""
    return route("POST", path, **options)


def put(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a PUT endpoint; see `route`."""
    return route("PUT", path, **options)


def patch(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a PATCH endpoint; see `route`. A model's unset fields are left out of its body."""
    return route("PATCH", path, **options)


def delete(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a DELETE endpoint; see `route`."""
    return route("DELETE", path, **options)


def head(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare a HEAD endpoint; see `route`."""
    return route("HEAD", path, **options)


def options(path: str, **options: Unpack[EndpointOptions]) -> Decorator:
    """Declare an OPTIONS endpoint; see `route`."""
    return route("OPTIONS", path, **options)
