"""Routes: what a decorated stub is on its class.

This module's rule: a route stands on the class; bound to a client it compiles its stub, once, and hands out an
endpoint, which the client keeps.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Generic, Never, ParamSpec, Self, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from stubwire import _compile, _lazy
from stubwire._accept import accept
from stubwire._annotations import SCOPE, Scope, name_of, raw_annotations
from stubwire._bind import compile_bind
from stubwire._decode import decoder, result_type
from stubwire._endpoint import AsyncEndpoint, AsyncLazyEndpoint, Endpoint, LazyEndpoint, mount_of
from stubwire._fold import Compiled
from stubwire._options import DEFAULTS, Options
from stubwire._signature import signature
from stubwire._template import Template
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stubwire._codecs import Codec
    from stubwire._declaration import Declaration
    from stubwire._endpoint import Bound
    from stubwire._fold import Mount
    from stubwire._spec import EndpointSpec
    from stubwire.markers import Style

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)

PATH = "__stubwire_path__"
"""Where the class of a resource keeps its path."""

_NO_OPTIONS = Options()
_MOST_KEPT = 100


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
        compiled = self._compiled_for(type(instance), mount)
        endpoint = self._kind(compiled)._make(compiled, mount, self._declaration, _NO_OPTIONS)
        for name in self._names:
            if inspect.getattr_static(type(instance), name, None) is self:  # it is not reached through `super()`
                vars(instance)[name] = endpoint
        return endpoint

    def _kind(self, compiled: Compiled) -> type[Bound[P, T_co]]:
        """The class of the stub's endpoints."""
        kinds: tuple[type[Bound[..., object]], type[Bound[..., object]]]
        if compiled.lazy is None:
            kinds, asynchronous = (Endpoint, AsyncEndpoint), self._declaration.is_async
        else:
            kinds, asynchronous = (LazyEndpoint, AsyncLazyEndpoint), _lazy.is_asynchronous(compiled.spec.returns)
        return cast("type[Bound[P, T_co]]", kinds[asynchronous])

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

    def _compiled_for(self, owner: type, mount: Mount) -> Compiled:
        """The stub, compiled for an owner; made once for each prefix and type argument, and what its client says."""
        key = (mount.prefix.text, mount.scope.fixed, mount.lower.query_style, mount.lower.codecs)
        if not _is_hashable(key):
            return self._compile(owner, mount)
        if self._compiled is None:
            self._compiled = WeakKeyDictionary()
        made = self._compiled.setdefault(owner, {})
        if len(made) > _MOST_KEPT:  # clients that each bring codecs of their own
            made.clear()
        return made[key] if key in made else made.setdefault(key, self._compile(owner, mount))

    def _compile(self, owner: type, mount: Mount) -> Compiled:
        declaration, options = self._declaration, self._declaration.options
        client = mount.lower.over(DEFAULTS)
        style = cast("Style", options.get("query_style", client.query_style))
        codecs = cast("Sequence[Codec]", client.codecs)
        spec = _compile.specify(declaration, owner, mount.scope, mount.prefix, style)
        template = _compile.full_path(declaration, mount.prefix, spec.name)
        lazy = _lazy.compiled(spec, options, codecs)
        data_type, wants_response = result_type(spec.returns)
        return Compiled(
            spec=spec,
            template=template,
            bind=compile_bind(spec, template, style, codecs),
            decode=lazy.decode
            if lazy
            else decoder(data_type, spec.unwrap, spec.name, responses=options.get("responses"), codecs=codecs),
            wants_response=wants_response,
            lazy=lazy,
            accept=lazy.accept if lazy else accept(data_type, spec.unwrap, codecs),
            options=_compile.verb_layer(declaration.options),
            key=options.get("idempotency_key", False),
        )


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
