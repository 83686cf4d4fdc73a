"""What is known of a call before its arguments: an endpoint, with the options of one client or view folded in.

This module's rule: made once, at first access, and only read afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stubwire._cancel import CancelToken
    from stubwire._codecs import Codec
    from stubwire._decode import Decoder
    from stubwire._headers import Pairs
    from stubwire._request import Request
    from stubwire._spec import EndpointSpec
    from stubwire._types import Auth
    from stubwire.retry import Retry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Plan:
    """Everything about a call that does not depend on its arguments.

    Attributes:
        name: as errors and logs show it: `"GitHub.issues.list"`.
        base: origin and base path, which every path is appended to.
        origin: that of `base_url`; empty for what an auth sends for itself.
        origins: where credentials may go: that one, and `auth_origins`.
        query: encoded pairs that are always sent, unless the call replaces them.
        pairs: headers that are always sent.
        body_pairs: the same with the content type of a body.
        secrets: lower-case names of headers and query parameters that were declared secret.
        auth_headers: the headers that auth will set.
        auth_query: the query parameters that auth will set.
        own_auth: whether something was said of auth, so that the user's own client adds none.
        timeout: the engine's timeouts, in seconds.
        deadline: seconds for the whole call, or `None`.
        cancel: what ends the call from elsewhere, or `None`.
        key_header: the header for an idempotency key; `None` without one.
        key: the key itself, `None` to mint one for each call.
        errors: what statuses raise.
        none_on: statuses that mean `None`.
        streams: whether the body of a success is left to whoever asked for it.
        bind: the compiled function from arguments to a request.
        decode: from a successful response to the result.
    """

    spec: EndpointSpec
    name: str
    method: str
    base: str
    origin: str
    origins: frozenset[str]
    query: Pairs
    pairs: Pairs
    body_pairs: Pairs
    secrets: frozenset[str]
    auth: Auth | None
    auth_headers: tuple[str, ...]
    auth_query: tuple[str, ...]
    own_auth: bool
    timeout: Mapping[str, float | None]
    deadline: float | None
    cancel: CancelToken | None
    retry: Retry | None
    follow_redirects: bool
    max_response_bytes: int | None
    key_header: str | None
    key: str | None
    errors: dict[range, type]
    none_on: frozenset[int]
    codecs: Sequence[Codec]
    streams: bool
    bind: Callable[..., Request]
    decode: Decoder

    def __repr__(self) -> str:
        """Show whose it is, and nothing that is sent."""
        return f"<Plan of {self.name}>"
