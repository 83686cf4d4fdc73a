"""What a stub compiles to: `EndpointSpec` and `ParameterSpec`.

This module's rule: frozen data, nothing else. Tools (documentation, tests, mocks) may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Literal

Role = Literal["path", "query", "header", "cookie", "body", "form", "file"]
"""Where a parameter goes."""

StatusKey = int | range | str
"""A status, a range of statuses, or a class of them such as `"4XX"`."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter of a stub.

    Attributes:
        name: in Python.
        alias: on the wire.
        role: where it goes.
        annotation: its resolved type, with its marker.
        default: its default, or `inspect.Parameter.empty`.
        kind: positional only, keyword only, or either.
    """

    name: str
    alias: str
    role: Role
    annotation: object
    default: object = Parameter.empty
    kind: Literal["positional", "either", "keyword"] = "either"

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is Parameter.empty


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One endpoint, as its stub declares it.

    Attributes:
        name: class and method, such as `"GitHub.user_repos"`.
        method: the HTTP method, in upper case.
        path: the path template with the prefixes of its resources, as it was written.
        parameters: in order.
        returns: the resolved return type.
        is_async: whether the stub is an `async def`.
        unwrap: the dotted path to the part of the body that the return type describes.
        errors: what statuses raise, as declared for this endpoint.
        none_on: the statuses that mean `None`.
    """

    name: str
    method: str
    path: str
    parameters: tuple[ParameterSpec, ...]
    returns: object
    is_async: bool
    unwrap: str | None
    errors: Mapping[StatusKey, type]
    none_on: frozenset[int]
