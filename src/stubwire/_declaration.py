"""What a decorated stub says, before anything is resolved.

This module's rule: it reads a function's code object, never `inspect.signature`, which would cost more than all checks.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter
from typing import TYPE_CHECKING, Literal, NamedTuple

from typing_extensions import TypedDict

from stubwire.errors import SpecError

if TYPE_CHECKING:
    from types import CodeType

    from stubwire._annotations import Stub
    from stubwire._options import HeaderValue, Timeout
    from stubwire._spec import StatusKey
    from stubwire._strategies import PageStrategy
    from stubwire._types import Auth, HttpAuth
    from stubwire.markers import Style
    from stubwire.retry import Retry
    from stubwire.streams import SSE, Lines


class EndpointOptions(TypedDict, total=False, closed=True):
    """The options of a verb.

    Attributes:
        unwrap: dotted path to the part of the JSON that the return type describes; integers index lists.
        errors: what a status, a range or a class of statuses (`"4XX"`) raises: a model for the error's body, or an
            exception class derived from `ClientError[Model]`; the narrowest key wins.
        none_on: statuses that mean `None`.
        responses: the type of the body by status, a range or a class of statuses (`"2XX"`), where the return type is a
            union of several; the narrowest key wins.
        paginate: how to reach the next page, for `-> Pages[T]`.
        stream: how to read what arrives, for `-> Stream[T]`.
        query_style: how lists and objects are written in queries and forms.
        headers: headers always sent.
        timeout: seconds, or a `Timeout`.
        deadline: seconds for the whole call: attempts, waits, redirects, body.
        retry: when to try again; `None` does not.
        auth: who puts credentials on, or the names of those of the client that do; `None` sends none.
        idempotency_key: mint a key for each call, and send it in `Idempotency-Key`, or in the header named here.
    """

    unwrap: str
    errors: Mapping[StatusKey, type]
    none_on: set[int] | frozenset[int]
    responses: Mapping[StatusKey, object]
    paginate: PageStrategy
    stream: SSE | Lines
    query_style: Style
    headers: Mapping[str, HeaderValue]
    timeout: float | Timeout | None
    deadline: float | None
    retry: Retry | None
    auth: Auth | HttpAuth | str | Sequence[str] | None
    idempotency_key: bool | str


class Argument(NamedTuple):
    """One parameter of a stub as its function has it."""

    name: str
    default: object
    kind: Literal["positional", "either", "keyword"]


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """A decorated stub.

    Attributes:
        stub: the function; its body is never run.
        method: the HTTP method.
        path: the path template.
        options: the verb's options.
    """

    stub: Stub
    method: str
    path: str
    options: EndpointOptions = field(default_factory=EndpointOptions)

    @property
    def is_async(self) -> bool:
        """Whether the stub is an `async def`."""
        return bool(self.stub.__code__.co_flags & inspect.CO_COROUTINE)

    def where(self, owner: type) -> str:
        """Class and method, for messages."""
        return f"{owner.__name__}.{self.stub.__name__}"


def _named(code: CodeType) -> int:
    """How many parameters have a name of their own."""
    return code.co_argcount + code.co_kwonlyargcount


def keywords(stub: Stub) -> str | None:
    """The name of `**params`, where the stub takes further parameters by name."""
    code = stub.__code__
    return code.co_varnames[_named(code)] if code.co_flags & inspect.CO_VARKEYWORDS else None


def arguments(declaration: Declaration, where: str) -> list[Argument]:
    """The stub's parameters without `self`, and without those that stand in `**params`.

    Raises:
        SpecError: it has no `self`, or takes `*args`.
    """
    stub, code = declaration.stub, declaration.stub.__code__
    if code.co_flags & inspect.CO_VARARGS:
        raise SpecError(f"{where}: *{code.co_varnames[_named(code)]} cannot be sent: write each parameter by its name")
    count = code.co_argcount
    if count == 0:
        raise SpecError(f"{where}: has no self: write def {stub.__name__}(self, ...)")
    names = code.co_varnames
    defaults = stub.__defaults__ or ()
    first_default = count - len(defaults)
    found = [
        Argument(
            names[index],
            defaults[index - first_default] if index >= first_default else Parameter.empty,
            "positional" if index < code.co_posonlyargcount else "either",
        )
        for index in range(1, count)
    ]
    by_keyword = stub.__kwdefaults__ or {}
    for name in names[count : count + code.co_kwonlyargcount]:
        found.append(Argument(name, by_keyword.get(name, Parameter.empty), "keyword"))  # noqa: PERF401 - seldom any
    return found
