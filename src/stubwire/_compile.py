"""From declaration to `EndpointSpec`, and every way to be wrong about it.

This module's rule: `check` runs when the class is created and costs microseconds; what is expensive (type adapters,
the bind function) waits for the first access.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ForwardRef, cast, get_origin

from pydantic import BaseModel

from stubwire import _kinds, _options, _template
from stubwire._adapters import adapter
from stubwire._annotations import Scope, free_variables, name_of
from stubwire._declaration import Declaration, EndpointOptions
from stubwire._decode import body_type, result_type, statuses
from stubwire._headers import is_name
from stubwire._reading import Reading
from stubwire._spec import EndpointSpec, Role
from stubwire._template import Template, TemplateError
from stubwire.errors import ConfigurationError, HTTPStatusError, SpecError
from stubwire.markers import Unset
from stubwire.retry import Retry

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_KNOWN_OPTIONS = frozenset(EndpointOptions.__annotations__)


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


def join_path(prefix: Template, template: Template, where: str) -> Template:
    """A resource's path and what stands below it, as one template.

    Raises:
        SpecError: they do not go together.
    """
    if not prefix.parts:
        return template
    try:
        return _template.join(prefix, template)
    except TemplateError as error:
        message = str(error)
    raise SpecError(f"{where}: {message}")


def full_path(declaration: Declaration, prefix: Template, where: str) -> Template:
    """The stub's template behind the prefix of its resources."""
    return join_path(prefix, parse_path(declaration.path, where), where)


def check(declaration: Declaration, owner: type, scope: Scope, prefix: Template, *, mounted: bool = True) -> None:
    """Find everything that is wrong with a declaration, except for names that are defined later.

    Args:
        declaration: the stub.
        owner: the class that has it, perhaps by inheritance.
        scope: the names that its annotations may use.
        prefix: the path of the resources that hold it.
        mounted: whether that is all of the prefix, so that no other resource can bring a placeholder.

    Raises:
        SpecError: something is.
    """
    reading = Reading(declaration, owner, scope, full_path(declaration, prefix, declaration.where(owner)))
    if declaration.options:
        check_options(declaration.options, reading.where)
    found: list[tuple[str, Role, str]] = []
    for argument in reading.arguments:
        try:
            found.append((argument.name, *reading.role(argument, mounted=mounted)))
        except NameError:  # defined later: the first access finds out
            continue
    _check_together(found, reading.where)
    if declaration.options:  # without any, the result cannot be wrong before it is decoded
        try:
            _check_result(declaration.options, reading.returns(), reading.where)
        except NameError:
            return


def specify(declaration: Declaration, owner: type, scope: Scope, prefix: Template) -> EndpointSpec:
    """The spec of a declaration.

    Raises:
        SpecError: it is wrong, or a name in it is still not defined.
    """
    reading = Reading(declaration, owner, scope, full_path(declaration, prefix, declaration.where(owner)))
    where, options = reading.where, declaration.options
    try:
        found = tuple(reading.parameter(argument) for argument in reading.arguments)
        returns = reading.returns()
    except NameError as error:
        missing = error.name
    else:
        _check_together([(parameter.name, parameter.role, parameter.alias) for parameter in found], where)
        _check_result(options, returns, where)
        for hint in (returns, *(parameter.annotation for parameter in found)):
            _check_filled(hint, owner, where)
        return EndpointSpec(
            name=where,
            method=declaration.method,
            path=reading.template.text,
            parameters=found,
            returns=returns,
            is_async=declaration.is_async,
            unwrap=options.get("unwrap"),
            errors=dict(options.get("errors", {})),
            none_on=frozenset(options.get("none_on", ())),
        )
    raise SpecError(
        f"{where}: the name {missing!r} in its annotations is not defined: import it at run time, not only under "
        "TYPE_CHECKING, and define it before the class where both are inside a function"
    )


# ---- parameters and result, together


def _check_together(found: list[tuple[str, Role, str]], where: str) -> None:
    seen: dict[object, str] = {}
    for name, role_, alias in found:
        key = role_ if role_ == "body" else (role_, alias.lower() if role_ == "header" else alias)
        if key not in seen:
            seen[key] = name
        elif role_ == "body":
            raise SpecError(
                f"{where}: parameters {seen[key]!r} and {name!r} are both bodies: write one model that has both as its "
                "fields, or mark the one that is none with Query()"
            )
        else:
            raise SpecError(
                f"{where}: parameters {seen[key]!r} and {name!r} are both the {role_} {alias!r}: write another alias "
                f"for one, as in {role_.title()}('other')"
            )


def _check_filled(hint: object, owner: type, where: str) -> None:
    for variable in free_variables(_kinds.plain(hint)):
        raise SpecError(
            f"{where}: nothing says what {name_of(variable)} is: write the type in a subclass or an annotation, "
            f"as in {owner.__name__}[Model]"
        )


