"""Content codings: what was packed comes out, in small pieces, and nothing else does."""

from __future__ import annotations

import gzip
import importlib
import random
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers import Answer, RawServer, http
from stubwire import ApiClient, DecodeError, ResponseTooLargeError, Stream, get
from stubwire._engine import codings
from stubwire._engine.codings import PIECE, CodingError, accepted, decoder

if TYPE_CHECKING:
    from conftest import Colour, EngineName

Pack = Callable[[bytes], bytes]
brotli: Any = importlib.import_module("brotli")
zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


class Things(ApiClient):
    @get("/text")
    def text(self) -> bytes:
        raise NotImplementedError

    @get("/text")
    def chunks(self) -> Stream[bytes]:
        raise NotImplementedError


def bare(data: bytes) -> bytes:
    """The stream that the zlib format has inside, as some servers send it for `deflate`."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


PACKS: dict[str, tuple[str, Pack]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
    "br": ("br", partial(brotli.compress, quality=3)),
    "zstd": ("zstd", zstd.compress),
}
every = pytest.mark.parametrize(("coding", "pack"), PACKS.values(), ids=PACKS)


def unpacked(coding: str, data: bytes, step: int = 10**9) -> bytes:
    """All of it, in pieces of at most 64 KiB."""
    undo = decoder(coding, None)
    assert undo is not None
    pieces = [piece for at in range(0, len(data), step) for piece in undo.feed(data[at : at + step])]
    assert undo.is_whole()
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    return b"".join(pieces)


@every
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 500_000])
@pytest.mark.parametrize("step", [100, 10**9])
def test_what_was_packed_comes_out(coding: str, pack: Pack, size: int, step: int) -> None:
    for data in (bytes(size), random.Random(1).randbytes(size)):
        assert unpacked(coding, pack(data), step) == data


@every
@given(data=st.binary(max_size=200), step=st.integers(1, 20))
def test_wherever_it_is_cut(coding: str, pack: Pack, data: bytes, step: int) -> None:
    assert unpacked(coding, pack(data), step) == data


@every
def test_an_end_that_is_missing_is_missed(coding: str, pack: Pack) -> None:
    packed = pack(b"abcdefgh" * 100)
    for length in range(1, len(packed)):
        undo = decoder(coding, None)
        assert undo is not None
        for _ in undo.feed(packed[:length]):
            pass
        assert not undo.is_whole(), length


@every
def test_no_bytes_are_an_empty_body(coding: str, pack: Pack) -> None:
    """As many servers answer to HEAD, or with a 304."""
    del pack
    assert unpacked(coding, b"") == b""


@every
def test_what_is_not_in_its_coding_is_refused(coding: str, pack: Pack) -> None:
    del pack
    undo = decoder(coding, None)
    assert undo is not None
    with pytest.raises(CodingError, match=r"^is not in its coding$") as caught:
        list(undo.feed(b"\x9f\x12 no packed bytes at all"))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_may_follow_each_other(name: str) -> None:
    coding, pack = PACKS[name]
    for step in (1, 7, 10**9):
        assert unpacked(coding, pack(b"abc") + pack(b"") + pack(b"def"), step) == b"abcdef"


def test_a_second_member_that_is_cut_is_missed() -> None:
    undo = decoder("gzip", None)
    assert undo is not None
    assert b"".join(undo.feed(gzip.compress(b"abc") + gzip.compress(b"def")[:-1])) == b"abcdef"
    assert not undo.is_whole()


def test_what_follows_gzip_and_is_none_is_ignored() -> None:
    assert unpacked("gzip", gzip.compress(b"abc") + bytes(8)) == b"abc"
    assert unpacked("deflate", zlib.compress(b"abc") + b"more") == b"abc"


def test_codings_are_undone_from_the_outermost() -> None:
    data = random.Random(2).randbytes(200_000)
    packed = zstd.compress(brotli.compress(zlib.compress(gzip.compress(data))))
    for header in ("gzip, deflate, br, zstd", "GZIP,Deflate ,, br,identity,zstd"):
        assert unpacked(header, packed, 1000) == data


@pytest.mark.parametrize("header", ["", "identity", "utf-8", "none, aws-chunked", " , "])
def test_what_names_no_coding_undoes_nothing(header: str) -> None:
    """Servers write there what they mean for another header."""
    assert decoder(header, None) is None


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("compress", "which is not read"),
        ("gzip, exi", "which is not read"),
        (", ".join(["gzip"] * 6), "and at most 5 codings are read"),
    ],
)
def test_a_coding_that_is_not_read_is_an_error(header: str, message: str) -> None:
    with pytest.raises(CodingError) as caught:
        decoder(header, None)
    assert str(caught.value) == message


def test_a_zstd_window_is_bounded() -> None:
    """Of 8 MiB (RFC 9659, section 3): a frame of 8 bytes could ask for 2 GiB otherwise."""
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 24,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    packed = zstd.ZstdCompressor(options=options).compress(bytes(1 << 25), zstd.ZstdCompressor.FLUSH_FRAME)
    undo = decoder("zstd", None)
    assert undo is not None
    with pytest.raises(CodingError):
        list(undo.feed(packed))


# ---- extras


def test_all_that_is_read_is_accepted() -> None:
    assert accepted() == "gzip, deflate, br, zstd"


def test_without_the_extras_two_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        return None

    monkeypatch.setattr(codings, "find_spec", absent)
    assert accepted() == "gzip, deflate"
    for coding, extra in (("br", "brotli"), ("zstd", "zstd")):
        with pytest.raises(CodingError) as caught:
            decoder(coding, None)
        assert str(caught.value) == f"which needs pip install 'stubwire[{extra}]'"


def test_a_package_that_is_not_there_at_all_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        if "." in name:
            raise ModuleNotFoundError(f"No module named {name.partition('.')[0]!r}")

    monkeypatch.setattr(codings, "find_spec", find_spec)
    assert accepted() == "gzip, deflate"


def test_a_brotli_that_cannot_be_bounded_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Decompressor:
        """As it was before 1.2."""

    monkeypatch.setattr(importlib.import_module("brotli"), "Decompressor", Decompressor)
    assert accepted() == "gzip, deflate, zstd"


# ---- bounds


@every
def test_what_comes_out_is_bounded(coding: str, pack: Pack) -> None:
    """64 MiB would come out."""
    packed = pack(bytes(1 << 26))
    undo = decoder(coding, 1_000_000)
    assert undo is not None
    sizes: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLargeError) as caught:
            sizes.extend(len(piece) for piece in undo.feed(packed))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value) == "answered with more than max_response_bytes=1000000 bytes"
    assert 1_000_000 - PIECE < sum(sizes) <= 1_000_000
    assert peak < 1_000_000


def test_what_comes_out_in_between_is_bounded() -> None:
    """Ten million empty blocks say nothing, and would take a minute to say it."""
    nothing = b"\x00\x00\x00\xff\xff" * 1_000_000
    packed = gzip.compress(nothing)
    undo = decoder("deflate, gzip", 1_000_000)
    assert undo is not None
    with pytest.raises(ResponseTooLargeError):
        list(undo.feed(packed))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_left_in_time(engine: EngineName, colour: Colour, layers: int) -> None:
    body = bytes(1 << 26)
    for _ in range(layers):
        body = gzip.compress(body)
    server = RawServer(http(body, headers={"Content-Encoding": ", ".join(["gzip"] * layers)}))
    with (
        server,
        Things(base_url=server.url, engine=engine, max_response_bytes=1_000_000) as things,
        pytest.raises(ResponseTooLargeError) as caught,
    ):
        colour.run(things.text)
    assert str(caught.value) == (
        f"Things.text: GET {server.url}/text answered with more than max_response_bytes=1000000 bytes"
    )
    assert len(caught.value.attempts) == 1


# ---- over the wire


def test_a_body_in_two_codings_is_read(engine: EngineName, colour: Colour) -> None:
    body = brotli.compress(gzip.compress(b"x" * 200_000))
    server = RawServer(http(body, headers={"Content-Encoding": "gzip, br"}))
    with server, Things(base_url=server.url, engine=engine) as things:
        assert colour.run(things.text) == b"x" * 200_000
        assert server.requests[0].header("accept-encoding") == "gzip, deflate, br, zstd"


def test_a_stream_comes_in_pieces(engine: EngineName, colour: Colour) -> None:
    """However much is packed into one chunk; and no limit stands against a stream."""
    server = RawServer(http(gzip.compress(b"x" * 2_000_000), headers={"Content-Encoding": "gzip"}))

    def synchronous() -> list[int]:
        with things.chunks() as stream:
            return [len(chunk) for chunk in stream]

    async def asynchronous() -> list[int]:
        async with things, things.chunks.aio() as stream:
            return [len(chunk) async for chunk in stream]

    with server, Things(base_url=server.url, engine=engine, max_response_bytes=100) as things:
        sizes = synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert sum(sizes) == 2_000_000
    assert max(sizes) <= PIECE


def test_a_body_whose_coding_ends_too_early_is_not_whole(engine: EngineName, colour: Colour) -> None:
    """On a connection that is closed to end it, nothing else tells."""
    body = gzip.compress(b"x" * 1000)[:-3]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    server = RawServer(Answer(head + body, then="close"))
    with server, Things(base_url=server.url, engine=engine) as things, pytest.raises(DecodeError) as caught:
        colour.run(things.text)
    assert str(caught.value) == (
        f"Things.text: GET {server.url}/text answered 200 with a body that ends too early for its Content-Encoding"
    )


@pytest.mark.parametrize(
    ("header", "reason"), [("compress", "which is not read"), ("gzip," * 6, "and at most 5 codings are read")]
)
def test_a_body_in_a_coding_that_is_not_read_is_left(
    engine: EngineName, colour: Colour, header: str, reason: str
) -> None:
    server = RawServer(http(b"abc", headers={"Content-Encoding": header}))
    with server, Things(base_url=server.url, engine=engine) as things:
        with pytest.raises(DecodeError) as caught:
            colour.run(things.text)
        server.wait_until(lambda server: server.closed == server.opened)
    assert str(caught.value) == (
        f"Things.text: GET {server.url}/text answered 200 with the Content-Encoding {header!r}, {reason}"
    )
