"""Webhooks as type checkers see them: an event is of the type that was declared. Checked, never run."""

from __future__ import annotations

from typing import Annotated, Literal, assert_never, assert_type

from pydantic import BaseModel, Field, JsonValue, SecretStr

from stubwire.webhooks import (
    GitHubWebhook,
    MemoryReplayStore,
    ReplayStore,
    StandardWebhook,
    StripeWebhook,
    Webhook,
    WebhookError,
    WebhookEventError,
)


class Paid(BaseModel):
    type: Literal["paid"]
    amount: int


class Refunded(BaseModel):
    type: Literal["refunded"]
    reason: str


Event = Annotated[Paid | Refunded, Field(discriminator="type")]


def events(body: bytes, headers: dict[str, str]) -> None:
    assert_type(StripeWebhook("whsec_x", Paid).verify(body, headers), Paid)
    assert_type(StripeWebhook("whsec_x", Paid | Refunded).verify(body, headers), Paid | Refunded)
    assert_type(StandardWebhook("whsec_x", Event).verify(body, headers), Paid | Refunded)
    assert_type(GitHubWebhook("x", Event).verify(body, headers), Paid | Refunded)
    assert_type(StandardWebhook("whsec_x", dict[str, JsonValue]).verify(body, headers), dict[str, JsonValue])
    inline = StripeWebhook("whsec_x", Annotated[Paid | Refunded, Field(discriminator="type")])
    assert_type(inline.verify(body, headers), Paid | Refunded)
    named = GitHubWebhook[Paid | Refunded]("x", {"paid": Paid, "other": Event})
    assert_type(named.verify(body, headers), Paid | Refunded)
    annotated: Webhook[Paid | Refunded] = GitHubWebhook("x", {"paid": Paid, "refunded": Refunded})
    assert_type(annotated.verify(body, headers), Paid | Refunded)


def told_apart(webhook: StandardWebhook[Paid | Refunded], body: bytes, headers: dict[str, str]) -> int | str:
    event = webhook.verify(body, headers)
    match event:
        case Paid():
            return event.amount
        case Refunded():
            return event.reason
        case _:
            assert_never(event)


def secrets(store: ReplayStore) -> None:
    StripeWebhook(SecretStr("x"), Paid, tolerance=60, replay_store=store)
    StripeWebhook(["x", SecretStr("x"), lambda: "x"], Paid, replay_store=None)
    StandardWebhook(lambda: SecretStr("x"), Paid, replay_store=MemoryReplayStore(10))
    GitHubWebhook(("x", "y"), Paid, replay_window=3600)


def headers(webhook: StripeWebhook[Paid], body: bytes) -> None:
    webhook.verify(body, [("Stripe-Signature", "t=1,v1=00")])
    assert_type(webhook.sign(body, timestamp=1), dict[str, str])
    assert_type(StandardWebhook("x", Paid).sign(body, id="msg_1"), dict[str, str])
    assert_type(GitHubWebhook("x", Paid).sign(body, event="push"), dict[str, str])


def wider(webhook: StripeWebhook[Paid]) -> Webhook[BaseModel]:
    return webhook


def refused(error: WebhookError) -> list[str]:
    return [detail.get("msg", "") for detail in error.errors()] if isinstance(error, WebhookEventError) else []
