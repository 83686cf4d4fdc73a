"""What was verified becomes an event of the declared type, or an error that says what does not fit."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, Field, JsonValue
from typing_extensions import TypedDict

from deliveries import (
    FAILED,
    GITHUB,
    KEY,
    SUCCEEDED,
    Anything,
    Charge,
    ChargeEvent,
    ChargeFailed,
    ChargeSucceeded,
)
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


class Push(BaseModel):
    ref: str


class Opened(BaseModel):
    action: Literal["opened"]
    number: int


class Closed(BaseModel):
    action: Literal["closed"]
    number: int


Issue = Annotated[Opened | Closed, Field(discriminator="action")]


class Row(TypedDict):
    ref: str


@dataclasses.dataclass
class Record:
    ref: str


def test_a_union_is_told_apart(clock: Clock) -> None:
    webhooks: list[Webhook[ChargeSucceeded | ChargeFailed]] = [
        StandardWebhook(KEY, ChargeEvent),
        StripeWebhook(KEY, ChargeEvent),
        GitHubWebhook(KEY, ChargeEvent),
    ]
    for webhook in webhooks:
        assert webhook.verify(SUCCEEDED, webhook.sign(SUCCEEDED)) == ChargeSucceeded(
            type="charge.succeeded", data=Charge(id="ch_1", amount=1700)
        )
        failed = webhook.verify(FAILED, webhook.sign(FAILED))
        assert isinstance(failed, ChargeFailed)
        assert failed.reason == "Konto überzogen ☹"


@pytest.mark.parametrize(
    ("hint", "body", "event"),
    [
        (Push, b'{"ref":"main"}', Push(ref="main")),
        (Row, b'{"ref":"main"}', {"ref": "main"}),
        (Record, b'{"ref":"main"}', Record("main")),
        (list[Push], b'[{"ref":"main"}]', [Push(ref="main")]),
        (Push | Opened, b'{"action":"opened","number":1}', Opened(action="opened", number=1)),
        (JsonValue, b"null", None),
        (Any, b'"text"', "text"),
    ],
)
def test_any_type_of_pydantic_will_do(hint: Any, body: bytes, event: object, clock: Clock) -> None:
    webhook: StripeWebhook[Any] = StripeWebhook(KEY, hint)
    assert webhook.verify(body, webhook.sign(body)) == event


# ---- GitHub names the event in a header


GITHUB_EVENTS = GitHubWebhook[Push | Opened | Closed](KEY, {"push": Push, "issues": Issue}, replay_store=None)


def test_the_header_of_github_chooses_the_type() -> None:
    body = b'{"ref":"main","action":"closed","number":17}'
    assert GITHUB_EVENTS.verify(body, GITHUB_EVENTS.sign(body, event="push")) == Push(ref="main")
    assert GITHUB_EVENTS.verify(body, GITHUB_EVENTS.sign(body, event="issues")) == Closed(action="closed", number=17)


def test_an_event_without_a_type_is_an_error_of_its_own() -> None:
    """As is the `ping` with which each webhook begins; the header is not repeated, because it is not signed."""
    with pytest.raises(WebhookEventError) as caught:
        GITHUB_EVENTS.verify(b"{}", GITHUB_EVENTS.sign(b"{}", event="ping"))
    assert str(caught.value) == "GitHubWebhook: genuine, and the header X-GitHub-Event names none of push, issues"
    assert caught.value.errors() == []


def test_without_the_header_nothing_is_chosen() -> None:
    with pytest.raises(WebhookSignatureError) as caught:
        GITHUB_EVENTS.verify(b"{}", GITHUB_EVENTS.sign(b"{}"))
    assert str(caught.value) == "GitHubWebhook: the header X-GitHub-Event is missing"


def test_the_error_names_the_type_that_was_chosen() -> None:
    with pytest.raises(WebhookEventError) as caught:
        GITHUB_EVENTS.verify(b"{}", GITHUB_EVENTS.sign(b"{}", event="push"))
    assert str(caught.value) == "GitHubWebhook: genuine, and no Push: ref: Field required"


@pytest.mark.parametrize("ref", ["main", "Ü&=+ %☹"])
def test_github_may_send_a_form(ref: str) -> None:
    """`application/x-www-form-urlencoded`, which is signed as it is sent; the body itself says that it is one."""
    form = urlencode({"payload": Push(ref=ref).model_dump_json()}).encode()
    headers = {**GITHUB_EVENTS.sign(form, event="push"), "Content-Type": "application/json"}
    assert GITHUB_EVENTS.verify(form, headers) == Push(ref=ref)


def test_json_is_never_taken_for_a_form() -> None:
    """The content type is not signed: whoever changes it cannot make a form of a text inside of the JSON."""
    body = b'{"ref":"x&payload=%7B%22ref%22%3A%22evil%22%7D&y="}'
    headers = {
        **GITHUB_EVENTS.sign(body, event="push"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert GITHUB_EVENTS.verify(body, headers) == Push(ref="x&payload=%7B%22ref%22%3A%22evil%22%7D&y=")


@pytest.mark.parametrize("form", [b"payload=", b"payload=%7B", b"payload=&payload=%7B%7D", b"payload=\xff"])
def test_a_form_without_json_is_no_event(form: bytes) -> None:
    with pytest.raises(WebhookEventError, match=r"^GitHubWebhook: genuine, and no Push: Invalid JSON: "):
        GITHUB_EVENTS.verify(form, GITHUB_EVENTS.sign(form, event="push"))


# ---- what does not fit


def refused(value: str) -> str:
    raise ValueError(f"I do not like {value}")


class Strict(BaseModel):
    id: UUID
    count: int
    name: Annotated[str, AfterValidator(refused)]


COMPLAINTS: list[tuple[Any, bytes, str]] = [
    (ChargeEvent, b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
    (ChargeEvent, b"\xff", "Invalid JSON: expected value at line 1 column 1"),
    (ChargeEvent, GITHUB.body, "Invalid JSON: expected value at line 1 column 1"),
    (ChargeEvent, b"{}", "Unable to extract tag using discriminator 'type'"),
    (
        ChargeEvent,
        b'{"type":"planted"}',
        "Input tag found using 'type' does not match any of the expected tags: 'charge.succeeded', 'charge.failed'",
    ),
    (ChargeSucceeded, b'{"type":"charge.succeeded","data":{"id":"planted"}}', "data.amount: Field required"),
    (
        Strict,
        b'{"id":"planted","count":"planted","name":"planted"}',
        (
            "id: Input should be a valid UUID; count: Input should be a valid integer, unable to parse string as an "
            "integer; name: a validator of its type refuses it"
        ),
    ),
    (
        list[int],
        b'["a","a","a","a","a","a","a"]',
        "; ".join(f"{n}: Input should be a valid integer, unable to parse string as an integer" for n in range(5))
        + "; and 2 more",
    ),
]


@pytest.mark.parametrize(("hint", "body", "reason"), COMPLAINTS)
def test_it_says_what_does_not_fit_and_never_shows_it(hint: Any, body: bytes, reason: str, clock: Clock) -> None:
    webhook: StripeWebhook[Any] = StripeWebhook(KEY, hint)
    with pytest.raises(WebhookEventError) as caught:
        webhook.verify(body, webhook.sign(body))
    assert str(caught.value).endswith(f": {reason}")
    assert str(caught.value).startswith("StripeWebhook: genuine, and no ")
    assert "planted" not in f"{caught.value} {caught.value.errors()}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_json_that_is_too_deep_is_no_event(clock: Clock) -> None:
    webhook = StripeWebhook(KEY, Anything)
    body = b'{"a":' + b"[" * 100_000
    with pytest.raises(WebhookEventError, match="Invalid JSON: recursion limit exceeded"):
        webhook.verify(body, webhook.sign(body))


def test_errors_say_where(clock: Clock) -> None:
    webhook = StripeWebhook(KEY, ChargeEvent)
    body = b'{"type":"charge.succeeded","data":{"id":"ch_1","amount":"planted"}}'
    with pytest.raises(WebhookEventError) as caught:
        webhook.verify(body, webhook.sign(body))
    assert caught.value.errors() == [
        {
            "type": "int_parsing",
            "loc": ("charge.succeeded", "data", "amount"),
            "msg": "Input should be a valid integer, unable to parse string as an integer",
        }
    ]
    caught.value.errors().clear()
    assert caught.value.errors()


def test_what_a_validator_breaks_is_raised_as_it_is(clock: Clock) -> None:
    """A bug of the type is no fault of the delivery."""

    def broken(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        raise KeyError("bug")

    webhook: StripeWebhook[Any] = StripeWebhook(KEY, Annotated[Anything, AfterValidator(broken)])
    headers = webhook.sign(b"{}")
    for _ in range(2):
        with pytest.raises(KeyError, match="bug"):
            webhook.verify(b"{}", headers)
