"""A response to what the stub declares, or to the error that says why not.

This module's rule: pure. A decoder is made once from a return type; errors are raised outside `except` blocks, so that
nothing of pydantic or json, and no value it quotes, hangs on them as context.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast, get_args, get_origin

import pydantic_core
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from stubwire import _charset, _kinds
from stubwire._annotations import name_of
from stubwire._encode import adapter
from stubwire._response import Response, not_json
from stubwire._spec import StatusKey
from stubwire.errors import DecodeError, ErrorDetail, HTTPStatusError, ResponseValidationError, status_error
from stubwire.retry import retry_after

Decoder = Callable[[Response[Any]], object]
"""A successful response to the stub's result."""

_SHOWN_ERRORS = 5


def result_type(returns: object) -> tuple[object, bool]:
    """The type of the data, and whether the stub wants the whole `Response` of it."""
    inner = _kinds.plain(returns)
    if inner is Response:
        return Any, True
    if get_origin(inner) is Response:
        return get_args(inner)[0], True
    return returns, False


def decoder(data_type: object, unwrap: str | None, where: str) -> Decoder:
    """The decoder of a type.

    Raises:
        SpecError: pydantic has no schema for it.
    """
    inner = _kinds.plain(data_type)
    if inner in (None, type(None)):
        return _nothing
    kinds = {_kinds.plain(member) for member in _kinds.members(data_type)} - {None, type(None)}
    optional = _kinds.allows_none(data_type)
    if kinds == {bytes}:
        return _optional(_content) if optional else _content
    if kinds == {str} and unwrap is None:
        return _optional(_text) if optional else _text
    return _Json(data_type, unwrap, where, optional=optional)


def _nothing(response: Response[Any]) -> None:
    return response.data if response._assigned else None


def _content(response: Response[Any]) -> object:
    return response.data if response._assigned else response.content


def _text(response: Response[Any]) -> object:
    return response.data if response._assigned else response.text


def _optional(decode: Decoder) -> Decoder:
    def decode_or_none(response: Response[Any]) -> object:
        return decode(response) if response.content or response._assigned else None

    return decode_or_none


class _Json:
    """JSON, validated in one pass from the bytes; with `unwrap`, the part of it at a dotted path."""

    def __init__(self, data_type: object, unwrap: str | None, where: str, *, optional: bool) -> None:
        steps = unwrap.split(".") if unwrap else []
        by_index = next((index for index, step in enumerate(steps) if step.isdecimal()), len(steps))
        self._keys, self._walk = steps[:by_index], steps[by_index:]
        self._inner = adapter(data_type, where)
        self._optional = optional
        self._validate = self._outer(data_type, where).validate_json

    def _outer(self, data_type: object, where: str) -> TypeAdapter[Any]:
        if not self._keys:
            return adapter(Any, where) if self._walk else self._inner
        nested = Any if self._walk else data_type
        for key in reversed(self._keys):
            nested = TypedDict("Envelope", {key: nested})  # type: ignore[operator, misc]  # pyright: ignore
        return adapter(nested, where)

    def __call__(self, response: Response[Any]) -> object:
        if response._assigned:
            content = _to_json(response)
        else:
            content = response.content
            if not content and self._optional:
                return None
            if not content.isascii():
                content = _utf8(response)
        try:
            return self._unwrapped(self._validate(content))
        except ValidationError as error:
            details = cast("list[ErrorDetail]", error.errors(include_url=False, include_context=False))
        raise _unfit(response, details)

    def _unwrapped(self, value: Any) -> object:
        for key in self._keys:
            value = value[key]
        if not self._walk:
            return value
        for step in self._walk:
            value = _step(value, step)
        return self._inner.validate_json(pydantic_core.to_json(value))


def _step(value: object, step: str) -> object:
    """One step into decoded JSON; what is not there is pydantic's own `missing`."""
    if isinstance(value, list) and step.isdecimal() and int(step) < len(cast("list[object]", value)):
        return cast("list[object]", value)[int(step)]
    if isinstance(value, dict) and step in value:
        return cast("dict[str, object]", value)[step]
    raise ValidationError.from_exception_data("unwrap", [{"type": "missing", "loc": (step,), "input": None}])


