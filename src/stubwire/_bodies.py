"""The body of an endpoint, from the arguments that make it: JSON, a form, files, or what is sent as it is.

This module's rule: what the types decide is decided once; each call only puts its values together. Loaded for an
endpoint whose body is more than the JSON of one parameter.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

import pydantic_core

from stubwire import _body_roles, _codecs, _encode, _fields, _kinds, _multipart, _structured
from stubwire._adapters import constrained, validator
from stubwire._annotations import name_of
from stubwire._body_roles import JSON, MERGE_PATCH, Shape, media_type
from stubwire._charset import named
from stubwire._json_lines import AsyncLines, Lines, line
from stubwire._payload import Payload
from stubwire._sent import value_type
from stubwire._sources import BYTES, Memory
from stubwire._uploads import sent
from stubwire.errors import ArgumentError, SpecError
from stubwire.markers import Body, File, Form

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._request import Request
    from stubwire._spec import EndpointSpec, ParameterSpec
    from stubwire.markers import Style

FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain; charset=utf-8"

Make = Callable[[Any], Payload]
"""A value to a body."""


class BodyEncoder(NamedTuple):
    """What makes the body of a call.

    Attributes:
        encode: from arguments by parameter name, without those left out; `None` without a body.
        content_type: that of every body; `None` where each carries its own.
    """

    encode: Callable[[Mapping[str, Any]], Payload | None]
    content_type: str | None


def compile_body(
    spec: EndpointSpec, parameters: Sequence[ParameterSpec], style: Style, codecs: Sequence[Codec] = ()
) -> BodyEncoder:
    """What makes the body of an endpoint.

    Args:
        spec: the endpoint.
        parameters: those that are bodies, fields of a form, or files.
        style: how lists and objects are written where a field does not say.
        codecs: those of the client.

    Raises:
        SpecError: pydantic or a codec cannot handle a type, or no codec has a content type.
    """
    roles = {parameter.role for parameter in parameters}
    if "file" in roles:
        return _multipart_body(spec, parameters, style)
    if "form" in roles:
        return _form_body(spec, parameters, style)
    if any(_body(parameter).embed for parameter in parameters):
        return _embedded(spec, parameters)
    (only,) = parameters
    make, content_type = _one(spec, only, codecs)

    def encode(given: Mapping[str, Any]) -> Payload | None:
        return make(given[only.name]) if only.name in given else None

    return BodyEncoder(encode, content_type)


def attach(request: Request, payload: Payload | None, *, own: bool = False) -> Request:
    """Give a bound request its body, and the body's content type.

    A header that was declared counts more than a type that was only guessed, or one that differs in parameters alone;
    a body's own type counts more than a header that says something else.

    Args:
        request: as it was bound.
        payload: its body.
        own: whether a `Content-Type` of the call's own is among the headers.
    """
    if payload is None:
        return request
    whole = payload.whole
    if whole is None:
        request._payload = payload
    else:
        request.content = whole
    declared = next((value for name, value in request._pairs if name.lower() == "content-type"), None)
    if declared is None or not _stands(declared, payload, own=own):
        others = (pair for pair in request._pairs if pair[0].lower() != "content-type")
        request._pairs = (*others, ("Content-Type", payload.content_type))
    return request


def _stands(declared: str, payload: Payload, *, own: bool) -> bool:
    """Whether a declared header is kept: never over that of a multipart body, which nobody else can know."""
    kind = media_type(payload.content_type)
    return kind != "multipart/form-data" and (own or payload.guessed or media_type(declared) == kind)


# ---- one parameter


def _one(spec: EndpointSpec, parameter: ParameterSpec, codecs: Sequence[Codec]) -> tuple[Make, str | None]:
    """What makes a body of one value, and its type where that is known before."""
    where = f"{spec.name}: {parameter.name}"
    hint = value_type(parameter)
    shape = _body_roles.shape(parameter.annotation)
    guessed = shape.content_type is None
    if shape.kind == "raw":
        return _raw(hint, shape.content_type, where), shape.content_type
    if shape.kind == "lines":
        return _lines(shape, where)
    if shape.kind == "text":
        content_type = shape.content_type or TEXT
        encode = _text(hint, named(content_type), where)
    else:
        unset = _exclude_unset(spec, parameter)
        encode, content_type = _written(hint, shape, codecs, where, exclude_unset=unset)
    return lambda value: Payload([Memory(encode(value))], content_type, guessed=guessed), content_type


def _written(
    hint: object, shape: Shape, codecs: Sequence[Codec], where: str, *, exclude_unset: bool
) -> tuple[Callable[[Any], bytes], str]:
    """The encoder of JSON, or of what a codec or XML writes, and its type."""
    said = shape.content_type
    encode = _codecs.body_encoder(hint, said, codecs, where, exclude_unset=exclude_unset)
    if encode is not None:
        return encode, said or _codecs.body_type(hint) or JSON
    if shape.kind == "json":
        return _encode.json_body(hint, where, exclude_unset=exclude_unset), said or JSON
    raise SpecError(
        f"{where}: nothing writes {name_of(hint)} as {said!r}: write bytes or str to send it as it is, or give the "
        "client a codec of that type, codecs=[...]"
    )


def _raw(hint: object, content_type: str | None, where: str) -> Make:
    """What sends bytes, a file or an iterable as they are; a union may have a text among them."""
    valid = validator(hint, where) if constrained(hint) else None
    text = _text(str, "utf-8", where) if any(_is_text(member) for member in _kinds.members(hint)) else None

    def make(value: Any) -> Payload:
        if valid is not None:
            value = valid(value)
        if text is not None and isinstance(value, str):
            return Payload([Memory(text(value))], content_type or TEXT, guessed=content_type is None)
        found = sent(value, where)
        said = found.content_type or content_type
        return Payload([found.source], said or found.type_or_guess(), guessed=said is None)

    return make


def _is_text(hint: object) -> bool:
    kind = _kinds.plain(hint)
    return isinstance(kind, type) and issubclass(kind, str)


def _text(hint: object, charset: str, where: str) -> Callable[[Any], bytes]:
    valid = validator(hint, where) if constrained(hint) else None

    def encode(value: Any) -> bytes:
        if valid is not None:
            value = valid(value)
        if not isinstance(value, str):
            raise ArgumentError(f"{where}: expected str, got {type(value).__name__}")
        try:
            return value.encode(charset)
        except UnicodeError:
            pass  # its context would show the text
        raise ArgumentError(f"{where}: it has characters that {charset} has not")

    return encode


def _lines(shape: Shape, where: str) -> tuple[Make, str]:
    """What writes a line for each item, while they are sent or, where all are there, before."""
    encode = _encode.json_body(shape.item, where, exclude_unset=False)
    content_type = cast("str", shape.content_type)

    def make(value: Any) -> Payload:
        got = type(value).__name__
        if shape.streamed and isinstance(value, AsyncIterable):
            return Payload([AsyncLines(cast("AsyncIterable[object]", value), encode, where)], content_type)
        if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
            raise ArgumentError(f"{where}: expected several values, got {got}")
        items = cast("Iterable[object]", value)
        if shape.streamed:
            return Payload([Lines(items, encode, where)], content_type)
        lines = [line(item, number, encode, where) for number, item in enumerate(items, 1)]
        return Payload([Memory(b"".join(lines))], content_type)

    return make, content_type


# ---- several parameters


def _embedded(spec: EndpointSpec, parameters: Sequence[ParameterSpec]) -> BodyEncoder:
    """One JSON object with a field for each parameter that is given, under the parameter's name."""
    encoders = {
        parameter.name: (
            pydantic_core.to_json(parameter.name) + b":",
            _encode.json_body(
                value_type(parameter),
                f"{spec.name}: {parameter.name}",
                exclude_unset=_exclude_unset(spec, parameter),
            ),
        )
        for parameter in parameters
    }
    said = next((body.content_type for body in map(_body, parameters) if body.content_type), None)

    def encode(given: Mapping[str, Any]) -> Payload:
        fields = [key + write(given[name]) for name, (key, write) in encoders.items() if name in given]
        return Payload([Memory(b"{%b}" % b",".join(fields))], said or JSON, guessed=said is None)

    return BodyEncoder(encode, said or JSON)


