"""Values to text: a path segment, a query parameter, a header, a cookie, a JSON body.

This module's rule: functions that make encoders, once, from a type; an encoder is pure and refuses what it cannot
send with an `ArgumentError` that does not show the value.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast, get_args, get_origin
from urllib.parse import quote

import pydantic_core
from pydantic import BaseModel

from stubwire import _kinds, _percent
from stubwire._adapters import adapter, constrained, validator
from stubwire._annotations import name_of
from stubwire._headers import check_value
from stubwire._models import MASK_ADVICE, UNDECLARED, has_secret
from stubwire._secret import is_secret, revealed
from stubwire.errors import ArgumentError, SpecError

T = TypeVar("T")

TextEncoder = Callable[[Any], str]
"""A value to text."""

_NOT_IN_COOKIE = re.compile(r"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]")
_MASKED = b'"**********"'
"""What pydantic makes of a `SecretStr` in JSON."""
_UNEXPECTED = (
    r"[^\n]*\n *PydanticSerializationUnexpectedValue\(Expected `([^`]*)` - serialized value may not be as expected "
    r"(?:\[field_name='(\w+)')?"
)
_ENDLESS = r"^(?:Error serializing to JSON: ValueError: )?(?:Circular reference|Maximum serialization depth)"
_REASON = r"Error calling function `[^`]*`: WireError: (.*)"
"""What a type of `stubwire.types` refuses, which it says without showing it."""
_NO_SEQUENCES: tuple[type, ...] = (str, bytes, bytearray, Mapping, BaseModel)
_COLLECTIONS = (list, tuple, set, frozenset)


# ---- scalars


def scalar(hint: object, where: str) -> TextEncoder:
    """The encoder of a scalar type: its own pydantic JSON serializer, as text.

    Raises:
        SpecError: pydantic cannot handle the type, or a choice in it is no scalar.
    """
    if constrained(hint):
        valid, text = validator(hint, where), _serialized(hint, where)
        return lambda value: text(valid(value))
    inner = _kinds.plain(hint)
    if hint is inner:  # nothing beside the type that could change how it is serialized
        if inner is str or inner is int:
            return _exactly(inner, where)
        if choices := _choices(inner):
            return _choice(choices, where)
    return _serialized(hint, where)


def _exactly(kind: type, where: str) -> TextEncoder:
    """The encoder of `str` or `int`, which makes an adapter only for a value of another type."""
    general: list[TextEncoder] = []

    def encode(value: Any) -> str:
        if type(value) is kind:
            return str(value) if kind is str else plain_text(value, where)
        if not general:
            general.append(_serialized(kind, where))
        return general[0](value)

    return encode


def _choices(inner: object) -> tuple[object, ...]:
    """The values of a `Literal` or an `Enum`; none for any other type, and for flags, which combine."""
    if get_origin(inner) is Literal:
        return get_args(inner)
    if isinstance(inner, type) and issubclass(inner, enum.Enum) and not issubclass(inner, enum.Flag):
        return tuple(inner)
    return ()


def _choice(choices: tuple[object, ...], where: str) -> TextEncoder:
    try:
        texts = {choice: plain_text(pydantic_core.to_jsonable_python(choice), where) for choice in choices}
    except ValueError:
        texts = {}
    if not texts:
        raise SpecError(f"{where}: a choice in its type is no text, number or boolean")
    kinds = {type(choice) for choice in choices}

    def encode(value: Any) -> str:
        if type(value) in kinds and value in texts:
            return texts[value]
        raise ArgumentError(f"{where}: must be one of {', '.join(texts.values())}")

    return encode


def _serialized(hint: object, where: str) -> TextEncoder:
    dump, declared = adapter(hint, where).dump_python, _kinds.is_secret(hint)

    def encode(value: Any) -> str:
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            raise ArgumentError(f"{where}: a number that is infinite or not a number cannot be sent")
        try:
            shown = dump(value, mode="json", warnings="error", by_alias=True)
        except (ValueError, TypeError, RecursionError) as error:
            message = unfit(error, hint, value)
        else:
            if is_secret(value) and not declared:
                raise ArgumentError(f"{where}: {UNDECLARED}")
            if is_secret(value) and shown in ("**********", ""):
                return revealed(value)  # what pydantic's serializer masks
            if shown is not None:
                return plain_text(shown, where)
            message = f"expected {name_of(hint)}, got {type(value).__name__}"
        raise ArgumentError(f"{where}: {message}")

    return encode


def plain_text(value: object, where: str) -> str:
    """What stands for a scalar of JSON.

    Raises:
        ArgumentError: it is none, or a number that is infinite, not a number, or too long.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{where}: a number that is infinite or not a number cannot be sent")
    if not isinstance(value, (str, int, float)):
        raise ArgumentError(f"{where}: a value of type {type(value).__name__} is no text, number or boolean")
    try:
        return str(value)
    except ValueError:
        pass
    raise ArgumentError(f"{where}: the number has too many digits")


def unfit(error: Exception, hint: object, value: object) -> str:
    """Why a value does not fit its type, in words that do not show it."""
    if re.search(_ENDLESS, str(error)) or isinstance(error, RecursionError):
        return "it contains itself, or is nested too deep"
    reason = re.search(_REASON, str(error))
    return reason[1] if reason else _mismatch(error, hint, value)


def _mismatch(error: Exception, hint: object, value: object) -> str:
    match = re.match(_UNEXPECTED, str(error))
    if match and match[2]:
        return f"its field {match[2]!r} must be {match[1]}"
    if match and match[1] != name_of(hint) and _holds_values(value):
        return f"a value in it must be {match[1]}"
    kind = _kinds.plain(hint)
    if match or not _is_of(value, get_origin(kind) or kind):
        return f"expected {name_of(hint)}, got {type(value).__name__}"
    if isinstance(value, bytes):
        return "bytes that are not UTF-8 cannot be sent: encode them first, as base64 for example"
    return f"a value of type {type(value).__name__} cannot be serialized"


