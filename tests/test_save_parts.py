"""What one call of `stream.save` leaves for the next; and real connections that are cut."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from conftest import Clock, Colour, EngineName
from downloads import CONTENT, SHA256, TAG, TOTAL, Files, asked, cut, names, part, whole
from servers import Answer, RawRequest, RawServer, http
from streaming import Arriving, Server, save
from stubwire import CallError, ReadError


def leave_part(engine: EngineName, target: Path, at: int = 100_000, name: str = "file") -> None:
    client = Files(transport=Server(engine, cut(TAG, at)).transport, retry=None)
    with pytest.raises(ReadError):
        client.named(name).save(target)
    assert names(target.parent) == ["a.part", "a.part.json"]


def test_the_next_call_goes_on(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    leave_part(engine, tmp_path / "a")
    server = Server(engine, part(100_000, headers=TAG))
    save(colour, Files(transport=server.transport).file, tmp_path / "a", sha256=SHA256)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert asked(server) == [("bytes=100000-", '"1"')]
    assert names(tmp_path) == ["a"]


def test_it_can_fail_again_and_again(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    leave_part(engine, tmp_path / "a")
    for start in range(100_000, 500_000, 100_000):
        server = Server(engine, part(start, start + 100_000, headers={"Content-Length": "412000"}, fail="ReadError"))
        with pytest.raises(ReadError):
            save(colour, Files(transport=server.transport, retry=None).file, tmp_path / "a")
        assert asked(server) == [(f"bytes={start}-", '"1"')]
    save(colour, Files(transport=Server(engine, part(500_000)).transport).file, tmp_path / "a", sha256=SHA256)


def test_the_part_shows_no_url_and_no_header(engine: EngineName, tmp_path: Path) -> None:
    leave_part(engine, tmp_path / "a")
    said = json.loads((tmp_path / "a.part.json").read_text())
    assert sorted(said) == ["mark", "request", "total", "validator"]
    assert (said["validator"], said["total"], len(said["request"])) == ('"1"', TOTAL, 64)


def spoil_nothing(_: Path) -> None:
    """Leave all as it is."""


def spoil(name: str, content: bytes | None) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)

    return act


@pytest.mark.parametrize(
    ("name", "resume", "act"),
    [
        pytest.param("other", True, spoil_nothing, id="another request"),
        pytest.param("file", False, spoil_nothing, id="resume=False"),
        pytest.param("file", True, spoil("a.part", None), id="no part"),
        pytest.param("file", True, spoil("a.part", CONTENT[:99_999]), id="another part"),
        pytest.param("file", True, spoil("a.part.json", None), id="nothing that names it"),
        pytest.param("file", True, spoil("a.part.json", b"{"), id="no JSON"),
        pytest.param("file", True, spoil("a.part.json", b"[]"), id="another JSON"),
        pytest.param("file", True, spoil("a.part.json", b"[" * 100_000), id="JSON that is too deep"),
        pytest.param("file", True, spoil("a.part.json", b'{"request": "", "validator": "", "total": 1}'), id="half"),
    ],
)
def test_a_part_that_is_not_known_is_not_used(  # noqa: PLR0917 - fixtures
    engine: EngineName, colour: Colour, tmp_path: Path, name: str, resume: bool, act: Callable[[Path], None]
) -> None:
    leave_part(engine, tmp_path / "a")
    act(tmp_path)
    server = Server(engine, whole(**TAG))

    async def asynchronous() -> None:
        await Files(transport=server.transport).named.aio(name).save(tmp_path / "a", resume=resume)

    if colour.name == "sync":
        Files(transport=server.transport).named(name).save(tmp_path / "a", resume=resume)
    else:
        colour.drive(asynchronous)
    assert asked(server) == [(None, None)]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_part_that_is_a_link_is_not_written_to(engine: EngineName, tmp_path: Path) -> None:
    """Whoever can put a link there chooses no other file to overwrite."""
    leave_part(engine, tmp_path / "a")
    (tmp_path / "a.part").rename(tmp_path / "victim")
    (tmp_path / "a.part").symlink_to(tmp_path / "victim")
    save(Colour("sync"), Files(transport=Server(engine, whole(**TAG)).transport).file, tmp_path / "a")
    assert (tmp_path / "victim").read_bytes() == CONTENT[:100_000]
    assert names(tmp_path) == ["a", "victim"]


def test_resume_false_leaves_nothing(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    server = Server(engine, cut(TAG))
    with pytest.raises(ReadError):
        save(colour, Files(transport=server.transport, retry=None).file, tmp_path / "a", resume=False)
    assert names(tmp_path) == []


def test_a_disk_that_cannot_keep_it_leaves_nothing(
    engine: EngineName, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ReadError):
        save(colour, Files(transport=Server(engine, cut(TAG)).transport, retry=None).file, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "a.part.json").exists()


class FullDisk(io.FileIO):
    """A file on a disk that has no room for more than 150,000 bytes of it."""

    def write(self, data: Any, /) -> int:
        room = 150_000 - self.tell()
        if room <= 0:
            raise OSError(28, "No space left on device")
        return super().write(memoryview(data)[:room])


def test_a_disk_that_is_full_in_the_middle_keeps_what_is_in_order(
    engine: EngineName, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived after it is not written behind a gap."""
    original: Any = Path.open

    def opened(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return io.BufferedRandom(FullDisk(path, "x+")) if mode == "xb" else original(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", opened)
    chunks = [CONTENT[start : start + 50_000] for start in range(0, TOTAL, 50_000)]
    server = Server(engine, Arriving(chunks, headers={"Content-Length": str(TOTAL), **TAG}))
    with pytest.raises(OSError, match="No space left on device") as caught:
        save(colour, Files(transport=server.transport).file, tmp_path / "a")
    assert not isinstance(caught.value, CallError)
    assert names(tmp_path) == ["a.part", "a.part.json"]
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:150_000]


class Stop(BaseException):
    """What a caller may raise at any moment."""


def test_a_caller_that_stops_it_finds_its_part(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done >= 100_000:
            raise Stop

    with pytest.raises(Stop):
        save(colour, Files(transport=Server(engine, cut(TAG)).transport).file, tmp_path / "a", progress=stop)
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:100_000]


def test_two_at_once_do_not_meet(engine: EngineName, tmp_path: Path) -> None:
    """Only one goes on with the part; both files are whole, and the last one has the name."""
    leave_part(engine, tmp_path / "a")
    meeting = threading.Barrier(2)
    seen: list[str | None] = []

    def answer(request: Any) -> Arriving:
        meeting.wait(20)
        wanted = request.headers.get("range")
        seen.append(wanted)
        return whole(**TAG) if wanted is None else part(100_000, headers=TAG)

    client = Files(transport=Server(engine, answer).transport)
    threads = [threading.Thread(target=lambda: client.file().save(tmp_path / "a", sha256=SHA256)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, seen)) == ["None", "bytes=100000-"]
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert names(tmp_path) == ["a"]


# ---- over real sockets


def disk(answers: list[int]) -> Callable[[RawRequest], Answer]:
    """A server of `CONTENT` with ranges, which hangs up after so many bytes of each answer."""

    def react(request: RawRequest) -> Answer:
        size = answers.pop(0)
        wanted = request.header("range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        assert request.header("if-range") == ('"1"' if wanted else None)
        headers = {"ETag": '"1"', "Content-Length": str(TOTAL - start)}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{TOTAL - 1}/{TOTAL}"
        data = http(CONTENT[start : start + size], 206 if wanted else 200, headers)
        return Answer(data, then="close" if start + size < TOTAL else "keep")

    return react


def test_a_real_connection_that_is_cut_twice(engine: EngineName, colour: Colour, tmp_path: Path, clock: Clock) -> None:
    with (
        RawServer(disk([200_000, 150_000, TOTAL])) as server,
        Files(base_url=server.url, engine=engine, timeout=20.0) as client,
    ):

        async def asynchronous() -> None:
            await client.file.aio().save(tmp_path / "a", sha256=SHA256)
            await client.aclose()

        if colour.name == "sync":
            client.file().save(tmp_path / "a", sha256=SHA256)
        else:
            colour.drive(asynchronous)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert len(server.requests) == 3


HANGING = Answer(http(CONTENT[:300_000], headers={"ETag": '"1"', "Content-Length": str(TOTAL)}), then="hang")


def test_a_cancelled_task_leaves_its_part(engine: EngineName, tmp_path: Path) -> None:
    async def run() -> None:
        client = Files(base_url=server.url, engine=engine)
        arrived = asyncio.Event()

        def tell(done: int, total: int | None) -> None:
            if done == 300_000:
                arrived.set()

        task = asyncio.create_task(client.file.aio().save(tmp_path / "a", progress=tell))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_until, lambda server: server.closed == 1)
        await client.aclose()

    with RawServer(HANGING) as server:
        asyncio.run(run())
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:300_000]
    assert names(tmp_path) == ["a.part", "a.part.json"]


def test_a_cancelled_scope_leaves_its_part(engine: EngineName, tmp_path: Path) -> None:
    async def run() -> None:
        client = Files(base_url=server.url, engine=engine)
        with trio.CancelScope() as scope:

            def tell(done: int, total: int | None) -> None:
                if done == 300_000:
                    scope.cancel()

            await client.file.aio().save(tmp_path / "a", progress=tell)
        assert scope.cancelled_caught
        server.wait_until(lambda server: server.closed == 1)
        await client.aclose()

    with RawServer(HANGING) as server:
        trio.run(run)
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:300_000]
