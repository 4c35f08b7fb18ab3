"""Seats that people take and give back, as the vendor reports them, and corrections of what was reported.

Seats in use never move money by themselves on a purchased plan, and never a subscription's version. Whether
one report comes or a thousand, what they touch is loaded once, each is decided in memory, and all is written
together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.billing.ledger import Delta, SeatEvent
from app.billing.periods import local_day
from app.billing.permissions import Actor
from app.billing.plans import ChargingBasis
from app.billing.refusals import InvalidInput, NotFound
from app.billing.reports import LATE_MAX, OpenLedger, Rules, SeatCorrection, SeatReport
from app.services import postings
from app.services.bring_up import instant
from app.store import catalogs, commits, customers, holders, seats, states, subscriptions, usage
from app.store.commits import Happened
from app.store.ids import new_ids
from app.store.transaction import Tx

__all__ = ["SeatCorrection", "SeatReport", "SeatsRecorded", "correct_seats", "record_seats"]


@dataclass(frozen=True, slots=True)
class SeatsRecorded:
    """The events that a report became; none if a stated total was true already."""

    events: tuple[SeatEvent, ...]


def record_seats(tx: Tx, actor: Actor, report: SeatReport) -> SeatsRecorded | InvalidInput:
    """Record a report of seats in use. Refused if it would make the balance of any later day negative."""
    opened = open_ledger(tx, actor, (report,))
    events = opened.report(report)
    if isinstance(events, InvalidInput):
        return events
    announce(tx, save(tx, actor, opened))
    return SeatsRecorded(events)


def correct_seats(tx: Tx, actor: Actor, wanted: SeatCorrection) -> SeatsRecorded | InvalidInput | NotFound:
    """Take an event back and put the right values in its place. Only the latest version of an event can be
    corrected.
    """
    opened = open_ledger(tx, actor, (wanted,))
    events = opened.correct(wanted)
    if isinstance(events, InvalidInput | NotFound):
        return events
    announce(tx, save(tx, actor, opened))
    return SeatsRecorded(events)


def open_ledger(tx: Tx, actor: Actor, works: Sequence[SeatReport | SeatCorrection]) -> OpenLedger:
    """The part of the ledger that reports and corrections touch."""
    corrections = [work for work in works if isinstance(work, SeatCorrection)]
    reports = [work for work in works if isinstance(work, SeatReport)]
    named = {work.event for work in corrections}
    originals = seats.events_by_id(tx, named) if named else {}
    corrected = set(seats.corrected_by(tx, named)) if named else set()
    at = instant(tx)
    touched = [(report.metric, report.effective_at or at) for report in reports]
    touched += [(event.delta.metric, event.delta.effective_at) for event in originals.values()]
    since: dict[str, datetime] = {}
    for metric, effective_at in touched:
        since[metric] = min(effective_at, since.get(metric, effective_at))
    named_holders = [(report.metric, report.holder) for report in reports]
    named_holders += [(event.delta.metric, event.delta.holder) for event in originals.values()]
    people = {(metric, holder.reference) for metric, holder in named_holders if holder}
    return OpenLedger(
        rules=_rules(tx, since),
        record=_recorder(tx, actor, len(works)),
        timelines=seats.timelines(tx, since),
        sittings=holders.sittings(tx, people),
        originals=originals,
        corrected=corrected,
    )


def save(tx: Tx, actor: Actor, opened: OpenLedger) -> list[str]:
    """Write what was decided, with an audit row for each metric that names the first and the last of its
    events; the metrics that moved.
    """
    if not opened.events:
        return []
    seats.write(tx, opened.events, opened.sittings, opened.seated)
    _wake_ended(tx, opened.events)
    by_metric: dict[str, list[SeatEvent]] = {}
    for event in opened.events:
        by_metric.setdefault(event.delta.metric, []).append(event)
    for metric, events in by_metric.items():
        effective_at = min(event.delta.effective_at for event in events)
        commits.note(
            tx,
            "seats.recorded",
            events[0].id,
            actor=actor.name,
            at=effective_at,
            detail=_detail(metric, events),
        )
    return list(by_metric)


def announce(tx: Tx, metrics: Iterable[str]) -> None:
    """Tell the vendor which seats moved."""
    news = [Happened("seats.changed", tx.customer, {"metric": metric}) for metric in dict.fromkeys(metrics)]
    if news:
        commits.publish(tx, *news)


def _wake_ended(tx: Tx, events: Sequence[SeatEvent]) -> None:
    """What is told late of a subscription that has ended is due once more."""
    live = subscriptions.live(tx)
    since: dict[str, datetime] = {}
    for delta in (event.delta for event in events):
        if live and (not live.status.runs or delta.effective_at < live.period.start):
            since[delta.metric] = min(delta.effective_at, since.get(delta.metric, delta.effective_at))
    for subscription_id in usage.ended_reached(tx, since) if since else ():
        loaded = states.load(tx, subscription_id, lock=True)
        assert loaded is not None, "it was found a moment ago"
        due_at = postings.due_in_wall_time(loaded.state, loaded.customer.clock_offset)
        subscriptions.set_due(tx, subscription_id, due_at)


def _recorder(tx: Tx, actor: Actor, count: int) -> Callable[[Delta], SeatEvent]:
    """Makes events of deltas; the ids of about so many are made at once."""
    ids, at, name = iter(new_ids(tx.wall, count)), tx.at, actor.name

    def record(delta: Delta) -> SeatEvent:
        return SeatEvent(next(ids, None) or tx.new_id(), delta, at, name)

    return record


def _rules(tx: Tx, since: dict[str, datetime]) -> Rules:
    live = subscriptions.live(tx)
    sold = catalogs.price(tx, live.price).seats if live else ()
    old = [metric for metric, at in since.items() if at < tx.at - LATE_MAX]
    return Rules(
        at=instant(tx),
        known_until=tx.at,
        day_of=lambda at: _local_day(tx, at),
        metrics=frozenset(metric.code for metric in catalogs.current(tx).metrics),
        by_person=frozenset(seat.metric.code for seat in sold if seat.basis is ChargingBasis.ACTIVE),
        billed_until=seats.billed_until(tx, old) if old else {},
    )


def _local_day(tx: Tx, at: datetime) -> date:
    customer = customers.get(tx)
    assert customer is not None, "reports are of a customer's seats"
    return local_day(at, customer.zone)


def _detail(metric: str, events: Sequence[SeatEvent]) -> dict[str, Any]:
    return {
        "metric": metric,
        "added": sum(event.delta.added for event in events),
        "removed": sum(event.delta.removed for event in events),
        "events": len(events),
        "first": str(events[0].id),
        "last": str(events[-1].id),
    }
