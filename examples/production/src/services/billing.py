"""What a customer owes."""

from collections import Counter
from dataclasses import dataclass

from clients.stripe import Stripe


@dataclass(frozen=True, slots=True)
class Balance:
    """What is open, by currency, in the currency's smallest unit."""

    customer_id: str
    email: str | None
    due: dict[str, int]


@dataclass(frozen=True, slots=True)
class Billing:
    """Needs a Stripe client. Synchronous: the stubs are called as they are declared."""

    stripe: Stripe

    def balance(self, customer_id: str) -> Balance | None:
        """Add up a customer's open invoices; `None` for a customer Stripe does not know. Failures are the caller's."""
        customer = self.stripe.customer(customer_id)
        if customer is None:
            return None
        due: Counter[str] = Counter()
        for invoice in self.stripe.invoices(customer=customer.id, status="open"):
            due[invoice.currency] += invoice.amount_remaining
        return Balance(customer.id, customer.email, dict(due))
