"""Seats that people take and give back, as the vendor reports them, and corrections of what was reported.

Seats in use never move money by themselves on a purchased plan, and never a subscription's version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.billing.ledger import (
    BalanceKind,
    Delta,
    EventSource,
    Holder,
    SeatEvent,
    correction,
    equaliser,
    first_negative,
)
from app.billing.periods import MICROSECOND, local_day
from app.billing.permissions import Actor
from app.billing.plans import ChargingBasis, Item
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.services.bring_up import instant
from app.store import catalogs, commits, customers, seats, subscriptions, usage
from app.store.commits import Happened
from app.store.transaction import Tx

LATE_MAX: Final = timedelta(days=396)
"""Thirteen months: what is reported later about use that was billed takes a credit note by hand."""


@dataclass(frozen=True, slots=True)
class SeatReport:
    """Seats of a metric taken into use or given back, now or at an earlier instant; exactly one of the three
    numbers.
    """

    metric: str
    added: int | None = None
    removed: int | None = None
    total: int | None = None
    holder: Holder | None = None
    effective_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SeatsRecorded:
    """The events that a report became; none if a stated total was true already."""

    events: tuple[SeatEvent, ...]


@dataclass(frozen=True, slots=True)
class SeatCorrection:
    """What an event should have said."""

    event: UUID
    added: int
    removed: int
    note: str | None = None


def record_seats(tx: Tx, actor: Actor, report: SeatReport) -> SeatsRecorded | InvalidInput:
    """Record a report of seats in use. Refused if it would make the balance of any later day negative."""
    at = report.effective_at or instant(tx)
    problem = _problem(tx, report, at)
    if problem:
        return InvalidInput((problem,))
    metric = Item(report.metric)
    net = (report.added or 0) - (report.removed or 0)
    if report.total is not None:
        level = seats.levels_at(tx, at).get(metric)
        net = report.total - (level.in_use if level else 0)
    if not net:
        return SeatsRecorded(())
    delta = Delta(
        metric=metric,
        kind=BalanceKind.IN_USE,
        added=max(0, net),
        removed=max(0, -net),
        effective_at=at,
        source=EventSource.REPORT,
        holder=report.holder,
        note=report.note,
        stated=report.total,
    )
    return _record(tx, actor, (delta,))


def correct_seats(tx: Tx, actor: Actor, wanted: SeatCorrection) -> SeatsRecorded | InvalidInput | NotFound:
    """Take an event back and put the right values in its place. Only the latest version of an event can be
    corrected.
    """
    original = seats.events_by_id(tx, (wanted.event,)).get(wanted.event)
    if original is None:
        return NotFound("seat event")
    if seats.corrected_by(tx, (original.id,)):
        return InvalidInput((Problem("event", "This event was corrected already. Correct its correction."),))
    if original.delta.kind is not BalanceKind.IN_USE:
        return InvalidInput((Problem("event", "Committed seats are corrected by changing the plan."),))
    if min(wanted.added, wanted.removed) < 0:
        return InvalidInput((Problem("added", "Seats added and removed are not negative."),))
    deltas = correction(original, added=wanted.added, removed=wanted.removed, note=wanted.note)
    holder, net = original.delta.holder, sum(delta.net for delta in deltas)
    if holder and seats.holder_seats(tx, original.delta.metric, holder.reference) + net < 0:
        problem = (
            f"{holder.reference!r} gave a seat back that this would take away. Correct that event first."
        )
        return InvalidInput((Problem("added", problem),))
    return _record(tx, actor, deltas)


def _record(tx: Tx, actor: Actor, deltas: tuple[Delta, ...]) -> SeatsRecorded | InvalidInput:
    deltas = _equalised(tx, deltas)
    negative = _negative_from(tx, deltas)
    if negative is not None:
        return InvalidInput((negative,))
    events = seats.append(tx, deltas, actor=actor.name)
    for event in events:
        detail = {"metric": event.delta.metric, "added": event.delta.added, "removed": event.delta.removed}
        commits.note(
            tx, "seats.recorded", event.id, actor=actor.name, at=event.delta.effective_at, detail=detail
        )
    commits.publish(tx, Happened("seats.changed", tx.customer, {"metric": deltas[0].metric}))
    return SeatsRecorded(events)


def _equalised(tx: Tx, deltas: tuple[Delta, ...]) -> tuple[Delta, ...]:
    """Deltas with what keeps a total true that was stated for later."""
    first = deltas[0]
    since = seats.metric_events(tx, first.metric, start=first.effective_at, until=tx.at + MICROSECOND)
    of_kind = [event for event in since if event.delta.kind is first.kind]
    corrected = {event.delta.corrects for event in of_kind} | {delta.corrects for delta in deltas}
    kept = equaliser(deltas, (event for event in of_kind if event.id not in corrected))
    return (*deltas, kept) if kept else deltas


def _negative_from(tx: Tx, deltas: tuple[Delta, ...]) -> Problem | None:
    """The problem of a balance that would fall below zero at the deltas' instant or later."""
    first, metric = deltas[0].effective_at, deltas[0].metric
    later = [
        e.delta
        for e in seats.metric_events(tx, metric, start=first, until=tx.at + MICROSECOND)
        if e.delta.kind is BalanceKind.IN_USE
    ]
    level = seats.levels(tx).get(metric)
    opening = (level.in_use if level else 0) - sum(delta.net for delta in later)
    below = first_negative((*later, *deltas), opening)
    if below is None:
        return None
    customer = customers.get(tx)
    assert customer is not None, "events belong to a customer"
    day = local_day(below, customer.zone).isoformat()
    return Problem(
        "removed", f"On {day} fewer than no {metric} seats would be in use. Report fewer seats as removed."
    )


def _problem(tx: Tx, report: SeatReport, at: datetime) -> Problem | None:
    if catalogs.current(tx).metric(report.metric) is None:
        return Problem("metric", f"There are no seats called {report.metric!r}.")
    numbers = [number for number in (report.added, report.removed, report.total) if number is not None]
    if len(numbers) != 1 or numbers[0] < 0:
        return Problem("quantity", "Give one of added, removed and total, not below 0.")
    if at > tx.at:
        return Problem("effectiveAt", "An event cannot be effective in the future.")
    if at < tx.at - LATE_MAX and usage.is_billed(tx, report.metric, at):
        return Problem(
            "effectiveAt", "This is more than 13 months ago. Write a credit note for what it changes."
        )
    if report.holder is None:
        live = subscriptions.live(tx)
        seat = catalogs.price(tx, live.price).seat(report.metric) if live else None
        if seat and seat.basis is ChargingBasis.ACTIVE:
            return Problem("holder", f"Who takes {report.metric} seats is billed by person. Name the holder.")
        return None
    held = seats.holder_seats(tx, report.metric, report.holder.reference)
    if report.added and held:
        return Problem("holder", f"{report.holder.reference!r} holds a seat of this kind already.")
    if report.removed and held < report.removed:
        return Problem("holder", f"{report.holder.reference!r} holds no such seat.")
    return None
