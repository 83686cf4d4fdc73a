"""Downloads to files: from nginx with ranges and validators, over TLS and HTTP/2, and from httpbin with neither."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from downloads import record
from stubwire import ApiClient, DecodeError, Header, NotFoundError, Request, Response, Stream, get
from witnesses import Nginx, httpbin, nginx

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

CONTENT = hashlib.shake_256(b"big").digest(3_000_001)
OTHER = hashlib.shake_256(b"other").digest(2_000_003)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TOTAL = len(CONTENT)


class Web(ApiClient):
    follow_redirects = True

    @get("/<name>")
    def file(self, name: str) -> Stream[bytes]:
        raise NotImplementedError

    @get("/<name>")
    def part(self, name: str, range: Annotated[str, Header()]) -> Stream[bytes]:
        raise NotImplementedError

    @get("/a.json")
    def hello(self) -> dict[str, str]:
        raise NotImplementedError


class Bin(ApiClient):
    @get("/range/<n>")
    def range(self, n: int) -> Stream[bytes]:
        raise NotImplementedError

    @get("/range/<n>")
    def part(self, n: int, range: Annotated[str, Header()]) -> Stream[bytes]:
        raise NotImplementedError

    @get("/stream-bytes/<n>")
    def endless(self, n: int, seed: int = 1) -> Stream[bytes]:
        raise NotImplementedError

    @get("/gzip")
    def gzip(self) -> Stream[bytes]:
        raise NotImplementedError


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        server.serve("big.bin", CONTENT)
        yield server


@pytest.fixture(scope="module")
def bin_url() -> Iterator[str]:
    with httpbin() as started:
        yield started


@pytest.fixture
def client(web: Nginx, engine: EngineName) -> Iterator[Web]:
    with Web(base_url=web.url, engine=engine, proxy=None) as opened:
        yield opened


@pytest.fixture
def bins(bin_url: str, engine: EngineName) -> Iterator[Bin]:
    with Bin(base_url=bin_url, engine=engine, proxy=None) as opened:
        yield opened


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder / "file.bin"


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def save(colour: Colour, endpoint: Any, *args: Any, **options: Any) -> None:
    """Save the stream of an endpoint; `path` and the other options are those of `save`."""

    async def asynchronous() -> None:
        await endpoint.aio(*args).save(**options)

    if colour.name == "sync":
        endpoint(*args).save(**options)
    else:
        colour.drive(asynchronous)


class Unplugged(Exception):
    """Raised while a file arrives."""


def unplug(after: int) -> Callable[[int, int | None], None]:
    """A `progress` that ends the download after so many bytes."""

    def told(done: int, total: int | None) -> None:
        if done >= after:
            raise Unplugged

    return told


class Exchanges:
    """What was asked for, by `Range` and `If-Range`, and the statuses that came."""

    def __init__(self, client: ApiClient) -> None:
        self.ranges: list[tuple[str | None, str | None]] = []
        self.statuses: list[int] = []
        client.interceptors.response.use(self._note)

    def _note(self, response: Response) -> None:
        headers = response.request.headers
        self.ranges.append((headers.get("range"), headers.get("if-range")))
        self.statuses.append(response.status_code)


def logged(web: Nginx, path: str, status: int) -> list[int]:
    """The bytes of the answers to a path with a status, by nginx's own log, which is written a little later."""
    line = re.compile(rf'"GET {re.escape(path)} HTTP/[\d.]+" {status} (\d+) ')
    end = time.monotonic() + 20
    while True:
        found = [int(size) for size in line.findall((web.folder / "logs" / "access.log").read_text())]
        if found or time.monotonic() > end:
            return found
        time.sleep(0.02)


# -- nginx


