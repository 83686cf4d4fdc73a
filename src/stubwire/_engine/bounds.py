"""How large a response may be.

This module's rule: pure; what is too large is left where it is, and its connection closed.
"""

from __future__ import annotations

import math

from stubwire.errors import ResponseTooLargeError

MAX_HEADERS = 256
MAX_HEADER_BYTES = 64 * 1024
"""Names and values together; servers themselves take less of their clients."""
MAX_BYTES_BEFORE = 256 * 1024
"""Of interim responses and of the head of the final one: a server may send interim ones without end, each in time."""


class Allowance:
    """How many bytes may still arrive before a response has begun; there is no limit behind its head."""

    __slots__ = ("_most", "left")

    def __init__(self) -> None:
        self._most: float = MAX_BYTES_BEFORE
        self.left: float = self._most

    def share(self) -> None:
        """Count no more: what arrives may be for others too."""
        self.left = self._most = math.inf

    def begin(self) -> None:
        """Wait for a response."""
        self.left = self._most

    def end(self) -> None:
        """It has begun."""
        self.left = math.inf

    def spend(self, data: bytes) -> bytes:
        """Count what arrived.

        Raises:
            ResponseTooLargeError: it is too much.
        """
        self.left -= len(data)
        if self.left < 0:
            raise ResponseTooLargeError(f"answered with more than {MAX_BYTES_BEFORE} bytes before its response began")
        return data


def check_headers(count: int, size: int) -> None:
    """Refuse a response with too many headers, or too long ones.

    Args:
        count: how many it has.
        size: bytes of their names and values.

    Raises:
        ResponseTooLargeError: it is such a response.
    """
    if count > MAX_HEADERS:
        raise ResponseTooLargeError(f"answered with {count} headers, and at most {MAX_HEADERS} are read")
    if size > MAX_HEADER_BYTES:
        raise ResponseTooLargeError(f"answered with {size} bytes of headers, and at most {MAX_HEADER_BYTES} are read")


def check_size(size: int, limit: int | None) -> None:
    """Refuse a body that has grown too large.

    Raises:
        ResponseTooLargeError: it has.
    """
    if limit is not None and size > limit:
        raise ResponseTooLargeError(f"answered with more than max_response_bytes={limit} bytes")
