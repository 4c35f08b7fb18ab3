"""Why a line comes to its amount: its derivation step by step, from the seat events to the one rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from uuid import UUID

from app.billing import arrears, explaining
from app.billing.arrears import Segment
from app.billing.backdated import Told
from app.billing.explaining import Explained
from app.billing.ledger import BalanceKind, SeatEvent, SeatLevels
from app.billing.lines import Line, LineKind
from app.billing.money import Money, rounded
from app.billing.overrides import own_from
from app.billing.plans import PlanPrice, SeatPrice
from app.billing.pricing import exact_amount
from app.billing.refusals import NotFound
from app.billing.usage import Usage
from app.services.pages import sentence
from app.store import catalogs, customers, documents, lines, overrides, seats, stretches, usage
from app.store.customers import Customer
from app.store.lines import StoredLine
from app.store.transaction import Tx

EVENTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line with its sentence, its formula, where it stands (None: it waits), and how it came about."""

    id: UUID
    sentence: str
    formula: str
    amount: Money
    document: str | None
    steps: tuple[Explained, ...]


def explain_line(tx: Tx, line_id: UUID) -> Explanation | NotFound:
    """Derive a line again from what is stored. At most the last hundred events are told."""
    customer = customers.get(tx)
    stored = lines.by_id(tx, (line_id,), customer.currency).get(line_id) if customer else None
    if customer is None or stored is None:
        return NotFound("line")
    line, version = stored.line, catalogs.price(tx, stored.line.price)
    found = documents.by_id(tx, (stored.document,)) if stored.document else {}
    return Explanation(
        id=line_id,
        sentence=stored.description or sentence(version, line, customer.locale),
        formula=line.formula,
        amount=line.amount,
        document=next((document.number.text for document in found.values()), None),
        steps=tuple(_steps(tx, customer, stored, version)),
    )


def _steps(tx: Tx, customer: Customer, stored: StoredLine, version: PlanPrice) -> Iterator[Explained]:
    line = stored.line
    yield explaining.head(line, version)
    found = lines.events_of(tx, (stored.id,), limit=EVENTS_MAX).get(stored.id, [])
    yield from _events(tx, found[::-1])
    yield from explaining.time(line)
    segment = usage.segment_of(tx, line) if line.kind.in_arrears else None
    if segment is not None:
        version = own_from(version, overrides.recorded(tx), segment.period.start, segment.period.zone)
    if line.kind is LineKind.BACKDATED:
        version = own_from(version, overrides.recorded(tx), line.period.start, line.period.zone)
    seat = version.seat(line.item)
    if segment is not None and seat is not None:
        yield from _use(tx, stored, segment, seat, version)
    elif line.kind is LineKind.BACKDATED and seat is not None:
        yield from _backdated(tx, stored, version, seat, found)
    elif line.reverses is not None:
        yield from _credit(tx, customer, line)
    else:
        yield from _committed(tx, stored, seat)
        yield from _charge(line, seat)
    yield Explained("tax", f"{line.tax.label} {line.tax.rate:f} %, {line.tax.category.value}")


def _events(tx: Tx, found: list[SeatEvent]) -> Iterator[Explained]:
    """The events, each with the balance after it."""
    balances = seats.balances_after(tx, found)
    for event in found:
        yield explaining.event(event, balances[event.id])


def _committed(tx: Tx, stored: StoredLine, seat: SeatPrice | None) -> Iterator[Explained]:
    """How a whole quantity follows from the seats that were committed then."""
    if seat is None or stored.line.kind is LineKind.ADDED:
        return
    levels = seats.levels_at(tx, stored.effective_at, stored.known_at)
    level = levels.get(seat.metric.code, SeatLevels()).committed
    if seat.billed(level) == stored.line.quantity:
        yield explaining.quantity(seat, level, "committed")


def _charge(line: Line, seat: SeatPrice | None) -> Iterator[Explained]:
    unit = seat.metric.unit if seat else "seat"
    yield from explaining.prices(line.parts, unit, line.amount.currency)
    share = line.share.exact if line.share else Fraction(1)
    yield explaining.amount(exact_amount(line.parts) * share, line.amount.currency)


def _credit(tx: Tx, customer: Customer, line: Line) -> Iterator[Explained]:
    """A credit is computed from the line it takes back, and is never more than what was left of that."""
    assert line.reverses is not None, "the caller looked"
    taken = lines.by_id(tx, (line.reverses,), customer.currency)[line.reverses].line
    yield Explained("reverses", f"{taken.formula} = {taken.amount}")
    if not line.parts and not line.quantity:
        yield Explained("by hand", f"{-line.amount} were taken off by the seller")
        return
    yield from _charge(line, None)
    share = line.share.exact if line.share else Fraction(1)
    if rounded(exact_amount(line.parts) * share, line.amount.currency) != -line.amount:
        yield explaining.left(line)


def _backdated(
    tx: Tx, stored: StoredLine, version: PlanPrice, seat: SeatPrice, told: list[SeatEvent]
) -> Iterator[Explained]:
    """What was told late is derived from the ledger as it was known then, without it and with it."""
    line = stored.line
    known = usage.known_at(tx, line.item, BalanceKind.COMMITTED, line.period.end, stored.known_at)
    deltas = tuple(event.delta for event in told)
    late = Told(deltas, Usage(events=tuple(delta for delta in known.events if delta not in deltas)))
    yield from explaining.backdated(seat, late, line, stretches.whole_of(tx, line, version.granularity))


def _use(
    tx: Tx, stored: StoredLine, segment: Segment, seat: SeatPrice, version: PlanPrice
) -> Iterator[Explained]:
    """Use is derived from the ledger as it was known when the line was made."""
    known = usage.known_at(tx, segment.metric, BalanceKind.IN_USE, segment.period.end, stored.known_at)
    yield from explaining.use(seat, segment, known, version.granularity)
    reckoned = arrears.reckon(seat, segment, known, version.granularity, version.currency)
    yield from explaining.prices(reckoned.parts, seat.metric.unit, version.currency)
    yield explaining.amount(reckoned.exact, version.currency)
    if stored.line.kind is LineKind.ADJUSTMENT:
        together = lines.adjusted_with(tx, stored)
        yield from explaining.adjusted(
            rounded(reckoned.exact, version.currency), together, stored.line.amount
        )