def _to_json(response: Response[Any]) -> bytes:
    try:
        return pydantic_core.to_json(response.data)
    except ValueError:
        pass
    what = type(response.data).__name__
    raise DecodeError(f"answered, and an interceptor assigned data of type {what}, which is no JSON", response=response)


def _utf8(response: Response[Any]) -> bytes:
    try:
        return _charset.utf8(response.content, response.content_type)
    except _charset.CharsetError as error:
        message = str(error)
    raise DecodeError(f"answered {response.status_code} with a body that {message}", response=response)


def _unfit(response: Response[Any], details: list[ErrorDetail]) -> DecodeError:
    if not response._assigned:
        if not response.content:
            return DecodeError(
                f"answered {response.status_code} with an empty body, where JSON was declared", response=response
            )
        if details[0].get("type") == "json_invalid":
            return not_json(response)
    shown = "; ".join(
        f"{'.'.join(map(str, detail.get('loc', ())))}: {detail.get('msg', '')}".removeprefix(": ")
        for detail in details[:_SHOWN_ERRORS]
    )
    more = f"; and {len(details) - _SHOWN_ERRORS} more" if len(details) > _SHOWN_ERRORS else ""
    message = f"answered {response.status_code} with JSON that does not fit: {shown}{more}"
    return ResponseValidationError(message, response=response, details=details)


# ---- statuses that raise


@lru_cache(maxsize=256)
def statuses(key: StatusKey) -> range:
    """The statuses that a key of `errors` names.

    Raises:
        ValueError: it names none.
    """
    if isinstance(key, range):
        if len(key) and key.step == 1 and key.start >= 300 and key.stop <= 600:
            return key
    elif isinstance(key, str):
        if len(key) == 3 and key[0] in "345" and key[1:] in ("XX", "xx"):
            return range(int(key[0]) * 100, int(key[0]) * 100 + 100)
    elif not isinstance(key, bool) and 300 <= key < 600:
        return range(key, key + 1)
    raise ValueError(f"{key!r} is no status: write a number from 300 to 599, a range of them, or '4XX' or '5XX'")


def narrowest(errors: dict[range, type], status: int) -> type | None:
    """What the narrowest key that holds the status declares."""
    keys = [key for key in errors if status in key]
    return errors[min(keys, key=len)] if keys else None


def body_type(kind: type[HTTPStatusError[Any]]) -> object | None:
    """The model in `class CardError(ClientError[CardProblem])`; `None` where none is given."""
    for klass in kind.__mro__:
        for base in klass.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, HTTPStatusError) and not _is_variable(get_args(base)[0]):
                return cast("object", get_args(base)[0])
    return None


def _is_variable(argument: object) -> bool:
    return hasattr(argument, "__constraints__")


def status_failure(response: Response[Any], declared: type | None) -> HTTPStatusError[Any]:
    """The error for a status that is no success."""
    kind, model = status_error(response.status_code), cast("object", declared)
    if isinstance(declared, type) and issubclass(declared, HTTPStatusError):
        kind, model = cast("type[HTTPStatusError[Any]]", declared), body_type(declared)
    error = kind(f"answered {response.status_code}", response=response, body=_error_body(response, model))
    error.retry_after = retry_after(response.headers)
    if response.content_type.startswith("application/problem+json"):
        _add_problem(error, response)
    return error


def _error_body(response: Response[Any], model: object | None) -> object:
    try:
        content = _charset.utf8(response.content, response.content_type)
        if model is None:
            return pydantic_core.from_json(content)
        return _model_adapter(model).validate_json(content)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _model_adapter(model: object) -> TypeAdapter[Any]:
    return adapter(model, "errors")


def _add_problem(error: HTTPStatusError[Any], response: Response[Any]) -> None:
    """Say what a problem document says (RFC 9457, section 3.1): its title and detail."""
    problem = _error_body(response, None)
    if isinstance(problem, dict):
        fields = cast("dict[str, object]", problem)
        said = [str(fields[name])[:200] for name in ("title", "detail") if fields.get(name)]
        error.args = (f"{error.args[0]}: {'. '.join(said)}",) if said else error.args
