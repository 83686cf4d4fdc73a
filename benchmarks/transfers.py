"""Large files over a real socket: throughput beside hand-written streaming, and memory above an idle process.

Each figure comes from a process of its own, so that its peak of memory is that of one transfer. The files lie in
memory where the system has a place for that, so that no disk is measured: `save` waits until a disk has taken
everything, which hand-written code seldom does.
"""

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, TypeVar

import httpx
from pydantic import BaseModel

from benchmarks.processes import ROOT, spread
from benchmarks.rows import Row
from stubwire import ApiClient, Body, Stream, get, post

T = TypeVar("T")

NAME = "1 GiB over a socket"
SIZE = 2**30
ROUNDS = 9
PIECE = 65536
MEMORY_BAR = 64.0
THROUGHPUT_BAR = 1.25
"""The time may be this much of the hand-written one: a throughput of 0.8."""


class Received(BaseModel):
    """What the server counted."""

    received: int


class Files(ApiClient):
    """The same transfers, declared."""

    timeout = 60.0

    @post("/upload")
    def upload(self, file: Annotated[Path, Body()]) -> Received:
        """Send a file from the disk."""
        raise NotImplementedError

    @get("/<name>")
    def download(self, name: str) -> Stream[bytes]:
        """Stream a file."""
        raise NotImplementedError


def _upload_by_hand(url: str, source: Path, _: Path) -> int:
    with httpx.Client(timeout=60.0) as client, source.open("rb") as file:
        answer = client.post(f"{url}/upload", content=file, headers={"Content-Length": str(SIZE)})
        return Received.model_validate_json(answer.content).received


def _upload(url: str, source: Path, _: Path) -> int:
    with Files(base_url=url) as files:
        return files.upload(source).received


def _download_by_hand(url: str, _: Path, target: Path) -> int:
    with (
        httpx.Client(timeout=60.0) as client,
        client.stream("GET", f"{url}/whole") as answer,
        target.open("wb") as file,
    ):
        for piece in answer.iter_bytes():
            file.write(piece)
    return target.stat().st_size


def _download(url: str, _: Path, target: Path, name: str = "whole") -> int:
    with Files(base_url=url) as files, files.download(name) as stream:
        return stream.save(target).stat().st_size


def _download_cut(url: str, source: Path, target: Path) -> int:
    return _download(url, source, target, "cut")


async def _pieces(source: Path) -> AsyncIterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


async def _aupload_by_hand(url: str, source: Path, _: Path) -> int:
    async with httpx.AsyncClient(timeout=60.0) as client:
        content = _pieces(source)
        answer = await client.post(f"{url}/upload", content=content, headers={"Content-Length": str(SIZE)})
        return Received.model_validate_json(answer.content).received


async def _aupload(url: str, source: Path, _: Path) -> int:
    async with Files(base_url=url) as files:
        return (await files.upload.aio(source)).received


async def _adownload_by_hand(url: str, _: Path, target: Path) -> int:
    async with httpx.AsyncClient(timeout=60.0) as client, client.stream("GET", f"{url}/whole") as answer:
        with target.open("wb") as file:
            async for piece in answer.aiter_bytes():
                file.write(piece)
            return file.tell()


async def _adownload(url: str, _: Path, target: Path) -> int:
    async with Files(base_url=url) as files, files.download.aio("whole") as stream:
        return (await stream.save(target)).stat().st_size


def _in_loop(transfer: Callable[[str, Path, Path], Coroutine[object, object, int]]) -> Callable[[str, Path, Path], int]:
    return lambda url, source, target: asyncio.run(transfer(url, source, target))


CASES: dict[str, Callable[[str, Path, Path], int]] = {
    "upload by hand": _upload_by_hand,
    "upload": _upload,
    "download by hand": _download_by_hand,
    "download": _download,
    "download, cut in the middle": _download_cut,
    "async upload by hand": _in_loop(_aupload_by_hand),
    "async upload": _in_loop(_aupload),
    "async download by hand": _in_loop(_adownload_by_hand),
    "async download": _in_loop(_adownload),
}


def rows(rounds: int) -> list[Row]:
    """The rows of this group, from at most 9 rounds: one takes half a minute."""
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    command = [sys.executable, "-m", "benchmarks.endpoint", str(SIZE)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with tempfile.TemporaryDirectory(dir=_in_memory()) as folder:
            (Path(folder) / "source").write_bytes(bytes(SIZE))
            for _ in range(min(rounds, ROUNDS)):
                for name in CASES:  # each round all of them, one after the other
                    samples[name].append(_child(name, url, folder))
    finally:
        server.kill()
        server.wait()
    return list(_rows(samples))


def _in_memory() -> Path | None:
    """A folder in memory that has room for both files, or `None`."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > 3 * SIZE else None


def _rows(samples: dict[str, list[dict[str, float]]]) -> Iterator[Row]:
    for name, found in samples.items():
        seconds = [sample["seconds"] for sample in found]
        kind = name.partition(",")[0].removesuffix(" by hand")
        ratio = median(seconds) / median(sample["seconds"] for sample in samples[f"{kind} by hand"])
        judged = name == kind
        yield Row(
            NAME,
            name,
            SIZE / median(seconds) / 2**20,
            "MiB/s",
            ratio,
            measured=ratio if judged else None,
            bar=THROUGHPUT_BAR if judged else None,
            of="x the time by hand",
            spread=spread(seconds),
        )
        peak = max(sample["peak"] for sample in found)
        if not name.endswith("by hand"):
            yield Row(NAME, f"{name}: memory", peak, "MiB", measured=peak, bar=MEMORY_BAR, of="MiB above idle")


def _child(name: str, url: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.transfers", name, url, folder]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _measure(name: str, url: str, folder: Path) -> dict[str, float]:
    """One transfer in this process: its seconds, and how far its peak of memory is above that of an idle client."""
    target = folder / "target"
    target.unlink(missing_ok=True)
    with Files(base_url=url) as files:
        files.upload(Path(__file__))  # all that is imported at first use, and a connection
        for _ in range(3):
            next(iter(files.download("whole")))
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    moved = CASES[name](url, folder / "source", target)
    seconds = time.perf_counter() - started
    assert moved == SIZE, f"{name} moved {moved} bytes"
    return {"seconds": seconds, "peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) / 1024}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
