"""The role of one parameter: by its marker, by its name in the path, or by its type.

This module's rule: one decision, pure; its messages go on where "parameter 'x'" stops.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast, get_args

from stubwire import _kinds
from stubwire._annotations import free_variables, name_of
from stubwire._headers import check_name, is_name
from stubwire.errors import ArgumentError
from stubwire.markers import (
    UNSET,
    Body,
    Cookie,
    File,
    Form,
    Header,
    Marker,
    Named,
    Path,
    PathStyle,
    Query,
    Style,
    Unset,
)

if TYPE_CHECKING:
    from stubwire._fields import Field, Shape
    from stubwire._spec import Role

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ROLES: dict[type, Role] = {
    Path: "path",
    Query: "query",
    Header: "header",
    Cookie: "cookie",
    Body: "body",
    Form: "form",
    File: "file",
}
_STYLED = ("query", "form")
_SPREADING = ("query", "form", "header", "cookie")
_FLAT: frozenset[str] = frozenset({"comma", "space", "pipe"})
_SCALARS: tuple[object, ...] = (str, int, float, bool)
_FRAMING = ("content-length", "transfer-encoding")
_NO_NAME = r"[\x00-\x1f\x7f\ud800-\udfff]"
"""What stands in no name: it would break out of a part of a multipart body, or cannot be encoded."""


class RoleError(ValueError):
    """A parameter is wrong; the message says how, the caller says which."""


class Place(NamedTuple):
    """Where a parameter goes.

    Attributes:
        role: its role.
        alias: its name there.
        names: the parameter, its role, and each of its names there: those of its fields, where it spreads.
    """

    role: Role
    alias: str
    names: tuple[tuple[str, Role, str], ...]


def place(
    name: str, hint: object, method: str, *, in_path: bool, many: bool, default: object, style: Style | None
) -> Place:
    """Where a parameter goes.

    Args:
        name: in Python.
        hint: its resolved type.
        method: of the endpoint.
        in_path: whether the path has a placeholder of its name.
        many: whether that takes several segments.
        default: its default.
        style: how lists and objects are written where its marker does not say; `None` if nobody knows yet.

    Raises:
        RoleError: it cannot go anywhere.
    """
    marker = _marker(hint)
    found = _role(name, hint, method, marker, in_path=in_path)
    kind = _kinds.plain(hint)
    if many and isinstance(marker, Path) and marker != Path(marker.alias):
        raise RoleError(f"fills <path:{name}>, which has no style: write Path() without style and explode")
    if found == "path" and not free_variables(kind):
        _check_filling(name, hint, default)
    alias = _alias(name, marker, found)
    if kind in _SCALARS:  # of which nothing can be wrong, and which have one name: most are
        return Place(found, alias, ((name, found, alias),))
    if found == "body" or marker is not None:
        _check_model(hint)
    if found not in ("body", "file") and not free_variables(kind):
        _check_type(found, name, hint, marker, style, many=many)
    return Place(found, alias, tuple((name, found, wire) for wire in _names(found, alias, hint, marker)))


def _marker(hint: object) -> Marker | None:
    found = _kinds.markers(hint)
    if len(found) > 1:
        names = " and ".join((item if isinstance(item, type) else type(item)).__name__ for item in found)
        raise RoleError(f"has the markers {names}: write one of them")
    marker = found[0] if found else None
    if isinstance(marker, type):
        raise RoleError(f"is marked with the class {marker.__name__}: write {marker.__name__}()")
    return _known(marker)


def _known(marker: Marker | None, shown: str = "has") -> Marker | None:
    """The marker, if the style that it says is one."""
    styles: tuple[object, ...] = get_args(PathStyle if isinstance(marker, Path) else Style)
    style = getattr(marker, "style", None)
    if style is not None and style not in styles:
        raise RoleError(f"{shown} the style {style!r}: write one of {', '.join(map(repr, styles))}")
    return marker


def _role(name: str, hint: object, method: str, marker: Marker | None, *, in_path: bool) -> Role:
    if marker is not None:
        found = _ROLES[type(marker)]
        if in_path and found != "path":
            kind = type(marker).__name__
            raise RoleError(f"fills <{name}> in the path, so it cannot be a {kind}: write no marker, or rename it")
        return found
    if in_path:
        return "path"
    stream = _kinds.is_stream(hint)
    if not stream and not _kinds.is_body(hint):
        return "query"
    if method in BODY_METHODS:
        return "body"
    kind, name = "a body" if stream else "a JSON body", name_of(hint)
    spread = "" if stream else f", or Annotated[{name}, Query()] for query parameters"
    raise RoleError(
        f"has the type {name}, which is {kind}, and {method} usually has none: write Annotated[{name}, Body()] to send "
        f"one{spread}"
    )


def _check_type(
    found: Role, name: str, hint: object, marker: Marker | None, style: Style | None, *, many: bool
) -> None:
    """Refuse a type that the role, or the style, cannot write."""
    if _kinds.is_stream(hint):
        wanted = "File()" if found == "form" else "Body()"
        raise RoleError(
            f"is a {found} parameter of type {name_of(hint)}, which is read while it is sent: mark it with {wanted}"
        )
    items = _kinds.item_type(hint)
    if not _kinds.is_body(hint) and (items is None or (found in _STYLED and _kinds.item_type(items) is None)):
        return
    from stubwire import _fields  # for the few types that are no scalar

    if many:
        raise RoleError(f"fills <path:{name}>, which takes text, and has the type {name_of(hint)}: write {name}: str")
    if found == "path" and marker is None:
        raise RoleError(
            f"fills <{name}> in the path and has the type {name_of(hint)}: write Annotated[{name_of(hint)}, Path()] to "
            f"send it as a,b, or {name}: str"
        )
    style = style_of(marker, style)
    if _fields.spreads(hint):
        for field in _fields.fields(hint):
            _check_field(found, field, hint, marker, style)
        return
    wanted = f"say how to write it, as in {found.title()}(style='deep'), 'brackets' or 'json'"
    if marker is None:
        wanted += f", or write Annotated[{name_of(hint)}, Body()]"
    _check_shape(found, _fields.shape(hint), style, f"of type {name_of(hint)}", wanted)


def _check_field(found: Role, field: Field, hint: object, marker: Marker | None, style: Style | None) -> None:
    """Refuse a field of a record that spreads, where it cannot be written by itself."""
    if field.marker is not None and type(field.marker) is not type(marker):
        raise RoleError(
            f"spreads the fields of {name_of(hint)}, of which {field.name!r} has another marker: write "
            f"{type(marker).__name__}() there too, or none"
        )
    _known(cast("Marker", field.marker), f"spreads the fields of {name_of(hint)}, of which {field.name!r} has")
    shown = f"that spreads, and the field {field.name!r} of {name_of(hint)} is {name_of(field.hint)}"
    wanted = (
        f"say how to write it, as in query_style='deep', 'brackets' or 'json' of the endpoint, or write "
        f"{found.title()}(style=...) beside its type"
    )
    _check_shape(found, field.shape, style_of(field.marker, style), shown, wanted)


def _check_filling(name: str, hint: object, default: object) -> None:
    """Refuse what may leave a hole in the path, or would show in it."""
    members = [_kinds.plain(member) for member in _kinds.members(hint)]
    for missing, kinds in ((None, {None, type(None)}), (UNSET, {Unset})):
        if default is missing or not kinds.isdisjoint(members):
            raise RoleError(
                f"fills <{name}> in the path, so it cannot be {missing!r}: write {name}: "
                f"{name_of(_kinds.without_none(_kinds.plain(hint)))}, without {missing!r} as its default"
            )
    if _kinds.is_secret(hint) or (_kinds.is_body(hint) and _holds_secret(hint)):
        raise RoleError(
            f"fills <{name}> in the path, which logs and errors show, and is a secret: send it as a header, or write "
            f"{name}: str"
        )


def _holds_secret(hint: object) -> bool:
    from stubwire import _fields

    return _fields.holds_secret(hint)


def _check_model(hint: object) -> None:
    if _kinds.has_bare_model(hint):
        raise RoleError(
            f"has the type {name_of(hint)}, and BaseModel itself has no fields: write the model, or "
            "Annotated[Any, Body()] for any"
        )


def style_of(marker: object, style: Style | None) -> Style | None:
    """The style that a marker says, or the one that holds where it says none."""
    said: Style | None = getattr(marker, "style", None)
    return said or style


def _check_shape(found: Role, shape: Shape, style: Style | None, shown: str, wanted: str) -> None:
    """Refuse what cannot be written.

    Args:
        found: the role.
        shape: of the type.
        style: how lists and objects are written; `None` if nobody knows yet.
        shown: what goes on in a message where "a query parameter" stops.
        wanted: what to do where another style helps.
    """
    if shape in ("scalar", "unknown"):
        return
    if found not in _STYLED:
        if shape == "nested" or found == "cookie":
            raise RoleError(f"is a {found} parameter {shown}, which no {found} can hold: write one for each value")
    elif style == "form" and shape != "items":
        raise RoleError(f"is a {found} parameter {shown}, no scalar and no list of scalars: {wanted}")
    elif style in _FLAT and shape == "nested":
        raise RoleError(f"is a {found} parameter {shown}, which is too deep for the style {style!r}: {wanted}")


def _names(found: Role, alias: str, hint: object, marker: Marker | None) -> tuple[str, ...]:
    """What it is called on the wire.

    A model that spreads has no name of its own: only its type says that, so it is looked at where a marker allows it.
    """
    if found in _SPREADING and marker is not None and _kinds.is_body(hint):
        from stubwire import _fields

        if _fields.spreads(hint):
            return tuple(_checked(found, field.wire(found)) for field in _fields.fields(hint))
    return (alias,)


def _alias(name: str, marker: Marker | None, found: Role) -> str:
    alias = marker.alias if isinstance(marker, Named) else None
    if alias == "":
        raise RoleError("has an empty alias: write its name on the wire, or none")
    if found == "header":
        return _checked(found, alias or name.replace("_", "-").title())
    if found == "path" and alias not in (None, name):
        raise RoleError(f"has the alias {alias!r}, but a placeholder has one name: write <{name}> and Path()")
    return _checked(found, alias or name)


def _checked(found: Role, wire: str) -> str:
    """A name on the wire, if it can be one."""
    if not isinstance(wire, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
        raise RoleError(f"has the alias {wire!r}, which is no text: write its name on the wire")
    if re.search(_NO_NAME, wire) and found not in ("header", "cookie"):
        raise RoleError(f"has the alias {wire!r}, with a control character or no valid Unicode: write another")
    if found == "cookie" and not is_name(wire):
        raise RoleError(f"is a cookie, and {wire!r} is no cookie name: write letters, digits and hyphens")
    if found != "header":
        return wire
    if wire.lower() in _FRAMING:
        raise RoleError(f"is the header {wire!r}, which says how long the body is, as only its sender knows: drop it")
    try:
        return check_name(wire)
    except ArgumentError as error:
        message = str(error)
    raise RoleError(f"is a header, and {message}")
