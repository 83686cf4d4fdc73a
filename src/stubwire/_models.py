"""What keeps a value from being sent as something else than it is.

This module's rule: it asks and refuses; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

from pydantic import BaseModel

from stubwire import _kinds
from stubwire._annotations import name_of
from stubwire._secret import is_secret
from stubwire.errors import ArgumentError

MASK_ADVICE = (
    "pydantic would send a SecretStr in it as '**********': give the field a serializer, as in "
    "Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
)

UNDECLARED = "a secret needs a type that says so, or logs and errors would show it: write SecretStr"


def check_model(value: object, hint: object, where: str) -> None:
    """Refuse another model, of which pydantic would send the fields that happen to have the same names.

    Raises:
        ArgumentError: the type is a model, or a union of models, and the value is none of them.
    """
    kinds = [_kinds.plain(member) for member in _kinds.members(hint)]
    if all(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds):
        models = cast("list[type[BaseModel]]", kinds)
        if not isinstance(value, tuple(kind.__pydantic_generic_metadata__["origin"] or kind for kind in models)):
            raise ArgumentError(f"{where}: expected {name_of(hint)}, got {type(value).__name__}")


def has_secret(data: object) -> bool:
    """Whether a `SecretStr` stands in plain data, which a codec would mask, or send as it shows."""
    if isinstance(data, Mapping):
        return any(map(has_secret, cast("Mapping[object, object]", data).values()))
    if isinstance(data, (list, tuple, set, frozenset)):
        return any(map(has_secret, cast("Collection[object]", data)))
    return is_secret(data)
