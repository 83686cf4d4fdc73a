"""A secret is planted in every place that can hold one; no line, no field, no span and no metric has it.

Nor has anything that the engines log of themselves, at DEBUG, to whoever listens to everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from opentelemetry import baggage, context
from pydantic import BaseModel, PlainSerializer, SecretStr

from servers import CLOSE, RawServer, Script, free_port, http
from stubwire import ApiClient, CallError, Cookie, Header, Retry, post
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth
from stubwire.plugins import LoggerPlugin
from telemetry import Telemetry

if TYPE_CHECKING:
    from conftest import Clock, Colour
    from stubwire import Plugin

SECRET = "s3cr3t"
HIDDEN = SecretStr(SECRET)
BASE64 = "czNjcjN0"
HEADERS = {"Set-Cookie": f"sid={SECRET}", "X-Auth-Token": SECRET, "Location": f"/y?token={SECRET}"}
ANSWER = (
    '{"id": 1, "token": "' + SECRET + '", "iban": "' + SECRET + '", "next": "http://u:' + SECRET + '@x.test/?key=1"}'
)
AUTHS: dict[str, Any] = {
    "bearer": BearerAuth(SecretStr(SECRET)),
    "bearer-callable": BearerAuth(lambda: SECRET),
    "basic": BasicAuth("user", SECRET),
    "key-header": ApiKeyAuth(SECRET, header="X-Own"),
    "key-query": ApiKeyAuth(SECRET, query="appid"),
    "userinfo": ...,
}


class Account(BaseModel):
    id: int
    password: str = SECRET
    iban: Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)] = SecretStr(SECRET)
    callback: str = f"https://user:{SECRET}@hook.test/?api_key={SECRET}"


class Bank(ApiClient):
    headers = {"X-Api-Key": SECRET, "X-Tenant": SecretStr(SECRET)}
    query = {"api_key": SECRET}
    retry = Retry(max_retries=1, retry_after_max=0)

    @post("/accounts/<id>", idempotency_key=True)
    def open(
        self,
        id: int,
        account: Account,
        *,
        token: str = SECRET,
        tenant: SecretStr = HIDDEN,
        sid: Annotated[str, Cookie()] = SECRET,
        x_user: Annotated[SecretStr, Header()] = HIDDEN,
    ) -> Account:
        raise NotImplementedError


class Keep(logging.Handler):
    """Everything that a record has."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [record.getMessage(), repr(vars(record))]


@pytest.fixture
def log() -> Iterator[Keep]:
    """What is logged, at every level, by whoever logs."""
    keep, root = Keep(), logging.getLogger()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    token = context.attach(baggage.set_baggage("tenant", SECRET))
    yield keep
    context.detach(token)
    root.removeHandler(keep)
    root.setLevel(level)


@pytest.fixture(params=AUTHS)
def make(request: pytest.FixtureRequest, engine: Any) -> Callable[[str, Telemetry], Bank]:
    """Make a client with one of the auths."""

    def client(url: str, telemetry: Telemetry) -> Bank:
        auth = AUTHS[request.param]
        logger = LoggerPlugin(logging.getLogger("planted"), max_body_bytes=4096)
        plugins: list[Plugin] = [telemetry.plugin, logger]
        if auth is ...:
            url = url.replace("//", f"//{SECRET}:{SECRET}@")
            return Bank(base_url=url, engine=engine, proxy=None, plugins=plugins)
        return Bank(base_url=url, engine=engine, proxy=None, plugins=plugins, auth=auth)

    return client


SCRIPTS: dict[str, Script] = {
    "success": http(ANSWER, headers=HEADERS),
    "status": http(ANSWER, 404, HEADERS),
    "retried": [http(ANSWER, 503, HEADERS), http(ANSWER, headers=HEADERS)],
    "misfit": http(ANSWER.replace("1", '"x"', 1), headers=HEADERS),
    "no-json": http("{" + SECRET, headers={"Content-Type": "application/json", **HEADERS}),
    "hung-up": CLOSE,
    "redirect": http("", 302, {"Location": f"http://u:{SECRET}@x.test/?token={SECRET}"}),
}


def check(log: Keep, telemetry: Telemetry) -> None:
    texts = [*log.texts, *telemetry.shown().splitlines()]
    assert [text for text in texts if SECRET in text or BASE64 in text] == []
    assert any("Bank.open POST /accounts/<id>" in text for text in log.texts)
    assert [span.name for span in telemetry.spans] == ["POST /accounts/{id}"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_shows_a_secret(
    make: Callable[[str, Telemetry], Bank], colour: Colour, script: str, clock: Clock, log: Keep
) -> None:
    telemetry = Telemetry()
    with RawServer(SCRIPTS[script]) as server, make(server.url, telemetry) as client:
        try:
            colour.run(client.open, 1, Account(id=1))
        except CallError:
            assert script not in {"success", "retried"}
        assert SECRET.encode() in server.requests[0].body
        assert SECRET in server.requests[0].target
        assert (server.requests[0].header("baggage") or "").endswith(SECRET)
    check(log, telemetry)


def test_nothing_shows_a_secret_without_a_connection(
    make: Callable[[str, Telemetry], Bank], colour: Colour, clock: Clock, log: Keep
) -> None:
    telemetry = Telemetry()
    with make(f"http://127.0.0.1:{free_port()}", telemetry) as client, pytest.raises(CallError):
        colour.run(client.open, 1, Account(id=1))
    check(log, telemetry)
