"""Endpoints: what a decorated stub is on a client.

This module's rule: thin. An endpoint binds its arguments, runs the core in its colour, and returns what the stub
declares; one whose result is lazy leaves the call to that.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, Self, TypeVar, Unpack, cast, overload

from stubwire._annotations import name_of
from stubwire._fold import Compiled, Mount
from stubwire._fold import plan as fold
from stubwire._options import CallOptions, Options, check
from stubwire._runtime import SYNC, current, run_sync
from stubwire._signature import signature

if TYPE_CHECKING:
    from stubwire._bind import Bind
    from stubwire._core import Core
    from stubwire._declaration import Declaration
    from stubwire._lazy import Lazy
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._route import Route
    from stubwire._spec import EndpointSpec

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)
R = TypeVar("R")

MOUNT = "__stubwire_mount__"
"""Where a client or a resource keeps its `Mount`."""


class Bound(Generic[P, T_co]):
    """What both colours of a bound endpoint share."""

    __name__: str
    __qualname__: str
    _compiled: Compiled
    _mount: Mount
    _declaration: Declaration
    _options: Options
    _plan: Plan
    _bind: Bind
    _core: Core
    _wants_response: bool

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type | None = None, /) -> Route[P, T_co]: ...
        @overload
        def __get__(self, instance: object, owner: type | None = None, /) -> Self: ...
        def __get__(self, instance: object, owner: type | None = None, /) -> object: ...

    @classmethod
    def _make(cls, compiled: Compiled, mount: Mount, declaration: Declaration, options: Options) -> Self:
        """An endpoint; not `__init__`, because what it takes is no part of the public API."""
        stub = declaration.stub
        self = cls.__new__(cls)
        self.__name__ = stub.__name__
        self.__qualname__ = f"{mount.name}.{stub.__name__}"
        self.__module__ = stub.__module__
        self.__doc__ = stub.__doc__
        self._compiled = compiled
        self._mount = mount
        self._declaration = declaration
        self._options = options
        self._plan = fold(compiled, mount, options, self.__qualname__)
        self._bind = compiled.bind
        self._core = mount.core
        self._wants_response = compiled.wants_response
        return self

    @property
    def spec(self) -> EndpointSpec:
        """What the stub declares."""
        return self._compiled.spec

    @property
    def __signature__(self) -> inspect.Signature:
        """The stub's signature without `self`."""
        return signature(self._declaration, self._mount.scope)

    def request(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        return self._bind(self._plan, *args, **kwargs)

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """The same endpoint with other options: `timeout`, `deadline`, `retry`, `cancel`, `headers`, `query`, ...

        Raises:
            ConfigurationError: one cannot be used.
        """
        layer = call_options(options, self.__qualname__)
        return self._make(self._compiled, self._mount, self._declaration, layer.over(self._options))

    def __repr__(self) -> str:
        """Show name, method, path and result."""
        spec = self._compiled.spec
        return f"<{self.__qualname__}: {spec.method} {spec.path} -> {name_of(spec.returns)}>"


class Endpoint(Bound[P, T_co]):
    """A synchronous stub on a client: call it for its result, or through `.aio` for a coroutine of it."""

    _aio: AsyncEndpoint[P, T_co] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        plan = self._plan
        request = self._bind(plan, *args, **kwargs)
        response = run_sync(self._core.run(plan, request, SYNC), plan.name)
        return cast("T_co", response if self._wants_response else response._data)

    @overload
    def response(self: Endpoint[P, Response[R]], *args: P.args, **kwargs: P.kwargs) -> Response[R]: ...
    @overload
    def response(self, *args: P.args, **kwargs: P.kwargs) -> Response[T_co]: ...
    def response(self, *args: P.args, **kwargs: P.kwargs) -> Response[Any]:
        plan = self._plan
        request = self._bind(plan, *args, **kwargs)
        return run_sync(self._core.run(plan, request, SYNC), plan.name)

    @property
    def aio(self) -> AsyncEndpoint[P, T_co]:
        """The asynchronous twin of this endpoint."""
        if self._aio is None:
            self._aio = AsyncEndpoint._make(self._compiled, self._mount, self._declaration, self._options)
        return self._aio


class AsyncEndpoint(Bound[P, T_co]):
    """An `async def` stub on a client, or any endpoint's `.aio`: call it for a coroutine of its result."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        plan = self._plan
        request = self._bind(plan, *args, **kwargs)
        response = await self._core.run(plan, request, current())
        return cast("T_co", response if self._wants_response else response._data)

    @overload
    async def response(self: AsyncEndpoint[P, Response[R]], *args: P.args, **kwargs: P.kwargs) -> Response[R]: ...
    @overload
    async def response(self, *args: P.args, **kwargs: P.kwargs) -> Response[T_co]: ...
    async def response(self, *args: P.args, **kwargs: P.kwargs) -> Response[Any]:
        plan = self._plan
        request = self._bind(plan, *args, **kwargs)
        return await self._core.run(plan, request, current())


class LazyBound(Bound[P, T_co]):
    """What both colours of a lazy endpoint share."""

    @property
    def _lazy(self) -> Lazy:
        """How the result is made."""
        return cast("Lazy", self._compiled.lazy)

    if not TYPE_CHECKING:  # pragma: no branch - to checkers there is none

        @property
        def response(self) -> Never:
            """Nothing.

            Raises:
                AttributeError: always, with what to write.
            """
            raise AttributeError(
                f"{self.__qualname__} returns {name_of(self.spec.returns)}, which fetches while it is iterated: each "
                "page of .pages(), and an open stream, has a response of its own"
            )


class LazyEndpoint(LazyBound[P, T_co], Generic[P, T_co, A_co]):
    """A stub that returns `Pages` or `Stream`: calling it sends nothing, iterating what it returns does.

    Wrong arguments are refused by the call. It has no `.response`: each page has its own, and so has an open stream.
    """

    _aio: AsyncLazyEndpoint[P, A_co] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        request = self._bind(self._plan, *args, **kwargs)
        return cast("T_co", self._lazy.sync(self._core, self._plan, request))

    @property
    def aio(self) -> AsyncLazyEndpoint[P, A_co]:
        """The asynchronous twin of this endpoint, whose result is not awaited but iterated with `async for`."""
        if self._aio is None:
            self._aio = AsyncLazyEndpoint._make(self._compiled, self._mount, self._declaration, self._options)
        return self._aio


class AsyncLazyEndpoint(LazyBound[P, T_co]):
    """A stub that returns `AsyncPages` or `AsyncStream`, or the `.aio` of one that returns `Pages` or `Stream`."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        request = self._bind(self._plan, *args, **kwargs)
        return cast("T_co", self._lazy.asynchronous(self._core, self._plan, request))


def call_options(options: CallOptions, where: str) -> Options:
    """A layer of options from `with_options`.

    Raises:
        ConfigurationError: one cannot be used.
        TypeError: there is none of that name.
    """
    for name in options:
        if name not in CallOptions.__annotations__:
            known = ", ".join(CallOptions.__annotations__)
            raise TypeError(f"with_options() got an unexpected option {name!r}; the options are {known}")
    return check(Options(**cast("dict[str, Any]", options)), f"{where}.with_options")


def mount_of(instance: object) -> Mount:
    """Where a client or a resource stands.

    Raises:
        TypeError: it was not reached through a client.
    """
    mount: Mount | None = vars(instance).get(MOUNT)
    if mount is None:
        name = type(instance).__name__
        if hasattr(instance, "base_url"):
            raise TypeError(f"{name} was not made ready: call super().__init__(...) in its __init__")
        raise TypeError(f"{name} belongs to no client: annotate it there, as in `{name.lower()}: {name}`")
    return mount
