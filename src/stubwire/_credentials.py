"""What a secret is, and where it may go: the words that every auth shares.

This module's rule: a secret leaves only as the text that is sent; a message names the setting, and never its value.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import SecretStr

from stubwire._auth_check import is_loopback
from stubwire._url import origin
from stubwire.errors import ConfigurationError

Plain: TypeAlias = str | SecretStr
"""A secret that is there."""

Secret: TypeAlias = Plain | Callable[[], Plain | Awaitable[Plain]]
"""A secret, or a function, `async` or not, that is asked for it whenever it is needed."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_URL = re.compile(r"[!$-;=?-\[\]_a-z~]+")


def text_of(secret: object, what: str) -> str:
    """The text of a secret, or of what a function answered.

    Raises:
        ConfigurationError: it is none.
    """
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if not isinstance(text, str):
        raise ConfigurationError(f"{what} must be a str, a SecretStr or a function, not {type(text).__name__}")
    if _SURROGATE.search(text):
        raise ConfigurationError(f"{what} is no valid Unicode text")
    return text


async def ask(secret: Secret, what: str) -> str:
    """The text of a secret; a function is asked for it, and awaited if it is asynchronous.

    Raises:
        ConfigurationError: the function answered none.
    """
    if not callable(secret):
        return text_of(secret, what)
    answer: object = secret()
    return text_of(await answer if inspect.isawaitable(answer) else answer, what)


def sendable(text: str, what: str) -> str:
    """A secret's text, if it can stand in a header.

    Raises:
        ConfigurationError: it cannot.
    """
    if not text:
        raise ConfigurationError(f"{what} is empty")
    if not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{what} has a line break, a control character or one outside ASCII: it was perhaps read with its newline"
        )
    return text


def checked(secret: Secret, what: str) -> Secret:
    """A secret that can stand in a header; a function is believed until it is asked."""
    return secret if callable(secret) else SecretStr(sendable(text_of(secret, what), what))


def written(secret: Secret, what: str) -> Secret:
    """A secret that can stand in a form, where all but the empty text can.

    Raises:
        ConfigurationError: it is empty, or no text.
    """
    if callable(secret):
        return secret
    text = text_of(secret, what)
    if not text.strip():
        raise ConfigurationError(f"{what} is empty")
    if text != text.strip():
        raise ConfigurationError(f"{what} has blanks around it: it was perhaps read with its newline")
    return SecretStr(text)


def secure_url(url: object, what: str) -> str:
    """A URL that secrets may be sent to: https, or http on this machine (RFC 6749, section 3.2).

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"{what} must be a str, not {type(url).__name__}")
    parts = urlsplit(url) if _URL.fullmatch(url) and origin(url) else None
    if parts is None or parts.username is not None:
        raise ConfigurationError(f"{what} must be a URL such as 'https://auth.example/token', without userinfo")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(f"{what} must begin with https://: what is sent there is secret")
    return url


class Credential:
    """What holds a secret: copies are itself, and there are no pickles of it."""

    def __copy__(self) -> Self:
        """Be immutable."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Be immutable."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would keep the secret."""
        raise TypeError(f"{type(self).__name__} cannot be pickled: it holds a credential")
