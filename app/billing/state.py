"""All that a decision reads (a state), and all that it writes (a posting).

Both are values: a history can be played in memory, which is how a preview brings a subscription up to its
instant and how a forecast looks one renewal ahead. The state holds only what is live: lines of the present
cycle, lines that wait, and the balances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from app.billing import arrears
from app.billing.arrears import Late, Segment
from app.billing.backdated import Stretch
from app.billing.documents import Draft, LineRef, drafts_of
from app.billing.ledger import BalanceKind, Delta, Holder, SeatLevels
from app.billing.lines import BilledLine, Left, Line, LineKind
from app.billing.money import Currency, Money
from app.billing.overrides import Override, granted, own, own_plans, stretches
from app.billing.periods import MICROSECOND, Period
from app.billing.plans import BASE_FEE, ChargingBasis, Item, Plan, PlanPrice
from app.billing.subscriptions import AtRenewal, ScheduledChange, Subscription
from app.billing.taxes import TaxRules, TaxTreatment
from app.billing.usage import Usage


@dataclass(frozen=True, slots=True)
class Buyer:
    """What billing needs to know of a customer; `missing` names the billing details without which no document
    can be made.
    """

    currency: Currency
    zone: str
    country: str | None
    tax_id: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occupied:
    """Who sits in the seats of a metric: up to twenty holders by name, and how many there are."""

    holders: tuple[Holder, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """A subscription with all that a decision about it needs.

    `lines` are those of the present cycle and those that wait, oldest first; `elsewhere` says where lines
    stand that these take back and that are not among them; `invoices` is what is still due by invoice;
    `plans` is what the catalog offers. `usage` is the ledger of seats in use since the present period began,
    or since the earliest of the segments in `late`, and `asked` that of committed seats where these limit
    what may be in use. `price`, `plans` and the granted seats are as `overrides` make them at one instant;
    whoever decides about another one asks for that first (`in_force`).
    """

    buyer: Buyer
    taxes: TaxRules
    subscription: Subscription
    price: PlanPrice
    plans: tuple[Plan, ...]
    levels: Mapping[Item, SeatLevels]
    lines: tuple[BilledLine, ...]
    scheduled: tuple[ScheduledChange, ...]
    credit: Money
    invoices: Mapping[UUID, Money] = field(default_factory=dict)
    occupied: Mapping[Item, Occupied] = field(default_factory=dict)
    usage: Mapping[Item, Usage] = field(default_factory=dict)
    asked: Mapping[Item, Usage] = field(default_factory=dict)
    elsewhere: Mapping[UUID, UUID] = field(default_factory=dict)
    late: tuple[Late, ...] = ()
    overrides: tuple[Override, ...] = ()

    def in_force(self, at: datetime) -> State:
        """The same state by the overrides that are in force at an instant."""
        if not self.overrides:
            return self
        seats = granted(self.overrides, at)
        return replace(
            self,
            price=own(self.price, self.overrides, at),
            plans=own_plans(self.plans, self.currency, self.overrides, at),
            levels={m: replace(self.level(m), granted=seats.get(m, 0)) for m in {**self.levels, **seats}},
        )

    @property
    def currency(self) -> Currency:
        return self.buyer.currency

    @property
    def waiting(self) -> tuple[BilledLine, ...]:
        return tuple(billed for billed in self.lines if billed.document is None)

    @property
    def where_it_lives(self) -> Subscription:
        """The subscription in the customer's present zone, in which its next period will be."""
        stays = self.subscription.zone == self.buyer.zone
        return self.subscription if stays else replace(self.subscription, zone=self.buyer.zone)

    def level(self, metric: Item) -> SeatLevels:
        return self.levels.get(metric, SeatLevels())

    def committed(self, events: Iterable[Delta] = ()) -> dict[Item, int]:
        """The committed seats of every metric that the ledger or the plan knows, after more events."""
        metrics = {price.metric.code for price in self.price.seats} | set(self.levels)
        committed = {metric: self.level(metric).committed for metric in sorted(metrics)}
        for event in events:
            committed[event.metric] = committed.get(event.metric, 0) + event.net
        return committed

    def charges_of(self, item: Item) -> tuple[BilledLine, ...]:
        """The live charge lines of an item, newest first."""
        cycle = self.subscription.cycle
        return tuple(
            billed
            for billed in reversed(self.lines)
            if billed.line.item == item and billed.charges and billed.line.cycle == cycle
        )

    def items(self) -> tuple[Item, ...]:
        """The items with live charge lines, in the order they were first charged."""
        cycle = self.subscription.cycle
        return tuple(
            dict.fromkeys(
                billed.line.item for billed in self.lines if billed.charges and billed.line.cycle == cycle
            )
        )

    def paid_units(self, item: Item) -> int:
        """Up to which billed quantity the item is paid in this cycle, at the present price version."""
        return sum(
            billed.units_left for billed in self.charges_of(item) if billed.line.price == self.price.id
        )

    def limits(self, until: datetime) -> dict[Item, int | None]:
        """How many seats might be in use of each metric that pays for more, when an instant came."""
        limits = {}
        for seat in self.price.seats:
            if seat.basis is ChargingBasis.OVERAGE:
                level = self.level(seat.metric.code)
                asked = self.asked.get(seat.metric.code) or Usage(level.committed)
                limits[seat.metric.code] = seat.limit(asked.level_before(until), level.granted)
        return limits

    def usage_of(self, metric: Item) -> Usage:
        """The ledger of a metric; where nothing was loaded, the present level was there all the time."""
        return self.usage.get(metric) or Usage(self.level(metric).in_use)

    def reckoned(self, until: datetime, *, overage_only: bool = False) -> Closing:
        """What the open segments come to if they end at an instant, and what late events change in closed
        ones.
        """
        subscription, limits = self.subscription, self.in_force(until - MICROSECOND).limits(until)
        priced = [
            (replace(segment, period=period), version)
            for segment in arrears.open_segments(subscription, self.price, limits, until)
            if segment.limit is not None or not overage_only
            for period, version in self._stretches(segment)
        ]
        cycle = subscription.cycle
        adjusted = [
            line
            for late in self.late
            for line in arrears.adjustment(
                late, self.usage_of(late.segment.metric), self.taxed(late.segment), cycle
            )
        ]
        used = [
            arrears.usage_line(segment, version, self.usage_of(segment.metric), self.taxed(segment), cycle)
            for segment, version in priced
        ]
        segments = tuple(segment for segment, _ in priced)
        return Closing((*adjusted, *(line for line in used if line is not None)), segments)

    def _stretches(self, segment: Segment) -> Iterator[tuple[Period, PlanPrice]]:
        """A segment by the prices that were agreed for parts of it. Overage has the list's price."""
        if segment.limit is not None:
            return iter([(segment.period, self.price)])
        return stretches(self.price, segment.metric, self.overrides, segment.period)

    def stretch(self, metric: Item) -> Stretch:
        """What is left of the present period under the present price since that counts, with what was billed
        for a metric: in advance, and for what was told late of it.
        """
        subscription = self.subscription
        period = Period(subscription.stretch_start, subscription.period.end, subscription.zone)
        charges = [
            b
            for b in reversed(self.lines)
            if b.line.item == metric and b.line.price == self.price.id
            if (b.charges and b.line.cycle == subscription.cycle)
            or (b.line.kind is LineKind.BACKDATED and not b.line.reverses and b.line.period.start in period)
        ]
        opened = subscription.period.start
        segment = Segment(metric, self.price.id, period, subscription.full_period, opened)
        left = (
            Left(each.id, each.document, each.line.period.start, each.left, each.line.tax) for each in charges
        )
        return Stretch(segment, self.price, tuple(left))

    def taxed(self, segment: Segment) -> TaxTreatment:
        """How the use of a segment is taxed: as on its last day."""
        return self.treatment(arrears.taxed_on(segment))

    def stands_on(self, lines: Iterable[Line]) -> dict[UUID, UUID]:
        """The documents of the lines that others take back, by line: of those that stand on one."""
        taken = {line.reverses for line in lines if line.reverses is not None}
        if not taken:
            return {}
        stands = {left.line: left.document for late in self.late for left in late.charges}
        stands |= {billed.id: billed.document for billed in self.lines}
        known = {**self.elsewhere, **{line: document for line, document in stands.items() if document}}
        return {line: known[line] for line in taken & known.keys()}

    def treatment(self, on: date) -> TaxTreatment:
        return self.taxes.treatment(country=self.buyer.country, tax_id=self.buyer.tax_id, on=on)

    def plan(self, code: str) -> Plan | None:
        """A plan on offer."""
        return next((plan for plan in self.plans if plan.code == code), None)

    def drafts(self, lines: tuple[Line, ...], *, hold: frozenset[int] = frozenset()) -> tuple[Draft, ...]:
        """The documents that new lines make together with the lines that wait; the new lines at the places in
        `hold` stay back.
        """
        waiting = self.waiting
        stands_on = self.stands_on((*(billed.line for billed in waiting), *lines))

        def invoice(line: Line) -> UUID | None:
            return stands_on.get(line.reverses) if line.reverses is not None else None

        refs = [LineRef(billed.line, waiting=billed.id, invoice=invoice(billed.line)) for billed in waiting]
        refs += [LineRef(line, new=i, invoice=invoice(line)) for i, line in enumerate(lines) if i not in hold]
        return drafts_of(refs, credit=self.credit, open_amounts=self.invoices)


