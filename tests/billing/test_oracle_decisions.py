"""Whole decisions against the oracle: which lines a change makes, in which order, for how many seats and how
much, over histories of changes in every mode.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.changes import Quote, decide
from app.billing.lines import Line
from app.billing.money import Currency, Money
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, PlanPrice, ProrationMode, SeatPrice
from app.billing.renewals import renewal
from app.billing.requests import ChangeRequest
from app.billing.state import State, after
from tests.billing.oracle import (
    ALL,
    BY_SEAT,
    CHARGED,
    CREDITED,
    NONE,
    SHARE,
    Charge,
    a_price,
    billed_quantity,
    full_price,
    give_back,
    half_away,
    seat_values,
)
from tests.builders import EDITOR, ask, ids, instant, plan_price, started

SEED = 20260422
HISTORIES = 3_000
FEE = "base_fee"
Row = tuple[str, str, int, int]
"""A line: item, kind, quantity, minor units."""


@dataclass
class Book:
    """A subscription as the oracle keeps it. Days count from the start of the full period."""

    currency: Currency
    name: str
    seat: SeatPrice
    fee: int
    seats: int
    of_days: int
    charges: list[Charge] = field(default_factory=list)

    def factor(self, measure: str, day: int) -> Fraction:
        """What a full price is multiplied with from a day on."""
        return {SHARE: Fraction(self.of_days - day, self.of_days), ALL: Fraction(1), NONE: Fraction(0)}[
            measure
        ]

    def charge(
        self,
        kind: str,
        quantity: int,
        values: list[Fraction] | None,
        whole: Fraction,
        measure: str,
        day: int,
        item: str,
    ) -> list[Row]:
        """Book a charge."""
        if measure == NONE:
            values, whole = [Fraction(0)] * quantity, Fraction(0)
        amount = half_away(whole * self.factor(measure, day), self.currency)
        free = measure == NONE
        self.charges.append(
            Charge(item, kind, quantity, values, whole, amount, amount, quantity, day, self.name, free)
        )
        return [(item, kind, quantity, amount)]

    def quantity(self, kind: str, quantity: int, measure: str, day: int) -> list[Row]:
        """A whole quantity of seats; no line where there is nothing to bill."""
        whole = full_price(self.seat, quantity)
        if not quantity and not whole:
            return []
        by_seat = self.seat.model in BY_SEAT and quantity
        values = seat_values(self.seat, after=0, upto=quantity, opening=True) if by_seat else None
        return self.charge(kind, quantity, values, whole, measure, day, EDITOR)

    def everything(self, kind: str, measure: str, day: int) -> list[Row]:
        """The base fee, and the seats."""
        fee = Fraction(self.fee, int(10**self.currency.digits))
        rows = self.charge(kind, 1, None, fee, measure, day, FEE) if self.fee else []
        return rows + self.quantity(kind, billed_quantity(self.seat, self.seats), measure, day)

    def unused(self, charges: list[Charge], measure: str, day: int) -> list[Row]:
        """Take back all that is left of charges. A charge for no seats comes back whole or not at all."""
        rows = []
        for charge in charges:
            if charge.seats_left or (not charge.quantity and charge.left and charge.left == charge.amount):
                seats = charge.seats_left
                amount = give_back(charge, seats, self.factor(measure, day), day, self.currency)
                rows.append((charge.item, "UNUSED", seats, amount))
        return rows

    def newest(self) -> list[Charge]:
        return [charge for charge in reversed(self.charges) if charge.item == EDITOR]

    def by_item(self) -> list[Charge]:
        """All charges, item by item in the order of their first charge, newest first in each."""
        items = dict.fromkeys(charge.item for charge in self.charges)
        return [charge for item in items for charge in reversed(self.charges) if charge.item == item]

    def whole(self, charge: Charge) -> bool:
        """Whether it prices a whole quantity at the present price."""
        return charge.kind != "ADDED" and charge.version == self.name and not charge.free

    def add(self, seats: int, mode: ProrationMode, day: int) -> list[Row]:
        """More seats: those that are paid already are free first."""
        paid = sum(charge.seats_left for charge in self.newest() if charge.version == self.name)
        before, wanted = billed_quantity(self.seat, self.seats), billed_quantity(self.seat, seats)
        before, measure = max(before, paid), CHARGED[mode]
        if wanted <= before:
            return []
        if self.seat.model in BY_SEAT or measure == NONE:
            values = [Fraction(0)] * (wanted - before)
            if self.seat.model in BY_SEAT:
                values = seat_values(self.seat, after=before, upto=wanted, opening=False)
            return self.charge(
                "ADDED", wanted - before, values, sum(values, Fraction(0)), measure, day, EDITOR
            )
        whole = [charge for charge in self.newest() if self.whole(charge)]
        priced = sum(charge.seats_left for charge in whole)
        apart = sum(charge.seats_left for charge in self.newest()) - priced
        rows = self.unused(whole, CREDITED[mode], day)
        together = wanted - apart if before - apart > priced else priced + wanted - before
        return rows + self.quantity("CHANGED", together, measure, day)

    def remove(self, seats: int, mode: ProrationMode, day: int) -> list[Row]:
        """Fewer seats, from the newest charge on; what cannot lose seats by itself is priced anew."""
        rows: list[Row] = []
        if CREDITED[mode] == NONE:
            return rows
        gone = billed_quantity(self.seat, self.seats) - billed_quantity(self.seat, seats)
        for charge in self.newest():
            count = min(gone, charge.seats_left)
            stays = charge.seats_left - count
            if not count:
                continue
            gone -= count
            anew = self.seat.model not in BY_SEAT or (not stays and full_price(self.seat, 0))
            if self.whole(charge) and anew:
                rows += self.unused([charge], CREDITED[mode], day)
                rows += self.quantity("CHANGED", stays, CHARGED[mode], day)
            else:
                factor = self.factor(CREDITED[mode], day)
                rows.append((EDITOR, "CREDIT", count, give_back(charge, count, factor, day, self.currency)))
        return rows

    def change_seats(self, seats: int, mode: ProrationMode, day: int) -> list[Row]:
        """Another number of seats inside the plan and the cycle."""
        rows = (self.add if seats > self.seats else self.remove)(seats, mode, day)
        self.seats = seats
        return rows

    def switch(self, other: Book, mode: ProrationMode, day: int, *, increases: bool) -> list[Row]:
        """Another plan: all of the old back, all of the new charged."""
        rows = [] if CREDITED[mode] == NONE else self.unused(self.by_item(), CREDITED[mode], day)
        if CHARGED[mode] == NONE and not increases:
            return rows
        return rows + other.everything("CHANGED", CHARGED[mode], day)

    def restart(self, other: Book, mode: ProrationMode, day: int, *, began: int) -> list[Row]:
        """A new period in full; what was billed comes back as the mode says, on the first day all of it."""
        measure = SHARE if day == began else CREDITED[mode]
        rows = [] if measure == NONE else self.unused(self.by_item(), measure, day)
        return rows + other.opening()

    def opening(self) -> list[Row]:
        """A full period in advance; a free one has no lines."""
        rows = replace(self, charges=[]).everything("PERIOD", ALL, 0)
        return rows if any(amount for *_, amount in rows) else []


def rows_of(lines: tuple[Line, ...]) -> list[Row]:
    """Lines as the oracle writes them."""
    return [(line.item, line.kind.value, line.quantity, line.amount.minor) for line in lines]


@dataclass
class History:
    """The rules' state and the oracle's book side by side."""

    random: Random
    seed: int
    state: State
    book: Book
    other: tuple[PlanPrice, Book]
    began: int
    told: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def at(self, day: int) -> datetime:
        """Some time of a day."""
        start = self.state.subscription.full_period.start
        return start + timedelta(days=day, seconds=self.random.randrange(86_400))

    def agree(self, request: ChangeRequest, at: datetime, expected: list[Row], label: str) -> None:
        """Decide, compare the lines, and go on from there."""
        quote = decide(self.state, request, at)
        self.told.append(f"{at:%d %b} {label}: {expected}")
        assert isinstance(quote, Quote), (self.seed, self.told, quote)
        assert rows_of(quote.posting.lines) == expected, (self.seed, self.told, self.state.price)
        self.state = after(self.state, quote.posting, ids(self.state))
        self.tally[label] += len(expected)


def a_book(
    random: Random, currency: Currency, seat: SeatPrice, name: str, seats: int
) -> tuple[PlanPrice, Book]:
    """A price version, and the oracle's book for it."""
    fee = random.choice((0, random.randrange(1, 9_999)))
    text = str(Money(fee, currency).amount)
    return plan_price(seat, plan=name, fee=text, currency=currency.code), Book(
        currency, name, seat, fee, seats, 0
    )