@pytest.mark.parametrize("http2", [False, True])
def test_a_file_arrives_whole(web: Nginx, engine: EngineName, colour: Colour, target: Path, *, http2: bool) -> None:
    told: list[tuple[int, int | None]] = []
    with Web(base_url=web.tls_url, verify=web.authority, http2=http2, engine=engine, proxy=None) as client:
        exchanges = Exchanges(client)
        save(colour, client.file, "big.bin", path=target, progress=record(told), sha256=SHA256)
        assert colour.response(client.hello).http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert target.read_bytes() == CONTENT
    assert names(target) == ["file.bin"]
    assert (told[0], told[-1]) == ((0, TOTAL), (TOTAL, TOTAL))
    assert told == sorted(told)
    assert exchanges.statuses == [200, 200]


@pytest.mark.parametrize("http2", [False, True])
def test_a_download_goes_on_where_it_ended(
    web: Nginx, engine: EngineName, colour: Colour, target: Path, *, http2: bool
) -> None:
    name = f"{engine}-{colour.name}-{http2}.bin"
    web.serve(name, CONTENT)
    told: list[tuple[int, int | None]] = []
    with Web(base_url=web.tls_url, verify=web.authority, http2=http2, engine=engine, proxy=None) as client:
        exchanges = Exchanges(client)
        with pytest.raises(Unplugged):
            save(colour, client.file, name, path=target, progress=unplug(1_000_000))
        assert names(target) == ["file.bin.part", "file.bin.part.json"]
        size = target.with_name("file.bin.part").stat().st_size
        save(colour, client.file, name, path=target, progress=record(told), sha256=SHA256)
    assert target.read_bytes() == CONTENT
    assert names(target) == ["file.bin"]
    assert 1_000_000 <= size < TOTAL
    assert (told[0], told[-1]) == ((size, TOTAL), (TOTAL, TOTAL))
    assert exchanges.statuses == [200, 206]
    assert exchanges.ranges[0] == (None, None)
    assert exchanges.ranges[1][0] == f"bytes={size}-"
    assert re.fullmatch(r'"[0-9a-f-]+"', exchanges.ranges[1][1] or "")
    assert logged(web, f"/{name}", 206) == [TOTAL - size]


def test_another_file_under_the_same_name_begins_anew(
    web: Nginx, client: Web, engine: EngineName, colour: Colour, target: Path
) -> None:
    name = f"{engine}-{colour.name}-changing.bin"
    web.serve(name, CONTENT)
    exchanges = Exchanges(client)
    with pytest.raises(Unplugged):
        save(colour, client.file, name, path=target, progress=unplug(1_000_000))
    web.serve(name, OTHER)
    save(colour, client.file, name, path=target)
    assert target.read_bytes() == OTHER
    assert exchanges.statuses == [200, 200]
    assert exchanges.ranges[1][0] is not None


def test_a_file_that_shrank_begins_anew(
    web: Nginx, client: Web, engine: EngineName, colour: Colour, target: Path
) -> None:
    name = f"{engine}-{colour.name}-shrinking.bin"
    web.serve(name, CONTENT)
    with pytest.raises(Unplugged):
        save(colour, client.file, name, path=target, progress=unplug(1_000_000))
    web.serve(name, b"short")
    save(colour, client.file, name, path=target)
    assert target.read_bytes() == b"short"
    assert names(target) == ["file.bin"]


def test_without_resume_nothing_is_left_and_nothing_taken_up(client: Web, colour: Colour, target: Path) -> None:
    exchanges = Exchanges(client)
    target.write_bytes(b"before")
    with pytest.raises(Unplugged):
        save(colour, client.file, "big.bin", path=target, progress=unplug(1_000_000), resume=False)
    assert (names(target), target.read_bytes()) == (["file.bin"], b"before")
    save(colour, client.file, "big.bin", path=target, resume=False)
    assert target.read_bytes() == CONTENT
    assert exchanges.ranges == [(None, None)] * 2


def test_what_is_not_what_it_should_be_gets_no_name(client: Web, colour: Colour, target: Path) -> None:
    with pytest.raises(DecodeError, match=rf"a file whose SHA-256 is {SHA256}, not 0+$"):
        save(colour, client.file, "big.bin", path=target, sha256="0" * 64)
    assert names(target) == []
    with pytest.raises(NotFoundError):
        save(colour, client.file, "missing.bin", path=target)
    assert names(target) == []


