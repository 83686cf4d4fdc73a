"""A stub's signature, for `help`, editors and mocks.

This module's rule: made when somebody asks; no call needs it.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, ForwardRef, get_args

from stubwire._annotations import Scope, declaring, raw_annotations
from stubwire._declaration import Declaration, arguments, keywords

if TYPE_CHECKING:
    from stubwire._annotations import Stub

_KINDS = {
    "positional": Parameter.POSITIONAL_ONLY,
    "either": Parameter.POSITIONAL_OR_KEYWORD,
    "keyword": Parameter.KEYWORD_ONLY,
}


def signature(declaration: Declaration, scope: Scope) -> Signature:
    """The signature without `self`, its annotations as types; a name that is not defined yet stays as it was written.

    `inspect.signature` would show text, and on Python 3.14 it would evaluate annotations on its own, and fail. The keys
    of `**params: Unpack[...]` are shown as what they are: parameters by name.
    """
    stub = declaration.stub
    raw, declared_in = raw_annotations(stub), declaring(scope.owner, stub)

    def resolved(name: str) -> object:
        try:
            return scope.resolve(raw[name], stub.__globals__, declared_in) if name in raw else Parameter.empty
        except NameError:
            return raw[name]

    parameters = [
        Parameter(argument.name, _KINDS[argument.kind], default=argument.default, annotation=resolved(argument.name))
        for argument in arguments(declaration, stub.__qualname__)
    ]
    if (further := keywords(stub)) is not None:
        parameters += _further(further, resolved(further), [parameter.name for parameter in parameters], stub)
    return Signature(parameters, return_annotation=resolved("return"))


def _further(name: str, hint: object, taken: list[str], stub: Stub) -> list[Parameter]:
    """The keys of `**name`; itself, where its type is not defined yet."""
    from stubwire._unpacked import unpacked

    if isinstance(hint, str) or any(isinstance(argument, (str, ForwardRef)) for argument in get_args(hint)):
        return [Parameter(name, Parameter.VAR_KEYWORD, annotation=hint)]
    return [
        Parameter(key.argument.name, Parameter.KEYWORD_ONLY, default=key.argument.default, annotation=key.hint)
        for key in unpacked(hint, name, taken, stub.__qualname__)
    ]
