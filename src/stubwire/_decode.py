"""A response to what the stub declares, or to the error that says why not.

This module's rule: pure. A decoder is made once from a return type; errors are raised outside `except` blocks, so that
nothing of pydantic or json, and no value it quotes, hangs on them as context.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast, get_args, get_origin

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from stubwire import _charset, _kinds
from stubwire._adapters import adapter
from stubwire._response import Response, not_json
from stubwire.errors import DecodeError, ErrorDetail, HTTPStatusError, status_error

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._spec import StatusKey

D = TypeVar("D")

Decoder = Callable[[Response[Any]], object]
"""A successful response to the stub's result."""

_BOM = b"\xef\xbb\xbf"
_UTF8_TYPES = frozenset({b"application/json; charset=utf-8", b"application/json;charset=utf-8"})


def result_type(returns: object) -> tuple[object, bool]:
    """The type of the data, and whether the stub wants the whole `Response` of it."""
    inner = _kinds.plain(returns)
    if inner is Response:
        return Any, True
    if get_origin(inner) is Response:
        return get_args(inner)[0], True
    return returns, False


def decoder(
    data_type: object,
    unwrap: str | None,
    where: str,
    *,
    responses: Mapping[StatusKey, object] | None = None,
    codecs: Sequence[Codec] = (),
) -> Decoder:
    """The decoder of a type.

    Args:
        data_type: the return annotation.
        unwrap: the dotted path to the part of the body that it describes.
        where: the endpoint, for messages.
        responses: other types, by success status.
        codecs: those of the client, for bodies of their content types.

    Raises:
        SpecError: pydantic has no schema for it.
    """
    made = _by_kind(data_type, unwrap, where, codecs)
    if not responses:
        return made
    from stubwire._responses import successes

    by_key = {successes(key): _by_kind(kind, unwrap, where, codecs) for key, kind in responses.items()}
    by_status = {status: narrowest(by_key, status) or made for status in range(200, 300)}
    return lambda response: by_status.get(response.status_code, made)(response)


def _by_kind(data_type: object, unwrap: str | None, where: str, codecs: Sequence[Codec]) -> Decoder:
    """The decoder of a type, which says by itself what kind of body it is of."""
    kinds = [_kinds.plain(member) for member in _kinds.members(data_type)]
    values = [kind for kind in kinds if kind not in (None, type(None))]
    if not values:
        return _nothing
    optional = _kinds.allows_none(data_type)
    if unwrap is None and values in ([bytes], [str]):
        return _Raw(data_type, where, is_bytes=values == [bytes], optional=optional)
    made: Decoder = _Json(data_type, unwrap, where, optional=optional)
    if "pydantic_xml" in sys.modules and unwrap is None:
        from stubwire import _xml

        made = _xml.decoder(data_type, where, made) or made
    if codecs:
        from stubwire import _codecs

        made = _codecs.decoder(codecs, data_type, unwrap, where, made)
    return made


def _nothing(_: Response[Any]) -> None:
    """Read nothing."""


class _Raw:
    """The body as bytes or as text, held to the constraints of its type."""

    def __init__(self, data_type: object, where: str, *, is_bytes: bool, optional: bool) -> None:
        self._validate = adapter(data_type, where).validate_python
        self._is_bytes = is_bytes
        self._optional = optional
        self._assigned = _Json(data_type, None, where, optional=optional)

    def __call__(self, response: Response[Any]) -> object:
        if response._assigned:
            if not (self._is_bytes and isinstance(response.data, bytes)):
                return self._assigned(response)
            value: object = response.data
        elif not response.content and self._optional:
            return None
        else:
            value = response.content if self._is_bytes else response.text
        try:
            return self._validate(value)
        except ValidationError as error:
            found = _details(error, ())
        raise _unfit(response, found, "a body")


