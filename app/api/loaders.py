"""What resolvers ask the store, as queries and batches for `reading`: rows in, values out, nothing of the
schema. A batch answers for many keys in a number of statements that does not depend on how many they are.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from app.api.reading import Scene
from app.billing import lives
from app.billing.documents import DocumentKind
from app.billing.ledger import DayLevel, SeatEvent, SeatLevels, days
from app.billing.outlooks import Effect, effects
from app.billing.overrides import own
from app.billing.parties import Catalog
from app.billing.periods import first_instant, local_day
from app.billing.plans import Item, PlanPrice, SeatMetric
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.services import pages
from app.services.upcoming_invoice import UpcomingInvoice, next_document
from app.store import catalogs, documents, holders, lines, overrides, seats, states, subscriptions
from app.store.documents import Document, InvoiceFilter, Receivable
from app.store.files import FileFacts, file_facts
from app.store.holders import HeldSeat
from app.store.lines import StoredLine
from app.store.seats import EventFilter
from app.store.states import Loaded
from app.store.subscriptions import ListedChange

MICROSECOND: Final = timedelta(microseconds=1)

Position = tuple[datetime, UUID]
"""The sort key of a list that shows the newest first."""

Group = TypeVar("Group", bound=Hashable)
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription with the price version it is on, what it could change to, and what waits."""

    subscription: Subscription
    price: PlanPrice
    catalog: Catalog
    scheduled: tuple[ListedChange, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A document, and what became of its amount if it is an invoice."""

    document: Document
    receivable: Receivable | None


@dataclass(frozen=True, slots=True)
class Event:
    """A seat event with the metric it is of."""

    recorded: SeatEvent
    metric: SeatMetric


@dataclass(frozen=True, slots=True)
class Balances:
    """The levels of every metric at an instant, and the price version that they are read by (None: none)."""

    at: datetime
    levels: dict[Item, SeatLevels]
    price: PlanPrice | None
    metrics: tuple[SeatMetric, ...]


class LinesAsked(NamedTuple):
    """The lines of an event, the newest so many."""

    event: UUID
    limit: int


class EventsAsked(NamedTuple):
    """The events of a line, the newest so many from before a position."""

    line: UUID
    limit: int
    before: Position | None


# ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────────


def live_subscription(scene: Scene) -> Subscribed | None:
    """The customer's subscription: the live one, else the one that ended last."""
    return _subscribed(scene, scene.once(subscriptions.live))


def subscription_by_id(scene: Scene, subscription_id: UUID) -> Subscribed | None:
    """A subscription of the customer."""
    return _subscribed(scene, subscriptions.get(scene.tx, subscription_id))


def state_of(scene: Scene, subscription: Subscription) -> Loaded:
    """All that a decision about a subscription would read."""
    return scene.once(states.assemble, scene.customer, subscription)


def status_of(scene: Scene, subscription: Subscription) -> SubscriptionStatus:
    """The status that people see: past due while an invoice is past its due day, which is counted in the
    seller's zone.
    """
    today = local_day(scene.tx.at, scene.catalog.seller.zone)
    overdue = documents.overdue(scene.tx, subscription.id, today)
    return lives.shown(subscription.status, overdue=overdue)


def effects_of(scene: Scene, subscription: Subscription) -> Mapping[UUID, Effect]:
    """What each change that waits will do, by its id."""
    return effects(state_of(scene, subscription).state)


def scheduled_change(scene: Scene, change_id: UUID) -> tuple[Subscribed, ListedChange] | None:
    """A change that waits, with its subscription."""
    listed = subscriptions.scheduled_by_id(scene.tx, change_id)
    subscribed = subscription_by_id(scene, listed.subscription) if listed else None
    return (subscribed, listed) if subscribed and listed else None


def upcoming(scene: Scene, subscription: Subscription) -> tuple[UpcomingInvoice, tuple[str, ...]] | None:
    """The next document of a subscription, with the sentence of each of its lines."""
    forecast = next_document(scene.tx, state_of(scene, subscription))
    if forecast is None:
        return None
    return forecast, tuple(pages.describe(scene.tx, forecast.loaded, line) for line in forecast.lines)


def _subscribed(scene: Scene, subscription: Subscription | None) -> Subscribed | None:
    if subscription is None:
        return None
    price = own(catalogs.price(scene.tx, subscription.price), scene.overrides, scene.tx.at)
    scheduled = subscriptions.scheduled(scene.tx, (subscription.id,)).get(subscription.id, ())
    return Subscribed(subscription, price, scene.catalog, scheduled)


# ── Seats ───────────────────────────────────────────────────────────────────────────────────────────────────


def balances(scene: Scene, as_of: datetime | None, known_at: datetime | None) -> Balances:
    """The levels now, or as of an instant and as known at another, by what was agreed then; the metrics of
    the plan first.
    """
    tx = scene.tx
    at = as_of or tx.at
    past = as_of or known_at
    agreed = overrides.recorded(tx, since=at, known_at=known_at) if past else scene.overrides
    found = (
        seats.levels_at(tx, at, known_at) if as_of or known_at else scene.once(seats.levels, scene.overrides)
    )
    subscription = scene.once(subscriptions.live)
    price = own(catalogs.price(tx, subscription.price), agreed, at) if subscription else None
    priced = [seat.metric for seat in price.seats] if price else []
    codes = {metric.code for metric in priced}
    others = [scene.metric(code) for code in found if code not in codes]
    return Balances(at, found, price, (*priced, *others))


def metric(scene: Scene, code: str) -> SeatMetric:
    """A seat metric by its code."""
    return scene.metric(code)


def levels(scene: Scene) -> dict[Item, SeatLevels]:
    """Both balances of every metric now."""
    return scene.once(seats.levels, scene.overrides)


def known_metrics(scene: Scene) -> tuple[str, ...]:
    """The codes of the seats on offer, and of those that the customer has or had."""
    offered = [metric.code for metric in scene.catalog.metrics]
    return tuple(dict.fromkeys([*offered, *scene.once(seats.levels, scene.overrides)]))


def events_page(scene: Scene, narrow: EventFilter, limit: int, before: Position | None) -> tuple[Event, ...]:
    """Events, newest first."""
    return _events(scene, seats.events_page(scene.tx, narrow, limit=limit, before=before))


def holders_page(
    scene: Scene, metric: str | None, search: str | None, limit: int, after: tuple[datetime, str, str] | None
) -> tuple[tuple[HeldSeat, SeatMetric], ...]:
    """People in seats, those who came first first."""
    held = holders.holders_page(scene.tx, metric=metric, search=search, limit=limit, after=after)
    return tuple((seat, scene.metric(seat.metric)) for seat in held)


def history(scene: Scene, metric: str, start: date, until: date) -> tuple[DayLevel, ...]:
    """The levels of a metric on each local day, none after the customer's today."""
    tx, zone = scene.tx, scene.customer.zone
    until = min(until, local_day(tx.at, zone) + timedelta(days=1))
    if start >= until:
        return ()
    begins, ends = first_instant(start, zone), first_instant(until, zone)
    opening = seats.levels_at(tx, begins - MICROSECOND).get(Item(metric), SeatLevels())
    events = seats.metric_events(tx, metric, start=begins, until=ends)
    return days(opening, (event.delta for event in events), start=start, until=until, zone=zone)


def events_by_id(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, Event]:
    """Seat events."""
    found = _events(scene, seats.events_by_id(scene.tx, ids).values())
    return {event.recorded.id: event for event in found}


def balances_after(scene: Scene, events: tuple[SeatEvent, ...]) -> dict[SeatEvent, int]:
    """The balance right after each event."""
    found = seats.balances_after(scene.tx, events)
    return {event: found[event.id] for event in events}


def corrections(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, Event]:
    """The events that stand in the place of corrected ones."""
    right = seats.corrected_by(scene.tx, ids)
    found = events_by_id(scene, tuple(right.values())) if right else {}
    return {wrong: found[event] for wrong, event in right.items()}


def held_since(scene: Scene, people: tuple[tuple[str, str], ...]) -> dict[tuple[str, str], datetime]:
    """Since when people sit in a seat, by metric and reference."""
    return holders.held_since(scene.tx, people)


def events_of_lines(scene: Scene, asked: tuple[EventsAsked, ...]) -> dict[EventsAsked, tuple[Event, ...]]:
    """The events that caused lines."""
    found: dict[EventsAsked, tuple[Event, ...]] = {}
    for (limit, before), wanted in _grouped((ask[1:], ask) for ask in asked):
        ids = (ask.line for ask in wanted)
        by_line = lines.events_of(scene.tx, ids, limit=limit, before=before)
        found |= {ask: _events(scene, by_line.get(ask.line, ())) for ask in wanted}
    return found


def _events(scene: Scene, recorded: Iterable[SeatEvent]) -> tuple[Event, ...]:
    return tuple(Event(event, scene.metric(event.delta.metric)) for event in recorded)


# ── Documents and lines ─────────────────────────────────────────────────────────────────────────────────────


def invoices_page(
    scene: Scene, narrow: InvoiceFilter, limit: int, before: Position | None
) -> tuple[Issued, ...]:
    """Invoices, newest first."""
    return _issued(scene, documents.invoices_page(scene.tx, narrow, limit=limit, before=before))


def credit_notes_page(scene: Scene, limit: int, before: Position | None) -> tuple[Issued, ...]:
    """Credit notes, newest first."""
    return _issued(scene, documents.credit_notes_page(scene.tx, limit=limit, before=before))


def documents_by_id(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, Issued]:
    """Invoices and credit notes."""
    found = _issued(scene, documents.by_id(scene.tx, ids).values())
    return {issued.document.id: issued for issued in found}


def credit_notes_of(scene: Scene, invoices: tuple[UUID, ...]) -> dict[UUID, tuple[Issued, ...]]:
    """The credit notes that reverse lines of invoices."""
    return _documents_of(scene, documents.credit_notes_of(scene.tx, invoices))


def invoices_of(scene: Scene, credit_notes: tuple[UUID, ...]) -> dict[UUID, tuple[Issued, ...]]:
    """The invoices whose lines credit notes reverse."""
    return _documents_of(scene, documents.invoices_of(scene.tx, credit_notes))


def files(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, FileFacts]:
    """What is known of the PDFs that were rendered."""
    return file_facts(scene.tx, ids)


def lines_by_document(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, tuple[StoredLine, ...]]:
    """The lines of documents, in their order."""
    found = lines.by_document(scene.tx, ids, scene.customer.currency)
    return {document: _described(scene, stored) for document, stored in found.items()}


def lines_by_id(scene: Scene, ids: tuple[UUID, ...]) -> dict[UUID, StoredLine]:
    """Lines."""
    found = lines.by_id(scene.tx, ids, scene.customer.currency)
    return {line.id: line for line in _described(scene, found.values())}


def lines_of_events(scene: Scene, asked: tuple[LinesAsked, ...]) -> dict[LinesAsked, tuple[StoredLine, ...]]:
    """The lines that events led to."""
    found: dict[LinesAsked, tuple[StoredLine, ...]] = {}
    for limit, wanted in _grouped((ask.limit, ask) for ask in asked):
        ids = (ask.event for ask in wanted)
        by_event = lines.by_event(scene.tx, ids, scene.customer.currency, limit=limit)
        found |= {ask: _described(scene, by_event.get(ask.event, ())) for ask in wanted}
    return found


def _documents_of(scene: Scene, leads: dict[UUID, list[UUID]]) -> dict[UUID, tuple[Issued, ...]]:
    wanted = tuple({document for led in leads.values() for document in led})
    found = documents_by_id(scene, wanted) if wanted else {}
    return {source: tuple(found[document] for document in led) for source, led in leads.items()}


def _issued(scene: Scene, found: Iterable[Document]) -> tuple[Issued, ...]:
    found = tuple(found)
    invoices = [document.id for document in found if document.kind is DocumentKind.INVOICE]
    due = documents.receivables(scene.tx, invoices, scene.customer.currency) if invoices else {}
    return tuple(Issued(document, due.get(document.id)) for document in found)


def _described(scene: Scene, stored: Iterable[StoredLine]) -> tuple[StoredLine, ...]:
    """The lines with words: those of their document; a line that waits gets the ones it would get today."""

    def sentence(line: StoredLine) -> str:
        return pages.sentence(pages.priced_by(scene.tx, line.line), line.line, scene.customer.locale)

    return tuple(
        line if line.description is not None else replace(line, description=sentence(line)) for line in stored
    )


def _grouped(pairs: Iterable[tuple[Group, ValueT]]) -> Iterator[tuple[Group, list[ValueT]]]:
    groups: dict[Group, list[ValueT]] = {}
    for group, value in pairs:
        groups.setdefault(group, []).append(value)
    return iter(groups.items())
