"""A small GitHub-shaped HTTP server on loopback, for the demo, the documentation and tests.

It speaks HTTP/1.1 with keep-alive over real sockets and needs nothing but the standard library. What it knows lives in
memory for as long as it runs.

```python
from stubwire.demo.client import GitHub
from stubwire.demo.server import DemoServer

with DemoServer() as server, GitHub(base_url=server.url) as github:
    assert github.user("octocat").name == "The Octocat"
    assert server.requests[0].target == "/users/octocat"
```

| endpoint | answers |
| --- | --- |
| `GET /users/{username}` | octocat and hubot |
| `GET /users/{username}/repos` | pages of repositories, with a Link header |
| `GET /repos/{owner}/{repo}` | one repository |
| `GET /search/repositories?q=` | `total_count` and `items`; `q` takes words, `user:` and `language:` |
| `GET, POST /repos/{owner}/{repo}/issues` | issues; creating one needs a bearer token, any |
| `GET /repos/{owner}/{repo}/issues/{number}` | one issue |
| `/flaky/{key}` | 503 twice for each key, then 200; `fails=`, `status=` and `retry_after=` change that |
| `/slow?seconds=` | after so many seconds |
| `/echo`, `/echo/...` | the method, target, headers and body received, as JSON |
| anything else | 404 with GitHub's error body |
"""

from __future__ import annotations

import json
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from stubwire.demo._site import RecordedRequest, Reply, Site, problem

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DemoServer", "RecordedRequest"]


class DemoServer:
    """The server as a context manager: it listens on a free port of 127.0.0.1, or on `port`, until the block ends.

    Leaving the block closes every connection and ends every thread, also those that are in the middle of an answer.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._requests: list[RecordedRequest] = []
        self._ids = count(1)
        self._closing = threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = server = _Server(("127.0.0.1", self._port), partial(_Handler, self))
        self._site = Site(self.url, self._closing.wait)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="DemoServer", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._closing.set()
            self._server.shutdown()
            self._server.close_connections()
            self._server.server_close()
            self._thread.join()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the server has no URL before it runs: write `with DemoServer() as server:`")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Every request received so far, in the order of their arrival."""
        return tuple(self._requests)

    def answer(self, request: RecordedRequest) -> Reply:
        """Record a request and answer it. Called by the threads that serve connections."""
        self._requests.append(request)
        return self._site.answer(request)

    def next_request_id(self) -> str:
        """A value for the header `x-github-request-id`: DEMO:0001, DEMO:0002, ..."""
        return f"DEMO:{next(self._ids):04X}"


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that it can end those that wait for another request."""

    daemon_threads = False  # so that server_close joins them

    def __init__(self, address: tuple[str, int], handler: partial[_Handler]) -> None:
        self._connections = set[socket.socket]()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would ask a name server for our name
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake every thread that reads from a connection; each then ends by itself."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hangs up is no error of ours
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "stubwire-demo"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    def __init__(self, demo: DemoServer, *args: Any) -> None:
        self._demo = demo
        super().__init__(*args)

    def _serve(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.send_error(411, "Length Required")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = dict.fromkeys(name.lower() for name in self.headers)
        headers = {name: ", ".join(self.headers.get_all(name, [])) for name in names}
        request = RecordedRequest(self.command, self.requestline.split()[1], headers, body)
        self._send(self._demo.answer(request))

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET` and its like, which http.server looks for: every method is served."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _send(self, reply: Reply) -> None:
        content = json.dumps(reply.body, indent=2).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("x-github-request-id", self._demo.next_request_id())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self) -> str:
        return self.server_version

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, such as a request line too long, with GitHub's error body too."""
        self.close_connection = True
        self._send(problem(code, message or explain or "Bad Request"))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: `DemoServer.requests` is the journal."""
