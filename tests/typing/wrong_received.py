"""Uses of webhooks that a type checker must reject: each line with a mark, and no other. Checked, never run."""

from __future__ import annotations

from pydantic import BaseModel

from stubwire.webhooks import GitHubWebhook, StandardWebhook, StripeWebhook, Webhook


class Paid(BaseModel):
    amount: int


class Push(BaseModel):
    ref: str


class Store:
    def add(self, key: str) -> bool:
        raise NotImplementedError


async def fetched() -> str:
    raise NotImplementedError


def declared() -> None:
    Webhook("x", Paid)  # E abstract
    StripeWebhook("x")  # E what is it an event of
    StripeWebhook(b"x", Paid)  # E a secret is a text
    StripeWebhook(fetched, Paid)  # E nobody awaits it
    StripeWebhook("x", Paid, tolerance="300")  # E seconds
    StripeWebhook("x", Paid, 300)  # E by its name
    StandardWebhook("x", Paid, replay_store=Store())  # E for how long
    GitHubWebhook("x", Paid, tolerance=300)  # E GitHub signs no time
    GitHubWebhook[Paid]("x", {"push": Push})  # E another event
    events: StripeWebhook[Push] = StripeWebhook("x", Paid)  # E another event
    events.sign(b"", id="msg_1")  # E Stripe's id is in the body


def used(webhook: StripeWebhook[Paid], headers: dict[str, str]) -> None:
    webhook.verify("{}", headers)  # E bytes
    webhook.verify({"amount": 1}, headers)  # E bytes
    webhook.verify(b"{}", {"Stripe-Signature": 1})  # E a text
    _ = webhook.verify(b"{}", headers).ref  # E of another event
    webhook.sign("{}")  # E bytes
