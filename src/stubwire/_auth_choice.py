"""Which credentials an endpoint sends, and where they may go.

This module's rule: pure. A client has one auth, or several by name; an endpoint says which of them, or brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from stubwire._middleware import wrap
from stubwire._url import origin
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import Auth, CallNext, HttpAuth
    from stubwire.markers import Unset

Choice: TypeAlias = "Auth | HttpAuth | Mapping[str, Auth | HttpAuth] | str | Sequence[str] | Unset | None"
"""What `auth=` may be, on one layer or another; empty ones were refused before."""


class _Several:
    """Auths that all put their credentials on, as OpenAPI's requirement of several schemes asks for."""

    def __init__(self, auths: Sequence[Auth]) -> None:
        self._auths = auths
        self.names = tuple(name for auth in auths for name in getattr(auth, "names", ()))
        self.query_names = tuple(name for auth in auths for name in getattr(auth, "query_names", ()))

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Put them on, the first outermost; what one of them asks of somebody else is none of the others' matter."""
        following = call_next
        for auth in reversed(self._auths):
            following = _for_own(request, wrap(auth, following, "auth"), call_next)
        return await following(request)

    def __repr__(self) -> str:
        """Show them; each hides its own secrets."""
        return f"[{', '.join(map(repr, self._auths))}]"


def _for_own(call: Request, inner: CallNext, send: CallNext) -> CallNext:
    """An auth for those requests that are the call's own and go to its origins; others are sent without it."""
    plan = call._plan

    async def go(request: Request) -> Response:
        is_own = plan is not None and request._plan is plan and origin(request.url) in plan.origins
        return await (inner if is_own else send)(request)

    return go


def chosen(choice: Choice, layers: Sequence[Choice], where: str) -> Auth:
    """The auth of an endpoint.

    Args:
        choice: what the uppermost layer says.
        layers: what each layer says, the uppermost first; the first that has names counts.
        where: the endpoint, for messages.

    Raises:
        ConfigurationError: it names what no layer has.
    """
    known = next((layer for layer in layers if isinstance(layer, Mapping)), cast("Mapping[str, Auth]", {}))
    if isinstance(choice, Mapping):
        return adapted(next(iter(choice.values())))
    said: Any = choice
    if callable(said) or hasattr(said, "sync_auth_flow"):
        return adapted(said)
    names: list[str] = [said] if isinstance(said, str) else [*said]
    for name in names:
        if name not in known:
            there = ", ".join(map(repr, known)) or "none: write auth = {name: BearerAuth(...), ...} in the class"
            raise ConfigurationError(f"{where}: auth names what this client does not have; it has {there}")
    auths = [adapted(known[name]) for name in names]
    return auths[0] if len(auths) == 1 else _Several(auths)


def adapted(auth: Any) -> Auth:
    """An auth of stubwire's kind."""
    if not hasattr(auth, "sync_auth_flow"):
        return cast("Auth", auth)
    from stubwire._auth_flow import FlowAuth

    return FlowAuth(auth)
