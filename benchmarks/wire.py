"""The in-memory network: a transport that answers every request with bytes prepared beforehand.

It answers as a real transport does, with raw headers and a body that is still to be read, and keeps the last request
for the check that all sides of a comparison ask for the same thing.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx

RESPONSE_HEADERS: list[tuple[bytes, bytes]] = [
    (b"Server", b"github.com"),
    (b"Date", b"Sun, 22 Sep 2024 13:33:48 GMT"),
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"Cache-Control", b"public, max-age=60, s-maxage=60"),
    (b"Vary", b"Accept, Accept-Encoding, X-Requested-With"),
    (b"ETag", b'W/"3b9c1e7a5d"'),
    (b"X-GitHub-Media-Type", b"github.v3; format=json"),
    (b"X-GitHub-Request-Id", b"8F3A:2B1C:11D5E:2A9F0:66F01F5C"),
    (b"X-RateLimit-Limit", b"60"),
    (b"X-RateLimit-Remaining", b"58"),
    (b"X-RateLimit-Reset", b"1727015628"),
    (b"Strict-Transport-Security", b"max-age=31536000; includeSubdomains; preload"),
]


class Sent(NamedTuple):
    """What one call asked the server for, in a form that compares across HTTP libraries."""

    method: str
    path: str
    query: list[tuple[str, str]]
    accept: str
    user_agent: str
    content: bytes

    @classmethod
    def of(cls, method: str, url: str, accept: str, user_agent: str, content: bytes) -> "Sent":
        """Take the URL apart; the order of query parameters is nobody's promise."""
        parts = urlsplit(url)
        return cls(method, parts.path, sorted(parse_qsl(parts.query)), accept, user_agent, content)


class Wire:
    """An in-memory server behind `httpx.MockTransport` that answers 200 with `body`, in both colours."""

    def __init__(self, body: bytes) -> None:
        self.transport = httpx.MockTransport(self._answer)
        self._headers = [*RESPONSE_HEADERS, (b"Content-Length", str(len(body)).encode())]
        self._body = body
        self._last: httpx.Request | None = None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._last = request
        return httpx.Response(200, headers=self._headers, stream=httpx.ByteStream(self._body))

    def sent(self) -> Sent:
        """The last request that arrived."""
        request = self._last
        if request is None:
            raise LookupError("no request has arrived yet")
        headers = request.headers
        return Sent.of(request.method, str(request.url), headers["Accept"], headers["User-Agent"], request.content)
