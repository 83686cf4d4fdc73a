"""Pydantic's secrets, told by what they offer.

This module's rule: it does not import them. `pydantic.types` takes a third as long as all of stubwire, and whoever has
a secret has imported it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretBytes, SecretStr
    from typing_extensions import TypeIs


def is_secret(value: object) -> TypeIs[SecretStr | SecretBytes]:
    """Whether a value is a `SecretStr` or `SecretBytes`."""
    return is_secret_type(type(value))


def is_secret_type(kind: object) -> bool:
    """Whether a type is `SecretStr`, `SecretBytes`, or derived from one."""
    return isinstance(kind, type) and hasattr(kind, "get_secret_value")


def revealed(value: SecretStr | SecretBytes) -> str:
    """The text of a secret; bytes byte for byte, as a header takes them."""
    secret = value.get_secret_value()
    return secret if isinstance(secret, str) else secret.decode("latin-1")