def _form_body(spec: EndpointSpec, parameters: Sequence[ParameterSpec], style: Style) -> BodyEncoder:
    fields = {parameter.name: _field(spec, parameter, style) for parameter in parameters}

    def encode(given: Mapping[str, Any]) -> Payload:
        found = [pair for name, write in fields.items() if name in given for pair in write(given[name])]
        text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in found)
        return Payload([Memory(text.encode())], FORM)

    return BodyEncoder(encode, FORM)


def _field(spec: EndpointSpec, parameter: ParameterSpec, style: Style) -> Callable[[Any], list[tuple[str, str]]]:
    marker = cast("Form", _body_roles.marker_of(parameter.annotation))
    return _structured.pairs(
        value_type(parameter),
        None if _fields.spreads(parameter.annotation) else parameter.alias,
        f"{spec.name}: {parameter.name}",
        marker.style or style,
        marker.exclude_unset,
    )


def _multipart_body(spec: EndpointSpec, parameters: Sequence[ParameterSpec], style: Style) -> BodyEncoder:
    makers = {parameter.name: _part(spec, parameter, style) for parameter in parameters}

    def encode(given: Mapping[str, Any]) -> Payload:
        return _multipart.payload(part for name, make in makers.items() if name in given for part in make(given[name]))

    return BodyEncoder(encode, None)


