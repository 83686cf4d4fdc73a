"""From declaration to `EndpointSpec`: the role of each parameter, and every way to be wrong about it.

This module's rule: `parameters` and `check` run when the class is created and cost microseconds; what is expensive
(type adapters, the bind function) waits for the first access, in `build`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from inspect import Parameter
from typing import Any, cast

from stubwire import _kinds, _options, _template
from stubwire._annotations import Scope, free_variables, name_of, raw_annotations
from stubwire._declaration import Argument, Declaration, EndpointOptions, arguments
from stubwire._decode import result_type, statuses
from stubwire._headers import check_name
from stubwire._spec import EndpointSpec, ParameterSpec, Role
from stubwire._template import Template, TemplateError
from stubwire.errors import ArgumentError, ConfigurationError, HTTPStatusError, SpecError
from stubwire.markers import Body, Cookie, Header, Marker, Path, Query, Unset

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ROLES: dict[type, Role] = {Path: "path", Query: "query", Header: "header", Cookie: "cookie", Body: "body"}
_KNOWN_OPTIONS = frozenset(EndpointOptions.__annotations__)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a parameter's type says about its role."""

    markers: tuple[Marker | Body, ...]
    is_body: bool
    is_text: bool
    allows_none: bool
    free: tuple[object, ...]


@lru_cache(maxsize=4096)
def _shape(hint: Any) -> _Shape:
    items = _kinds.item_type(hint)
    is_body = _kinds.is_body(hint)
    is_text = not is_body and (items is None or (_kinds.item_type(items) is None and not _kinds.is_body(items)))
    return _Shape(_kinds.markers(hint), is_body, is_text, _kinds.allows_none(hint), free_variables(_kinds.plain(hint)))


def parse_path(text: str, where: str) -> Template:
    """A template, or the error that says where it is malformed.

    Raises:
        SpecError: it is.
    """
    try:
        return _template.parse(text)
    except TemplateError as error:
        message = str(error)
    raise SpecError(f"{where}: {message}")


def full_path(declaration: Declaration, prefix: Template, where: str) -> Template:
    """The stub's template behind the prefix of its resources."""
    template = parse_path(declaration.path, where)
    if not prefix.parts:
        return template
    try:
        return _template.join(prefix, template)
    except TemplateError as error:
        message = str(error)
    raise SpecError(f"{where}: {message}")


def check(declaration: Declaration, owner: type, scope: Scope, prefix: Template) -> None:
    """Find everything that is wrong with a declaration, except for names that are defined later.

    Raises:
        SpecError: something is.
        NameError: an annotation has a name that is not defined yet; what could be checked was.
    """
    where = declaration.where(owner)
    if declaration.options:
        _check_options(declaration.options, where)
    template = full_path(declaration, prefix, where)
    raw = raw_annotations(declaration.stub)
    if "return" not in raw:
        raise SpecError(f"{where}: has no return type: write -> Model for what it returns, or -> None")
    parameters(declaration, owner, scope, template)
    if declaration.options:
        _check_result(declaration, scope.resolve(raw["return"], declaration.stub.__globals__), where)


def specify(declaration: Declaration, owner: type, scope: Scope, prefix: Template) -> EndpointSpec:
    """The spec of a declaration.

    Raises:
        SpecError: it is wrong, or a name in it is still not defined.
    """
    where = declaration.where(owner)
    template = full_path(declaration, prefix, where)
    options = declaration.options
    try:
        returns = scope.resolve(raw_annotations(declaration.stub)["return"], declaration.stub.__globals__)
        found = parameters(declaration, owner, scope, template)
        _check_result(declaration, returns, where)
    except NameError as error:
        missing = error.name
    else:
        if free := free_variables(_kinds.plain(returns)):
            raise SpecError(f"{where}: nothing says what {name_of(free[0])} is: subclass with a type, as in Crud[Repo]")
        return EndpointSpec(
            name=where,
            method=declaration.method,
            path=template.text,
            parameters=found,
            returns=returns,
            is_async=declaration.is_async,
            unwrap=options.get("unwrap"),
            errors=dict(options.get("errors", {})),
            none_on=frozenset(options.get("none_on", ())),
        )
    raise SpecError(
        f"{where}: the name {missing!r} in its annotations is not defined: define or import it at run time, not only "
        "under TYPE_CHECKING, and before the class if both are inside a function"
    )


