"""The role of one parameter: by its marker, by its name in the path, or by its type.

This module's rule: one decision, pure; its messages go on where "parameter 'x'" stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stubwire import _kinds
from stubwire._annotations import free_variables, name_of
from stubwire._headers import check_name, is_name
from stubwire.errors import ArgumentError
from stubwire.markers import Body, Cookie, Header, Marker, Named, Path, Query

if TYPE_CHECKING:
    from stubwire._spec import Role

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ROLES: dict[type, Role] = {Path: "path", Query: "query", Header: "header", Cookie: "cookie", Body: "body"}


class RoleError(ValueError):
    """A parameter is wrong; the message says how, the caller says which."""


def role(name: str, hint: object, method: str, *, in_path: bool, none: bool) -> tuple[Role, str]:
    """Where a parameter goes, and its name there.

    Args:
        name: in Python.
        hint: its resolved type.
        method: of the endpoint.
        in_path: whether the path has a placeholder of its name.
        none: whether its default is `None`.

    Raises:
        RoleError: it cannot go anywhere.
    """
    marker = _marker(hint)
    found = _role(name, hint, method, marker, in_path=in_path)
    kind = _kinds.plain(hint)
    if found != "body" and not free_variables(kind):
        _check_type(found, name, kind, method, none=none)
    return found, _alias(name, marker, found)


def _marker(hint: object) -> Marker | None:
    found = _kinds.markers(hint)
    if len(found) > 1:
        names = " and ".join((item if isinstance(item, type) else type(item)).__name__ for item in found)
        raise RoleError(f"has the markers {names}: write one of them")
    marker = found[0] if found else None
    if isinstance(marker, type):
        raise RoleError(f"is marked with the class {marker.__name__}: write {marker.__name__}()")
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
    if not _kinds.is_body(hint):
        return "query"
    if method in BODY_METHODS:
        return "body"
    raise RoleError(
        f"has the type {name_of(hint)}, which is a JSON body, and {method} usually has none: "
        f"write Annotated[{name_of(hint)}, Body()] to send one, or a Query() parameter for each value"
    )


def _check_type(found: Role, name: str, hint: object, method: str, *, none: bool) -> None:
    items = _kinds.item_type(hint)
    if _kinds.is_body(hint) or (items is not None and _kinds.item_type(items) is not None):
        shape = "no scalar and no list of scalars" if found == "query" else "no scalar"
        body = f", or Annotated[{name_of(hint)}, Body()]" if found == "query" and method in BODY_METHODS else ""
        raise RoleError(f"is a {found} parameter of type {name_of(hint)}, {shape}: write one for each value{body}")
    if items is not None and found != "query":
        raise RoleError(
            f"is a {found} parameter of type {name_of(hint)}, and only a query repeats: write {name}: {name_of(items)}"
        )
    if found == "path" and (none or _kinds.has_none(hint)):
        kind = name_of(_kinds.without_none(hint))
        raise RoleError(
            f"fills <{name}> in the path, so it cannot be None: write {name}: {kind}, without None as its default"
        )


def _alias(name: str, marker: Marker | None, found: Role) -> str:
    alias = marker.alias if isinstance(marker, Named) else None
    if alias == "":
        raise RoleError("has an empty alias: write its name on the wire, or none")
    if found == "header":
        try:
            return check_name(alias or name.replace("_", "-").title())
        except ArgumentError as error:
            message = str(error)
        raise RoleError(f"is a header, and {message}")
    if found == "path" and alias not in (None, name):
        raise RoleError(f"has the alias {alias!r}, but a placeholder has one name: write <{name}> and Path()")
    if found == "cookie" and not is_name(alias or name):
        raise RoleError(f"is a cookie, and {alias or name!r} is no cookie name: write letters, digits and hyphens")
    return alias or name
