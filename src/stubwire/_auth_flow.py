"""Auths of httpx and httpx2, and what others have built on them: digest, AWS, Kerberos.

This module's rule: such an auth is a flow of the library's own requests and responses. Each request that it yields is
sent as stubwire's, by the rules for origins; nothing of the library's leaves.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stubwire._engine.choose import NAMES, load, made_by
from stubwire._headers import Headers
from stubwire._runtime import blocks
from stubwire._streamed import StreamedResponse
from stubwire.errors import ArgumentError, ConfigurationError, ProtocolError

if TYPE_CHECKING:
    from stubwire._engine.library import Library
    from stubwire._payload import Payload
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext

_ADDED = frozenset({"host", "content-length", "transfer-encoding"})
"""Headers that a library's request has anyway."""
_CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers of a body that was decoded."""


class FlowAuth:
    """An auth of httpx or httpx2, on whichever engine.

    Args:
        flow: the auth.

    Raises:
        ConfigurationError: it is of neither library.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, flow: Any) -> None:
        name = made_by(flow)
        if name is None or isinstance(flow, type):
            what = flow.__name__ if isinstance(flow, type) else type(flow).__name__
            raise ConfigurationError(f"auth must be an Auth such as BearerAuth(token), or one of httpx, not {what}")
        self._flow = flow
        self._library: Library = load(name)
        self.__qualname__ = type(flow).__name__
        self._is_stock = type(flow).__module__.partition(".")[0] in NAMES

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Send what the flow yields, until it ends."""
        if getattr(self._flow, "requires_request_body", False) and request._payload is not None:
            request = request.replace(content=await _content(request._payload))
        library = self._library
        sent = library.request(request, library.origin(request.url), {}, (), to_client=False)
        flow, address = _Flow(self, sent), str(sent.url)
        try:
            asked = await flow.first()
            while True:
                response = await call_next(self._ours(request, asked, None if asked is not sent else address))
                following = await flow.after(self._theirs(response, asked))
                if following is None:
                    return response
                asked = following
        finally:
            await flow.close()

    def _ours(self, request: Request, asked: Any, address: str | None) -> Request:
        """What the flow yielded, as a request of the call.

        Args:
            request: the call's own.
            asked: what was yielded.
            address: the URL that it had, if it is the same request; `None` for another.
        """
        ours = request._copy()
        ours._headers = self._headers(request, asked)
        if address is None:
            ours.content, ours._payload = self._body(asked), None
        ours.method = asked.method
        if str(asked.url) != address:
            ours.url = str(asked.url)
        return ours

    def _headers(self, request: Request, asked: Any) -> Headers:
        """The headers that were yielded, without those that the library adds.

        Raises:
            ProtocolError: one cannot be sent, with a realm perhaps that a server made up.
        """
        kept = {name.lower() for name, _ in request._sent_pairs()}
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in asked.headers.raw]
        with suppress(ArgumentError):
            return Headers(pair for pair in pairs if pair[0].lower() in kept or pair[0].lower() not in _ADDED)
        raise ProtocolError(f"got no credentials: {self.__qualname__} set a header that cannot be sent")

    def _body(self, asked: Any) -> bytes | None:
        content: bytes = asked.read() if hasattr(asked.stream, "__iter__") else b""
        return content or None

    def _theirs(self, response: Response, asked: Any) -> Any:
        """A response of the call, as the flow takes it."""
        kept = [pair for pair in response.headers.pairs() if pair[0].lower() not in _CODED]
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]
        content = b"" if isinstance(response, StreamedResponse) else response.content
        return self._library._module.Response(response.status_code, headers=pairs, content=content, request=asked)

    def failure(self, error: Exception) -> ProtocolError | None:
        """A failure of the library's kind, and any of its own flow over a challenge; others are their author's."""
        if self._is_stock or isinstance(error, self._library._failures.kinds):
            return ProtocolError(f"got no credentials: {self.__qualname__} failed with {type(error).__name__}")
        return None


class _Flow:
    """A flow in the colour of the call that runs."""

    def __init__(self, auth: FlowAuth, sent: Any) -> None:
        self._auth = auth
        self._sync: Generator[Any, Any, None] | None = None
        self._async: AsyncGenerator[Any, Any] | None = None
        if blocks():
            self._sync = auth._flow.sync_auth_flow(sent)
        else:
            self._async = auth._flow.async_auth_flow(sent)

    async def first(self) -> Any:
        """The first request."""
        asked = await self.after(None)
        if asked is None:
            raise TypeError(f"the auth {self._auth.__qualname__!r} yielded no request")
        return asked

    async def after(self, response: Any) -> Any | None:
        """The request that comes after a response; `None` behind the last."""
        try:
            if self._sync is not None:
                return self._sync.send(response)
            if self._async is not None:
                return await self._async.asend(response)
        except (StopIteration, StopAsyncIteration):
            return None
        except Exception as error:
            failure = self._auth.failure(error)
            if failure is None:
                raise
        else:
            raise AssertionError("unreachable")
        raise failure

    async def close(self) -> None:
        """End it where it is."""
        if self._sync is not None:
            self._sync.close()
        if self._async is not None:
            await self._async.aclose()


async def _content(payload: Payload) -> bytes:
    """All of a streamed body, for an auth that signs it."""
    if blocks():
        with payload.sending():
            return b"".join(payload.chunks())
    async with payload.asending():
        return b"".join([chunk async for chunk in payload.achunks()])
