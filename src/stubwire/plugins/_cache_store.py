"""A storage that never fails a call.

This module's rule: whatever goes wrong in a storage is a miss, and is said once; it is asked again after a while. One
storage serves both colours: an asynchronous call asks from a thread of a few, because no connection is both.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from stubwire import _clock
from stubwire._runtime import blocks, wait
from stubwire.plugins._cache_hishel import PATIENCE, body
from stubwire.plugins._cache_rules import decide, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stubwire.plugins._cache_hishel import Shelf
    from stubwire.plugins._cache_rules import Asked, Record, Verdict

R = TypeVar("R")

_WORKERS = 4
_logger = logging.getLogger("stubwire")


class _Hearing(threading.local):
    """What hishel says in this thread while it works for us."""

    active = False
    failure = ""


class _Ear(logging.Filter):
    """Keeps what hishel says of failures in our work, each with a traceback, for the one line that we write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what is not of our work."""
        if not _hearing.active or record.levelno < logging.WARNING:
            return True
        kind = record.exc_info[0] if record.exc_info else None
        _hearing.failure = record.levelname if kind is None else kind.__name__
        return False


_inherited: list[Shelf | None] = []
"""What a forked child has of its parent: kept, because closing it would close the parent's."""

_hearing = _Hearing()
_ear = _Ear()


class Store:
    """Stored responses.

    Args:
        name: of the place, for messages.
        opens: opens it.
    """

    def __init__(self, name: str, opens: Callable[[], Shelf]) -> None:
        self._name = name
        self._opens = opens
        self._lock = threading.RLock()  # it may be collected, and closed, in a thread that has it
        self._opening = threading.RLock()
        self._shelf: Shelf | None = None
        self._process = 0
        self._workers: tuple[int, ThreadPoolExecutor] | None = None
        self._silent_until = 0.0
        self._down = False
        self.closed = False
        self.secret = secrets.token_bytes(32)

    async def open(self) -> None:
        """Open it, if it can be; a forked child opens its own."""
        if self._process != os.getpid():
            await self._ask(None, lambda _: None)

    async def find(self, key: str, asked: Asked, now: float) -> Verdict:
        """What to do about a request, by what is stored for it; the record has its body."""

        def find(shelf: Shelf) -> Verdict:
            found = shelf.records(key)
            verdict = decide(asked, (record for record, _ in found.values()), now)
            record = verdict.record
            if record is None or record.id is None:
                return verdict
            return verdict._replace(record=replace(record, content=body(found[record.id][1])))

        return await self._ask(decide(asked, (), now), find)

    async def save(self, key: str, record: Record, asked: Asked) -> None:
        """Store a record, in place of what answered the same request."""

        def save(shelf: Shelf) -> None:
            older = [name for name, (each, _) in shelf.records(key).items() if matches(asked, each)]
            shelf.add(key, record)
            shelf.remove(older)

        await self._ask(None, save)

    async def refresh(self, record: Record) -> None:
        """Write the headers of a record that was validated."""
        await self._ask(None, lambda shelf: shelf.refresh(record))

    async def clear(self, keys: Iterable[str], asked: Asked | None = None) -> None:
        """Remove what is stored under some keys: all, or what answers a request."""

        def clear(shelf: Shelf) -> None:
            for key in keys:
                found = shelf.records(key).items()
                shelf.remove([name for name, (each, _) in found if asked is None or matches(asked, each)])

        await self._ask(None, clear)

    def close(self) -> None:
        """Close it; it stays so."""
        with self._opening, self._lock:
            self.closed = True
            shelf, self._shelf = self._shelf, None
        if shelf is not None and self._process == os.getpid():
            with suppress(Exception):
                shelf.storage.close()
        if self._workers is not None:
            self._workers[1].shutdown(wait=False)

    # ---- who asks, and what fails

    async def _ask(self, default: R, work: Callable[[Shelf], R]) -> R:
        """What some work brings, done in a thread that it may block; `default` if the storage fails."""
        if blocks():
            return self._do(default, work)
        with self._lock:
            if self.closed:
                return default
            process = os.getpid()
            if self._workers is None or self._workers[0] != process:
                self._workers = process, ThreadPoolExecutor(_WORKERS, "stubwire-cache")
            asked = self._workers[1].submit(self._do, default, work)
        await wait(asked)
        return asked.result()

    def _do(self, default: R, work: Callable[[Shelf], R]) -> R:
        if _clock.monotonic() < self._silent_until:
            return default
        _hearing.active, _hearing.failure = True, ""
        result = default
        try:
            shelf = self._opened()
            result = default if shelf is None else work(shelf)
        except Exception as error:  # noqa: BLE001 - of sqlite, of redis-py, or of what somebody else has put there
            _hearing.failure = type(error).__name__
        finally:
            _hearing.active = False
        self._hear(_hearing.failure)
        return result

    def _opened(self) -> Shelf | None:
        with self._opening:
            if self._process != os.getpid() and not self.closed:
                _inherited.append(self._shelf)
                shelf = self._opens()
                logging.getLogger(type(shelf.storage).__module__).addFilter(_ear)
                self._shelf, self.secret, self._process = shelf, shelf.secret, os.getpid()
            return self._shelf

    def _hear(self, failure: str) -> None:
        """Say once that the storage has gone, or has come back."""
        with self._lock:
            if failure:
                self._silent_until = _clock.monotonic() + PATIENCE
            changed, self._down = self._down != bool(failure), bool(failure)
        if changed and failure:
            _logger.warning("CachePlugin: %s fails (%s): calls are made without a cache", self._name, failure)
        elif changed:
            _logger.info("CachePlugin: %s works again", self._name)
