"""The part of a decoded body that stands at a dotted path, such as `"data.items.0"`.

This module's rule: pure; what is not there is pydantic's own `missing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails


def location(path: str | None) -> tuple[int | str, ...]:
    """The steps of a path: keys, and the indexes of lists."""
    steps = path.split(".") if path else ()
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def part(value: object, steps: tuple[int | str, ...]) -> object:
    """The part of decoded data behind some steps.

    Raises:
        ValidationError: it is not there.
    """
    for depth, step in enumerate(steps):
        if isinstance(value, list) and isinstance(step, int) and step < len(cast("list[object]", value)):
            value = cast("list[object]", value)[step]
        elif isinstance(value, dict) and str(step) in value:
            value = cast("dict[str, object]", value)[str(step)]
        else:
            missing: InitErrorDetails = {"type": "missing", "loc": steps[: depth + 1], "input": value}
            raise ValidationError.from_exception_data("unwrap", [missing])
    return value


def envelope(data_type: object, path: str) -> tuple[object, tuple[str, ...], tuple[int | str, ...]]:
    """How JSON is validated in one pass, where a type describes a part of it.

    Returns:
        The type of the whole body and the keys that lead to the part; or, for a path with an index, the type itself,
        no keys, and the steps to the part.
    """
    steps = location(path)
    if any(isinstance(step, int) for step in steps):
        return data_type, (), steps
    make = cast("Callable[[str, dict[str, object]], object]", TypedDict)
    keys = cast("tuple[str, ...]", steps)
    for key in reversed(keys):
        data_type = make("Envelope", {key: data_type})
    return data_type, keys, ()
