"""Values to text: a path segment, a query parameter, a header, a cookie, a JSON body.

This module's rule: functions that make encoders, once, from a type; an encoder is pure and refuses what it cannot
send with an `ArgumentError` that does not show the value.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, cast, get_args, get_origin
from urllib.parse import quote, unquote

from pydantic import SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError

from stubwire import _kinds
from stubwire._annotations import name_of
from stubwire._headers import check_value
from stubwire.errors import ArgumentError, SpecError

TextEncoder = Callable[[Any], str]
"""A value to text."""

_SPLIT = re.compile(r"[/\\]")
_CONTROL = re.compile(r"[\r\n\x00]")
_NOT_IN_COOKIE = re.compile(r"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]")
_UNEXPECTED = re.compile(r"Expected `([^`]*)` - serialized value may not be as expected \[field_name='(\w+)'")


def adapter(hint: object, where: str) -> TypeAdapter[Any]:
    """Pydantic's adapter of a type.

    Raises:
        SpecError: pydantic has none.
    """
    try:
        return TypeAdapter(hint)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError) as error:
        reason = str(error).splitlines()[0]
    raise SpecError(f"{where}: pydantic cannot handle the type {name_of(hint)}: {reason}")


# ---- scalars


def scalar(hint: object, where: str) -> TextEncoder:
    """The encoder of a scalar type: its own pydantic JSON serializer, as text."""
    inner = _kinds.plain(hint)
    if _constrained(hint):
        return _validating(hint, where)
    if hint is inner:  # nothing beside the type that could change how it is serialized
        if inner is str:
            return _exactly(str, where)
        if inner is int:
            return _exactly(int, where)
        if get_origin(inner) is Literal:
            return _choice({value: _plain_text(value, where) for value in get_args(inner)}, where)
        if isinstance(inner, type) and issubclass(inner, enum.Enum):
            return _choice({member: _plain_text(member.value, where) for member in inner}, where)
    if inner in (SecretStr, SecretBytes):
        return _revealed(where)
    return _serialized(hint, where)


def _exactly(kind: type[str] | type[int], where: str) -> TextEncoder:
    general: list[TextEncoder] = []

    def encode(value: Any) -> str:
        if type(value) is kind:
            return str(value)
        if not general:
            general.append(_serialized(kind, where))
        return general[0](value)

    return encode


def _choice(texts: dict[Any, str], where: str) -> TextEncoder:
    kinds = {type(value) for value in texts}

    def encode(value: Any) -> str:
        if type(value) in kinds and value in texts:
            return texts[value]
        raise ArgumentError(f"{where}: must be one of {', '.join(texts.values())}")

    return encode


def _revealed(where: str) -> TextEncoder:
    def encode(value: Any) -> str:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, SecretBytes):
            return value.get_secret_value().decode("latin-1")
        raise ArgumentError(f"{where}: expected a SecretStr, got {type(value).__name__}")

    return encode


def _serialized(hint: object, where: str) -> TextEncoder:
    dump = adapter(hint, where).dump_python

    def encode(value: Any) -> str:
        try:
            shown = dump(value, mode="json", warnings="error", by_alias=True)
        except (ValueError, TypeError, RecursionError) as error:
            message = _unfit(error, hint, value)
        else:
            return _plain_text(shown, where)
        raise ArgumentError(f"{where}: {message}")

    return encode


def _validating(hint: object, where: str) -> TextEncoder:
    checked = adapter(hint, where)

    def encode(value: Any) -> str:
        try:
            valid = checked.validate_python(value)
        except ValidationError as error:
            message = "; ".join(detail["msg"] for detail in error.errors(include_input=False, include_context=False))
        else:
            return text(valid)
        raise ArgumentError(f"{where}: {message}")

    text = _serialized(hint, where)
    return encode


def _constrained(hint: object) -> bool:
    """Whether something in `Annotated` restricts the values: pydantic's `Field`, or `annotated_types`."""
    if not (beside := _kinds.metadata(hint)):
        return False
    from annotated_types import BaseMetadata  # slow imports, for the few types that need them
    from pydantic.fields import FieldInfo

    return any(
        isinstance(item, BaseMetadata) or (isinstance(item, FieldInfo) and bool(item.metadata))
        for item in beside
    )


