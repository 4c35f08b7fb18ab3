"""Credits that the seller writes by hand: an amount off an invoice, whatever the plan says, with a reason.

Each takes money from lines of the invoice and no seats, under the tax of those lines, and never more than
what is left of them. The seats stay paid: whoever gives them back later gets what is left then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.billing.lines import MINUS, BilledLine, Line, LineKind
from app.billing.money import Money, decimal_text, split


@dataclass(frozen=True, slots=True)
class Credited:
    """What is taken off which charge, and the reason, which stands on the credit note."""

    amount: Money
    reason: str
    cycle: int


def handwritten(charges: Sequence[BilledLine], credited: Credited) -> tuple[Line, ...]:
    """The lines of an amount before tax, spread over charges by what is left of them; the amount is positive
    and not above that.
    """
    shares = split(credited.amount, [Fraction(billed.left.minor) for billed in charges])
    return tuple(
        _line(billed.line, billed, share, credited)
        for billed, share in zip(charges, shares, strict=True)
        if share.minor
    )


def _line(charged: Line, billed: BilledLine, amount: Money, credited: Credited) -> Line:
    assert amount <= billed.left, "never more than is left"
    text = decimal_text(amount.amount, amount.currency)
    return Line(
        item=charged.item,
        kind=LineKind.CREDIT,
        quantity=0,
        parts=(),
        share=None,
        period=charged.period,
        amount=-amount,
        formula=f"{MINUS}{text} {amount.currency}",
        tax=charged.tax,
        price=charged.price,
        cycle=credited.cycle,
        reverses=billed.id,
        note=credited.reason,
    )
