"""Placeholders of a base URL, filled from variables: `"https://<subdomain>.zendesk.com/api/<version>"`.

This module's rule: a value stays where it was put. In the host it is one label of a domain that the class spells out
(RFC 1123, section 2.1), so that nobody who sets a variable decides where credentials go; in the path it fills its
segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from inspect import getattr_static
from typing import NamedTuple
from urllib.parse import unquote

from stubwire import _percent, _redact
from stubwire._secret import is_secret
from stubwire.errors import ArgumentError, ConfigurationError

_PLACEHOLDER = re.compile(r"<([^<>{}]*)>|\{([^<>{}]*)\}")
_AUTHORITY = re.compile(r"(.*?://)([^/?#\\]*)(.*)", re.DOTALL)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LONGEST_LABEL = 63


class Sources(NamedTuple):
    """Where the variables of a client come from, the uppermost first.

    Attributes:
        given: to the constructor; each of them must be used.
        settings: whose fields and properties count by their names.
        stated: in the class.
        client: its name, for messages.
    """

    given: Mapping[str, object]
    settings: object
    stated: Mapping[str, object]
    client: str


def fill(url: str, sources: Sources) -> str:
    """A base URL with its placeholders filled.

    Raises:
        ConfigurationError: a variable is missing, is not used, or cannot stand in its place; or the place is none.
    """
    where = f"{sources.client}: base_url {_redact.url(url)!r}"
    names = [_name(match, where) for match in _PLACEHOLDER.finditer(url)]
    _check_used(sources, names, where)
    parts = _AUTHORITY.fullmatch(url)
    scheme, authority, path = parts.groups() if parts else (url, "", "")
    _check_places(scheme, authority, path, where)
    texts = {name: _text(name, sources, where) for name in names}

    def label(match: re.Match[str]) -> str:
        name = _name(match, where)
        return _label(texts[name], f"{sources.client}: variable {name!r}")

    def segment(match: re.Match[str]) -> str:
        name = _name(match, where)
        return _segment(texts[name], f"{sources.client}: variable {name!r}")

    userinfo, at, host = authority.rpartition("@")
    labels = [(part, _PLACEHOLDER.sub(label, part)) for part in host.split(".")]
    for part, filled in labels:
        if part != filled and (len(filled) > _LONGEST_LABEL or filled[:4].lower() == "xn--"):
            raise ConfigurationError(
                f"{where} has {part!r} in its host, which the variables make longer than {_LONGEST_LABEL} characters, "
                "or the code of another name (xn--)"
            )
    return scheme + userinfo + at + ".".join(filled for _, filled in labels) + _PLACEHOLDER.sub(segment, path)


def _name(match: re.Match[str], where: str) -> str:
    name = match[1] if match[1] is not None else match[2]
    if not name.isidentifier():
        raise ConfigurationError(f"{where} has the placeholder {match[0]!r}, which is no name")
    return name


# ---- variables


def _check_used(sources: Sources, names: list[str], where: str) -> None:
    for name in sources.given:
        if name not in names:
            known = f"it names {', '.join(map(repr, dict.fromkeys(names)))}" if names else "it has no placeholders"
            raise ConfigurationError(f"{where} does not name {name!r}, which variables has: {known}")


def _text(name: str, sources: Sources, where: str) -> str:
    """A variable as text."""
    found = (sources.given.get(name), _setting(sources.settings, name), sources.stated.get(name))
    value = next((value for value in found if value is not None), None)
    if value is None:
        own = "" if sources.settings is None else f", or set {name} in the settings"
        client = sources.client
        raise ConfigurationError(f"{where} needs {name!r}: pass {client}(variables={{{name!r}: ...}}){own}")
    if is_secret(value):
        raise ConfigurationError(
            f"{where} takes no secret, because URLs are shown in logs and errors: send {name!r} as a header"
        )
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, bool) or not isinstance(plain, (str, int)):
        raise ConfigurationError(f"{where} needs {name!r} as a str or an int, not {type(value).__name__}")
    return str(plain)


def _setting(settings: object, name: str) -> object:
    """A field or a property of the settings; `None` for any other attribute."""
    kind = type(settings)
    fields = {*getattr(kind, "model_fields", ()), *getattr(kind, "model_computed_fields", ())}
    if name in fields or isinstance(getattr_static(kind, name, None), (property, cached_property)):
        return getattr(settings, name)
    return None


# ---- places


def _host(authority: str) -> tuple[str, str]:
    """The host of an authority, and what else stands there."""
    userinfo, _, rest = authority.rpartition("@")
    if "[" in rest:
        return "", authority  # an address, which has no labels
    host, _, port = rest.partition(":")
    return host, f"{userinfo} {port}"


def _check_places(scheme: str, authority: str, path: str, where: str) -> None:
    """Refuse placeholders that would let a variable choose the host, and what is worse."""
    host, rest = _host(authority)
    if _PLACEHOLDER.search(scheme) or _PLACEHOLDER.search(rest):
        raise ConfigurationError(f"{where} has a placeholder that is neither in its host nor in its path: write it out")
    if _PLACEHOLDER.search(host.rstrip(".").rpartition(".")[2]):
        raise ConfigurationError(
            f"{where} has a placeholder at the end of its host, so that a variable would choose where credentials go: "
            "write the domain out"
        )
    for segment in path.split("/"):
        before = _PLACEHOLDER.split(segment, maxsplit=1)[0]
        if before != segment and unquote(before) in (".", ".."):
            raise ConfigurationError(f"{where} has a placeholder after nothing but dots: leave the dots to the value")


def _label(text: str, where: str) -> str:
    if _LABEL.fullmatch(text):
        return text
    raise ConfigurationError(
        f"{where} stands in the host, where it is one label: letters, digits and inner hyphens, "
        f"at most {_LONGEST_LABEL}"
    )


def _segment(text: str, where: str) -> str:
    try:
        return _percent.segment(text, where)
    except ArgumentError as error:
        message = str(error)
    raise ConfigurationError(message)
