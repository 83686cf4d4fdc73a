"""XML to models of pydantic-xml, and back (extra `xml`).

This module's rule: it knows such a model by its class, and leaves the fields to pydantic-xml; it parses itself, so
that no entity is ever expanded and nothing outside the document is read (CWE-776, CWE-611).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast
from xml.parsers import expat

from pydantic import ValidationError

from stubwire import _charset, _kinds, _redact
from stubwire._adapters import constrained, validator
from stubwire._annotations import name_of
from stubwire._charset import media_type
from stubwire._models import MASK_ADVICE, check_model
from stubwire._validation import details, noted, unfit
from stubwire.errors import ArgumentError, DecodeError, ErrorDetail, SpecError

if TYPE_CHECKING:
    from stubwire._response import Response

CONTENT_TYPE = "application/xml"

_MASKED = re.compile(rb"""[>"]\*{10}[<"]""")
_LONGEST_TAG = 80
_NOT_IN_XML = "a value in it cannot stand in XML"


class _Model(Protocol):
    """A class of pydantic-xml's, as far as it is used."""

    __name__: str
    __xml_serializer__: Any

    def from_xml_tree(self, root: Any) -> object: ...
    def model_rebuild(self) -> None: ...


class _Found(Exception):
    """What was looked for is there."""


def models(hint: object) -> tuple[type, ...]:
    """The models of pydantic-xml that a type is, or that a union has."""
    kinds = [_kinds.plain(member) for member in _kinds.members(hint)]
    return tuple(kind for kind in kinds if isinstance(kind, type) and _is_model(kind))


def _is_model(kind: type) -> bool:
    return any(base.__module__.partition(".")[0] == "pydantic_xml" for base in kind.__mro__)


def _are_all(hint: object) -> bool:
    """Whether a type is made of XML models, and perhaps `None`."""
    return len(models(hint)) == len([member for member in _kinds.members(hint) if not _kinds.has_none(member)])


def is_xml(content_type: str) -> bool:
    """Whether a content type is XML (RFC 7303)."""
    kind = media_type(content_type)
    return kind in (CONTENT_TYPE, "text/xml") or kind.endswith("+xml")


def _tag(kind: _Model) -> str | None:
    """The name of a model's root element; `None` where a part of the model is not defined."""
    if kind.__xml_serializer__ is None:
        kind.model_rebuild()
    return getattr(kind.__xml_serializer__, "element_name", None)


def _check_complete(kinds: tuple[type, ...], where: str) -> None:
    for kind in kinds:
        if _tag(cast("_Model", kind)) is None:
            raise SpecError(
                f"{where}: pydantic-xml cannot handle the type {name_of(kind)}: a name in it is not defined, or a type "
                "variable of it is not filled in"
            )


# ---- decoding


def decoder(
    data_type: object, where: str, otherwise: Callable[[Response[Any]], object]
) -> Callable[[Response[Any]], object] | None:
    """The decoder of a type that is an XML model, or a union with one; `None` for any other.

    Where other types stand in the union too, `otherwise` reads what is not XML by its content type.

    Raises:
        SpecError: a model is not complete.
    """
    kinds = models(data_type)
    if not kinds:
        return None
    _check_complete(kinds, where)
    optional, alone = _kinds.allows_none(data_type), _are_all(data_type)

    def decode(response: Response[Any]) -> object:
        if response._assigned or not (alone or is_xml(response.content_type)):
            return otherwise(response)
        if optional and not response.content:
            return None
        return _model(response, kinds, where)

    return decode


def error_body(response: Response[Any], kinds: tuple[type, ...]) -> object:
    """The body of a failure; `None` if it is not what was declared."""
    try:
        return _model(response, kinds, "errors")
    except DecodeError:
        return None


def _model(response: Response[Any], kinds: tuple[type, ...], where: str) -> object:
    root = _root(response)
    found: list[ErrorDetail] = []
    tags: list[str | None] = []
    for kind in cast("tuple[_Model, ...]", kinds):
        tags.append(_tag(kind))
        if root.tag != tags[-1]:
            continue
        try:
            return kind.from_xml_tree(root)
        except ValidationError as error:
            found += details(error)
        except RecursionError:
            found.append({"type": "recursion_loop", "loc": (), "msg": "it is nested too deeply", "input": None})
        except Exception as error:
            noted(error, where)
            raise
    if not found:
        wrong = f"its root is <{root.tag[:_LONGEST_TAG]}>, not {' or '.join(f'<{tag}>' for tag in tags)}"
        found = [{"type": "xml_root", "loc": (), "msg": wrong, "input": root.tag}]
    raise unfit(response, found, "XML")


