"""The roots of the tree of errors; `stubwire.errors` draws the whole of it.

This module's rule: what every error has, and nothing of one kind. It knows nothing of calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Attempt


class StubwireError(Exception):
    """The root of every error that stubwire raises."""


class SpecError(StubwireError, TypeError):
    """A declaration is wrong; raised when the class is created, with what to write instead."""


class ConfigurationError(StubwireError, ValueError):
    """A setting or a constructor argument is wrong, or the client cannot make this call as it was configured."""


class ArgumentError(StubwireError, ValueError):
    """An argument cannot be sent; raised before any I/O. Its message never shows the value."""


class ColourError(StubwireError, RuntimeError):
    """Something asynchronous was awaited in a synchronous call."""


class CallError(StubwireError):
    """A call was made and did not give its result.

    Middleware and interceptors may raise one with a message alone: the core adds the rest.
    Pickles and copies are redacted: they keep no credential.
    """

    endpoint: str = ""
    """The stub's name, such as `"GitHub.user_repos"` or `"GitHub.issues.list"`; empty outside a call."""
    attempts: tuple[Attempt, ...] = ()
    """What was tried, in order."""
    elapsed: float = 0.0
    """Seconds from the start of the call to its failure."""
    request_id: str | None = None
    """The server's name for the request, where it gave one."""
    _request: Request | None = None
    _heals: bool = True
    """Whether the same request may fare better later."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    @property
    def request(self) -> Request:
        """The request as it left the middleware, without the credentials that auth adds.

        Raises:
            RuntimeError: the error was not raised by a call.
        """
        if self._request is None:
            raise RuntimeError("this error has no request: it was not raised by a call")
        return self._request

    def __str__(self) -> str:
        """Say what was called, what came of it, how often it was tried, and the server's request id."""
        message = str(self.args[0]) if self.args else ""
        if self._request is None:
            return message
        tries = f" after {len(self.attempts)} attempts in {self.elapsed:.1f} s" if len(self.attempts) > 1 else ""
        known = f" (request id {self.request_id})" if self.request_id else ""
        head, colon, tail = message.partition(": ")
        return f"{self.endpoint}: {self._request.line} {head}{tries}{colon}{tail}{known}"

    def __repr__(self) -> str:
        """Show the class and the message."""
        return f"<{type(self).__name__} {self}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by state; requests and responses redact themselves."""
        return _rebuild, (type(self), self.args), self._state()

    def __copy__(self) -> CallError:
        """Copy with the live request and response, which a pickle redacts."""
        twin = _rebuild(type(self), self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def _state(self) -> dict[str, object]:
        return dict(self.__dict__)


def _rebuild(kind: type[CallError], args: tuple[object, ...]) -> CallError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error
