"""httpx's digest auth against httpbin, which nobody here wrote."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from beds import bed
from stubwire import ApiClient, AuthenticationError, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    with bed("start_httpbin.sh") as port:
        yield f"http://127.0.0.1:{port}"


class Bin(ApiClient):
    @get("/digest-auth/<qop>/me/s3cr3t/<algorithm>")
    def digest(self, qop: str, algorithm: str) -> dict[str, object]:
        raise NotImplementedError


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
def test_digest(httpbin: str, engine: EngineName, colour: Colour, algorithm: str) -> None:
    auth = importlib.import_module(engine).DigestAuth("me", "s3cr3t")
    with Bin(base_url=httpbin, engine=engine, auth=auth) as client:
        for _ in range(2):
            assert colour.run(client.digest, "auth", algorithm)["authenticated"] is True


def test_a_wrong_password(httpbin: str, engine: EngineName, colour: Colour) -> None:
    auth = importlib.import_module(engine).DigestAuth("me", "wr0ng")
    with Bin(base_url=httpbin, engine=engine, auth=auth) as client, pytest.raises(AuthenticationError):
        colour.run(client.digest, "auth", "MD5")
