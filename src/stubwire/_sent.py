"""What of an argument is sent: its type without markers, and without what leaves it out.

This module's rule: pure questions about parameters; no values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from stubwire import _kinds
from stubwire.markers import Unset

if TYPE_CHECKING:
    from stubwire._spec import ParameterSpec


def value_type(parameter: ParameterSpec) -> object:
    """The type of a value that is sent: without marker, and without what leaves a parameter out."""
    hint = _kinds.without_markers(_kinds.without_none(parameter.annotation))
    return Optional[hint] if sends_none(parameter) else hint  # noqa: UP045 - made at run time


def sends_none(parameter: ParameterSpec) -> bool:
    """Whether `None` is a JSON `null`, because there is an `UNSET` to leave the body out."""
    return parameter.role == "body" and Unset in members(parameter) and _kinds.has_none(parameter.annotation)


def members(parameter: ParameterSpec) -> list[object]:
    """The members of a parameter's type, each without what stands beside it."""
    return [_kinds.plain(member) for member in _kinds.members(parameter.annotation)]
