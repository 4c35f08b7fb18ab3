"""Loads the states that decisions read: a subscription with what is live around it, or many with the same few
statements. The cost of one does not grow with history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.billing.arrears import Late
from app.billing.ledger import SeatLevels
from app.billing.lines import BilledLine
from app.billing.overrides import Override
from app.billing.parties import Catalog
from app.billing.plans import ChargingBasis, Item, PlanPrice
from app.billing.state import Buyer, Occupied, State
from app.billing.subscriptions import ScheduledChange, Subscription
from app.store import (
    catalogs,
    customers,
    documents,
    holders,
    lines,
    overrides,
    recent,
    seats,
    subscriptions,
    usage,
)
from app.store.customers import Customer
from app.store.documents import Issued
from app.store.opened import Opened
from app.store.recent import Asked, Ledgers
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state, and the customer and catalog that it was made of; `numbers` are those of the documents in it,
    by id. `ahead` is whether a later period than the present one was billed already, which cannot be.
    """

    state: State
    customer: Customer
    catalog: Catalog
    numbers: Mapping[UUID, str]
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What was read around a subscription."""

    live: tuple[BilledLine, ...]
    scheduled: tuple[ScheduledChange, ...]
    late: tuple[Late, ...]
    elsewhere: Mapping[UUID, UUID]
    issued: Mapping[UUID, Issued]
    agreed: tuple[Override, ...]
    levels: Mapping[Item, SeatLevels]
    occupied: Mapping[Item, Occupied]
    ledgers: Ledgers
    ahead: bool


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
    opened = Opened(tx, customer, subscription)
    (found,) = read(catalog, [opened])
    return made(catalog, opened, found)


def read(catalog: Catalog, of: Sequence[Opened]) -> list[Found]:
    """What is stored around subscriptions, in their order: as many statements for one as for a thousand, but
    for those of which something was told late.
    """
    catalogs.remember(of[0].tx, {opened.subscription.price for opened in of})
    live, ahead = lines.live(of)
    scheduled = subscriptions.scheduled_of(of)
    late = dict(zip((o.id for o in of), usage.late_of(of), strict=True))
    elsewhere = lines.elsewhere(of, live)
    issued = documents.issued([(o, _documents(live[o.id], late[o.id], elsewhere[o.id].values())) for o in of])
    agreed = overrides.recorded_of([(o.tx, _looks_back(o, live[o.id], late[o.id])) for o in of])
    levels = seats.levels_of([(o.tx, agreed[o.tx.customer]) for o in of])
    used = [o.tx for o in of if any(level.in_use for level in levels[o.tx.customer].values())]
    occupied = holders.occupied_of(used) if used else {}
    offered = _in_arrears(offer for plan in catalog.plans for offer in plan.prices)
    ledgers = recent.since([_asked(offered, o, late[o.id], levels[o.tx.customer]) for o in of])
    return [
        Found(
            live=live[o.id],
            scheduled=tuple(change.scheduled for change in scheduled.get(o.id, ())),
            late=late[o.id],
            elsewhere=elsewhere[o.id],
            issued=issued[o.id],
            agreed=agreed[o.tx.customer],
            levels=levels[o.tx.customer],
            occupied=occupied.get(o.tx.customer, {}),
            ledgers=mine,
            ahead=o.id in ahead,
        )
        for o, mine in zip(of, ledgers, strict=True)
    ]


def made(catalog: Catalog, opened: Opened, found: Found) -> Loaded:
    """The state of a subscription, of what was read."""
    tx, customer, subscription = opened.tx, opened.customer, opened.subscription
    details = customer.details
    buyer = Buyer(customer.currency, customer.zone, details.country, details.tax_id, details.missing)
    state = State(
        buyer=buyer,
        taxes=catalog.taxes,
        subscription=subscription,
        price=catalogs.price(tx, subscription.price),
        plans=catalog.plans,
        levels=found.levels,
        lines=found.live,
        scheduled=found.scheduled,
        credit=customer.credit,
        invoices={each.id: each.open for each in found.issued.values() if each.open is not None},
        occupied=found.occupied,
        usage=found.ledgers.in_use,
        asked=found.ledgers.committed,
        elsewhere=found.elsewhere,
        late=found.late,
        overrides=found.agreed,
    )
    numbers = {each.id: each.number for each in found.issued.values()}
    return Loaded(state.in_force(tx.at), customer, catalog, numbers, found.ahead)


def _documents(live: Iterable[BilledLine], late: Iterable[Late], elsewhere: Iterable[UUID]) -> Iterator[UUID]:
    """The documents that lines stand on which something may be taken back from."""
    touched = (
        *(billed.document for billed in live),
        *(left.document for each in late for left in each.charges),
        *elsewhere,
    )
    return (document for document in dict.fromkeys(touched) if document is not None)


def _looks_back(opened: Opened, live: Iterable[BilledLine], late: Iterable[Late]) -> datetime:
    """From when on what was agreed matters: for the present period, and for use that is billed later."""
    used = (billed.line.period.start for billed in live if billed.line.kind.in_arrears)
    told = (each.segment.period.start for each in late)
    return min(opened.subscription.period.start, opened.tx.at, *used, *told)


def _in_arrears(prices: Iterable[PlanPrice]) -> frozenset[Item]:
    return frozenset(seat.metric.code for each in prices for seat in each.seats if seat.basis.in_arrears)


def _asked(
    offered: frozenset[Item], opened: Opened, late: tuple[Late, ...], levels: Mapping[Item, SeatLevels]
) -> Asked:
    """The ledger of the metrics that are billed in arrears by the present price, or would be by one on offer,
    and of those that something late is about; and of committed seats where those above them are billed.
    """
    price = catalogs.price(opened.tx, opened.subscription.price)
    start = opened.subscription.period.start
    told = {each.segment.metric for each in late}
    limiting = (seat.metric.code for seat in price.seats if seat.basis is ChargingBasis.OVERAGE)
    return Asked(
        opened.tx,
        in_use=offered | _in_arrears((price,)) | told,
        committed=frozenset(limiting),
        since=min([start, *(each.segment.opened for each in late)]),
        levels=levels,
    )
