"""A history played in memory: ask, look at the quote, change, let time pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.billing.changes import Quote, decide, totals_due
from app.billing.ledger import SeatLevels
from app.billing.money import Money, total
from app.billing.plans import Item
from app.billing.renewals import bring_up, renewal
from app.billing.requests import ChangeRequest
from app.billing.state import State, after
from app.billing.turns import Turn, decide_turn
from tests.builders import ids, instant


def quoted(state: State, request: ChangeRequest, at: str | datetime) -> Quote:
    """The quote of a change that must be possible."""
    quote = decide(state, request, instant(at) if isinstance(at, str) else at)
    assert isinstance(quote, Quote), quote
    return quote


def changed(state: State, request: ChangeRequest, at: str | datetime) -> State:
    """The state after a change."""
    return after(state, quoted(state, request, at).posting, ids(state))


def brought_up(state: State, at: str | datetime) -> State:
    """The state once all that is due at an instant was done."""
    for step in bring_up(state, instant(at) if isinstance(at, str) else at, ids(state)):
        state = step.state
    return state


def in_use(state: State, metric: Item, count: int, *, granted: int = 0) -> State:
    """The state with so many seats of a metric in use, and so many granted on top."""
    level = SeatLevels(state.level(metric).committed, count, granted)
    return replace(state, levels={**state.levels, metric: level})


def paid(state: State) -> State:
    """The state once all invoices are paid."""
    return replace(state, invoices={document: Money.zero(state.currency) for document in state.invoices})


def amounts(quote: Quote) -> list[str]:
    """The amounts of a quote's lines, as people write them."""
    return [str(quoted_line.line.amount.amount) for quoted_line in quote.lines]


def formulas(quote: Quote) -> list[str]:
    return [quoted_line.line.formula for quoted_line in quote.lines]


def net(state: State, *, since: State) -> Money:
    """The sum of the lines that a state has and an earlier one had not."""
    known = {billed.id for billed in since.lines}
    return total((b.line.amount for b in state.lines if b.id not in known), state.currency)


def renewal_total(state: State) -> Money:
    """The total of the documents that the next renewal makes."""
    documents = renewal(state).drafts
    return Money(sum(draft.totals.total.minor for draft in documents), state.currency)


def renewal_totals(state: State, at: datetime) -> tuple[Money, Money]:
    """The total and the amount due of the documents that are made at an instant, after all before it."""
    *_, last = bring_up(state, at, ids(state))
    totals = totals_due(last.posting.drafts, Money.zero(state.currency))
    return totals.total, totals.amount_due


def turn(state: State, asked: Turn, at: str) -> Quote:
    """The quote of a turn that must be possible."""
    quote = decide_turn(state, asked, instant(at))
    assert isinstance(quote, Quote), quote
    return quote


def turned(state: State, asked: Turn, at: str) -> State:
    """The state after a turn."""
    return after(state, turn(state, asked, at).posting, ids(state))
