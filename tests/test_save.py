"""`stream.save`: the file is there when it is whole, and not before."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import Clock, Colour, EngineName
from downloads import record
from streaming import Arriving, Server, save
from stubwire import (
    ApiClient,
    ArgumentError,
    CallError,
    ConfigurationError,
    DecodeError,
    NotFoundError,
    ReadError,
    Retry,
    Stream,
    get,
    post,
)

CONTENT = bytes(range(256)) * 4096
"""A mebibyte: more than what is written at once."""
CHUNKS = [CONTENT[i : i + 100_000] for i in range(0, len(CONTENT), 100_000)]
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Files(ApiClient):
    base_url = "https://files.test"
    retry = None

    @get("/file")
    def file(self) -> Stream[bytes]:
        raise NotImplementedError

    @post("/report")
    def report(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/text")
    def text(self) -> Stream[str]:
        raise NotImplementedError


def whole(*chunks: bytes, **headers: str) -> Arriving:
    length = str(sum(map(len, chunks)))
    return Arriving(chunks, headers={"Content-Length": length, **headers})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["file", "report"])
def test_a_file_is_saved(engine: EngineName, colour: Colour, tmp_path: Path, name: str) -> None:
    server = Server(engine, whole(*CHUNKS))
    target = tmp_path / "file.bin"
    assert save(colour, getattr(Files(transport=server.transport), name), target) == target
    assert target.read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]
    assert server.closed == 1


def test_ranges_count_bytes_so_that_nothing_is_to_be_compressed(
    engine: EngineName, colour: Colour, tmp_path: Path
) -> None:
    server = Server(engine, whole(b"a"))
    save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert server.requests[0].headers["accept-encoding"] == "identity"
    save(colour, Files(transport=server.transport, headers={"Accept-Encoding": "br"}).file, tmp_path / "a")
    assert server.requests[1].headers["accept-encoding"] == "br"


def test_a_path_may_be_text_and_what_is_there_is_replaced(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"before")
    saved = save(colour, Files(transport=Server(engine, whole(b"after")).transport).file, str(tmp_path / "a"))
    assert saved == tmp_path / "a"
    assert saved.read_bytes() == b"after"


def test_an_empty_file_is_a_file(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    save(colour, Files(transport=Server(engine, Arriving(status=204)).transport).file, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b""


def test_a_file_has_the_rights_that_new_files_have(engine: EngineName, tmp_path: Path) -> None:
    save(Colour("sync"), Files(transport=Server(engine, whole(b"a")).transport).file, tmp_path / "a")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_an_open_stream_is_saved(engine: EngineName, tmp_path: Path) -> None:
    """What was decided by its headers need not be asked for again."""
    server = Server(engine, whole(b"ab", b"c"))
    with Files(transport=server.transport).file() as stream:
        assert stream.response.headers["content-length"] == "3"
        stream.save(tmp_path / "a")
    with pytest.raises(RuntimeError, match="is read once"):
        stream.save(tmp_path / "a")

    async def run() -> None:
        async with Files(transport=server.transport).file.aio() as stream:
            await stream.save(tmp_path / "b")

    Colour("trio").drive(run)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"abc"
    assert len(server.requests) == server.closed == 2


# ---- what the caller says


def test_a_hash_is_compared(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    server = Server(engine, whole(*CHUNKS))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256.upper())
    assert names(tmp_path) == ["a"]


def test_another_hash_leaves_nothing(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """What is wrong cannot be gone on with."""
    server = Server(engine, whole(b"abc", ETag='"1"'))
    with pytest.raises(DecodeError) as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    found = hashlib.sha256(b"abc").hexdigest()
    what = f"answered 200 with a file whose SHA-256 is {found}, not {SHA256}"
    assert str(caught.value) == f"Files.file: GET https://files.test/file {what}"
    assert names(tmp_path) == []


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, SHA256 + "0", SHA256 + "\n"])
def test_what_is_no_hash_is_refused_before_anything_is_sent(
    engine: EngineName, colour: Colour, tmp_path: Path, sha256: str
) -> None:
    server = Server(engine, whole(b"abc"))
    with pytest.raises(ArgumentError, match=r"^Files\.file: sha256 must be 64 hexadecimal digits$"):
        save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=sha256)
    assert server.requests == []


def test_only_bytes_are_saved(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^Files\.text: save is for a Stream\[bytes\]$"):
        save(colour, Files(transport=Server(engine, whole(b"abc")).transport).text, tmp_path / "a")


def test_progress_is_told_in_bytes(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    reactions = [whole(b"ab", b"c"), Arriving([b"d"]), whole(b"e", **{"Content-Encoding": "identity"})]
    for reaction in reactions:
        client = Files(transport=Server(engine, reaction).transport)
        save(colour, client.file, tmp_path / "a", progress=record(told))
    assert told == [(0, 3), (2, 3), (3, 3), (0, None), (1, None), (0, 1), (1, 1)]


def test_progress_may_be_a_bar(
    engine: EngineName, colour: Colour, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(colour, Files(transport=Server(engine, whole(*CHUNKS)).transport).file, tmp_path / "a.bin", progress=True)
    shown = capsys.readouterr().err
    assert "a.bin: 100%" in shown
    assert "1.00M/1.00M" in shown
    save(colour, Files(transport=Server(engine, whole(b"a")).transport).file, tmp_path / "a.bin", progress=False)
    assert capsys.readouterr().err == ""


def test_a_bar_needs_its_extra(engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    server = Server(engine, whole(b"a"))
    with pytest.raises(ConfigurationError) as caught:
        save(Colour("sync"), Files(transport=server.transport).file, tmp_path / "a", progress=True)
    assert str(caught.value) == "progress=True needs the package tqdm: pip install 'stubwire[progress]'"
    assert (server.requests, names(tmp_path)) == ([], [])


# ---- whatever fails


class Boom(BaseException):
    """Not even an Exception."""


def failing(*_: object) -> None:
    raise Boom


def test_whatever_fails_nothing_has_the_name(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """What was there before stays; without a validator, nothing else is left."""
    (tmp_path / "a").write_bytes(b"before")
    cut = Arriving([CONTENT], headers={"Content-Length": "2000000"}, fail="ReadError")
    for reaction, options, kind in (
        (cut, {}, ReadError),
        (Arriving([b"abc"], headers={"Content-Length": "4"}), {}, ReadError),
        (Arriving([b"abc"], headers={"Content-Length": "2"}), {}, DecodeError),
        (Arriving(status=404), {}, NotFoundError),
        (whole(b"abc"), {"progress": failing}, Boom),
        (whole(b"abc"), {"sha256": SHA256}, DecodeError),
        (Arriving([b"abc"], status=206), {}, DecodeError),
    ):
        with pytest.raises(kind):
            save(colour, Files(transport=Server(engine, reaction).transport).file, tmp_path / "a", **options)
        assert names(tmp_path) == ["a"]
        assert (tmp_path / "a").read_bytes() == b"before"


def test_messages(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    for reaction, what in (
        (Arriving([b"abc"], headers={"Content-Length": "4"}), "lost the connection before the response was whole"),
        (Arriving([b"abc"], headers={"Content-Length": "2"}), "answered 200 with more bytes than it announced"),
        (Arriving([b"abc"], status=206), "answered 206 to a request for the whole"),
    ):
        with pytest.raises(CallError) as caught:
            save(colour, Files(transport=Server(engine, reaction).transport).file, tmp_path / "a")
        assert str(caught.value) == f"Files.file: GET https://files.test/file {what}"


def test_a_folder_that_is_not_there(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """It is no failure of the call: the system's own error says it, before anything is sent."""
    server = Server(engine, whole(b"abc"))
    with pytest.raises(FileNotFoundError) as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "nowhere" / "a")
    assert caught.value.__notes__ == ["raised while saving the response of Files.file"]
    with pytest.raises(IsADirectoryError):
        save(colour, Files(transport=server.transport).file, tmp_path)
    assert server.requests == []


