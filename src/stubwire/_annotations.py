"""From what was written after a colon to a type.

This module's rule: it looks names up and fills in type variables; what a type means to a stub is decided elsewhere.
Names are looked up in: type parameters, the frame that made the class, the module, builtins, and last the class body
(where an endpoint may hide a builtin such as `list`).
"""

from __future__ import annotations

import builtins
import sys
import typing
from collections import ChainMap
from collections.abc import Mapping
from types import FunctionType, GenericAlias
from typing import Annotated, Any, ForwardRef, Generic, Literal, Protocol, TypeVar, get_args, get_origin

Environment = Mapping[object, object]
"""What type variables stand for."""


def creating_locals() -> Mapping[str, object]:
    """The locals of the function that is creating a class, empty at module level.

    To be called from `__init_subclass__`; overrides of it on the way are passed over.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name == "__init_subclass__":
        frame = frame.f_back
    return {} if frame.f_code.co_name == "<module>" else frame.f_locals


class Scope:
    """The names and type variables that the annotations of one owner class may use.

    Each distinct annotation is evaluated once.
    """

    def __init__(self, owner: type, local: Mapping[str, object], alias: object = None) -> None:
        variables = {p.__name__: p for base in reversed(owner.__mro__) for p in getattr(base, "__type_params__", ())}
        self._owner = owner
        self._local = local
        self._variables: dict[str, object] = variables
        self.environment: dict[object, object] = {**type_arguments(owner), **_alias_arguments(alias)}
        self._known: dict[tuple[int, object], object] = {}

    def resolve(self, hint: object, module: dict[str, Any]) -> object:
        """The type that an annotation stands for.

        Raises:
            NameError: it has a name that is not defined yet.
        """
        try:
            key = (id(module), hint)
            known = self._known.get(key, self)
        except TypeError:  # an unhashable annotation, such as Annotated with a list
            return self._evaluate(hint, module)
        if known is self:
            known = self._known[key] = self._evaluate(hint, module)
        return known

    def _evaluate(self, hint: object, module: dict[str, Any]) -> object:
        names = ChainMap(self._variables, dict(self._local), module, vars(builtins), dict(vars(self._owner)))
        while isinstance(hint, (str, ForwardRef)):
            text = hint if isinstance(hint, str) else hint.__forward_arg__
            hint = eval(text, module, names)
        if _has_text(hint):
            holder = FunctionType((lambda: None).__code__, module)
            holder.__annotations__ = {"hint": hint}
            hint = typing.get_type_hints(holder, module, names, include_extras=True)["hint"]
        return substitute(hint, self.environment)


def raw_annotations(stub: FunctionType) -> dict[str, Any]:
    """A function's annotations as they were written: types, text, or forward references."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(stub, format=Format.FORWARDREF)
    return stub.__annotations__


def class_annotations(owner: type) -> dict[str, Any]:
    """The annotations in a class's own body, as they were written."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(owner, format=Format.FORWARDREF)
    return dict(owner.__dict__.get("__annotations__", {}))


def _has_text(hint: object) -> bool:
    """Whether text stands inside a type, as in `list["Repo"]`."""
    origin = get_origin(hint)
    if origin is None or origin is Literal:
        return False
    args = get_args(hint)[:1] if origin is Annotated else get_args(hint)
    return any(isinstance(arg, (str, ForwardRef)) or _has_text(arg) for arg in args)


def type_arguments(owner: type) -> dict[object, object]:
    """What the generic bases of a class fix their type variables to, through several levels of inheritance."""
    found: dict[object, object] = {}
    todo: list[tuple[type, dict[object, object]]] = [(owner, {})]
    for klass, environment in todo:
        for base in klass.__dict__.get("__orig_bases__", klass.__bases__):
            origin = get_origin(base) or base
            if origin in (Generic, Protocol, object):
                continue
            arguments = [substitute(argument, environment) for argument in get_args(base)]
            own: dict[object, object] = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
            found.update(own)
            todo.append((origin, own))
    return found


def _alias_arguments(alias: object) -> dict[object, object]:
    """What `Crud[Repo]` fixes the type variables of `Crud` to."""
    return dict(zip(getattr(get_origin(alias), "__parameters__", ()), get_args(alias), strict=False))


def substitute(hint: Any, environment: Environment) -> Any:
    """The type with its type variables filled in."""
    if isinstance(hint, TypeVar):
        return environment.get(hint, hint)
    free: tuple[object, ...] = getattr(hint, "__parameters__", ())
    if not free or get_origin(hint) is None or not environment:
        return hint
    return hint[tuple(environment.get(variable, variable) for variable in free)]


def free_variables(hint: object) -> tuple[object, ...]:
    """The type variables that nothing has filled in."""
    if isinstance(hint, TypeVar):
        return (hint,)
    return getattr(hint, "__parameters__", ()) if get_origin(hint) is not None else ()


def name_of(hint: object) -> str:
    """A type as a person writes it, for messages and reprs."""
    if hint is None or hint is type(None):
        return "None"
    if isinstance(hint, type) and not isinstance(hint, GenericAlias):
        return hint.__qualname__.rpartition("<locals>.")[2]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return name_of(args[0])
    if origin is None:
        return str(getattr(hint, "__name__", hint)).replace("typing.", "")
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    names = [name_of(arg) if arg is not ... else "..." for arg in args]
    if origin is typing.Union or type(hint).__name__ == "UnionType":
        return " | ".join(names)
    return f"{name_of(origin)}[{', '.join(names)}]"
