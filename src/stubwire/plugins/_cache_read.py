"""One read through a cache: found, or fetched and kept.

This module's rule: what it sends goes through the rest of the call, retries and all; what may be used or kept is
decided in `_cache_rules` and `_cache_hishel`.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple

from stubwire import _clock
from stubwire._headers import Headers
from stubwire._response import Response
from stubwire._runtime import blocks, wait
from stubwire.errors import CircuitOpenError, DeadlineExceeded, LimitExceededError, TransportError
from stubwire.plugins import _cache_hishel, _cache_keys, _cache_rules, _inside
from stubwire.plugins._cache_rules import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stubwire._core import Core
    from stubwire._request import Request
    from stubwire._response import CacheStatus
    from stubwire._types import CallNext
    from stubwire.plugins._cache_flights import Flight, Flights
    from stubwire.plugins._cache_keys import Identity
    from stubwire.plugins._cache_store import Store

_REDIRECTS = range(300, 400)
_UNREACHED = (TransportError, CircuitOpenError, LimitExceededError)


class Cache(NamedTuple):
    """What the reads of a plugin share.

    Attributes:
        store: what is stored.
        flights: reads that are being made.
        grace: for how many seconds a stale response may stand in for a failure, whatever was said.
        max_body_bytes: the largest body to store.
    """

    store: Store
    flights: Flights
    grace: float
    max_body_bytes: int

    async def identify(self, request: Request, core: Core) -> Identity | None:
        """What a request is known by; `None` if nobody can say.

        Args:
            request: the call's.
            core: of the client that sends it.
        """
        await self.store.open()
        sent = await _cache_keys.with_credentials(request, core)
        sender = _cache_keys.sender_of(core.pool)
        return None if sent is None else _cache_keys.identify(self.store.secret, request, sent, sender)


class Read:
    """One read.

    Args:
        cache: what it shares.
        request: the call's.
        identity: what it is known by.
        call_next: sends it.
        again: identifies it again, to see whether its credentials are still the same.
        by_client: whether the user's own client sends it.
    """

    def __init__(  # noqa: PLR0917 - what a read is made of
        self,
        cache: Cache,
        request: Request,
        identity: Identity,
        call_next: CallNext,
        again: Callable[[], Awaitable[Identity | None]],
        by_client: bool,
    ) -> None:
        self._cache = cache
        self._request = request
        self._identity = identity
        self._call_next = call_next
        self._again = again
        self._by_client = by_client

    async def answer(self) -> Response:
        """The response, from wherever it comes."""
        flights = self._cache.flights
        landed = flights.landed
        found, record = await self._find()
        if found is not None:
            return found
        flight, leads = (None, False) if _is_nested() else flights.join(self._identity.flight, blocks=blocks())
        if flight is None:
            return (await self._fetch(record))[0]
        if not leads:
            return await self._follow(flight, record)
        return await self._lead(flight, record, again=flights.landed != landed)

    async def _find(self) -> tuple[Response | None, Record | None]:
        """What is stored: a response, or a record that must be validated."""
        kind, record = await self._cache.store.find(self._identity.key, self._identity.asked, _clock.now())
        if kind == "refuse":
            return _said(Response(504), "miss"), None
        if record is not None and kind != "validate":
            return self._stored(record, "hit" if kind == "hit" else "stale"), record
        return None, record

    async def _lead(self, flight: Flight, record: Record | None, *, again: bool) -> Response:
        """Fetch for all who wait; what was fetched since one has looked is found by looking again."""
        kept: Record | None = None
        try:
            if again:
                found, record = await self._find()
                if found is not None:
                    kept = record
                    return found
            with _inside.inside(self._cache.flights):
                response, kept = await self._fetch(record)
        finally:
            self._cache.flights.land(self._identity.flight, flight, kept)
        return response

    async def _follow(self, flight: Flight, record: Record | None) -> Response:
        """Use what another fetches, or fetch too."""
        await wait(flight.landed)
        brought = flight.landed.result()
        if brought is not None:
            kind = _cache_rules.decide(self._identity.asked, [brought], _clock.now()).kind
            if kind in ("hit", "stale"):
                return self._stored(brought, "hit" if kind == "hit" else "stale")
        return (await self._fetch(record))[0]

    # ---- to the server

    async def _fetch(self, record: Record | None) -> tuple[Response, Record | None]:
        """What the server answers, and what others may use of it; a record that is stored may stand in."""
        sent = self._request if record is None or not record.has_validator else _conditional(self._request, record)
        try:
            response = await self._call_next(sent)
        except _UNREACHED as error:
            if record is None or isinstance(error, DeadlineExceeded) or not self._stands_in(record):
                raise
            return self._stored(record, "stale"), None
        if record is None:
            return await self._fetched(response)
        if response.status_code == 304 and sent is not self._request:
            return await self._validated(record, response)
        if not _cache_rules.is_failure(response.status_code):
            await self._cache.store.clear([self._identity.key], self._identity.asked)
        elif self._stands_in(record):
            return self._stored(record, "stale"), None
        return await self._fetched(response)

    def _stands_in(self, record: Record) -> bool:
        return _cache_rules.stands_in(self._identity.asked, record, _clock.now(), self._cache.grace)

    async def _validated(self, record: Record, answer: Response) -> tuple[Response, Record | None]:
        """What is stored, as a 304 says that it is."""
        fresh = _cache_hishel.freshened(record, self._record(answer))
        if fresh is None:  # it is about something else: ask for the whole
            await self._cache.store.clear([self._identity.key], self._identity.asked)
            return await self._fetched(await self._call_next(self._request))
        await self._cache.store.refresh(fresh)
        return self._stored(fresh, "revalidated"), fresh

    async def _fetched(self, response: Response) -> tuple[Response, Record | None]:
        """What the server answered, kept if it may be."""
        kept = await self._storable(response)
        if kept is not None:
            await self._cache.store.save(self._identity.key, kept, self._identity.asked)
        if response.status_code < 500:
            self._cache.flights.remember(self._identity.flight, shares=kept is not None)
        return _said(response, "miss"), kept

    async def _storable(self, response: Response) -> Record | None:
        """What is kept of a response; `None` for nothing."""
        if not self._is_own(response) or len(response.content) > self._cache.max_body_bytes:
            return None
        kept = _cache_hishel.storable(self._record(response))
        if kept is None or not _cache_rules.is_worth_keeping(kept, self._cache.grace):
            return None
        again = await self._again()
        return kept if again is not None and again.key == self._identity.key else None

    def _is_own(self, response: Response) -> bool:
        """Whether a response answers this very request, and nothing was said against storing it."""
        if "no-store" in self._identity.asked.directives or response.status_code in _REDIRECTS:
            return False
        answered = response._request
        if answered is None or (answered.method, answered.url) != (self._request.method, self._request.url):
            return False
        return _cache_keys.went_out_with(self._identity, answered, response.raw if self._by_client else None)

    def _record(self, response: Response) -> Record:
        """What came, as it is stored."""
        now, attempts = _clock.now(), self._request.attempts
        headers = Headers._received(pair for pair in response.headers.pairs() if pair[0].lower() != "age")
        date = _cache_rules.moment(headers.get("date", ""))
        if date is None:
            headers["Date"] = formatdate(now, usegmt=True)  # RFC 9110, section 6.6.1
        delay = attempts[-1].elapsed if attempts else 0.0
        names = [name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()]
        digests = self._identity.asked.digests
        return Record(
            id=None,
            method=self._request.method,
            status_code=response.status_code,
            headers=headers,
            content=response.content,
            varies={name: digests.get(name, "") for name in names},
            received=now,
            age=_cache_rules.first_age(date, response.headers.get("age", ""), now, delay),
        )

    # ---- from the storage

    def _stored(self, record: Record, status: CacheStatus) -> Response:
        """A stored response, with its age (RFC 9111, section 4)."""
        response: Response = Response(record.status_code, content=record.content)
        response._headers = Headers._received(record.headers.pairs())
        response.headers["Age"] = str(int(_cache_rules.age(record, _clock.now())))
        response._request = self._request
        return _said(response, status)


def _said(response: Response, status: CacheStatus) -> Response:
    response.cache = status
    return response


def _conditional(request: Request, record: Record) -> Request:
    """The request that validates a record (RFC 9111, section 4.3.1)."""
    asking = request._copy()
    for name, validator in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        if validator in record.headers:
            asking.headers[name] = record.headers[validator]
    return asking


def _is_nested() -> bool:
    """Whether a plugin has let something through that waits for this: it must not wait for others."""
    return any(stay.lasts for stay in _inside._stays.get())