@dataclass(frozen=True, slots=True)
class Closing:
    """The lines of use that is over, and the segments that they bill."""

    lines: tuple[Line, ...] = ()
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Posting:
    """Everything that one decision writes, effective at an instant."""

    at: datetime
    subscription: Subscription
    price: PlanPrice
    events: tuple[Delta, ...] = ()
    lines: tuple[Line, ...] = ()
    drafts: tuple[Draft, ...] = ()
    scheduled: tuple[AtRenewal, ...] = ()
    settled: tuple[ScheduledChange, ...] = ()
    """Scheduled changes that are over: applied, replaced or dropped."""
    dropped: tuple[ScheduledChange, ...] = ()
    """Those of `settled` that turned out impossible."""
    raised: tuple[ScheduledChange, ...] = ()
    """Those of `settled` that asked for fewer seats than are in use, and got as many as these."""
    renews: bool = False
    """Whether it is what scheduled changes waited for: the end of a period, or of a pause."""
    segments: tuple[Segment, ...] | None = None
    """The segments of use that it billed, after which nothing is late any more; None if it billed none."""

    def closes(self, before: Subscription) -> tuple[Segment, ...]:
        """What is over with it and kept for what may be told late: the segments of use, and (as that of the
        base fee) the stretch that was paid in advance.
        """
        period = before.stretch_closed_by(self.subscription)
        if period is None:
            return self.segments or ()
        paid = Segment(BASE_FEE, before.price, period, before.full_period, before.period.start)
        return (*(self.segments or ()), paid)

    def events_of(self, line: Line) -> tuple[Delta, ...]:
        """The events that directly caused a line; a line for a whole quantity is caused by the balance
        instead.
        """
        if line.kind in {LineKind.ADDED, LineKind.CREDIT, LineKind.UNUSED, LineKind.BACKDATED}:
            return tuple(event for event in self.events if event.metric == line.item)
        return ()


