"""What a type looks like on the wire: its shape, the fields of a record, and whether they spread.

This module's rule: pure questions about types; loaded only for a parameter that is no scalar and no list of scalars.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ForwardRef, Literal, NamedTuple, TypeVar, cast, get_args, get_origin

import typing_extensions
from pydantic import BaseModel
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

from stubwire import _kinds
from stubwire._annotations import class_annotations, substitute
from stubwire._secret import is_secret_type
from stubwire.markers import Marker, Named, Style

Shape = Literal["scalar", "unknown", "items", "object", "nested"]
"""A scalar; what only its value tells; a list of scalars; an object of scalars; anything deeper."""

_UNKNOWN: tuple[object, ...] = (object, Any)
_WIDER: tuple[Shape, ...] = ("scalar", "unknown", "items", "object", "nested")
_OPTIONAL: tuple[object, ...] = (typing_extensions.NotRequired, typing.NotRequired)
_QUALIFIERS: tuple[object, ...] = (*_OPTIONAL, typing_extensions.Required, typing.Required, ReadOnly)


class Field(NamedTuple):
    """A field of a model, a dataclass or a TypedDict.

    Attributes:
        name: in Python.
        key: as pydantic serializes it.
        alias: what its marker calls it on the wire, or pydantic's alias; `None` where nobody gave it another name.
        hint: its type, with what stands beside it.
        required: whether it must be given.
    """

    name: str
    key: str
    alias: str | None
    hint: object
    required: bool

    @property
    def marker(self) -> Marker | type[Marker] | None:
        """The marker that stands beside its type."""
        return next(iter(_kinds.markers(self.hint)), None)

    @property
    def style(self) -> Style | None:
        """The style that its own marker says."""
        return getattr(self.marker, "style", None)

    @property
    def shape(self) -> Shape:
        """How its values are written."""
        return shape(self.hint)

    def wire(self, role: str) -> str:
        """Its name on the wire; a header's has hyphens where nobody gave it another."""
        if self.alias is None and role == "header":
            return self.name.replace("_", "-").title()
        return self.alias or self.key


def record(hint: object) -> type[Any] | None:
    """The class of a type whose fields have names: a model, a dataclass or a TypedDict; `None` for any other."""
    hint = _kinds.without_none(hint)
    inner = _kinds.plain(hint)
    kind = get_origin(inner) or inner
    if not isinstance(kind, type) or _kinds.writes_itself(hint):
        return None
    found = cast("type[Any]", kind)
    if issubclass(found, BaseModel):
        return None if found is BaseModel or found.__pydantic_root_model__ else found
    return found if dataclasses.is_dataclass(found) or is_typeddict(found) else None


def spreads(hint: object) -> bool:
    """Whether a marked parameter stands for the fields of its type, each a parameter of its own.

    A marker that says an alias, a style or `explode` says how the object is written as one parameter.
    """
    if record(hint) is None:
        return False
    marker = next(iter(_kinds.markers(hint)), None)
    said = [getattr(marker, name, None) for name in ("alias", "style", "explode")]
    return isinstance(marker, Named) and not any(said)


def shape(hint: object, within: tuple[object, ...] = ()) -> Shape:
    """How a value of the type is written, as far as the type says.

    Args:
        hint: the type.
        within: the types that it is part of.
    """
    return _shape(hint, within, deep=True)


def _shape(hint: object, within: tuple[object, ...], *, deep: bool) -> Shape:
    """The same; `deep` looks at the parts of a list or an object, of which anything else is `"nested"`.

    A part is not looked into: there are as many ways through models that refer to one another as there are orders.
    """
    hint = _kinds.without_none(hint)
    inner = _kinds.plain(hint)
    if inner in within:
        return "nested"
    if _kinds.writes_itself(hint) or inner in _UNKNOWN or isinstance(inner, (str, TypeVar, ForwardRef)):
        return "unknown"
    within, root = (*within, inner), _root(inner)
    members = _kinds.members(hint) if root is None else (root,)
    if len(members) > 1 or root is not None:
        return _WIDER[max(_WIDER.index(_shape(member, within, deep=deep)) for member in members)]
    items = _kinds.item_type(inner)
    if items is None and not _kinds.is_body(inner):
        return "scalar"
    parts = [] if not deep else _parts(inner) if items is None else [items]
    if not deep or any(_shape(part, within, deep=False) == "nested" for part in parts):
        return "nested"
    return "object" if items is None else "items"


