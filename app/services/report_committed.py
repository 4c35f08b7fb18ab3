"""Committed seats that the vendor tells: sold somewhere else than on the page, some days or months late, or
told wrongly before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.billing.backdated import Told
from app.billing.effects import reported
from app.billing.ledger import (
    BalanceKind,
    Delta,
    EventSource,
    SeatEvent,
    correction,
    equaliser,
    first_negative,
)
from app.billing.periods import MICROSECOND, first_instant, local_day
from app.billing.permissions import Actor
from app.billing.plans import Item
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound, Problem, SubscriptionNotActive
from app.billing.reports import LATE_MAX
from app.billing.requests import SEATS_MAX
from app.billing.state import State
from app.billing.subscriptions import SubscriptionStatus
from app.billing.usage import Usage
from app.services import postings
from app.services.bring_up import instant, load_current
from app.store import seats, stretches, subscriptions
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class CommittedReport:
    """Seats of a metric that were asked for or given up, now or earlier; exactly one of the three numbers. A
    total stays true: what is told later of a day before it is made up for on its own day.
    """

    metric: str
    added: int | None = None
    removed: int | None = None
    total: int | None = None
    effective_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CommittedCorrection:
    """What an event of committed seats should have said."""

    event: UUID
    added: int
    removed: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CommittedRecorded:
    """The subscription that the seats belong to, and how many are committed now."""

    subscription: UUID
    committed: int


ReportRefusal = NotFound | InvalidInput | SubscriptionNotActive | BillingDetailsMissing


def report_committed(tx: Tx, actor: Actor, report: CommittedReport) -> CommittedRecorded | ReportRefusal:
    """Record what the customer committed to. Time that is over is recomputed at the price and the tax of its
    days; the difference waits for the next document.
    """
    loaded = _loaded(tx)
    if not isinstance(loaded, Loaded):
        return loaded
    since, metric = report.effective_at or instant(tx), Item(report.metric)
    problem = _problem(tx, loaded.state, report, since)
    if problem:
        return InvalidInput((problem,))
    net = _net(tx, report, since)
    delta = Delta(
        metric=metric,
        kind=BalanceKind.COMMITTED,
        added=max(0, net),
        removed=max(0, -net),
        effective_at=since,
        source=EventSource.REPORT,
        note=report.note,
        stated=report.total,
    )
    if not net:
        return _recorded(loaded, metric)
    return _record(tx, actor, loaded, (delta,))


def correct_committed(tx: Tx, actor: Actor, wanted: CommittedCorrection) -> CommittedRecorded | ReportRefusal:
    """Take an event of committed seats back and put the right values in its place. Only the latest version of
    an event can be corrected.
    """
    loaded = _loaded(tx)
    if not isinstance(loaded, Loaded):
        return loaded
    original = seats.events_by_id(tx, (wanted.event,)).get(wanted.event)
    if original is None or original.delta.kind is not BalanceKind.COMMITTED:
        return NotFound("seat event")
    problem = _wrong(tx, loaded.state, original, wanted)
    if problem:
        return InvalidInput((problem,))
    deltas = correction(original, added=wanted.added, removed=wanted.removed, note=wanted.note)
    return _record(tx, actor, loaded, deltas)


def _loaded(tx: Tx) -> Loaded | ReportRefusal:
    live = subscriptions.live(tx)
    loaded = load_current(tx, live.id, instant(tx)) if live else None
    if loaded is None:
        return NotFound("subscription")
    if isinstance(loaded, Loaded) and loaded.state.subscription.status is not SubscriptionStatus.ACTIVE:
        return SubscriptionNotActive(loaded.state.subscription.status, "reported on")
    return loaded


def _record(
    tx: Tx, actor: Actor, loaded: Loaded, deltas: tuple[Delta, ...]
) -> CommittedRecorded | ReportRefusal:
    """Write events of one metric, with what keeps a later total true, and what they come to."""
    subscription = loaded.state.subscription
    metric, since = deltas[0].metric, deltas[0].effective_at
    closed = stretches.closed(tx, subscription.id, metric, since, loaded.state.currency)
    starts = [stretch.segment.period.start for stretch in closed] or [subscription.stretch_start]
    later = _later(tx, metric, min(since, *starts))
    corrected = {event.delta.corrects for event in later} | {delta.corrects for delta in deltas}
    kept = equaliser(deltas, (event for event in later if event.id not in corrected))
    deltas = (*deltas, kept) if kept else deltas
    opening = loaded.state.level(metric).committed - sum(event.delta.net for event in later)
    known = Usage(opening, events=tuple(event.delta for event in later))
    below = first_negative((*known.events, *deltas), opening)
    if below is not None:
        day = local_day(below, subscription.zone).isoformat()
        message = f"On {day} fewer than no {metric} seats would be committed. Remove fewer."
        return InvalidInput((Problem("removed", message),))
    posting = reported(loaded.state, Told(deltas, known, closed), at=instant(tx))
    return _recorded(postings.write(tx, loaded, posting, actor=actor).loaded, metric)


def _recorded(loaded: Loaded, metric: Item) -> CommittedRecorded:
    return CommittedRecorded(loaded.state.subscription.id, loaded.state.level(metric).committed)


def _later(tx: Tx, metric: Item, since: datetime) -> list[SeatEvent]:
    found = seats.metric_events(tx, metric, start=since, until=tx.at + MICROSECOND)
    return [event for event in found if event.delta.kind is BalanceKind.COMMITTED]


def _net(tx: Tx, report: CommittedReport, since: datetime) -> int:
    if report.total is None:
        return (report.added or 0) - (report.removed or 0)
    level = seats.levels_at(tx, since).get(Item(report.metric))
    return report.total - (level.committed if level else 0)


def _problem(tx: Tx, state: State, report: CommittedReport, since: datetime) -> Problem | None:
    seat = state.price.seat(report.metric)
    if seat is None or not seat.basis.in_advance:
        return Problem(
            "metric", f"{state.price.plan_name} sells no seats called {report.metric!r} in advance."
        )
    numbers = [number for number in (report.added, report.removed, report.total) if number is not None]
    if len(numbers) != 1 or not 0 <= numbers[0] <= SEATS_MAX:
        return Problem("quantity", f"Give one of added, removed and total, from 0 to {SEATS_MAX}.")
    if since > tx.at:
        return Problem("effectiveAt", "Seats cannot be committed in the future. Report them then.")
    return _too_old(tx, state, since)


def _wrong(tx: Tx, state: State, original: SeatEvent, wanted: CommittedCorrection) -> Problem | None:
    if seats.corrected_by(tx, (original.id,)):
        return Problem("event", "This event was corrected already. Correct its correction.")
    if not 0 <= min(wanted.added, wanted.removed) <= max(wanted.added, wanted.removed) <= SEATS_MAX:
        return Problem("added", f"Seats added and removed are from 0 to {SEATS_MAX}.")
    return _too_old(tx, state, original.delta.effective_at)


def _too_old(tx: Tx, state: State, since: datetime) -> Problem | None:
    """The problem of an instant before the subscription began, or more than thirteen months ago."""
    zone = state.subscription.zone
    began_on = local_day(subscriptions.started_at(tx, state.subscription.id), zone)
    if since >= max(first_instant(began_on, zone), tx.at - LATE_MAX):
        return None
    return Problem(
        "effectiveAt",
        f"Committed seats can be told back to {began_on}, when the subscription began, and for 13 months. "
        "Report them from then on, and write a credit note for what is earlier.",
    )
