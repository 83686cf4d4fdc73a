"""Other formats than JSON: the `Codec` protocol, and the choice of one by content type.

This module's rule: a codec turns plain data into bytes and back; what the data means, its declared type says. Nothing
that a codec raises leaves this module, and none of its words, which may quote the data.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import ValidationError

from stubwire import _kinds
from stubwire._adapters import adapter, constrained, validator
from stubwire._annotations import name_of
from stubwire._charset import media_type
from stubwire._headers import is_name
from stubwire._models import MASK_ADVICE, check_model, has_secret
from stubwire._unwrap import location, part
from stubwire._validation import details, noted, unfit
from stubwire.errors import ArgumentError, ConfigurationError, DecodeError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from stubwire._response import Response


class Codec(Protocol):
    """One format of bodies, such as MessagePack: plain data to bytes, and back.

    Plain data is what `TypeAdapter.dump_python` makes of a value, and what it takes: `dict`, `list`, `str`, numbers,
    `None`, and whatever else the format knows, such as `bytes` and `datetime`. Whatever a codec raises becomes an
    `ArgumentError` or a `DecodeError`.
    """

    @property
    def content_types(self) -> Collection[str]:
        """The media types that it reads and writes, such as `{"application/msgpack"}`."""
        ...

    def encode(self, value: object, /) -> bytes:
        """Plain data to a body."""
        ...

    def decode(self, content: bytes, /) -> object:
        """A body to plain data."""
        ...


def by_type(codecs: Sequence[Codec]) -> dict[str, Codec]:
    """The codecs by media type; the first that knows one has it."""
    return {media_type(name): codec for codec in reversed(codecs) for name in codec.content_types}


def check(codecs: object, where: str) -> tuple[Codec, ...]:
    """The codecs of a client.

    Raises:
        ConfigurationError: they are no sequence, or one of them is none.
    """
    if not isinstance(codecs, (list, tuple)):
        raise ConfigurationError(f"{where}: codecs must be a list: write codecs=[...]")
    items = cast("Sequence[object]", codecs)
    for codec in items:
        _check_one(codec, where)
    return cast("tuple[Codec, ...]", tuple(items))


def _check_one(codec: object, where: str) -> None:
    if isinstance(codec, type):
        raise ConfigurationError(f"{where}: {codec.__name__} is a class: pass an object of it, {codec.__name__}()")
    name = type(codec).__name__
    if not (callable(getattr(codec, "encode", None)) and callable(getattr(codec, "decode", None))):
        raise ConfigurationError(f"{where}: {name} is no codec: write content_types, encode(value) and decode(content)")
    types: object = getattr(codec, "content_types", ())
    if isinstance(types, str) or not isinstance(types, Collection) or not types:
        raise ConfigurationError(f"{where}: {name}.content_types must be a set: write {{'application/msgpack'}}")
    for item in cast("Collection[object]", types):
        if not isinstance(item, str) or not all(map(is_name, item.partition("/")[::2])):
            raise ConfigurationError(f"{where}: {name}.content_types has {item!r}: write a type, 'application/msgpack'")


# ---- decoding


def decoder(
    codecs: Sequence[Codec],
    data_type: object,
    unwrap: str | None,
    where: str,
    otherwise: Callable[[Response[Any]], object],
) -> Callable[[Response[Any]], object]:
    """A decoder that a codec serves where the response has its type, and `otherwise` anywhere else.

    Raises:
        SpecError: pydantic has no schema for the type.
    """
    known = by_type(codecs)
    validate = adapter(data_type, where).validate_python
    optional, steps = _kinds.allows_none(data_type), location(unwrap)

    def decode(response: Response[Any]) -> object:
        codec = known.get(media_type(response.content_type))
        if codec is None or response._assigned:
            return otherwise(response)
        if optional and not response.content:
            return None
        data = _decoded(codec, response)
        inside: tuple[int | str, ...] = ()
        try:
            data, inside = part(data, steps), steps
            return cast("object", validate(data))
        except ValidationError as error:
            found = details(error, inside)
        except Exception as error:
            noted(error, where)
            raise
        raise unfit(response, found, media_type(response.content_type))

    return decode


def serves(codecs: Sequence[Codec], response: Response[Any]) -> bool:
    """Whether one of the codecs reads the body of a response."""
    return media_type(response.content_type) in by_type(codecs)


def error_body(codecs: Sequence[Codec], response: Response[Any], model: TypeAdapter[Any]) -> object:
    """The body of a failure, of a type that a codec reads; `None` if it is not what was declared."""
    codec = by_type(codecs)[media_type(response.content_type)]
    try:
        return cast("object", model.validate_python(_decoded(codec, response)))
    except (DecodeError, ValidationError):
        return None


def _decoded(codec: Codec, response: Response[Any]) -> object:
    try:
        return codec.decode(response.content)
    except Exception as error:  # noqa: BLE001 - of a user's own codec
        kind = type(error).__name__
    what = f"{media_type(response.content_type)}, which {type(codec).__name__} cannot decode ({kind})"
    raise DecodeError(f"answered {response.status_code} with {what}", response=response)


# ---- encoding


def body_encoder(
    hint: object, content_type: str | None, codecs: Sequence[Codec], where: str, *, exclude_unset: bool = False
) -> Callable[[Any], bytes] | None:
    """The encoder of a body that is not JSON; `None` where no codec has its type and it is no XML model either.

    Args:
        hint: the type of the body.
        content_type: as the marker says it; `None` where it says nothing.
        codecs: those of the client.
        where: endpoint and parameter, for messages.
        exclude_unset: leave out a model's unset fields.

    Raises:
        SpecError: the type cannot be written in that format.
    """
    codec = by_type(codecs).get(media_type(content_type)) if content_type and codecs else None
    if codec is not None:
        return _encoder(codec, hint, where, exclude_unset=exclude_unset)
    if "pydantic_xml" in sys.modules:
        from stubwire import _xml

        return _xml.encoder(hint, content_type, where, exclude_unset=exclude_unset)
    return None


def body_type(hint: object) -> str | None:
    """The content type of a body whose marker says nothing; `None` for what is no XML model."""
    if "pydantic_xml" not in sys.modules:
        return None
    from stubwire import _xml

    return _xml.CONTENT_TYPE if _xml.models(hint) else None


def _encoder(codec: Codec, hint: object, where: str, *, exclude_unset: bool) -> Callable[[Any], bytes]:
    dump = adapter(hint, where).dump_python
    valid = validator(hint, where) if constrained(hint) else None

    def encode(value: Any) -> bytes:
        checked = valid(value) if valid else value
        check_model(checked, hint, where)
        try:
            data: object = dump(checked, by_alias=True, exclude_unset=exclude_unset, warnings="error")
        except (ValueError, TypeError, RecursionError):
            problem = f"a value of type {type(value).__name__} is no {name_of(hint)}"
        else:
            if not has_secret(data):
                return _encoded(codec, data, where)
            problem = MASK_ADVICE
        raise ArgumentError(f"{where}: {problem}")

    return encode


def _encoded(codec: Codec, data: object, where: str) -> bytes:
    try:
        body = cast("object", codec.encode(data))
    except Exception as error:  # noqa: BLE001 - of a user's own codec
        problem = f"cannot encode it ({type(error).__name__})"
    else:
        if isinstance(body, bytes):
            return body
        problem = f"made a {type(body).__name__} of it, not bytes"
    raise ArgumentError(f"{where}: {type(codec).__name__} {problem}")
