"""An engine's failures as bare errors of stubwire.

This module's rule: a failure's text cannot hold a header or a URL; what an engine says is quoted only where it is the
system's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stubwire.errors import (
    CallError,
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ProtocolError,
    ReadError,
    ReadTimeout,
    ResponseTooLargeError,
    TimeoutError,
    TransportError,
    WriteError,
    WriteTimeout,
)

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

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


_HEAD_TOO_LONG = "Receive buffer too long"
"""What h11 says of a head of more than 100 KiB."""


class Failures:
    """The failures of one HTTP library."""

    def __init__(self, module: ModuleType) -> None:
        self.kinds: tuple[type[Exception], ...] = (module.HTTPError, module.InvalidURL, module.StreamError)
        self._library = module.__name__
        self._quotable: tuple[type[Exception], ...] = (module.NetworkError, module.TimeoutException)
        self._request: type[httpx.Request] = module.Request

    def bare(self, error: Exception) -> CallError:
        """A failure as ours."""
        for kind in type(error).__mro__:
            if kind.__name__ in _KINDS and kind.__module__.partition(".")[0] == self._library:
                ours, what = _KINDS[kind.__name__]
                if _HEAD_TOO_LONG in str(error):
                    return ResponseTooLargeError("answered with more bytes of headers than are read")
                detail = str(error) if issubclass(ours, TimeoutError) else _detail(error)
                failure = ours(f"{what}: {detail}" if detail not in ("", "timed out") else what)
                if _is_of_certificate(error):
                    failure._heals = False
                return failure
        return ProtocolError(f"cannot be sent: {type(error).__name__}")

    def cause(self, error: Exception, request: httpx.Request) -> Exception | None:
        """The library's error for a traceback, without the request as it was sent.

        Only where its text is the system's own: others may quote a header.
        """
        if not isinstance(error, self._quotable):
            return None
        failure = cast("httpx.TransportError", error)
        failure.request = self._request(request.method, request.url.copy_with(query=None, userinfo=b""))
        return failure


def _is_of_certificate(error: BaseException | None) -> bool:
    """Whether a certificate was refused: it will be the next time too."""
    while error is not None and type(error).__name__ != "SSLCertVerificationError":
        error = error.__cause__ or error.__context__
    return error is not None


def _detail(error: BaseException | None) -> str:
    """The first text in a chain of causes, of the system or of an event loop: trio's own errors have none."""
    while error is not None and (not str(error) or isinstance(error, LookupError)):  # anyio pops from an empty queue
        error = error.__cause__ or error.__context__
    return "" if error is None else str(error)
