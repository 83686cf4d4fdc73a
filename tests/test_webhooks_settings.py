"""What a webhook is made of: a secret, a time or a type that cannot be used is refused, and no secret is shown."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from deliveries import FAILED, KEY, OTHER_KEY, Anything, Charge, ChargeEvent, ChargeSucceeded
from stubwire import ArgumentError, ConfigurationError, SpecError, StubwireError
from stubwire.webhooks import (
    GitHubWebhook,
    MemoryReplayStore,
    StandardWebhook,
    StripeWebhook,
    Webhook,
    WebhookError,
    WebhookEventError,
    WebhookReplayError,
    WebhookSignatureError,
)

if TYPE_CHECKING:
    from conftest import Clock

Made = Callable[..., Webhook[Any]]
EACH: list[Made] = [StandardWebhook, StripeWebhook, GitHubWebhook]


@pytest.mark.parametrize("made", EACH)
@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "secret is empty"),
        ("  \n", "secret is empty"),
        (SecretStr(""), "secret is empty"),
        (f"{KEY}\n", "secret has blanks around it: it was perhaps read with its newline"),
        (f" {KEY}", "secret has blanks around it: it was perhaps read with its newline"),
        ("\ud800", "secret is no valid Unicode text"),
        (b"bytes", "secret must be a str, a SecretStr or a function, not bytes"),
        (None, "secret must be a str, a SecretStr or a function, not NoneType"),
        ([], "secret is an empty list: nothing could be verified"),
        ((), "secret is an empty list: nothing could be verified"),
        ([KEY, ""], "secret[1] is empty"),
        ([KEY, KEY, 17], "secret[2] must be a str, a SecretStr or a function, not int"),
    ],
)
def test_a_secret_that_is_none_is_refused(made: Made, secret: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made(secret, Anything)
    assert str(caught.value) == f"{getattr(made, '__name__', '')} {reason}"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("whsec_", "must be base64, with or without whsec_ before it"),
        ("whsec_not base64", "must be base64, with or without whsec_ before it"),
        ("whsec_MfKQ-9r8K", "must be base64, with or without whsec_ before it"),
        ("whsec_MfKQ9", "must be base64, with or without whsec_ before it"),
        ("whsec_ü", "must be base64, with or without whsec_ before it"),
        ("whpk_MfKQ", "is a key of v1a signatures (ed25519): only whsec_ secrets are supported"),
        ("whsk_MfKQ", "is a key of v1a signatures (ed25519): only whsec_ secrets are supported"),
    ],
)
def test_a_secret_of_standard_webhooks_is_base64(secret: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        StandardWebhook([KEY, secret], Anything)
    assert str(caught.value) == f"StandardWebhook secret[1] {reason}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_it_may_come_without_its_prefix() -> None:
    bare = StandardWebhook(KEY.removeprefix("whsec_"), Anything).sign(b"{}", id="m", timestamp=1)
    assert bare == StandardWebhook(KEY, Anything).sign(b"{}", id="m", timestamp=1)


@pytest.mark.parametrize("made", EACH)
@pytest.mark.parametrize("answer", ["", None, "whsec_\n"])
def test_what_a_function_answers_is_held_to_the_same(made: Made, answer: Any) -> None:
    webhook = made(lambda: answer, Anything)
    headers = made(KEY, Anything).sign(FAILED)
    with pytest.raises(ConfigurationError, match=f"^{getattr(made, '__name__', '')} secret "):
        webhook.verify(FAILED, headers)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "300", None, True])
@pytest.mark.parametrize(
    ("made", "name"), [(StandardWebhook, "tolerance"), (StripeWebhook, "tolerance"), (GitHubWebhook, "replay_window")]
)
def test_seconds_are_a_finite_number_above_zero(made: Made, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made(KEY, Anything, **{name: value})
    assert str(caught.value) == (
        f"{getattr(made, '__name__', '')} {name}={value!r} must be a finite number of seconds above 0"
    )


@pytest.mark.parametrize("made", EACH)
def test_a_replay_store_can_add(made: Made) -> None:
    with pytest.raises(ConfigurationError, match=r"Webhook replay_store must have add\(key, seconds\), or be None$"):
        made(KEY, Anything, replay_store="redis://cache")


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "9"])
def test_a_replay_store_has_a_size(size: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryReplayStore(size)
    assert str(caught.value) == f"MemoryReplayStore max_size={size!r} must be a whole number from 1"


class Opaque:
    pass


@pytest.mark.parametrize("made", EACH)
def test_a_type_that_pydantic_cannot_handle_is_refused(made: Made) -> None:
    name = getattr(made, "__name__", "")
    with pytest.raises(SpecError, match=f"^{name} event: pydantic cannot handle the type Opaque: "):
        made(KEY, Opaque)


def test_a_mapping_says_which_of_its_types_is_wrong() -> None:
    with pytest.raises(SpecError, match=r"^GitHubWebhook event\['push'\]: pydantic cannot handle the type Opaque: "):
        GitHubWebhook[Any](KEY, {"ping": Anything, "push": Opaque})
    with pytest.raises(SpecError) as caught:
        GitHubWebhook[Any](KEY, {})
    assert str(caught.value) == "GitHubWebhook event is an empty mapping: write {'push': Push}"


@pytest.mark.parametrize("made", EACH)
@pytest.mark.parametrize("body", ["{}", {}, None, bytearray(b"{}"), memoryview(b"{}")])
def test_a_body_is_bytes(made: Made, body: Any) -> None:
    """A text or parsed JSON is a mistake of the handler, not a delivery to be refused."""
    webhook: Any = made(KEY, Anything)
    name = type(webhook).__name__
    calls: list[tuple[str, tuple[Any, ...]]] = [("verify", (body, {})), ("sign", (body,))]
    for method, arguments in calls:
        with pytest.raises(ArgumentError) as caught:
            getattr(webhook, method)(*arguments)
        assert str(caught.value) == (
            f"{name}.{method} body must be the bytes of the request as they came, not {type(body).__name__}: the "
            "signature is over these bytes, and JSON that was parsed or decoded is no longer the same"
        )


@pytest.mark.parametrize(
    "headers", [None, 17, "webhook-id", ["webhook-id"], [("a",)], [(b"webhook-id", b"1")], {"webhook-id": ["1"]}]
)
def test_headers_are_names_and_values(headers: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        StandardWebhook(KEY, Anything).verify(b"{}", headers)
    assert str(caught.value) == "StandardWebhook.verify headers must be names and values of type str"


@pytest.mark.parametrize("id", ["", "a.b", "a b", "ü"])
def test_an_id_that_would_be_refused_is_not_signed(id: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        StandardWebhook(KEY, Anything).sign(b"{}", id=id)
    assert str(caught.value) == ("StandardWebhook.sign id has a dot, a blank or a character outside ASCII, or is empty")


# ---- nothing is shown


def test_a_repr_shows_types_and_no_secret() -> None:
    assert repr(StandardWebhook(KEY, ChargeSucceeded)) == "StandardWebhook([redacted], ChargeSucceeded)"
    assert repr(StripeWebhook([KEY, lambda: KEY], Anything)) == "StripeWebhook([redacted], dict[str, JsonValue])"
    github = GitHubWebhook[Any](KEY, {"push": Charge, "ping": Anything, "pull_request": Charge})
    assert repr(github) == "GitHubWebhook([redacted], Charge | dict[str, JsonValue])"


@pytest.mark.parametrize("made", EACH)
def test_it_is_immutable_and_no_pickle_keeps_its_secret(made: Made) -> None:
    webhook = made(KEY, Anything)
    assert copy.copy(webhook) is webhook
    assert copy.deepcopy(webhook) is webhook
    with pytest.raises(TypeError, match="cannot be pickled: it holds a"):
        pickle.dumps(webhook)


@pytest.mark.parametrize("made", EACH)
def test_no_error_shows_a_secret_a_signature_or_the_body(made: Made, clock: Clock) -> None:
    webhook: Any = made([KEY, OTHER_KEY], ChargeEvent)
    body = b'{"type":"planted-type","data":"planted-data"}'
    signed = webhook.sign(body)
    signatures = [value.rpartition("v1,")[2].rpartition("=")[2] or value[3:] for value in signed.values()]
    errors: list[BaseException] = []
    for sent, headers in [
        (body, signed),
        (body + b" ", signed),
        (body, {**signed, "webhook-timestamp": "1", "Stripe-Signature": "t=1"}),
        (body, {name: f"planted-{name}" for name in signed}),
    ]:
        with pytest.raises(WebhookError) as caught:
            webhook.verify(sent, headers)
        errors.append(caught.value)
    for error in errors:
        assert (error.__cause__, error.__context__) == (None, None)
        told = f"{error} {error!r} {vars(error)} {pickle.dumps(error)!r} {getattr(error, '__notes__', '')}"
        for planted in ["planted", KEY, KEY[6:], OTHER_KEY, *[text for text in signatures if len(text) > 20]]:
            assert planted not in told


def test_the_errors_are_a_tree() -> None:
    for kind in (WebhookSignatureError, WebhookReplayError, WebhookEventError):
        assert issubclass(kind, WebhookError)
        assert kind.__module__ == "stubwire.webhooks"
    assert issubclass(WebhookError, StubwireError)
    assert issubclass(WebhookError, ValueError)


def test_an_error_pickles_whole(clock: Clock) -> None:
    webhook = StripeWebhook(KEY, ChargeEvent)
    with pytest.raises(WebhookEventError) as caught:
        webhook.verify(b"{}", webhook.sign(b"{}"))
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (type(twin), str(twin), twin.errors()) == (WebhookEventError, str(caught.value), caught.value.errors())
    assert twin.errors()
