"""What a type is, as far as a stub's parameter needs to know: a scalar, a sequence of scalars, or a body.

This module's rule: pure questions about types; no values.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections import abc
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType, is_typeddict

from stubwire.markers import Body, Marker, Unset

SEQUENCES = (list, tuple, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


def metadata(hint: object) -> tuple[object, ...]:
    """What stands beside the type in `Annotated[type, ...]`."""
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def markers(hint: object) -> tuple[Marker | Body, ...]:
    """The markers of a type, also those inside a union: `Annotated[int, Query("per-page")] | None`."""
    outer = metadata(hint)
    inner = [item for member in members(hint) if member is not hint for item in metadata(member)]
    return tuple(item for item in (*outer, *inner) if isinstance(item, (Marker, Body)))


def without_markers(hint: object) -> object:
    """The type without its markers; what else stands in `Annotated` is kept."""
    kept = tuple(item for item in metadata(hint) if not isinstance(item, (Marker, Body)))
    if len(kept) == len(metadata(hint)):
        return hint
    inner = get_args(hint)[0]
    return Annotated[(inner, *kept)] if kept else inner


def plain(hint: object) -> object:
    """The type behind `Annotated`, a type alias or a `NewType`."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif isinstance(hint, (TypeAliasType, getattr(typing, "TypeAliasType", TypeAliasType))):
            hint = hint.__value__
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        else:
            return hint


def members(hint: object) -> tuple[object, ...]:
    """The members of a union; of any other type, itself."""
    inner = plain(hint)
    if get_origin(inner) in (typing.Union, types.UnionType):
        return tuple(member for arg in get_args(inner) for member in members(arg))
    return (hint,)


def allows_none(hint: object) -> bool:
    """Whether `None` is a value of the type."""
    return any(plain(member) in (None, type(None), object, typing.Any) for member in members(hint))


def without_none(hint: object) -> object:
    """The type without `None` and `Unset`, which a call leaves out."""
    if get_origin(hint) is Annotated:
        inner = without_none(get_args(hint)[0])
        return Annotated[(inner, *metadata(hint))]
    kept = [member for member in members(hint) if plain(member) not in (None, type(None), Unset)]
    if len(kept) == len(members(hint)) or not kept:
        return hint
    return kept[0] if len(kept) == 1 else typing.Union[tuple(kept)]  # noqa: UP007 - made at run time


def is_body(hint: object) -> bool:
    """Whether a parameter of this type is a JSON body unless a marker says otherwise.

    That is a Pydantic model, a dataclass, a TypedDict, a mapping, or a list or union of these.
    """
    inner = plain(hint)
    origin = get_origin(inner) or inner
    if isinstance(origin, type) and origin not in (types.UnionType,):
        if issubclass(origin, BaseModel) or dataclasses.is_dataclass(origin) or is_typeddict(origin):
            return True
        if issubclass(origin, _MAPPINGS):
            return True
    if origin in SEQUENCES or origin in (typing.Union, types.UnionType):
        return any(is_body(arg) for arg in get_args(inner) if arg is not ...)
    return False


def item_type(hint: object) -> object | None:
    """The items' type of a sequence of scalars; `None` for anything else."""
    inner = plain(without_none(hint))
    origin = get_origin(inner) or inner
    if origin not in SEQUENCES:
        return None
    args = [arg for arg in get_args(inner) if arg is not ...]
    if not args:
        return object
    return args[0] if len(set(args)) == 1 else typing.Union[tuple(args)]  # noqa: UP007 - made at run time
