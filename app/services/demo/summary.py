"""What a customer has now, in a few words: plan, seats, last documents, credit."""

from __future__ import annotations

from dataclasses import dataclass

from app.billing.money import Money
from app.store import catalogs, customers, documents, seats, subscriptions
from app.store.documents import InvoiceFilter
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class SeatsNow:
    """The seats of one metric."""

    metric: str
    committed: int
    in_use: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A customer at a glance. `plan` is its name and interval, None without a subscription."""

    reference: str
    name: str
    plan: str | None
    seats: tuple[SeatsNow, ...]
    invoice: str | None
    credit_note: str | None
    credit: Money


def summary(tx: Tx) -> Summary | None:
    """The summary of the transaction's customer, None if there is none."""
    customer = customers.get(tx)
    if customer is None:
        return None
    live = subscriptions.live(tx)
    price = catalogs.price(tx, live.price) if live else None
    invoices = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    credit_notes = documents.credit_notes_page(tx, limit=1, before=None)
    return Summary(
        reference=customer.reference,
        name=customer.name,
        plan=f"{price.plan_name}, by the {price.interval.value.lower()}" if price else None,
        seats=tuple(
            SeatsNow(metric, level.committed, level.in_use) for metric, level in seats.levels(tx).items()
        ),
        invoice=invoices[0].number.text if invoices else None,
        credit_note=credit_notes[0].number.text if credit_notes else None,
        credit=customer.credit,
    )
