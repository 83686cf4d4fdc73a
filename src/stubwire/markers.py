"""What a stub's parameters say about themselves: `Annotated[int, Query("per-page")]`.

This module's rule: markers are frozen data; what they mean is decided where stubs are compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

Style = Literal["form", "comma", "space", "pipe", "deep", "brackets", "json"]
"""How lists and objects are written in a query or a form."""

PathStyle = Literal["simple", "label", "matrix"]
"""How lists and objects are written in a path: OpenAPI's names."""


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


@dataclass(frozen=True, slots=True)
class Path(Named):
    """One segment of the path, named in the template as `<name>`; several with `<path:name>`.

    Attributes:
        style: how a list or an object is written, by OpenAPI's names.
        explode: whether each item or field stands by itself.
    """

    style: PathStyle = "simple"
    explode: bool = False


@dataclass(frozen=True, slots=True)
class Query(Named):
    """A query parameter; the role of every parameter that nothing else claims.

    On a model, a dataclass or a TypedDict it spreads the fields, each a parameter of its own, unless it says an alias
    or a style: then the whole is one parameter of that name, written in that style.

    Attributes:
        style: how lists and objects are written; `None` takes the endpoint's, or the client's.
        exclude_unset: leave out the fields of a model that were not set.
    """

    style: Style | None = None
    exclude_unset: bool = False


@dataclass(frozen=True, slots=True)
class Header(Named):
    """A header. Without an alias, underscores become hyphens: `x_trace` is sent as `X-Trace`.

    On a model, a dataclass or a TypedDict it spreads the fields. A list is written `a,b` (OpenAPI's simple style).

    Attributes:
        explode: whether an object is one header `R=100,G=200`; with an alias and without `explode` it is `R,100,G,200`.
    """

    explode: bool = False


class Cookie(Named):
    """A cookie, sent in the `Cookie` header (RFC 6265, section 4.2); on a model it spreads the fields."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Form(Named):
    """A field of a form: `application/x-www-form-urlencoded`, or a part of `multipart/form-data` beside a `File`.

    On a model, a dataclass or a TypedDict it spreads the fields, unless it says an alias or a style, as with `Query`.

    Attributes:
        style: how lists and objects are written; `None` takes the endpoint's, or the client's.
        exclude_unset: leave out the fields of a model that were not set.
    """

    style: Style | None = None
    exclude_unset: bool = False


@dataclass(frozen=True, slots=True)
class File(Named):
    """A file of a `multipart/form-data` body (RFC 7578): `bytes`, a path, a binary file object, or an `Upload`.

    Attributes:
        content_type: of the part; `None` guesses it from the file name.
    """

    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Body(Marker):
    """The body: JSON, or raw for `bytes`, `str`, a path, a binary file object, an `Upload` or an iterable.

    Attributes:
        exclude_unset: leave out a model's unset fields; `None` means yes for PATCH and no for other methods.
        content_type: of the body; `None` takes `application/json`, or that of what is sent.
        embed: send `{"name": value}`; several such parameters are fields of one object.
    """

    exclude_unset: bool | None = None
    content_type: str | None = None
    embed: bool = False
