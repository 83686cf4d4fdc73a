"""TLS: verified by default, against a real server with a certificate of its own authority."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from stubwire import ApiClient, ConfigurationError, ConnectError, Retry, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName


class Things(ApiClient):
    retry = None

    @get("/thing")
    def thing(self) -> int:
        """Get it."""
        raise NotImplementedError


class One(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"1")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up: that is what is tested."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def url(authority: trustme.CA) -> Iterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
    with QuietServer(("127.0.0.1", 0), One) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["file", "context", "off"])
def verify(request: pytest.FixtureRequest, authority: trustme.CA, tmp_path: Path) -> bool | str | ssl.SSLContext:
    """Every way to say whom to trust."""
    if request.param == "off":
        return False
    if request.param == "context":
        context = ssl.create_default_context()
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
        return context
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    return str(bundle)


def test_whom_to_trust(url: str, engine: EngineName, colour: Colour, verify: bool | str | ssl.SSLContext) -> None:
    """A bundle, a context, or nobody is asked."""
    with Things(base_url=url, engine=engine, verify=verify) as things:
        assert colour.run(things.thing) == 1


def test_verification_is_on_by_default(url: str, engine: EngineName, colour: Colour) -> None:
    """An authority that nobody knows is no connection."""
    with (
        Things(base_url=url, engine=engine) as things,
        pytest.raises(ConnectError, match=r"could not connect: .*certificate verify failed"),
    ):
        colour.run(things.thing)


def test_a_certificate_is_refused_once(url: str, engine: EngineName, colour: Colour) -> None:
    """It will be no other at the next attempt."""
    with (
        Things(base_url=url, engine=engine, retry=Retry()) as things,
        pytest.raises(ConnectError, match=r"GET .*/thing could not connect: .*certificate verify failed") as caught,
    ):
        colour.run(things.thing)
    assert len(caught.value.attempts) == 1
    assert caught.value.__notes__ == ["not retried: a certificate that is refused once is refused again"]


def test_clients_share_a_context(url: str, engine: EngineName) -> None:
    """It costs tens of milliseconds to make one."""
    from stubwire._pool import _shared_context

    _shared_context.cache_clear()
    for _ in range(3):
        with Things(base_url=url, engine=engine) as things, pytest.raises(ConnectError):
            things.thing()
    assert _shared_context.cache_info().misses == 1


def test_clients_with_and_without_http2_share_none(url: str, engine: EngineName) -> None:
    """What one offers would be in the handshakes of the other."""
    from stubwire._pool import _shared_context

    _shared_context.cache_clear()
    for http2 in (True, False):
        with Things(base_url=url, engine=engine, http2=http2) as things, pytest.raises(ConnectError):
            things.thing()
    assert _shared_context.cache_info().misses == 2


def test_a_bundle_that_is_not_there(engine: EngineName) -> None:
    """`verify=` names it."""
    with (
        Things(base_url="https://api.invalid", engine=engine, verify="/no/such.pem") as things,
        pytest.raises(ConfigurationError) as error,
    ):
        things.thing()
    assert str(error.value) == "verify='/no/such.pem': No such file or directory"


def test_a_folder_is_a_bundle_too(url: str, engine: EngineName, tmp_path: Path) -> None:
    """One without certificates trusts nobody."""
    with (
        Things(base_url=url, engine=engine, verify=str(tmp_path)) as things,
        pytest.raises(ConnectError, match=r"certificate verify failed"),
    ):
        things.thing()