def test_a_disk_that_is_full(
    engine: EngineName, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    server = Server(engine, whole(b"abc"))
    with pytest.raises(OSError, match="No space left on device") as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert not isinstance(caught.value, CallError)
    assert names(tmp_path) == []
    assert server.closed == 1


def test_a_cut_without_a_validator_begins_anew(
    engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock
) -> None:
    """As often as `Retry` allows, and only where the method may be sent again."""
    told: list[tuple[int, int | None]] = []
    cut = Arriving(CHUNKS[:5], headers={"Content-Length": str(len(CONTENT))}, fail="ReadError")
    server = Server(engine, cut, whole(*CHUNKS))
    client = Files(transport=server.transport, retry=Retry(max_retries=1))
    options: dict[str, Any] = {"progress": record(told), "sha256": SHA256}
    save(colour, client.file, tmp_path / "a", **options)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert "range" not in server.requests[1].headers
    assert told.count((0, len(CONTENT))) == 2
    assert len(clock.waits) == 1


def test_a_post_is_not_sent_again(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    cut = Arriving([b"abc"], headers={"Content-Length": "9", "ETag": '"1"'}, fail="ReadError")
    server = Server(engine, cut)
    with pytest.raises(ReadError) as caught:
        save(colour, Files(transport=server.transport, retry=Retry(max_retries=3)).report, tmp_path / "a")
    note = "not retried: the server may have acted on this POST, which has no idempotency key"
    assert caught.value.__notes__ == [note]
    assert (len(server.requests), names(tmp_path), clock.waits) == (1, [], [])
