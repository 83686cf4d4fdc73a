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


def of(*objects: object) -> str | None:
    """The name of the library that made one of these transports or clients; `None` where it is another's."""
    for item in objects:
        for kind in type(item).__mro__:
            library = kind.__module__.partition(".")[0]
            if library in NAMES:
                return library
    return None


def choose(engine: str | Unset, *objects: object) -> Library:
    """The engine by name, by what was passed, or the default.

    Raises:
        ConfigurationError: name and objects contradict each other.
    """
    made_by = of(*objects)
    if isinstance(engine, Unset):
        return load(made_by or "httpx")
    if made_by not in (None, engine):
        raise ConfigurationError(f"engine={engine!r} cannot use an object of {made_by}: leave engine out")
    return load(engine)
