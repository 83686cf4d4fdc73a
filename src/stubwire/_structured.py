"""Lists, objects and records to pairs, a header, cookies, or a path segment.

This module's rule: functions that make encoders, once, from a type, as `_encode` does for scalars; how text is written
is decided in `_styles` and `_segments`. Loaded only for an endpoint that has such a parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from typing_extensions import is_typeddict

from stubwire import _encode, _fields, _kinds, _segments, _styles
from stubwire._adapters import adapter, constrained, validator
from stubwire._annotations import name_of
from stubwire._headers import check_name, is_name
from stubwire._models import MASK_ADVICE, UNDECLARED
from stubwire._secret import is_secret, revealed
from stubwire._sent import value_type
from stubwire._styles import PLAIN, Pairs, Writing
from stubwire.errors import ArgumentError
from stubwire.markers import Header, Path, PathStyle, Query, Style

if TYPE_CHECKING:
    from stubwire._spec import ParameterSpec

PairsEncoder = Callable[[Any], Pairs]
"""A value to names and values."""

_MASK = "**********"
_MASKED: frozenset[object] = frozenset({_MASK})
_SUSPECT: frozenset[object] = frozenset({_MASK, None, "NaN", "sNaN", "-NaN", "-sNaN", "Infinity", "-Infinity"})
"""What JSON shows of a `SecretStr`, and of a number that is infinite or none."""


def encoder(parameter: ParameterSpec, where: str, style: Style) -> Callable[[Any], Any]:
    """The encoder of a parameter by its role, its type and its marker.

    To text for a query or a path, to names and values for headers, to `name=value` for each cookie.

    Args:
        parameter: it.
        where: what messages begin with.
        style: how lists and objects are written in a query where its marker does not say.
    """
    hint, marker = value_type(parameter), next(iter(_kinds.markers(parameter.annotation)), None)
    spreads = _fields.spreads(parameter.annotation)
    if isinstance(marker, Path):
        return path(hint, parameter.name, where, marker.style, explode=marker.explode)
    if parameter.role == "cookie":
        return cookies(hint, where)
    if parameter.role == "header":
        explode = isinstance(marker, Header) and marker.explode
        return headers(hint, where) if spreads else header(hint, parameter.alias, where, explode=explode)
    said = marker if isinstance(marker, Query) else Query()
    return query(hint, None if spreads else parameter.alias, where, said.style or style, said.exclude_unset)


def pairs(  # noqa: PLR0917 - what a form says of a field, in order
    hint: object,
    alias: str | None,
    where: str,
    style: Style,
    exclude_unset: bool = False,
    writing: Writing = PLAIN,
) -> PairsEncoder:
    """The encoder of a query parameter or a form field, to names and values.

    Args:
        hint: the type of the value, without marker.
        alias: the name on the wire; `None` for a record that spreads its fields.
        where: what messages begin with.
        style: how lists and objects are written.
        exclude_unset: leave out the fields of a model that were not set.
        writing: as they are, or percent-encoded for a query.

    Raises:
        SpecError: pydantic cannot handle the type.
    """
    if alias is None:
        return _spread(hint, where, style, writing, exclude_unset=exclude_unset)
    values = _values(hint, where, as_text=style != "json", exclude_unset=exclude_unset)
    return lambda value: _styles.encode(alias, values(value), style, where=where, writing=writing)


def query(hint: object, alias: str | None, where: str, style: Style, exclude_unset: bool) -> Callable[[Any], str]:
    """The encoder of a query parameter, to `&name=value` as often as it takes."""
    encode = pairs(hint, alias, where, style, exclude_unset, _styles.QUERY)
    return lambda value: "".join(f"&{name}={text}" for name, text in encode(value))


def _spread(hint: object, where: str, style: Style, writing: Writing, *, exclude_unset: bool) -> PairsEncoder:
    """The encoder of a record whose fields are parameters of their own."""
    known: dict[str, tuple[str, Style]] = {
        field.key: (field.wire("query"), field.style or style) for field in _fields.fields(hint)
    }
    fields = record(hint, where, exclude_unset=exclude_unset)

    def encode(value: Any) -> Pairs:
        found: Pairs = []
        for key, item in fields(value).items():
            name, own = known.get(key, (key, style))
            found += _styles.encode(name, item, own, where=f"{where}.{key}", writing=writing)
        return found

    return encode


# ---- headers and cookies


def headers(hint: object, where: str) -> PairsEncoder:
    """The encoder of a record whose fields are headers, to names and values."""
    known = {field.key: field.wire("header") for field in _fields.fields(hint)}
    fields = record(hint, where, exclude_unset=False)

    def encode(value: Any) -> Pairs:
        found: Pairs = []
        for key, item in fields(value).items():
            name = known.get(key) or _header_name(key, where)
            found += _header(name, item, f"{where}.{key}", explode=False)
        return found

    return encode


def header(hint: object, name: str, where: str, *, explode: bool) -> PairsEncoder:
    """The encoder of a header whose value is a list or an object, to its name and value; an empty one makes none."""
    values = _values(hint, where)
    return lambda value: _header(name, values(value), where, explode=explode)


def _header(name: str, value: object, where: str, *, explode: bool) -> Pairs:
    text = _segments.header(value, where, explode=explode)
    return [] if text is None else [(name, _encode.header_text(name, text, where))]


def _header_name(key: str, where: str) -> str:
    try:
        return check_name(key)
    except ArgumentError as error:
        message = str(error)
    raise ArgumentError(f"{where}: {message}")


def cookies(hint: object, where: str) -> Callable[[Any], list[str]]:
    """The encoder of a record whose fields are cookies, each to `name=value`."""
    known = {field.key: field.wire("cookie") for field in _fields.fields(hint)}
    fields = record(hint, where, exclude_unset=False)

    def encode(value: Any) -> list[str]:
        found: list[str] = []
        for key, item in fields(value).items():
            text = _encode.plain_text(item, f"{where}.{key}")
            found.append(_encode.cookie_pair(known.get(key) or _cookie_name(key, where), text, f"{where}.{key}"))
        return found

    return encode


def _cookie_name(key: str, where: str) -> str:
    if not is_name(key):
        raise ArgumentError(f"{where}: {key!r} is no cookie name: write letters, digits and hyphens")
    return key


# ---- paths


def path(hint: object, name: str, where: str, style: PathStyle, *, explode: bool) -> Callable[[Any], str]:
    """The encoder of a path parameter that is a list or an object, or that has a style."""
    values, named = _values(hint, where), quote(name, safe="")
    return lambda value: _segments.segment(named, values(value), style, where, explode=explode)


# ---- what pydantic shows


def _values(hint: object, where: str, *, as_text: bool = True, exclude_unset: bool = False) -> Callable[[Any], object]:
    """What shows a value of any type: a scalar, and each of a list of scalars, as text where that is wanted."""
    items = _kinds.item_type(hint)
    if as_text and _fields.shape(hint if items is None else items) == "scalar":
        return _encode.scalar(hint, where) if items is None else _encode.texts(hint, items, where)
    if items is None:
        return shown(hint, where, exclude_unset=exclude_unset)
    return _encode.several(hint, shown(items, where, exclude_unset=exclude_unset), where)


def record(hint: object, where: str, *, exclude_unset: bool) -> Callable[[Any], Mapping[str, object]]:
    """What shows the fields of a record, without those that are `None`."""
    show, held = shown(hint, where, exclude_unset=exclude_unset), _held(hint, where)

    def fields(value: Any) -> dict[str, object]:
        if held and isinstance(value, dict):
            items = cast("dict[str, object]", value).items()
            value = {name: held[name](item) if name in held else item for name, item in items}
        found = show(value)
        if isinstance(found, dict):
            return dict(_styles.fields(cast("dict[str, object]", found)))
        raise ArgumentError(f"{where}: its serializer makes no object of {name_of(hint)}, so it cannot be spread")

    return fields


def _held(hint: object, where: str) -> dict[str, Callable[[Any], Any]]:
    """What holds the keys of a TypedDict to their constraints, which nothing has done before."""
    if not is_typeddict(_fields.record(hint)):
        return {}
    return {
        field.name: validator(_kinds.without_markers(field.hint), f"{where}.{field.name}")
        for field in _fields.fields(hint)
        if constrained(field.hint)
    }


def shown(hint: object, where: str, *, exclude_unset: bool = False) -> Callable[[Any], object]:
    """What shows a value as pydantic's JSON serializer does, secrets revealed.

    Raises:
        SpecError: pydantic cannot handle the type.
    """
    dump = adapter(hint, where).dump_python
    valid = validator(hint, where) if constrained(hint) else None
    check, declared = _encode.model_check(hint, where), _fields.holds_secret(hint)

    def show(value: Any) -> object:
        if valid is not None:
            value = valid(value)
        if check is not None:
            check(value)
        try:
            found = dump(value, mode="json", by_alias=True, exclude_unset=exclude_unset, warnings="error")
            live = (
                dump(value, by_alias=True, exclude_unset=exclude_unset, warnings="none")
                if _holds(found, _SUSPECT)
                else None
            )
        except (ValueError, TypeError, RecursionError) as error:
            message = _encode.unfit(error, hint, value)
        else:
            return found if live is None else _resolved(found, live, where, declared=declared)
        raise ArgumentError(f"{where}: {message}")

    return show


def _holds(value: object, wanted: frozenset[object]) -> bool:
    """Whether one of these stands anywhere in a value."""
    parts = _parts(value)
    return value in wanted if parts is None else any(_holds(part, wanted) for part in parts)


def _resolved(found: object, live: object, where: str, *, declared: bool) -> object:
    """What is sent, from what JSON shows and what is really there; a secret, only where the type declares one."""
    shown, real = _parts(found), _parts(live)
    if shown is not None and real is not None and len(shown) == len(real):
        parts = [_resolved(item, under, where, declared=declared) for item, under in zip(shown, real, strict=True)]
        return dict(zip(cast("dict[str, object]", found), parts, strict=True)) if isinstance(found, dict) else parts
    if found == _MASK and is_secret(live):
        if not declared:
            raise ArgumentError(f"{where}: {UNDECLARED}")
        return revealed(live)
    if isinstance(live, (float, Decimal)) and not math.isfinite(live):
        raise ArgumentError(f"{where}: a number that is infinite or not a number cannot be sent")
    if found != live and _holds(found, _MASKED):
        raise ArgumentError(f"{where}: {MASK_ADVICE}")
    return found


def _parts(value: object) -> list[object] | None:
    """The values in an object or a list; `None` for a scalar."""
    if isinstance(value, Mapping):
        return [*cast("Mapping[object, object]", value).values()]
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [*cast("Iterable[object]", value)]
    return None
