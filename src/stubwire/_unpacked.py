"""`**params: Unpack[ListParams]`: the keys of a TypedDict as parameters of the stub (PEP 692).

This module's rule: a key becomes a keyword-only parameter like any other; one that is not required has `UNSET` as its
default. Loaded only for a stub that has it.
"""

from __future__ import annotations

import keyword
import typing
from collections.abc import Collection, Iterator
from inspect import Parameter
from typing import Annotated, NamedTuple, get_args, get_origin

from typing_extensions import Unpack, is_typeddict

from stubwire import _fields, _kinds
from stubwire._annotations import name_of
from stubwire._declaration import Argument
from stubwire.errors import SpecError
from stubwire.markers import UNSET, Query

_UNPACKS: tuple[object, ...] = (typing.Unpack, Unpack)


class Key(NamedTuple):
    """A key of the TypedDict.

    Attributes:
        argument: as the stub's function would have it.
        hint: its type as it was written.
    """

    argument: Argument
    hint: object

    @property
    def sent(self) -> object:
        """Its type with a marker: without one of its own it is a query parameter, whatever its shape."""
        return self.hint if _kinds.markers(self.hint) else Annotated[self.hint, Query(self.argument.name)]


def unpacked(hint: object, name: str, taken: Collection[str], where: str) -> list[Key]:
    """The keys of `**name: Unpack[TypedDict]`.

    Args:
        hint: what stands after the colon; `None` for nothing.
        name: of the parameter.
        taken: the names of the other parameters.
        where: what messages begin with.

    Raises:
        SpecError: it is no TypedDict, or a key cannot be a parameter.
    """
    inner = get_args(hint)[0] if get_origin(hint) in _UNPACKS else None
    if inner is None or not is_typeddict(get_origin(inner) or inner):
        shown = "no annotation" if hint is None else f"the type {name_of(hint)}"
        raise SpecError(
            f"{where}: **{name} has {shown}: write **{name}: Unpack[Params], where Params is a TypedDict, or each "
            "parameter by its name"
        )
    return [_checked(key, name, taken, where) for key in _keys(inner)]


def _keys(typed: object) -> Iterator[Key]:
    for field in _fields.fields(typed):
        yield Key(Argument(field.name, Parameter.empty if field.required else UNSET, "keyword"), field.hint)


def _checked(key: Key, name: str, taken: Collection[str], where: str) -> Key:
    own = key.argument.name
    if own in taken:
        raise SpecError(f"{where}: {own!r} is a parameter, and a key of **{name} too: rename one of them")
    if not own.isidentifier() or keyword.iskeyword(own):
        raise SpecError(
            f"{where}: **{name} has the key {own!r}, which is no parameter name: write another, and "
            f"Annotated[..., Query({own!r})] as its type"
        )
    return key
