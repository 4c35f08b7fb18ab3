"""A subscription that is being looked at, with the transaction of its customer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.billing.money import Currency
from app.billing.subscriptions import Subscription
from app.store.customers import Customer
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Opened:
    """A subscription as it is stored, its customer, and that one's own transaction."""

    tx: Tx
    customer: Customer
    subscription: Subscription

    @property
    def id(self) -> UUID:
        """The id of the subscription."""
        return self.subscription.id

    @property
    def currency(self) -> Currency:
        return self.customer.currency
