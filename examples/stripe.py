"""A Stripe client to start from: customers, payments, files; forms in brackets, idempotency keys, pages, typed errors.

    with Stripe() as stripe:                                             # STRIPE_API_KEY
        ada = stripe.customers.create(CustomerParams(email="ada@example.com", metadata={"order": "6735"}))
        stripe.payment_intents.create(PaymentIntentParams(amount=1099, currency="eur", customer=ada.id))
        for customer in stripe.customers.find():                         # every page, fetched when it is needed
            print(customer.email)

Each endpoint has its asynchronous twin: `await stripe.customers.create.aio(...)`, `async for ... in ...find.aio()`.

`python examples/stripe.py` prints the latest payments of an account. STRIPE_BASE_URL and STRIPE_FILES_URL name other
servers than Stripe's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from stubwire import (
    ApiClient,
    Auth,
    ClientError,
    ClientSettings,
    CursorPages,
    File,
    Form,
    Outcome,
    Pages,
    Query,
    Resource,
    Retry,
    Stream,
    StubwireError,
    Upload,
    delete,
    get,
    post,
)
from stubwire.auth import BearerAuth
from stubwire.types import UnixTime

# -- what Stripe sends


class Customer(BaseModel):
    id: str
    email: str | None = None
    name: str | None = None
    description: str | None = None
    metadata: dict[str, str] = {}
    created: UnixTime


class DeletedCustomer(BaseModel):
    id: str
    deleted: Literal[True]


class PaymentIntent(BaseModel):
    """A payment. `customer` is an id, or the customer where `expand` asked for it."""

    id: str
    amount: int
    currency: str
    status: str
    customer: Customer | DeletedCustomer | str | None = None
    description: str | None = None
    client_secret: SecretStr | None = None
    metadata: dict[str, str] = {}
    created: UnixTime


class StoredFile(BaseModel):
    id: str
    filename: str | None = None
    purpose: str
    size: int
    created: UnixTime


# -- what Stripe takes: what is `None` is not sent, and `""` empties a field


class Address(BaseModel):
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None


class CustomerParams(BaseModel):
    email: str | None = None
    name: str | None = None
    description: str | None = None
    address: Address | None = None
    metadata: dict[str, str] = {}


class PaymentIntentParams(BaseModel):
    """`amount` is in the smallest unit of the currency: 1099 is 10.99 EUR, or 1099 JPY."""

    amount: int
    currency: str
    customer: str | None = None
    description: str | None = None
    payment_method: str | None = None
    payment_method_types: list[str] = []
    capture_method: Literal["automatic", "automatic_async", "manual"] | None = None
    confirm: bool | None = None
    off_session: bool | None = None
    return_url: str | None = None
    metadata: dict[str, str] = {}


class Between(BaseModel):
    """A span of time, as in `created=Between(gte=yesterday)`."""

    gte: UnixTime | None = None
    gt: UnixTime | None = None
    lte: UnixTime | None = None
    lt: UnixTime | None = None


CancellationReason = Literal["duplicate", "fraudulent", "requested_by_customer", "abandoned"]
Purpose = Literal[
    "account_requirement",
    "additional_verification",
    "business_icon",
    "business_logo",
    "customer_signature",
    "dispute_evidence",
    "identity_document",
]

# -- what Stripe says when it refuses


class Problem(BaseModel):
    type: str
    message: str | None = None
    code: str | None = None
    decline_code: str | None = None
    param: str | None = None
    payment_intent: PaymentIntent | None = None


class Refusal(BaseModel):
    error: Problem


class StripeError(ClientError[Refusal]):
    """Stripe refused a request."""

    @property
    def problem(self) -> Problem | None:
        """What Stripe says about it."""
        return self.body.error if self.body else None

    @property
    def reason(self) -> str:
        """Why, in Stripe's words where it found any."""
        return (self.problem and self.problem.message) or str(self)


class CardError(StripeError):
    """The card was declined: `error.problem.decline_code` says why."""


def as_stripe_says(outcome: Outcome) -> bool | None:
    """Try again if Stripe says so in a header of its own; if it says nothing, the usual rules decide."""
    said = outcome.response.headers.get("Stripe-Should-Retry") if outcome.response else None
    return None if said is None else said == "true"


# -- the client