def test_a_file_that_can_be_compressed_is_asked_for_as_it_is(client: Web, colour: Colour, target: Path) -> None:
    """nginx would send text compressed, and ranges count the bytes that are sent."""
    sent: list[Request] = []
    client.interceptors.response.use(lambda response: sent.append(response.request))
    save(colour, client.file, "big.txt", path=target)
    assert sent[0].headers["Accept-Encoding"] == "identity"
    assert target.stat().st_size == 135_091


def test_a_part_that_was_asked_for_is_saved(client: Web, colour: Colour, target: Path) -> None:
    save(colour, client.part, "big.bin", "bytes=1000-1999", path=target)
    assert target.read_bytes() == CONTENT[1000:2000]


def test_a_file_behind_a_redirect(client: Web, colour: Colour, target: Path) -> None:
    save(colour, client.file, "r301", path=target)
    assert json.loads(target.read_bytes()) == {"hello": "world"}


@pytest.mark.parametrize("http2", [False, True])
def test_a_stream_that_is_left_leaves_the_client_as_it_was(
    web: Nginx, engine: EngineName, colour: Colour, *, http2: bool
) -> None:
    with Web(base_url=web.tls_url, verify=web.authority, http2=http2, engine=engine, proxy=None) as client:

        def synchronous() -> bytes:
            for _ in range(3):
                with client.file("big.bin") as stream:
                    next(iter(stream))
            return b"".join(client.file("big.bin"))

        async def asynchronous() -> bytes:
            for _ in range(3):
                async with client.file.aio("big.bin") as stream:
                    await anext(aiter(stream))
            return b"".join([chunk async for chunk in client.file.aio("big.bin")])

        assert (synchronous() if colour.name == "sync" else colour.drive(asynchronous)) == CONTENT
        assert colour.run(client.hello) == {"hello": "world"}


def test_many_files_come_over_one_connection(web: Nginx, engine: EngineName, target: Path) -> None:
    async def all_at_once() -> None:
        async with Web(base_url=web.tls_url, verify=web.authority, http2=True, engine=engine, proxy=None) as client:
            paths = [target.with_name(str(number)) for number in range(8)]
            await asyncio.gather(*(client.file.aio("big.bin").save(path, sha256=SHA256) for path in paths))

    asyncio.run(all_at_once())
    assert names(target) == [str(number) for number in range(8)]


# -- httpbin


def alphabet(size: int) -> bytes:
    """What httpbin's `/range` serves."""
    return bytes(ord("a") + number % 26 for number in range(size))


def test_a_tag_that_is_none_is_not_gone_on_with(bins: Bin, colour: Colour, target: Path) -> None:
    """httpbin's ETag has no quotes, so that nothing proves that the rest is of the same file."""
    exchanges = Exchanges(bins)
    with pytest.raises(Unplugged):
        save(colour, bins.range, 100_000, path=target, progress=unplug(50_000))
    assert names(target) == []
    save(colour, bins.range, 100_000, path=target)
    assert target.read_bytes() == alphabet(100_000)
    assert exchanges.ranges == [(None, None)] * 2


def test_a_part_is_read_or_refused(bins: Bin, colour: Colour, target: Path) -> None:
    save(colour, bins.part, 1000, "bytes=10-19", path=target)
    assert target.read_bytes() == alphabet(20)[10:]
    save(colour, bins.part, 1000, "bytes=-5", path=target)
    assert target.read_bytes() == alphabet(1000)[-5:]


def test_a_file_of_unknown_size(bins: Bin, colour: Colour, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    save(colour, bins.endless, 50_000, path=target, progress=record(told))
    assert target.stat().st_size == 50_000
    assert (told[0], told[-1]) == ((0, None), (50_000, None))


def test_what_comes_compressed_all_the_same_is_saved_as_it_was(bins: Bin, colour: Colour, target: Path) -> None:
    save(colour, bins.gzip, path=target)
    seen = json.loads(target.read_bytes())
    assert (seen["gzipped"], seen["headers"]["Accept-Encoding"]) == (True, "identity")
