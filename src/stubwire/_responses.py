"""The verb's `responses`: what a body is, by the status of a success.

This module's rule: keys name statuses from 200 to 299; a type that stands there is one that the stub says it returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from stubwire import _kinds
from stubwire._annotations import name_of
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._spec import StatusKey


def successes(key: StatusKey) -> range:
    """The statuses that a key names.

    Raises:
        ValueError: it names none, or one that is no success.
    """
    if isinstance(key, range):
        if len(key) and key.step == 1 and key.start >= 200 and key.stop <= 300:
            return key
    elif isinstance(key, str):
        if key in ("2XX", "2xx"):
            return range(200, 300)
    elif isinstance(cast("object", key), int) and not isinstance(key, bool) and 200 <= key < 300:
        return range(key, key + 1)
    raise ValueError(f"{key!r} is no status of a success")


def check(responses: object, data_type: object, where: str, *, unwraps: bool) -> None:
    """Check the option against the return type.

    Args:
        responses: the option.
        data_type: what the stub returns.
        where: class and method, for messages.
        unwraps: whether there is an `unwrap`, which holds for all types alike.

    Raises:
        SpecError: a key is no status of a success, or a type is none that the stub returns.
    """
    if not isinstance(responses, Mapping):
        raise SpecError(f"{where}: responses={responses!r} is no mapping: write {{202: Job, '2XX': Repo}}")
    for key, kind in cast("Mapping[Any, object]", responses).items():
        try:
            successes(key)
        except ValueError:
            raise SpecError(
                f"{where}: responses has the key {key!r}: write a status from 200 to 299, a range of them, or '2XX'"
            ) from None
        if not _returns(data_type, kind):
            raise SpecError(
                f"{where}: responses maps {key!r} to {name_of(kind)}, which the stub does not return: "
                f"write -> {name_of(data_type)} | {name_of(kind)}"
            )
        if unwraps and _kinds.plain(kind) is bytes:
            raise SpecError(f"{where}: unwrap needs JSON results, and responses maps {key!r} to bytes: drop one")


def _returns(data_type: object, kind: object) -> bool:
    """Whether a type, or each member of a union, is one of those that the stub returns."""
    returned = [_plain(member) for member in _kinds.members(data_type)]
    if Any in returned or object in returned:
        return True
    return all(_plain(member) in returned for member in _kinds.members(kind))


def _plain(hint: object) -> object:
    inner = _kinds.plain(hint)
    return None if inner is type(None) else inner
