"""From what was written after a colon to a type.

This module's rule: it looks names up and fills in type variables; what a type means to a stub is decided elsewhere.
Names are looked up in: type parameters, the frame that made the class, the module, builtins, and last the class body
(where an endpoint may hide a builtin such as `list`).
"""

from __future__ import annotations

import builtins
import inspect
import sys
import typing
from collections import ChainMap
from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType, UnionType
from typing import Annotated, Any, ForwardRef, Generic, Literal, Protocol, TypeVar, cast, get_args, get_origin

Environment = Mapping[object, object]
"""What type variables stand for."""

UNIONS = (typing.Union, UnionType)

SCOPE = "__stubwire_scope__"
"""Where a class keeps its `Scope`."""

_BETWEEN = ("__init_subclass__", "__new__", "<generic parameters of ")
"""Frames between a class statement's function and what runs when the class is made."""


class Stub(Protocol):
    """A function, as far as it is read."""

    __name__: str
    __qualname__: str
    __module__: str
    __annotations__: dict[str, Any]

    @property
    def __code__(self) -> CodeType: ...
    @property
    def __globals__(self) -> dict[str, Any]: ...
    @property
    def __defaults__(self) -> tuple[object, ...] | None: ...
    @property
    def __kwdefaults__(self) -> dict[str, Any] | None: ...


def creating_locals() -> Mapping[str, object]:
    """The locals of the function that is creating a class, empty at module level.

    To be called from `__init_subclass__`; overrides of it, metaclasses and the scope of type parameters (PEP 695) are
    passed over.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name.startswith(_BETWEEN):
        frame = frame.f_back
    return {} if frame.f_code.co_name == "<module>" else frame.f_locals


class Scope:
    """The names and type variables that the annotations of one class may use, its own and those it inherits.

    Each distinct text is evaluated once.

    Attributes:
        owner: the class.
        fixed: what the generic bases of the class, or an alias such as `Crud[Repo]`, fix type variables to, in order.
        roles: what was decided of parameters so far; kept here, because it holds as long as the names do.
    """

    def __init__(self, owner: type, local: Mapping[str, object], alias: object = None) -> None:
        parameters = {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
        self.owner = owner
        self._local: Mapping[str, object] = ChainMap(parameters, cast("dict[str, Any]", local)) if parameters else local
        self._arguments = type_arguments(owner, alias)
        self.roles: dict[object, dict[object, Any]] = {}
        self._known: dict[tuple[int, str], object] = {}
        self.fixed: tuple[object, ...] = tuple(
            argument for arguments in self._arguments.values() for argument in arguments.values()
        )

    def filled(self, alias: object) -> Scope:
        """The same names, with the type variables that an alias of the class fills in."""
        return Scope(self.owner, self._local, alias)

    def resolve(self, hint: object, module: dict[str, Any], declared_in: type | None = None) -> object:
        """The type that an annotation stands for.

        Args:
            hint: the annotation as it was written.
            module: the names of the module that it stands in.
            declared_in: the class that it stands in, where that is a base of this one.

        Raises:
            NameError: it has a name that is not defined yet.
            SyntaxError: its text is no expression.
        """
        if isinstance(hint, type):
            return hint
        names, owner = self, self.owner
        if declared_in is not None and declared_in is not owner:
            owner = declared_in
            names = vars(owner).get(SCOPE) or Scope(owner, self._local)
        return substitute(names._evaluate(hint, module), self._arguments.get(owner, {}))

    def _evaluate(self, hint: object, module: dict[str, Any]) -> object:
        if isinstance(hint, ForwardRef):
            hint = hint.__forward_arg__
        if isinstance(hint, str):
            key = (id(module), hint)
            if key not in self._known:
                self._known[key] = self._evaluate(self._named(hint, module), module)
            return self._known[key]
        if not has_text(hint):
            return hint
        holder = FunctionType((lambda: None).__code__, module)
        holder.__annotations__ = {"hint": hint}
        return typing.get_type_hints(holder, module, self._names(module), include_extras=True)["hint"]

    def _named(self, text: str, module: dict[str, Any]) -> object:
        try:
            return eval(text, module, self._local)  # noqa: S307 - the program's own annotations
        except NameError:
            return eval(text, module, self._names(module))  # noqa: S307
        except AttributeError as error:  # a module that is still being imported
            raise NameError(str(error), name=text) from None

    def _names(self, module: dict[str, Any]) -> ChainMap[str, Any]:
        return ChainMap(cast("dict[str, Any]", self._local), module, dict(vars(builtins)), dict(vars(self.owner)))


def declaring(owner: type, stub: Stub) -> type:
    """The class whose body has the stub: the owner, or a base of it."""
    name = stub.__qualname__.rpartition(".")[0]
    for kind in owner.__mro__:
        if kind.__qualname__ == name and kind.__module__ == stub.__module__:
            return kind
    return owner


def raw_annotations(stub: Stub) -> dict[str, Any]:
    """A function's annotations as they were written: types, text, or forward references."""
    if sys.version_info >= (3, 14):  # pragma: no cover - they are evaluated when they are asked for
        from annotationlib import Format, get_annotations

        return get_annotations(stub, format=Format.FORWARDREF)
    return stub.__annotations__


def class_annotations(owner: type) -> dict[str, Any]:
    """The annotations in a class's own body, as they were written."""
    if sys.version_info >= (3, 14):  # pragma: no cover - they are evaluated when they are asked for
        from annotationlib import Format, get_annotations

        return get_annotations(owner, format=Format.FORWARDREF)
    return inspect.get_annotations(owner)


def has_text(hint: object) -> bool:
    """Whether text stands inside a type, as in `list["Repo"]`."""
    origin = get_origin(hint)
    if origin is None or origin is Literal:
        return False
    args = get_args(hint)[:1] if origin is Annotated else get_args(hint)
    return any(isinstance(arg, (str, ForwardRef)) or has_text(arg) for arg in args)


def type_arguments(owner: type, alias: object = None) -> dict[type, dict[object, object]]:
    """What an alias and the generic bases of a class fix type variables to, by the class that they belong to."""
    found: dict[type, dict[object, object]] = {owner: _fixed(owner, get_args(alias))}
    todo = [owner]
    for kind in todo:  # grows on the way, by the bases of each
        for base in kind.__dict__.get("__orig_bases__", kind.__bases__):
            origin = get_origin(base) or base
            if origin in (Generic, Protocol, object) or found.get(origin):
                continue
            found[origin] = _fixed(origin, [substitute(argument, found[kind]) for argument in get_args(base)])
            todo.append(origin)
    return {kind: arguments for kind, arguments in found.items() if arguments}


def _fixed(kind: type, arguments: Iterable[object]) -> dict[object, object]:
    return dict(zip(getattr(kind, "__parameters__", ()), arguments, strict=False))


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
    origin, args = get_origin(hint), get_args(hint)
    if origin is None:
        return "None" if hint is None else _simple_name(hint)
    if origin is Annotated:
        return name_of(args[0])
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    names = [name_of(arg) if arg is not ... else "..." for arg in args]
    return " | ".join(names) if origin in UNIONS else f"{name_of(origin)}[{', '.join(names)}]"


def _simple_name(hint: object) -> str:
    if isinstance(hint, type):
        return "None" if hint is type(None) else hint.__qualname__.rpartition("<locals>.")[2]
    return str(getattr(hint, "__name__", hint)).replace("typing.", "")
