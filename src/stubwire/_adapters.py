"""What pydantic makes of a type: its adapter, and what holds a value to its constraints.

This module's rule: nothing of pydantic leaves it but adapters; an error says what was wrong, and never shows the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError

from stubwire import _kinds
from stubwire._annotations import name_of
from stubwire.errors import ArgumentError, SpecError
from stubwire.markers import UNSET

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def adapter(hint: object, where: str, *, shown: object = UNSET) -> TypeAdapter[Any]:
    """Pydantic's adapter of a type, which the message calls `shown` where that is what the user wrote.

    Raises:
        SpecError: pydantic has none.
    """
    try:
        made = TypeAdapter[Any](cast("type[Any]", hint))
        if not made.pydantic_complete:
            made.rebuild()  # says which name is not defined; a call would find out otherwise
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError) as error:
        reason = str(error).splitlines()[0]
    else:
        return made
    raise SpecError(f"{where}: pydantic cannot handle the type {name_of(hint if shown is UNSET else shown)}: {reason}")


def validator(hint: object, where: str) -> Callable[[Any], Any]:
    """What holds a value to the constraints of its type."""
    validate = adapter(hint, where).validate_python

    def checked(value: Any) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            message = "; ".join(map(_complaint, error.errors(include_input=False, include_context=False)))
        raise ArgumentError(f"{where}: {message}")

    return checked


def _complaint(detail: ErrorDetails) -> str:
    """What pydantic says, unless it is a user's own text or may quote the value."""
    kind = detail["type"]
    if kind in ("value_error", "assertion_error"):
        return "a validator of its type refuses it"
    return "Input should be a valid UUID" if kind == "uuid_parsing" else detail["msg"]


def constrained(hint: object) -> bool:
    """Whether something beside the type restricts the values: pydantic's `Field`, or `annotated_types`."""
    if not (beside := list(_beside(hint))):
        return False
    from annotated_types import BaseMetadata, GroupedMetadata  # slow imports, for the few types that need them
    from pydantic.fields import FieldInfo

    return any(
        isinstance(item, (BaseMetadata, GroupedMetadata)) or (isinstance(item, FieldInfo) and bool(item.metadata))
        for item in beside
    )


def _beside(hint: object) -> Iterator[object]:
    """All that stands in `Annotated`, behind aliases and in unions too."""
    if get_origin(hint) is Annotated:
        yield from _kinds.metadata(hint)
        yield from _beside(get_args(hint)[0])
    elif (behind := getattr(hint, "__value__", getattr(hint, "__supertype__", None))) is not None:
        yield from _beside(behind)
    elif len(members := _kinds.members(hint)) > 1:
        for member in members:
            yield from _beside(member)