# ---- parameters


def parameters(declaration: Declaration, owner: type, scope: Scope, template: Template) -> tuple[ParameterSpec, ...]:
    """The parameters with their roles.

    Raises:
        SpecError: one is wrong.
        NameError: one has a type that is not defined yet.
    """
    where = declaration.where(owner)
    found = arguments(declaration, where)
    missing = [name for name in template.names if all(argument.name != name for argument in found)]
    if missing:
        raise SpecError(
            f"{where}: path {template.text!r} names {missing[0]!r}, which no parameter supplies: "
            f"add the parameter {missing[0]}: str"
        )
    raw = raw_annotations(declaration.stub)
    specs = [_parameter(argument, declaration, scope, template, raw, where) for argument in found]
    _check_together(specs, where)
    return tuple(specs)


def _parameter(  # noqa: PLR0917 - one row of a table
    argument: Argument, declaration: Declaration, scope: Scope, template: Template, raw: dict[str, Any], where: str
) -> ParameterSpec:
    name = argument.name
    at = f"{where}: parameter {name!r}"
    if name not in raw:
        if argument.default is Parameter.empty and name not in template.names:
            raise SpecError(f"{at} has no annotation: write {name}: str, or the type that it has")
        hint: object = str if name in template.names else object
    else:
        hint = scope.resolve(raw[name], declaration.stub.__globals__)
    try:
        shape = _shape(hint)
    except TypeError:  # an unhashable annotation
        shape = _shape.__wrapped__(hint)
    marker = _marker(shape, at)
    role = _role(name, marker, shape, declaration.method, template, at)
    _check_type(role, hint, shape, argument, at)
    alias = _alias(name, marker, role, at)
    return ParameterSpec(name, alias, role, hint, argument.default, argument.kind)


def _marker(shape: _Shape, at: str) -> Marker | Body | None:
    if len(shape.markers) > 1:
        names = " and ".join(type(marker).__name__ for marker in shape.markers)
        raise SpecError(f"{at} has the markers {names}: keep one")
    return shape.markers[0] if shape.markers else None


def _role(  # noqa: PLR0917 - one decision, in the order of the documentation
    name: str, marker: Marker | Body | None, shape: _Shape, method: str, template: Template, at: str
) -> Role:
    in_path = name in template.names
    if marker is not None:
        role = _ROLES[type(marker)]
        if (role == "path") != in_path:
            if in_path:
                raise SpecError(f"{at} is named in the path, so it cannot be a {type(marker).__name__}: rename one")
            raise SpecError(f"{at} is a Path, but path {template.text!r} has no <{name}>: add it, or drop the marker")
        return role
    if in_path:
        return "path"
    if shape.is_body:
        if method in BODY_METHODS:
            return "body"
        raise SpecError(f"{at} looks like a body, which {method} has none of: mark it Body() to send it as one")
    return "query"


def _check_type(role: Role, hint: object, shape: _Shape, argument: Argument, at: str) -> None:
    if role == "body" or shape.free:
        return
    if not shape.is_text:
        raise SpecError(
            f"{at} is a {role} parameter of type {name_of(hint)}, which is no scalar"
            + (": write one parameter for each field" if role == "query" else "")
        )
    if role != "query" and _kinds.item_type(hint) is not None:
        raise SpecError(f"{at} is a {role} parameter of type {name_of(hint)}: only a query parameter repeats")
    if role == "path" and (shape.allows_none or argument.default is None) and hint is not object:
        raise SpecError(f"{at} fills the path, so it cannot be None: drop None from its type and default")


