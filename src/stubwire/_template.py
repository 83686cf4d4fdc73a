"""Path templates: `/repos/<owner>/<path:file>` to segments.

This module's rule: the one place where the text of a path is taken apart and put together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

_PLACEHOLDER = re.compile(
    r"<(?:(?P<kind>[^<>{}:]*):)?(?P<name>[^<>{}:]*)>|\{(?P<name2>[^<>{}:]*)(?::(?P<kind2>[^<>{}:]*))?\}"
)
_COLON = re.compile(r"/:([A-Za-z_]\w*)")
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")


class Placeholder(NamedTuple):
    """A place for a value.

    Attributes:
        name: the parameter that fills it.
        many: whether slashes in the value survive.
    """

    name: str
    many: bool


class Template(NamedTuple):
    """A path template, taken apart.

    Attributes:
        text: as it was written.
        parts: literal text and placeholders, in order.
        query: the pairs of the template's own query, encoded.
    """

    text: str
    parts: tuple[str | Placeholder, ...]
    query: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the placeholders, in order."""
        return tuple(part.name for part in self.parts if isinstance(part, Placeholder))


class TemplateError(ValueError):
    """A template is malformed; the message says how, the caller says where."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Take a template apart.

    Raises:
        TemplateError: it is malformed.
    """
    if "://" in text:
        raise TemplateError(f"path {text!r} is a whole URL: write its beginning as base_url, and the path alone here")
    if text and not text.startswith(("/", "?")):
        raise TemplateError(f"path {text!r} must begin with a slash: write {'/' + text!r}")
    path, _, query = text.partition("?")
    if (colon := _COLON.search(path)) is not None:
        raise TemplateError(f"path {text!r} has {colon[0]!r}: write /<{colon[1]}> for a parameter, or /%3A for a colon")
    parts: list[str | Placeholder] = []
    at = 0
    for match in _PLACEHOLDER.finditer(path):
        parts += _literal(text, path[at : match.start()])
        parts.append(_placeholder(text, match))
        at = match.end()
    parts += _literal(text, path[at:])
    _check(text, parts)
    return Template(text, tuple(parts), _query(text, query) if query else ())


def join(prefix: Template, template: Template) -> Template:
    """A resource's prefix and a stub's path, as one template."""
    parts = prefix.parts + template.parts
    _check(prefix.text + template.text, parts)
    return Template(prefix.text + template.text, parts, prefix.query + template.query)


def _literal(text: str, piece: str) -> list[str | Placeholder]:
    if not _LITERAL.fullmatch(piece):
        wrong = next(character for character in _LITERAL.sub("", piece, count=1) or piece)
        raise TemplateError(
            f"path {text!r} has {wrong!r} outside a placeholder: write <name> or {{name}} for a parameter, "
            "and encode any other special character as %XX"
        )
    return [piece] if piece else []


def _placeholder(text: str, match: re.Match[str]) -> Placeholder:
    name = match["name"] if match["name"] is not None else match["name2"]
    kind = match["kind"] if match["kind"] is not None else match["kind2"]
    if not name.isidentifier():
        raise TemplateError(f"path {text!r} has the placeholder {match[0]!r}, which is no parameter name")
    if kind not in (None, "path"):
        raise TemplateError(
            f"path {text!r} has the placeholder {match[0]!r}: the only kind is path, as in <path:{name}>; "
            "a parameter's type comes from its annotation"
        )
    return Placeholder(name, kind == "path")


def _check(text: str, parts: Sequence[str | Placeholder]) -> None:
    """Refuse a name that stands twice, and a segment that is, or could become, a dot segment in any spelling."""
    names = [part.name for part in parts if isinstance(part, Placeholder)]
    for name in names:
        if names.count(name) > 1:
            raise TemplateError(f"path {text!r} names {name!r} twice")
    literal = "".join(part if isinstance(part, str) else "<>" for part in parts)
    if "." not in literal and "%" not in literal:
        return
    for segment in literal.split("/"):
        if unquote(segment).partition(";")[0] in (".", ".."):
            raise TemplateError(f"path {text!r} has a '.' or '..' segment: write the path that it stands for")
        if unquote(segment.partition("<")[0]) in (".", "..") and "<" in segment:
            raise TemplateError(
                f"path {text!r} has a placeholder after nothing but dots, which some values would make a '.' or '..' "
                "segment: leave the dots to the value"
            )


def _query(text: str, query: str) -> tuple[tuple[str, str], ...]:
    if _PLACEHOLDER.search(query) or "#" in query:
        raise TemplateError(f"path {text!r} has a placeholder or a fragment in its query: declare a query parameter")
    pairs = [part.partition("=") for part in query.split("&") if part]
    return tuple((_encoded(name), _encoded(value)) for name, _, value in pairs)


def _encoded(text: str) -> str:
    """Text of a query, encoded as values are; bytes that are not UTF-8 stay what they are."""
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="")