def a_history(seed: int) -> History:
    """A subscription, often with a short first period."""
    random = Random(seed)
    limits: list[dict[str, Any]] = [
        {"included": random.choice((0, 0, 3)), "minimum": random.choice((0, 0, 2))} for _ in range(2)
    ]
    currency, seat = a_price(random, **limits[0])
    seats = random.randrange(1, 30)
    price, book = a_book(random, currency, seat, "team", seats)
    other_seat = a_price(random, **limits[1])[1]
    other = a_book(random, currency, other_seat, "pro", seats)
    yearly = replace(price, id=UUID(int=12), interval=BillingInterval.YEAR)
    began = random.choice((0, 0, random.randrange(1, 20)))
    month = random.choice((instant("2026-04-01"), instant("2026-01-31"), instant("2024-02-29")))
    state = started(
        price,
        *(other[0], yearly),
        at=f"{month + timedelta(days=began):%Y-%m-%d}",
        anchor=f"{month:%Y-%m-%d}",
        editor=seats,
    )
    book.of_days = other[1].of_days = (state.subscription.full_period.end - month).days
    history = History(random, seed, state, book, other, began)
    opening = book.everything("PERIOD", SHARE, began)
    if not any(amount for *_, amount in opening):
        opening, book.charges = [], []
    assert rows_of(tuple(billed.line for billed in state.lines)) == opening, (seed, price)
    history.tally["start"] = len(opening)
    return history


