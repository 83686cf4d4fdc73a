"""A stub's signature, for `help`, editors and mocks.

This module's rule: made when somebody asks; no call needs it.
"""

from __future__ import annotations

from inspect import Parameter, Signature

from stubwire._annotations import Scope, declaring, raw_annotations
from stubwire._declaration import Declaration, arguments

_KINDS = {
    "positional": Parameter.POSITIONAL_ONLY,
    "either": Parameter.POSITIONAL_OR_KEYWORD,
    "keyword": Parameter.KEYWORD_ONLY,
}


def signature(declaration: Declaration, scope: Scope) -> Signature:
    """The signature without `self`, its annotations as types; a name that is not defined yet stays as it was written.

    `inspect.signature` would show text, and on Python 3.14 it would evaluate annotations on its own, and fail.
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
    return Signature(parameters, return_annotation=resolved("return"))
