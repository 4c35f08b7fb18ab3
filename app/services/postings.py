"""Writes what was decided, whoever decided it: events, lines, documents, credit, terms, schedule, and the
rows that go with every commit.

Document numbers are taken last, so that their counter is locked shortly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.billing import renewals
from app.billing.documents import Draft
from app.billing.ledger import SeatEvent
from app.billing.lines import Line
from app.billing.money import Money
from app.billing.periods import local_day
from app.billing.permissions import Actor
from app.billing.state import Posting, State, after
from app.billing.subscriptions import ScheduledChange, ScheduledOutcome, SubscriptionStatus
from app.services import pages
from app.store import commits, customers, documents, lines, seats, subscriptions, usage
from app.store.commits import Happened
from app.store.documents import Document
from app.store.lines import Placement
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Written:
    """What a posting became: the state after it, its documents, and the scheduled changes that it made."""

    loaded: Loaded
    documents: tuple[Document, ...]
    scheduled: tuple[ScheduledChange, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """The names of the rows of a posting, in the order in which `after` gives them."""

    lines: tuple[UUID, ...]
    documents: tuple[UUID, ...]
    scheduled: tuple[UUID, ...]

    @classmethod
    def mint(cls, tx: Tx, posting: Posting) -> Ids:
        counts = (len(posting.lines), len(posting.drafts), len(posting.scheduled))
        return cls(*(tuple(tx.new_id() for _ in range(count)) for count in counts))

    def __iter__(self) -> Iterator[UUID]:
        return iter((*self.lines, *self.documents, *self.scheduled))


def write(
    tx: Tx,
    loaded: Loaded,
    posting: Posting,
    *,
    actor: Actor,
    settled_as: ScheduledOutcome = ScheduledOutcome.REPLACED,
) -> Written:
    """Write a posting that was decided from a loaded state; what it became. The caller has locked the
    subscription.

    `settled_as` is what becomes of the scheduled changes that a request settles; a renewal applies or drops
    them.
    """
    ids = Ids.mint(tx, posting)
    state_after = after(loaded.state, posting, iter(ids).__next__)
    _save_subscription(tx, loaded, state_after, posting)
    events = seats.append(tx, posting.events, actor=actor.name)
    scheduled = _save_schedule(tx, posting, ids, actor, settled_as)
    issued = tuple(_issue(tx, loaded, posting, ids, i) for i in range(len(posting.drafts)))
    placements = {p.line: p for p in _placements(tx, loaded, posting, ids, issued)}
    numbered = tuple(zip(ids.lines, posting.lines, strict=True))
    lines.append(tx, posting.subscription.id, numbered, at=posting.at, places=placements)
    lines.place(tx, (p for p in placements.values() if p.line not in set(ids.lines)))
    lines.link_events(tx, _links(posting, numbered, events))
    for document, draft in zip(issued, posting.drafts, strict=True):
        _settle(tx, document, draft, posting)
    _announce(tx, loaded.state, posting, issued, actor)
    customer = replace(loaded.customer, credit=state_after.credit)
    return Written(replace(loaded, state=state_after, customer=customer), issued, scheduled)


def due_in_wall_time(state: State, offset: timedelta) -> datetime | None:
    """When something of a subscription is due next, by the wall clock; None if never."""
    due = renewals.due_at(state)
    return due - offset if due else None


def _save_subscription(tx: Tx, loaded: Loaded, state_after: State, posting: Posting) -> None:
    before, now = loaded.state.subscription, posting.subscription
    due_at = due_in_wall_time(state_after, loaded.customer.clock_offset)
    reckons = bool(posting.segments) or (posting.segments is not None and bool(loaded.state.late))
    subscriptions.save(tx, now, due_at=due_at, reckons=reckons)
    usage.add_segments(tx, now.id, posting.closes(before))
    if (before.price, before.anchor, before.interval) != (now.price, now.anchor, now.interval):
        subscriptions.add_terms(tx, now, posting.price, posting.at)


def _save_schedule(
    tx: Tx, posting: Posting, ids: Ids, actor: Actor, settled_as: ScheduledOutcome
) -> tuple[ScheduledChange, ...]:
    """Close what is over, then open what is new; a new change names the one it replaces."""
    new = tuple(
        ScheduledChange(i, change) for i, change in zip(ids.scheduled, posting.scheduled, strict=True)
    )
    dropped = {change.id for change in posting.dropped}
    outcome = ScheduledOutcome.APPLIED if posting.renews else settled_as
    subscriptions.close_scheduled(tx, (c.id for c in posting.settled if c.id not in dropped), outcome)
    subscriptions.close_scheduled(tx, dropped, ScheduledOutcome.DROPPED)
    replaced = {change.change.target: change.id for change in posting.settled}
    for change in new:
        replaces = replaced.get(change.change.target)
        subscriptions.add_scheduled(tx, posting.subscription.id, change, actor=actor.name, replaces=replaces)
    return new


def _issue(tx: Tx, loaded: Loaded, posting: Posting, ids: Ids, index: int) -> Document:
    """A draft as a final document, with its number, its days and both parties by value."""
    draft, customer, seller = posting.drafts[index], loaded.customer, loaded.catalog.seller
    number = commits.next_number(tx, draft.kind, ids.documents[index], demo=customer.demo)
    issued_on = local_day(posting.at, seller.zone)
    document = Document(
        id=ids.documents[index],
        subscription=posting.subscription.id,
        kind=draft.kind,
        number=number,
        issued_at=posting.at,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=seller.payment_days),
        totals=draft.totals,
        credit_added=draft.credit_added,
        seller=seller,
        buyer=customer.details,
        locale=customer.locale,
    )
    documents.add(tx, document, pages.page_of(tx, loaded, document, draft))
    return document


def _placements(
    tx: Tx, loaded: Loaded, posting: Posting, ids: Ids, issued: tuple[Document, ...]
) -> Iterator[Placement]:
    for document, draft in zip(issued, posting.drafts, strict=True):
        for position, ref in enumerate(draft.lines):
            line_id = ids.lines[ref.new] if ref.new is not None else ref.waiting
            assert line_id is not None, "a line of a draft is new or was waiting"
            yield Placement(line_id, document.id, position, pages.describe(tx, loaded, ref.line))


def _links(
    posting: Posting, numbered: tuple[tuple[UUID, Line], ...], events: tuple[SeatEvent, ...]
) -> Iterator[tuple[UUID, UUID]]:
    for line_id, line in numbered:
        caused = posting.events_of(line)
        yield from ((line_id, event.id) for event in events if event.delta in caused)
        yield from ((line_id, event) for event in line.late)


def _settle(tx: Tx, document: Document, draft: Draft, posting: Posting) -> None:
    """Money that moves with a document: what an invoice is due, what a credit note takes off invoices and
    adds to the balance.
    """
    moved = draft.credit_added - draft.totals.credit_applied
    if draft.totals.total.minor > 0:
        documents.open_receivable(tx, document)
    else:
        documents.reduce(tx, document.id, _reductions(draft), posting.at)
    if moved.minor:
        documents.add_credit(tx, document.id, moved, posting.at)
        customers.move_credit(tx, moved)


def _reductions(draft: Draft) -> tuple[tuple[UUID, Money], ...]:
    """What is taken off each invoice that a credit note reverses lines of, also where nothing is."""
    zero = Money.zero(draft.credit_added.currency)
    touched = dict.fromkeys((ref.invoice for ref in draft.lines if ref.invoice is not None), zero)
    return tuple((touched | dict(draft.reduces)).items())


def _announce(tx: Tx, before: State, posting: Posting, issued: tuple[Document, ...], actor: Actor) -> None:
    """Outbox and audit rows of a posting."""
    subscription = posting.subscription
    commits.publish(tx, *_news(before, posting, issued))
    numbers = [document.number.text for document in issued]
    detail = {"version": subscription.version, "lines": len(posting.lines), "documents": numbers}
    commits.note(tx, "subscription.posted", subscription.id, actor=actor.name, at=posting.at, detail=detail)


def _news(before: State, posting: Posting, issued: tuple[Document, ...]) -> Iterator[Happened]:
    subscription = posting.subscription
    facts = {"subscription": str(subscription.id), "version": subscription.version}
    for event_type in _event_types(before, posting):
        yield Happened(event_type, subscription.id, facts)
    for metric in dict.fromkeys(event.metric for event in posting.events):
        yield Happened("seats.changed", subscription.id, {"metric": metric, **facts})
    for change in posting.dropped:
        yield Happened("scheduled_change.dropped", change.id, {"target": change.change.target})
    for document in issued:
        event_type = "invoice.finalized" if document.totals.total.minor > 0 else "credit_note.finalized"
        yield Happened(event_type, document.id, {"number": document.number.text})


def _event_types(before: State, posting: Posting) -> Iterator[str]:
    was, now = before.subscription, posting.subscription
    if was.status is SubscriptionStatus.ENDED:
        return
    if now.status is SubscriptionStatus.ENDED:
        yield "subscription.cancelled"
        return
    if now.version == 1 and now.status is SubscriptionStatus.TRIALING:
        yield "subscription.trial_started"
    elif now.version == 1 or SubscriptionStatus.TRIALING is was.status is not now.status:
        yield "subscription.active"
    elif now.status is not was.status:
        yield "subscription.paused" if now.status is SubscriptionStatus.PAUSED else "subscription.resumed"
    elif now.cycle > was.cycle:
        yield "subscription.renewed"
    if posting.price.id != before.price.id or (posting.events and not posting.renews):
        yield "subscription.plan_changed"