def _root(response: Response[Any]) -> Any:
    """The root of the document.

    Raises:
        DecodeError: it is no XML, or it has entities of its own.
    """
    content = response._in_charset(_charset.utf8_of_xml)
    has_type = b"<!DOCTYPE" in content
    if has_type and _declares_entities(content):
        raise _refused(response, "XML that declares entities, which are not expanded")
    try:
        root = _parsed(content)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "position", (1, 0))[0]
    else:
        if has_type and not all(isinstance(element.tag, str) for element in root.iter()):
            raise _refused(response, "XML that refers to entities which it does not have")
        return root
    raise _refused(response, _instead(response, line))


def _parsed(content: bytes) -> Any:
    """The root, of the library that pydantic-xml uses: lxml where it is installed, or the standard one."""
    from pydantic_xml.element import native

    library: Any = vars(native)["etree"]
    safe: dict[str, bool] = {}
    if library.__name__ == "lxml.etree":
        safe = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
    return library.fromstring(content, parser=library.XMLParser(encoding="utf-8", **safe))


def _declares_entities(content: bytes) -> bool:
    """Whether the document's own type declares an entity; nothing behind its first tag is read."""
    found: list[bool] = []

    def stop(*arguments: object) -> NoReturn:
        found.append(len(arguments) > 2)  # an entity; an element has its name and its attributes
        raise _Found

    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = parser.StartElementHandler = stop
    with suppress(_Found, expat.ExpatError):
        parser.Parse(content, True)
    return any(found)


def _refused(response: Response[Any], what: str) -> DecodeError:
    return DecodeError(f"answered {response.status_code} with {what}", response=response)


def _instead(response: Response[Any], line: int) -> str:
    """What a body is that is no XML: a page that explains itself, by its beginning."""
    known = response.content_type
    if not response.content:
        return f"an empty body of {known}, where XML was declared" if known else "an empty body, where XML was declared"
    if is_xml(known):
        return f"{known}, which is not XML: line {line} is malformed"
    start = (_redact.json_body(response.text[:800].encode("utf-8", "replace")) or "")[:200]
    return f"{known or 'no content type'}, which is not XML: {start!r}"


# ---- encoding


def encoder(
    hint: object, content_type: str | None, where: str, *, exclude_unset: bool
) -> Callable[[Any], bytes] | None:
    """The encoder of an XML model, or of a union of them; `None` for any other type, and for another content type.

    Raises:
        SpecError: other types stand in the union too, a model is not complete, or the content type names no charset
            that there is.
    """
    kinds = models(hint)
    if not kinds or not (content_type is None or is_xml(content_type)):
        return None
    if not _are_all(hint):
        raise SpecError(f"{where}: {name_of(hint)} is XML or JSON: write one model, or Body(content_type=...)")
    _check_complete(kinds, where)
    try:
        charset = _charset.named(content_type or "")
    except _charset.CharsetError as error:
        message = str(error)
    else:
        return _encoder(hint, charset, where, exclude_unset=exclude_unset)
    raise SpecError(f"{where}: the content type {content_type!r} {message}")


def _encoder(hint: object, charset: str, where: str, *, exclude_unset: bool) -> Callable[[Any], bytes]:
    from pydantic_xml.errors import BaseError

    valid = validator(hint, where) if constrained(hint) else None

    def encode(value: Any) -> bytes:
        checked = valid(value) if valid else value
        check_model(checked, hint, where)
        try:
            body: bytes = checked.to_xml(encoding=charset, xml_declaration=True, exclude_unset=exclude_unset)
        except (ValueError, TypeError, RecursionError, BaseError):
            problem = _NOT_IN_XML
        else:
            problem = _problem(body.decode(charset).encode())
            if not problem:
                return body
        raise ArgumentError(f"{where}: {problem}")

    return encode


def _problem(body: bytes) -> str:
    """What is wrong with a document that was written; empty if nothing is."""
    if _MASKED.search(body):
        return MASK_ADVICE
    try:
        expat.ParserCreate("utf-8").Parse(body, True)
    except expat.ExpatError:
        return _NOT_IN_XML
    return ""