def after(state: State, posting: Posting, new_id: Callable[[], UUID]) -> State:
    """The state once a posting is written; `new_id` names the rows that it makes."""
    line_ids = [new_id() for _ in posting.lines]
    documents: dict[UUID, UUID] = {}
    invoices, credit = dict(state.invoices), state.credit
    for draft in posting.drafts:
        document = new_id()
        documents |= {ref.id_among(line_ids): document for ref in draft.lines}
        credit = credit + draft.credit_added - draft.totals.credit_applied
        for invoice, amount in draft.reduces:
            invoices[invoice] -= amount
        if draft.totals.total.minor > 0:
            invoices[document] = draft.totals.amount_due
    placed = (
        replace(billed, document=documents[billed.id]) if billed.id in documents else billed
        for billed in state.lines
    )
    new = (
        BilledLine(i, line, documents.get(i), line.amount, line.quantity, posting.at)
        for i, line in zip(line_ids, posting.lines, strict=True)
    )
    cycle = posting.subscription.cycle
    lines = reduced((*placed, *new), posting.lines)
    live = tuple(b for b in lines if b.line.cycle == cycle or b.document is None)
    return replace(
        state,
        subscription=posting.subscription,
        price=posting.price,
        levels=_moved(state.levels, posting.events),
        asked=_asked(state.asked, posting.events),
        lines=live,
        elsewhere=state.stands_on(billed.line for billed in live if billed.document is None),
        scheduled=_rescheduled(state, posting, new_id),
        credit=credit,
        invoices=invoices,
        late=state.late if posting.segments is None else (),
    )


def reduced(lines: tuple[BilledLine, ...], credit_lines: tuple[Line, ...]) -> tuple[BilledLine, ...]:
    """Charge lines less what was taken back from them; units by credits alone, since what is told of time
    that is over leaves the seats of today.
    """
    taken = [line for line in credit_lines if line.reverses is not None]
    if not taken:
        return lines
    amounts = {
        line.reverses: sum(c.amount.minor for c in taken if c.reverses == line.reverses) for line in taken
    }
    units = {
        line.reverses: sum(c.quantity for c in taken if c.reverses == line.reverses and c.kind.gives_back)
        for line in taken
    }
    return tuple(
        replace(
            b,
            left=Money(b.left.minor + amounts[b.id], b.left.currency),
            units_left=b.units_left - units[b.id],
        )
        if b.id in amounts
        else b
        for b in lines
    )


def _moved(levels: Mapping[Item, SeatLevels], events: tuple[Delta, ...]) -> dict[Item, SeatLevels]:
    moved = dict(levels)
    for event in events:
        level = moved.get(event.metric, SeatLevels())
        if event.kind is BalanceKind.COMMITTED:
            moved[event.metric] = replace(level, committed=level.committed + event.net)
        else:
            moved[event.metric] = replace(level, in_use=level.in_use + event.net)
    return moved


def _asked(asked: Mapping[Item, Usage], events: tuple[Delta, ...]) -> dict[Item, Usage]:
    moved = dict(asked)
    for event in events:
        if event.kind is BalanceKind.COMMITTED and event.metric in moved:
            moved[event.metric] = moved[event.metric].with_events((event,))
    return moved


def _rescheduled(state: State, posting: Posting, new_id: Callable[[], UUID]) -> tuple[ScheduledChange, ...]:
    over = {change.id for change in posting.settled}
    kept = tuple(change for change in state.scheduled if change.id not in over)
    return kept + tuple(ScheduledChange(new_id(), change) for change in posting.scheduled)
