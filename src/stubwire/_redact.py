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
_SECRET_WORDS = frozenset(
    "apikey auth authorization cookie credential credentials jwt key passcode passphrase passwd password pin pwd "
    "secret sessionid session sig signature token".split()
)
_HARMLESS = frozenset("continuation continue cursor idempotency next page prev previous sort sync".split())
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a header or parameter name looks as if it held a secret.

    A secret word counts as a whole word of the name (`api_key`, `X-Auth-Token`, `clientSecret`), not as part of one
    (`keyword`), and not after a word that makes it harmless (`next_token`, `Idempotency-Key`).
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(
        word in _SECRET_WORDS and not (index and words[index - 1] in _HARMLESS) for index, word in enumerate(words)
    )


def header(name: str, value: str, declared: frozenset[str]) -> str:
    """A header's value as a person may see it; `declared` are further secret names, in lower case."""
    return REDACTED if name.lower() in declared or is_secret(name) else value


def headers(pairs: Iterable[tuple[str, str]], declared: frozenset[str]) -> list[tuple[str, str]]:
    """Headers as a person may see them."""
    return [(name, header(name, value, declared)) for name, value in pairs]


def url(text: str, declared: frozenset[str] = frozenset()) -> str:
    """A URL without userinfo, its secret query values and its fragment hidden."""
    text = _USERINFO.sub(lambda match: f"{match[1] or ''}//", text)
    text, _, _ = text.partition("#")
    path, mark, query = text.partition("?")
    if not mark:
        return text
    return path + mark + "&".join(_query_part(part, declared) for part in query.split("&"))


def json_body(content: bytes) -> str | None:
    """A JSON body with the values of secret names hidden; `None` for bytes that are no text.

    Text that is not JSON stays as it is: nobody can say what in it is secret.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_hide(value), ensure_ascii=False)


def _hide(value: object) -> object:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: REDACTED if is_secret(name) else _hide(item) for name, item in fields.items()}
    if isinstance(value, list):
        return [_hide(item) for item in cast("list[object]", value)]
    return value


def _query_part(part: str, declared: frozenset[str]) -> str:
    name, equals, _ = part.partition("=")
    plain = unquote_plus(name)
    return name + equals + REDACTED if equals and (plain.lower() in declared or is_secret(plain)) else part
