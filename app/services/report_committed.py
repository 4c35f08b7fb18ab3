"""Committed seats as the vendor tells them: the customer asked for them somewhere else than on the page.

They are billed like a change on the page would have been on that day, prorated, with the next document.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing.effects import reported
from app.billing.ledger import BalanceKind, first_negative
from app.billing.periods import local_day
from app.billing.permissions import Actor
from app.billing.plans import Item
from app.billing.refusals import BillingDetailsMissing, InvalidInput, NotFound, Problem, SubscriptionNotActive
from app.billing.requests import SEATS_MAX
from app.billing.state import State
from app.billing.subscriptions import SubscriptionStatus
from app.services import postings
from app.services.bring_up import instant, load_current
from app.store import seats, subscriptions
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class CommittedReport:
    """Seats of a metric that were asked for or given up, now or earlier in the present period; exactly one of
    the three numbers.
    """

    metric: str
    added: int | None = None
    removed: int | None = None
    total: int | None = None
    effective_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CommittedRecorded:
    """The subscription that the seats belong to, and how many are committed now."""

    subscription: UUID
    committed: int


ReportRefusal = NotFound | InvalidInput | SubscriptionNotActive | BillingDetailsMissing


def report_committed(tx: Tx, actor: Actor, report: CommittedReport) -> CommittedRecorded | ReportRefusal:
    """Record what the customer committed to. It may be told late, back to the start of the billing period or
    of the present plan; what is earlier takes a document by hand.
    """
    live = subscriptions.live(tx)
    loaded = load_current(tx, live.id, instant(tx)) if live else None
    if not isinstance(loaded, Loaded):
        return loaded or NotFound("subscription")
    state = loaded.state
    if state.subscription.status is not SubscriptionStatus.ACTIVE:
        return SubscriptionNotActive(state.subscription.status, "reported on")
    since, metric = report.effective_at or instant(tx), Item(report.metric)
    problem = _problem(tx, state, report, since)
    if problem:
        return InvalidInput((problem,))
    net = _net(tx, report, since)
    problem = _negative(tx, state, metric, net, since)
    if problem:
        return InvalidInput((problem,))
    if net:
        posting = reported(state, metric, net, since=since, at=instant(tx))
        (event,) = posting.events
        told = replace(event, note=report.note)
        loaded = postings.write(tx, loaded, replace(posting, events=(told,)), actor=actor).loaded
    return CommittedRecorded(state.subscription.id, loaded.state.level(metric).committed)


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
    begins = max(state.subscription.period.start, state.subscription.priced_from)
    if since < begins:
        day = local_day(begins, state.subscription.zone).isoformat()
        return Problem(
            "effectiveAt",
            f"Committed seats can be told back to {day}, when the present period or plan began. "
            "Report them from then on, and write a document for what is earlier.",
        )
    return None


def _negative(tx: Tx, state: State, metric: Item, net: int, since: datetime) -> Problem | None:
    """The problem of committed seats that would have been fewer than none on some day since."""
    later = [
        event.delta
        for event in seats.metric_events(tx, metric, start=since, until=tx.at)
        if event.delta.kind is BalanceKind.COMMITTED
    ]
    opening = state.level(metric).committed - sum(delta.net for delta in later) + net
    below = since if opening < 0 else first_negative(later, opening)
    if below is None:
        return None
    day = local_day(below, state.subscription.zone).isoformat()
    return Problem("removed", f"On {day} fewer than no {metric} seats would be committed. Remove fewer.")
