"""Deliveries that the documents of their senders publish, and events to read them as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue

from stubwire.webhooks import (
    GitHubWebhook,
    StandardWebhook,
    StripeWebhook,
    Webhook,
    WebhookEventError,
    WebhookSignatureError,
)

Anything = dict[str, JsonValue]


class Charge(BaseModel):
    id: str
    amount: int


class ChargeSucceeded(BaseModel):
    type: Literal["charge.succeeded"]
    data: Charge


class ChargeFailed(BaseModel):
    type: Literal["charge.failed"]
    data: Charge
    reason: str


ChargeEvent = Annotated[ChargeSucceeded | ChargeFailed, Field(discriminator="type")]
SUCCEEDED = b'{"type":"charge.succeeded","data":{"id":"ch_1","amount":1700}}'
FAILED = '{"type":"charge.failed","data":{"id":"ch_2","amount":3},"reason":"Konto überzogen ☹"}'.encode()


@dataclass(frozen=True)
class Vector:
    """One delivery: who sends it, its secret, when it was sent, its headers and its body."""

    webhook: type[Webhook[Any]]
    secret: str
    sent: int
    headers: dict[str, str]
    body: bytes


STANDARD = Vector(
    StandardWebhook,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    1614265330,
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    b'{"test": 2432232314}',
)
"""Of the Standard Webhooks specification, as its libraries test it."""

STRIPE = Vector(
    StripeWebhook,
    "webhook_secret",
    1533204620,
    {
        "Stripe-Signature": "t=1533204620,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613,"
        "v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef"
    },
    b"""{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "ii_123",
      "object": "invoiceitem",
      "amount": 1000,
      "currency": "usd",
      "customer": "cus_123",
      "date": 1533204620,
      "description": "Test Invoice Item",
      "discountable": false,
      "invoice": "in_123",
      "livemode": false,
      "metadata": {},
      "period": {
        "start": 1533204620,
        "end": 1533204620
      },
      "plan": null,
      "proration": false,
      "quantity": null,
      "subscription": null
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "invoiceitem.created"
}
""",
)
"""As libraries for Stripe test it; Stripe's documents show a header, and no secret to verify it with."""

GITHUB = Vector(
    GitHubWebhook,
    "It's a Secret to Everybody",
    0,
    {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    b"Hello, World!",
)
"""Of GitHub's "Validating webhook deliveries"; its body is no JSON."""

TIMED = [STANDARD, STRIPE]
VECTORS = [*TIMED, GITHUB]
KEY = "whsec_" + "c2VjcmV0IHRvIG5vYm9keQ=="
OTHER_KEY = "whsec_" + "YW5vdGhlciBzZWNyZXQgb25l"


def sender(vector: Vector) -> str:
    """What a test of a vector is called."""
    return vector.webhook.__name__


def verdict(vector: Vector, **settings: Any) -> str:
    """What is said of a delivery; GitHub's published one is genuine, and no JSON."""
    webhook: Any = vector.webhook
    try:
        webhook(settings.pop("secret", vector.secret), Anything, **settings).verify(vector.body, vector.headers)
    except WebhookEventError:
        return "genuine"
    except WebhookSignatureError as error:
        return str(error).partition(": ")[2]
    return "genuine"


def changed(vector: Vector, name: str, value: str) -> Vector:
    return replace(vector, headers={**vector.headers, name: value})
