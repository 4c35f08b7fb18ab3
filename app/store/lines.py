"""Billing lines, and the seat events that caused them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, tuple_, union_all
from sqlalchemy.engine import Row

from app.billing.documents import VoidReason
from app.billing.ledger import BalanceKind, SeatEvent
from app.billing.lines import BilledLine, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.periods import Granularity, Period, Share
from app.billing.plans import Item
from app.billing.pricing import Part
from app.billing.state import reduced
from app.billing.taxes import TaxTreatment
from app.store.columns import total
from app.store.frozen import from_json, to_json
from app.store.keyed import keyed
from app.store.opened import Opened
from app.store.seats import event_of
from app.store.sheet import Sheet
from app.store.tables import billing_line, line_event, receivable, seat_event
from app.store.transaction import Tx

BY_BALANCE = (LineKind.PERIOD, LineKind.CHANGED)
"""Lines for a whole quantity: every event that makes up the balance at their instant caused them."""

BY_USE = (LineKind.USAGE, LineKind.OVERAGE)
"""Lines for seats in use: every event until the end of their period caused them."""


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line with where it stands and what it says; `description` is None while it waits.

    A line that `reissues` one of a void invoice is that line again: decided then, and of what was known then.
    """

    id: UUID
    line: Line
    document: UUID | None
    position: int | None
    description: str | None
    effective_at: datetime
    known_at: datetime
    recorded_at: datetime
    reissues: UUID | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a line stands on its document, and the words it stands there with."""

    line: UUID
    document: UUID
    position: int
    description: str


def live(of: Sequence[Opened]) -> tuple[dict[UUID, tuple[BilledLine, ...]], set[UUID]]:
    """The lines of the present cycle of subscriptions and those that wait, oldest first, with what credits
    left of them; and the subscriptions that have lines of a later cycle, which no decision makes.

    Each of the two has an index; asked for with an `or`, all lines of the subscription may be read.
    """
    keys = keyed(billing_line, ("subscription_id", "cycle"), ((o.tx, o.id, o.subscription.cycle) for o in of))
    of_subscription = standing(keys.rows_of(billing_line, by=("subscription_id",)))
    of_cycle = of_subscription.where(billing_line.c.cycle >= keys.given.c.cycle)
    waiting = of_subscription.where(
        billing_line.c.cycle < keys.given.c.cycle, billing_line.c.document_id.is_(None)
    )
    opened = {o.id: o for o in of}
    found: dict[UUID, list[BilledLine]] = {o.id: [] for o in of}
    ahead = set()
    for row in keys.execute(union_all(of_cycle, waiting).order_by("id")):
        owner = opened[row.subscription_id]
        if row.cycle > owner.subscription.cycle:
            ahead.add(owner.id)
        else:
            found[owner.id].append(_billed(stored_line(row, owner.currency)))
    return {owner: _left_of(tuple(lines)) for owner, lines in found.items()}, ahead


def _billed(stored: StoredLine) -> BilledLine:
    line = stored.line
    return BilledLine(stored.id, line, stored.document, line.amount, line.quantity, _waits_since(stored))


def _left_of(lines: tuple[BilledLine, ...]) -> tuple[BilledLine, ...]:
    return reduced(lines, tuple(billed.line for billed in lines))


def standing(query: Select[Any]) -> Select[Any]:
    """A query of lines without those that a void invoice took along: all, if they wait again as others; if
    the claim was waived what it charged, while what it gave back of other invoices stays given back.
    """
    of_void = select(receivable.c.invoice_id).where(
        receivable.c.customer_id == billing_line.c.customer_id,
        receivable.c.invoice_id == billing_line.c.document_id,
        or_(
            receivable.c.void_reason == VoidReason.REISSUE,
            and_(receivable.c.void_reason == VoidReason.WAIVE, billing_line.c.reverses.is_(None)),
        ),
    )
    return query.where(~of_void.exists())


def _waits_since(stored: StoredLine) -> datetime:
    """From when on a line may have waited: no document is made for a time before it was voided."""
    return stored.recorded_at if stored.reissues else stored.effective_at


def elsewhere(
    of: Sequence[Opened], live: Mapping[UUID, tuple[BilledLine, ...]]
) -> dict[UUID, dict[UUID, UUID]]:
    """The documents of lines that waiting ones take back and that are not live any more, by subscription."""
    found: dict[UUID, dict[UUID, UUID]] = {o.id: {} for o in of}
    taken = [(o.tx, line) for o in of for line in _taken_elsewhere(live[o.id])]
    if taken:
        keys = keyed(billing_line, ("id",), taken)
        wanted = (billing_line.c.id, billing_line.c.document_id, billing_line.c.subscription_id)
        query = keys.rows_of(billing_line, *wanted, by=("id",))
        for row in keys.execute(query.where(billing_line.c.document_id.is_not(None))):
            found[row.subscription_id][row.id] = row.document_id
    return found


def _taken_elsewhere(live: tuple[BilledLine, ...]) -> set[UUID]:
    known = {billed.id for billed in live}
    taken = {billed.line.reverses for billed in live if billed.document is None}
    return {line for line in taken if line is not None and line not in known}


def append(
    sheet: Sheet,
    tx: Tx,
    subscription_id: UUID,
    lines: Sequence[tuple[UUID, Line]],
    *,
    at: datetime,
    places: Mapping[UUID, Placement],
) -> None:
    """Record lines; those with a place stand on their document at once, the others wait."""
    for line_id, line in lines:
        placed = places.get(line_id)
        sheet.add(billing_line, _values(tx, subscription_id, line_id, line, at, placed))


def reissue(
    sheet: Sheet, tx: Tx, subscription_id: UUID, voided: Sequence[StoredLine], ids: Mapping[UUID, UUID]
) -> None:
    """Let the lines of a void invoice wait again, each under the id that is given for its own."""
    for old in voided:
        taken = old.line.reverses
        line = replace(old.line, reverses=ids.get(taken, taken) if taken else None)
        row = _values(tx, subscription_id, ids[old.id], line, old.effective_at, None)
        sheet.add(billing_line, {**row, "reissues": old.id, "known_at": old.known_at})


def place(sheet: Sheet, tx: Tx, placements: Iterable[Placement]) -> None:
    """Put lines that waited on their document."""
    for p in placements:
        filled = {"document_id": p.document, "position": p.position, "description": p.description}
        sheet.change(billing_line, {"customer_id": tx.customer, "id": p.line}, filled)


def link_events(sheet: Sheet, tx: Tx, links: Iterable[tuple[UUID, UUID]]) -> None:
    """Record which events directly caused which lines, as pairs (line, event)."""
    for line, event in links:
        sheet.add(line_event, {"customer_id": tx.customer, "line_id": line, "event_id": event})


def by_document(tx: Tx, documents: Iterable[UUID], currency: Currency) -> dict[UUID, list[StoredLine]]:
    """The lines of documents, in their order."""
    query = (
        select(billing_line)
        .where(billing_line.c.customer_id == tx.customer, billing_line.c.document_id.in_(tuple(documents)))
        .order_by(billing_line.c.document_id, billing_line.c.position)
    )
    found: dict[UUID, list[StoredLine]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.document_id, []).append(stored_line(row, currency))
    return found


def by_id(tx: Tx, ids: Iterable[UUID], currency: Currency) -> dict[UUID, StoredLine]:
    """Lines by id; those that are not there are left out."""
    query = select(billing_line).where(
        billing_line.c.customer_id == tx.customer, billing_line.c.id.in_(tuple(ids))
    )
    return {row.id: stored_line(row, currency) for row in tx.connection.execute(query)}


def adjusted_with(tx: Tx, adjustment: StoredLine) -> Money:
    """What all lines of an adjustment come to: below 0 it takes back from one line after the other."""
    line = adjustment.line
    query = select(total(billing_line.c.amount)).where(
        billing_line.c.customer_id == tx.customer,
        billing_line.c.item == line.item,
        billing_line.c.kind == LineKind.ADJUSTMENT,
        billing_line.c.period_start == line.period.start,
        billing_line.c.period_end == line.period.end,
        billing_line.c.recorded_at == adjustment.recorded_at,
    )
    return Money(tx.connection.execute(query).scalar_one(), line.amount.currency)


def by_event(
    tx: Tx, event_ids: Iterable[UUID], currency: Currency, *, limit: int
) -> dict[UUID, list[StoredLine]]:
    """The lines that events led to, newest first, at most `limit` for each event, in one statement.

    An event leads to the lines that name it, and to every line from then on that its balance makes up: of a
    whole quantity committed, or of seats in use.
    """
    ids = tuple(event_ids)
    event = seat_event.alias("event")
    named = select(line_event.c.event_id, line_event.c.line_id).where(
        line_event.c.customer_id == tx.customer, line_event.c.event_id.in_(ids)
    )
    by_balance = (
        select(event.c.id.label("event_id"), billing_line.c.id.label("line_id"))
        .select_from(event.join(billing_line, _balance_counts(event)))
        .where(event.c.customer_id == tx.customer, event.c.id.in_(ids))
    )
    pairs = union_all(named, by_balance).subquery()
    place_of = func.row_number().over(
        partition_by=pairs.c.event_id, order_by=(billing_line.c.effective_at.desc(), billing_line.c.id.desc())
    )
    joined = pairs.join(
        billing_line, and_(billing_line.c.customer_id == tx.customer, billing_line.c.id == pairs.c.line_id)
    )
    ranked = select(pairs.c.event_id, billing_line, place_of.label("place")).select_from(joined).subquery()
    query = select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.event_id, ranked.c.place)
    found: dict[UUID, list[StoredLine]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.event_id, []).append(stored_line(row, currency))
    return found


def events_of(
    tx: Tx, line_ids: Iterable[UUID], *, limit: int, before: tuple[datetime, UUID] | None = None
) -> dict[UUID, list[SeatEvent]]:
    """The events that caused lines, newest first, at most `limit` for each line from before a key, in one
    statement.

    Added seats, credits and adjustments name their events. A line for a whole quantity leads to the committed
    events that make up its balance, a line for use to the events of seats in use until its period's end; a
    credit that names none leads to those of the line it reverses.
    """
    ids = tuple(line_ids)
    named = select(line_event.c.line_id, line_event.c.event_id).where(
        line_event.c.customer_id == tx.customer, line_event.c.line_id.in_(ids)
    )
    pairs = union_all(named, _by_balance(tx, ids)).subquery()
    place_of = func.row_number().over(
        partition_by=pairs.c.line_id, order_by=(seat_event.c.effective_at.desc(), seat_event.c.id.desc())
    )
    joined = pairs.join(
        seat_event, and_(seat_event.c.customer_id == tx.customer, seat_event.c.id == pairs.c.event_id)
    )
    query: Select[Any] = select(pairs.c.line_id, seat_event, place_of.label("place")).select_from(joined)
    if before is not None:
        query = query.where(tuple_(seat_event.c.effective_at, seat_event.c.id) < before)
    ranked = query.subquery()
    wanted = select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.line_id, ranked.c.place)
    found: dict[UUID, list[SeatEvent]] = {}
    for row in tx.connection.execute(wanted):
        found.setdefault(row.line_id, []).append(event_of(row))
    return found


def stored_line(row: Row[Any], currency: Currency) -> StoredLine:
    """A row of `billing_line` as a value."""
    share = None
    if row.numerator is not None:
        share = Share(row.numerator, row.denominator, row.granularity)
    line = Line(
        item=Item(row.item),
        kind=row.kind,
        quantity=row.quantity,
        parts=from_json(row.parts, tuple[Part, ...]),
        share=share,
        period=Period(row.period_start, row.period_end, row.zone),
        amount=Money(row.amount, currency),
        formula=row.formula,
        tax=TaxTreatment(row.tax_category, row.tax_rate, row.tax_label),
        price=row.price_id,
        cycle=row.cycle,
        reverses=row.reverses,
    )
    return StoredLine(
        row.id,
        line,
        row.document_id,
        row.position,
        row.description,
        row.effective_at,
        row.known_at,
        row.recorded_at,
        row.reissues,
    )


def _balance_counts(event: Any) -> Any:
    """Whether an event is part of the balance that a line for a whole quantity was made from."""
    return and_(
        billing_line.c.customer_id == event.c.customer_id,
        billing_line.c.item == event.c.metric,
        or_(
            and_(
                billing_line.c.kind.in_(BY_BALANCE),
                event.c.kind == BalanceKind.COMMITTED,
                event.c.effective_at <= billing_line.c.effective_at,
            ),
            and_(
                billing_line.c.kind.in_(BY_USE),
                event.c.kind == BalanceKind.IN_USE,
                event.c.effective_at < billing_line.c.period_end,
            ),
        ),
        event.c.recorded_at <= billing_line.c.known_at,
    )


def _by_balance(tx: Tx, ids: tuple[UUID, ...]) -> Select[Any]:
    """Pairs (line, event) of lines for a whole quantity, and of credits that name no event through the line
    they reverse.
    """
    asked = billing_line.alias("asked")
    names_none = (
        ~select(line_event.c.line_id)
        .where(line_event.c.customer_id == asked.c.customer_id, line_event.c.line_id == asked.c.id)
        .exists()
    )
    is_source = and_(
        billing_line.c.customer_id == asked.c.customer_id,
        or_(billing_line.c.id == asked.c.id, and_(billing_line.c.id == asked.c.reverses, names_none)),
    )
    joined = asked.join(billing_line, is_source).join(seat_event, _balance_counts(seat_event))
    return (
        select(asked.c.id.label("line_id"), seat_event.c.id.label("event_id"))
        .select_from(joined)
        .where(asked.c.customer_id == tx.customer, asked.c.id.in_(ids))
    )


def _values(
    tx: Tx, subscription_id: UUID, line_id: UUID, line: Line, at: datetime, placed: Placement | None
) -> dict[str, Any]:
    return {
        "customer_id": tx.customer,
        "id": line_id,
        "subscription_id": subscription_id,
        "item": line.item,
        "kind": line.kind,
        "quantity": line.quantity,
        "parts": to_json(line.parts),
        "numerator": line.share.numerator if line.share else None,
        "denominator": line.share.denominator if line.share else None,
        "granularity": line.share.granularity if line.share else Granularity.DAY,
        "period_start": line.period.start,
        "period_end": line.period.end,
        "zone": line.period.zone,
        "amount": line.amount.minor,
        "formula": line.formula,
        "tax_category": line.tax.category,
        "tax_rate": line.tax.rate,
        "tax_label": line.tax.label,
        "price_id": line.price,
        "cycle": line.cycle,
        "reverses": line.reverses,
        "reissues": None,
        "effective_at": at,
        "known_at": tx.at,
        "recorded_at": tx.at,
        "document_id": placed.document if placed else None,
        "position": placed.position if placed else None,
        "description": placed.description if placed else None,
    }
