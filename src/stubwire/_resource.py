"""Resources: endpoints grouped under a name and a path.

This module's rule: a slot on the class makes the resource at first access and keeps it on its client.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, cast, get_origin

from stubwire import _compile
from stubwire._annotations import SCOPE, Scope, class_annotations, creating_locals
from stubwire._endpoint import MOUNT, mount_of
from stubwire._route import PATH, Route, prefix_of, scope_of
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._template import Template
    from stubwire.markers import Style


class Resource:
    """A group of endpoints: annotate it on a client, or on another resource, and reach it by that name.

        class Issues(Resource, path="/repos/<owner>/<repo>/issues"):
            @get("")
            def find(self, owner: str, repo: str) -> list[Issue]: ...

        class GitHub(ApiClient):
            issues: Issues

    Its path goes before those of its stubs, which supply its placeholders; that of the resource that holds it goes
    before both. It reserves no names.
    """

    def __init_subclass__(cls, *, path: str = "", **kwargs: object) -> None:
        """Check every declaration.

        Raises:
            SpecError: one is wrong.
        """
        super().__init_subclass__(**kwargs)
        if not isinstance(cast("object", path), str):
            raise SpecError(f"{cls.__name__}: path={path!r} is no text: write path='/...'")
        if path:
            setattr(cls, PATH, _compile.parse_path(path.rstrip("/"), cls.__name__))
        prepare(cls, prefix_of(cls), creating_locals(), frozenset())

    def __repr__(self) -> str:
        """Show where it stands."""
        mount = vars(self).get(MOUNT)
        return f"<{mount.name if mount else type(self).__name__}>"


class ResourceSlot:
    """A resource's place on a class."""

    def __init__(self, name: str, hint: object, holder: type) -> None:
        self._name = name
        self._hint = hint
        self._holder = holder

    def __get__(self, instance: object, owner: type) -> object:
        """On a class, the resource's class; on a client, the resource itself, made once."""
        if instance is None:
            return self.found(scope_of(owner))[0]
        mount = mount_of(instance)
        kind, scope = self.found(mount.scope)
        resource = kind()
        vars(resource)[MOUNT] = replace(
            mount, name=f"{mount.name}.{self._name}", prefix=self.path(mount.prefix, kind), scope=scope
        )
        if getattr_static(owner, self._name, None) is self:  # it was not reached through `super()`
            vars(instance)[self._name] = resource
        return resource

    def found(self, scope: Scope) -> tuple[type[Resource], Scope]:
        """The resource's class, and the names and types of its annotations.

        Raises:
            AttributeError: the annotation is of something else, or its name is not defined yet.
        """
        try:
            hint = scope.resolve(self._hint, module_of(self._holder), self._holder)
        except NameError as error:
            reason = f": the name {error.name!r} in its annotation is not defined"
        else:
            kind = resource_class(hint)
            if kind is not None:
                return kind, scope_of(kind) if hint is kind else scope_of(kind).filled(hint)
            reason = ""
        raise AttributeError(f"{self._holder.__name__!r} has no attribute {self._name!r}{reason}")

    def path(self, prefix: Template, kind: type[Resource]) -> Template:
        """The path of the resource below that of what holds it."""
        return _compile.join_path(prefix, prefix_of(kind), f"{self._holder.__name__}.{self._name}")

    def check(
        self,
        scope: Scope,
        prefix: Template,
        *,
        mounted: bool,
        style: Style | None,
        above: tuple[type, ...] = (),
    ) -> None:
        """Check the resource once more where it stands: behind the path, and with the types, of what holds it.

        Raises:
            SpecError: it cannot stand there.
        """
        try:
            kind, inner = self.found(scope)
        except AttributeError:  # perhaps a resource that is defined later
            return
        if kind in above:  # it holds itself
            return
        path = self.path(prefix, kind)
        for item in _items(kind.__mro__).values():
            if isinstance(item, ResourceSlot):
                item.check(inner, path, mounted=mounted, style=style, above=(*above, kind))
            else:
                _compile.check(item._declaration, kind, inner, path, mounted=mounted, style=style)


def resource_class(hint: object) -> type[Resource] | None:
    """The class of `Issues` or `Crud[Repo]`; `None` for what is no resource."""
    kind = get_origin(hint) or hint
    return kind if isinstance(kind, type) and issubclass(kind, Resource) else None


def module_of(owner: type) -> dict[str, Any]:
    """The names of the module that a class stands in."""
    module = sys.modules.get(owner.__module__)
    return vars(module) if module is not None else {}


def prepare(owner: type, prefix: Template, local: Mapping[str, object], reserved: frozenset[str]) -> None:
    """Check a new class of endpoints, and make slots for its resources.

    Raises:
        SpecError: a declaration is wrong, or has a reserved name.
    """
    scope = Scope(owner, local)
    setattr(owner, SCOPE, scope)
    for name, hint in class_annotations(owner).items():
        if name not in vars(owner) and _is_resource(hint, owner, scope, reserved=name in reserved):
            setattr(owner, name, ResourceSlot(name, hint, owner))
    mounted = Resource not in owner.__mro__
    style = _style(owner) if mounted else None
    for name, item in _items(_unchecked(owner, scope)).items():
        if name in reserved:
            raise SpecError(f"{owner.__name__}.{name}: every client has something of this name: write {name}_")
        if isinstance(item, ResourceSlot):
            item.check(scope, prefix, mounted=mounted, style=style)
        else:
            _compile.check(item._declaration, owner, scope, prefix, mounted=mounted, style=style)


def _style(owner: type) -> Style | None:
    """How a client's class writes lists and objects; what is no style is refused with its other options."""
    stated: object = getattr(owner, "query_style", None)
    return cast("Style", stated) if isinstance(stated, str) else None


def _unchecked(owner: type, scope: Scope) -> tuple[type, ...]:
    """The classes whose endpoints and resources were not checked as this class has them.

    It inherits what was checked, unless it fills in a type variable, has a path or a query style of its own, or has a
    base with endpoints that is no client or resource.
    """
    if scope.fixed or not {PATH, "query_style"}.isdisjoint(vars(owner)) or any(map(_is_mixin, owner.__mro__)):
        return owner.__mro__
    return (owner,)


def _is_mixin(kind: type) -> bool:
    return SCOPE not in vars(kind) and any(isinstance(item, Route) for item in vars(kind).values())


def _items(kinds: tuple[type, ...]) -> dict[str, Route[..., object] | ResourceSlot]:
    """The endpoints and resources of a class, by name, without those that it overrides."""
    found: dict[str, object] = {}
    for kind in reversed(kinds):
        found.update(vars(kind))
    for name, item in found.items():
        if isinstance(getattr(item, "__func__", getattr(item, "fget", None)), Route):
            raise SpecError(f"{kinds[0].__name__}.{name}: write the verb above @{type(item).__name__}, or drop that")
    return {name: item for name, item in found.items() if isinstance(item, (Route, ResourceSlot))}


def _is_resource(hint: object, owner: type, scope: Scope, *, reserved: bool) -> bool:
    """Whether an annotation in a class is one of a resource, or could be of one that is defined later."""
    try:
        return resource_class(scope.resolve(hint, module_of(owner))) is not None
    except NameError:
        return not reserved
    except Exception:  # noqa: BLE001 - an annotation of something else; it is not ours to judge
        return False