def list_amount(book: Book) -> Fraction:
    """What a plan costs in a full period, for its direction."""
    fee = Fraction(book.fee, int(10**book.currency.digits))
    return fee + full_price(book.seat, billed_quantity(book.seat, book.seats))


def play(seed: int) -> Counter[str]:
    """Up to four changes of seats, then one that ends the cycle or the plan, or the renewal."""
    history = a_history(seed)
    random, book, now = history.random, history.book, ChangeTiming.NOW
    kept = [mode for mode in ProrationMode if mode is not ProrationMode.FULL_IMMEDIATELY]
    day = history.began
    for _ in range(random.randrange(5)):
        day = random.choice((day, random.randrange(day, book.of_days)))
        seats, mode = random.choice([n for n in range(3, 40) if n != book.seats]), random.choice(kept)
        expected = book.change_seats(seats, mode, day)
        history.agree(ask(editor=seats, mode=mode, timing=now), history.at(day), expected, mode.value)
    day, mode = random.randrange(day, book.of_days), random.choice(tuple(ProrationMode))
    ending = random.choice(("plan", "interval", "seats in full", "renewal"))
    finish(history, ending, day, mode)
    return history.tally


def finish(history: History, ending: str, day: int, mode: ProrationMode) -> None:
    """The last step of a history."""
    book, now, full = history.book, ChangeTiming.NOW, ProrationMode.FULL_IMMEDIATELY
    other = history.other[1]
    other.seats = book.seats
    if ending == "plan":
        increases = list_amount(other) >= list_amount(book)
        if mode is full:
            expected = book.restart(other, mode, day, began=history.began)
        else:
            expected = book.switch(other, mode, day, increases=increases)
        history.agree(ask(plan="pro", mode=mode, timing=now), history.at(day), expected, f"plan {mode.value}")
    elif ending == "interval" and mode is not ProrationMode.DO_NOT_BILL:
        expected = book.restart(book, mode, day, began=history.began)
        request = ask(plan="team", interval=BillingInterval.YEAR, mode=mode, timing=now)
        history.agree(request, history.at(day), expected, f"interval {mode.value}")
    elif ending == "seats in full":
        book.seats = book.seats + 2
        expected = book.restart(book, full, day, began=history.began)
        history.agree(
            ask(editor="+2", mode=full, timing=now), history.at(day), expected, f"seats {full.value}"
        )
    else:
        expected = book.opening()
        assert rows_of(renewal(history.state).lines) == expected, (history.seed, history.told)
        history.tally["renewal"] += len(expected)


@pytest.mark.long
def test_thousands_of_histories_agree_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of 3,000 subscriptions: changes of seats, plan and interval in every mode, and renewals."""
    tally: Counter[str] = Counter()
    for seed in range(SEED, SEED + HISTORIES):
        tally += play(seed)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally.total()} decided lines agree, seeds from {SEED}: {dict(tally)}\n")

    assert tally.total() > 15_000
    assert min(tally.values()) > 100


@given(st.integers(0, 2**64))
def test_histories_agree_with_the_oracle(seed: int) -> None:
    """The same from seeds that differ from run to run."""
    play(seed)
