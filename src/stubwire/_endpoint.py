"""Endpoints: what a decorated stub is on the class, and what it is on a client.

This module's rule: thin. A `Route` stands on the class; bound to a client it hands out an `Endpoint` or an
`AsyncEndpoint`, which bind arguments, run the core in their colour, and return what the stub declares.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, Self, cast, overload
from weakref import WeakKeyDictionary

from typing_extensions import TypeVar, Unpack

from stubwire import _compile
from stubwire._annotations import Scope, name_of, raw_annotations
from stubwire._bind import compile_bind
from stubwire._declaration import Declaration
from stubwire._decode import decoder, result_type
from stubwire._fold import Compiled, Mount
from stubwire._fold import plan as fold
from stubwire._options import CallOptions, Options, check
from stubwire._response import Response
from stubwire._runtime import SYNC, current, run_sync
from stubwire._template import Template
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._spec import EndpointSpec

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

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
        self._compiled: WeakKeyDictionary[type, dict[object, Compiled]] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the class; `check` at its creation does the rest."""
        self._owner = owner

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Endpoint[P, T_co]: ...
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> object:
        """On a class, the route itself; on a client or resource, its endpoint, made once and kept there."""
        if instance is None:
            return self if owner is None or owner is self._owner else self._inherited_by(owner)
        mount = mount_of(instance)
        compiled = self.compiled(type(instance), mount.scope, mount.prefix)
        kind = AsyncEndpoint if self._declaration.is_async else Endpoint
        endpoint = kind(compiled, mount, self._declaration, _NO_OPTIONS)
        vars(instance)[self.__name__] = endpoint
        return endpoint

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Never:
        owner = self._owner
        if owner is None:
            raise SpecError(
                f"{self.__qualname__} is an endpoint, which hides the name {self.__name__!r} for the rest of the class "
                f"body: write `import stubwire as sw` and `@sw.{self.__name__}(...)` there"
            )
        raise TypeError(f"{owner.__name__}.{self.__name__} is called on a client: {owner.__name__}().{self.__name__}(...)")

    def __getitem__(self, item: object) -> Never:
        """Explain: an endpoint called `list` hides the builtin for the rest of the class body."""
        raise SpecError(
            f"{self.__qualname__} is an endpoint, which hides the name {self.__name__!r} for the rest of the class "
            f"body: write `import builtins` and `builtins.{self.__name__}[...]` there, or "
            "`from __future__ import annotations`"
        )

    @property
    def spec(self) -> EndpointSpec:
        """What the stub declares.

        Raises:
            SpecError: a name in its annotations is not defined.
        """
        owner = self._owner
        if owner is None:
            raise SpecError(f"{self.__qualname__} stands in no class yet")
        scope, prefix = scope_of(owner), prefix_of(owner)
        return _compile.specify(self._declaration, owner, scope, prefix)

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self._declaration.stub, skip_self=True)

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

    def check(self, owner: type, scope: Scope, prefix: Template) -> None:
        """See `_compile.check`."""
        _compile.check(self._declaration, owner, scope, prefix)

    def compiled(self, owner: type, scope: Scope, prefix: Template) -> Compiled:
        """The stub, compiled for an owner; made once for each prefix and type argument."""
        if self._compiled is None:
            self._compiled = WeakKeyDictionary()
        made = self._compiled.setdefault(owner, {})
        key = (prefix.text, tuple(scope.environment.values()))
        try:
            if key in made:
                return made[key]
            return made.setdefault(key, self._compile(owner, scope, prefix))
        except TypeError:  # an unhashable type argument
            return self._compile(owner, scope, prefix)

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


class _Bound(Generic[P]):
    """What both colours of a bound endpoint share."""

    def __init__(self, compiled: Compiled, mount: Mount, declaration: Declaration, options: Options) -> None:
        stub = declaration.stub
        self.__name__: str = stub.__name__
        self.__qualname__: str = f"{mount.name}.{stub.__name__}"
        self.__module__: str = stub.__module__
        self.__doc__: str | None = stub.__doc__
        self._compiled: Compiled = compiled
        self._mount: Mount = mount
        self._declaration: Declaration = declaration
        self._options: Options = options
        self._plan: Plan = fold(compiled, mount, options, self.__qualname__)
        self._bind = self._plan.bind
        self._core = mount.core
        self._wants_response: bool = compiled.wants_response

    @property
    def spec(self) -> EndpointSpec:
        """What the stub declares."""
        return self._compiled.spec

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self._declaration.stub, skip_self=True)

    def request(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        return self._bind(self._plan, *args, **kwargs)

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """The same endpoint with other options: `timeout`, `retry`, `headers`, `query`, `auth`, `idempotency_key`.

        Raises:
            ConfigurationError: one cannot be used.
        """
        layer = call_options(options, self.__qualname__)
        return type(self)(self._compiled, self._mount, self._declaration, layer.over(self._options))

    def __repr__(self) -> str:
        """Show name, method, path and result."""
        spec = self._compiled.spec
        return f"<{self.__qualname__}: {spec.method} {spec.path} -> {name_of(spec.returns)}>"


class Endpoint(_Bound[P], Generic[P, T_co]):
    """A synchronous stub on a client: call it for its result, or through `.aio` for a coroutine of it."""

    _aio: AsyncEndpoint[P, T_co] | None = None

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Route[P, T_co]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Self: ...
        def __get__(self, instance: object, owner: type[Any] | None = None, /) -> object: ...

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
            self._aio = AsyncEndpoint(self._compiled, self._mount, self._declaration, self._options)
        return self._aio


class AsyncEndpoint(_Bound[P], Generic[P, T_co]):
    """An `async def` stub on a client, or any endpoint's `.aio`: call it for a coroutine of its result."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Route[P, T_co]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Self: ...
        def __get__(self, instance: object, owner: type[Any] | None = None, /) -> object: ...

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
    mount: Mount | None = vars(instance).get("__stubwire_mount__")
    if mount is None:
        name = type(instance).__name__
        raise TypeError(f"{name} belongs to no client: annotate it there, as in `{name.lower()}: {name}`")
    return mount


def scope_of(owner: type) -> Scope:
    """The names that the annotations of a class may use."""
    scope: Scope | None = owner.__dict__.get("__stubwire_scope__")
    return scope or Scope(owner, {})


def prefix_of(owner: type) -> Template:
    """The path of a resource class; nothing for a client."""
    prefix: Template = getattr(owner, "__stubwire_path__", Template("", ()))
    return prefix


def routes_of(owner: type, *, inherited: bool) -> list[Route[..., object]]:
    """The routes of a class, its own or all."""
    names = dir(owner) if inherited else list(vars(owner))
    found = (inspect.getattr_static(owner, name) for name in names)
    return [item for item in found if isinstance(item, Route)]


def _signature(stub: FunctionType, *, skip_self: bool) -> inspect.Signature:
    signature = inspect.signature(stub)
    return signature.replace(parameters=list(signature.parameters.values())[int(skip_self) :])
