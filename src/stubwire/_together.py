"""What is wrong with several parameters together: two of one name, or two bodies.

This module's rule: each is right by itself; a request has one body, which may have several fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from stubwire import _kinds
from stubwire.errors import SpecError
from stubwire.markers import Body

if TYPE_CHECKING:
    from stubwire._reading import Reading
    from stubwire._spec import Role

_NAMED = {"form": "Form", "file": "File"}


def check(found: list[tuple[str, Role, str]], reading: Reading) -> None:
    """Check the parameters of a stub, each with its role and its name there.

    Raises:
        SpecError: they do not go together.
    """
    names = [(role, alias.lower() if role == "header" else alias) for _, role, alias in found]
    if len(set(names)) < len(names):
        _refuse_twins(found, names, reading.where)
    bodies = [name for name, role, _ in found if role == "body"]
    if not bodies:
        return
    for name, role, _ in found:
        if role in _NAMED:
            _refuse_mixture(bodies[0], name, _NAMED[role], reading.where)
    if len(bodies) > 1:
        _check_bodies(bodies, reading)


def _refuse_twins(found: list[tuple[str, Role, str]], names: Sequence[tuple[str, str]], where: str) -> NoReturn:
    second = next(index for index, key in enumerate(names) if key in names[:index])
    first, (name, role, alias) = found[names.index(names[second])][0], found[second]
    raise SpecError(
        f"{where}: parameters {first!r} and {name!r} are both the {role} {alias!r}: write another alias for one, as in "
        f"{role.title()}('other')"
    )


def _refuse_mixture(body: str, name: str, kind: str, where: str) -> NoReturn:
    raise SpecError(
        f"{where}: parameter {body!r} is the body, and {name!r} is a {kind}, which is a part of one: mark {body!r} "
        "with Form() to send its fields beside it, or with Query()"
    )


def _check_bodies(names: list[str], reading: Reading) -> None:
    plain = [name for name in names if not _embeds(name, reading)]
    first, second = names[:2]
    if len(plain) == len(names):
        raise SpecError(
            f"{reading.where}: parameters {first!r} and {second!r} are both bodies: write one model that has both as "
            "its fields, or mark the one that is none with Query()"
        )
    said = {body.content_type for name in names for body in _bodies(name, reading) if body.content_type is not None}
    if len(said) > 1:
        raise SpecError(
            f"{reading.where}: parameters {first!r} and {second!r} are fields of one body, which has one content type, "
            f"not {' and '.join(map(repr, sorted(said)))}: say it once"
        )
    if plain:
        raise SpecError(
            f"{reading.where}: parameter {plain[0]!r} is a body beside others that are fields of one: mark it with "
            "Body(embed=True) too"
        )


def _embeds(name: str, reading: Reading) -> bool:
    return any(body.embed for body in _bodies(name, reading))


def _bodies(name: str, reading: Reading) -> list[Body]:
    argument = next(argument for argument in reading.arguments if argument.name == name)
    return [item for item in _kinds.markers(reading.hint(argument)) if isinstance(item, Body)]
