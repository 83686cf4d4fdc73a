"""What a person may see of a header, a query or a URL.

This module's rule: pure functions from text to text. Every repr, message, pickle, log line and command line goes
through them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import cast
from urllib.parse import unquote_plus

REDACTED = "[redacted]"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORD = re.compile(
    r"access(key|token)|apikey|assertion|auth(entication|orization|token)?|bearer|clientsecret|cookie|credentials?|csrf|"
    r"idtoken|jwt|key|otp|pass(code|phrase|wd|words?)|pin|privatekey|pwd|refreshtoken|secret(key|s)?|session(id)?|"
    r"sig(nature)?|token|xsrf"
)
_HARMLESS_WORD = re.compile(r"continu(ation|e)|cursor|idempotency|next|page|prev(ious)?|public|sort|sync")
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@")
_INNER_USERINFO = re.compile(r"://[^/?#\s]*@")
_PIECE = re.compile(r"[^\s<>\"'`]+")
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s,\]}]+)')
_FORM = re.compile(r'[^\s&={"[][^\s&=]*=[^\s&]*(?:&[^\s&=]+=[^\s&]*)*')


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a header or parameter name looks as if it held a secret.

    A secret word counts as a whole word of the name (`api_key`, `X-Auth-Token`, `clientSecret`), not as part of one
    (`keyword`), and not after a word that makes it harmless (`next_token`, `Idempotency-Key`).
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(
        _SECRET_WORD.fullmatch(word) and not (index and _HARMLESS_WORD.fullmatch(words[index - 1]))
        for index, word in enumerate(words)
    )


def header(name: str, value: str, declared: frozenset[str]) -> str:
    """A header's value as a person may see it; `declared` are further secret names, in lower case."""
    if name.lower() in declared or is_secret(name):
        return REDACTED
    return urls(value, declared) if "?" in value or "//" in value else value  # Location, Link, Referer, ...


def headers(pairs: Iterable[tuple[str, str]], declared: frozenset[str]) -> list[tuple[str, str]]:
    """Headers as a person may see them."""
    return [(name, header(name, value, declared)) for name, value in pairs]


def url(text: str, declared: frozenset[str] = frozenset()) -> str:
    """A URL without userinfo and fragment, its secret query values hidden."""
    text = _USERINFO.sub(lambda match: f"{match[1] or ''}//", text)
    text, _, _ = text.partition("#")
    path, mark, query = text.partition("?")
    return path + mark + _query(query, declared) if mark else text


def urls(text: str, declared: frozenset[str] = frozenset()) -> str:
    """A text, the URLs in it redacted."""

    def shown(piece: re.Match[str]) -> str:
        word = piece[0]
        return url(_INNER_USERINFO.sub("://", word), declared) if "?" in word or "//" in word else word

    return _PIECE.sub(shown, text)


def json_body(content: bytes, declared: frozenset[str] = frozenset()) -> str | None:
    """A body with the values of secret names hidden, in JSON, in JSON Lines or in a form; `None` for no text.

    Any other text stays as it is: nobody can say what in it is secret.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    try:
        return json.dumps(hide(json.loads(text), declared), ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, several lines of it, or only the start of some
        if _FORM.fullmatch(text):
            return _query(text, declared)
        return _PAIR.sub(lambda match: _pair(match, declared), text)


def hide(data: object, declared: frozenset[str] = frozenset()) -> object:
    """Decoded JSON with the values of secret names hidden; `declared` are further ones, in lower case."""
    if isinstance(data, dict):
        fields = cast("dict[object, object]", data)
        return {
            name: REDACTED if _hides(str(name), declared) else hide(item, declared) for name, item in fields.items()
        }
    if isinstance(data, list):
        return [hide(item, declared) for item in cast("list[object]", data)]
    return data


def _hides(name: str, declared: frozenset[str]) -> bool:
    return name.lower() in declared or is_secret(name)


def _pair(match: re.Match[str], declared: frozenset[str]) -> str:
    return f'"{match[1]}"{match[2]}"{REDACTED}"' if _hides(match[1], declared) else match[0]


def _query(query: str, declared: frozenset[str]) -> str:
    return "&".join(_query_part(part, declared) for part in query.split("&"))


def _query_part(part: str, declared: frozenset[str]) -> str:
    """One `name=value`; a server may also cut at semicolons, so what follows one may be a name too."""
    shown: list[str] = []
    for piece in part.split(";"):
        name, equals, _ = piece.partition("=")
        plain = unquote_plus(name)
        if equals and (plain.partition("[")[0].lower() in declared or plain.lower() in declared or is_secret(plain)):
            return ";".join([*shown, f"{name}={REDACTED}"])
        shown.append(piece)
    return part
