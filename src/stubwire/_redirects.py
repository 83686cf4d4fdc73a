"""Where a redirect leads (RFC 9110, section 15.4).

This module's rule: pure. It decides what is asked for next, or why nothing is; credentials are put on elsewhere, at
each hop, by its origin. Imported by the first call that is redirected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stubwire._attempts import can_send_again
from stubwire._url import redirect_target
from stubwire.errors import RedirectError

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response

MAX_REDIRECTS = 5
_STATUSES = frozenset({301, 302, 303, 307, 308})


class Redirects:
    """The way from one request.

    Args:
        request: which was answered with a redirect.
        origin_of: the origin of a URL.
    """

    def __init__(self, request: Request, origin_of: Callable[[str], str]) -> None:
        self._request = request
        self._origin_of = origin_of
        self._seen = {(request.method, request.url)}

    def next(self, response: Response[Any]) -> Request | None:
        """The request of the next hop, or `None` where the way ends.

        Raises:
            RedirectError: there are too many, it goes in a circle, or it would take a body where it may not go.
        """
        if response.status_code not in _STATUSES or "location" not in response.headers:
            return None
        if len(self._seen) > MAX_REDIRECTS:
            raise RedirectError(f"answered with more than {MAX_REDIRECTS} redirects")
        target = redirect_target(self._request.url, response.headers["location"])
        self._request = request = self._onward(target, response)
        if (request.method, request.url) in self._seen:
            raise RedirectError(f"answered with a redirect back to {request.line}")
        self._seen.add((request.method, request.url))
        return request

    def _onward(self, target: str, response: Response[Any]) -> Request:
        request = self._request
        has_body = request.content is not None or request._payload is not None
        onward = request.replace(url=target)
        becomes_get = request.method != "HEAD" if response.status_code == 303 else request.method == "POST"
        if becomes_get and response.status_code in (301, 302, 303):
            onward.method, onward.content, onward._payload = "GET", None, None
            has_body = False
            onward.headers.pop("content-type", None)
        if self._origin_of(target) != self._origin_of(request.url):
            if has_body:
                raise RedirectError(f"answered with a redirect of a body to another origin: {onward.line}")
            onward.headers.pop("host", None)  # it named the host before
        if onward._payload is not None and not can_send_again(onward):
            raise RedirectError("answered with a redirect of a body that can be read only once")
        return onward
