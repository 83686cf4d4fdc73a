"""A response's header to a typed value.

This module's rule: what a type means to a header, pydantic says of the text; an error names the header, and never its
value.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from stubwire import _kinds
from stubwire._adapters import adapter
from stubwire._validation import details
from stubwire.errors import ErrorDetail, ResponseValidationError
from stubwire.markers import UNSET

if TYPE_CHECKING:
    from stubwire._response import Response

_ITEM = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
"""One item of a list; a comma inside quotes is no end (RFC 9110, section 5.6.1)."""


def read(response: Response[Any], name: str, into: Any, default: object) -> object:
    """The value of a header, as a type.

    Raises:
        ResponseValidationError: it is not there, and there is neither a default nor `None` in the type; or it does not
            fit.
        SpecError: pydantic cannot handle the type.
    """
    text = response.headers.get(name)
    if text is None:
        if default is not UNSET or _kinds.has_none(into):
            return None if default is UNSET else default
        missing: ErrorDetail = {"type": "missing", "loc": (name,), "msg": "Field required", "input": None}
        raise _dressed(response, f"without the header {name!r}", [missing])
    try:
        return _adapter(into, repr(into)).validate_python(_items(text) if _is_list(into) else text)
    except ValidationError as error:
        found = details(error, (name,))
    problems = "; ".join(detail.get("msg", "") for detail in found)
    raise _dressed(response, f"with a header {name!r} that does not fit: {problems}", found)


@lru_cache(maxsize=256)
def _adapter(into: Any, shown: str) -> TypeAdapter[Any]:  # noqa: ARG001 - tells apart types that are equal, as unions are
    return adapter(into, "Response.header")


def _is_list(into: object) -> bool:
    """Whether a type takes the items of a header, and not its text, as one whose own validator splits it would."""
    from pydantic.functional_validators import BeforeValidator, PlainValidator, WrapValidator

    splits = (BeforeValidator, PlainValidator, WrapValidator)
    return _kinds.item_type(into) is not None and not any(isinstance(item, splits) for item in _kinds.metadata(into))


def _items(text: str) -> list[str]:
    return [item for match in _ITEM.findall(text) if (item := match.strip(" \t"))]


def _dressed(response: Response[Any], what: str, found: list[ErrorDetail]) -> ResponseValidationError:
    """The error, with what the response knows of its call."""
    error = ResponseValidationError(f"answered {response.status_code} {what}", response=response, details=found)
    request = response._request
    if request is not None and request._call is not None:
        error._request, error.endpoint = request._redacted(), request._call.plan.name
        error.attempts, error.elapsed, error.request_id = response.attempts, response.elapsed, response.request_id
    return error
