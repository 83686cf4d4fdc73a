"""What hishel does for the cache (extra `cache`): its storages, and its rules for storing and for a 304.

This module's rule: the only one that knows hishel, by its public names; records go in and come out.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import hishel

from stubwire._headers import Headers
from stubwire.plugins._cache_rules import Record

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 1.0
"""Seconds for which a storage is waited for."""

_KEPT = 7 * 86400.0
"""Seconds after which a response goes that nobody asked for."""

_MOST_IN_FILE, _MOST_IN_MEMORY = 256 * 2**20, 64 * 2**20
"""The largest sqlite storage, in bytes; what was used longest ago goes first."""

_BOOK = "stubwire-cache"
"""A header of ours in what is stored: when it came, and how old it was."""

_NOWHERE = UUID(int=0)
"""The name of what is not stored."""

_OPTIONS = hishel.CacheOptions(shared=False, supported_methods=["GET", "HEAD"], allow_stale=False)


class Shelf:
    """An open storage.

    Attributes:
        storage: hishel's.
        secret: what digests are keyed by.
    """

    def __init__(self, storage: hishel.BaseStorage, secret: bytes) -> None:
        self.storage = storage
        self.secret = secret

    def records(self, key: str) -> dict[UUID, tuple[Record, hishel.Entry]]:
        """What is stored under a key, by name; the records have no body yet."""
        return {entry.id: (_record(entry), entry) for entry in self.storage.get_entries(key)}

    def add(self, key: str, record: Record) -> None:
        """Store a record."""
        entry = _entry(key, record)
        stored = self.storage.create_entry(entry.request, entry.response, key)
        body(stored)  # reading it stores it

    def refresh(self, record: Record) -> None:
        """Write the headers of a record."""
        self.storage.update_headers(record.id or _NOWHERE, _entry("", record).response.headers)

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove records."""
        for name in ids:
            self.storage.remove_entry(name)


def body(entry: hishel.Entry) -> bytes:
    """The body of a stored response."""
    return b"".join(cast("Iterator[bytes]", entry.response.stream))


def storable(record: Record) -> Record | None:
    """A record as it may be stored; `None` if it may not (RFC 9111, section 3)."""
    entry = _entry("", record)
    state = hishel.CacheMiss(request=entry.request, options=_OPTIONS).next(entry.response)
    return replace(record, headers=_headers(state.response.headers)) if isinstance(state, hishel.StoreAndUse) else None


def freshened(record: Record, answer: Record) -> Record | None:
    """A record after a 304; `None` if that is not about it (RFC 9111, sections 3.2 and 4.3.4).

    Args:
        record: what is stored.
        answer: the 304.
    """
    entry, said = _entry("", record), _entry("", answer)
    state = hishel.NeedRevalidation(
        request=entry.request, original_request=entry.request, revalidating_entries=[entry], options=_OPTIONS
    ).next(said.response)
    if not isinstance(state, hishel.NeedToBeUpdated):
        return None
    headers = _headers(state.updating_entries[0].response.headers)
    return replace(record, headers=headers, received=answer.received, age=answer.age)


def sqlite_shelf(path: Path | None, secret: bytes | None) -> Shelf:
    """A storage in a file that only its owner can read, or in memory.

    Args:
        path: of the file; `None` for memory.
        secret: what digests are keyed by; by default a random one, which the storage keeps.
    """
    if path is not None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=PATIENCE)
    try:
        kept = secret or _kept_secret(connection)
        most = _MOST_IN_MEMORY if path is None else _MOST_IN_FILE
        storage = hishel.SqliteStorage(connection=connection, default_tti=_KEPT, max_size=most)
        storage.get_entries("")  # which sets it up, with a patience of its own
        connection.execute(f"PRAGMA busy_timeout={round(PATIENCE * 1000)}")
    except BaseException:
        connection.close()
        raise
    return Shelf(storage, kept)


def _kept_secret(connection: sqlite3.Connection) -> bytes:
    connection.execute("CREATE TABLE IF NOT EXISTS stubwire (only INTEGER PRIMARY KEY, secret BLOB NOT NULL)")
    connection.execute("INSERT OR IGNORE INTO stubwire VALUES (1, ?)", (secrets.token_bytes(32),))
    (secret,) = connection.execute("SELECT secret FROM stubwire").fetchone()
    return bytes(secret)


def redis_shelf(client: Any, secret: bytes) -> Shelf:
    """A storage in Redis."""
    storage = hishel.RedisStorage(
        client, default_ttl=None, default_tti=_KEPT, max_stream_size=None, key_prefix="stubwire:cache"
    )
    return Shelf(storage, secret)


# ---- records, as hishel has them


def _record(entry: hishel.Entry) -> Record:
    received, age = json.loads(entry.response.headers[_BOOK])
    return Record(
        id=entry.id,
        method=entry.request.method,
        status_code=entry.response.status_code,
        headers=_headers(entry.response.headers),
        content=b"",
        varies=dict(entry.request.headers),
        received=received,
        age=age,
    )


def _entry(key: str, record: Record) -> hishel.Entry:
    headers = {name: record.headers.get_list(name) for name in record.headers}
    headers[_BOOK] = [json.dumps([record.received, record.age])]
    return hishel.Entry(
        id=record.id or _NOWHERE,
        request=hishel.Request(record.method, key, hishel.Headers(dict(record.varies))),
        response=hishel.Response(record.status_code, hishel.Headers(headers), iter([record.content])),
    )


def _headers(headers: hishel.Headers) -> Headers:
    return Headers._received(
        (name, value) for name in headers if name != _BOOK for value in headers.get_list(name) or ()
    )
