"""Stripe, as far as this service needs it: what it reads of customers and invoices."""

from typing import Literal, TypeAlias

from pydantic import BaseModel
from stubwire import ApiClient, get

from core.config import StripeSettings
from core.middleware import tracing_middleware

InvoiceStatus: TypeAlias = Literal["draft", "open", "paid", "uncollectible", "void"]


class Customer(BaseModel):
    """A customer, cut down to what the service reads."""

    id: str
    email: str | None = None


class Invoice(BaseModel):
    """An invoice; `amount_remaining` is in the currency's smallest unit."""

    id: str
    currency: str
    amount_remaining: int


class Stripe(ApiClient):
    """Shares the tracing middleware with the GitHub client, and nothing else."""

    settings: StripeSettings
    timeout = 10.0
    headers = {"Stripe-Version": "2024-06-20"}
    middleware = [tracing_middleware]

    @get("/v1/customers/<customer_id>", none_on={404})
    def customer(self, customer_id: str) -> Customer | None:
        """Retrieve a customer, or `None` when Stripe knows none of that id."""
        raise NotImplementedError

    @get("/v1/invoices", unwrap="data")
    def invoices(self, *, customer: str, status: InvoiceStatus | None = None, limit: int = 100) -> list[Invoice]:
        """List a customer's invoices."""
        raise NotImplementedError
