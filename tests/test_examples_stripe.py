"""`examples/stripe.py` over real sockets: what Stripe would receive, byte for byte, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from examples.stripe import (
    Address,
    Between,
    CardError,
    Customer,
    CustomerParams,
    DeletedCustomer,
    PaymentIntentParams,
    Stripe,
    StripeError,
)

from example_servers import Routes, answering, asked, in_turn, plain_environment, says
from paging import items, make, result
from servers import CLOSE, RawRequest, RawServer, http
from stubwire import HTTPStatusError, ReadError

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
CREATED = 1_704_067_200
"""2024-01-01, midnight."""

ADA: dict[str, object] = {
    "id": "cus_1",
    "object": "customer",
    "email": "ada@example.com",
    "metadata": {"order": "1"},
    "created": CREATED,
}
GONE = {"id": "cus_2", "object": "customer", "deleted": True}
INTENT = {"id": "pi_1", "amount": 1099, "currency": "eur", "status": "succeeded", "created": CREATED}
DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "Your card has insufficient funds.",
    "payment_intent": {**INTENT, "status": "requires_payment_method"},
}
TEN_EURO = PaymentIntentParams(amount=1000, currency="eur")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, STRIPE_API_KEY=KEY)


@contextmanager
def serving(engine: EngineName, routes: Routes) -> Generator[tuple[RawServer, Stripe]]:
    """A server with these routes, and the example in front of it."""
    with RawServer(answering(routes)) as server, Stripe(base_url=server.url, engine=engine) as stripe:
        yield server, stripe


# -- what is sent


def test_a_customer_is_a_form_in_brackets(engine: EngineName, colour: Colour) -> None:
    params = CustomerParams(email="ada+1@example.com", name="Ada & Co", address=Address(city="Ulm"))
    params.metadata = {"order": "6735", "a b": "ü"}
    with serving(engine, {"POST /v1/customers": says(ADA)}) as (server, stripe):
        customer = colour.run(stripe.customers.create, params)
    assert customer == Customer(
        id="cus_1", email="ada@example.com", metadata={"order": "1"}, created=datetime(2024, 1, 1, tzinfo=UTC)
    )
    (request,) = server.requests
    assert request.body == (
        b"email=ada%2B1%40example.com&name=Ada%20%26%20Co&address%5Bcity%5D=Ulm"
        b"&metadata%5Border%5D=6735&metadata%5Ba%20b%5D=%C3%BC"
    )
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert request.header("Content-Length") == str(len(request.body))
    assert request.header("Authorization") == f"Bearer {KEY}"
    assert request.header("Stripe-Version") == "2024-06-20"
    assert UUID(request.header("Idempotency-Key")).version == 4


def test_a_payment_says_what_to_expand(engine: EngineName, colour: Colour) -> None:
    params = PaymentIntentParams(
        amount=1099, currency="eur", payment_method_types=["card", "link"], confirm=True, metadata={"order": "6735"}
    )
    with serving(engine, {"POST /v1/payment_intents": says({**INTENT, "customer": ADA})}) as (server, stripe):
        payment = colour.run(stripe.payment_intents.create, params, expand=["customer", "latest_charge"])
    assert isinstance(payment.customer, Customer)
    assert payment.customer.email == "ada@example.com"
    body = server.requests[0].body.decode()
    assert body == (
        "amount=1099&currency=eur&payment_method_types%5B%5D=card&payment_method_types%5B%5D=link&confirm=true"
        "&metadata%5Border%5D=6735&expand%5B%5D=customer&expand%5B%5D=latest_charge"
    )
    names = ["metadata[order]", "expand[]", "expand[]"]
    assert parse_qsl(body)[-3:] == list(zip(names, ["6735", "customer", "latest_charge"], strict=True))


def test_what_is_not_said_is_not_sent(engine: EngineName, colour: Colour) -> None:
    routes: Routes = {
        "POST /v1/customers/cus_1": says(ADA),
        "DELETE /v1/customers/cus_2": says(GONE),
        "POST /v1/payment_intents/pi_1/confirm": says(INTENT),
        "POST /v1/payment_intents/pi_1/cancel": says(INTENT),
    }
    with serving(engine, routes) as (server, stripe):
        colour.run(stripe.customers.change, "cus_1", CustomerParams(description="", metadata={"order": ""}))
        assert colour.run(stripe.customers.remove, "cus_2") == DeletedCustomer(id="cus_2", deleted=True)
        colour.run(stripe.payment_intents.confirm, "pi_1", payment_method="pm_card_visa")
        colour.run(stripe.payment_intents.cancel, "pi_1")
        colour.run(stripe.payment_intents.cancel, "pi_1", cancellation_reason="duplicate")
    assert [(request.line.removesuffix(" HTTP/1.1"), request.body) for request in server.requests] == [
        ("POST /v1/customers/cus_1", b"description=&metadata%5Border%5D="),
        ("DELETE /v1/customers/cus_2", b""),
        ("POST /v1/payment_intents/pi_1/confirm", b"payment_method=pm_card_visa"),
        ("POST /v1/payment_intents/pi_1/cancel", b""),
        ("POST /v1/payment_intents/pi_1/cancel", b"cancellation_reason=duplicate"),
    ]


def test_an_id_stays_in_its_segment(engine: EngineName, colour: Colour) -> None:
    with serving(engine, {}) as (server, stripe), pytest.raises(StripeError):
        colour.run(stripe.customers.one, "cus_1/sources?expand[]=x", expand=["tax"])
    assert server.requests[0].target == "/v1/customers/cus_1%2Fsources%3Fexpand%5B%5D%3Dx?expand%5B%5D=tax"


# -- keys and attempts


def test_a_key_is_the_same_on_every_attempt_and_another_on_the_next_call(
    engine: EngineName, colour: Colour, clock: Clock
) -> None:
    with serving(engine, {"POST /v1/customers": in_turn(http(b"", 500), CLOSE, says(ADA))}) as (server, stripe):
        response = colour.response(stripe.customers.create, CustomerParams(email="a@example.com"))
        assert [attempt.status_code or attempt.error for attempt in response.attempts] == [500, "ReadError", 200]
        colour.run(stripe.customers.create, CustomerParams(email="a@example.com"))
    assert [request.body for request in server.requests] == [b"email=a%40example.com"] * 4
    keys = [request.header("Idempotency-Key") for request in server.requests]
    assert keys[:3] == [keys[0]] * 3
    assert keys[3] not in (keys[0], None)
    assert len(clock.waits) == 2


def test_a_key_of_ones_own(engine: EngineName, colour: Colour) -> None:
    with serving(engine, {"POST /v1/payment_intents": says(INTENT)}) as (server, stripe):
        order = stripe.with_options(idempotency_key="order-6735")
        colour.run(order.payment_intents.create, TEN_EURO)
        colour.run(order.payment_intents.create, TEN_EURO)
    assert [request.header("Idempotency-Key") for request in server.requests] == ["order-6735"] * 2


@pytest.mark.parametrize(
    ("status", "said", "attempts"),
    [
        (409, {"Stripe-Should-Retry": "true"}, 2),
        (409, {}, 1),
        (503, {"Stripe-Should-Retry": "false"}, 1),
        (503, {}, 2),
        (429, {}, 2),
        (402, {}, 1),
    ],
)
def test_stripe_says_whether_to_try_again(
    engine: EngineName, clock: Clock, status: int, said: dict[str, str], attempts: int
) -> None:
    answers = in_turn(http(b"", status, said), says(INTENT))
    with serving(engine, {"POST /v1/payment_intents": answers}) as (server, stripe):
        if attempts == 2:
            assert stripe.payment_intents.create(TEN_EURO).id == "pi_1"
        else:
            with pytest.raises(HTTPStatusError):
                stripe.payment_intents.create(TEN_EURO)
    assert len(server.requests) == attempts
    assert len(clock.waits) == attempts - 1


def test_without_a_key_a_post_whose_answer_is_lost_is_not_sent_again(engine: EngineName) -> None:
    """The other side of the keys above."""
    with serving(engine, {"POST /v1/refunds": CLOSE}) as (server, stripe), pytest.raises(ReadError):
        stripe.call("POST", "/v1/refunds", content=b"payment_intent=pi_1")
    assert len(server.requests) == 1


# -- pages


def listed(request: RawRequest) -> bytes:
    """A page of five customers."""
    query = asked(request)
    ids = [f"cus_{number}" for number in range(5, 0, -1)]
    start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
    page = ids[start : start + int(query["limit"])]
    return says({"object": "list", "data": [{**ADA, "id": id} for id in page], "has_more": page[-1] != ids[-1]})


def test_pages_go_on_behind_the_last_id(engine: EngineName, colour: Colour) -> None:
    with serving(engine, {"GET /v1/customers": listed}) as (server, stripe):
        found = items(colour, make(colour, stripe.customers.find, limit=2))
        assert [customer.id for customer in found] == ["cus_5", "cus_4", "cus_3", "cus_2", "cus_1"]
        assert [request.target for request in server.requests] == [
            "/v1/customers?limit=2",
            "/v1/customers?limit=2&starting_after=cus_4",
            "/v1/customers?limit=2&starting_after=cus_2",
        ]
        some = result(colour, make(colour, stripe.customers.find, limit=2).resume("cus_4").to_list, limit=1)
        assert [customer.id for customer in some] == ["cus_3"]
    assert len(server.requests) == 4


def test_a_span_of_time_narrows_a_list(engine: EngineName, colour: Colour) -> None:
    year = Between(gte=datetime(2024, 1, 1, tzinfo=UTC), lt=datetime(2025, 1, 1, tzinfo=UTC))
    answer = says({"data": [{**INTENT, "customer": GONE}], "has_more": False})
    with serving(engine, {"GET /v1/payment_intents": answer}) as (server, stripe):
        find = make(colour, stripe.payment_intents.find, customer="cus_2", created=year, expand=["data.customer"])
        (payment,) = items(colour, find)
    assert payment.customer == DeletedCustomer(id="cus_2", deleted=True)
    assert server.requests[0].target == (
        "/v1/payment_intents?customer=cus_2&created%5Bgte%5D=1704067200&created%5Blt%5D=1735689600&limit=100"
        "&expand%5B%5D=data.customer"
    )


def test_a_search_has_pages_of_its_own(engine: EngineName, colour: Colour) -> None:
    answers = in_turn(
        says({"data": [ADA], "has_more": True, "next_page": "WyJhIl0="}),
        says({"data": [ADA], "has_more": False, "next_page": None}),
    )
    with serving(engine, {"GET /v1/customers/search": answers}) as (server, stripe):
        assert len(items(colour, make(colour, stripe.customers.search, "metadata['order']:'6735'", limit=1))) == 2
    assert [asked(request).get("page") for request in server.requests] == [None, "WyJhIl0="]
    assert asked(server.requests[1])["query"] == "metadata['order']:'6735'"


# -- what comes back


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (None, None),
        ("cus_1", "cus_1"),
        (
            ADA,
            Customer(
                id="cus_1", email="ada@example.com", metadata={"order": "1"}, created=datetime(2024, 1, 1, tzinfo=UTC)
            ),
        ),
        (GONE, DeletedCustomer(id="cus_2", deleted=True)),
    ],
)
def test_the_customer_of_a_payment_is_what_was_asked_for(
    engine: EngineName, colour: Colour, customer: object, expected: object
) -> None:
    answer = says({**INTENT, "customer": customer, "client_secret": "pi_1_secret_x"})
    with serving(engine, {"GET /v1/payment_intents/pi_1": answer}) as (_, stripe):
        payment = colour.run(stripe.payment_intents.one, "pi_1", expand=["customer"])
    assert payment.customer == expected
    assert payment.client_secret.get_secret_value() == "pi_1_secret_x"
    assert "pi_1_secret_x" not in repr(payment)


def test_a_declined_card_is_a_card_error(engine: EngineName, colour: Colour) -> None:
    answer = says({"error": DECLINED}, 402, Request_Id="req_1")
    with serving(engine, {"POST /v1/payment_intents": answer}) as (_, stripe), pytest.raises(CardError) as caught:
        colour.run(stripe.payment_intents.create, TEN_EURO)
    error = caught.value
    assert isinstance(error, StripeError)
    assert error.problem is not None
    assert (error.problem.code, error.problem.decline_code) == ("card_declined", "insufficient_funds")
    assert error.problem.payment_intent is not None
    assert error.problem.payment_intent.status == "requires_payment_method"
    assert error.reason == "Your card has insufficient funds."
    assert str(error).endswith("/v1/payment_intents answered 402 (request id req_1)")
    assert KEY not in repr(error) + repr(vars(error))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"type": "invalid_request_error", "message": "No such customer"}}', "No such customer"),
        (b'{"error": {"type": "invalid_request_error"}}', None),
        (b"<h1>Not here</h1>", None),
    ],
)
def test_a_refusal_says_why(engine: EngineName, colour: Colour, body: bytes, reason: str | None) -> None:
    with serving(engine, {"GET /v1/customers/cus_9": http(body, 404)}) as (server, stripe):
        with pytest.raises(StripeError) as caught:
            colour.run(stripe.customers.one, "cus_9")
        plain = f"Stripe.customers.one: GET {server.url}/v1/customers/cus_9 answered 404"
    assert type(caught.value) is StripeError
    assert (str(caught.value), caught.value.reason) == (plain, reason or plain)
    assert (caught.value.problem is None) == (b"<h1>" in body)
