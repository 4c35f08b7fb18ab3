"""What the billing run does not charge by itself. A fault of ours, or a slip of the vendor's hand, can make a
renewal absurd; then the subscription is parked, and somebody looks before anybody pays.

Only what a run makes of its own accord is judged: what people decided was shown to them. Some findings are
never right: a period billed twice, or overlapping the one before (any number of pauses is fine), or charges
below nothing. The last one may be: charges in advance of more than ten times the **estimate**, which is what
the committed seats cost for a whole period by the plan's list. That finds the price which was agreed with a
customer by a slip of the finger (200.00 for 2.00). Use is not measured: its events were reported one by one,
and young customers grow a hundredfold. Unparking lets it through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.billing.documents import Draft
from app.billing.lines import LineKind
from app.billing.money import Money, rounded, total
from app.billing.pricing import exact_amount, price
from app.billing.state import Posting, State

TIMES_MAX: Final = 10
OF_ITSELF: Final = frozenset({LineKind.PERIOD, LineKind.USAGE, LineKind.OVERAGE})


@dataclass(frozen=True, slots=True)
class OutOfBounds:
    """The billing run would charge something that it does not charge by itself."""

    reason: str

    @property
    def message(self) -> str:
        return f"{self.reason} Look at it, then give it back to the billing run with `seatport unpark`."


def judged(state: State, posting: Posting) -> OutOfBounds | None:
    """What is wrong with a posting that was due; None if it may be written."""
    reason = _never_right(state, posting) or _too_much(state, posting)
    return OutOfBounds(reason) if reason else None


def _never_right(state: State, posting: Posting) -> str | None:
    before, now = state.subscription, posting.subscription
    items = [line.item for line in posting.lines if line.kind is LineKind.PERIOD]
    again = sorted({item for item in items if items.count(item) > 1})
    if again:
        return f"The renewal would charge {', '.join(again)} twice."
    if items and (now.cycle <= before.cycle or now.period.start < before.period.end):
        return "The renewal would bill a period that overlaps the one before."
    if any(line.amount.minor < 0 for line in posting.lines if line.kind in OF_ITSELF):
        return "The renewal would charge less than nothing."
    if any(draft.totals.total.minor < 0 and not _gives_back(draft) for draft in posting.drafts):
        return "A document would be negative without anything that is given back."
    return None


def _gives_back(draft: Draft) -> bool:
    """Whether a document has a line that takes something back, or had waited."""
    return any(ref.line.kind not in OF_ITSELF or ref.new is None for ref in draft.lines)


def _too_much(state: State, posting: Posting) -> str | None:
    let_through = state.subscription.let_through
    if let_through is not None and posting.at <= let_through:
        return None
    ahead = [line.amount for line in posting.lines if line.kind is LineKind.PERIOD]
    if not ahead:
        return None
    charged, expected = total(ahead, state.currency), estimate(state, posting)
    if charged.minor <= TIMES_MAX * expected.minor:
        return None
    return f"The renewal would charge {charged} in advance, over {TIMES_MAX} times the list: {expected}."


def estimate(state: State, posting: Posting) -> Money:
    """What a whole period of a posting's price costs by the list, for the seats committed after it."""
    committed = state.committed(posting.events)
    amounts = [posting.price.base_fee]
    for seat in posting.price.seats:
        if seat.basis.in_advance:
            by_list = seat.listed or seat  # What was agreed may be another minimum, too: that stays.
            quantity = seat.purchased(committed.get(seat.metric.code, 0))
            amounts.append(rounded(exact_amount(price(by_list, quantity)), state.currency))
    return total(amounts, state.currency)
