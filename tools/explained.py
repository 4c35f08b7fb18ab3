"""Changes of the billing rules that no test can notice, because they change nothing, each with the reason."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Explained:
    """A line of `app/billing` and a change of it that no test can notice, because it changes nothing."""

    file: str
    line: str
    changed: str
    why: str


EXPLAINED: Final = (
    Explained(
        "money.py",
        "whole = sum(weights, Fraction(0))",
        "whole = sum(weights, )",
        "A sum of fractions is a fraction, and no weights are refused before anything is divided.",
    ),
    Explained(
        "money.py",
        "sign = -1 if amount.minor < 0 else 1",
        "sign = -1 if amount.minor <= 0 else 1",
        "All shares of 0 are 0, which has no sign.",
    ),
    Explained(
        "money.py",
        "sign = -1 if amount.minor < 0 else 1",
        "sign = -1 if amount.minor < 1 else 1",
        "As above.",
    ),
    Explained(
        "money.py",
        "return rounded if value >= 0 else -rounded",
        "return rounded if value > 0 else -rounded",
        "Nothing is rounded to 0, and 0 has no sign.",
    ),
    Explained(
        "money.py",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 0)",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 1)",
        "The exponent of a finite number is an int; the rest is for the type checker.",
    ),
    Explained(
        "money.py",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 0)",
        "digits = max(currency.digits, -exponent if (isinstance(exponent, int)) or True else 0)",
        "As above.",
    ),
    Explained(
        "taxes.py",
        "if buyer != self.country and {buyer, self.country} <= EU_COUNTRIES and tax_id:",
        "if buyer != self.country and {buyer, self.country} < EU_COUNTRIES and tax_id:",
        "Two countries are never all of the Union.",
    ),
    Explained(
        "charges.py",
        'return self._line(BASE_FEE, kind, 1, parts, "seat")',
        'return self._line(BASE_FEE, kind, 1, parts, "XXseatXX")',
        "A base fee has no units whose word its formula could show.",
    ),
    Explained(
        "periods.py",
        "months = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month",
        "months = (day.year - self.anchor.year) * 13 + day.month - self.anchor.month",
        "A first guess; the loops below walk from any guess to the right period, the farther the slower.",
    ),
    Explained(
        "effects.py",
        "lines += _everything(state, since, move.axes.credit)",
        "lines = _everything(state, since, move.axes.credit)",
        "A change of plan or interval is one move, so nothing was there to add to.",
    ),
    Explained(
        "effects.py",
        "apart = sum(billed.units_left for billed in charges) - priced",
        "apart = sum(billed.units_left for billed in charges) + priced",
        "Where something is priced as a whole, every seat has a line, so what is priced is the larger.",
    ),
    Explained("periods.py", "k -= 1", "k -= 2", "As above: the second loop takes back what is too much."),
    Explained(
        "periods.py",
        "while self.boundary(k) > at:",
        "while self.boundary(k) >= at:",
        "As above: on a boundary the second loop comes back to it.",
    ),
    Explained(
        "periods.py",
        "middle = before + (after - before) / 2",
        "middle = before + (after - before) / 3",
        "Any point between narrows the gap down, halving it is the fastest.",
    ),
)
