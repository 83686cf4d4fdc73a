"""Which engine a client uses.

This module's rule: an engine is imported when it is chosen; the object that the user passed decides, and a name that
contradicts it is refused.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Literal

from stubwire.errors import ConfigurationError
from stubwire.markers import Unset

if TYPE_CHECKING:
    from stubwire._engine.library import Library

EngineName = Literal["httpx", "httpx2"]
NAMES = ("httpx", "httpx2")


def load(name: str) -> Library:
    """The engine of this name.

    Raises:
        ConfigurationError: there is none, or its package is not installed.
    """
    if name not in NAMES:
        raise ConfigurationError(f"engine={name!r}: write 'httpx' or 'httpx2'")
    try:
        module = importlib.import_module(f"stubwire._engine.{name}")
    except ModuleNotFoundError as error:
        missing = error.name
    else:
        library: Library = module.LIBRARY
        return library
    raise ConfigurationError(f"engine={name!r} needs the package {missing}: pip install 'stubwire[{name}]'")


def made_by(item: object) -> str | None:
    """The name of the library that made a transport or a client; `None` where it is another's."""
    libraries = (kind.__module__.partition(".")[0] for kind in type(item).__mro__)
    return next((library for library in libraries if library in NAMES), None)


def choose(engine: str | Unset, *objects: object) -> Library:
    """The engine by name, by what was passed, or the default.

    Raises:
        ConfigurationError: name and objects contradict each other.
    """
    made = {name for name in map(made_by, objects) if name is not None}
    if len(made) > 1:
        raise ConfigurationError("transport has one of httpx and one of httpx2: take both from one library")
    if isinstance(engine, Unset):
        return load(made.pop() if made else "httpx")
    if made and engine not in made:
        raise ConfigurationError(f"engine={engine!r} cannot use an object of {made.pop()}: leave engine out")
    return load(engine)
