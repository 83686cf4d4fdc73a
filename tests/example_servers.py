"""What the tests of `examples/` share: servers that answer by method and path, and the examples run as programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from servers import PATIENCE, Answer, RawRequest, http

if TYPE_CHECKING:
    import pytest

    from conftest import Colour

ROOT = Path(__file__).parent.parent

Said: TypeAlias = bytes | Answer | Callable[[RawRequest], bytes | Answer]
"""What a server says."""

Routes: TypeAlias = Mapping[str, Said]
"""What it says by method and path, as in `"GET /path"`."""


def answering(routes: Routes) -> Callable[[RawRequest], bytes | Answer]:
    """The script of a `RawServer` with these routes; anywhere else it says 404."""

    def react(request: RawRequest) -> bytes | Answer:
        said = routes.get(f"{request.method} {urlsplit(request.target).path}", http(b"", 404))
        return said if isinstance(said, bytes | Answer) else said(request)

    return react


def in_turn(*said: bytes | Answer) -> Callable[[RawRequest], bytes | Answer]:
    """One after the other, and the last again and again."""
    left = list(said)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def says(body: object, status: int = 200, **headers: str) -> bytes:
    """A JSON response; underscores in the names of headers are hyphens."""
    return http(json.dumps(body), status, {name.replace("_", "-"): value for name, value in headers.items()})


def asked(request: RawRequest) -> dict[str, str]:
    """The query of a request, decoded."""
    return dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True, strict_parsing=True))


def save(colour: Colour, endpoint: Any, *args: Any, to: Path, **options: Any) -> Path:
    """Save the stream of a `def` stub."""

    async def asynchronous() -> Path:
        saved: Path = await endpoint.aio(*args).save(to, **options)
        return saved

    if colour.name == "sync":
        synchronous: Path = endpoint(*args).save(to, **options)
        return synchronous
    saved: Path = colour.drive(asynchronous)
    return saved


def plain_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """No setting of the examples but these, and no proxy to a server of the tests."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "STRIPE_")):
            monkeypatch.delenv(name)
    for name, value in {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", **variables}.items():
        monkeypatch.setenv(name, value)


def run_example(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run an example as its documentation says, with the environment as it stands; a socket left open is told."""
    return subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", str(ROOT / "examples" / name), *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        timeout=3 * PATIENCE,
    )
