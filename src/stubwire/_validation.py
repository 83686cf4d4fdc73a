"""What pydantic says of data that a server sent.

This module's rule: locations and messages, never the data itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stubwire.errors import ErrorDetail, ResponseValidationError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from stubwire._response import Response

_SHOWN_ERRORS = 5
_TAG = re.compile(r"Input tag '.*?' found", re.DOTALL)
_SOURCE_LINE = re.compile(r"\[line -?\d+\]: ")
"""What pydantic-xml writes before a message, once for each model around the field."""


def details(error: ValidationError, location: tuple[int | str, ...] = ()) -> list[ErrorDetail]:
    """Pydantic's errors, with locations from the top of the body, and messages that quote no input."""
    found: list[ErrorDetail] = []
    for item in error.errors(include_url=False):
        message = item["msg"]
        if "sourceline" in item.get("ctx", {}):
            message = _SOURCE_LINE.sub("", message)
        if item["type"] == "union_tag_invalid":
            message = _TAG.sub("Input tag found", message, count=1)
        found.append({"type": item["type"], "loc": (*location, *item["loc"]), "msg": message, "input": item["input"]})
    return found


def unfit(response: Response[Any], found: list[ErrorDetail], what: str) -> ResponseValidationError:
    """The error for a body that can be read and does not fit.

    Args:
        response: what came.
        found: what is wrong with it.
        what: what the body is, such as `"JSON"`.
    """
    shown = "; ".join(
        f"{'.'.join(map(str, detail.get('loc', ())))}: {detail.get('msg', '')}".removeprefix(": ")
        for detail in found[:_SHOWN_ERRORS]
    )
    more = f"; and {len(found) - _SHOWN_ERRORS} more" if len(found) > _SHOWN_ERRORS else ""
    if response._assigned:
        what = "data that an interceptor assigned"
    message = f"answered {response.status_code} with {what} that does not fit: {shown}{more}"
    return ResponseValidationError(message, response=response, details=found)


def noted(error: Exception, where: str) -> None:
    """Say where a user's own code raised; the same object may be raised again."""
    note = f"raised while decoding the response of {where}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
