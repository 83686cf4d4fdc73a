"""A TLS server that says whether it was shown a certificate, and the certificates that it knows."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    import trustme

PASSWORD = "s3cr3t"


class Knows(BaseHTTPRequestHandler):
    """`/thing` is 1 if a certificate was shown, else 0.

    `/away` redirects there by the other name of this machine, `/down` by http.
    """

    def do_GET(self) -> None:
        """Answer."""
        host = self.headers["Host"]
        leads = {"/away": f"https://{host.replace('localhost', '127.0.0.1')}/thing", "/down": f"http://{host}/thing"}
        if self.path in leads:
            self.send_response(302)
            self.send_header("Location", leads[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        shown = isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"1" if shown else b"0")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    """A client that does not trust us hangs up: that is what is tested."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    authority: trustme.CA,
    asks: ssl.VerifyMode = ssl.CERT_OPTIONAL,
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    names: Sequence[str] = ("localhost", "127.0.0.1"),
) -> Generator[str]:
    """The URL of a server of an authority.

    Args:
        authority: who it is known by.
        asks: whether it wants a certificate of the client.
        newest: the highest version that it speaks.
        names: that stand in its certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.maximum_version = newest
    context.verify_mode = asks
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
    authority.issue_cert(*names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    with QuietServer(("127.0.0.1", 0), Knows) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"https://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def write(folder: Path, authority: trustme.CA) -> None:
    """Put files there: good ones, and such as cannot be used."""
    good, other = authority.issue_cert("ada@example.org"), authority.issue_cert("bob@example.org")
    key = load_pem_private_key(good.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    contents = {
        "ca.pem": authority.cert_pem.bytes(),
        "both.pem": good.private_key_and_cert_chain_pem.bytes(),
        "cert.pem": b"".join(blob.bytes() for blob in good.cert_chain_pems),
        "key.pem": good.private_key_pem.bytes(),
        "encrypted.pem": encrypted,
        "both-encrypted.pem": encrypted + good.cert_chain_pems[0].bytes(),
        "other.pem": other.private_key_pem.bytes(),
        "junk.pem": b"no PEM at all \xff",
        "broken.pem": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
