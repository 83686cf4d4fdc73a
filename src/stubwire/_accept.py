"""What an endpoint asks for where nobody declares an `Accept` header: what its return type can be read from.

This module's rule: pure. What is asked for first is what is read best; anything else is taken too, because many
servers know one format only, and answer 406 to whoever seems to want none of it (RFC 9110, section 12.5.1).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from stubwire import _kinds

if TYPE_CHECKING:
    from stubwire._codecs import Codec

ANYTHING = "*/*"
JSON = "application/json, */*;q=0.5"
TEXT = "text/plain, text/*;q=0.9, */*;q=0.5"
XML = "application/xml, text/xml;q=0.9, */*;q=0.5"
XML_OR_JSON = "application/xml, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"


def accept(data_type: object, unwrap: str | None = None, codecs: Sequence[Codec] = ()) -> str:
    """The value of `Accept` for a type of data.

    Args:
        data_type: what the endpoint returns.
        unwrap: the verb's option: what it leads to is never a body as such.
        codecs: those of the client, whose types go before JSON and XML.
    """
    kinds = [_kinds.plain(member) for member in _kinds.members(data_type) if not _kinds.has_none(member)]
    if not kinds or (unwrap is None and kinds == [bytes]):
        return ANYTHING
    if unwrap is None and kinds == [str]:
        return TEXT
    return _before(codecs, _of_models(data_type, len(kinds)))


def _of_models(data_type: object, count: int) -> str:
    if "pydantic_xml" not in sys.modules:
        return JSON
    from stubwire import _xml

    models = _xml.models(data_type)
    if not models:
        return JSON
    return XML if len(models) == count else XML_OR_JSON


def _before(codecs: Sequence[Codec], others: str) -> str:
    """The types of the codecs, then the others, less wanted."""
    own = list(dict.fromkeys(name for codec in codecs for name in _in_order(codec.content_types)))
    if not own:
        return others
    first, *rest = (item for item in others.split(", ") if item.partition(";")[0] not in own)
    return ", ".join([*own, f"{first};q=0.9" if ";" not in first else first, *rest])


def _in_order(types: Collection[str]) -> Collection[str]:
    """Media types in an order that does not change from one process to the next."""
    return sorted(types) if isinstance(types, (set, frozenset)) else types
