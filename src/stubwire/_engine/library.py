"""One HTTP library behind the seam: httpx, or httpx2, which has the same names.

This module's rule: requests go in and responses come out as stubwire's own; a failure leaves as a bare error of
`stubwire.errors`, whose text cannot hold a header or a URL.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from stubwire._engine.address import Origin, addresses, origin_of
from stubwire._engine.quiet import hush
from stubwire._redact import is_secret
from stubwire._response import Response
from stubwire.errors import (
    CallError,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    DecodeError,
    PoolTimeout,
    ProtocolError,
    ReadError,
    ReadTimeout,
    ResponseTooLargeError,
    TransportError,
    WriteError,
    WriteTimeout,
)

if TYPE_CHECKING:
    import ssl

    import httpx

    from stubwire._headers import Pairs
    from stubwire._options import Limits
    from stubwire._request import Request

Exchange = Callable[["httpx.Request"], "httpx.Response"]
AsyncExchange = Callable[["httpx.Request"], Awaitable["httpx.Response"]]
Fill = tuple[tuple[bytes, bytes], ...]
"""Headers that stand where the request has none of that name."""

_KINDS: dict[str, tuple[type[TransportError], str]] = {
    "ConnectTimeout": (ConnectTimeout, "timed out while connecting"),
    "ReadTimeout": (ReadTimeout, "timed out while waiting for the response"),
    "WriteTimeout": (WriteTimeout, "timed out while sending the request"),
    "PoolTimeout": (PoolTimeout, "timed out while waiting for a free connection"),
    "ConnectError": (ConnectError, "could not connect"),
    "ReadError": (ReadError, "lost the connection before the response was whole"),
    "CloseError": (ReadError, "lost the connection before the response was whole"),
    "WriteError": (WriteError, "lost the connection while sending the request"),
    "RemoteProtocolError": (ReadError, "got no valid response"),
}
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
        self._failures: tuple[type[Exception], ...] = (module.HTTPError, module.InvalidURL, module.StreamError)
        self._no_body = self._stream(b"")
        self.quiet = hush(self.name)
        with module.Client(transport=module.BaseTransport(), trust_env=False) as stock:
            accept_encoding: str = stock.headers["accept-encoding"]
        self.defaults: Fill = (
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", accept_encoding.encode()),
            (b"User-Agent", f"stubwire/{version('stubwire')}".encode()),
        )
        self._address = addresses(module.URL)
        self._parsed = lru_cache(maxsize=1024)(self._url)
        self._origin = lru_cache(maxsize=256)(self._parse_origin)
        self._sent_headers = lru_cache(maxsize=256)(self._make_headers)

    # ---- connections

    def tls(self, verify: bool | str) -> ssl.SSLContext:
        """A TLS context that verifies by the system's certificates, by a bundle at a path, or not at all."""
        import ssl

        if isinstance(verify, str):
            is_folder = Path(verify).is_dir()
            return ssl.create_default_context(capath=verify) if is_folder else ssl.create_default_context(cafile=verify)
        context: ssl.SSLContext = self._module.create_ssl_context(verify)
        return context

    def open(
        self, verify: ssl.SSLContext, proxy: str | None, http2: bool, limits: Limits, *, asynchronous: bool
    ) -> httpx.HTTPTransport | httpx.AsyncHTTPTransport:
        """A transport of the library's own.

        Raises:
            ConfigurationError: HTTP/2 is asked for without its extra.
        """
        if http2 and find_spec("h2") is None:
            raise ConfigurationError("http2=True needs the package h2: pip install 'stubwire[http2]'")
        kind = self._module.AsyncHTTPTransport if asynchronous else self._module.HTTPTransport
        kept = self._module.Limits(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
        )
        transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport = kind(
            verify=verify, proxy=proxy, http2=http2, limits=kept, trust_env=False
        )
        return transport

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
        content = request.content
        headers = self._sent_headers(at.netloc, request._sent_pairs(), fill)
        if content is not None or request.method in _BODY_METHODS:
            length = (b"Content-Length", b"%d" % len(content or b""))
            headers = self._headers([*headers.raw, length])
        stream = self._stream(content) if content else self._no_body
        sent = self._request(request.method, at.url, headers=headers, stream=stream, extensions={"timeout": timeout})
        known = request._is_as_bound and not to_client
        sent.url = self._address(at, request.url) if known else self._parsed(request.url)
        sent.read()  # a transport may look at `content`, and would send an unread stream in chunks
        return sent

    def _make_headers(self, host: bytes, pairs: Pairs, fill: Fill) -> httpx.Headers:
        own = [(name.encode("ascii"), value.encode("ascii")) for name, value in pairs if name.lower() not in _FRAMING]
        names = {name.lower() for name, _ in own}
        lead = [] if b"host" in names else [(b"Host", host)]
        return self._headers(lead + [pair for pair in fill if pair[0].lower() not in names] + own)

    # ---- in

    def send(self, exchange: Exchange, request: httpx.Request, limit: int | None) -> Response[Any]:
        """Send a request and read the whole response.

        Raises:
            CallError: it failed, or the body is larger than `limit` bytes.
        """
        response: httpx.Response | None = None
        try:
            response = exchange(request)
            if response.is_closed:  # the transport had read it
                return _received(response, response.content, limit)
            try:
                return _received(response, self._read(response, limit), limit)
            finally:
                response.close()
        except self._module.HTTPStatusError as error:  # a hook of the user's own client called `raise_for_status`
            return _received(error.response, _read_already(error.response), limit)
        except self._failures as error:
            failure, cause = self._failure(error, response), self._cause(error, request)
        raise failure from cause

    async def asend(self, exchange: AsyncExchange, request: httpx.Request, limit: int | None) -> Response[Any]:
        """The same, asynchronously."""
        response: httpx.Response | None = None
        try:
            response = await exchange(request)
            if response.is_closed:
                return _received(response, response.content, limit)
            try:
                return _received(response, await self._aread(response, limit), limit)
            finally:
                await response.aclose()
        except self._module.HTTPStatusError as error:  # a hook of the user's own client called `raise_for_status`
            return _received(error.response, _read_already(error.response), limit)
        except self._failures as error:
            failure, cause = self._failure(error, response), self._cause(error, request)
        raise failure from cause

    def _read(self, response: httpx.Response, limit: int | None) -> bytes:
        chunks: list[bytes] = []
        size = 0
        plain = cast("httpx.SyncByteStream", response.stream)  # cheaper than `iter_raw`, and the same bytes
        for chunk in response.iter_bytes() if _is_encoded(response) else plain:
            size += len(chunk)
            _check_size(size, limit)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _aread(self, response: httpx.Response, limit: int | None) -> bytes:
        chunks: list[bytes] = []
        size = 0
        plain = cast("httpx.AsyncByteStream", response.stream)
        arriving = aiter(response.aiter_bytes() if _is_encoded(response) else plain)
        try:
            async for chunk in arriving:
                size += len(chunk)
                _check_size(size, limit)
                chunks.append(chunk)
        except Exception:
            await cast("AsyncGenerator[bytes]", arriving).aclose()  # or trio would complain of it later
            raise
        return b"".join(chunks)

    def _failure(self, error: Exception, response: httpx.Response | None) -> CallError:
        for kind in type(error).__mro__:
            if kind.__name__ in _KINDS and kind.__module__.partition(".")[0] == self.name:
                ours, what = _KINDS[kind.__name__]
                detail = _detail(error)
                return ours(f"{what}: {detail}" if detail not in ("", "timed out") else what)
        if isinstance(error, self._module.DecodingError) and response is not None:
            message = f"answered {response.status_code} with a body that is not in its Content-Encoding"
            return DecodeError(message, response=_received(response, b"", None))
        return ProtocolError(f"cannot be sent: {type(error).__name__}")

    def _cause(self, error: Exception, request: httpx.Request) -> Exception | None:
        """The library's error for a traceback, without the request as it was sent.

        Only where its text is the system's own: others may quote a header.
        """
        if not isinstance(error, (self._module.NetworkError, self._module.TimeoutException)):
            return None
        failure = cast("httpx.TransportError", error)
        failure.request = self._request(request.method, request.url.copy_with(query=None, userinfo=b""))
        return failure


