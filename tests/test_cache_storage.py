"""Where responses are stored: what is refused, what lasts, and what happens to a call when it fails."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from caching import SECRET, Things, in_memory, ok, status
from conftest import Api, Clock, Colour, Reply
from stubwire import ConfigurationError
from stubwire.plugins import CachePlugin, _cache_hishel, _cache_store

MakeApi = Callable[..., Api]
FRESH = ok(cache_control="max-age=600", etag='"one"')
URL = "redis://:s3cret@cache.test:6379/0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": 17}, "CachePlugin path must be a str or a Path, not int"),
        ({"path": "nowhere/cache.db"}, "CachePlugin path: there is no folder '{0}/nowhere'"),
        ({"path": "."}, "CachePlugin path: '{0}' is a folder; write the file in it"),
        ({"path": "cache.db", "redis": URL}, "CachePlugin takes a path or redis=..., not both"),
        (
            {"redis": URL},
            "CachePlugin redis=... needs secret=...: what credentials are hashed with, the same on every machine",
        ),
        (
            {"redis": "cache.test", "secret": SECRET},
            "CachePlugin redis=... must be a URL such as redis://host:6379/0",
        ),
        ({"secret": SECRET}, "CachePlugin secret=... is for what is kept: pass a path or redis=... too"),
        ({"path": "cache.db", "secret": "cups"}, "CachePlugin secret must have at least 16 characters"),
        ({"path": "cache.db", "secret": 17}, "CachePlugin secret must be a str, a SecretStr or a function, not int"),
        ({"stale_if_error": -1}, "CachePlugin stale_if_error=-1 must be a finite number from 0"),
        ({"stale_if_error": True}, "CachePlugin stale_if_error=True must be a finite number from 0"),
        ({"max_body_bytes": 0}, "CachePlugin max_body_bytes=0 must be a whole number from 1"),
    ],
)
def test_wrong_arguments(
    arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        CachePlugin(**arguments)
    assert str(caught.value) == message.format(tmp_path)


@pytest.mark.parametrize(
    ("package", "arguments", "message"),
    [
        ("hishel", {}, "CachePlugin needs the package hishel: pip install 'stubwire[cache]'"),
        (
            "redis",
            {"redis": URL, "secret": SECRET},
            "CachePlugin redis=... needs the package redis: pip install 'stubwire[redis]'",
        ),
    ],
)
def test_a_missing_package(
    package: str, arguments: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("stubwire.plugins._cache")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError) as caught:
        CachePlugin(**arguments)
    assert str(caught.value) == message


def test_it_shows_where_and_no_secret(tmp_path: Path) -> None:
    plugins = [
        CachePlugin(),
        CachePlugin(tmp_path / "cache.db", secret=SecretStr(SECRET)),
        CachePlugin(redis=URL, secret=SECRET),
    ]
    assert [repr(plugin) for plugin in plugins] == [
        "CachePlugin(in memory)",
        f"CachePlugin('{tmp_path}/cache.db')",
        "CachePlugin(redis='redis://cache.test:6379/0')",
    ]
    assert list(tmp_path.iterdir()) == []  # nothing is opened before it is used


def test_a_file_outlives_its_plugin(api: MakeApi, colour: Colour, tmp_path: Path) -> None:
    server = api(FRESH)
    for expected in ("miss", "hit"):
        cache = CachePlugin(str(tmp_path / "cache.db"))
        assert status(Things(transport=server.transport, plugins=[cache]), colour) == expected
        cache.close()
    (request,) = server.requests
    assert request.method == "GET"


def test_two_plugins_share_a_file(api: MakeApi, colour: Colour, tmp_path: Path) -> None:
    caches = [CachePlugin(tmp_path / "cache.db") for _ in range(2)]
    clients = [Things(transport=api(FRESH).transport, plugins=[cache]) for cache in caches]
    assert [status(client, colour) for client in clients * 2] == ["miss", "hit", "hit", "hit"]
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"cache.db": 0o600, "cache.db-wal": 0o600, "cache.db-shm": 0o600}
    for cache in caches:
        cache.close()


def test_a_forked_child_opens_its_own(
    api: MakeApi, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = CachePlugin(tmp_path / "cache.db")
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    kept: list[object] = []
    monkeypatch.setattr(_cache_store, "_inherited", kept)
    process = os.getpid()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: process + 1)
        assert status(client, colour) == "hit"
        cache.close()
    (inherited,) = kept
    inherited.storage.close()  # type: ignore[attr-defined]


def test_what_is_no_longer_used_is_collected_and_closed(api: MakeApi) -> None:
    """A connection that is not closed would warn."""
    client = Things(transport=api(FRESH).transport, plugins=[CachePlugin()])
    assert status(client, Colour("sync")) == "miss"


# ---- failures


def test_a_file_that_is_no_database_is_a_miss(
    api: MakeApi, colour: Colour, tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    file = tmp_path / "cache.db"
    file.write_bytes(b"seventeen cups of tea " * 100)
    cache = CachePlugin(file)
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    for _ in range(3):
        assert status(client, colour) == "miss"
        assert status(client, colour, "change", 1) is None
        clock.advance(2)
    assert [record.getMessage() for record in caplog.records] == [
        f"CachePlugin: '{file}' fails (DatabaseError): calls are made without a cache"
    ]
    assert file.read_bytes().startswith(b"seventeen")
    cache.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache_hishel, "PATIENCE", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_file_that_somebody_else_has_locked_is_a_miss(
    api: MakeApi, colour: Colour, tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    caplog.set_level(logging.INFO, "stubwire")
    file = tmp_path / "cache.db"
    cache = CachePlugin(file)
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    assert status(client, colour) == "miss"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        assert status(client, colour, "thing", 2) == "miss"
    other.execute("ROLLBACK")
    other.close()
    clock.advance(2)
    assert [status(client, colour, "thing", 2) for _ in range(2)] == ["miss", "hit"]
    assert [record.getMessage() for record in caplog.records] == [
        f"CachePlugin: '{file}' fails (OperationalError): calls are made without a cache",
        f"CachePlugin: '{file}' works again",
    ]
    cache.close()


def test_a_redis_that_goes_and_comes_back(
    api: MakeApi, colour: Colour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    caplog.set_level(logging.INFO, "stubwire")
    server = in_memory(monkeypatch)
    cache = CachePlugin(redis=URL, secret=SECRET)
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    server.connected = False
    assert [status(client, colour) for _ in range(3)] == ["miss"] * 3
    server.connected = True
    assert status(client, colour) == "miss"  # it is not asked again at once
    clock.advance(2)
    assert status(client, colour) == "hit"
    assert [record.getMessage() for record in caplog.records] == [
        "CachePlugin: redis='redis://cache.test:6379/0' fails (ConnectionError): calls are made without a cache",
        "CachePlugin: redis='redis://cache.test:6379/0' works again",
    ]
    cache.close()


def test_what_hishel_logs_for_others_stays(caplog: pytest.LogCaptureFixture, api: MakeApi) -> None:
    cache = CachePlugin()
    assert status(Things(transport=api(FRESH).transport, plugins=[cache]), Colour("sync")) == "miss"
    logger = logging.getLogger("hishel._core._storages._sync_sqlite")
    logger.error("for somebody else")
    assert [record.getMessage() for record in caplog.records] == ["for somebody else"]
    cache.close()


def test_a_plugin_that_is_closed_meanwhile(api: MakeApi, colour: Colour) -> None:
    cache = CachePlugin()

    def close(_: object) -> Reply:
        cache.close()
        return FRESH

    client = Things(transport=api(close).transport, plugins=[cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", None]
