"""Resources: endpoints grouped under a name and a path.

This module's rule: a slot on the class makes the resource at first access and keeps it on its client.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast, get_origin

from stubwire import _compile, _template
from stubwire._annotations import Scope, class_annotations, creating_locals
from stubwire._endpoint import Route, mount_of, prefix_of, routes_of, scope_of
from stubwire._template import Template
from stubwire.errors import SpecError


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
        own = _compile.parse_path(path.rstrip("/"), cls.__name__)
        inherited = prefix_of(cls)
        setattr(cls, "__stubwire_path__", own if path else inherited)
        prepare(cls, prefix_of(cls), creating_locals(), frozenset())

    def __repr__(self) -> str:
        """Show where it stands."""
        mount = vars(self).get("__stubwire_mount__")
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
            return resource_class(self._resolved(scope_of(self._holder)))
        mount = mount_of(instance)
        resolved = self._resolved(scope_of(type(instance)))
        kind = resource_class(resolved)
        scope = scope_of(kind)
        if resolved is not kind:
            scope = Scope(kind, {}, alias=resolved)
        resource = kind()
        vars(resource)["__stubwire_mount__"] = replace(
            mount, name=f"{mount.name}.{self._name}", prefix=_template.join(mount.prefix, prefix_of(kind)), scope=scope
        )
        vars(instance)[self._name] = resource
        return resource

    def _resolved(self, scope: Scope) -> object:
        try:
            hint = scope.resolve(self._hint, module_of(self._holder))
        except NameError:
            hint = None
        if resource_class(hint) is None:
            raise AttributeError(f"{self._holder.__name__!r} has no attribute {self._name!r}")
        return hint


def resource_class(hint: object) -> type[Resource] | None:
    """The class of `Issues` or `Crud[Repo]`; `None` for what is no resource."""
    kind = get_origin(hint) or hint
    return cast("type[Resource]", kind) if isinstance(kind, type) and issubclass(kind, Resource) else None


def module_of(owner: type) -> dict[str, Any]:
    """The names of the module that a class stands in."""
    import sys

    module = sys.modules.get(owner.__module__)
    return vars(module) if module is not None else {}


def prepare(owner: type, prefix: Template, local: Mapping[str, object], reserved: frozenset[str]) -> None:
    """Check a new class of endpoints, and make slots for its resources.

    Raises:
        SpecError: a declaration is wrong, or has a reserved name.
    """
    scope = Scope(owner, local)
    setattr(owner, "__stubwire_scope__", scope)
    for route in routes_of(owner, inherited=bool(scope.environment) or prefix != prefix_of(owner)):
        _check_name(route.__name__, owner, reserved)
        _check(route, owner, scope, prefix)
    for name, hint in class_annotations(owner).items():
        if name in vars(owner) or name.startswith("_"):
            continue
        try:
            kind = resource_class(scope.resolve(hint, module_of(owner)))
        except NameError:  # perhaps a resource that is defined later
            kind = Resource
        except Exception:  # noqa: BLE001, S112 - an annotation for something else; it is not ours to judge
            continue
        if kind is not None and (kind is not Resource or name not in reserved):
            _check_name(name, owner, reserved)
            setattr(owner, name, ResourceSlot(name, hint, owner))
            _check_mounted(kind, prefix)


def _check(route: Route[..., object], owner: type, scope: Scope, prefix: Template) -> None:
    with suppress(NameError):  # a name that is defined later: the first access finds out
        route.check(owner, scope, prefix)


def _check_name(name: str, owner: type, reserved: frozenset[str]) -> None:
    if name in reserved:
        raise SpecError(f"{owner.__name__}.{name}: the name {name!r} is the client's own: call it {name + '_'!r}")


def _check_mounted(kind: type[Resource], prefix: Template) -> None:
    """Check the routes of a resource once more, behind the path of what holds it."""
    if not prefix.names or kind is Resource:
        return
    joined = _template.join(prefix, prefix_of(kind))
    for route in routes_of(kind, inherited=True):
        _check(route, kind, scope_of(kind), joined)
