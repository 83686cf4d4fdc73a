"""What a type is, as far as a stub's parameter needs to know: a scalar, a sequence of scalars, or a body.

This module's rule: pure questions about types; no values.
"""

from __future__ import annotations

import dataclasses
import io
import typing
from collections import abc
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType, TypeIs, is_typeddict

from stubwire._annotations import UNIONS, has_text, substitute
from stubwire._secret import is_secret_type
from stubwire.markers import Marker, Unset

SEQUENCES = (list, tuple, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_ONCE = (abc.Iterator, abc.Generator, abc.AsyncIterable, abc.AsyncIterator, abc.AsyncGenerator)
UPLOAD = "__stubwire_upload__"
"""The attribute that marks the class of files to send, which is imported only where one is sent."""
_ALIASES: tuple[type[TypeAliasType], ...] = (TypeAliasType, getattr(typing, "TypeAliasType", TypeAliasType))


def plain(hint: object) -> object:
    """The type behind `Annotated`, a type alias or a `NewType`."""
    return _peeled(hint)[0]


def metadata(hint: object) -> tuple[object, ...]:
    """What stands beside a type in `Annotated[type, ...]`, also behind a type alias or a `NewType`."""
    return _peeled(hint)[1]


def _peeled(hint: object) -> tuple[object, tuple[object, ...]]:
    beside: tuple[object, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *items = get_args(hint)
            beside = (*items, *beside)
        elif isinstance(hint, _ALIASES):
            hint = hint.__value__
        elif isinstance(origin, _ALIASES):
            hint = substitute(origin.__value__, dict(zip(origin.__type_params__, get_args(hint), strict=False)))
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        else:
            return hint, beside


def markers(hint: object) -> tuple[Marker | type[Marker], ...]:
    """The markers of a type, also those inside a union: `Annotated[int, Query("per-page")] | None`.

    A marker's class, written without its parentheses, is among them.
    """
    inner = [item for member in members(hint) if member is not hint for item in metadata(member)]
    return tuple(dict.fromkeys(item for item in (*metadata(hint), *inner) if _is_marker(item)))


def _is_marker(item: object) -> TypeIs[Marker | type[Marker]]:
    return isinstance(item, Marker) or (isinstance(item, type) and issubclass(item, Marker))


def without_markers(hint: object) -> object:
    """The type without its own markers; what else stands in `Annotated` is kept."""
    if get_origin(hint) is not Annotated:
        return hint
    inner, *items = get_args(hint)
    kept = [item for item in items if not _is_marker(item)]
    return Annotated[(inner, *kept)] if kept else inner


def members(hint: object) -> tuple[object, ...]:
    """The members of a union; of any other type, itself."""
    inner = plain(hint)
    if get_origin(inner) in UNIONS:
        return tuple(member for arg in get_args(inner) for member in members(arg))
    return (hint,)


def allows_none(hint: object) -> bool:
    """Whether `None` is a value of the type."""
    return any(plain(member) in (None, type(None), object, Any) for member in members(hint))


def has_none(hint: object) -> bool:
    """Whether the type says `None`, which `Any` does not."""
    return any(plain(member) in (None, type(None)) for member in members(hint))


def without_none(hint: object) -> object:
    """The type without `None` and `Unset`, which a call leaves out."""
    if get_origin(hint) is Annotated:
        inner, *items = get_args(hint)
        return Annotated[(without_none(inner), *items)]
    whole = _whole_members(hint)
    kept = [member for member in whole if plain(member) not in (None, type(None), Unset)]
    if len(kept) == len(whole) or not kept:
        return hint
    return kept[0] if len(kept) == 1 else typing.Union[tuple(kept)]  # noqa: UP007 - made at run time


def _whole_members(hint: object) -> tuple[object, ...]:
    """The members of a union; an alias that says its own name stays whole, as `JsonValue`: nobody else knows it."""
    inner = plain(hint)
    if get_origin(inner) not in UNIONS or (isinstance(hint, _ALIASES) and has_text(inner)):
        return (hint,)
    return tuple(member for argument in get_args(inner) for member in _whole_members(argument))


def is_body(hint: object, within: tuple[object, ...] = ()) -> bool:
    """Whether a parameter of this type is a JSON body unless a marker says otherwise.

    That is a Pydantic model, a dataclass, a TypedDict, a mapping, or a list or union of these; a type alias that
    contains itself, too.

    Args:
        hint: the type.
        within: the types that it is part of.
    """
    inner = plain(hint)
    if inner in within:
        return True
    origin = get_origin(inner) or inner
    if isinstance(origin, type) and _is_record(origin):
        return True
    if origin in SEQUENCES or origin in UNIONS:
        return any(is_body(argument, (*within, inner)) for argument in get_args(inner) if argument is not ...)
    return False


def has_bare_model(hint: object, within: tuple[object, ...] = ()) -> bool:
    """Whether `BaseModel` itself stands in a type: pydantic would send none of the fields of what is passed."""
    inner = plain(hint)
    if inner is BaseModel or inner in within or get_origin(inner) is typing.Literal:
        return inner is BaseModel
    return any(has_bare_model(argument, (*within, inner)) for argument in get_args(inner))


def is_stream(hint: object) -> bool:
    """Whether a value of the type is read while it is sent: a file object, an `Upload`, or what is iterated once."""
    origins = [get_origin(inner) or inner for inner in map(plain, members(hint))]
    return any(origin in _ONCE or (isinstance(origin, type) and _is_file(origin)) for origin in origins)


def _is_file(kind: type[Any]) -> bool:
    return hasattr(kind, UPLOAD) or issubclass(kind, (io.IOBase, typing.IO))


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or is_typeddict(kind) or issubclass(kind, (BaseModel, *_MAPPINGS))


def writes_itself(hint: object) -> bool:
    """Whether a serializer stands beside the type, such as pydantic's `PlainSerializer`: only it knows the shape."""
    return any(hasattr(item, "when_used") and hasattr(item, "func") for item in metadata(hint))


def item_type(hint: object) -> object | None:
    """The items' type of a sequence; `None` for anything else, and for one that its own serializer writes."""
    hint = without_none(hint)
    if writes_itself(hint):
        return None
    inner = plain(hint)
    origin = get_origin(inner) or inner
    if origin not in SEQUENCES:
        return None
    args = [arg for arg in get_args(inner) if arg is not ...]
    if not args:
        return object
    return args[0] if len(set(args)) == 1 else typing.Union[tuple(args)]  # noqa: UP007 - made at run time


def is_secret(hint: object) -> bool:
    """Whether a value of the type may be a `SecretStr` or `SecretBytes`, also inside a union or a sequence."""
    kinds = [plain(member) for member in members(hint)]
    items = [item_type(kind) for kind in kinds]
    return any(is_secret_type(kind) for kind in kinds) or any(
        item is not None and item is not hint and is_secret(item) for item in items
    )
