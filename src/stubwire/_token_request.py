"""How a token endpoint is asked: `Asking`.

This module's rule: one POST on the connections of the call that needs the token, past its middleware, bounded in time
and size, with nothing of the call in it (RFC 6749, sections 2.3.1 and 3.2). Whatever comes of it is a token or a
`TokenError`; what ends the call itself passes through.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, cast
from urllib.parse import quote_plus, urlencode

from pydantic import SecretStr

from stubwire import _clock, _redact
from stubwire._call import Call
from stubwire._credentials import Credential, Secret, ask, secure_url, text_of, written
from stubwire._request import Request
from stubwire._token import Token, TokenError, read
from stubwire._url import origin
from stubwire.errors import (
    CallError,
    CancelError,
    ConfigurationError,
    DeadlineExceeded,
    ProtocolError,
)
from stubwire.retry import Outcome

if TYPE_CHECKING:
    from stubwire._limits import Limit
    from stubwire._response import Response
    from stubwire._types import CallNext

MAX_BYTES = 2**20
"""More than any token has."""

Fields = Mapping[str, str]
"""What is posted; a name of secrets is never shown."""


class Client(NamedTuple):
    """Who asks, and how they say so.

    Attributes:
        id: the client's name; empty where the endpoint needs none.
        secret: its password, or `None` for a public client.
        sends: whether it goes by Basic authentication, or in the body.
    """

    id: str
    secret: Secret | None
    sends: Literal["basic", "body"]


class Asking(Credential):
    """A token endpoint, and who asks it.

    Args:
        owner: the class that the user wrote, for messages.
        token_url: the endpoint.
        client: who asks.
        fields: posted beside what a grant posts.
        scheme: the word before the token.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(self, owner: str, token_url: object, client: Client, fields: Fields, scheme: str) -> None:
        self.owner: str = owner
        self.url: str = secure_url(token_url, f"{owner} token_url")
        self.origin: str = origin(self.url)
        self.shown: str = _redact.url(self.url)
        self._client = _checked(client, owner)
        self._fields = {name: SecretStr(value) for name, value in fields.items()}  # there may be an assertion
        self._scheme = scheme
        self._settings = {
            "invalid_client": f"client_id and client_secret of {owner}",
            "invalid_grant": f"refresh_token of {owner}" if "Refresh" in owner else f"the settings of {owner}",
            "invalid_scope": f"scope of {owner}",
            "invalid_target": f"audience and extra of {owner}",
            "invalid_request": f"the settings of {owner}",
            "unauthorized_client": f"client_id of {owner}, which may not use this grant",
            "unsupported_grant_type": f"token_url of {owner}, which does not know this grant",
        }

    def key(self, *more: str) -> str:
        """A name for the token in a store: of what it is asked for with, hashed."""
        parts = (self.owner, self.url, self._client.id, *(f"{name}={value}" for name, value in self._posted().items()))
        return hashlib.sha256("\n".join((*parts, *more)).encode()).hexdigest()[:32]

    async def token(self, request: Request, call_next: CallNext, grant: Fields, limit: Limit) -> Token:
        """Ask for a token.

        Args:
            request: of the call that needs it.
            call_next: what sends one request.
            grant: what is posted for this grant.
            limit: until when.

        Raises:
            TokenError: there is none.
            CallError: the limit came first.
        """
        secret = self._client.secret
        password = None if secret is None else await ask(secret, f"{self.owner} client_secret")
        if password == "":
            raise ConfigurationError(f"{self.owner} client_secret is empty")
        form = {**grant, **self._posted(), **self._in_body(password)}
        more = [value for name, value in self._posted().items() if _redact.is_secret(name)]
        hidden = _spellings(self._client.id, password, grant.get("refresh_token"), *more)
        failure: CallError | None = None
        asked = self._request(request, form, password, limit)
        sent = _clock.now()
        try:
            response = await self._send(asked, call_next)
            return read(response, sent, self._scheme, self._settings, hidden)
        except TokenError as error:
            failure = copy(error)
        except (CancelError, DeadlineExceeded, ConfigurationError):
            raise
        except CallError as error:
            limit.check()  # a timeout that it cut short is its own error
            failure = TokenError(_what(error))
            failure.__cause__ = error
        failure.args = (f"got no token: {self.shown} {failure.args[0]}",)
        raise failure

    def _posted(self) -> Fields:
        """What is posted beside what a grant posts."""
        return {name: value.get_secret_value() for name, value in self._fields.items()}

    def _in_body(self, password: str | None) -> Fields:
        """Who asks, as fields of the form."""
        client = self._client
        if not client.id or (client.sends == "basic" and password is not None):
            return {}
        return {"client_id": client.id} | ({} if password is None else {"client_secret": password})

    def _request(self, request: Request, form: Fields, password: str | None, limit: Limit) -> Request:
        outer = _call_of(request)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        agent = next((value for name, value in outer.plan.pairs if name.lower() == "user-agent"), None)
        if agent is not None:
            headers["User-Agent"] = agent
        if self._client.sends == "basic" and password is not None:
            headers["Authorization"] = basic(self._client.id, password)
        plan = replace(
            outer.plan,
            origin="",  # the user's own client adds nothing of its own
            origins=frozenset({self.origin}),
            secrets=frozenset({"authorization"}),
            auth=None,
            own_auth=True,
            streams=False,
            max_response_bytes=min(outer.plan.max_response_bytes or MAX_BYTES, MAX_BYTES),
        )
        asked = Request("POST", self.url, headers=headers, content=urlencode(form).encode())
        asked._plan = plan
        asked._call = Call(plan, outer.runtime, asked)
        asked._call.limit = limit
        asked._call.url = ""  # nobody has looked at this one
        return asked

    async def _send(self, asked: Request, call_next: CallNext) -> Response:
        """Send it, and again as the call's `Retry` says: asking for a token twice does no harm."""
        call = _call_of(asked)
        retry = None if call.plan.retry is None else replace(call.plan.retry, when=None)
        number = 0
        while True:
            number += 1
            response: Response | None = None
            failure: CallError | None = None
            asked._risks = []
            try:
                response = await call_next(asked)
            except (CancelError, DeadlineExceeded):
                raise
            except CallError as error:
                failure = error
            if retry is not None and (failure is not None or (response and response.status_code >= 400)):
                outcome = Outcome(asked, number, call.elapsed(), response, failure, True, "")
                wait = retry.decide(outcome).wait
                left = call.limit.remaining() if call.limit is not None else None
                if wait is not None and (left is None or wait < left):
                    await call.runtime.sleep(wait)
                    continue
            if failure is not None:
                raise failure
            if response is None:
                raise AssertionError("unreachable")
            return response


def basic(user: str, password: str) -> str:
    """Basic authentication of a client: both parts are encoded as in a form first (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(user)}:{quote_plus(password)}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def _checked(client: Client, owner: str) -> Client:
    name = written(client.id, f"{owner} client_id") if client.id != "" else ""
    if cast("str", client.sends) not in ("basic", "body"):
        raise ConfigurationError(f"{owner} client_auth={client.sends!r}: write 'basic' or 'body'")
    secret = None if client.secret is None else written(client.secret, f"{owner} client_secret")
    if secret is not None and not name:
        raise ConfigurationError(f"{owner} client_id is empty, and client_secret is not: pass both")
    return Client(text_of(name, f"{owner} client_id"), secret, client.sends)


def _spellings(user: str, *secrets: str | None) -> list[str]:
    """Every way in which a server might repeat a secret."""
    plain = [secret for secret in secrets if secret]
    return [spelt for secret in plain for spelt in (secret, quote_plus(secret), basic(user, secret)[6:])]


def _what(error: CallError) -> str:
    text = str(error)
    return f"{text}: check token_url" if isinstance(error, ProtocolError) else text


def _call_of(request: Request) -> Call:
    if request._call is None:
        raise AssertionError("unreachable")
    return request._call
