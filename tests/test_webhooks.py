"""Webhooks: what is genuine and of now is verified, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from deliveries import (
    FAILED,
    GITHUB,
    KEY,
    OTHER_KEY,
    STANDARD,
    STRIPE,
    TIMED,
    VECTORS,
    Anything,
    Vector,
    changed,
    sender,
    verdict,
)
from stubwire import _clock
from stubwire.webhooks import (
    GitHubWebhook,
    StandardWebhook,
    StripeWebhook,
    Webhook,
    WebhookEventError,
    WebhookSignatureError,
)

if TYPE_CHECKING:
    from conftest import Clock

Made = Callable[..., Webhook[Any]]
EACH: list[Made] = [StandardWebhook, StripeWebhook, GitHubWebhook]


@pytest.mark.parametrize("vector", VECTORS, ids=sender)
def test_published_deliveries_are_genuine(vector: Vector, clock: Clock) -> None:
    clock.time = vector.sent
    assert verdict(vector) == "genuine"


@pytest.mark.parametrize("vector", VECTORS, ids=sender)
def test_published_signatures_are_what_the_documents_say(vector: Vector) -> None:
    """The HMAC computed here, from the words of the documents, without stubwire."""
    headers, body = vector.headers, vector.body
    key, text = vector.secret.encode(), body
    if vector is STANDARD:
        key = base64.b64decode(vector.secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    elif vector is STRIPE:
        text = f"{vector.sent}.".encode() + body
    made = hmac.digest(key, text, "sha256")
    assert any(written in " ".join(headers.values()) for written in (made.hex(), base64.b64encode(made).decode()))


@pytest.mark.parametrize("made", EACH)
def test_what_is_signed_here_is_what_is_computed_by_hand(made: Made, clock: Clock) -> None:
    webhook: Any = made(KEY, Anything)
    key = KEY.encode()
    if isinstance(webhook, StandardWebhook):
        signed = webhook.sign(FAILED, id="msg_1", timestamp=17)
        mac = hmac.new(base64.b64decode(KEY[6:]), b"msg_1.17." + FAILED, hashlib.sha256).digest()
        assert signed == {
            "webhook-id": "msg_1",
            "webhook-timestamp": "17",
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
    elif isinstance(webhook, StripeWebhook):
        mac = hmac.new(key, b"17." + FAILED, hashlib.sha256).digest()
        assert webhook.sign(FAILED, timestamp=17) == {"Stripe-Signature": f"t=17,v1={mac.hex()}"}
    else:
        mac = hmac.new(key, FAILED, hashlib.sha256).digest()
        signed = webhook.sign(FAILED, event="push")
        assert signed == {"X-Hub-Signature-256": f"sha256={mac.hex()}", "X-GitHub-Event": "push"}


@pytest.mark.parametrize("made", EACH)
def test_a_body_with_more_than_ascii_is_verified(made: Made, clock: Clock) -> None:
    webhook = made(KEY, Anything)
    assert webhook.verify(FAILED, webhook.sign(FAILED))["reason"] == "Konto überzogen ☹"


@pytest.mark.parametrize("made", [StripeWebhook, GitHubWebhook])
def test_a_secret_with_more_than_ascii_is_its_utf_8(made: Made, clock: Clock) -> None:
    webhook = made("schlüssel ☹", Anything)
    assert webhook.verify(FAILED, webhook.sign(FAILED))
    assert hmac.digest("schlüssel ☹".encode(), FAILED, "sha256").hex() in str(
        GitHubWebhook("schlüssel ☹", Anything).sign(FAILED)
    )


# ---- tampered


@pytest.mark.parametrize("vector", VECTORS, ids=sender)
@pytest.mark.parametrize("place", range(3))
def test_a_changed_body_is_refused(vector: Vector, place: int, clock: Clock) -> None:
    clock.time = vector.sent
    body = [b" " + vector.body, vector.body + b"\n", vector.body.replace(b"e", b"\xc3\xa9")][place]
    assert verdict(replace(vector, body=body)).startswith("no ")


@pytest.mark.parametrize("vector", VECTORS, ids=sender)
def test_another_secret_is_refused(vector: Vector, clock: Clock) -> None:
    clock.time = vector.sent
    header = list(vector.headers)[-1]
    scheme = "sha256" if vector is GITHUB else "v1"
    assert verdict(vector, secret=OTHER_KEY) == (
        f"no {scheme} signature in the header {header} fits secret and body: the secret is that of another address, "
        "or the body is not as it was sent"
    )


@given(st.data())
def test_no_byte_flipped_anywhere_verifies(data: st.DataObject) -> None:
    """Neither in the body, nor in a header that is signed or is a signature; and what was not flipped verifies."""
    made: Made = data.draw(st.sampled_from(EACH))
    webhook = made(KEY, Anything, replay_store=None)
    body = data.draw(st.sampled_from([FAILED, b"{}"]))
    headers = webhook.sign(body)
    assert webhook.verify(body, headers) is not None
    names = ["", *headers]
    name = data.draw(st.sampled_from(names))
    whole = bytearray(headers[name].encode() if name else body)
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    if name:
        headers[name] = whole.decode("latin-1")
    with pytest.raises(WebhookSignatureError):
        webhook.verify(body if name else bytes(whole), headers)


@given(body=st.binary(), secret=st.text(min_size=1).filter(lambda text: text == text.strip()))
def test_what_is_signed_is_genuine_whatever_it_is(body: bytes, secret: str) -> None:
    """No body, text or not, leads to another error than that it is no event."""
    coded = base64.b64encode(secret.encode()).decode()
    for webhook in (StandardWebhook(coded, Anything), StripeWebhook(secret, Anything), GitHubWebhook(secret, Anything)):
        with suppress(WebhookEventError):
            webhook.verify(body, webhook.sign(body))


HEADERS = st.dictionaries(
    st.sampled_from(
        ["webhook-id", "webhook-timestamp", "webhook-signature", "Stripe-Signature", "X-Hub-Signature-256"]
    ),
    st.text() | st.from_regex(r"(t=|v1[=,]|sha256=)?[0-9a-f]*(,v1=\S*)?"),
)


@given(headers=HEADERS, body=st.binary())
def test_nothing_made_up_is_genuine(headers: dict[str, str], body: bytes) -> None:
    for made in EACH:
        with pytest.raises(WebhookSignatureError):
            made(KEY, Anything).verify(body, headers)


# ---- stale, and of the future


@pytest.mark.parametrize("vector", TIMED, ids=sender)
@pytest.mark.parametrize("distance", [-300, -299.5, 0, 299.5, 300])
def test_a_time_within_the_tolerance_is_of_now(vector: Vector, distance: float, clock: Clock) -> None:
    clock.time = vector.sent + distance
    assert verdict(vector) == "genuine"


PLACES = {
    "StandardWebhook": "the header webhook-timestamp",
    "StripeWebhook": "the time t in the header Stripe-Signature",
}


@pytest.mark.parametrize("vector", TIMED, ids=sender)
@pytest.mark.parametrize(
    ("distance", "tolerance", "reason"),
    [
        (301, 300.0, "301 s old, more than tolerance=300"),
        (300.5, 300.0, "301 s old, more than tolerance=300"),
        (-300.5, 300.0, "301 s in the future, more than tolerance=300"),
        (86400, 300.0, "86400 s old, more than tolerance=300"),
        (1, 0.5, "1 s old, more than tolerance=0.5"),
        (-3, 2, "3 s in the future, more than tolerance=2"),
    ],
)
def test_a_time_beyond_it_is_refused(
    vector: Vector, distance: float, tolerance: float, reason: str, clock: Clock
) -> None:
    clock.time = vector.sent + distance
    assert verdict(vector, tolerance=tolerance) == f"{PLACES[sender(vector)]} is {reason}"


def test_a_github_delivery_has_no_time(clock: Clock) -> None:
    clock.time = 10**10
    assert verdict(GITHUB) == "genuine"


@pytest.mark.parametrize(
    "time", ["", "-1", "+1614265330", "1614265330.0", " 1614265330", "1_614_265_330", "x", "\uff19", "1" * 13]
)
def test_a_time_that_is_no_number_of_seconds_is_refused(time: str) -> None:
    assert verdict(changed(STANDARD, "webhook-timestamp", time)) == (
        "the header webhook-timestamp is no whole number of seconds since 1970"
    )
    assert verdict(changed(STRIPE, "Stripe-Signature", f"t={time},v1=00")) == (
        "the header Stripe-Signature has no time t, in whole seconds since 1970"
    )


def test_time_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_clock, "now", lambda: 1700000017.9)
    assert StripeWebhook(KEY, Anything).sign(b"{}")["Stripe-Signature"].startswith("t=1700000017,v1=")
    assert StandardWebhook(KEY, Anything).sign(b"{}")["webhook-timestamp"] == "1700000017"


# ---- rotation


@pytest.mark.parametrize("made", EACH)
@pytest.mark.parametrize("secrets", [[OTHER_KEY, KEY], (KEY, OTHER_KEY), [SecretStr(OTHER_KEY), lambda: KEY]])
def test_one_of_several_secrets_is_enough(made: Made, secrets: Any, clock: Clock) -> None:
    headers = made(KEY, Anything).sign(FAILED)
    assert made(secrets, Anything).verify(FAILED, headers)


def test_one_of_several_signatures_is_enough(clock: Clock) -> None:
    """Those of secrets that are unknown here, and of other schemes, are passed over, wherever they stand."""
    clock.time = STANDARD.sent
    other = StandardWebhook(OTHER_KEY, Anything).sign(
        STANDARD.body, id=STANDARD.headers["webhook-id"], timestamp=STANDARD.sent
    )["webhook-signature"]
    good = STANDARD.headers["webhook-signature"]
    for given_ in (f"{other} {good}", f"{good} {other}", f"v1a,hnO3f9T8Ytu9Hw== {good}", f"v2,x  v1, {good} "):
        assert verdict(changed(STANDARD, "webhook-signature", given_)) == "genuine"
    clock.time = STRIPE.sent
    good = STRIPE.headers["Stripe-Signature"].split(",")[1]
    for given_ in (f"v1={'0' * 64},{good},t={STRIPE.sent}", f"t={STRIPE.sent},{good},v1=,v2=1,x"):
        assert verdict(changed(STRIPE, "Stripe-Signature", given_)) == "genuine"


def test_a_function_is_asked_at_each_delivery(clock: Clock) -> None:
    """So that a secret may change while the service runs."""
    current = [KEY]
    webhook = StripeWebhook(lambda: SecretStr(current[0]), Anything)
    headers = StripeWebhook(OTHER_KEY, Anything).sign(FAILED)
    with pytest.raises(WebhookSignatureError):
        webhook.verify(FAILED, headers)
    current[0] = OTHER_KEY
    assert webhook.verify(FAILED, headers)


def test_the_first_secret_signs(clock: Clock) -> None:
    signed = StripeWebhook([OTHER_KEY, KEY], Anything).sign(FAILED)
    assert signed == StripeWebhook(OTHER_KEY, Anything).sign(FAILED)