def _root(inner: object) -> object | None:
    """What a root model holds."""
    if isinstance(inner, type) and issubclass(inner, BaseModel) and inner.__pydantic_root_model__:
        return inner.model_fields["root"].annotation
    return None


def _parts(inner: object) -> list[object]:
    """The types of the values in a mapping or a record."""
    if record(inner) is not None:
        return [field.hint for field in fields(inner)]
    return list(get_args(inner)[1:]) or [object]


def holds_secret(hint: object) -> bool:
    """Whether a `SecretStr` or `SecretBytes` may stand anywhere in a value of the type."""
    return any(map(is_secret_type, _reached(hint)))


def _reached(hint: object, *, into_records: bool = True) -> Iterator[object]:
    """A type and those that it is made of, each once: the members, arguments and roots, and the fields of records."""
    todo, seen = [hint], list[object]()
    for part in todo:  # grows on the way
        inner = _kinds.plain(part)
        if inner in seen or isinstance(inner, (str, TypeVar, ForwardRef)):
            continue
        seen.append(inner)
        yield inner
        if record(inner) is not None:
            todo += [field.hint for field in fields(inner)] if into_records else []
        elif get_origin(inner) is not Literal:
            root = _root(inner)
            todo += [part for part in get_args(inner) if part is not ...] if root is None else [root]


# ---- the fields of a record


def fields(hint: object) -> tuple[Field, ...]:
    """The fields of a model, a dataclass or a TypedDict that are serialized, in order."""
    kind: Any = record(hint)
    infos: Mapping[str, Any] | None = getattr(kind, "__pydantic_fields__", None)
    if infos is not None:
        return tuple(_modelled(kind, infos))
    return tuple(_hinted(kind, _kinds.plain(_kinds.without_none(hint))))


def _modelled(kind: Any, infos: Mapping[str, Any]) -> Iterator[Field]:
    """The fields that pydantic has read."""
    for name, info in infos.items():
        if not info.exclude:
            hint = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            yield _field(name, hint, info.serialization_alias, required=info.is_required())
    for name, computed in kind.__pydantic_decorators__.computed_fields.items():
        yield _field(name, computed.info.return_type, computed.info.alias, required=False)


def _hinted(kind: Any, generic: object) -> Iterator[Field]:
    """The fields of a class that pydantic has not read; of unknown type where a name in it is not defined."""
    is_typed = is_typeddict(kind)
    names: list[str] = [*class_annotations(kind)] if is_typed else [item.name for item in dataclasses.fields(kind)]
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError:
        hints = dict.fromkeys(names, object)
    arguments: dict[object, object] = dict(zip(getattr(kind, "__parameters__", ()), get_args(generic), strict=False))
    for name in names:
        needed = is_typed and name in kind.__required_keys__
        hint, needed = _unqualified(substitute(hints[name], arguments), needed=needed)
        aliases = [getattr(item, "serialization_alias", None) for item in _kinds.metadata(hint)]
        yield _field(name, hint, next(filter(None, aliases), None), required=needed)


def _unqualified(hint: object, *, needed: bool) -> tuple[object, bool]:
    """A key's type without `Required`, `NotRequired` and `ReadOnly`, and whether it must be given."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *beside = get_args(hint)
        bare, needed = _unqualified(inner, needed=needed)
        return Annotated[(bare, *beside)], needed
    if origin not in _QUALIFIERS:
        return hint, needed
    if origin is not ReadOnly:
        needed = origin not in _OPTIONAL
    return _unqualified(get_args(hint)[0], needed=needed)


def _field(name: str, hint: object, serialized_as: str | None, *, required: bool) -> Field:
    marker = next(iter(_kinds.markers(hint)), None)
    own = marker.alias if isinstance(marker, Named) else None
    return Field(name, serialized_as or name, own or serialized_as, hint, required)


def secret_names(hint: object, alias: str, role: str) -> list[str]:
    """The names on the wire under which a parameter may send a secret, or something that has one."""
    if spreads(hint):
        return [field.wire(role) for field in fields(hint) if holds_secret(field.hint)]
    return [alias] if holds_secret(hint) else []


def secret_fields(hint: object, name: str) -> list[str]:
    """The names in a body of JSON that have a secret as their value; `name` is that of the whole, where it is one."""
    own = [name] if any(map(is_secret_type, _reached(hint, into_records=False))) else []
    records = [kind for kind in _reached(hint) if record(kind) is not None]
    return own + [
        field.key
        for kind in records
        for field in fields(kind)
        if any(map(is_secret_type, _reached(field.hint, into_records=False)))
    ]