def _plain_text(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{where}: {value} is no number that can be sent")
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ArgumentError(f"{where}: a value of type {type(value).__name__} is no text, number or boolean")


def _unfit(error: Exception, hint: object, value: object) -> str:
    """Why a value does not fit its type, in words that do not show it."""
    match = _UNEXPECTED.search(str(error))
    if match:
        return f"its field {match[2]!r} must be {match[1]}"
    return f"expected {name_of(hint)}, got {type(value).__name__}"


# ---- paths


def segment(text: str, where: str) -> str:
    """Text as one path segment, which it cannot leave (RFC 3986, section 3.3).

    Raises:
        ArgumentError: it is empty, has a dot segment in any spelling, or has CR, LF or NUL.
    """
    if not text:
        raise ArgumentError(f"{where}: an empty value cannot fill a path segment")
    if _CONTROL.search(text):
        raise ArgumentError(f"{where}: a line break or NUL cannot stand in a path")
    if _has_dot_segment(text):
        raise ArgumentError(f"{where}: '.' and '..' in any spelling cannot fill a path segment")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ArgumentError(f"{where}: it is no valid Unicode text") from None


def segments(text: str, where: str) -> str:
    """Text as several path segments: its slashes survive, each piece is held to the rules of `segment`."""
    return "/".join(segment(piece, where) for piece in text.split("/"))


def _has_dot_segment(text: str) -> bool:
    """Whether a server that decodes too often, or that cuts at `;`, could see a dot segment."""
    while (decoded := unquote(text)) != text:
        text = decoded
    return any(piece.partition(";")[0].strip() in (".", "..") for piece in _SPLIT.split(text))


def path(hint: object, where: str, *, many: bool) -> TextEncoder:
    """The encoder of a path parameter."""
    text = scalar(hint, where)
    fill = segments if many else segment

    def encode(value: Any) -> str:
        if type(value) is str and value.isalnum() and value.isascii() and plain:
            return value
        return fill(text(value), where)

    plain = hint is str
    return encode


# ---- queries


def query_text(text: str, where: str) -> str:
    """Text percent-encoded for a query: everything outside RFC 3986's unreserved, a space as `%20`."""
    if text.isalnum() and text.isascii():
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ArgumentError(f"{where}: it is no valid Unicode text") from None


def query(hint: object, alias: str, where: str) -> TextEncoder:
    """The encoder of a query parameter, to `&name=value`; a sequence repeats the name."""
    lead = f"&{quote(alias, safe='')}="
    items = _kinds.item_type(hint)
    text = scalar(hint if items is None else items, where)

    def encode(value: Any) -> str:
        return lead + query_text(text(value), where)

    def encode_items(value: Any) -> str:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise ArgumentError(f"{where}: expected several values, got {type(value).__name__}")
        return "".join(encode(item) for item in cast("Iterable[object]", value))

    return encode if items is None else encode_items


# ---- headers and cookies


def header(hint: object, name: str, where: str) -> TextEncoder:
    """The encoder of a header's value."""
    text = scalar(hint, where)

    def encode(value: Any) -> str:
        try:
            return check_value(name, text(value))
        except ArgumentError as error:
            message = str(error).removeprefix(f"{where}: ")
        raise ArgumentError(f"{where}: {message}")

    return encode


def cookie(hint: object, name: str, where: str) -> TextEncoder:
    """The encoder of a cookie, to `name=value` (RFC 6265, section 4.1.1)."""
    text = scalar(hint, where)

    def encode(value: Any) -> str:
        shown = text(value)
        if _NOT_IN_COOKIE.search(shown):
            raise ArgumentError(f"{where}: a cookie's value cannot have blanks, commas, semicolons or quotes")
        return f"{name}={shown}"

    return encode


# ---- bodies


def json_body(hint: object, where: str, *, exclude_unset: bool) -> Callable[[Any], bytes]:
    """The encoder of a JSON body."""
    dump = adapter(hint, where).dump_json

    def encode(value: Any) -> bytes:
        try:
            return dump(value, by_alias=True, exclude_unset=exclude_unset, warnings="error")
        except (ValueError, TypeError, RecursionError) as error:
            message = _unfit(error, hint, value)
        raise ArgumentError(f"{where}: {message}")

    return encode