def _alias(name: str, marker: Marker | Body | None, role: Role, at: str) -> str:
    alias = marker.alias if isinstance(marker, Marker) else None
    if role == "header":
        alias = alias or name.replace("_", "-").title()
        try:
            return check_name(alias)
        except ArgumentError as error:
            message = str(error)
        raise SpecError(f"{at}: {message}")
    if role == "path" and alias is not None and alias != name:
        raise SpecError(f"{at} fills <{name}>, so it needs no alias: rename the placeholder")
    if role == "cookie" and alias is not None and not alias.isascii():
        raise SpecError(f"{at}: {alias!r} is no cookie name: write letters, digits and hyphens")
    return alias or name


def _check_together(specs: list[ParameterSpec], where: str) -> None:
    bodies = [spec.name for spec in specs if spec.role == "body"]
    if len(bodies) > 1:
        raise SpecError(
            f"{where}: parameters {bodies[0]!r} and {bodies[1]!r} are both bodies: put them into one model, "
            "or mark one Query()"
        )
    seen: dict[tuple[str, str], str] = {}
    for spec in specs:
        key = (spec.role, spec.alias.lower() if spec.role == "header" else spec.alias)
        if key in seen:
            raise SpecError(f"{where}: parameters {seen[key]!r} and {spec.name!r} are both sent as {spec.alias!r}")
        seen[key] = spec.name


# ---- options


def _check_options(options: EndpointOptions, where: str) -> None:
    for name in options:
        if name not in _KNOWN_OPTIONS:
            raise SpecError(f"{where}: {name!r} is no option; the options are {', '.join(sorted(_KNOWN_OPTIONS))}")
    check_errors(cast("dict[Any, type]", options.get("errors", {})), where)
    for status in options.get("none_on", ()):
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status < 600:
            raise SpecError(f"{where}: none_on has {status!r}, which is no status from 200 to 599")
    try:
        _options.check(verb_layer(options), where)
    except ConfigurationError as error:
        message = str(error)
    else:
        return
    raise SpecError(message)


def verb_layer(options: EndpointOptions) -> _options.Options:
    """The options of a verb that fold with those of the client."""
    folded = {name: value for name, value in options.items() if name in _options.NAMES and name != "idempotency_key"}
    return _options.Options(**cast("dict[str, Any]", folded))


def check_errors(errors: dict[Any, type], where: str) -> None:
    """Check a mapping of statuses to models and exception classes.

    Raises:
        SpecError: a key is no status, or a class cannot stand for it.
    """
    for key, kind in errors.items():
        try:
            covered = statuses(key)
        except (ValueError, TypeError):
            raise SpecError(
                f"{where}: errors has the key {key!r}: write a status from 300 to 599, a range of them, or '4XX'"
            ) from None
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            continue
        if not issubclass(kind, HTTPStatusError):
            raise SpecError(f"{where}: errors maps {key!r} to {kind.__name__}: derive it from ClientError[Model]")
        covers = cast("type[HTTPStatusError[Any]]", kind).covers
        if covered[0] not in covers or covered[-1] not in covers:
            raise SpecError(
                f"{where}: errors maps {key!r} to {kind.__name__}, which stands for {covers[0]} to {covers[-1]} only"
            )


def _check_result(declaration: Declaration, returns: object, where: str) -> None:
    data_type, _ = result_type(returns)
    options = declaration.options
    if options.get("none_on") and not _kinds.allows_none(data_type):
        raise SpecError(
            f"{where}: none_on needs a return type that allows None: write -> {name_of(data_type)} | None"
        )
    if "unwrap" in options:
        if not all(options["unwrap"].split(".")):
            raise SpecError(f"{where}: unwrap={options['unwrap']!r} is no dotted path such as 'data.items'")
        if _kinds.plain(data_type) in (None, type(None), bytes):
            raise SpecError(f"{where}: unwrap needs a JSON result, not {name_of(data_type)}")
    if Unset in _kinds.members(data_type):
        raise SpecError(f"{where}: a result is never Unset: write the type that the server answers with")
