"""The in-memory network for the peers that are built on httpx2: `benchmarks.wire.Wire` with its classes."""
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
# (the peer may be absent where this file is checked, and not every peer is typed)

import httpx2

from benchmarks.wire import RESPONSE_HEADERS, Sent


class Httpx2Wire:
    """An in-memory server behind `httpx2.MockTransport` that answers 200 with `body`."""

    def __init__(self, body: bytes) -> None:
        self.transport = httpx2.MockTransport(self._answer)
        self._headers = [*RESPONSE_HEADERS, (b"Content-Length", str(len(body)).encode())]
        self._body = body

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self._last = request
        return httpx2.Response(200, headers=self._headers, stream=httpx2.ByteStream(self._body))

    def sent(self) -> Sent:
        """The last request that arrived."""
        request = self._last
        headers = request.headers
        return Sent.of(request.method, str(request.url), headers["Accept"], headers["User-Agent"], request.content)
