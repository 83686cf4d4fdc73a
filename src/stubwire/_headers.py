"""Headers: a case-insensitive mapping that remembers its order.

This module's rule: a value with CR, LF or NUL, or outside ASCII, does not get in by assignment (RFC 9110, section 5.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import cast

from stubwire import _redact
from stubwire.errors import ArgumentError

Pairs = tuple[tuple[str, str], ...]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[^\t\x20-\x7e]")


def is_name(name: str) -> bool:
    """Whether a name is a token (RFC 9110, section 5.6.2)."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name, if it is a token of RFC 9110, section 5.6.2.

    Raises:
        ArgumentError: it is not.
    """
    if not is_name(name):
        raise ArgumentError(f"{name!r} is no header name: write letters, digits and hyphens")
    return name


def check_value(name: str, value: str) -> str:
    """The value without surrounding blanks, if it can stand in a header.

    Raises:
        ArgumentError: it has a control character or one outside ASCII.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
        raise ArgumentError(f"header {name!r}: expected a str, got {type(value).__name__}")
    if _FORBIDDEN.search(value):
        raise ArgumentError(
            f"header {name!r}: a value with a line break, a control character or one outside ASCII cannot be sent; "
            "encode it first"
        )
    return value.strip(" \t")


class Headers(MutableMapping[str, str]):
    """Headers by name, whatever the case; several of one name read as one value joined with `", "`.

    Assigning replaces all headers of that name. A value that could split a header is an `ArgumentError`.
    """

    __slots__ = ("_pairs", "_secrets", "_table")

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        items: Iterable[tuple[str, str]] = (
            cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers
        )
        self._pairs: list[tuple[str, str]] = [(check_name(name), check_value(name, value)) for name, value in items]
        self._secrets: frozenset[str] = frozenset()
        self._table: dict[str, str] | None = None

    @classmethod
    def _received(cls, pairs: Iterable[tuple[str, str]], secrets: frozenset[str] = frozenset()) -> Headers:
        """Headers that were checked before, or that came from a server; `secrets` are names declared secret."""
        self = cls.__new__(cls)
        self._pairs = list(pairs)
        self._secrets = secrets
        self._table = None
        return self

    def _by_name(self) -> dict[str, str]:
        if self._table is None:
            self._table = {}
            for name, value in self._pairs:
                key = name.lower()
                self._table[key] = f"{self._table[key]}, {value}" if key in self._table else value
        return self._table

    def __getitem__(self, name: str) -> str:
        """The value of a header, of any case."""
        return self._by_name()[name.lower()]

    def __setitem__(self, name: str, value: str) -> None:
        """Replace all headers of this name."""
        value = check_value(check_name(name), value)
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != name.lower()]
        self._pairs.append((name, value))
        self._table = None

    def __delitem__(self, name: str) -> None:
        """Remove all headers of this name."""
        del self._by_name()[name.lower()]
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != name.lower()]

    def __iter__(self) -> Iterator[str]:
        """The names, in lower case, each once."""
        return iter(self._by_name())

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._by_name())

    def __contains__(self, name: object) -> bool:
        """Whether there is a header of this name, of any case."""
        return isinstance(name, str) and name.lower() in self._by_name()

    def get_list(self, name: str) -> list[str]:
        """The values of all headers of this name, each by itself."""
        return [value for key, value in self._pairs if key.lower() == name.lower()]

    def pairs(self) -> Pairs:
        """Names and values as they are sent, in order."""
        return tuple(self._pairs)

    def __copy__(self) -> Headers:
        """Copy as they are; a pickle is redacted."""
        return Headers._received(self._pairs, self._secrets)

    def __deepcopy__(self, memo: dict[int, object]) -> Headers:
        """Copy as they are."""
        return self.__copy__()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle redacted."""
        return _rebuild, (_redact.headers(self._pairs, self._secrets),)

    def __repr__(self) -> str:
        """Show what is no secret."""
        return f"Headers({_redact.headers(self._pairs, self._secrets)!r})"


def _rebuild(pairs: list[tuple[str, str]]) -> Headers:
    return Headers._received(pairs)