class StripeSettings(ClientSettings):
    """Read from the environment: STRIPE_API_KEY, STRIPE_BASE_URL, STRIPE_TIMEOUT, STRIPE_MAX_RETRIES, ..."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="STRIPE_")
    api_key: SecretStr

    @property
    def auth(self) -> Auth:
        return BearerAuth(self.api_key)


class StripeFilesSettings(StripeSettings):
    base_url: str = Field("https://files.stripe.com", validation_alias="STRIPE_FILES_URL")


BY_LAST_ID = CursorPages("data.-1.id", "starting_after", more="has_more")
"""A list goes on behind the last object of a page, while `has_more` says that something is there."""

BY_NEXT_PAGE = CursorPages("next_page", "page", more="has_more")
"""A search says what to ask for."""


class Customers(Resource, path="/v1/customers"):
    @post("", idempotency_key=True)
    def create(self, customer: Annotated[CustomerParams, Form()]) -> Customer:
        raise NotImplementedError

    @get("/<customer_id>")
    def one(self, customer_id: str, *, expand: list[str] | None = None) -> Customer | DeletedCustomer:
        raise NotImplementedError

    @post("/<customer_id>", idempotency_key=True)
    def change(self, customer_id: str, changes: Annotated[CustomerParams, Form()]) -> Customer:
        raise NotImplementedError

    @delete("/<customer_id>")
    def remove(self, customer_id: str) -> DeletedCustomer:
        raise NotImplementedError

    @get("", unwrap="data", paginate=BY_LAST_ID)
    def find(
        self,
        *,
        email: str | None = None,
        created: Annotated[Between | None, Query("created")] = None,
        limit: int = 100,
        expand: list[str] | None = None,
    ) -> Pages[Customer]:
        """The customers, the latest first; `limit` is the size of a page."""
        raise NotImplementedError

    @get("/search", unwrap="data", paginate=BY_NEXT_PAGE)
    def search(self, query: str, *, limit: int = 100) -> Pages[Customer]:
        """Those that a query in Stripe's language finds: `"metadata['order']:'6735'"`."""
        raise NotImplementedError


class PaymentIntents(Resource, path="/v1/payment_intents"):
    @post("", idempotency_key=True)
    def create(
        self,
        intent: Annotated[PaymentIntentParams, Form()],
        *,
        expand: Annotated[list[str] | None, Form()] = None,
    ) -> PaymentIntent:
        raise NotImplementedError

    @get("/<intent_id>")
    def one(self, intent_id: str, *, expand: list[str] | None = None) -> PaymentIntent:
        raise NotImplementedError

    @post("/<intent_id>/confirm", idempotency_key=True)
    def confirm(
        self,
        intent_id: str,
        *,
        payment_method: Annotated[str | None, Form()] = None,
        return_url: Annotated[str | None, Form()] = None,
    ) -> PaymentIntent:
        raise NotImplementedError

    @post("/<intent_id>/cancel", idempotency_key=True)
    def cancel(
        self, intent_id: str, *, cancellation_reason: Annotated[CancellationReason | None, Form()] = None
    ) -> PaymentIntent:
        raise NotImplementedError

    @get("", unwrap="data", paginate=BY_LAST_ID)
    def find(
        self,
        *,
        customer: str | None = None,
        created: Annotated[Between | None, Query("created")] = None,
        limit: int = 100,
        expand: list[str] | None = None,
    ) -> Pages[PaymentIntent]:
        """The payments, the latest first; in a list, what is expanded is named as in `expand=["data.customer"]`."""
        raise NotImplementedError


class StripeApi(ApiClient):
    """What Stripe's hosts have in common."""

    query_style = "brackets"  # expand[]=customer, metadata[order]=6735
    headers = {"Stripe-Version": "2024-06-20"}
    errors = {"4XX": StripeError, 402: CardError}
    retry = Retry(when=as_stripe_says)


class Stripe(StripeApi):
    """`stripe.with_options(idempotency_key="order-6735")` makes a key of your own out of what you know."""

    settings: StripeSettings
    base_url = "https://api.stripe.com"
    customers: Customers
    payment_intents: PaymentIntents


class StripeFiles(StripeApi):
    """Files have a host of their own."""

    settings: StripeFilesSettings

    @post("/v1/files", idempotency_key=True)
    def upload(self, file: Annotated[Path | Upload, File()], purpose: Annotated[Purpose, Form()]) -> StoredFile:
        """Send a file from the disk: `upload(Path("receipt.pdf"), "dispute_evidence")`."""
        raise NotImplementedError

    @get("/v1/files/<file_id>/contents")
    def content(self, file_id: str) -> Stream[bytes]:
        """What is in a file: `content(stored.id).save("receipt.pdf")`."""
        raise NotImplementedError


# -- the program


def name_of(customer: Customer | DeletedCustomer | str | None) -> str:
    match customer:
        case Customer():
            return customer.email or customer.id
        case DeletedCustomer():
            return f"{customer.id} (deleted)"
        case _:
            return customer or ""


def show_payments(stripe: Stripe, most: int = 20) -> None:
    for payment in stripe.payment_intents.find(limit=most, expand=["data.customer"]).to_list(limit=most):
        when, status = f"{payment.created:%Y-%m-%d %H:%M}", payment.status
        print(f"{when} {payment.amount:>10} {payment.currency}  {status:24} {name_of(payment.customer)}".rstrip())


def main() -> int:
    try:
        with Stripe() as stripe:
            show_payments(stripe)
    except StubwireError as error:
        print(error.reason if isinstance(error, StripeError) else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
