"""An API that wants tokens, and the endpoint that gives them, in memory: `Realm`."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from conftest import Reply
from stubwire import ApiClient, get, post

TOKEN_URL = "https://auth.example/token"


class Shop(ApiClient):
    base_url = "https://api.example"

    @get("/items")
    def items(self) -> dict[str, str]:
        raise NotImplementedError

    @post("/items")
    def add(self, item: dict[str, str]) -> dict[str, str]:
        raise NotImplementedError


class Realm:
    """Gives tokens t1, t2, ... and answers 401 to any but the valid ones.

    `given` are further fields of the endpoint's answers; `replies` are answers that go first.
    """

    def __init__(self, given: Mapping[str, Any] | None = None, replies: list[Any] | None = None) -> None:
        self.given: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3600, **(given or {})}
        self.replies = replies or []
        self.asked: list[Any] = []
        self.sent: list[str] = []
        self.revoked: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: Any) -> Reply:
        with self._lock:
            if request.url.host != "api.example":
                return self._give(request)
            token = request.headers.get("Authorization", "")
            self.sent.append(token)
            if token.rpartition(" ")[2] in self.revoked:
                return Reply(401, json={"error": "invalid_token"})
            return Reply(json={"token": token})

    def _give(self, request: Any) -> Reply:
        self.asked.append(request)
        if self.replies:
            reply: Reply = self.replies.pop(0)
            return reply
        fields = {"access_token": f"t{len(self.asked)}", **self.given}
        return Reply(json={name: value for name, value in fields.items() if value is not None})

    def form(self, number: int = -1) -> dict[str, str]:
        """What was posted to the endpoint."""
        posted = parse_qs(self.asked[number].content.decode(), keep_blank_values=True, strict_parsing=True)
        return {name: values[0] for name, values in posted.items()}

    def client(self, number: int = -1) -> str | None:
        """Who asked, by Basic authentication."""
        value = self.asked[number].headers.get("Authorization")
        return None if value is None else base64.b64decode(value.removeprefix("Basic ")).decode()
