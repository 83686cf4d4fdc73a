"""What the webhooks of all senders have in common.

This module's rule: nothing of a body is read before its signature was found, and a delivery is remembered when it is
about to be handed over, not before.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, cast, get_args

from pydantic import ValidationError
from pydantic_core import core_schema
from typing_extensions import TypeVar

from stubwire import _clock
from stubwire._adapters import adapter
from stubwire._annotations import name_of
from stubwire._credentials import Credential
from stubwire._validation import details
from stubwire._webhook_errors import WebhookEventError, WebhookReplayError
from stubwire._webhook_parts import (
    Claim,
    HeaderPairs,
    Received,
    check_body,
    found,
    mac,
    seconds_of,
    secrets_of,
    staleness,
    told,
)
from stubwire._webhook_replays import MemoryReplayStore
from stubwire.errors import ConfigurationError, ErrorDetail
from stubwire.markers import Unset

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from stubwire._webhook_parts import Secret
    from stubwire._webhook_replays import ReplayStore

E_co = TypeVar("E_co", covariant=True)
"""The type of the events."""

_SHOWN_ERRORS = 5


class Webhook(Credential, ABC, Generic[E_co]):
    """The deliveries of a sender to one address of yours; `StripeWebhook` and the others are made once for each."""

    _header: str
    """The header that has the signatures."""
    _scheme: str = "v1"
    """What marks a signature that is known."""
    _time: str = ""
    """Where the time of a delivery is."""

    def __init__(
        self,
        secret: Secret | Sequence[Secret],
        events: Mapping[str, object],
        seconds: tuple[str, float],
        replay_store: ReplayStore | Unset | None,
    ) -> None:
        name = type(self).__name__
        self._secrets = secrets_of(secret, f"{name} secret")
        for where, item in self._secrets.items():
            if not callable(item):
                self._key(item.get_secret_value(), where)
        self._events = dict(events)
        self._adapters: dict[str, TypeAdapter[Any]] = {
            key: adapter(hint, f"{name} event" + (f"[{key!r}]" if key else "")) for key, hint in events.items()
        }
        self._seconds = seconds_of(seconds[1], f"{name} {seconds[0]}")
        self._replay_store = MemoryReplayStore() if isinstance(replay_store, Unset) else replay_store
        if self._replay_store is not None and not callable(getattr(self._replay_store, "add", None)):
            raise ConfigurationError(f"{name} replay_store must have add(key, seconds), or be None")

    def verify(self, body: bytes, headers: HeaderPairs) -> E_co:
        """The event of a delivery, if it is genuine, of now, and no copy of one that was verified.

        Args:
            body: the bytes of the request as they came.
            headers: the headers of the request, in any case.

        Raises:
            WebhookSignatureError: a header is missing or malformed, no secret made a signature in it, or its time is
                too old or too far in the future.
            WebhookEventError: it is genuine, and its body is none of the declared events.
            WebhookReplayError: it is genuine, and was verified before.
            ArgumentError: the body is no `bytes`, or a header no `str`.
            ConfigurationError: a function that is asked for a secret gave none.
        """
        name = type(self).__name__
        check_body(body, f"{name}.verify")
        received = Received(headers, name)
        claim = self._claim(received)
        made = self._signatures(claim.before, body)
        if not found(made, claim.signatures):
            raise received.refusal(self._unmatched(claim))
        seconds = self._fresh(claim, received)
        event = self._parse(body, received)
        self._remember(made, seconds)
        return event

    @abstractmethod
    def sign(self, body: bytes) -> dict[str, str]:
        """The headers with which the sender would deliver a body, made with the first secret; to test a handler.

        Raises:
            ArgumentError: the body is no `bytes`.
        """

    def _signatures(self, before: bytes, body: bytes) -> list[bytes]:
        """What each secret makes of a body."""
        keys = [self._key(told(item, where), where) for where, item in self._secrets.items()]
        return [self._written(mac(key, before, body)) for key in keys]

    def _signed(self, before: bytes, body: bytes) -> str:
        """What the first secret makes of a body."""
        check_body(body, f"{type(self).__name__}.sign")
        return self._signatures(before, body)[0].decode("ascii")

    def _unmatched(self, claim: Claim) -> str:
        if not claim.signatures:
            return f"the header {self._header} has no {self._scheme} signature"
        return (
            f"no {self._scheme} signature in the header {self._header} fits secret and body: the secret is that of "
            "another address, or the body is not as it was sent"
        )

    def _fresh(self, claim: Claim, received: Received) -> int:
        """For how many seconds a copy of this delivery has to be refused.

        Raises:
            WebhookSignatureError: its time is too far from now.
        """
        if claim.sent is None:
            return math.ceil(self._seconds)
        now = _clock.now()
        if reason := staleness(claim.sent, self._seconds, now):
            raise received.refusal(f"{self._time} is {reason}")
        return math.ceil(claim.sent + self._seconds - now) + 1

    def _parse(self, body: bytes, received: Received) -> E_co:  # noqa: ARG002 - some senders name the event there
        return self._fitted(body, "")

    def _fitted(self, body: bytes, key: str) -> E_co:
        """The body as one of the declared types.

        Raises:
            WebhookEventError: it does not fit.
        """
        try:
            return cast("E_co", self._adapters[key].validate_json(body))
        except ValidationError as error:
            complaints = [_complaint(detail) for detail in details(error)]
        shown = "; ".join(
            f"{'.'.join(map(str, detail.get('loc', ())))}: {detail.get('msg', '')}".removeprefix(": ")
            for detail in complaints[:_SHOWN_ERRORS]
        )
        more = f"; and {len(complaints) - _SHOWN_ERRORS} more" if len(complaints) > _SHOWN_ERRORS else ""
        raise WebhookEventError(
            f"{type(self).__name__}: genuine, and no {name_of(self._events[key])}: {shown}{more}", details=complaints
        )

    def _remember(self, made: list[bytes], seconds: int) -> None:
        """Remember the signature of each secret: one copy may come with one of them, and the next with another.

        Raises:
            WebhookReplayError: one is remembered.
        """
        if self._replay_store is None:
            return
        new = [self._replay_store.add(hashlib.sha256(one).hexdigest(), seconds) for one in dict.fromkeys(made)]
        if not all(new):
            raise WebhookReplayError(f"{type(self).__name__}: genuine, and verified before")

    def __repr__(self) -> str:
        """Show no secret."""
        types = " | ".join(dict.fromkeys(map(name_of, self._events.values())))
        return f"{type(self).__name__}([redacted], {types})"

    @abstractmethod
    def _key(self, text: str, where: str) -> bytes:
        """The key that a secret is the text of."""

    @abstractmethod
    def _claim(self, received: Received) -> Claim:
        """What the headers say."""

    @abstractmethod
    def _written(self, signature: bytes) -> bytes:
        """A signature as this sender writes it."""


@cache
def _known() -> frozenset[str]:
    """The errors that are pydantic's own; the text of others is a user's."""
    return frozenset(get_args(core_schema.ErrorType))


def _complaint(detail: ErrorDetail) -> ErrorDetail:
    """What pydantic says, without the input, and without a user's own text, which may quote it."""
    message = detail.get("msg", "")
    if detail.get("type") in ("value_error", "assertion_error") or detail.get("type") not in _known():
        message = "a validator of its type refuses it"
    elif detail.get("type") == "uuid_parsing":
        message = "Input should be a valid UUID"
    return {"type": detail.get("type", ""), "loc": detail.get("loc", ()), "msg": message}


Webhook.__module__ = "stubwire.webhooks"
