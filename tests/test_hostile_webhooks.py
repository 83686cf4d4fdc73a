"""Deliveries that somebody took apart, and events whose types say too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from deliveries import FAILED, KEY, OTHER_KEY, Anything
from stubwire.webhooks import StandardWebhook, StripeWebhook, WebhookEventError, WebhookReplayError

if TYPE_CHECKING:
    from conftest import Clock


def test_of_two_signatures_each_is_no_delivery_of_its_own(clock: Clock) -> None:
    """Whoever comes before the sender, with one signature and then with the other, is heard once."""
    new, old = (StandardWebhook(key, Anything).sign(FAILED, id="msg_1") for key in (KEY, OTHER_KEY))
    webhook = StandardWebhook([KEY, OTHER_KEY], Anything)
    assert webhook.verify(FAILED, old)
    with pytest.raises(WebhookReplayError):
        webhook.verify(FAILED, new)


def refused(value: str) -> str:
    raise PydanticCustomError("refused", "{value} is refused", {"value": value})


def test_an_error_of_ones_own_is_not_quoted(clock: Clock) -> None:
    webhook = StripeWebhook(KEY, Annotated[str, AfterValidator(refused)])
    with pytest.raises(WebhookEventError) as caught:
        webhook.verify(b'"planted"', webhook.sign(b'"planted"'))
    assert str(caught.value) == "StripeWebhook: genuine, and no str: a validator of its type refuses it"
    assert "planted" not in repr(caught.value.errors())


def test_a_million_signatures_are_read_once(clock: Clock) -> None:
    webhook = StandardWebhook(KEY, Anything)
    signed = webhook.sign(FAILED)
    many = "v1, " * 200_000 + signed["webhook-signature"]
    assert webhook.verify(FAILED, {**signed, "webhook-signature": many})
