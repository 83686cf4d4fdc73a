"""OAuth 2 on real sockets: no token, password or refresh token shows in any log, error, repr or pickle."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest

from servers import RawRequest, RawServer, http
from stubwire import AuthenticationError
from stubwire.auth import OAuth2ClientCredentials, OAuth2RefreshToken, Token
from stubwire.plugins import LoggerPlugin
from tokens import Shop

if TYPE_CHECKING:
    from conftest import Colour, EngineName

PLANTED = ("s3cr3t-password", "s3cr3t-refresh", "s3cr3t-access", "s3cr3t-rotated")


def test_no_output_has_a_secret(engine: EngineName, colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    """With the libraries' own loggers at DEBUG, and a server that answers 401 to everything."""
    caplog.set_level(logging.DEBUG)

    def answer(request: RawRequest) -> bytes:
        if request.target != "/token":
            assert request.header("Authorization") == "Bearer s3cr3t-access"
            return http('{"error": "invalid_token"}', 401)
        assert b"refresh_token=s3cr3t-r" in request.body
        fields = {"access_token": "s3cr3t-access", "refresh_token": "s3cr3t-rotated", "expires_in": 3600}
        return http(json.dumps(fields), headers={"Set-Cookie": "session=s3cr3t-password"})

    with RawServer(answer) as server:
        auth = OAuth2RefreshToken(
            f"{server.url}/token", "s3cr3t-refresh", client_id="shop", client_secret="s3cr3t-password"
        )
        shop = Shop(base_url=server.url, engine=engine, auth=auth, plugins=[LoggerPlugin()])
        with shop, pytest.raises(AuthenticationError) as caught:
            colour.run(shop.items)
        assert server.lines.count("POST /token HTTP/1.1") == 2
    error = caught.value
    shown = [caplog.text, "".join(traceback.format_exception(error)), repr(error), repr(error.response)]
    shown += [repr(auth), repr(shop), repr(error.request), error.request.curl(), shop.items.request().curl()]
    shown += [pickle.dumps(error).decode("latin-1"), repr(auth._held.token), repr(shop.items._plan)]
    assert caplog.records
    assert [secret for secret in PLANTED if secret in "\n".join(shown)] == []


def test_a_token_and_an_auth_show_no_secret_and_are_not_pickled() -> None:
    url = "https://auth.example/token"
    token = Token("s3cr3t", expires_at=1.0, refresh_token="s3cr3t")
    assert repr(token) == "Token([redacted], expires_at=1.0)"
    auths = OAuth2ClientCredentials(url, "shop", "s3cr3t"), OAuth2RefreshToken(url, "s3cr3t")
    for holder in (token, *auths):
        assert "s3cr3t" not in repr(holder)
        assert copy.deepcopy(holder) is holder
        with pytest.raises(TypeError, match="cannot be pickled: it holds a credential"):
            pickle.dumps(holder)
