"""A history that keeps its own books beside the state, and checks after every posting that both agree.

The books hold every line, document and amount that ever was; the state forgets what is no longer live.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from app.billing.changes import Quote, decide
from app.billing.documents import DocumentKind, Draft
from app.billing.lines import BilledLine, Left, Line
from app.billing.money import Money, rounded
from app.billing.periods import local_day
from app.billing.plans import Item
from app.billing.renewals import next_due, start
from app.billing.requests import ChangeRequest
from app.billing.state import Posting, State, after
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange, Subscription, SubscriptionStatus
from app.billing.taxes import TaxTreatment
from app.billing.turns import Turn, decide_turn
from tests.billing.playing import in_use, paid


@dataclass
class Books:
    """What was written, in minor units: lines and where they stand, what invoices are due, and the credit."""

    lines: dict[UUID, Line] = field(default_factory=dict)
    placed: dict[UUID, UUID] = field(default_factory=dict)
    due: dict[UUID, int] = field(default_factory=dict)
    credit: int = 0

    def left(self, line_id: UUID) -> int:
        """The amount of a charge line less all credits that reverse it."""
        reversals = (line.amount.minor for line in self.lines.values() if line.reverses == line_id)
        return self.lines[line_id].amount.minor + sum(reversals)

    def charges(self, line_ids: Iterable[UUID]) -> tuple[Left, ...]:
        """What is left of those lines that charge, newest first."""
        charged = sorted((i for i in line_ids if self.lines[i].reverses is None), reverse=True)
        return tuple(
            Left(i, self.placed.get(i), line.period.start, replace(line.amount, minor=self.left(i)), line.tax)
            for i, line in ((i, self.lines[i]) for i in charged)
        )

    def units_left(self, line_id: UUID) -> int:
        reversals = (line for line in self.lines.values() if line.reverses == line_id)
        taken = (line.quantity for line in reversals if line.kind.gives_back)
        return self.lines[line_id].quantity - sum(taken)

    def write(self, draft: Draft, document: UUID, line_ids: list[UUID]) -> None:
        """Enter a document: each of its lines once, and what it does to what is due and in hand."""
        for ref in draft.lines:
            line_id = ref.id_among(line_ids)
            assert line_id not in self.placed, "a line stands on one document"
            assert self.lines[line_id] == ref.line
            self.placed[line_id] = document
        reduced = sum(amount.minor for _, amount in draft.reduces)
        for invoice, amount in draft.reduces:
            self.due[invoice] -= amount.minor
            assert self.due[invoice] >= 0, "a credit takes no more off an invoice than is due on it"
        gross = draft.totals.total.minor
        if gross > 0:
            assert (draft.kind, reduced, draft.credit_added.minor) == (DocumentKind.INVOICE, 0, 0)
            applied = min(gross, self.credit)
            self.credit -= applied
            self.due[document] = gross - applied
        else:
            assert (draft.kind, gross) == (DocumentKind.CREDIT_NOTE, -reduced - draft.credit_added.minor)
            self.credit += draft.credit_added.minor


@dataclass
class History:
    """Plays requests and time on a state."""

    state: State
    at: datetime
    books: Books = field(default_factory=Books)
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1 << 64))
    foretold: Money | None = None
    quotes: int = 0

    def begin(self, seats: Mapping[Item, int]) -> None:
        """The first period."""
        self._write(start(self.state, self.at, dict(seats)), raises_version=0)

    def go_to(self, at: datetime) -> None:
        """Let time pass, and do what comes due."""
        while posting := next_due(self.state, at):
            renews = posting.subscription.cycle > self.state.subscription.cycle
            if renews and self.foretold is not None:
                assert sum(draft.totals.total.minor for draft in posting.drafts) == self.foretold.minor
            self.foretold = None if renews else self.foretold
            self._write(posting)
        assert not self.state.subscription.status.runs or at in self.state.subscription.period
        self.at = at

    def ask(self, request: ChangeRequest) -> None:
        """Change what can be changed; a refusal changes nothing."""
        self.state = self.state.in_force(self.at)
        quote = decide(self.state, request, self.at)
        assert decide(self.state, request, self.at) == quote, "a preview is the change"
        if isinstance(quote, Quote):
            self.quotes += 1
            before = self.state
            self._write(quote.posting)
            self._check_guards(before)
            self.foretold = quote.at_renewal.total if quote.at_renewal else None
            ends = any(isinstance(waiting.change, CancelAtRenewal) for waiting in self.state.scheduled)
            assert quote.renews_at == (None if ends else self.state.subscription.period.end)

    def turn(self, asked: Turn) -> None:
        """End, pause or resume what can be; a refusal changes nothing."""
        quote = decide_turn(self.state, asked, self.at)
        assert decide_turn(self.state, asked, self.at) == quote, "a preview is the turn"
        if isinstance(quote, Quote):
            self.quotes += 1
            self._write(quote.posting)
            self.foretold = quote.at_renewal.total if quote.at_renewal else None
            assert (quote.renews_at is None) is (quote.at_renewal is None)

    def pay(self) -> None:
        """Every invoice is paid."""
        self.books.due = dict.fromkeys(self.books.due, 0)
        self.state = paid(self.state)

    def use(self, metric: Item, count: int) -> None:
        """So many seats are in use from now on."""
        self.state = in_use(self.state, metric, count)
        self.foretold = None

    def cancel(self) -> None:
        """The subscription is to end with its period."""
        waiting = ScheduledChange(UUID(int=next(self.ids)), CancelAtRenewal())
        self.state = replace(self.state, scheduled=(*self.state.scheduled, waiting))
        self.foretold = None

    def _write(self, posting: Posting, *, raises_version: int = 1) -> None:
        before, made = self.state, list[UUID]()

        def new_id() -> UUID:
            made.append(UUID(int=next(self.ids)))
            return made[-1]

        assert posting.at >= self.at, "time does not run backwards"
        self.at = posting.at
        self.state = after(before, posting, new_id)
        line_ids, others = made[: len(posting.lines)], made[len(posting.lines) :]
        self.books.lines |= dict(zip(line_ids, posting.lines, strict=True))
        for document, draft in zip(others, posting.drafts, strict=False):
            check_totals(draft, before.currency)
            self.books.write(draft, document, line_ids)
        assert posting.subscription.version == before.subscription.version + raises_version
        check_periods(before.subscription, posting)
        self._check_books()
        self._check_levels(before, posting)

    def _check_books(self) -> None:
        books, state = self.books, self.state
        assert state.credit.minor == books.credit >= 0
        assert {invoice: amount.minor for invoice, amount in state.invoices.items()} == books.due
        assert {billed.id for billed in state.waiting} == books.lines.keys() - books.placed.keys()
        for billed in state.lines:
            check_line(billed, books)

    def _check_levels(self, before: State, posting: Posting) -> None:
        for metric in self.state.levels:
            moved = sum(event.net for event in posting.events if event.metric == metric)
            committed = self.state.level(metric).committed
            assert committed == before.level(metric).committed + moved >= 0

    def _check_guards(self, before: State) -> None:
        """A change leaves nobody without a seat who had one."""
        for metric, level in self.state.levels.items():
            seat, old = self.state.price.seat(metric), before.price.seat(metric)
            if (seat or old) and (seat is None or self.state.price.guards(seat)):
                was = before.level(metric)
                limit = seat.limit(level.committed, level.granted) if seat else 0
                limit_before = old.limit(was.committed, was.granted) if old else was.committed + was.granted
                if limit is not None and limit_before is not None:
                    assert limit >= min(level.in_use, limit_before)


def check_totals(draft: Draft, currency: object) -> None:
    """Taxes are rounded once for each treatment on the sum of its lines; the total is all of it."""
    bases: dict[TaxTreatment, int] = {}
    for ref in draft.lines:
        bases[ref.line.tax] = bases.get(ref.line.tax, 0) + ref.line.amount.minor
    totals = draft.totals
    taxes = [
        rounded(Fraction(base, totals.total.currency.units) * Fraction(tax.rate) / 100, totals.total.currency)
        for tax, base in bases.items()
    ]
    assert [amount.amount for amount in totals.taxes] == taxes
    assert totals.total.currency == currency
    assert totals.total.minor == sum(bases.values()) + sum(tax.minor for tax in taxes) != 0


def check_line(billed: BilledLine, books: Books) -> None:
    """A charge is not negative and gives back no more than itself; a credit is not positive. Use is adjusted
    as often as it takes, and its lines are checked by their sum.
    """
    line = billed.line
    assert billed.document == books.placed.get(billed.id)
    assert line.quantity >= 0
    assert line.period.start <= line.period.end
    if line.kind.in_arrears:
        return
    if line.reverses is None:
        assert line.amount.minor >= billed.left.minor == books.left(billed.id) >= 0
        assert line.quantity >= billed.units_left == books.units_left(billed.id) >= 0
    else:
        reversed_line = books.lines[line.reverses]
        assert line.amount.minor <= 0
        assert (line.item, line.tax, line.price) == (
            reversed_line.item,
            reversed_line.tax,
            reversed_line.price,
        )


def check_periods(before: Subscription, posting: Posting) -> None:
    """A new period starts where the last one ends, or on the local day of a restart; no other one moves, but
    a pause and an end cut the present one off.
    """
    now = posting.subscription
    if not now.status.runs:
        assert now.period.start == before.period.start
        assert now.period.end <= min(before.period.end, posting.at)
        return
    if before.status is SubscriptionStatus.PAUSED:
        assert now.period.start >= before.period.end
        assert now.period.first_day == local_day(posting.at, now.zone)
    elif now.cycle == before.cycle:
        assert now.period == before.period
    elif posting.renews:
        assert now.period.start == before.period.end == posting.at
    else:
        assert now.cycle == before.cycle + 1
        assert before.period.start <= now.period.start < before.period.end
        assert now.period.first_day == local_day(posting.at, now.zone)
    assert posting.at in now.period or posting.at == now.period.end
