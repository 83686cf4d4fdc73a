"""One user from a real nginx over real sockets, one at a time and fifty, beside the same calls by hand.

nginx is a process of its own, so that the figures are the client's CPU time alone. Where there is no nginx, nothing is
measured.
"""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.data import USER_JSON, USERNAME, User
from benchmarks.declared import HEADERS
from benchmarks.groups import Bar, Entry, Group
from benchmarks.harness import Case
from benchmarks.rows import Row
from stubwire import ApiClient, get

NAME = "GET one user from nginx"
AT_A_TIME = 50
_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; default_type application/json; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


class GitHub(ApiClient):
    """The call in both colours: nginx does not look at the query."""

    @get("/users/<username>", headers=HEADERS)
    def user(self, username: str, *, view: str = "full") -> User:
        """Get one user."""
        raise NotImplementedError


def run(rounds: int) -> list[Row]:
    """Measure, if there is an nginx."""
    if shutil.which("nginx") is None:
        return []
    with _nginx() as url:
        return [row for group in (_one(url), _one_async(url), _many(url)) for row in group.run(rounds)]


def _one(url: str) -> Group:
    hand = httpx.Client(base_url=url)
    github = GitHub(base_url=url)
    limited = github.with_options(deadline=10.0)

    def by_hand() -> User:
        response = hand.get(f"/users/{USERNAME}", params={"view": "full"}, headers=HEADERS)
        response.raise_for_status()
        return User.model_validate_json(response.content)

    return Group(
        NAME,
        [
            Entry(Case("by hand", by_hand)),
            Entry(Case("stubwire", lambda: github.user(USERNAME)), bar=Bar(0.75)),
            Entry(Case("budget and deadline", lambda: limited.user(USERNAME)), bar=Bar(0.75)),
        ],
    )


def _one_async(url: str) -> Group:
    hand, github = _by_hand(url), GitHub(base_url=url)
    limited = github.with_options(deadline=10.0)
    return Group(
        f"{NAME}, async",
        [
            Entry(Case("by hand", acall=hand)),
            Entry(Case("stubwire", acall=lambda: github.user.aio(USERNAME)), bar=Bar(0.80)),
            Entry(Case("budget and deadline", acall=lambda: limited.user.aio(USERNAME)), bar=Bar(0.80)),
        ],
    )


def _many(url: str) -> Group:
    hand, github = _by_hand(url), GitHub(base_url=url)

    def at_once(call: Callable[[], Awaitable[User]]) -> Callable[[], Awaitable[list[User]]]:
        async def all_of_them() -> list[User]:
            return await asyncio.gather(*(call() for _ in range(AT_A_TIME)))

        return all_of_them

    return Group(
        f"{NAME}, {AT_A_TIME} at a time, async",
        [
            Entry(Case("by hand", acall=at_once(hand))),
            Entry(Case("stubwire", acall=at_once(lambda: github.user.aio(USERNAME))), bar=Bar(0.50)),
        ],
    )


def _by_hand(url: str) -> Callable[[], Awaitable[User]]:
    client = httpx.AsyncClient(base_url=url)

    async def by_hand() -> User:
        response = await client.get(f"/users/{USERNAME}", params={"view": "full"}, headers=HEADERS)
        response.raise_for_status()
        return User.model_validate_json(response.content)

    return by_hand


@contextmanager
def _nginx() -> Generator[str, None, None]:
    """An nginx that has the user as a file."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder, port = Path(name), free.getsockname()[1]
        free.close()
        folder.chmod(0o755)
        (folder / "users").mkdir()
        (folder / "users" / USERNAME).write_bytes(USER_JSON)
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
        with subprocess.Popen(["nginx", "-c", str(config), "-p", name], stderr=subprocess.DEVNULL) as process:
            try:
                _wait_for(port)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx does not answer")
