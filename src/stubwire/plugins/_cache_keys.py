"""Whose response it is: what a request is stored under.

This module's rule: a response belongs to a URL and to the credentials that were sent for it. Both stand in a storage as
a keyed digest only, and a header that a response varies by too.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, NamedTuple, cast
from weakref import WeakKeyDictionary

from stubwire import _redact
from stubwire.plugins._cache_rules import Asked, directives
from stubwire.plugins._origins import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ssl import SSLContext

    import httpx

    from stubwire._core import Core
    from stubwire._headers import Pairs
    from stubwire._pool import Pool
    from stubwire._request import Request
    from stubwire._response import Response


_certificates: WeakKeyDictionary[SSLContext, str] = WeakKeyDictionary()


class Identity(NamedTuple):
    """What a request is known by.

    Attributes:
        key: what its responses are stored under.
        flight: the same with all that it says, which no other request has.
        asked: what it says to a cache.
        secrets: the credentials that it goes out with, by lower-case name.
    """

    key: str
    flight: str
    asked: Asked
    secrets: tuple[tuple[str, str], ...]


class Sender(NamedTuple):
    """What a client adds to a request.

    Attributes:
        headers: of the user's own client, which stand where the request has none.
        is_client: whether the user's own client sends it.
        certificate: a name for the certificate that the client shows; empty without one.
    """

    headers: Pairs
    is_client: bool
    certificate: str


class Seen(BaseException):
    """What an auth would have sent; no failure, so that no auth handles it as one."""

    def __init__(self, request: Request) -> None:
        self.request = request


def sender_of(pool: Pool) -> Sender:
    """What a client adds to a request; a certificate is known by its context, in this process alone."""
    context = pool._connecting.own
    name = "" if context is None else _certificates.setdefault(context, secrets.token_hex())
    if pool._given is None or not pool._given.is_client:
        return Sender((), False, name)
    client: httpx.Client | httpx.AsyncClient = pool._given.sync or pool._given.asynchronous
    return Sender(tuple(client.headers.multi_items()), True, name)


async def with_credentials(request: Request, core: Core) -> Request | None:
    """The request as its auth would send it. That is not sent; what the auth asks for itself, such as a token, is.

    Returns:
        The request, or `None` if nobody can say what the auth would send: it failed, or answers by itself.
    """
    call = request._call
    looked = request._copy()
    looked._payload = None  # an auth that signs a body has it in `content`
    if call is None or call.plan.auth is None or core._origin(call.plan, request.url) not in call.plan.origins:
        return looked

    async def look(sent: Request) -> Response:
        if _is_own(sent, request):
            raise Seen(sent)
        return await core._exchange(sent)

    try:
        await call.plan.auth(looked, look)
    except Seen as seen:
        return seen.request
    except Exception:  # noqa: BLE001 - it will fail again where it is retried, and told of
        return None
    return None


def _is_own(sent: Request, request: Request) -> bool:
    """Whether an auth sends the call's request, and none of its own."""
    own = (request._plan, request.method, origin_of(request.url))
    return (sent._plan, sent.method, origin_of(sent.url)) == own


def identify(secret: bytes, request: Request, sent: Request, sender: Sender) -> Identity:
    """What a request is known by.

    Args:
        secret: what digests are keyed by.
        request: as the call has it.
        sent: the same with credentials.
        sender: who sends it.
    """
    own, declared = {name.lower() for name in sent.headers}, request._secrets
    pairs = [*((name, value) for name, value in sender.headers if name.lower() not in own), *sent.headers.pairs()]
    hidden = secret_pairs(pairs, declared | _changed(request, sent))
    host = sent.headers.get("host", "")
    key = _digest(
        secret, "key", request.url, sent.url, host, sender.certificate, *(text for pair in hidden for text in pair)
    )
    lines = sorted((name.lower(), value) for name, value in pairs)
    flight = _digest(secret, "flight", key, sent.method, *(text for pair in lines for text in pair))
    digests = {name: _digest(secret, "vary", name, value) for name, value in _joined(pairs).items()}
    said = directives(request.headers.get("cache-control", ""))
    return Identity(key, flight, Asked(request.method, said, digests), hidden)


def secret_pairs(pairs: Iterable[tuple[str, str]], declared: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The headers that are secret."""
    lower = [(name.lower(), value) for name, value in pairs]
    return tuple(sorted(pair for pair in lower if pair[0] in declared or _redact.is_secret(pair[0])))


def went_out_with(identity: Identity, sent: Request, by_client: object) -> bool:
    """Whether a request went out with the credentials of an identity, and no others.

    Middleware inside the cache, and hooks and auth of the user's own client, may have added others.

    Args:
        identity: of the call's request.
        sent: the request that was answered.
        by_client: the response of the user's own client, which knows what it sent; `None` if there is none.
    """
    pairs: Iterable[tuple[str, str]] = sent.headers.pairs()
    if by_client is not None:
        pairs = cast("httpx.Response", by_client).request.headers.multi_items()
    return set(secret_pairs(pairs, sent._secrets)) <= set(identity.secrets)


def _changed(request: Request, sent: Request) -> frozenset[str]:
    """The names of the headers that an auth set."""
    before = set(request.headers.pairs())
    return frozenset(name.lower() for name, value in sent.headers.pairs() if (name, value) not in before)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


def _digest(secret: bytes, *texts: str) -> str:
    """A keyed digest of texts, none of which can run into the next."""
    message = b"".join(
        b"%d:%b" % (len(text), text) for text in (text.encode("utf-8", "surrogatepass") for text in texts)
    )
    return hmac.digest(secret, message, "sha256").hex()