def _part(spec: EndpointSpec, parameter: ParameterSpec, style: Style) -> Callable[[Any], Iterable[_multipart.Part]]:
    """What makes the parts of one parameter: several of a list, and of a field that has several names."""
    where, alias = f"{spec.name}: {parameter.name}", parameter.alias
    if parameter.role == "form":
        write = _field(spec, parameter, style)
        return lambda value: [_multipart.field(name, text, where) for name, text in write(value)]
    marker = cast("File", _body_roles.marker_of(parameter.annotation))
    files = _files(value_type(parameter), where)
    return lambda value: [
        _multipart.file(alias, sent(file, where), marker.content_type, where) for file in files(value)
    ]


def _is_collection(value: object) -> bool:
    """Whether a value is a list of something, and neither text nor a file."""
    if isinstance(value, (*BYTES, str, Mapping)) or hasattr(value, "read"):
        return False
    return isinstance(value, Collection)


def _files(hint: object, where: str) -> Callable[[Any], list[Any]]:
    """What makes a list of files of a value: what looks like several may be the chunks of one."""
    valid = validator(hint, where) if constrained(hint) else None
    kinds = [_kinds.plain(member) for member in _kinds.members(hint)]
    several, chunked = any(map(_body_roles.is_several, kinds)), any(map(_body_roles.is_chunked, kinds))

    def files(value: Any) -> list[Any]:
        if valid is not None:
            value = valid(value)
        if not _is_collection(value):
            return [value]
        if several:
            return [*cast("Iterable[Any]", value)]
        if chunked:
            return [value]
        raise ArgumentError(f"{where}: expected one file, got {type(cast('object', value)).__name__}")

    return files


# ---- what a parameter says


def _body(parameter: ParameterSpec) -> Body:
    marker = _body_roles.marker_of(parameter.annotation)
    return marker if isinstance(marker, Body) else Body()


def _exclude_unset(spec: EndpointSpec, parameter: ParameterSpec) -> bool:
    """Whether unset fields are left out: always of a merge patch (RFC 7396, where null removes), and for PATCH."""
    body = _body(parameter)
    if body.exclude_unset is not None:
        return body.exclude_unset
    return spec.method == "PATCH" or (body.content_type is not None and media_type(body.content_type) == MERGE_PATCH)
