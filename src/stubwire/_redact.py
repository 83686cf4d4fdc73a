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

_REMEMBERED = 200
"""Characters of a name that is worth remembering; a server may send any number of long ones."""
# patterns are texts here, which `re` compiles and keeps when they are first used: importing them costs nothing
_WORD = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
_HIDDEN_WORD = (
    r"access(key|token)|apikey|assertion|auth(entication|orization|token)?|bearer|clientsecret|cookie|credentials?|csrf|"
    r"idtoken|jwt|key|otp|pass(code|phrase|wd|words?)|pin|privatekey|pwd|refreshtoken|secret(key|s)?|session(id)?|"
    r"sig(nature)?|token|xsrf|"
    r"(?!continu|cursor|next|page|prev|public|sort|sync)[a-z]+(apikey|passw(or)?d|secret|sess(ion)?id|token)"
)
_HARMLESS_WORD = r"continu(ation|e)|cursor|idempotency|next|page|prev(ious)?|public|sort|sync"
_USERINFO = r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@"
_INNER_USERINFO = r"://[^/?#\s]*@"
_PIECE = r'[^\s<>"]+'
_OPENING, _CLOSING = "([{'`", ")},.;:'`"
"""What stands around a URL in a text; within one it is part of it, and a bracket may end what was redacted before."""
_PAIR = r'"((?:[^"\\]|\\.){0,200}+)"(\s{0,50}+:\s*+)(?:"(?:[^"\\]|\\.)*+"?|[^\s,\]}]+)'
"""A name and its value in what is no JSON; a longer name is none, or a hostile text would take for ever."""
_FORM = r'[^\s&={"[][^\s&=]*=[^\s&]*(?:&[^\s&=]+=[^\s&]*)*'


def is_secret(name: str) -> bool:
    """Whether a header or parameter name looks as if it held a secret.

    A secret word counts as a whole word of the name (`api_key`, `X-Auth-Token`, `clientSecret`) or its end
    (`usertoken`), not as another part of one (`keyword`), and not after a word that makes it harmless (`next_token`,
    `Idempotency-Key`).
    """
    return _looks_secret(name) if len(name) <= _REMEMBERED else _looks_secret.__wrapped__(name)


@lru_cache(maxsize=1024)
def _looks_secret(name: str) -> bool:
    words = [word.lower() for word in re.findall(_WORD, name)]
    return any(
        re.fullmatch(_HIDDEN_WORD, word) and not (index and re.fullmatch(_HARMLESS_WORD, words[index - 1]))
        for index, word in enumerate(words)
    )


def header(name: str, value: str, declared: frozenset[str]) -> str:
    """A header's value as a person may see it; `declared` are further secret names, in lower case."""
    if name.lower() in declared or is_secret(name):
        return REDACTED
    return urls(value, declared) if _has_url(value) else value  # Location, Link, Referer, ...


def headers(pairs: Iterable[tuple[str, str]], declared: frozenset[str]) -> list[tuple[str, str]]:
    """Headers as a person may see them."""
    return [(name, header(name, value, declared)) for name, value in pairs]


def url(text: str, declared: frozenset[str] = frozenset()) -> str:
    """A URL without userinfo and fragment, its secret query values hidden."""
    text = re.sub(_USERINFO, lambda match: f"{match[1] or ''}//", text)
    text, _, _ = text.partition("#")
    path, mark, query = text.partition("?")
    return path + mark + _query(query, declared) if mark else text


def urls(text: str, declared: frozenset[str] = frozenset()) -> str:
    """A text, the URLs in it redacted."""

    def shown(piece: re.Match[str]) -> str:
        word = piece[0]
        if not _has_url(word):
            return word
        bare = word.lstrip(_OPENING)
        before, bare = word[: len(word) - len(bare)], bare.rstrip(_CLOSING)
        return before + url(re.sub(_INNER_USERINFO, "://", bare), declared) + word[len(before) + len(bare) :]

    return re.sub(_PIECE, shown, text)


def _has_url(text: str) -> bool:
    """Whether there may be something to hide in a text: a query, userinfo, or a fragment with values."""
    return "?" in text or "//" in text or ("#" in text and "=" in text)


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
        if re.fullmatch(_FORM, text):
            return _query(text, declared)
        return re.sub(_PAIR, lambda match: _pair(match, declared), text)


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
