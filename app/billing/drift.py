"""Drift: what the vendor's product has differs from what was reported. Who is missing, who is gone, what a
month costs more or less if the list is right, and the events that would put it right. Nothing is charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.billing.ledger import Holder, SeatLevels
from app.billing.money import Money, rounded
from app.billing.plans import ChargingBasis, Item, PlanPrice, SeatPrice
from app.billing.pricing import exact_amount, price


@dataclass(frozen=True, slots=True)
class Roll:
    """Who really uses seats of a metric, each person once; or only how many do, where `members` is None."""

    metric: Item
    count: int
    members: Mapping[str, Holder] | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """An event that puts a part of the drift right."""

    added: int | None = None
    removed: int | None = None
    total: int | None = None
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """How a roll differs from the ledger. `unnamed` are seats in use that nobody is named for; `monthly` is
    what a month would cost more (or less) by the roll, None without a price.
    """

    metric: Item
    in_use: int
    actual: int
    missing: tuple[Holder, ...]
    gone: tuple[Holder, ...]
    unnamed: int
    monthly: Money | None
    corrections: tuple[Correction, ...]


def drift(
    roll: Roll, levels: SeatLevels, held: Mapping[str, tuple[Holder, int]], version: PlanPrice | None
) -> Drift:
    """The drift of one metric; `held` are the recorded holders by reference, each with its seats."""
    monthly = _monthly(version, roll, levels) if version else None
    if roll.members is None:
        right = (Correction(total=roll.count),) if roll.count != levels.in_use else ()
        return Drift(roll.metric, levels.in_use, roll.count, (), (), 0, monthly, right)
    missing = tuple(person for reference, person in roll.members.items() if reference not in held)
    gone = tuple(person for reference, (person, _) in held.items() if reference not in roll.members)
    unnamed = max(0, levels.in_use - sum(seats for _, seats in held.values()))
    removals = [Correction(removed=held[person.reference][1], holder=person) for person in gone]
    removals += [Correction(removed=unnamed)] if unnamed else []
    additions = [Correction(added=1, holder=person) for person in missing]
    corrections = (*removals, *additions)
    return Drift(roll.metric, levels.in_use, roll.count, missing, gone, unnamed, monthly, corrections)


def _monthly(version: PlanPrice, roll: Roll, levels: SeatLevels) -> Money | None:
    """What a month costs more by the roll. Seats paid in advance are compared with what is committed, seats
    billed by use with what was reported.
    """
    seat = version.seat(roll.metric)
    if seat is None:
        return None
    if seat.basis is ChargingBasis.OVERAGE:
        assert seat.overage_amount is not None, "the catalog refuses OVERAGE without a price"
        limit = seat.limit(levels.committed, levels.granted) or 0
        more = max(0, roll.count - limit) - max(0, levels.in_use - limit)
        return rounded(Fraction(seat.overage_amount) * more, version.currency)
    if seat.basis is ChargingBasis.PURCHASED:
        before, after = levels.committed, max(0, roll.count - levels.granted)
    else:
        before, after = levels.in_use, roll.count
    exact = _for_a_period(seat, after) - _for_a_period(seat, before)
    return rounded(exact / version.interval.months, version.currency)


def _for_a_period(seat: SeatPrice, level: int) -> Fraction:
    return exact_amount(price(seat, seat.billed(level)))