class _Json:
    """JSON, validated in one pass from the bytes; with `unwrap`, the part of it at a dotted path."""

    def __init__(self, data_type: object, unwrap: str | None, where: str, *, optional: bool) -> None:
        self._keys: tuple[str, ...] = ()
        self._location: tuple[int | str, ...] = ()
        described = data_type
        if unwrap is not None:
            from stubwire._unwrap import envelope

            described, self._keys, self._location = envelope(data_type, unwrap)
        self._any = adapter(Any, where).validate_json if self._location else None
        self._optional = optional
        self._where = where
        self._validate = adapter(described, where, shown=data_type).validate_json

    def __call__(self, response: Response[Any]) -> object:
        content = _to_json(response) if response._assigned else response.content
        if not response._assigned:
            if not content and self._optional:
                return None
            if content.startswith(_BOM) or not _names_utf8(response):
                content = response._utf8()
        inside: tuple[int | str, ...] = ()
        try:
            if self._any is not None:
                from stubwire._unwrap import part

                content = pydantic_core.to_json(part(self._any(content), self._location))
                inside = self._location
            value = self._validate(content)
        except ValidationError as error:
            found = _details(error, inside)
        except Exception as error:
            from stubwire._validation import noted

            noted(error, self._where)
            raise
        else:
            for key in self._keys:
                value = value[key]
            return cast("object", value)
        raise _not_fitting(response, found)


def _details(error: ValidationError, inside: tuple[int | str, ...]) -> list[ErrorDetail]:
    from stubwire._validation import details

    return details(error, inside)


def _unfit(response: Response[Any], found: list[ErrorDetail], what: str) -> DecodeError:
    from stubwire._validation import unfit

    return unfit(response, found, what)


def _names_utf8(response: Response[Any]) -> bool:
    """Whether the Content-Type names no charset but UTF-8; without making a `Headers` on the way."""
    if response._headers is not None:
        return "charset" not in response.content_type.lower()
    for name, value in cast("list[tuple[bytes, bytes]]", response._pairs):
        if len(name) == 12 and name.lower() == b"content-type":
            return value in _UTF8_TYPES or b"charset" not in value.lower()
    return True


def _to_json(response: Response[Any]) -> bytes:
    try:
        return pydantic_core.to_json(response.data)
    except ValueError:
        pass
    what = f"data of type {type(response.data).__name__}, which is no JSON"
    raise DecodeError(f"answered {response.status_code}, and an interceptor assigned {what}", response=response)


def _not_fitting(response: Response[Any], found: list[ErrorDetail]) -> DecodeError:
    """The error for a body that is not the JSON that was declared; for one that is no JSON at all, what it is."""
    if found[0].get("type") != "json_invalid" or response._assigned:
        return _unfit(response, found, "JSON")
    if response.content:
        return not_json(response, found[0].get("msg", ""))
    what = f"an empty body of {response.content_type}" if response.content_type else "an empty body"
    return DecodeError(f"answered {response.status_code} with {what}, where JSON was declared", response=response)


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


def narrowest(errors: Mapping[range, D], status: int) -> D | None:
    """What the narrowest key that holds the status declares; of two as narrow, the upper layer's."""
    keys = [key for key in reversed(list(errors)) if status in key]
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


def status_failure(
    response: Response[Any], declared: type | None, codecs: Sequence[Codec] = ()
) -> HTTPStatusError[Any]:
    """The error for a status that is no success."""
    kind, model = status_error(response.status_code), cast("object", declared)
    if _is_error(declared):
        kind, model = declared, body_type(declared)
    error = kind(f"answered {response.status_code}", response=response, body=_error_body(response, model, codecs))
    from stubwire._retry_after import retry_after

    error.retry_after = retry_after(response.headers)
    if response.content_type.lower().startswith("application/problem+json"):
        _add_problem(error, response)
    return error


def _is_error(declared: type | None) -> TypeGuard[type[HTTPStatusError[Any]]]:
    return isinstance(declared, type) and issubclass(declared, HTTPStatusError)


def _error_body(response: Response[Any], model: object | None, codecs: Sequence[Codec] = ()) -> object:
    if codecs:
        from stubwire import _codecs

        if _codecs.serves(codecs, response):
            return _codecs.error_body(codecs, response, _model_adapter(Any if model is None else model))
    if "pydantic_xml" in sys.modules:
        from stubwire import _xml

        if kinds := _xml.models(model):
            return _xml.error_body(response, kinds)
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
        texts = [fields.get(name) for name in ("title", "detail")]
        said = ". ".join(" ".join(text.split())[:200] for text in texts if isinstance(text, str))
        error.args = (f"{error.args[0]}: {said}",) if said else error.args
