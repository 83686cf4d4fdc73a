"""`stream.save` goes on where it was cut, with the same file and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import Clock, Colour, EngineName  # noqa: TC001 - fixtures are typed
from downloads import CONTENT, DATE, LATER, MODIFIED, SHA256, TAG, TOTAL, Files, asked, cut, names, part, record, whole
from streaming import Arriving, Server, save
from stubwire import ClientError, DecodeError, ProtocolError, ReadError


@pytest.mark.parametrize(("headers", "validator"), [(TAG, '"1"'), (DATE, MODIFIED), ({**TAG, **DATE}, '"1"')])
def test_a_cut_is_gone_on_with(  # noqa: PLR0917 - fixtures
    engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock, headers: Mapping[str, str], validator: str
) -> None:
    server = Server(engine, cut(headers), part(100_000, 200_000, headers=headers, fail="ReadError"), part(200_000))
    told: list[tuple[int, int | None]] = []
    options: dict[str, Any] = {"progress": record(told), "sha256": SHA256}
    save(colour, Files(transport=server.transport).file, tmp_path / "a", **options)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert asked(server) == [(None, None), ("bytes=100000-", validator), ("bytes=200000-", validator)]
    assert len(clock.waits) == 2
    assert names(tmp_path) == ["a"]
    steps = [0, 100_000, 100_000, 200_000, 200_000, TOTAL]
    assert told == [(done, TOTAL) for done in steps]
    assert server.closed == 3


def test_it_goes_on_as_often_as_retry_allows(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    parts = [
        part(at, at + 1000, headers={"Content-Length": "9999"}, fail="ReadError") for at in range(1000, 5000, 1000)
    ]
    server = Server(engine, cut(TAG, 1000), *parts)
    with pytest.raises(ReadError) as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert str(caught.value) == (
        "Files.file: GET https://files.test/file lost the connection before the response was whole: it failed"
    )
    assert caught.value.__notes__ == ["not retried: max_retries=2 is used up"]
    assert len(server.requests) == 3
    assert names(tmp_path) == ["a.part", "a.part.json"]
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:3000]


def test_a_server_may_send_less_than_was_asked_for(
    engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock
) -> None:
    """RFC 9110, section 15.3.7: that is no cut."""
    parts = [part(at, min(at + 100_000, TOTAL)) for at in range(100_000, TOTAL, 100_000)]
    server = Server(engine, cut(TAG), *parts)
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert len(clock.waits) == 1
    assert len(server.requests) == 1 + len(parts)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": 'W/"1"'},
        {"ETag": 'W/"1"', **DATE},
        {"ETag": "1"},
        {"Last-Modified": MODIFIED},
        {"Last-Modified": MODIFIED, "Date": MODIFIED},
        {"Last-Modified": "yesterday", "Date": LATER},
        {**TAG, "Accept-Ranges": "none"},
    ],
)
def test_without_proof_that_it_is_the_same_file_it_begins_anew(
    engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock, headers: Mapping[str, str]
) -> None:
    server = Server(engine, cut(headers), whole(**headers))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert asked(server) == [(None, None), (None, None)]


def test_a_compressed_file_begins_anew(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    """Ranges count the bytes on the wire, which are others than those of the file."""
    import gzip

    packed = gzip.compress(CONTENT)
    headers = {**TAG, "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    server = Server(
        engine, Arriving([packed[:5000]], headers=headers, fail="ReadError"), Arriving([packed], 200, headers)
    )
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert asked(server) == [(None, None), (None, None)]


REFUSALS: list[tuple[str, Arriving, list[str | None]]] = [
    ("another file, whole", whole(ETag='"2"'), [None, "bytes=100000-"]),
    ("the same file, whole", whole(**TAG), [None, "bytes=100000-"]),
    ("another ETag", part(100_000, headers={"ETag": '"2"'}), [None, "bytes=100000-", None]),
    ("another part", part(50_000, headers=TAG), [None, "bytes=100000-", None]),
    (
        "another size",
        part(100_000, headers={"Content-Range": "bytes 100000-511998/511999"}),
        [None, "bytes=100000-", None],
    ),
    (
        "a part of a part",
        part(100_000, headers={"Content-Range": "bytes 100000-99/512000"}),
        [None, "bytes=100000-", None],
    ),
    ("another unit", part(100_000, headers={"Content-Range": "lines 1-2/3"}), [None, "bytes=100000-", None]),
    ("no Content-Range", Arriving([CONTENT], 206), [None, "bytes=100000-", None]),
    ("several parts", Arriving([b"--x"], 206, {"Content-Type": "multipart/byteranges"}), [None, "bytes=100000-", None]),
    ("a compressed part", part(100_000, headers={"Content-Encoding": "gzip"}), [None, "bytes=100000-", None]),
    ("no such part", Arriving(status=416, headers={"Content-Range": "bytes */5"}), [None, "bytes=100000-", None]),
    ("no part at all", Arriving(status=416), [None, "bytes=100000-", None]),
]


@pytest.mark.parametrize(("answer", "ranges"), [pytest.param(*case[1:], id=case[0]) for case in REFUSALS])
def test_what_does_not_go_on_begins_anew(  # noqa: PLR0917 - fixtures
    engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock, answer: Arriving, ranges: list[str | None]
) -> None:
    server = Server(engine, cut(TAG), answer, whole(ETag='"2"'))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert [wanted for wanted, _ in asked(server)] == ranges


def test_a_part_of_unknown_size(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    server = Server(engine, cut(TAG), part(100_000, headers={"Content-Range": f"bytes 100000-{TOTAL - 1}/*"}))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert len(server.requests) == 2


def test_a_416_may_say_that_all_is_there(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    """The last byte came, and the connection was lost before the end was known."""
    chunked = Arriving([CONTENT], headers=TAG, fail="ReadError")
    server = Server(engine, chunked, Arriving(status=416, headers={"Content-Range": f"bytes */{TOTAL}"}))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert (tmp_path / "a").read_bytes() == CONTENT
    server = Server(engine, chunked, Arriving(status=416, headers={"Content-Range": f"bytes */{TOTAL}"}))
    with pytest.raises(DecodeError, match=r"answered 416 with a file whose SHA-256 is "):
        save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256="0" * 64)


def test_another_status_ends_it(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    """What came so far is kept for later."""
    server = Server(engine, cut(TAG), Arriving(status=403))
    with pytest.raises(ClientError):
        save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert names(tmp_path) == ["a.part", "a.part.json"]


def test_a_range_of_the_callers_own_is_theirs(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    server = Server(engine, part(5, 9))
    save(colour, Files(transport=server.transport, headers={"Range": "bytes=5-8"}).file, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT[5:9]
    assert asked(server) == [("bytes=5-8", None)]


def test_it_begins_anew_without_a_hash_too(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    save(colour, Files(transport=Server(engine, cut({}), whole()).transport).file, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_what_is_our_fault_is_not_tried_again(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    server = Server(engine, Arriving([b"a"], headers=TAG, fail="LocalProtocolError"))
    with pytest.raises(ProtocolError) as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert (len(server.requests), getattr(caught.value, "__notes__", [])) == (1, [])
