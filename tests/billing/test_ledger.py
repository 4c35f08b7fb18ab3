"""Seat events and the balances that are folds of them: as of, as known at, corrected, per day."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.ledger import (
    BalanceKind,
    DayLevel,
    Delta,
    EventSource,
    Holder,
    SeatBalance,
    SeatEvent,
    SeatLevels,
    balance,
    balance_of,
    correction,
    days,
    first_negative,
)
from tests.builders import EDITOR, instant, seat_price

ADA = Holder("u1", "Ada", "ada@acme.example")
COMMITTED, IN_USE = BalanceKind.COMMITTED, BalanceKind.IN_USE


def a_delta(
    net: int, at: str | datetime = "2026-04-16", kind: BalanceKind = IN_USE, holder: Holder | None = None
) -> Delta:
    """Seats added, or removed if negative."""
    effective = instant(at) if isinstance(at, str) else at
    return Delta(EDITOR, kind, max(0, net), max(0, -net), effective, EventSource.REPORT, holder)


def an_event(net: int, at: str, recorded: str | None = None, number: int = 1) -> SeatEvent:
    return SeatEvent(UUID(int=number), a_delta(net, at), instant(recorded or at), "backend")


EVENTS = (
    an_event(10, "2026-04-01"),
    an_event(-3, "2026-04-16", number=2),
    an_event(5, "2026-04-10", recorded="2026-04-20", number=3),
)


def test_a_balance_is_read_as_of_an_instant() -> None:
    """10 on the 1st, 15 from the 10th, 12 from the 16th, whose own instant is included."""
    assert [balance(EVENTS, instant(f"2026-04-{day}")) for day in ("01", "09", "10", "16")] == [
        10,
        10,
        15,
        12,
    ]
    assert balance(EVENTS, instant("2026-03-31")) == 0


def test_a_balance_is_read_as_known_at_an_instant() -> None:
    """The 5 of the 10th became known on the 20th: until then the balance of the 16th was 7."""
    assert balance(EVENTS, instant("2026-04-16"), known_at=instant("2026-04-19")) == 7
    assert balance(EVENTS, instant("2026-04-16"), known_at=instant("2026-04-20")) == 12


def test_events_are_ordered_by_when_they_took_effect() -> None:
    """By the instant, then by the id."""
    assert [event.id.int for event in sorted(EVENTS, key=lambda event: event.order)] == [1, 3, 2]


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_correction_reverses_and_says_what_is_right(wrong: int, right: int) -> None:
    """The reversal and the right values leave the balance as if only the right values had been recorded."""
    original = SeatEvent(UUID(int=9), a_delta(wrong, holder=ADA), instant("2026-04-16"), "backend")
    reversal, fixed = correction(original, added=right, removed=0, note="typing error")

    assert wrong + reversal.net + fixed.net == right
    for delta in (reversal, fixed):
        assert delta.corrects == original.id
        assert delta.effective_at == original.delta.effective_at
        assert (delta.source, delta.note, delta.holder) == (EventSource.CORRECTION, "typing error", ADA)


def test_the_first_negative_day_is_found() -> None:
    """5, then −6 on the 12th, then +10: below 0 from the 12th on; never with one seat to begin with."""
    deltas = [a_delta(10, "2026-04-14"), a_delta(5, "2026-04-10"), a_delta(-6, "2026-04-12")]

    assert first_negative(deltas) == instant("2026-04-12")
    assert first_negative(deltas, opening=1) is None
    assert first_negative([]) is None


def test_events_of_one_instant_count_together() -> None:
    """A seat that changes hands is removed and added at one instant: the balance is never below 0."""
    swap = [a_delta(-1), a_delta(1)]

    assert first_negative(swap) is None
    assert first_negative([*swap, a_delta(-1)]) == instant("2026-04-16")


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 5), st.sampled_from(BalanceKind)), max_size=15),
)
def test_days_agree_with_folding_every_instant(
    opening: int, moves: list[tuple[int, int, BalanceKind]]
) -> None:
    """The level of a day is that at its end; its peak the highest seen at any of its instants."""
    start = instant("2026-04-10")
    deltas = [a_delta(net, start + timedelta(hours=8 * slot), kind) for net, slot, kind in moves]
    levels = days(
        SeatLevels(opening, opening), deltas, start=date(2026, 4, 10), until=date(2026, 4, 12), zone="UTC"
    )

    def level(kind: BalanceKind, until: datetime) -> int:
        return opening + sum(d.net for d in deltas if d.kind is kind and d.effective_at <= until)

    for i, day in enumerate(levels):
        midnight = start + timedelta(days=i)
        ends = midnight + timedelta(hours=23, minutes=59)
        instants = [midnight - timedelta(seconds=1), *(midnight + timedelta(hours=h) for h in (0, 8, 16))]
        assert (day.committed, day.in_use) == (level(COMMITTED, ends), level(IN_USE, ends))
        assert day.peak == max(level(IN_USE, at) for at in instants)


def test_days_are_those_of_the_zone() -> None:
    """22:30 UTC of 10 April is the 11th in Berlin."""
    levels = days(
        SeatLevels(),
        [a_delta(3, "2026-04-10 22:30")],
        start=date(2026, 4, 10),
        until=date(2026, 4, 12),
        zone="Europe/Berlin",
    )

    assert levels == (DayLevel(date(2026, 4, 10), 0, 0, 0), DayLevel(date(2026, 4, 11), 0, 3, 3))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (SeatLevels(15, 12, 0), (15, 5, 10, 0, 15, 12, 3, 0)),
        (SeatLevels(3, 8, 1), (3, 5, 0, 1, 6, 8, 0, 2)),
        (SeatLevels(0, 0, 0), (0, 5, 0, 0, 5, 0, 5, 0)),
    ],
)
def test_the_balance_that_people_read(levels: SeatLevels, expected: tuple[int, ...]) -> None:
    """With 5 included: limit = max(committed, included) + granted; what is left of it, or what is over."""
    shown = balance_of(EDITOR, levels, seat_price(included=5))

    assert expected == (
        shown.committed,
        shown.included,
        shown.purchased,
        shown.granted,
        shown.limit,
        shown.in_use,
        shown.available,
        shown.overage,
    )


def test_seats_that_the_plan_does_not_know_include_and_bill_nothing() -> None:
    """3 committed and one granted guest without a price: a limit of 4, nothing purchased."""
    shown = balance_of(EDITOR, SeatLevels(3, 2, 1), None)

    assert (shown.included, shown.purchased, shown.limit, shown.available) == (0, 0, 4, 2)


def test_without_a_limit_nothing_is_over() -> None:
    """Where the plan sets no limit, available is unknown and overage is none."""
    shown = SeatBalance(EDITOR, 0, 0, 0, 0, None, 99)

    assert (shown.available, shown.overage) == (None, 0)
