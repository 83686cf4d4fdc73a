"""Webhooks: is what an API sends you genuine, and which event is it?

`StandardWebhook`, `StripeWebhook` and `GitHubWebhook` verify the signature over the body as it came, in constant time,
hold the time of the delivery to a tolerance in both directions, refuse a copy of a delivery that was verified, and
parse the body into a type of yours.

This module's rule: one class for each sender, which says where its headers are and how it signs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast, overload
from urllib.parse import parse_qs
from uuid import uuid4

from stubwire import _clock
from stubwire._webhook import E_co, Webhook
from stubwire._webhook_errors import WebhookError, WebhookEventError, WebhookReplayError, WebhookSignatureError
from stubwire._webhook_parts import Claim, Received, unix_time
from stubwire._webhook_replays import MemoryReplayStore, ReplayStore
from stubwire.errors import ArgumentError, ConfigurationError, SpecError
from stubwire.markers import UNSET, Unset

if TYPE_CHECKING:
    from typing_extensions import TypeForm

    from stubwire._webhook_parts import Secret

__all__ = [
    "GitHubWebhook",
    "MemoryReplayStore",
    "ReplayStore",
    "StandardWebhook",
    "StripeWebhook",
    "Webhook",
    "WebhookError",
    "WebhookEventError",
    "WebhookReplayError",
    "WebhookSignatureError",
]

_ID = re.compile(r"[!-\-/-~]+")
"""Printable ASCII without a dot: a dot in it would let what was signed be cut at other places."""


class StandardWebhook(Webhook[E_co]):
    """Webhooks of the Standard Webhooks specification, version 1, as many APIs send them.

    Of its signatures `v1` (HMAC-SHA256) is verified. `v1a` (ed25519) is not: Python's standard library has none.

    Args:
        secret: `whsec_` and base64, or base64 alone; several while they rotate.
        event: the type of the body: a model, a union of them, anything that pydantic reads.
        tolerance: how many seconds the time of a delivery may be from now, in both directions.
        replay_store: remembers what was verified; in this process unless set, and `None` lets copies pass.

    Raises:
        ConfigurationError: a secret, `tolerance` or `replay_store` cannot be used.
        SpecError: pydantic cannot handle `event`.
    """

    _header = "webhook-signature"
    _time = "the header webhook-timestamp"

    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        event: TypeForm[E_co],
        *,
        tolerance: float = 300.0,
        replay_store: ReplayStore | Unset | None = UNSET,
    ) -> None:
        super().__init__(secret, {"": event}, ("tolerance", tolerance), replay_store)

    def sign(self, body: bytes, *, id: str | None = None, timestamp: int | None = None) -> dict[str, str]:
        """The headers with which the sender would deliver a body, made with the first secret; to test a handler.

        Args:
            body: the bytes to deliver.
            id: of the event; a new one unless given.
            timestamp: when, in seconds since the epoch; now unless given.

        Raises:
            ArgumentError: the body is no `bytes`, or the id has a dot, a blank or a character outside ASCII.
        """
        name = f"msg_{uuid4().hex}" if id is None else id
        if not _ID.fullmatch(name):
            raise ArgumentError("StandardWebhook.sign id has a dot, a blank or a character outside ASCII, or is empty")
        time = str(int(_clock.now()) if timestamp is None else timestamp)
        signature = self._signed(f"{name}.{time}.".encode(), body)
        return {"webhook-id": name, "webhook-timestamp": time, "webhook-signature": f"v1,{signature}"}

    def _key(self, text: str, where: str) -> bytes:
        if text.startswith(("whpk_", "whsk_")):
            raise ConfigurationError(f"{where} is a key of v1a signatures (ed25519): only whsec_ secrets are supported")
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not key:
            raise ConfigurationError(f"{where} must be base64, with or without whsec_ before it")
        return key

    def _claim(self, received: Received) -> Claim:
        name, time = received.need("webhook-id"), received.need("webhook-timestamp")
        given = received.need(self._header)
        if not _ID.fullmatch(name):
            raise received.refusal("the header webhook-id has a dot, a blank or a character outside ASCII, or is empty")
        sent = unix_time(time)
        if sent is None:
            raise received.refusal("the header webhook-timestamp is no whole number of seconds since 1970")
        signatures = [item.removeprefix("v1,") for item in given.split(" ") if item.startswith("v1,")]
        return Claim(f"{name}.{time}.".encode(), sent, [_plain(item) for item in signatures])

    def _written(self, signature: bytes) -> bytes:
        return base64.b64encode(signature)


class StripeWebhook(Webhook[E_co]):
    """Webhooks of Stripe, and of those that sign in the same way: `Stripe-Signature: t=...,v1=...`.

    Args:
        secret: that of the endpoint, `whsec_...`, not an API key; several while they rotate.
        event: the type of the body: a model, a union of them, anything that pydantic reads.
        tolerance: how many seconds the time of a delivery may be from now, in both directions.
        replay_store: remembers what was verified; in this process unless set, and `None` lets copies pass.

    Raises:
        ConfigurationError: a secret, `tolerance` or `replay_store` cannot be used.
        SpecError: pydantic cannot handle `event`.
    """

    _header = "Stripe-Signature"
    _time = "the time t in the header Stripe-Signature"

    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        event: TypeForm[E_co],
        *,
        tolerance: float = 300.0,
        replay_store: ReplayStore | Unset | None = UNSET,
    ) -> None:
        super().__init__(secret, {"": event}, ("tolerance", tolerance), replay_store)

    def sign(self, body: bytes, *, timestamp: int | None = None) -> dict[str, str]:
        """The header with which Stripe would deliver a body, made with the first secret; to test a handler.

        Args:
            body: the bytes to deliver.
            timestamp: when, in seconds since the epoch; now unless given.

        Raises:
            ArgumentError: the body is no `bytes`.
        """
        time = str(int(_clock.now()) if timestamp is None else timestamp)
        return {self._header: f"t={time},v1={self._signed(f'{time}.'.encode(), body)}"}

    def _key(self, text: str, where: str) -> bytes:  # noqa: ARG002 - any text is one
        return text.encode()

    def _claim(self, received: Received) -> Claim:
        items = [item.partition("=") for item in received.need(self._header).split(",")]
        times = [value for key, _, value in items if key == "t"]
        sent = unix_time(times[0]) if len(times) == 1 else None
        if sent is None:
            raise received.refusal("the header Stripe-Signature has no time t, in whole seconds since 1970")
        return Claim(f"{times[0]}.".encode(), sent, [_plain(value) for key, _, value in items if key == "v1"])

    def _written(self, signature: bytes) -> bytes:
        return signature.hex().encode()


class GitHubWebhook(Webhook[E_co]):
    """Webhooks of GitHub: `X-Hub-Signature-256: sha256=...`, with bodies of JSON or of a form.

    GitHub signs the body, and neither a time nor the name of the event: a copy of a delivery stays genuine for ever.

    Args:
        secret: that of the webhook; several while they rotate.
        event: the type of the body; or for each event that `X-GitHub-Event` may name, such as `"push"`, its type.
        replay_window: for how many seconds a copy of a delivery is refused.
        replay_store: remembers what was verified; in this process unless set, and `None` lets copies pass.

    Raises:
        ConfigurationError: a secret, `replay_window` or `replay_store` cannot be used.
        SpecError: pydantic cannot handle `event`, or it is an empty mapping.
    """

    _header = "X-Hub-Signature-256"
    _scheme = "sha256"

    @overload
    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        event: TypeForm[E_co],
        *,
        replay_window: float = ...,
        replay_store: ReplayStore | Unset | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        event: Mapping[str, TypeForm[E_co]],
        *,
        replay_window: float = ...,
        replay_store: ReplayStore | Unset | None = ...,
    ) -> None: ...
    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        event: object,
        *,
        replay_window: float = 300.0,
        replay_store: ReplayStore | Unset | None = UNSET,
    ) -> None:
        self._named = isinstance(event, Mapping)
        events = cast("Mapping[str, object]", event) if self._named else {"": event}
        if not events:
            raise SpecError(f"{type(self).__name__} event is an empty mapping: write {{'push': Push}}")
        super().__init__(secret, events, ("replay_window", replay_window), replay_store)

    def sign(self, body: bytes, *, event: str | None = None) -> dict[str, str]:
        """The headers with which GitHub would deliver a body, made with the first secret; to test a handler.

        Args:
            body: the bytes to deliver.
            event: the name of the event, for `X-GitHub-Event`.

        Raises:
            ArgumentError: the body is no `bytes`.
        """
        named = {} if event is None else {"X-GitHub-Event": event}
        return {self._header: f"sha256={self._signed(b'', body)}", **named}

    def _key(self, text: str, where: str) -> bytes:  # noqa: ARG002 - any text is one
        return text.encode()

    def _claim(self, received: Received) -> Claim:
        scheme, _, value = received.need(self._header).partition("=")
        return Claim(b"", None, [_plain(value)] if scheme == "sha256" else [])

    def _written(self, signature: bytes) -> bytes:
        return signature.hex().encode()

    def _parse(self, body: bytes, received: Received) -> E_co:
        if body.startswith(b"payload="):  # a form; the body says so, because Content-Type is not signed
            body = parse_qs(body.decode("latin-1"), keep_blank_values=True)["payload"][0].encode()
        if not self._named:
            return self._fitted(body, "")
        key = received.need("X-GitHub-Event")
        if key not in self._events:
            raise WebhookEventError(
                f"{type(self).__name__}: genuine, and the header X-GitHub-Event names none of {', '.join(self._events)}"
            )
        return self._fitted(body, key)


def _plain(signature: str) -> bytes:
    """A signature that came, as bytes; what is outside ASCII is in none that is made."""
    return signature.encode("ascii", "replace")
