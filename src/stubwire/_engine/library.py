"""One HTTP library behind the seam: httpx, or httpx2, which has the same names.

This module's rule: requests go in and responses come out as stubwire's own; a failure leaves as a bare error of
`stubwire.errors`, whose text cannot hold a header or a URL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stubwire._engine import incoming
from stubwire._engine.address import Origin, addresses, origin_of
from stubwire._engine.codings import accepted
from stubwire._engine.failures import Failures
from stubwire._engine.outgoing import outgoing
from stubwire._engine.quiet import hush
from stubwire._engine.resets import areset, reset
from stubwire._redact import is_secret
from stubwire._streamed import StreamedResponse
from stubwire.errors import ProtocolError

if TYPE_CHECKING:
    import ssl

    import httpx

    from stubwire._engine.transport import AsyncTransport, Transport, Wire
    from stubwire._headers import Pairs
    from stubwire._options import Limits
    from stubwire._request import Request
    from stubwire._response import Response

Exchange = Callable[["httpx.Request"], "httpx.Response"]
AsyncExchange = Callable[["httpx.Request"], Awaitable["httpx.Response"]]
Fill = tuple[tuple[bytes, bytes], ...]
"""Headers that stand where the request has none of that name."""

_FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Headers that say how long a body is, which only we know: two of them let a request be smuggled (RFC 9112, 11.2)."""
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Library:
    """One HTTP library."""

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__
        self._request: type[httpx.Request] = module.Request
        self._stream: type[httpx.ByteStream] = module.ByteStream
        self._headers: type[httpx.Headers] = module.Headers
        self._module = module
        self._failures = Failures(module)
        self._outgoing = outgoing(module)
        self._no_body = self._stream(b"")
        self._wire: Wire | None = None
        self.quiet = hush(self.name)
        self.defaults: Fill = (
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", accepted().encode()),
            (b"User-Agent", f"stubwire/{version('stubwire')}".encode()),
        )
        self._address = addresses(module.URL)
        self._parsed = lru_cache(maxsize=1024)(self._url)
        self._origin = lru_cache(maxsize=256)(self._parse_origin)
        self._sent_headers = lru_cache(maxsize=256)(self._make_headers)

    # ---- connections

    def tls(self, verify: bool | str) -> ssl.SSLContext:
        """A TLS context that verifies by the system's certificates, by a bundle at a path, or not at all.

        Below TLS 1.2 it speaks to nobody (RFC 8996).
        """
        import ssl

        context: ssl.SSLContext
        if isinstance(verify, str):
            is_folder = Path(verify).is_dir()
            context = ssl.create_default_context(
                capath=verify if is_folder else None, cafile=None if is_folder else verify
            )
        else:
            context = self._module.create_ssl_context(verify)
        context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        return context

    def open(
        self, verify: ssl.SSLContext, proxy: str | None, http2: bool, limits: Limits, *, asynchronous: bool
    ) -> Transport | AsyncTransport:
        """A transport that ends calls in time.

        Raises:
            ConfigurationError: HTTP/2 or a proxy is asked for without its extra.
            ValueError: the proxy is of no kind that there is.
        """
        from stubwire._engine.transport import Wire, open_transport  # with httpcore, slow to import

        if self._wire is None:
            self._wire = Wire(self._module)
        return open_transport(self._wire, verify, proxy, http2, limits, asynchronous=asynchronous)

    def client_headers(
        self, client: httpx.Client | httpx.AsyncClient, declared: frozenset[str], *, trusted: bool
    ) -> Fill:
        """The headers of the user's own client; without those that are secret where they may not go.

        Args:
            client: the user's own.
            declared: lower-case names that were declared secret, beside those that look it.
            trusted: whether all of them may go.
        """
        pairs = client.headers.raw
        if trusted:
            return tuple(pairs)
        names = [(name.decode("latin-1"), (name, value)) for name, value in pairs]
        return tuple(pair for name, pair in names if name.lower() not in declared and not is_secret(name))

    # ---- out

    def _url(self, text: str) -> httpx.URL:
        try:
            url: httpx.URL | None = self._module.URL(text)
            usable = url is not None and _is_usable(url)
        except (self._module.InvalidURL, ValueError):
            url, usable = None, False
        if url is None or not usable:
            raise ProtocolError("cannot be sent: its URL is not valid")
        return url

    def _parse_origin(self, text: str) -> Origin:
        return origin_of(text, self._url(text))

    def origin(self, text: str) -> str:
        """The origin of a URL as this library will connect to it.

        Raises:
            ProtocolError: it is no http or https URL.
        """
        url = self._url(text)
        name = url.raw_host.decode("ascii")  # `host` would be decoded, and be another text than that of the URL
        host = f"[{name}]" if ":" in name else name
        return f"{url.scheme}://{host}" if url.port is None else f"{url.scheme}://{host}:{url.port}"

    def request(
        self, request: Request, origin: str, timeout: Mapping[str, float | None], fill: Fill, *, to_client: bool
    ) -> httpx.Request:
        """A request as this library sends it, with the headers that HTTP itself needs.

        Args:
            request: stubwire's own.
            origin: of its URL.
            timeout: seconds, by step.
            fill: headers that stand where it has none.
            to_client: whether a client will send it, which looks at more of the URL than a transport does.
        """
        at = self._origin(origin)
        headers = self._sent_headers(at.netloc, request._sent_pairs(), fill)
        content, payload = request.content, request._payload
        stream: httpx.SyncByteStream = self._no_body
        if payload is not None:
            stream = self._outgoing(payload)
            headers = self._headers([*headers.raw, _framing(payload.length)])
        elif content is not None or request.method in _BODY_METHODS:
            headers = self._headers([*headers.raw, _framing(len(content or b""))])
            stream = self._stream(content) if content else stream
        sent = self._request(request.method, at.url, headers=headers, stream=stream, extensions={"timeout": timeout})
        known = request._is_as_bound and not to_client
        sent.url = self._address(at, request.url) if known else self._parsed(request.url)
        if payload is None:
            sent.read()  # a transport may look at `content`, and would send an unread stream in chunks
        return sent

    def _make_headers(self, host: bytes, pairs: Pairs, fill: Fill) -> httpx.Headers:
        own = [(name.encode("ascii"), value.encode("ascii")) for name, value in pairs if name.lower() not in _FRAMING]
        names = {name.lower() for name, _ in own} | {name.encode() for name in _FRAMING}
        lead = [] if b"host" in names else [(b"Host", host)]
        return self._headers(lead + [pair for pair in fill if pair[0].lower() not in names] + own)

    # ---- in

    def send(
        self, exchange: Exchange, request: httpx.Request, limit: int | None, *, streams: bool = False
    ) -> Response[Any]:
        """Send a request and read the response.

        Args:
            exchange: what sends it.
            request: the library's own.
            limit: the largest body to read, in bytes.
            streams: whether to leave the body of a success to whoever asked for it.

        Raises:
            CallError: it failed, or the body is too large.
        """
        response: httpx.Response | None = None
        try:
            response = exchange(request)
            if streams and response.is_success:
                return self._streamed(response)
            if response.is_closed:  # the transport had read it
                return incoming.received(response, response.content, limit)
            try:
                return incoming.received(response, incoming.read(response, limit), limit)
            finally:
                response.close()
        except self._module.HTTPStatusError as error:  # a hook of the user's own client called `raise_for_status`
            return incoming.received(error.response, incoming.read_already(error.response), limit)
        except self._failures.kinds as error:
            failure = self._failures.bare(error)
            cause = self._failures.cause(error, request)
        raise failure from cause

    async def asend(
        self, exchange: AsyncExchange, request: httpx.Request, limit: int | None, *, streams: bool = False
    ) -> Response[Any]:
        """The same, asynchronously."""
        response: httpx.Response | None = None
        try:
            response = await exchange(request)
            if streams and response.is_success:
                return await self._astreamed(response)
            if response.is_closed:
                return incoming.received(response, response.content, limit)
            try:
                return incoming.received(response, await incoming.aread(response, limit), limit)
            finally:
                await response.aclose()
        except self._module.HTTPStatusError as error:  # a hook of the user's own client called `raise_for_status`
            return incoming.received(error.response, incoming.read_already(error.response), limit)
        except self._failures.kinds as error:
            failure = self._failures.bare(error)
            cause = self._failures.cause(error, request)
        raise failure from cause

    def _streamed(self, response: httpx.Response) -> Response[Any]:
        try:
            body = incoming.Incoming(response, self._failures)
        except BaseException:
            reset(response)
            response.close()
            raise
        return StreamedResponse._arriving(response.status_code, response.headers.raw, body, response)

    async def _astreamed(self, response: httpx.Response) -> Response[Any]:
        try:
            body = incoming.Incoming(response, self._failures)
        except BaseException:
            await areset(response)
            await response.aclose()
            raise
        return StreamedResponse._arriving(response.status_code, response.headers.raw, body, response)


def _framing(length: int | None) -> tuple[bytes, bytes]:
    """The header that says how long a body is, in bytes; `None` sends it in chunks (RFC 9112, section 6)."""
    return (b"Transfer-Encoding", b"chunked") if length is None else (b"Content-Length", b"%d" % length)


def _is_usable(url: httpx.URL) -> bool:
    """Whether a connection can be tried: http or https, to a host and a port that can be looked up.

    Raises:
        ValueError: the host has labels that the resolver or the library's decoder would stumble over.
    """
    url.raw_host.decode("ascii").encode("idna")
    return url.scheme in ("http", "https") and bool(url.host) and (url.port or 0) < 65536
