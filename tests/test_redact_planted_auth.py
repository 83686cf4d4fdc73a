"""A secret in what puts credentials on, and in what opens connections; everything that a person may see is searched."""

from __future__ import annotations

import copy
import importlib
import io
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from pydantic import BaseModel, SecretStr

from certificates import PASSWORD, serving, write
from servers import RawRequest, RawServer, http
from stubwire import ApiClient, CallError, ConfigurationError, StubwireError, get
from stubwire.auth import BasicAuth, BearerAuth, OAuth2ClientCredentials, OAuth2RefreshToken
from stubwire.plugins import LoggerPlugin
from stubwire.webhooks import GitHubWebhook, StandardWebhook, StripeWebhook, WebhookError
from test_redact_planted import SECRET, check, log, seen_of_error, seen_of_response

if TYPE_CHECKING:
    from conftest import Colour, EngineName

__all__ = ["log"]

TOKEN = '{"access_token": "s3cr3t-token", "refresh_token": "s3cr3t", "expires_in": 3600, "token_type": "Bearer"}'


class Client(ApiClient):
    proxy = None
    retry = None
    plugins = [LoggerPlugin(logging.getLogger("planted"), max_body_bytes=4096)]

    @get("/thing")
    def thing(self) -> dict[str, int]:
        raise NotImplementedError

    @get("/thing")
    def number(self) -> int:
        raise NotImplementedError


def library(engine: str) -> Any:
    return importlib.import_module(engine)


AUTHS: dict[str, Callable[[str, str], Any]] = {
    "client credentials": lambda url, _: OAuth2ClientCredentials(f"{url}/token", "me", SECRET),
    "client credentials in the body": lambda url, _: OAuth2ClientCredentials(
        f"{url}/token", "me", SecretStr(SECRET), client_auth="body"
    ),
    "refresh token": lambda url, _: OAuth2RefreshToken(f"{url}/token", SECRET, client_id="me", client_secret=SECRET),
    "httpx basic": lambda _, engine: library(engine).BasicAuth("me", SECRET),
    "httpx digest": lambda _, engine: library(engine).DigestAuth("me", SECRET),
    "by name": lambda _, __: {"one": BearerAuth(SECRET), "two": BasicAuth("me", SECRET)},
}


def answering(request: RawRequest) -> bytes:
    """An API that gives tokens, and asks for a digest where none came."""
    if request.target == "/token":
        return http(TOKEN)
    if not request.header("Authorization"):
        challenge = 'Digest realm="r", nonce="n", qop="auth", opaque="o"'
        return http("{}", 401, {"WWW-Authenticate": challenge})
    return http('{"id": 1}', headers={"Set-Cookie": f"sid={SECRET}"})


@pytest.mark.parametrize("auth", AUTHS)
def test_no_call_shows_a_secret(engine: EngineName, colour: Colour, auth: str, log: io.StringIO) -> None:
    """Neither its client, nor its response, nor a log of any level."""
    with (
        RawServer(answering) as server,
        Client(base_url=server.url, auth=AUTHS[auth](server.url, engine), engine=engine) as client,
    ):
        response = colour.response(client.thing)
        sent = b"".join(request.head + request.body for request in server.requests)
        assert SECRET.encode() in sent or b"czNjcjN0" in sent or b"Digest" in sent or b"Basic" in sent
        shown = [repr(client), repr(client.thing), client.thing.request().curl(), *seen_of_response(response)]
        if "httpx" not in auth:  # what another library shows of its own is not ours
            shown.append(repr(client.auth))
    logged = log.getvalue()
    assert "Client.thing GET /thing" in logged
    assert "receive_response_headers" in logged
    check([*shown, *logged.splitlines()])


REFUSALS = {
    "a text": f"no client {SECRET}".encode(),
    "an error": b'{"error": "invalid_client", "error_description": "' + SECRET.encode() + b' is wrong"}',
    "no JSON": b"{" + SECRET.encode(),
}


@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("auth", ["client credentials", "client credentials in the body", "refresh token"])
def test_a_refusal_of_the_token_endpoint_shows_no_secret(
    engine: EngineName, colour: Colour, auth: str, body: bytes, log: io.StringIO
) -> None:
    with (
        RawServer(http(body, 401)) as server,
        Client(base_url=server.url, auth=AUTHS[auth](server.url, engine), engine=engine) as client,
        pytest.raises(CallError) as caught,
    ):
        colour.run(client.thing)
    check([*seen_of_error(caught.value), *log.getvalue().splitlines()])


class Event(BaseModel):
    id: int


HOLDERS: dict[str, Any] = {
    "client credentials": OAuth2ClientCredentials("https://auth.example/token", "me", SECRET),
    "refresh token": OAuth2RefreshToken("https://auth.example/token", SECRET, client_id="me", client_secret=SECRET),
    "standard webhooks": StandardWebhook("whsec_czNjcjN0czNjcjN0czNjcjN0czNjcjN0", Event),
    "stripe": StripeWebhook(SECRET, Event),
    "github": GitHubWebhook(SECRET, Event),
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_what_holds_a_secret_does_not_show_it(holder: Any) -> None:
    """It is copied as itself, and there are no pickles of it."""
    check([repr(holder), str(holder), repr(copy.copy(holder)), repr(copy.deepcopy(holder)), repr([holder])])
    with pytest.raises(TypeError) as caught:
        pickle.dumps(holder)
    check([str(caught.value)])


@pytest.mark.parametrize("holder", ["standard webhooks", "stripe", "github"])
def test_a_delivery_that_is_refused_shows_no_secret(holder: str) -> None:
    webhook = HOLDERS[holder]
    body = b'{"id": "' + SECRET.encode() + b'"}'
    headers = webhook.sign(body)
    cases: list[tuple[bytes, dict[str, str]]] = [(body + b" ", headers), (body, headers), (body, {})]
    for given, signed in cases:
        with pytest.raises(WebhookError) as caught:
            webhook.verify(given, signed)
        error = caught.value
        check([repr(error), str(error), *traceback.format_exception(error), pickle.dumps(error).decode("latin-1")])


def test_the_password_of_a_certificate_shows_nowhere(
    engine: EngineName, colour: Colour, tmp_path: Path, log: io.StringIO
) -> None:
    """Where it is the right one, and where it is not."""
    authority = trustme.CA()
    write(tmp_path, authority)
    cert, key = tmp_path / "cert.pem", tmp_path / "encrypted.pem"
    with (
        serving(authority) as url,
        Client(base_url=url, engine=engine, verify=tmp_path / "ca.pem", cert=(cert, key, PASSWORD)) as client,
    ):
        response = colour.response(client.number)
        assert response.data == 1
        shown = [repr(client), repr(client.cert), repr(vars(client)), *seen_of_response(response)]
    errors: list[StubwireError] = []
    for wrong in (f"{PASSWORD}!", SecretStr(f"{PASSWORD}?")):
        with pytest.raises(ConfigurationError) as caught:
            Client(base_url="https://api.example", engine=engine, cert=(cert, key, wrong))
        errors.append(caught.value)
    shown += [text for error in errors for text in (repr(error), str(error), repr(error.__context__))]
    assert PASSWORD == SECRET
    check([*shown, *log.getvalue().splitlines()])
