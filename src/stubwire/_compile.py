"""From declaration to `EndpointSpec`, and every way to be wrong about it.

This module's rule: `check` runs when the class is created and costs microseconds; what is expensive (type adapters,
the bind function) waits for the first access.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ForwardRef, cast, get_origin

from pydantic import BaseModel

from stubwire import _kinds, _lazy, _options, _template, _together
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

    from stubwire.markers import Style

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


def check(
    declaration: Declaration,
    owner: type,
    scope: Scope,
    prefix: Template,
    *,
    mounted: bool = True,
    style: Style | None = None,
) -> None:
    """Find everything that is wrong with a declaration, except for names that are defined later.

    Args:
        declaration: the stub.
        owner: the class that has it, perhaps by inheritance.
        scope: the names that its annotations may use.
        prefix: the path of the resources that hold it.
        mounted: whether that is all of the prefix, so that no other resource can bring a placeholder.
        style: how the client's class writes lists and objects; `None` where the client is not known yet.

    Raises:
        SpecError: something is.
    """
    template = full_path(declaration, prefix, declaration.where(owner))
    if declaration.options:
        check_options(declaration.options, declaration.where(owner))
        style = declaration.options.get("query_style", style)
    reading = Reading(declaration, owner, scope, template, style)
    found: list[tuple[str, Role, str]] = []
    with suppress(NameError):
        reading.complete()
    for argument in reading.arguments:
        try:
            found += reading.place(argument, mounted=mounted).names
        except NameError:  # defined later: the first access finds out
            continue
    _together.check(found, reading)
    if declaration.options or reading.may_be_lazy:  # else the result cannot be wrong before it is decoded
        try:
            returns = reading.returns()
        except NameError:
            return
        _check_returns(declaration, returns, reading.where)


def specify(
    declaration: Declaration, owner: type, scope: Scope, prefix: Template, style: Style | None = None
) -> EndpointSpec:
    """The spec of a declaration; `style` as `check` takes it.

    Raises:
        SpecError: it is wrong, or a name in it is still not defined.
    """
    style = declaration.options.get("query_style", style)
    reading = Reading(declaration, owner, scope, full_path(declaration, prefix, declaration.where(owner)), style)
    where, options = reading.where, declaration.options
    try:
        reading.complete()
        found = tuple(reading.parameter(argument) for argument in reading.arguments)
        returns = reading.returns()
    except NameError as error:
        missing = error.name
    else:
        _together.check([names for argument in reading.arguments for names in reading.place(argument).names], reading)
        _check_returns(declaration, returns, where)
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


def _check_filled(hint: object, owner: type, where: str) -> None:
    for variable in free_variables(_kinds.plain(hint)):
        raise SpecError(
            f"{where}: nothing says what {name_of(variable)} is: write the type in a subclass or an annotation, "
            f"as in {owner.__name__}[Model]"
        )


def _check_returns(declaration: Declaration, returns: object, where: str) -> None:
    _lazy.check(declaration.method, returns, declaration.options, where, is_async=declaration.is_async)
    _check_result(declaration.options, returns, where)


def _check_result(options: EndpointOptions, returns: object, where: str) -> None:
    data_type, _ = result_type(returns)
    if options.get("none_on") and not _kinds.allows_none(data_type):
        raise SpecError(f"{where}: none_on needs a return type that allows None: write -> {name_of(data_type)} | None")
    if "unwrap" in options and (_kinds.plain(data_type) in (None, type(None), bytes) or _is_xml(data_type)):
        raise SpecError(f"{where}: unwrap needs a JSON result, not {name_of(data_type)}: write the type of that part")
    if Unset in _kinds.members(data_type):
        raise SpecError(f"{where}: a result is never Unset: write the type that the server answers with")
    if "responses" in options:
        from stubwire import _responses

        _responses.check(options["responses"], data_type, where, unwraps="unwrap" in options)


def _is_xml(data_type: object) -> bool:
    """Whether a type is a model of pydantic-xml, or has one."""
    if "pydantic_xml" not in sys.modules:
        return False
    from stubwire import _xml

    return bool(_xml.models(data_type))


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
        _options.check(verb_layer(options), where, auth="names")
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
