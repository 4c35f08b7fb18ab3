"""Why a line comes to its amount, step by step, so that a person with a pocket calculator gets there too.

The steps are read off the line's own parts and share; where several levels of use make up an amount, off the
ledger as it was known when the line was made. Every chain ends with the exact value and the one rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from typing import Final

from app.billing import arrears
from app.billing.arrears import Segment
from app.billing.backdated import Told, levels
from app.billing.ledger import BalanceKind, SeatEvent
from app.billing.lines import MINUS, Line, formula
from app.billing.money import Currency, Money, rounded
from app.billing.periods import Granularity, Share, share_of
from app.billing.plans import ChargingBasis, PlanPrice, SeatPrice
from app.billing.pricing import Part, exact_amount, price
from app.billing.usage import Run, Usage, active, peak

DIGITS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Explained:
    """One step: what it is about, and what it says."""

    step: str
    text: str


def event(found: SeatEvent, balance: int) -> Explained:
    """An event with the balance after it; when it was recorded, if that was on a later day."""
    delta = found.delta
    kind = "in use" if delta.kind is BalanceKind.IN_USE else "committed"
    moved = f"+{delta.net}" if delta.net >= 0 else f"{MINUS}{-delta.net}"
    who = f", {delta.holder.reference}" if delta.holder else ""
    when, recorded = delta.effective_at.astimezone(UTC), found.recorded_at.astimezone(UTC)
    text = f"{when:%Y-%m-%d %H:%M} UTC: {moved} {kind}, {balance} then ({delta.source.value}{who})"
    late = f", recorded {recorded:%Y-%m-%d %H:%M} UTC" if recorded.date() > when.date() else ""
    return Explained("event", text + late)


def quantity(seat: SeatPrice, level: int, what: str) -> Explained:
    """From a level of seats to the quantity that is billed."""
    text = f"max({level} {what}, minimum {seat.minimum}) {MINUS} {seat.included} included, not below 0"
    return Explained("quantity", f"{text}: {seat.billed(level)}")


def use(seat: SeatPrice, segment: Segment, usage: Usage, granularity: Granularity) -> Iterator[Explained]:
    """What the basis counts in a segment, and the quantity that this is."""
    counted = arrears.counted(seat, segment, usage, granularity)
    match seat.basis:
        case ChargingBasis.OVERAGE:
            used, limit = usage.level_before(segment.period.end), segment.limit or 0
            text = f"{used} in use when it ended, {limit} paid in advance: {max(0, used - limit)} above"
            yield Explained("quantity", text)
        case ChargingBasis.ACTIVE:
            yield quantity(seat, active(usage, segment.period), "people who held a seat")
        case ChargingBasis.PEAK:
            yield from (Explained("level", f"{run.level} seats {_for(run, granularity)}") for run in counted)
            yield quantity(seat, peak(counted), "in use at most")
        case _:
            share = share_of(segment.period, segment.full, granularity)
            yield from (_level(seat, run, share) for run in counted)


def backdated(seat: SeatPrice, told: Told, line: Line, whole: Share) -> Iterator[Explained]:
    """The seats without and with what was told, what the difference comes to, and the rounding."""
    exact = Fraction(0)
    for before, after in levels(told, line.period, whole.granularity):
        billed = seat.purchased(before.level), seat.purchased(after.level)
        costs = [exact_amount(price(seat, quantity)) for quantity in billed]
        comes_to = (costs[1] - costs[0]) * Fraction(before.units, whole.denominator)
        exact += comes_to
        yield Explained(
            "level",
            f"{before.level} seats {_for(before, whole.granularity)}, {after.level} with what was told; "
            f"{billed[0]} and {billed[1]} billed: ({exact_text(costs[1])} {MINUS} {exact_text(costs[0])}) × "
            f"{before.units}/{whole.denominator} = {exact_text(comes_to)}",
        )
    yield amount(exact, line.amount.currency)
    if rounded(exact, line.amount.currency) != line.amount:
        yield Explained("limit", f"no further than what should be less what was billed: {line.amount}")


def _level(seat: SeatPrice, run: Run, share: Share) -> Explained:
    """A level of use with the time that it lasted, and what that comes to."""
    billed = seat.billed(run.level)
    exact = exact_amount(price(seat, billed)) * Fraction(run.units, share.denominator)
    lasted = _for(run, share.granularity)
    text = f"{run.level} seats {lasted}, {billed} billed: {exact_text(exact_amount(price(seat, billed)))}"
    return Explained("level", f"{text} × {run.units}/{share.denominator} = {exact_text(exact)}")


def _for(run: Run, granularity: Granularity) -> str:
    unit = granularity.unit if run.units != 1 else granularity.unit.removesuffix("s")
    return f"for {run.units} {unit}"


def prices(parts: tuple[Part, ...], unit: str, currency: Currency) -> Iterator[Explained]:
    """What each part of the quantity costs in a full period."""
    for part in parts:
        text = f"{formula((part,), unit, None, currency)} = {exact_text(part.exact)}"
        yield Explained("price", text)
    if len(parts) > 1:
        yield Explained("price", f"together {exact_text(exact_amount(parts))} for a full period")


def head(line: Line, version: PlanPrice) -> Explained:
    """What kind of line it is, and under which price."""
    what = "base fee" if version.seat(line.item) is None else f"{line.item} seats"
    by = version.interval.value.lower().replace("_", " ")
    return Explained("line", f"{line.kind.value}: {what} on {version.plan_name}, billed by the {by}")


def time(line: Line) -> Iterator[Explained]:
    """The days that the line is for, and the share of the full period that they are."""
    first, end = line.period.first_day, line.period.end_day
    yield Explained("time", f"from {first} until before {end} ({line.period.zone})")
    if line.share is not None:
        whole = ", a full period" if line.share.whole else " of the full period"
        yield Explained("time", f"{line.share}{whole}")


def amount(exact: Fraction, currency: Currency) -> Explained:
    """The one rounding."""
    text = f"{exact_text(exact)} {currency} rounded once, half away from zero: {rounded(exact, currency)}"
    return Explained("rounding", text)


def left(line: Line) -> Explained:
    """That what was left of the line decided what a credit takes back of it."""
    return Explained("limit", f"{-line.amount} were left of the line that it takes back")


def adjusted(should: Money, together: Money, amount: Money) -> Iterator[Explained]:
    """What an adjustment is the difference of; and of a line that shares it with others, which part it is."""
    yield Explained("adjustment", f"should be {should}, billed {should - together}: {together}")
    if amount != together:
        yield Explained("adjustment", f"{amount} of it from the line that this one takes back from")


def exact_text(value: Fraction) -> str:
    """An exact value as a decimal if it is one, else as a fraction."""
    digits = 0
    while digits < DIGITS_MAX and (value * 10**digits).denominator != 1:
        digits += 1
    scaled = value * 10**digits
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    return f"{Decimal(scaled.numerator).scaleb(-digits):f}"
