"""Third-party servers that scripts start: the beds that tests marked `bed` lie on.

A script is `start_NAME.sh PORT`, some with more arguments; it installs what it needs on first use, starts a server on
127.0.0.1 as a session of its own, waits until it answers, prints `PID=...`, and ends. The scripts stand in
`../shared/beds` beside the checkout, or where `STUBWIRE_BEDS` says.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

GRACE = 10.0
"""Seconds that a server has to end by itself."""

PATIENCE = 60.0
"""Seconds within which a server must answer, its installation included."""


@contextmanager
def bed(script: str, *arguments: str, ports: int = 1, patience: float = PATIENCE) -> Generator[int]:
    """The first port of a running server, which is gone at the end of the block; skips the test where none can run.

    `arguments` are what the script is given, where `{0}` is the first port and `{1}` the one after it; by default, the
    first port alone. `ports` is how many ports in a row the server takes.
    """
    path = _folder() / script
    if not path.is_file():
        pytest.skip(f"there is no {path}: set STUBWIRE_BEDS to the folder of the scripts")
    if shutil.which("bash") is None:
        pytest.skip("there is no bash to start it with")
    first = _free_ports(ports)
    given = [argument.format(*range(first, first + ports)) for argument in arguments or ("{0}",)]
    process = _start(path, given, patience)
    try:
        yield first
    finally:
        _stop(process, first)


def _folder() -> Path:
    beside = Path(__file__).parent.parent.parent / "shared" / "beds"
    return Path(os.environ.get("STUBWIRE_BEDS") or beside)


def _free_ports(count: int) -> int:
    """The first of so many free ports in a row, below those that systems give to outgoing connections."""
    while True:
        first = random.randrange(20_000, 32_000)
        with suppress(OSError), ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def _start(path: Path, arguments: list[str], patience: float) -> int:
    """The process of the server that a script started."""
    with tempfile.TemporaryFile() as log:
        starting = subprocess.Popen(
            ["bash", str(path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = starting.wait(patience)
        except BaseException as error:  # what a script leaves behind is stopped after an interrupt too
            for process in (starting.pid, *_descendants(starting.pid)):
                _signal(process, signal.SIGKILL)
            starting.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                pytest.skip(f"{path.name} did not start its server within {patience:g} s: {_last_words(log.fileno())}")
            raise
        if code != 0:
            pytest.skip(f"{path.name} ended with {code}: {_last_words(log.fileno())}")
        log.seek(0)
        return int(log.read().decode().rpartition("PID=")[2])


def _last_words(log: int) -> str:
    text = os.pread(log, os.fstat(log).st_size, 0).decode("utf-8", "replace")
    return " | ".join(text.strip().splitlines()[-4:]) or "it printed nothing"


def _descendants(process: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended since
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = [process]
    for ancestor in found:  # it grows while it is read
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def _signal(process: int, number: signal.Signals) -> None:
    """Signal the session of a process, or the process alone where it leads none."""
    with suppress(ProcessLookupError):
        if os.getpgid(process) == process:
            os.killpg(process, number)
        else:
            os.kill(process, number)


def _stop(process: int, port: int) -> None:
    """End a server, and wait until its port is free."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal(process, number)
        end = time.monotonic() + GRACE
        while _listens(port) and time.monotonic() < end:
            time.sleep(0.02)
        if not _listens(port):
            return
