"""Endpoints: what a decorated stub is on the class, and what it is on a client.

This module's rule: thin. A `Route` stands on the class; bound to a client it hands out an `Endpoint` or an
`AsyncEndpoint`, which bind arguments, run the core in their colour, and return what the stub declares.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, Self, TypeVar, Unpack, cast, overload
from weakref import WeakKeyDictionary

from stubwire import _compile
from stubwire._annotations import SCOPE, Scope, name_of, raw_annotations
from stubwire._bind import compile_bind
from stubwire._decode import decoder, result_type
from stubwire._fold import Compiled, Mount
from stubwire._fold import plan as fold
from stubwire._options import CallOptions, Options, check
from stubwire._runtime import SYNC, current, run_sync
from stubwire._signature import signature
from stubwire._template import Template
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._bind import Bind
    from stubwire._core import Core
    from stubwire._declaration import Declaration
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._spec import EndpointSpec

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

PATH = "__stubwire_path__"
"""Where the class of a resource keeps its path."""

MOUNT = "__stubwire_mount__"
"""Where a client or a resource keeps its `Mount`."""

_NO_OPTIONS = Options()


class Route(Generic[P, T_co]):
    """A decorated stub, as its class holds it: `GitHub.user_repos`.

    It is called on a client, not on the class.
    """

    def __init__(self, declaration: Declaration) -> None:
        stub = declaration.stub
        self.__name__: str = stub.__name__
        self.__qualname__: str = stub.__qualname__
        self.__module__: str = stub.__module__
        self.__doc__: str | None = stub.__doc__
        self._declaration: Declaration = declaration
        self._owner: type | None = None
        self._names: tuple[str, ...] = ()
        self._compiled: WeakKeyDictionary[type, dict[object, Compiled]] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the class, and the name there; what is wrong is found when the class is ready."""
        self._owner = self._owner or owner
        self._names = (*self._names, name)

    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None, /) -> Endpoint[P, T_co]: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> object:
        """On a class, the route itself; on a client or resource, its endpoint, made once and kept there."""
        if instance is None:
            return self if owner is None or owner is self._owner else self._inherited_by(owner)
        mount = mount_of(instance)
        compiled = self._compiled_for(type(instance), mount.scope, mount.prefix)
        kind = cast("type[_Bound[P, T_co]]", AsyncEndpoint if self._declaration.is_async else Endpoint)
        endpoint = kind._make(compiled, mount, self._declaration, _NO_OPTIONS)
        for name in self._names:
            if inspect.getattr_static(type(instance), name, None) is self:  # it is not reached through `super()`
                vars(instance)[name] = endpoint
        return endpoint

    if not TYPE_CHECKING:  # pragma: no branch - checkers say by themselves that a route is not called

        def __call__(self, *_args, **_kwargs):
            self._refuse_call()

        def __getitem__(self, item):
            self._refuse_subscript()

    def _refuse_call(self) -> Never:
        owner = self._owner
        if owner is None:
            raise self._hides_its_name(f"`import stubwire as sw` and `@sw.{self.__name__}(...)` there")
        kind = owner.__name__
        advice = (
            f"annotate {kind.lower()}: {kind} there"
            if not hasattr(owner, "base_url")
            else f"{kind}().{self.__name__}(...)"
        )
        raise TypeError(f"{kind}.{self.__name__} is called on a client: {advice}")

    def _refuse_subscript(self) -> Never:
        raise self._hides_its_name(
            f"`import builtins` and `builtins.{self.__name__}[...]` there, or `from __future__ import annotations`"
        )

    def _hides_its_name(self, advice: str) -> SpecError:
        """An endpoint called `get` or `list` stands for the verb or the builtin in the rest of the class body."""
        return SpecError(
            f"{self._shown_name} is an endpoint, which hides the name {self.__name__!r} for the rest of the class "
            f"body: write {advice}"
        )

    @property
    def _shown_name(self) -> str:
        return self.__qualname__.rpartition("<locals>.")[2]

    @property
    def spec(self) -> EndpointSpec:
        """What the stub declares.

        Raises:
            SpecError: a name in its annotations is not defined.
        """
        owner = self._owner
        if owner is None:
            raise SpecError(f"{self._shown_name} stands in no class yet")
        scope, prefix = scope_of(owner), prefix_of(owner)
        return _compile.specify(self._declaration, owner, scope, prefix)

    @property
    def __signature__(self) -> inspect.Signature:
        """The stub's signature without `self`."""
        return signature(self._declaration, scope_of(self._owner or object))

    def __repr__(self) -> str:
        """Show method, path and result."""
        raw = raw_annotations(self._declaration.stub).get("return")
        returns = raw if isinstance(raw, str) else name_of(raw)
        prefix = prefix_of(self._owner).text if self._owner else ""
        return f"<{self._declaration.method} {prefix}{self._declaration.path} -> {returns}>"

    def _inherited_by(self, owner: type) -> Route[P, T_co]:
        route: Route[P, T_co] = Route(self._declaration)
        route._owner = owner
        return route

    def _compiled_for(self, owner: type, scope: Scope, prefix: Template) -> Compiled:
        """The stub, compiled for an owner; made once for each prefix and type argument."""
        key = (prefix.text, scope.fixed)
        if not _is_hashable(key):
            return self._compile(owner, scope, prefix)
        if self._compiled is None:
            self._compiled = WeakKeyDictionary()
        made = self._compiled.setdefault(owner, {})
        return made[key] if key in made else made.setdefault(key, self._compile(owner, scope, prefix))

    def _compile(self, owner: type, scope: Scope, prefix: Template) -> Compiled:
        declaration = self._declaration
        spec = _compile.specify(declaration, owner, scope, prefix)
        template = _compile.full_path(declaration, prefix, spec.name)
        data_type, wants_response = result_type(spec.returns)
        return Compiled(
            spec=spec,
            template=template,
            bind=compile_bind(spec, template),
            decode=decoder(data_type, spec.unwrap, spec.name),
            wants_response=wants_response,
            options=_compile.verb_layer(declaration.options),
            key=declaration.options.get("idempotency_key", False),
        )


class _Bound(Generic[P, T_co]):
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
        """The same endpoint with other options: `timeout`, `retry`, `headers`, `query`, `auth`, `idempotency_key`.

        Raises:
            ConfigurationError: one cannot be used.
        """
        layer = call_options(options, self.__qualname__)
        return self._make(self._compiled, self._mount, self._declaration, layer.over(self._options))

    def __repr__(self) -> str:
        """Show name, method, path and result."""
        spec = self._compiled.spec
        return f"<{self.__qualname__}: {spec.method} {spec.path} -> {name_of(spec.returns)}>"


class Endpoint(_Bound[P, T_co]):
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


class AsyncEndpoint(_Bound[P, T_co]):
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


def scope_of(owner: type) -> Scope:
    """The names that the annotations of a class may use."""
    scope: Scope | None = owner.__dict__.get(SCOPE)
    return scope or Scope(owner, {})


def prefix_of(owner: type) -> Template:
    """The path of a resource class; nothing for a client."""
    prefix: Template = getattr(owner, PATH, Template("", ()))
    return prefix


def _is_hashable(key: object) -> bool:
    """Whether a type argument can be a key: `Annotated[int, [1]]` cannot."""
    try:
        hash(key)
    except TypeError:
        return False
    return True
