"""Stand-ins for GitHub and Stripe, for `test_production.py`: `python production_providers.py github` (or `stripe`).

It listens on a port the system chooses, prints `listening on <url>`, and ends when its standard input does, so it never
outlives the test run. `GET /_recorded` lists the requests that arrived. The name in a path decides what happens:

    flaky      503 twice for each correlation id, then the answer
    broken     500
    missing    404
    hangs      no answer
    pair-...   the answer, once two requests for such a name are there at the same time; 500 if the second never comes

A status that invites a retry says `Retry-After: 0`: the client under test keeps its production schedule.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias, TypedDict, cast
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 20.0
RETRY_NOW = {"Retry-After": "0"}

Answer: TypeAlias = tuple[int, dict[str, str], object]


class Recorded(TypedDict):
    """One request as it arrived; header names are lower case, in the order of arrival."""

    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]


class Provider(ThreadingHTTPServer):
    """One provider: what it recorded, and how it behaves."""

    daemon_threads = True

    def __init__(self, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kind = kind
        self.recorded: list[Recorded] = []
        self.lock = threading.Lock()
        self.failures: Counter[str] = Counter()
        self.pair = threading.Barrier(2, timeout=PATIENCE)
        self.never = threading.Event()

    def answer(self, request: Recorded) -> Answer | None:
        """Answer a request; `None` hangs up on it, after a wait that no client has the patience for."""
        with self.lock:
            self.recorded.append(request)
        segments = request["path"].strip("/").split("/")
        name = segments[2] if self.kind == "stripe" and len(segments) > 2 else segments[1]
        if name == "hangs":
            self.never.wait(PATIENCE)
            return None
        if name.startswith("pair-"):
            try:
                self.pair.wait()
            except threading.BrokenBarrierError:
                return 500, RETRY_NOW, {"message": "nobody else came"}
        return self.refusal(name, request) or (200, {}, document(self.kind, name, request))

    def refusal(self, name: str, request: Recorded) -> Answer | None:
        """The error that this name stands for, if it does."""
        if name == "broken":
            return 500, RETRY_NOW, {"message": "Server Error"}
        if name == "missing":
            return 404, {}, {"message": "Not Found"}
        if name == "flaky":
            key = dict(request["headers"]).get("x-correlation-id", "")
            with self.lock:
                self.failures[key] += 1
                if self.failures[key] <= 2:
                    return 503, RETRY_NOW, {"message": "Service Unavailable"}
        return None


def document(kind: str, name: str, request: Recorded) -> object:
    """What the provider answers when all is well."""
    repositories = [
        {"id": 1, "name": f"{name}-hello", "stargazers_count": 80},
        {"id": 2, "name": f"{name}-spoon", "stargazers_count": 7},
    ]
    if kind == "github" and request["path"] == "/search/repositories":
        return {"total_count": 2, "incomplete_results": False, "items": repositories}
    if kind == "github":
        return repositories
    if request["path"] == "/v1/invoices":
        amounts = [("eur", 1200), ("eur", 300), ("usd", 50)]
        data = [{"id": f"in_{n}", "currency": c, "amount_remaining": a} for n, (c, a) in enumerate(amounts)]
        return {"object": "list", "data": data, "has_more": False}
    # a field of the name that the GitHub client unwraps, which is no envelope here
    return {"id": name, "object": "customer", "email": f"{name}@example.com", "items": ["not an envelope"]}


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections kept alive, as a provider would; says nothing about the requests it serves."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def provider(self) -> Provider:
        return cast("Provider", self.server)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/_recorded":
            with self.provider.lock:
                self.reply(200, {}, self.provider.recorded)
            return
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        query = dict(parse_qsl(url.query))
        answer = self.provider.answer({"method": "GET", "path": url.path, "query": query, "headers": headers})
        if answer is None:
            self.close_connection = True
        else:
            self.reply(*answer)

    def reply(self, status: int, headers: dict[str, str], body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status, HTTPStatus(status).phrase)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main(kind: str) -> None:
    with Provider(kind) as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        sys.stdout.write(f"listening on http://127.0.0.1:{provider.server_port}\n")
        sys.stdout.flush()
        sys.stdin.read()
        provider.never.set()
        provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
