"""Places: where a value stands in a request, and where one is found in a JSON body.

This module's rule: pure. A request is not changed but replaced; nothing is shown of a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args
from urllib.parse import quote, unquote_plus

import pydantic_core

from stubwire._headers import is_name
from stubwire.errors import ArgumentError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from stubwire._request import Request

Place: TypeAlias = Literal["query", "header", "body"]
"""Where in a request a value is sent."""

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""Decoded JSON."""

_FORM = "application/x-www-form-urlencoded"


def check_path(what: str, path: object) -> None:
    """Refuse what is no path.

    Raises:
        ConfigurationError: it is empty, or no text.
    """
    if not isinstance(path, str) or not path:
        raise ConfigurationError(f"{what}={path!r} must be a text such as 'meta.next'")


def check_place(strategy: str, option: str, name: object, place: object) -> None:
    """Refuse what is no place.

    Raises:
        ConfigurationError: there is none of that kind, or the name cannot stand there.
    """
    if place not in get_args(Place):
        raise ConfigurationError(f"{strategy} sent_in={place!r} must be 'query', 'header' or 'body'")
    check_path(f"{strategy} {option}", name)
    if place == "header" and not is_name(cast("str", name)):
        raise ConfigurationError(f"{strategy} {option}={name!r} is no header name")


def found(data: object, path: str) -> object:
    """What decoded JSON has at a dotted path; `None` where it has nothing.

    Integers index lists, negative ones from the end. A key that has dots itself is found as it stands:
    `"@odata.nextLink"`.
    """
    dot = "."
    while dot:
        if isinstance(data, dict) and path in data:
            return cast("dict[str, object]", data)[path]
        step, dot, path = path.partition(".")
        if isinstance(data, dict):
            data = cast("dict[str, object]", data).get(step)
        elif isinstance(data, list) and step.removeprefix("-").isdecimal():
            items = cast("list[object]", data)
            data = items[int(step)] if -len(items) <= int(step) < len(items) else None
        else:
            return None
    return data


def read(request: Request, place: Place, name: str) -> object:
    """What a request sends at a place; `None` where it sends nothing."""
    if place == "query":
        return _read_pair(request.url.partition("?")[2], name)
    if place == "header":
        return request.headers.get(name)
    if _is_form(request):
        return _read_pair((request.content or b"").decode("latin-1"), name)
    try:
        return found(pydantic_core.from_json(request.content or b"null"), name)
    except ValueError:
        return None


def written(request: Request, place: Place, name: str, value: Json) -> Request:
    """The request with a value at a place, replacing what was there.

    Raises:
        ArgumentError: it cannot stand there; the message does not show it.
    """
    if place == "body" and not _is_form(request):
        return _with_json(request, name, value)
    plain = text(value)
    if plain is None:
        raise ArgumentError(f"{_kind(value)} cannot stand in the {place} as {name!r}")
    if place == "header":
        changed = request.replace()
        changed.headers[name] = plain
        return changed
    if place == "query":
        path, _, query = request.url.partition("?")
        return request.replace(url=f"{path}?{_with_pair(query, name, plain)}")
    form = _with_pair((request.content or b"").decode("latin-1"), name, plain)
    return request.replace(content=form.encode("latin-1"))


def text(value: object) -> str | None:
    """A JSON scalar as text; `None` for anything else."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return pydantic_core.to_json(value).decode() if is_number else None


def whole(value: object) -> int | None:
    """A whole number, of JSON or of text; `None` for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def without_query(url: str, names: Collection[str]) -> str:
    """A URL without some of its query parameters."""
    path, _, query = url.partition("?")
    kept = [part for part in query.split("&") if _name(part) not in names]
    return f"{path}?{'&'.join(kept)}" if query and kept else path


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _read_pair(query: str, name: str) -> str | None:
    return next((unquote_plus(part.partition("=")[2]) for part in query.split("&") if _name(part) == name), None)


def _with_pair(query: str, name: str, value: str) -> str:
    kept = [part for part in query.split("&") if part and _name(part) != name]
    try:
        return "&".join([*kept, f"{quote(name, safe='')}={quote(value, safe='')}"])
    except UnicodeEncodeError:
        pass  # its context would show the value
    raise ArgumentError(f"a text that is no valid Unicode cannot stand in a query or form as {name!r}")


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def _kind(value: object) -> str:
    return "null" if value is None else f"a value of type {type(value).__name__}"


def _with_json(request: Request, path: str, value: Json) -> Request:
    """The request with a value at a dotted path of its JSON body; a request without a body gets one."""
    if request.is_streamed:
        raise ArgumentError(f"{path!r} cannot stand in a body that is streamed")
    try:
        body: object = pydantic_core.from_json(request.content or b"{}")
        _put(body, path, value)
        content = pydantic_core.to_json(body)
    except (ValueError, TypeError):
        pass  # its context would show the body
    else:
        changed = request.replace(content=content)
        changed.headers.setdefault("Content-Type", "application/json")
        return changed
    raise ArgumentError(f"{path!r} cannot stand in the body, which is no JSON object that has a place for it")


def _put(data: object, path: str, value: Json) -> None:
    dot = "."
    while dot:
        if not isinstance(data, dict):
            raise TypeError
        fields = cast("dict[str, object]", data)
        step, dot, rest = ("", "", "") if path in fields else path.partition(".")
        if not dot:
            fields[path] = value
        elif fields.get(step) is None:
            fields[step] = {}
        data, path = fields.get(step), rest
