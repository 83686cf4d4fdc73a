"""What a body is by its type and content type: JSON, lines of JSON, raw, text, or what a codec writes.

This module's rule: decided when the class is created, pure; its messages go on where "parameter 'x'" stops.
"""

from __future__ import annotations

import io
import re
from collections import abc
from enum import Enum
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, TextIO, get_args, get_origin

from pydantic import BaseModel

from stubwire import _charset, _kinds
from stubwire._annotations import free_variables, name_of
from stubwire._json_lines import LINES
from stubwire._roles import RoleError
from stubwire._uploads import Upload
from stubwire.markers import Body, File, Marker

if TYPE_CHECKING:
    from stubwire._spec import Role

Kind = Literal["json", "lines", "raw", "text", "coded"]
"""How a body is written; `"coded"` is for a codec of the client's, if it has one."""

_Raw = Literal["text", "file", "chunks", "async", "several"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_CONTENT_TYPE = re.compile(r"[!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+ *(;[\t\x20-\x7e]*)?", re.ASCII)
_NO_CONTENT = frozenset({"GET", "HEAD"})
_ONE_BY_ONE = (abc.Iterable, abc.Iterator, abc.Generator)
_ASYNC = (abc.AsyncIterable, abc.AsyncIterator, abc.AsyncGenerator)
_SEVERAL = (list, tuple, set, frozenset, abc.Sequence, abc.Collection, abc.Set)
_FILES = "bytes, pathlib.Path, BinaryIO or Upload"


class Shape(NamedTuple):
    """A body.

    Attributes:
        kind: how it is written.
        content_type: as its marker says.
        item: the type of what each line is.
        streamed: whether its lines are written while they are sent.
    """

    kind: Kind
    content_type: str | None
    item: object = None
    streamed: bool = False


def media_type(content_type: str) -> str:
    """A content type without its parameters, in lower case (RFC 9110, section 8.3.1)."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON (RFC 6839, section 3.1, for the suffix)."""
    kind = media_type(content_type)
    return kind in (JSON, "text/json") or kind.endswith("+json")


def marker_of(hint: object) -> Marker | None:
    """The marker of a parameter, where it is not the class of one."""
    return next((item for item in _kinds.markers(hint) if isinstance(item, Marker)), None)


def check(role: Role, hint: object, method: str) -> None:
    """Find what is wrong with a parameter of a body.

    Raises:
        RoleError: something is.
    """
    kind = role.title()
    if role != "body" and method in _NO_CONTENT:
        other = "@post, or Query()" if role == "form" else "@post"
        raise RoleError(f"is a {kind}, and {method} has no body: write {other}")
    marker = marker_of(hint)
    content_type = marker.content_type if isinstance(marker, (Body, File)) else None
    if content_type is not None and not _CONTENT_TYPE.fullmatch(content_type):
        raise RoleError(f"has the content type {content_type!r}, which is none: write one such as 'text/csv'")
    if free_variables(hint):
        return
    if role == "body":
        shape(hint)
    elif role == "file":
        _check_file(hint)


def shape(hint: object) -> Shape:
    """What a body of this type and marker is.

    Raises:
        RoleError: nothing that can be sent.
    """
    marker = marker_of(hint)
    body = marker if isinstance(marker, Body) else Body()
    found = _shape(_kinds.without_none(_kinds.without_markers(hint)), body.content_type)
    if body.embed and found.kind != "json":
        raise RoleError(f"has the type {name_of(hint)}, which is no field of a JSON object: write Body() without embed")
    return found


def _shape(hint: object, content_type: str | None) -> Shape:
    members = [_kinds.plain(member) for member in _kinds.members(hint)]
    json = content_type is None or is_json(content_type)
    raw = [_raw(member, content_type) for member in members]
    if content_type is not None and media_type(content_type) in LINES and not {*raw} <= {"file", "chunks"}:
        return _lines(hint, members, content_type)
    if raw == ["text"] and content_type is not None:
        _check_charset(content_type)
        return Shape("json" if json else "text", content_type)
    if None not in raw:
        return Shape("text" if raw == ["text"] else "raw", content_type)
    if {*raw} <= {None, "text"}:
        return Shape("json" if json else "coded", content_type)
    raise RoleError(f"has the type {name_of(hint)}, of which one part is sent as it is and another as JSON: write one")


def _lines(hint: object, members: list[object], content_type: str) -> Shape:
    origin = get_origin(members[0])
    if len(members) > 1 or origin not in (*_ONE_BY_ONE, *_ASYNC, *_SEVERAL):
        raise RoleError(
            f"has the type {name_of(hint)} and the content type {content_type!r}, which has a line for each item: "
            "write Iterable[Model], or bytes that are lines already"
        )
    args = get_args(members[0])
    return Shape("lines", content_type, args[0], streamed=origin not in _SEVERAL)


def _raw(kind: object, content_type: str | None) -> _Raw | None:
    """How a type is sent as it is; nothing for one that is written as JSON or by a codec."""
    origin = get_origin(kind) or kind
    if origin in (TextIO, io.TextIOBase) or kind == IO[str] or _is(origin, io.TextIOBase):
        raise RoleError(f"has the type {name_of(kind)}, a text file: write BinaryIO, and open it in binary mode")
    if origin in (BinaryIO, IO) or _is(origin, (bytes, bytearray, memoryview, PurePath, Upload, io.IOBase)):
        return "file"
    if _is(origin, str):
        return None if _is(origin, Enum) else "text"
    args = get_args(kind)
    if origin in (*_ASYNC, abc.Iterator):
        return _iterated(kind, args, content_type)
    if args and args[0] is bytes:
        said = content_type is not None and not is_json(content_type)
        return "chunks" if origin in _ONE_BY_ONE or (origin in _SEVERAL and said) else None
    return "file" if callable(getattr(origin, "read", None)) and not _is(origin, BaseModel) else None


def _iterated(kind: object, args: tuple[object, ...], content_type: str | None) -> _Raw:
    if args and args[0] is bytes:
        return "chunks"
    if content_type is not None and media_type(content_type) in LINES:
        return "async"
    raise RoleError(
        f"has the type {name_of(kind)}, of which no JSON can be made: write one of bytes, or "
        "Body(content_type='application/x-ndjson') for a line for each item"
    )


def _check_charset(content_type: str) -> None:
    try:
        _charset.named(content_type)
    except _charset.CharsetError as error:
        message = str(error)
    else:
        return
    raise RoleError(f"has the content type {content_type!r}, which {message}: write charset=utf-8")


def _check_file(hint: object) -> None:
    for member in _kinds.members(_kinds.without_none(_kinds.without_markers(hint))):
        kind = _kinds.plain(member)
        if not _is_file(kind) and not (is_several(kind) and all(map(_is_file, _items(kind)))):
            raise RoleError(f"is a File of type {name_of(kind)}: write {_FILES}, or a list of these")


def is_several(hint: object) -> bool:
    """Whether a type is a list of files, or something like one."""
    return (get_origin(hint) or hint) in _SEVERAL


def is_chunked(hint: object) -> bool:
    """Whether a type is the chunks of one file."""
    return _raw(hint, None) == "chunks"


def _items(kind: object) -> list[object]:
    """The types of the items, each by itself."""
    arguments = [argument for argument in get_args(kind) if argument is not ...]
    return [_kinds.plain(member) for argument in arguments for member in _kinds.members(argument)]


def _is_file(kind: object) -> bool:
    if kind is Any or kind is object:
        return True
    return not is_several(kind) and _raw(kind, None) in ("file", "chunks")


def _is(kind: object, expected: type | tuple[type, ...]) -> bool:
    return isinstance(kind, type) and issubclass(kind, expected)
