"""What the tests of declarations share: classes from text, with annotations evaluated or kept as text (PEP 563)."""

from __future__ import annotations
import __future__

import sys
import textwrap
from types import ModuleType
from typing import Any

import pytest

from stubwire import SpecError

PRELUDE = """
import dataclasses, datetime, decimal, enum, typing, uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType, TypedDict
import stubwire as sw
from stubwire import *

T = TypeVar("T")

class Model(BaseModel):
    id: int = 0

class Other(BaseModel):
    name: str = ""

@dataclasses.dataclass
class Point:
    x: int = 0

class Options(TypedDict, total=False):
    page: int

class Colour(enum.Enum):
    RED = "red"

class Plain:
    pass

class Missing(ClientError[Model]):
    pass
"""

EVALUATED = 0
TEXT = __future__.annotations.compiler_flag

both_modes = pytest.mark.parametrize("flags", [EVALUATED, TEXT], ids=["evaluated", "text"])


def declare(text: str, flags: int = EVALUATED) -> dict[str, Any]:
    """Run a module of declarations, and return its names."""
    module = sys.modules["declared"] = ModuleType("declared")
    for part in (PRELUDE, textwrap.dedent(text)):
        exec(compile(part, "declared.py", "exec", flags=flags, dont_inherit=True), vars(module))
    return vars(module)


def client(stubs: str, flags: int = EVALUATED) -> Any:
    """A client of the class `Api`, from the text of its stubs."""
    names = declare("class Api(ApiClient):\n" + textwrap.indent(textwrap.dedent(stubs), "    "), flags)
    return names["Api"](base_url="https://example.com")


def refusal(text: str, flags: int = EVALUATED) -> str:
    """The message of the SpecError that a module of declarations raises."""
    with pytest.raises(SpecError) as caught:
        declare(text, flags)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


def refused_stub(stub: str, flags: int = EVALUATED) -> str:
    """The message of the SpecError that the class `Api` with one stub raises."""
    return refusal("class Api(ApiClient):\n" + textwrap.indent(textwrap.dedent(stub), "    "), flags)
