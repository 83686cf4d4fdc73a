"""Lists and objects in a path segment or a header, by OpenAPI's styles simple, label and matrix (RFC 6570).

This module's rule: pure functions of what pydantic's JSON serializer shows. A path segment keeps what fills it: every
name and every item is held to the rules of `_percent.segment`, and so is the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stubwire import _percent
from stubwire._encode import plain_text
from stubwire._styles import check, fields, flat, is_structured
from stubwire.errors import ArgumentError

if TYPE_CHECKING:
    from stubwire.markers import PathStyle

_LEAD: dict[PathStyle, str] = {"simple": "", "label": ".", "matrix": ";"}
_BETWEEN: dict[PathStyle, str] = {"simple": ",", "label": ".", "matrix": ";"}
"""What separates exploded items; others have a comma (RFC 6570, section 3.2.1)."""


def segment(name: str, value: object, style: PathStyle, where: str, *, explode: bool) -> str:
    """A value as one path segment, which it cannot leave, percent-encoded.

    Raises:
        ArgumentError: it or an item is empty, has a dot segment in any spelling, or has CR, LF or NUL; or it is nested.
    """
    check(value, where)
    if is_structured(value):
        text = _several(name, value, style, where, explode=explode)
    else:
        text = plain_text(value, where)
        if style == "matrix":
            text = f"{name}={_percent.segment(text, where)}" if text else name
        else:
            text = _percent.segment(text, where)
    return _percent.whole(_LEAD[style] + text, where)


def _several(name: str, value: object, style: PathStyle, where: str, *, explode: bool) -> str:
    items = [_percent.segment(item, where) for item in flat(value, where, style)]
    if not items:
        raise ArgumentError(f"{where}: an empty value cannot fill a path segment")
    if not explode:
        joined = ",".join(items)
        return f"{name}={joined}" if style == "matrix" else joined
    if style == "label":
        items = [item.replace(".", "%2E") for item in items]
    if isinstance(value, dict):
        items = _assigned(items)
    elif style == "matrix":
        items = [f"{name}={item}" for item in items]
    return _BETWEEN[style].join(items)


def _assigned(items: list[str]) -> list[str]:
    """Names and values by turns, as `name=value`."""
    return [f"{name}={item}" for name, item in zip(items[::2], items[1::2], strict=True)]


def header(value: object, where: str, *, explode: bool) -> str | None:
    """A value as OpenAPI's simple style writes it in a header; `None` for an empty list or object.

    Raises:
        ArgumentError: it is nested, or an item has a comma, or the name of a field a comma or `=`.
    """
    check(value, where)
    if not is_structured(value):
        return plain_text(value, where)
    items = flat(value, where, "simple")
    if any("," in item for item in items):
        raise ArgumentError(f"{where}: ',' cannot stand in an item, because it separates them")
    if isinstance(value, dict) and explode:
        if any("=" in name for name, _ in fields(cast("dict[str, object]", value))):
            raise ArgumentError(f"{where}: '=' cannot stand in the name of a field, because it ends it")
        items = _assigned(items)
    return ",".join(items) if items else None
