"""Lists and objects in a query or a form, by OpenAPI's styles and by that of Rails, PHP and Stripe.

This module's rule: pure functions of what pydantic's JSON serializer shows: text, numbers, booleans, `None`, lists and
dicts. What a style cannot write is an `ArgumentError`.

An empty list and an empty object send nothing. A field that is `None` is left out, but for the style `"json"`, which
has a word for it; `None` in a list is refused. Brackets in a name are sent as `%5B` and `%5D` (RFC 3986, section 3.4,
has no place for them in a query), which Rails, PHP, Stripe, qs and Spring all decode.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from stubwire import _percent
from stubwire._encode import plain_text
from stubwire.errors import ArgumentError

if TYPE_CHECKING:
    from stubwire.markers import Style

DEEPEST = 32
"""How many lists and objects may stand in one another."""

Pairs: TypeAlias = list[tuple[str, str]]
"""Names and values, in order."""

Members: TypeAlias = "Iterator[tuple[str, object]]"
"""What stands in a list or an object, each with the name that it is sent under."""


class Writing(NamedTuple):
    """What becomes of a text, and what stands between items.

    Attributes:
        quote: a text as it is sent; its second argument is what messages begin with.
        between: what separates items, by style.
        ambiguous: the characters that cannot stand in an item, by style: the receiver would split it there.
    """

    quote: Callable[[str, str], str]
    between: Mapping[str, str]
    ambiguous: Mapping[str, str]


def _unicode(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        pass  # its context would show the value
    else:
        return text
    raise ArgumentError(f"{where}: it is no valid Unicode text")


QUERY = Writing(_percent.query_text, {"comma": ",", "space": "%20", "pipe": "%7C"}, {"space": " ", "pipe": "|"})
"""Percent-encoded: a comma between two items is `,`, and one inside an item `%2C`."""

_SEPARATORS = {"comma": ",", "space": " ", "pipe": "|"}

PLAIN = Writing(_unicode, _SEPARATORS, _SEPARATORS)
"""As it is, for a form, which is encoded as a whole and decoded before anybody splits it."""


def encode(
    name: str, value: object, style: Style = "form", *, where: str | None = None, writing: Writing = QUERY
) -> Pairs:
    """A parameter as names and values, percent-encoded; pure.

    Args:
        name: on the wire.
        value: what is sent; a scalar is one pair in every style.
        style: how a list or an object is written.
        where: what messages begin with; the name, if it is not given.
        writing: `PLAIN` for a form.

    Raises:
        ArgumentError: the style cannot write the value, or it has `None` in a list, contains itself, or is nested
            deeper than 32 levels.
    """
    where = name if where is None else where
    if not is_structured(value):
        return _quoted([(name, plain_text(value, where))], where, writing)
    check(value, where)
    if not value:
        return []
    if style in writing.between:
        return [(writing.quote(name, where), text) for text in _joined(value, style, where, writing)]
    if style == "json":
        return _quoted([(name, _json(value, where))], where, writing)
    spread = _repeated(name, value, where) if style == "form" else _nested(name, value, where, indexed=style == "deep")
    return _quoted([(key, plain_text(item, where)) for key, item in spread], where, writing)


def is_structured(value: object) -> bool:
    """Whether a value is a list or an object, and no scalar."""
    return isinstance(value, (list, dict))


def _quoted(pairs: Pairs, where: str, writing: Writing) -> Pairs:
    return [(writing.quote(name, where), writing.quote(text, where)) for name, text in pairs]


def check(value: object, where: str, depth: int = 0) -> None:
    """Refuse what no style can write.

    Raises:
        ArgumentError: `None` stands in a list, or it goes deeper than 32 levels, as what contains itself does.
    """
    if not isinstance(value, (list, dict)):
        return
    if depth == DEEPEST:
        raise ArgumentError(f"{where}: it is nested deeper than {DEEPEST} levels, or contains itself")
    if isinstance(value, dict):
        items = list(cast("dict[object, object]", value).values())
    else:
        items = cast("list[object]", value)
        if None in items:
            raise ArgumentError(f"{where}: None cannot stand among several values")
    for item in items:
        check(item, where, depth + 1)


def fields(value: Mapping[str, object]) -> Members:
    """The fields of an object, without those that are `None`."""
    return ((name, item) for name, item in value.items() if item is not None)


def flat(value: object, where: str, style: str) -> list[str]:
    """A list of scalars as texts; an object of scalars as names and values by turns.

    Raises:
        ArgumentError: a list or an object stands in it.
    """
    if isinstance(value, dict):
        pairs = fields(cast("dict[str, object]", value))
        items: list[object] = [part for pair in pairs for part in pair]
    else:
        items = cast("list[object]", value)
    if any(map(is_structured, items)):
        raise ArgumentError(f"{where}: the style {style!r} writes no list or object inside another")
    return [plain_text(item, where) for item in items]


def _joined(value: object, style: str, where: str, writing: Writing) -> list[str]:
    """All items as one text; nothing for an object whose fields are all `None`."""
    items = flat(value, where, style)
    ambiguous = writing.ambiguous.get(style)
    if ambiguous is not None and any(ambiguous in item for item in items):
        raise ArgumentError(f"{where}: {ambiguous!r} cannot stand in an item, because it separates them")
    return [writing.between[style].join(writing.quote(item, where) for item in items)] if items else []


def _repeated(name: str, value: object, where: str) -> Members:
    if isinstance(value, dict) or any(map(is_structured, cast("list[object]", value))):
        raise ArgumentError(
            f"{where}: the style 'form' writes scalars and lists of scalars only: say another, such as style='deep'"
        )
    return ((name, item) for item in cast("list[object]", value))


def _nested(name: str, value: object, where: str, *, indexed: bool) -> Members:
    """Each scalar with the way to it in brackets.

    Items have an index, or, as Rails, PHP and Stripe want them, empty brackets where they are scalars: of lists and
    objects nobody could tell otherwise which belong together (jQuery's `param` does the same).
    """
    if isinstance(value, dict):
        for key, item in fields(cast("dict[str, object]", value)):
            yield from _nested(f"{name}[{_key(key, where)}]", item, where, indexed=indexed)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            shown = index if indexed or is_structured(item) else ""
            yield from _nested(f"{name}[{shown}]", item, where, indexed=indexed)
    else:
        yield name, value


def _key(key: str, where: str) -> str:
    """A name between brackets, which it cannot leave."""
    if not key or "[" in key or "]" in key:
        raise ArgumentError(
            f"{where}: the name of a field in it is empty or has brackets, and would be read as another"
        )
    return key


def _json(value: object, where: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        pass  # its context would show the value
    raise ArgumentError(f"{where}: a number in it is infinite, not a number, or too long")
