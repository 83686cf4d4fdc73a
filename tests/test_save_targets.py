"""What a saved file replaces, and what it must not: links, permissions, devices, long names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Colour, EngineName  # noqa: TC001 - fixtures are typed
from downloads import CONTENT, TAG, Files, cut, names, part, whole
from streaming import Server, save
from stubwire import ReadError, Retry


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """New files are for everybody to read, but for nobody else to write."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(server: Server) -> Files:
    return Files(transport=server.transport, retry=None)


def test_a_new_file_has_the_permissions_of_any(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    save(colour, files(Server(engine, whole())).file, tmp_path / "a")
    assert permissions(tmp_path / "a") == 0o644


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o400])
def test_one_that_replaces_another_has_its_permissions(
    engine: EngineName, colour: Colour, tmp_path: Path, mode: int
) -> None:
    """What nobody else could read, nobody else can read."""
    target = tmp_path / "a"
    target.write_bytes(b"before")
    target.chmod(mode)
    save(colour, files(Server(engine, whole())).file, target)
    assert (target.read_bytes(), permissions(target)) == (CONTENT, mode)


def test_so_has_what_is_left_of_it(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """And who goes on with it can write it."""
    target = tmp_path / "a"
    target.write_bytes(b"before")
    target.chmod(0o440)
    client = files(Server(engine, cut(TAG), part(100_000, headers=TAG)))
    with pytest.raises(ReadError):
        save(colour, client.file, target)
    assert (target.read_bytes(), permissions(tmp_path / "a.part")) == (b"before", 0o640)
    save(colour, client.file, target)
    assert (target.read_bytes(), permissions(target)) == (CONTENT, 0o440)


def test_a_link_is_replaced(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """What it led to stays."""
    (tmp_path / "a").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    for name in ("link", "broken"):
        save(colour, files(Server(engine, whole())).file, tmp_path / name)
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == CONTENT
    assert (tmp_path / "a").read_bytes() == b"before"
    assert names(tmp_path) == ["a", "broken", "link"]


def test_what_is_no_file_stays(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """A device such as /dev/null too, which a file would replace for everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    server = Server(engine, whole())
    with pytest.raises(OSError, match="Not a regular file") as caught:
        save(colour, files(server).file, pipe)
    assert caught.value.filename == str(pipe)
    assert caught.value.__notes__ == ["raised while saving the response of Files.file"]
    assert pipe.is_fifo()
    assert (server.requests, names(tmp_path)) == ([], ["pipe"])


def test_what_cannot_be_opened_is_called_by_its_own_name(
    engine: EngineName, colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by that of the temporary file."""

    def refuse(self: Path, mode: str) -> object:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError) as caught:
        save(colour, files(Server(engine, whole())).file, tmp_path / "a")
    assert caught.value.filename == str(tmp_path / "a")


@pytest.mark.parametrize("name", ["n" * 255, "n" * 251, "n" * 247, "\N{GRINNING FACE}" * 60])
def test_a_name_that_has_no_room_for_more(engine: EngineName, colour: Colour, tmp_path: Path, name: str) -> None:
    """It is saved, and what is left of it is not, where `.part` does not fit."""
    client = Files(transport=Server(engine, cut(TAG), whole(**TAG)).transport, retry=Retry(max_retries=0))
    with pytest.raises(ReadError):
        save(colour, client.file, tmp_path / name)
    save(colour, client.file, tmp_path / name)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == CONTENT