def _is_of(value: object, kind: Any) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # Any, or a TypedDict: nothing can be said
        return True


def _holds_values(value: object) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    return isinstance(value, (Collection, BaseModel)) or dataclasses.is_dataclass(value)


# ---- paths and queries


def path(hint: object, where: str, *, many: bool) -> TextEncoder:
    """The encoder of a path parameter."""
    text = scalar(hint, where)
    fill = _percent.segments if many else _percent.segment
    return lambda value: fill(text(value), where)


def query(hint: object, alias: str, where: str) -> TextEncoder:
    """The encoder of a query parameter, to `&name=value`; a sequence repeats the name."""
    lead = f"&{quote(alias, safe='')}="
    items = _kinds.item_type(hint)
    if items is not None:
        pairs = several(hint, query(items, alias, where), where)
        return lambda value: "".join(pairs(value))
    text = scalar(hint, where)

    def encode(value: Any) -> str:
        return lead + _percent.query_text(text(value), where)

    return encode


def texts(hint: object, items: object, where: str) -> Callable[[Any], list[str]]:
    """The encoder of a list of scalars, each as text.

    Args:
        hint: the type of the list.
        items: that of its items.
        where: what messages begin with.
    """
    return several(hint, scalar(items, where), where)


def several(hint: object, write: Callable[[Any], T], where: str) -> Callable[[Any], list[T]]:
    """What writes each item of a list, or of whatever else can be iterated and is no text and no object.

    Args:
        hint: the type of the list.
        write: what writes an item.
        where: what messages begin with.
    """
    valid = validator(hint, where) if constrained(hint) else None

    def encode(value: Any) -> list[T]:
        if isinstance(value, _NO_SEQUENCES) or not isinstance(value, Iterable):
            raise ArgumentError(f"{where}: expected several values, got {type(value).__name__}")
        found = list(cast("Iterable[object]", valid(value) if valid else value))
        if None in found:
            raise ArgumentError(f"{where}: None cannot stand among several values")
        return [*map(write, found)]

    return encode


# ---- headers and cookies


def header(hint: object, name: str, where: str) -> TextEncoder:
    """The encoder of a header's value."""
    text = scalar(hint, where)
    return lambda value: header_text(name, text(value), where)


def header_text(name: str, text: str, where: str) -> str:
    """The text, if it can stand in a header.

    Raises:
        ArgumentError: it has a control character or one outside ASCII.
    """
    try:
        return check_value(name, text)
    except ArgumentError as error:
        message = str(error)
    raise ArgumentError(f"{where}: {message}")


def cookie(hint: object, name: str, where: str) -> TextEncoder:
    """The encoder of a cookie, to `name=value` (RFC 6265, section 4.1.1)."""
    text = scalar(hint, where)
    return lambda value: cookie_pair(name, text(value), where)


def cookie_pair(name: str, text: str, where: str) -> str:
    """A cookie, if its value can stand in one.

    Raises:
        ArgumentError: it cannot.
    """
    if _NOT_IN_COOKIE.search(text):
        raise ArgumentError(
            f"{where}: a cookie's value cannot have blanks, quotes, commas, semicolons, backslashes, control "
            "characters, or any outside ASCII: encode it first"
        )
    return f"{name}={text}"


# ---- bodies


def json_body(hint: object, where: str, *, exclude_unset: bool) -> Callable[[Any], bytes]:
    """The encoder of a JSON body."""
    made = adapter(hint, where)
    dump = made.dump_json
    valid = validator(hint, where) if constrained(hint) else None
    takes_none = _kinds.allows_none(hint)
    check = model_check(hint, where)

    def encode(value: Any) -> bytes:
        if value is None and not takes_none:
            raise ArgumentError(f"{where}: expected {name_of(hint)}, got NoneType")
        if valid is not None:
            value = valid(value)
        if check is not None:
            check(value)
        try:
            body = dump(value, by_alias=True, exclude_unset=exclude_unset, warnings="error")
            is_masked = _MASKED in body and has_secret(made.dump_python(value, by_alias=True, warnings="none"))
        except (ValueError, TypeError, RecursionError) as error:
            message = unfit(error, hint, value)
        else:
            if not is_masked:
                return body
            message = MASK_ADVICE
        raise ArgumentError(f"{where}: {message}")

    return encode


def model_check(hint: object, where: str) -> Callable[[object], None] | None:
    """What refuses another model, of which pydantic would send the fields that happen to have the same names.

    It looks at a body, or at its items; there is none where something else than models may stand too.
    """
    items = _kinds.item_type(hint)
    expected = hint if items is None else items
    models = tuple(map(_model, _kinds.members(expected)))
    if None in models:
        return None
    kinds = cast("tuple[type, ...]", models)

    def check(value: object) -> None:
        if not isinstance(value, kinds):
            raise ArgumentError(f"{where}: expected {name_of(hint)}, got {type(value).__name__}")

    def check_items(value: object) -> None:
        items = cast("Collection[object]", value) if isinstance(value, _COLLECTIONS) else ()
        if not all(isinstance(item, kinds) for item in items):
            raise ArgumentError(f"{where}: a value in it must be {name_of(expected)}")

    return check if items is None else check_items


def _model(hint: object) -> type | None:
    """The class that values of a model's type have, or of `None`; nothing for any other type."""
    kind = _kinds.plain(hint)
    if kind is None or kind is type(None):
        return type(None)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.__pydantic_generic_metadata__["origin"] or kind
    return None
