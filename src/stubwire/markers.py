"""What a stub's parameters say about themselves: `Annotated[int, Query("per-page")]`.

This module's rule: markers are frozen data; what they mean is decided where stubs are compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        """Read as it is written."""
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        """Be false, as nothing was said."""
        return False


UNSET: Final = Unset.UNSET
"""Leaves a parameter out, for one whose `None` must be sent: `note: str | None | Unset = UNSET`."""


class Marker:
    """What all markers are."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Named(Marker):
    """A marker of what has a name on the wire.

    Attributes:
        alias: the name on the wire, where it is not the parameter's own.
    """

    alias: str | None = None


class Path(Named):
    """One segment of the path, named in the template as `<name>`; several with `<path:name>`."""

    __slots__ = ()


class Query(Named):
    """A query parameter; the role of every parameter that nothing else claims."""

    __slots__ = ()


class Header(Named):
    """A header. Without an alias, underscores become hyphens: `x_trace` is sent as `X-Trace`."""

    __slots__ = ()


class Cookie(Named):
    """A cookie, sent in the `Cookie` header (RFC 6265, section 4.2)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Body(Marker):
    """The JSON body.

    Attributes:
        exclude_unset: leave out a model's unset fields; `None` means yes for PATCH and no for other methods.
    """

    exclude_unset: bool | None = None
