"""Loads the state that a decision reads: one subscription with what is live around it. Its cost does not grow
with history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.billing.arrears import Late
from app.billing.ledger import SeatLevels
from app.billing.parties import Catalog
from app.billing.plans import ChargingBasis, Item, PlanPrice
from app.billing.state import Buyer, State
from app.billing.subscriptions import Subscription
from app.billing.usage import Usage
from app.store import catalogs, customers, documents, holders, lines, overrides, seats, subscriptions, usage
from app.store.customers import Customer
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state, and the customer and catalog that it was made of; `numbers` are those of the documents in it,
    by id.
    """

    state: State
    customer: Customer
    catalog: Catalog
    numbers: Mapping[UUID, str]


def load(tx: Tx, subscription_id: UUID, *, lock: bool = False) -> Loaded | None:
    """The state of a subscription as it is stored, not brought up to any instant yet; None if unknown."""
    subscription = subscriptions.get(tx, subscription_id, lock=lock)
    customer = customers.get(tx)
    if subscription is None or customer is None:
        return None
    return assemble(tx, customer, subscription)


def assemble(tx: Tx, customer: Customer, subscription: Subscription) -> Loaded:
    """The state around a subscription that was read already."""
    catalog = catalogs.current(tx)
    price = catalogs.price(tx, subscription.price)
    live = lines.live(tx, subscription.id, subscription.cycle, customer.currency)
    listed = subscriptions.scheduled(tx, (subscription.id,)).get(subscription.id, ())
    late = usage.late(tx, subscription.id, customer.currency)
    elsewhere = lines.elsewhere(tx, live)
    documents_touched = [
        *(billed.document for billed in live),
        *(left.document for each in late for left in each.charges),
        *elsewhere.values(),
    ]
    touched = {document for document in documents_touched if document is not None}
    issued = documents.issued(tx, touched, customer.currency) if touched else {}
    agreed = overrides.recorded(tx, since=min(subscription.period.start, tx.at))
    levels = seats.levels(tx, agreed)
    details = customer.details
    buyer = Buyer(customer.currency, customer.zone, details.country, details.tax_id, details.missing)
    state = State(
        buyer=buyer,
        taxes=catalog.taxes,
        subscription=subscription,
        price=price,
        plans=catalog.plans,
        levels=levels,
        lines=live,
        scheduled=tuple(change.scheduled for change in listed),
        credit=customer.credit,
        invoices={each.id: each.open for each in issued.values() if each.open is not None},
        occupied=holders.occupied(tx) if any(level.in_use for level in levels.values()) else {},
        usage=_usage(tx, subscription, price, catalog, late, levels),
        asked=usage.asked_since(tx, _limiting(price), subscription.period.start, levels),
        elsewhere=elsewhere,
        late=late,
        overrides=agreed,
    )
    numbers = {each.id: each.number for each in issued.values()}
    return Loaded(state.in_force(tx.at), customer, catalog, numbers)


def _limiting(price: PlanPrice) -> tuple[Item, ...]:
    """The metrics of which seats above the limit are billed."""
    return tuple(seat.metric.code for seat in price.seats if seat.basis is ChargingBasis.OVERAGE)


def _usage(
    tx: Tx,
    subscription: Subscription,
    price: PlanPrice,
    catalog: Catalog,
    late: tuple[Late, ...],
    levels: Mapping[Item, SeatLevels],
) -> dict[Item, Usage]:
    """The ledger of the metrics that are billed in arrears by the present price, or would be by one on offer,
    and of those that something late is about.
    """
    prices = (price, *(offer for plan in catalog.plans for offer in plan.prices))
    metrics = {seat.metric.code for each in prices for seat in each.seats if seat.basis.in_arrears}
    metrics |= {each.segment.metric for each in late}
    start = min([subscription.period.start, *(each.segment.opened for each in late)])
    return usage.since(tx, metrics, start, levels)
