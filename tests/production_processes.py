"""The processes of `test_production.py`: the service and its providers, started, watched and ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from production_providers import Recorded

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "production" / "src"
PROVIDERS = Path(__file__).with_name("production_providers.py")
UVICORN = ["-m", "uvicorn", "--factory", "app:create_app", "--app-dir", str(EXAMPLE)]
LOOPBACK = ["--host", "127.0.0.1", "--port", "0", "--timeout-graceful-shutdown", "5"]
HEADER = "X-Correlation-ID"
PATIENCE = 30.0


class Process:
    """A Python process of ours, and every line that it printed."""

    def __init__(self, *command: str, cwd: Path, env: Mapping[str, str]) -> None:
        self.is_provider = command[0] == str(PROVIDERS)
        self.popen = subprocess.Popen(
            [sys.executable, *command],
            cwd=cwd,
            env={**clean_environment(), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.input, self.output = self.popen.stdin, self.popen.stdout
        self.lines: list[str] = []
        self.ended = False
        self.printed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.output:
            with self.printed:
                self.lines.append(line.rstrip())
                self.printed.notify_all()
        with self.printed:
            self.ended = True
            self.printed.notify_all()

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until a line matches, and give the match; fail when the process ends or takes too long without one."""
        found: re.Match[str] | None = None

        def appeared() -> bool:
            nonlocal found
            found = next((match for line in self.lines if (match := re.search(pattern, line))), None)
            return found is not None or self.ended

        with self.printed:
            self.printed.wait_for(appeared, timeout=PATIENCE)
        assert found is not None, "\n".join([f"no line matches {pattern!r} in:", *self.lines])
        return found

    def stop(self) -> None:
        """End the process and collect its last lines; one that does not end when asked is killed, and fails the run.

        A provider ends with its input; the service is interrupted, which lets the interpreter clean up and warn.
        """
        self.input.close()
        if not self.is_provider:
            self.popen.send_signal(signal.SIGINT)
        try:
            self.popen.wait(PATIENCE)
        finally:
            self.popen.kill()
            self.popen.wait()
            self.reader.join()
            self.output.close()


def clean_environment() -> dict[str, str]:
    """The environment of the test run, without a proxy and without settings of the service."""
    unwanted = re.compile(r"(?i)(GITHUB|STRIPE|SERVICE)_|.*_proxy$")
    kept = {name: value for name, value in os.environ.items() if not unwanted.match(name)}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "always::ResourceWarning"}


@contextmanager
def running(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> Generator[Process]:
    process = Process(*command, cwd=cwd, env=env or {})
    try:
        yield process
    finally:
        process.stop()


class Provider(NamedTuple):
    """A running provider."""

    url: str

    def recorded(self, correlation_id: str) -> list[Recorded]:
        """The requests that arrived with this correlation id, and with no other beside it."""
        arrived = cast("list[Recorded]", fetch("GET", f"{self.url}/_recorded").json())
        return [request for request in arrived if sent(request, HEADER) == [correlation_id]]

    def everything(self) -> str:
        """All that ever arrived, as text."""
        return fetch("GET", f"{self.url}/_recorded").text


class Service(NamedTuple):
    """A running service."""

    url: str
    process: Process

    def call(self, method: str, path: str, correlation_id: str) -> httpx.Response:
        return fetch(method, self.url + path, {HEADER: correlation_id})


def fetch(method: str, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.request(method, url, headers=headers, timeout=PATIENCE, trust_env=False)


def sent(request: Recorded, header: str) -> list[str]:
    """Every value of a header, so that one sent twice is seen."""
    return [value for name, value in request["headers"] if name == header.lower()]


@contextmanager
def providing(kind: str, workplace: Path) -> Generator[Provider]:
    """Run the provider of that kind."""
    with running(str(PROVIDERS), kind, cwd=workplace) as process:
        yield Provider(process.expect(r"listening on (\S+)")[1])


@contextmanager
def starting(workplace: Path, env: Mapping[str, str]) -> Generator[Process]:
    """Start the service, and do not wait until it serves."""
    with running(*UVICORN, *LOOPBACK, cwd=workplace, env=env) as process:
        yield process


@contextmanager
def serving(workplace: Path, env: Mapping[str, str]) -> Generator[Service]:
    """Run the service; it ends with the block."""
    with starting(workplace, env) as process:
        yield Service(process.expect(r"Uvicorn running on (http://\S+)")[1], process)
