"""Writes what was decided, whoever decided it: events, lines, documents, credit, terms, schedule, and the
rows that go with every commit.

`compose` puts the rows of a posting on a sheet and asks the database nothing; `write` composes one and saves
its sheet. A verb writes; the billing run composes hundreds and saves them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from app.store import collecting, commits, customers, documents, lines, seats, subscriptions, usage
from app.store.commits import Happened
from app.store.documents import Document
from app.store.lines import Placement
from app.store.saving import save
from app.store.sheet import Number, Sheet, numbered
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Written:
    """What a posting became: the state after it, its documents, and the scheduled changes that it made."""

    loaded: Loaded
    documents: tuple[Document, ...]
    scheduled: tuple[ScheduledChange, ...]

    def numbered(self, numbers: Mapping[UUID, Number]) -> Written:
        """The same with the numbers that its documents got."""
        loaded = replace(self.loaded, numbers=_known(self.loaded.numbers, numbers))
        return replace(self, loaded=loaded, documents=_numbered(self.documents, numbers))


@dataclass(frozen=True, slots=True)
class Ids:
    """The names of the rows of a posting, in the order in which `after` gives them."""

    lines: tuple[UUID, ...]
    documents: tuple[UUID, ...]
    scheduled: tuple[UUID, ...]

    @classmethod
    def mint(cls, tx: Tx, posting: Posting) -> Ids:
        lines, drafts, scheduled = (
            tuple([tx.new_id() for _ in named])
            for named in (posting.lines, posting.drafts, posting.scheduled)
        )
        return cls(lines, drafts, scheduled)

    def __iter__(self) -> Iterator[UUID]:
        return iter((*self.lines, *self.documents, *self.scheduled))


def write(
    tx: Tx,
    loaded: Loaded,
    posting: Posting,
    *,
    actor: Actor,
    settled_as: ScheduledOutcome = ScheduledOutcome.REPLACED,
    sheet: Sheet | None = None,
) -> Written:
    """Write a posting that was decided from a loaded state, with what is on a sheet already; what it became.
    The caller has locked the subscription.

    `settled_as` is what becomes of the scheduled changes that a request settles; a renewal applies or drops
    them.
    """
    sheet = sheet or Sheet()
    written = compose(sheet, tx, loaded, posting, actor=actor, settled_as=settled_as)
    return written.numbered(save(tx.connection, sheet))


def compose(
    sheet: Sheet,
    tx: Tx,
    loaded: Loaded,
    posting: Posting,
    *,
    actor: Actor,
    settled_as: ScheduledOutcome = ScheduledOutcome.REPLACED,
) -> Written:
    """Put the rows of a posting on a sheet; what it will have become. Its documents have no numbers yet."""
    before, version = loaded.state.subscription.version, posting.subscription.version
    assert version == before + 1 or version == 1, "each posting is the next version"
    ids = Ids.mint(tx, posting)
    state_after = after(loaded.state, posting, iter(ids).__next__)
    _save_subscription(sheet, tx, loaded, state_after, posting)
    events = seats.collect(sheet, tx, posting.events, actor=actor.name)
    scheduled = _save_schedule(sheet, tx, posting, ids, actor, settled_as)
    drafted = tuple(_drafted(sheet, loaded, posting, ids, i) for i in range(len(posting.drafts)))
    placed = tuple(_placements(tx, loaded, posting, ids, i) for i in range(len(drafted)))
    placements = {p.line: p for of_one in placed for p in of_one}
    named = tuple(zip(ids.lines, posting.lines, strict=True))
    lines.append(sheet, tx, posting.subscription.id, named, at=posting.at, places=placements)
    lines.place(sheet, tx, (p for p in placements.values() if p.line not in ids.lines))
    lines.link_events(sheet, tx, _links(posting, named, events))
    for document, draft in zip(drafted, posting.drafts, strict=True):
        _settle(sheet, tx, document, draft, posting)
        if loaded.customer.payment_method and draft.totals.amount_due.minor:
            collecting.await_collection(sheet, tx, document.id)
    now = _loaded_after(loaded, state_after, drafted)
    views = tuple(
        pages.page_of(loaded, document, draft, [place.description for place in places])
        for document, draft, places in zip(drafted, posting.drafts, placed, strict=True)
    )
    _issue(sheet, tx, loaded.state, posting, tuple(zip(drafted, views, strict=True)), now.numbers, actor)
    return Written(now, drafted, scheduled)


def _loaded_after(loaded: Loaded, state: State, drafted: tuple[Document, ...]) -> Loaded:
    """What will have been loaded when a posting is written; what stands for the numbers of its documents."""
    customer, numbers = loaded.customer, dict(loaded.numbers)
    numbers |= {document.id: document.number.text for document in drafted}
    if customer.credit != state.credit:
        customer = replace(customer, credit=state.credit)
    return Loaded(state, customer, loaded.catalog, numbers, loaded.ahead)


def due_in_wall_time(state: State, offset: timedelta) -> datetime | None:
    """When something of a subscription is due next, by the wall clock; None if never."""
    due = renewals.due_at(state)
    return due - offset if due else None


def _save_subscription(sheet: Sheet, tx: Tx, loaded: Loaded, state_after: State, posting: Posting) -> None:
    before, now = loaded.state.subscription, posting.subscription
    due_at = due_in_wall_time(state_after, loaded.customer.clock_offset)
    reckons = bool(posting.segments) or (posting.segments is not None and bool(loaded.state.late))
    subscriptions.save(sheet, tx, now, due_at=due_at, reckons=reckons)
    usage.add_segments(sheet, tx, now.id, posting.closes(before))
    if (before.price, before.anchor, before.interval) != (now.price, now.anchor, now.interval):
        subscriptions.add_terms(sheet, tx, now, posting.price, posting.at)


def _save_schedule(
    sheet: Sheet, tx: Tx, posting: Posting, ids: Ids, actor: Actor, settled_as: ScheduledOutcome
) -> tuple[ScheduledChange, ...]:
    """Close what is over, then open what is new; a new change names the one it replaces."""
    new = tuple(
        ScheduledChange(i, change) for i, change in zip(ids.scheduled, posting.scheduled, strict=True)
    )
    dropped = {change.id for change in posting.dropped}
    outcome = ScheduledOutcome.APPLIED if posting.renews else settled_as
    kept = (change.id for change in posting.settled if change.id not in dropped)
    subscriptions.close_scheduled(sheet, tx, kept, outcome)
    subscriptions.close_scheduled(sheet, tx, dropped, ScheduledOutcome.DROPPED)
    replaced = {change.change.target: change.id for change in posting.settled}
    for change in new:
        replaces = replaced.get(change.change.target)
        subscriptions.add_scheduled(
            sheet, tx, posting.subscription.id, change, actor=actor.name, replaces=replaces
        )
    return new


def _drafted(sheet: Sheet, loaded: Loaded, posting: Posting, ids: Ids, index: int) -> Document:
    """A draft as a final document that awaits its number, with its days and both parties by value."""
    draft, customer, seller = posting.drafts[index], loaded.customer, loaded.catalog.seller
    number = commits.next_number(sheet, draft.kind, ids.documents[index], demo=customer.demo)
    issued_on = local_day(posting.at, seller.zone)
    return Document(
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


def _issue(
    sheet: Sheet,
    tx: Tx,
    before: State,
    posting: Posting,
    drafted: tuple[tuple[Document, str], ...],
    named: Mapping[UUID, str],
    actor: Actor,
) -> None:
    """All that names a document number: documents and their pages, news, and the record of the posting."""

    def finish(sheet: Sheet, numbers: Mapping[UUID, Number]) -> None:
        issued = _numbered((document for document, _ in drafted), numbers)
        for document, (_, view) in zip(issued, drafted, strict=True):
            documents.add(sheet, tx, document, numbered(view, numbers, named))
        _announce(sheet, tx, before, posting, issued, actor)

    sheet.once_numbered(finish)


def _numbered(drafted: Iterable[Document], numbers: Mapping[UUID, Number]) -> tuple[Document, ...]:
    return tuple(replace(document, number=numbers[document.id]) for document in drafted)


def _known(awaited: Mapping[UUID, str], numbers: Mapping[UUID, Number]) -> dict[UUID, str]:
    return {id: numbers[id].text if id in numbers else text for id, text in awaited.items()}


def _placements(tx: Tx, loaded: Loaded, posting: Posting, ids: Ids, index: int) -> tuple[Placement, ...]:
    """Where the lines of a draft stand on its document."""
    document, draft = ids.documents[index], posting.drafts[index]
    return tuple(
        Placement(ref.id_among(ids.lines), document, position, pages.describe(tx, loaded, ref.line))
        for position, ref in enumerate(draft.lines)
    )


def _links(
    posting: Posting, numbered: tuple[tuple[UUID, Line], ...], events: tuple[SeatEvent, ...]
) -> Iterator[tuple[UUID, UUID]]:
    for line_id, line in numbered:
        caused = posting.events_of(line)
        yield from ((line_id, event.id) for event in events if event.delta in caused)
        yield from ((line_id, event) for event in line.late)


def _settle(sheet: Sheet, tx: Tx, document: Document, draft: Draft, posting: Posting) -> None:
    """Money that moves with a document: what an invoice is due, what a credit note takes off invoices and
    adds to the balance.
    """
    moved = draft.credit_added - draft.totals.credit_applied
    if draft.totals.total.minor > 0:
        documents.open_receivable(sheet, tx, document)
    else:
        documents.reduce(sheet, tx, document.id, _reductions(draft), posting.at)
    if moved.minor:
        documents.add_credit(sheet, tx, document.id, moved, posting.at)
        customers.move_credit(sheet, tx, moved)


def _reductions(draft: Draft) -> tuple[tuple[UUID, Money], ...]:
    """What is taken off each invoice that a credit note reverses lines of, also where nothing is."""
    zero = Money.zero(draft.credit_added.currency)
    touched = dict.fromkeys((ref.invoice for ref in draft.lines if ref.invoice is not None), zero)
    return tuple((touched | dict(draft.reduces)).items())


def _announce(
    sheet: Sheet, tx: Tx, before: State, posting: Posting, issued: tuple[Document, ...], actor: Actor
) -> None:
    """Outbox and audit rows of a posting."""
    subscription = posting.subscription
    commits.announce(sheet, tx, *_news(before, posting, issued))
    numbers = [document.number.text for document in issued]
    detail = {"version": subscription.version, "lines": len(posting.lines), "documents": numbers}
    commits.put_on_record(
        sheet, tx, "subscription.posted", subscription.id, actor=actor.name, at=posting.at, detail=detail
    )


def _news(before: State, posting: Posting, issued: tuple[Document, ...]) -> Iterator[Happened]:
    subscription = posting.subscription
    facts = {"subscription": str(subscription.id), "version": subscription.version}
    for event_type in _event_types(before, posting):
        yield Happened(event_type, subscription.id, facts)
    for metric in dict.fromkeys(event.metric for event in posting.events):
        yield Happened("seats.changed", subscription.id, {"metric": metric, **facts})
    for change in posting.dropped:
        yield Happened("scheduled_change.dropped", change.id, {"target": change.change.target})
    for change in posting.raised:
        yield Happened("scheduled_change.raised", change.id, {"target": change.change.target})
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
