"""The state machine: a history in which people use seats and tell it late, agreements are made, and all that
is billed is computed a second time.

It is a `History` (lines, documents, credit and versions against books of its own) that loads the ledger the
way the store does, and checks after every posting what the rules promise of periods, seat-days and use.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.billing.arrears import Late, Segment
from app.billing.changes import Quote, decide
from app.billing.ledger import BalanceKind, EventSource, SeatEvent
from app.billing.lines import Line, LineKind
from app.billing.overrides import Override, listed, own_from
from app.billing.plans import BASE_FEE, ChargingBasis, Item, PlanPrice, ProrationMode
from app.billing.renewals import bring_up, next_due
from app.billing.requests import ChangeRequest
from app.billing.state import Posting, State
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.billing.turns import Turn, decide_turn
from tests.billing.history import History
from tests.billing.oracle import half_away
from tests.billing.recomputing import (
    TICK,
    check_anchor,
    credit_amount,
    day_of,
    length,
    limit_of,
    midnight,
    should_be,
    value_of,
)
from tests.billing.seatbook import SeatBook

Key = tuple[Item, datetime, datetime]
TOLD = (EventSource.REPORT, EventSource.CORRECTION, EventSource.EQUALISER)


@dataclass(frozen=True)
class Closed:
    """A segment that was billed, and the price version by the list."""

    segment: Segment
    version: PlanPrice

    @property
    def key(self) -> Key:
        return (self.segment.metric, self.segment.period.start, self.segment.period.end)


@dataclass(frozen=True)
class Stay:
    """Since when use is billed by a price version."""

    version: PlanPrice
    start: datetime


@dataclass(kw_only=True)
class Machine(History):
    """A history with the vendor's ledger, agreements and a clock that may run ahead of the billing run."""

    now: datetime
    book: SeatBook = field(default_factory=SeatBook)
    asked: SeatBook = field(default_factory=lambda: SeatBook(kind=BalanceKind.COMMITTED))
    paid_ahead: list[Closed] = field(default_factory=list)
    told_since: datetime | None = None
    told_on: datetime | None = None
    agreed: list[Override] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    used: dict[Key, list[tuple[UUID, int]]] = field(default_factory=dict)
    known: dict[Key, tuple[int, int]] = field(default_factory=dict)
    reckoned_at: datetime | None = None
    stay: Stay | None = None
    entitled: dict[tuple[int, Item], Counter[UUID]] = field(default_factory=lambda: defaultdict(Counter))
    kept: set[int] = field(default_factory=set)
    cut: dict[int, datetime] = field(default_factory=dict)
    gives_back: bool = False
    tells: int = 0
    adjusted: int = 0

    def wait(self, until: datetime) -> None:
        """Time passes, and no billing run comes."""
        self.now = until

    def bring_up(self) -> None:
        """The billing run comes. Another one right after it finds nothing to do, nor a preview in memory
        anything else.
        """
        self.load()
        ahead = [step.state for step in bring_up(self.state, self.now, self._same_ids())]
        super().go_to(self.now)
        assert not ahead or ahead[-1] == self.state, "what is previewed in memory is what is written"
        in_memory = self.state
        self.load()
        assert next_due(self.state, self.now) is None, "a second run finds nothing due"
        again = [b for b in self.state.reckoned(self.now).lines if b.kind is LineKind.ADJUSTMENT]
        before = [b for b in in_memory.reckoned(self.now).lines if b.kind is LineKind.ADJUSTMENT]
        assert again == before, "what was adjusted is not adjusted again"

    def go_to(self, at: datetime) -> None:
        self.wait(at)
        self.bring_up()

    def ask(self, request: ChangeRequest) -> None:
        self.load()
        foreseen = [self.state, *(s.state for s in bring_up(self.state, self.now, self._same_ids()))][-1]
        self.bring_up()
        assert decide(foreseen, request, self.at) == decide(self.state, request, self.at)
        quote = decide(self.state, request, self.at)
        switches = request.interval not in {None, self.state.price.interval}
        prorates = isinstance(quote, Quote) and quote.mode is not ProrationMode.FULL_IMMEDIATELY
        self.gives_back = switches and prorates
        super().ask(request)
        self.load()

    def turn(self, asked: Turn) -> None:
        self.load()
        foreseen = [self.state, *(s.state for s in bring_up(self.state, self.now, self._same_ids()))][-1]
        self.bring_up()
        assert decide_turn(foreseen, asked, self.at) == decide_turn(self.state, asked, self.at)
        self.gives_back = False
        super().turn(asked)
        self.load()

    def tell(self, metric: Item, net: int, at: datetime, *, who: str | None, stated: bool) -> None:
        """The vendor reports seats, perhaps late."""
        total = self.book.level(metric, at) + net if stated else None
        if self.book.tell(metric, net, at, now=self.now, who=who, stated=total):
            self.tells += 1
            self.foretold = None
            self.book.check_totals(metric)

    def correct(self, event: SeatEvent, added: int, removed: int) -> None:
        """The vendor corrects a report."""
        if self.book.correct(event, added, removed, now=self.now):
            self.tells += 1
            self.foretold = None
            self.book.check_totals(event.delta.metric)

    def agree(self, override: Override) -> None:
        """Something is agreed with the customer."""
        self.agreed.append(override)
        self.foretold = None

    def load(self) -> None:
        """The state with the ledger and the agreements as the store loads them now."""
        state, late = self.state, self._late()
        start = min([state.subscription.period.start, *(each.segment.opened for each in late)])
        prices = (state.price, *(price for plan in state.plans for price in plan.prices))
        metrics = {seat.metric.code for each in prices for seat in each.seats}
        levels = {m: replace(state.level(m), in_use=self.book.level(m)) for m in {*state.levels, *metrics}}
        since = min(state.subscription.period.start, self.now)
        kept = tuple(o for o in self.agreed if o.ends_at is None or o.ends_at > since)
        self.state = replace(
            state,
            price=listed(state.price),
            plans=tuple(replace(p, prices=tuple(map(listed, p.prices))) for p in state.plans),
            usage={metric: self.book.usage(metric, start) for metric in metrics},
            asked={
                seat.metric.code: self.asked.usage(seat.metric.code, state.subscription.period.start)
                for seat in state.price.seats
                if seat.basis is ChargingBasis.OVERAGE
            },
            late=late,
            levels={metric: replace(level, granted=0) for metric, level in levels.items()},
            overrides=kept,
        ).in_force(self.now)

    def _same_ids(self) -> Callable[[], UUID]:
        ids = copy.copy(self.ids)
        return lambda: UUID(int=next(ids))

    def _late(self) -> tuple[Late, ...]:
        """The closed segments that events reach into which were told since the last closing."""
        told = self.reckoned_at
        if told is None:
            return ()
        every = (*self.book.events, *(e for e in self.asked.events if e.delta.source in TOLD))
        events = [e for e in every if e.recorded_at >= told and e.delta.effective_at < told]
        found = []
        for closed in sorted(self.closed, key=lambda each: (each.segment.period.end, each.segment.metric)):
            segment = closed.segment
            mine = [e for e in events if e.delta.metric == segment.metric]
            if not mine or segment.period.end <= min(e.delta.effective_at for e in mine):
                continue
            reaching = [e for e in mine if e.delta.effective_at < segment.period.end]
            found.append(
                Late(
                    self.limited(closed),
                    own_from(closed.version, self.agreed, segment.period.start, segment.period.zone),
                    tuple(e.id for e in reaching),
                    self.books.charges(line_id for line_id, _ in self.used.get(closed.key, [])),
                    max(e.recorded_at for e in reaching),
                )
            )
        return tuple(found)

    def limited(self, closed: Closed) -> Segment:
        """A segment with the limit that the ledger says by now."""
        segment = closed.segment
        if segment.limit is None:
            return segment
        committed = self.asked.level(segment.metric, segment.period.end - TICK)
        return replace(segment, limit=limit_of(segment, closed.version, committed, self.agreed))

    def _write(self, posting: Posting, *, raises_version: int = 1) -> None:
        before, known, was = self.state, len(self.books.lines), dict(self.books.lines)
        super()._write(posting, raises_version=raises_version)
        self.asked.enter((e for e in posting.events if e.source not in TOLD), now=self.now)
        for closed in posting.closes(before.subscription):
            if closed.metric == BASE_FEE:
                self.paid_ahead.append(Closed(closed, listed(before.price)))
        new = list(self.books.lines)[known:]
        if posting.subscription.status is SubscriptionStatus.ACTIVE:
            check_anchor(posting.subscription)
        self._check_lines(before, posting, new, was)
        self._close(before, posting, new)
        self._follow_stay(before, posting)
        self._check_seat_days(before, posting)

    def _check_lines(self, before: State, posting: Posting, new: list[UUID], was: dict[UUID, Line]) -> None:
        """Every new line in advance is its parts by its share of days that are not over."""
        taken: dict[UUID, tuple[int, int]] = {}
        for line in (self.books.lines[line_id] for line_id in new):
            if line.kind is LineKind.BACKDATED and line.reverses is not None:
                money, units = taken.get(line.reverses, (0, 0))
                taken[line.reverses] = money + line.amount.minor, units
            if line.kind.in_arrears or line.kind is LineKind.BACKDATED:
                continue
            granularity = posting.price.granularity
            today = midnight(day_of(self.told_since or posting.at, line.period.zone), line.period.zone)
            opens = line.kind is LineKind.PERIOD
            assert line.period.start >= today or opens, "what is over is not priced anew"
            if line.reverses is None:
                own = before if line.cycle == before.subscription.cycle else posting
                full = own.subscription.full_period
                share = length(line.period, granularity), length(full, granularity)
                check_share(line, *share)
                exact = value_of(line) * (line.share.exact if line.share else 1)
                assert line.amount.minor == half_away(exact, line.amount.currency)
                continue
            check_share(
                line, length(line.period, granularity), length(before.subscription.full_period, granularity)
            )
            charge = was[line.reverses]
            earlier = [c for c in was.values() if c.reverses == line.reverses]
            money, units = taken.get(line.reverses, (0, 0))
            left = charge.amount.minor + sum(c.amount.minor for c in earlier) + money
            units_left = charge.quantity - sum(c.quantity for c in earlier if c.kind.gives_back) - units
            expected = credit_amount(line, charge, left=left, units_left=units_left)
            assert line.amount.minor == expected, "a credit is what was billed for the time that is left"
            taken[line.reverses] = money + expected, units + line.quantity

    def _close(self, before: State, posting: Posting, new: list[UUID]) -> None:
        """Use that was billed comes to what the ledger says, as it is known when something is billed."""
        if posting.segments is None:
            assert not any(self.books.lines[line_id].kind.in_arrears for line_id in new)
            return
        version = listed(before.price)
        self.closed += [Closed(segment, version) for segment in posting.segments]
        for segment in posting.segments:
            assert segment == self.limited(Closed(segment, version)), "the limit is what was committed"
        if posting.segments or before.late:
            self.reckoned_at = self.now
        for line_id in new:
            line = self.books.lines[line_id]
            if line.kind.in_arrears:
                self.adjusted += line.kind is LineKind.ADJUSTMENT
                key = (line.item, line.period.start, line.period.end)
                self.used.setdefault(key, []).append((line_id, line.amount.minor))
        assert len({closed.key for closed in self.closed}) == len(self.closed), "use is billed once"
        assert self.used.keys() <= {closed.key for closed in self.closed}
        for closed in self.closed:
            self._check_use(closed)

    def _check_use(self, closed: Closed) -> None:
        end = closed.segment.period.end
        events = [e for e in self.book.of(closed.segment.metric) if e.delta.effective_at < end]
        all_told = len(events) + len(self.asked.events)
        count, expected = self.known.get(closed.key, (-1, 0))
        if count != all_told:
            expected = should_be(self.limited(closed), closed.version, events, self.agreed)
            self.known[closed.key] = all_told, expected
        billed = sum(minor for _, minor in self.used.get(closed.key, []))
        assert billed == expected, "the lines of a segment come to what the ledger says"

    def _follow_stay(self, before: State, posting: Posting) -> None:
        """While a price version is in force, all use that it bills is billed, and none of it twice."""
        now = posting.subscription
        begun = max(now.period.start, now.priced_from)
        if self.stay is not None:
            moved = (now.price, now.cycle) != (before.subscription.price, before.subscription.cycle)
            if not moved and now.status.runs:
                return
            check_tiles(self.closed, self.stay, begun if now.status.runs else now.period.end)
            self.stay = None
        if now.status is SubscriptionStatus.ACTIVE:
            self.stay = Stay(listed(posting.price), begun)
            over = [c.segment.period.end for c in self.closed]
            assert max(over, default=begun) <= begun, "use is billed by one price"

    def _check_seat_days(self, before: State, posting: Posting) -> None:
        """No day of a seat is paid more than once: at no time more units are charged and not given back than
        were ever billed of the item in its period. A restart that gives nothing back ends what was paid; what
        another price leaves paid (it is not billed either) stays beside it.
        """
        now, cycle = posting.subscription, posting.subscription.cycle
        was = before.subscription
        restarts = cycle != was.cycle and not posting.renews
        if self.told_since:
            self.told_on = now.period.rest_from(posting.at, posting.price.granularity).start
        if restarts and not self.gives_back and now.period.first_day > was.period.first_day:
            self.cut[was.cycle] = now.period.start
        if cycle == was.cycle and now.price != was.price and not any(line.reverses for line in posting.lines):
            self.kept.add(cycle)
        for price, state in ((before.price, before), (posting.price, self.state)):
            for seat in price.seats:
                committed = state.level(seat.metric.code).committed
                if self.told_since:
                    committed = max(committed, self.asked.highest(seat.metric.code, now.period.start))
                most = seat.purchased(committed)
                of_item = self.entitled[cycle, seat.metric.code]
                of_item[price.id] = max(of_item[price.id], most)
        if not posting.lines:
            return
        for item in {line.item for line in posting.lines if line.kind.in_advance}:
            each = self.entitled[cycle, item].values()
            allowed = 1 if item == BASE_FEE else sum(each) if cycle in self.kept else max(each, default=0)
            assert self._most_paid(item, now) <= allowed, "no seat-day is paid twice"

    def _most_paid(self, item: Item, now: Subscription) -> int:
        """The most units of an item that are paid at one time of the present period, since seats were told
        last: what they changed of the time before is checked by its money.
        """
        opens = max(now.period.start, self.told_on or now.period.start)
        moves: dict[datetime, int] = {}
        for line in self.books.lines.values():
            charge = self.books.lines[line.reverses] if line.reverses else line
            if line.item != item or not (line.kind.in_advance or line.kind.gives_back):
                continue
            if not value_of(charge):
                continue
            end = min(line.period.end, self.cut.get(charge.cycle, line.period.end))
            if end <= max(line.period.start, opens):
                continue
            in_full = line.reverses and line.share is None
            start = max(charge.period.start if in_full else line.period.start, opens)
            units = -line.quantity if line.reverses else line.quantity
            moves[start] = moves.get(start, 0) + units
            moves[end] = moves.get(end, 0) - units
        return max(itertools.accumulate(moves[at] for at in sorted(moves)), default=0)


def check_share(line: Line, days: int, whole: int) -> None:
    """The share of a line is its time of the full period; without one it is the full price."""
    if line.share is not None:
        assert (line.share.numerator, line.share.denominator) == (days, whole)


def check_tiles(closed: list[Closed], stay: Stay, end: datetime) -> None:
    """The segments of a stay follow each other from its start to its end."""
    for seat in stay.version.seats:
        reached = stay.start
        mine = [c.segment for c in closed if c.segment.metric == seat.metric.code]
        mine = [s for s in mine if s.price == stay.version.id and s.period.end > stay.start]
        if seat.basis is ChargingBasis.PURCHASED:
            assert not mine
            continue
        for segment in sorted(mine, key=lambda segment: segment.period.start):
            assert segment.period.start == reached, "segments follow each other"
            reached = segment.period.end
        assert reached == max(end, stay.start), "all use is billed"
