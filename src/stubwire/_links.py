"""Links: the `Link` header (RFC 8288), and where a link leads.

This module's rule: pure, and in linear time; nothing that a server sends makes it raise. What is malformed is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

_BETWEEN = re.compile(r"[ \t,]*")
"""What separates links; empty elements of a list are none (RFC 9110, section 5.6.1)."""
_PARAMETER = re.compile(r"[ \t]*;[ \t]*([^ \t=;,]*)[ \t]*(=[ \t]*)?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)\\?"?', re.DOTALL)
_TOKEN = re.compile(r"[^;,]*")
_REST = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+"?)*+', re.DOTALL)
"""What is left of a malformed link: all up to a comma that is not quoted."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ONCE = frozenset({"media", "title", "title*", "type"})
_CHARSETS = frozenset({"utf-8", "iso-8859-1"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OUTSIDE_ASCII = re.compile(r"[\x80-\xff]")
_AUTHORITY = re.compile(r"[A-Za-z0-9._~:\[\]-]+")
_UNENCODED = re.compile(r"""%(?![0-9A-Fa-f]{2})|[\x20"<>\\^`{|}\x80-\U0010ffff]""")
"""What must not stand in a path or a query as it is (RFC 3986, section 3.3)."""


class Link(NamedTuple):
    """One link of a `Link` header.

    Attributes:
        target: where it leads: a reference, as it stands there.
        relations: what that is to the context, in lower case: `("next", "last")`.
        anchor: a reference to the context, where that is not the resource which was asked for.
        attributes: the other parameters, names in lower case, `title*` decoded and called `title`.
    """

    target: str
    relations: tuple[str, ...]
    anchor: str | None
    attributes: tuple[tuple[str, str], ...]


def parse(value: str) -> list[Link]:
    """The links of one `Link` header (RFC 8288, appendix B.2)."""
    links: list[Link] = []
    at = _past(_BETWEEN, value, 0)
    while at < len(value):
        if value[at] == "<":
            end = value.find(">", at)
            if end < 0:
                break
            parameters, after = _parameters(value, end + 1)
            links.append(_link(value[at + 1 : end].strip(" \t"), parameters))
            at = after
        at = _past(_BETWEEN, value, _past(_REST, value, at))
    return links


def next_target(values: Iterable[str], url: str) -> str | None:
    """The target of the first link to the next page, of several `Link` headers.

    Args:
        values: the headers.
        url: of the resource that was asked for; a link from any other does not count.
    """
    for value in values:
        for link in parse(value):
            if "next" in link.relations and (link.anchor is None or _leads_to(link.anchor, url)):
                return _OUTSIDE_ASCII.sub(lambda found: f"%{ord(found[0]):02X}", link.target)
    return None


def _past(pattern: re.Pattern[str], value: str, at: int) -> int:
    """The end of what a pattern, which matches nothing too, matches here."""
    found = pattern.match(value, at)
    return at if found is None else found.end()


def _parameters(value: str, at: int) -> tuple[list[tuple[str, str]], int]:
    """The parameters of a link, and where they end (RFC 8288, appendix B.3)."""
    parameters: list[tuple[str, str]] = []
    while found := _PARAMETER.match(value, at):
        at, text = found.end(), ""
        if found[2]:
            quoted = _QUOTED.match(value, at)
            end = quoted.end() if quoted else _past(_TOKEN, value, at)
            text = _ESCAPED.sub(r"\1", quoted[1]) if quoted else value[at:end].rstrip(" \t")
            at = end
        parameters.append((found[1].lower(), text))
    return parameters, at


def _link(target: str, parameters: list[tuple[str, str]]) -> Link:
    relations = next((text for name, text in parameters if name == "rel"), "")
    anchor = next((text for name, text in parameters if name == "anchor"), None)
    return Link(target, tuple(relations.lower().split()), anchor, _attributes(parameters))


def _attributes(parameters: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """What else is said of a target; an internationalised value replaces the plain one (steps 13 to 16)."""
    kept: list[tuple[str, str]] = []
    seen = {"", "rel", "anchor"}
    for name, text in parameters:
        decoded = _decoded(text) if name.endswith("*") else text
        if name not in seen and decoded is not None:
            kept.append((name, decoded))
            seen.update({name} & _ONCE)
    starred = {name[:-1] for name, _ in kept if name.endswith("*")}
    return tuple((name.removesuffix("*"), text) for name, text in kept if name not in starred)


def _decoded(value: str) -> str | None:
    """A value such as `UTF-8'de'n%c3%a4chstes`; `None` for one that is malformed (RFC 8187, section 3.2)."""
    charset, _, rest = value.partition("'")
    _, quote_mark, text = rest.partition("'")
    if charset.lower() not in _CHARSETS or not quote_mark:
        return None
    try:
        return unquote_to_bytes(text).decode(charset)
    except UnicodeDecodeError:
        return None


def _leads_to(reference: str, url: str) -> bool:
    try:
        return urljoin(url, reference) == url
    except ValueError:
        return False


# ---- where a link leads


class Destination(NamedTuple):
    """Where a reference leads.

    Attributes:
        authority: scheme, host and port as they stand there: `"https://api.github.com:443"`.
        target: path and query, which begin with a slash and have only characters that a URL can have.
    """

    authority: str
    target: str


def destination(url: str, reference: str) -> Destination | None:
    """Where a reference leads from a URL (RFC 3986, section 5), without its fragment.

    Returns:
        `None` if that is no http or https URL, has userinfo, or has a control character.
    """
    reference = reference.strip(" ")
    if _CONTROL.search(reference):  # which `urlsplit` would take out without a word
        return None
    try:
        parts = urlsplit(urljoin(url, reference))
        target = _UNENCODED.sub(lambda found: quote(found[0], safe=""), _target(parts))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _AUTHORITY.fullmatch(parts.netloc):
        return None
    return Destination(f"{parts.scheme}://{parts.netloc}", target)


def _target(parts: SplitResult) -> str:
    path = _without_dots(parts.path)
    return f"{path}?{parts.query}" if parts.query else path


def _without_dots(path: str) -> str:
    """A path without `.` and `..` segments (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    last = ""
    for last in path.split("/")[1:]:
        if last == "..":
            del kept[-1:]
        elif last != ".":
            kept.append(last)
    return "/" + "/".join([*kept, ""] if last in (".", "..") and kept else kept)
