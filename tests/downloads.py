"""A file that is served in memory, whole or in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from streaming import Arriving, Server
from stubwire import ApiClient, Retry, Stream, get

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TOTAL = len(CONTENT)
MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:01 GMT"


NONE: Mapping[str, str] = {}
TAG = {"ETag": '"1"'}
DATE = {"Last-Modified": MODIFIED, "Date": LATER}


class Files(ApiClient):
    base_url = "https://files.test"
    retry = Retry(max_retries=2)

    @get("/file")
    def file(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/<name>")
    def named(self, name: str) -> Stream[bytes]:
        raise NotImplementedError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def cut(headers: Mapping[str, str], at: int = 100_000) -> Arriving:
    """The first bytes of the whole."""
    return Arriving([CONTENT[:at]], headers={"Content-Length": str(TOTAL), **headers}, fail="ReadError")


def part(start: int, stop: int = TOTAL, headers: Mapping[str, str] = NONE, *, fail: str = "") -> Arriving:
    said = {"Content-Range": f"bytes {start}-{stop - 1}/{TOTAL}", "Content-Length": str(stop - start), **headers}
    return Arriving([CONTENT[start:stop]], 206, said, fail)


def whole(**headers: str) -> Arriving:
    return Arriving([CONTENT], headers={"Content-Length": str(TOTAL), **headers})


def record(told: list[tuple[int, int | None]]) -> Callable[[int, int | None], None]:
    """A callable for `progress`."""
    return lambda done, total: told.append((done, total))


def asked(server: Server) -> list[tuple[str | None, str | None]]:
    return [(request.headers.get("range"), request.headers.get("if-range")) for request in server.requests]
