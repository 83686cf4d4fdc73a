"""Servers that nobody here wrote, and what each says of a request that arrived.

* nginx tells the request target byte for byte, and knows TLS, HTTP/2, ranges and validators.
* httpbin tells what it decoded: a query, headers, cookies, a form, files, JSON.
* WireMock keeps a journal of the bytes of every body.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from beds import bed
from stubwire import ApiClient, delete, get, post
from stubwire.types import Base64

# -- nginx


@dataclass(frozen=True)
class Nginx:
    """A running nginx.

    Attributes:
        url: without TLS.
        tls_url: with TLS and HTTP/2, by a certificate of its own authority.
        folder: of its files: `www` is what it serves, `ca.crt` its authority, `cli.crt` and `cli.key` are a client's.
    """

    url: str
    tls_url: str
    folder: Path

    @property
    def authority(self) -> str:
        """The path of what `verify` trusts."""
        return str(self.folder / "ca.crt")

    def client_context(self) -> ssl.SSLContext:
        """A TLS context with a client's certificate."""
        context = ssl.create_default_context(cafile=self.authority)
        context.load_cert_chain(self.folder / "cli.crt", self.folder / "cli.key")
        return context

    def serve(self, name: str, content: bytes) -> None:
        """Put a file there, in one step."""
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        new.replace(self.folder / "www" / name)


@contextmanager
def nginx(folder: Path, behind: str = "http://127.0.0.1:1") -> Generator[Nginx]:
    """An nginx with certificates of its own, in a folder of its own; `/bin/` of it leads to what stands behind."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BEDS", str(folder))
            port = stack.enter_context(bed("start_nginx.sh", "{0}", "{1}", behind.removeprefix("http://"), ports=2))
        yield Nginx(f"http://127.0.0.1:{port}", f"https://localhost:{port + 1}", folder / "nginx")


def target(line: str, method: str = "GET") -> str:
    """The request target in what `/raw` of nginx echoes: the method, the target and the content type."""
    assert line.startswith(f"{method} ")
    assert line.endswith(" \n")
    return line[len(method) + 1 : -2]


# -- httpbin


class Seen(BaseModel):
    """What httpbin saw of a request. A name that came once has a text, one that came often a list."""

    url: str
    headers: dict[str, str]
    args: dict[str, str | list[str]] = {}
    form: dict[str, str | list[str]] = {}
    files: dict[str, str] = {}
    data: str = ""
    decoded: Any = Field(None, alias="json")

    def content(self) -> bytes:
        """The body as it came: httpbin shows what is no text as a data URL."""
        return as_bytes(self.data)


def as_bytes(shown: str) -> bytes:
    """Bytes that httpbin shows as text or as a data URL."""
    encoded = re.fullmatch(r"data:[\w/+.-]+;base64,(.*)", shown)
    return base64.b64decode(encoded[1]) if encoded else shown.encode()


@contextmanager
def httpbin() -> Generator[str]:
    """The URL of an httpbin."""
    with bed("start_httpbin.sh") as port:
        yield f"http://127.0.0.1:{port}"


# -- WireMock


class Kept(BaseModel):
    """A request as WireMock keeps it."""

    method: str
    url: str
    protocol: str
    headers: dict[str, str]
    body: Base64 = Field(alias="bodyAsBase64")

    def header(self, name: str) -> str | None:
        """A header, whatever its case on the wire."""
        return {key.lower(): value for key, value in self.headers.items()}.get(name.lower())


class _Entry(BaseModel):
    request: Kept


class Journal(ApiClient):
    """WireMock's own API."""

    @post("/__admin/mappings")
    def answer(self, mapping: dict[str, Any]) -> None:
        raise NotImplementedError

    @get("/__admin/requests", unwrap="requests")
    def entries(self) -> list[_Entry]:
        raise NotImplementedError

    @delete("/__admin/requests")
    def forget(self) -> None:
        raise NotImplementedError

    @post("/__admin/scenarios/reset")
    def begin_anew(self) -> None:
        """Bring `/flaky` back to where it answers 503, then 429, then 200."""
        raise NotImplementedError

    def kept(self) -> Kept:
        """The only request since `forget`."""
        (entry,) = self.entries()
        return entry.request


@contextmanager
def wiremock() -> Generator[tuple[str, str]]:
    """The URLs of a WireMock, without and with TLS, that answers 204 to whatever comes below `/kept/`."""
    with (
        bed("start_wiremock.sh", ports=354) as port,
        Journal(base_url=f"http://127.0.0.1:{port}", proxy=None) as journal,
    ):
        journal.answer({"request": {"urlPathPattern": "/kept/.*"}, "response": {"status": 204}})
        yield journal.base_url, f"https://127.0.0.1:{port + 353}"
