"""Priced lines: of a quote, and of a document."""

from datetime import date
from decimal import Decimal
from typing import TypedDict

import strawberry

from app.api.enums import LineKind
from app.api.money import Money
from app.billing import lines, periods
from app.billing.money import Currency, decimal_text


@strawberry.type(description="A range of whole days in the customer's time zone. The end is not part of it.")
class Period:
    """A range of whole days."""

    starts_on: date = strawberry.field(description="The first day.")
    ends_on: date = strawberry.field(
        description="The day after the last one: a period that ends on 1 May has 30 April in it, and the "
        "next starts on 1 May."
    )

    @classmethod
    def of(cls, period: periods.Period) -> "Period":
        return cls(starts_on=period.first_day, ends_on=period.end_day)


@strawberry.interface(
    description="A line that explains itself: what it is for, how its amount was computed, and for which "
    "days. Show `description` and `formula` as they are."
)
class PricedLine:
    """A line that explains itself."""

    kind: LineKind = strawberry.field(
        description="Why the line exists; `description` says the same in words."
    )
    description: str = strawberry.field(
        description="What the line is, in the customer's language: `5 Editor seats added`."
    )
    formula: str = strawberry.field(
        description="How the amount came about, the same in every language: `5 seats × 10.00 USD × 15/30 "
        "days`."
    )
    quantity: int = strawberry.field(
        description="How many units the line is for, never negative; 1 for a base fee."
    )
    unit_amount: Decimal | None = strawberry.field(
        description="The price of one unit for a full period, in major units, with more digits than the "
        "currency where the price has them; the fee itself for a base fee, null where tiers or packs give no "
        "single one."
    )
    numerator: int | None = strawberry.field(
        description="How many days (or seconds) are paid for; null when the amount is no share of a period."
    )
    denominator: int | None = strawberry.field(
        description="How many days (or seconds) the full period has; null together with `numerator`."
    )
    amount: Money = strawberry.field(description="What the line comes to before tax; negative for a credit.")
    period: Period = strawberry.field(description="The days that are paid for or given back.")


class Priced(TypedDict):
    """The fields of every priced line."""

    kind: LineKind
    description: str
    formula: str
    quantity: int
    unit_amount: Decimal | None
    numerator: int | None
    denominator: int | None
    amount: Money
    period: Period


def priced(line: lines.Line, description: str) -> Priced:
    """A line of billing as fields of the schema."""
    return Priced(
        kind=line.kind,
        description=description,
        formula=line.formula,
        quantity=line.quantity,
        unit_amount=price_of(line.unit_amount, line.amount.currency)
        if line.unit_amount is not None
        else None,
        numerator=line.share.numerator if line.share else None,
        denominator=line.share.denominator if line.share else None,
        amount=Money.of(line.amount),
        period=Period.of(line.period),
    )


def price_of(amount: Decimal, currency: Currency) -> Decimal:
    """A price with at least the digits of its currency: 15 USD is `15.00`."""
    return Decimal(decimal_text(amount, currency))


@strawberry.type(description="A line that a change would make, or that a forecast expects.")
class QuoteLine(PricedLine):
    """A line that a change would make."""

    waits: bool = strawberry.field(
        description="True when the line would not be due now but stand on the next document."
    )

    @classmethod
    def of(cls, line: lines.Line, description: str, *, waits: bool) -> "QuoteLine":
        return cls(**priced(line, description), waits=waits)