def _check_result(options: EndpointOptions, returns: object, where: str) -> None:
    data_type, _ = result_type(returns)
    if options.get("none_on") and not _kinds.allows_none(data_type):
        raise SpecError(f"{where}: none_on needs a return type that allows None: write -> {name_of(data_type)} | None")
    if "unwrap" in options and _kinds.plain(data_type) in (None, type(None), bytes):
        raise SpecError(f"{where}: unwrap needs a JSON result, not {name_of(data_type)}: write the type of that part")
    if Unset in _kinds.members(data_type):
        raise SpecError(f"{where}: a result is never Unset: write the type that the server answers with")


# ---- options


def check_options(options: EndpointOptions, where: str) -> None:
    """Check the options of a verb, but for what they say about the result.

    Raises:
        SpecError: there is none of that name, or its value cannot be used.
    """
    for name in options:
        if name not in _KNOWN_OPTIONS:
            raise SpecError(f"{where}: {name!r} is no option: write one of {', '.join(sorted(_KNOWN_OPTIONS))}")
    given = cast("dict[str, Any]", options)
    check_errors(given.get("errors", {}), where)
    _check_none_on(given.get("none_on", frozenset()), where)
    if "unwrap" in given and not (isinstance(given["unwrap"], str) and all(given["unwrap"].split("."))):
        raise SpecError(f"{where}: unwrap={given['unwrap']!r} is no path: write keys with dots, such as 'data.items'")
    if not isinstance(given.get("retry"), (Retry, type(None))):
        raise SpecError(f"{where}: retry={given['retry']!r} is no Retry: write Retry(max_retries=...), or None")
    key = given.get("idempotency_key", False)
    if not isinstance(key, bool) and not (isinstance(key, str) and is_name(key)):
        raise SpecError(f"{where}: idempotency_key={key!r} is no header name: write True, or the name of the header")
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


def _check_none_on(given: Any, where: str) -> None:
    if not isinstance(given, (set, frozenset)):
        raise SpecError(f"{where}: none_on={given!r} is no set: write the statuses in braces, such as {{404}}")
    for status in cast("set[Any]", given):
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status < 600:
            raise SpecError(f"{where}: none_on has {status!r}, which is no status: write numbers from 200 to 599")


def check_errors(errors: Any, where: str) -> None:
    """Check a mapping of statuses to models and exception classes.

    Raises:
        SpecError: a key is no status, or a class cannot stand for it.
    """
    if not isinstance(errors, Mapping):
        raise SpecError(f"{where}: errors={errors!r} is no mapping: write {{404: NotFound, '5XX': Problem}}")
    for key, kind in cast("dict[Any, Any]", errors).items():
        _check_error(key, kind, where)


def _check_error(key: Any, kind: Any, where: str) -> None:
    try:
        covered = statuses(key)
    except (ValueError, TypeError):
        raise SpecError(
            f"{where}: errors has the key {key!r}: write a status from 300 to 599, a range of them, or '4XX'"
        ) from None
    if not isinstance(kind, type) and get_origin(kind) is None:
        raise SpecError(f"{where}: errors maps {key!r} to {kind!r}: write a model, or a class derived from ClientError")
    origin = get_origin(kind) or kind
    if not isinstance(origin, type) or not issubclass(origin, BaseException):
        _check_model(kind, f"{where}: errors maps {key!r} to {name_of(kind)}")
        return
    if not _is_status_error(origin):
        raise SpecError(f"{where}: errors maps {key!r} to {name_of(kind)}: derive it from ClientError[Model]")
    if origin is not kind:
        raise SpecError(
            f"{where}: errors maps {key!r} to {name_of(kind)}, which nothing could catch: write a class of your own, "
            f"class MyError({name_of(kind)})"
        )
    covers = origin.covers
    if covered[0] not in covers or covered[-1] not in covers:
        only = f"{covers[0]} to {covers[-1]}" if len(covers) > 1 else f"{covers[0]}"
        raise SpecError(f"{where}: errors maps {key!r} to {kind.__name__}: write a status that it stands for, {only}")
    if (model := body_type(origin)) is not None:
        _check_model(model, f"{where}: errors maps {key!r} to {kind.__name__}")


def _check_model(model: Any, where: str) -> None:
    """A body's model, where that is no plain class of pydantic's, must be a type that pydantic can handle."""
    if isinstance(model, (str, ForwardRef)):
        text = model if isinstance(model, str) else model.__forward_arg__
        raise SpecError(f"{where}: its model is the text {text!r}: write the class, which must come first")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        adapter(cast("object", model), where)


def _is_status_error(kind: type) -> TypeIs[type[HTTPStatusError[Any]]]:
    return issubclass(kind, HTTPStatusError)
