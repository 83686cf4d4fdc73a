"""What is logged of proxies, at DEBUG: httpcore logs the user and the password for a SOCKS proxy."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from proxies import socks, tunnel
from servers import RawServer, http
from stages import Staged
from stubwire import ApiClient, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName

KINDS = {"http": tunnel, "socks5": socks}


class Client(ApiClient):
    @get("/thing")
    def thing(self) -> object:
        raise NotImplementedError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("password", ["s3cret", "s3cret%27)", "s3cret%22%27%5C)x"], ids=["plain", "quote", "quotes"])
def test_no_log_shows_a_password(
    engine: EngineName, colour: Colour, caplog: pytest.LogCaptureFixture, kind: str, password: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with Staged(KINDS[kind]) as proxy, RawServer(http("7")) as server:
        through = f"{kind}://user:{password}@localhost:{proxy.port}"
        with Client(base_url=server.url, engine=engine, proxy=through) as client:
            if colour.name == "sync":
                client.thing()

        async def main() -> None:
            async with Client(base_url=server.url, engine=engine, proxy=through) as client:
                await client.thing.aio()

        if colour.name != "sync":
            colour.drive(main)
        seen = b"".join(proxy.seen)
    assert b"s3cret" in seen or b"Proxy-Authorization: Basic" in seen
    assert [text for text in caplog.messages if "s3cret" in text or "dXNlcjpzM2NyZX" in text] == []
    assert any("auth=[redacted]" in text for text in caplog.messages) == (kind == "socks5")