def _is_usable(url: httpx.URL) -> bool:
    """Whether a connection can be tried: http or https, to a host and a port that can be looked up.

    Raises:
        ValueError: the host has labels that the resolver or the library's decoder would stumble over.
    """
    url.raw_host.decode("ascii").encode("idna")
    return url.scheme in ("http", "https") and bool(url.host) and (url.port or 0) < 65536


def _read_already(response: httpx.Response) -> bytes:
    return response.content if response.is_stream_consumed else b""


def _detail(error: BaseException | None) -> str:
    """The first text in a chain of causes: trio's own errors have none."""
    while error is not None and not str(error):
        error = error.__cause__ or error.__context__
    return "" if error is None else str(error)


def _is_encoded(response: httpx.Response) -> bool:
    """Whether the body is compressed.

    Raises:
        DecodeError: more than once: two kilobytes can then become gigabytes before anybody counts them.
    """
    codings = [value for name, value in response.headers.raw if len(name) == 16 and name.lower() == b"content-encoding"]
    if len(codings) > 1 or (codings and b"," in codings[0]):
        shown = b", ".join(codings).decode("latin-1")
        message = f"answered {response.status_code} with the Content-Encoding {shown!r}, and only one coding is read"
        raise DecodeError(message, response=_received(response, b"", None))
    return bool(codings)


def _received(response: httpx.Response, content: bytes, limit: int | None) -> Response[Any]:
    _check_size(len(content), limit)
    return Response._received(response.status_code, response.headers.raw, content, response)


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ResponseTooLargeError(f"answered with more than max_response_bytes={limit} bytes")
