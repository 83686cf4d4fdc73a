"""What is logged of HTTP/2, at DEBUG: hpack logs every header that it packs and unpacks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from servers_http2 import Http2Server, transports
from stubwire import ApiClient, get
from stubwire.auth import BearerAuth

if TYPE_CHECKING:
    import pytest

    from conftest import Colour, EngineName

SECRET = "s3cr3t"


class Client(ApiClient):
    headers = {"X-Api-Key": SECRET, "Cookie": f"sid={SECRET}"}

    @get("/small")
    def plain(self) -> int:
        raise NotImplementedError


def test_no_log_shows_a_header(engine: EngineName, colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    """Neither where the client packs it, nor where a server in the same process unpacks it."""
    caplog.set_level(logging.DEBUG)
    with Http2Server() as server:
        made = Client(base_url=server.url, transport=transports(engine), auth=BearerAuth(SECRET))

        async def main() -> int:
            async with made as client:
                return await client.plain.aio()

        if colour.name == "sync":
            with made as client:
                assert client.plain() == 7
        else:
            assert colour.drive(main) == 7
    packed = [text for name, _, text in caplog.record_tuples if name == "hpack.hpack"]
    assert "Adding <9 bytes>=<6 bytes> to the header table, sensitive:False, huffman:True" in packed
    assert any(text.startswith("Decoded <") for text in packed)
    assert [text for text in caplog.messages if SECRET in text] == []


def test_a_record_of_another_kind_passes(engine: EngineName, caplog: pytest.LogCaptureFixture) -> None:
    Client(base_url="https://api.test", engine=engine)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("hpack.table").debug("%(size)d", {"size": 7})
    logging.getLogger("hpack.table").debug("Evicting %s: %s of %d", b"cookie", memoryview(b"sid"), 9)
    assert caplog.messages == ["7", "Evicting <6 bytes>: <3 bytes> of 9"]
