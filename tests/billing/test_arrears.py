"""Use that is billed afterwards: the published figures, by hand, and what lies around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.billing import explaining
from app.billing.backdated import Told
from app.billing.changes import Quote, decide
from app.billing.effects import reported
from app.billing.ledger import BalanceKind, Delta, EventSource, Holder, SeatEvent, SeatLevels, equaliser
from app.billing.periods import Share
from app.billing.plans import ChargingBasis, SeatPrice
from app.billing.pricing import Part
from app.billing.refusals import InvalidInput
from app.billing.renewals import next_due
from app.billing.state import State
from app.billing.usage import Usage
from tests.builders import EDITOR, ask, instant, money, plan_price, seat_price, started


def used(day: str, net: int, *, metric: str = EDITOR, name: str | None = None) -> Delta:
    """People come or go at noon of a day in April."""
    at = instant(f"2026-04-{day} 12:00")
    holder = Holder(name) if name else None
    kind = BalanceKind.IN_USE
    return Delta(EDITOR, kind, max(0, net), max(0, -net), at, EventSource.REPORT, holder)


def by_use(basis: ChargingBasis, unit: str = "10.00", *events: Delta, **rest: Any) -> State:
    """A subscription from 1 April on whose editors are billed by what these events say."""
    seat = replace(seat_price(unit, **rest), basis=basis)
    state = started(plan_price(seat, plan="by_use"), plan_price(), editor=0)
    levels = {EDITOR: SeatLevels(in_use=sum(event.net for event in events))}
    return replace(state, levels=levels, usage={EDITOR: Usage(events=events)})


def test_a_change_in_the_middle_ends_the_segment() -> None:
    """PEAK 12 × 10.00 × 15/30 = 60.00, when the plan changes on the 16th; with the eight seats of the new
    plan, 8 × 10.00 × 15/30 = 40.00, it is due at once.
    """
    state = by_use(ChargingBasis.PEAK, "10.00", used("03", 12), used("09", -4))
    quote = decide(state, ask(plan="team", editor=8), instant("2026-04-16 09:00"))

    assert isinstance(quote, Quote)
    charge, use = (shown.line for shown in quote.lines)
    assert (use.formula, use.amount) == ("12 seats × 10.00 USD × 15/30 days", money("60.00"))
    assert (charge.amount, quote.due_now.total) == (money("40.00"), money("100.00"))
    assert quote.posting.subscription.priced_from == instant("2026-04-16")


def test_a_change_on_the_first_day_has_no_segment_before_it() -> None:
    """Nothing was used before the first day, so no line and no segment is made for it."""
    state = by_use(ChargingBasis.PRORATED, "10.00", used("01", 5))
    quote = decide(state, ask(plan="team", editor=5), instant("2026-04-01 18:00"))

    assert isinstance(quote, Quote)
    assert [shown.line.amount for shown in quote.lines] == [money("50.00")]
    assert quote.posting.segments == ()


def test_27_seats_from_the_18th_are_13_days() -> None:
    """15.00 × 27 × 13/30 = 175.50, which is 6.50 a seat."""
    state = by_use(ChargingBasis.PRORATED, "15.00", used("18", 27))
    posting = next_due(state, instant("2026-05-01"))

    assert posting
    (line,) = posting.lines
    assert (line.formula, line.amount) == ("27 seats × 15.00 USD × 13/30 days", money("175.50"))


def test_seats_that_are_billed_by_use_cannot_be_ordered() -> None:
    """Whoever asks for a number of them is told how they are billed."""
    refused = decide(by_use(ChargingBasis.ACTIVE), ask(editor=5), instant("2026-04-16"))

    assert isinstance(refused, InvalidInput)
    assert refused.message == "editor seats are billed as they are used; none are ordered."


def told(when: str, net: int) -> Told:
    """Seats that the vendor tells, ten being known."""
    delta = Delta(EDITOR, BalanceKind.COMMITTED, max(0, net), max(0, -net), instant(when), EventSource.REPORT)
    return Told((delta,), Usage(10))


def test_seats_that_the_vendor_sold_are_prorated_from_their_day() -> None:
    """Five more since the 16th, told on the 20th: 5 × 10.00 × 15/30 = 25.00, which waits; two fewer since the
    21st are 2 × 10.00 × 10/30 = 6.67 less.
    """
    at = instant("2026-04-20 09:00")
    more = reported(started(), told("2026-04-16 10:00", 5), at=at)
    fewer = reported(started(), told("2026-04-21 10:00", -2), at=at)

    assert [(line.formula, line.amount) for line in more.lines] == [
        ("5 seats × 10.00 USD × 15/30 days", money("25.00"))
    ]
    assert [line.amount for line in fewer.lines] == [money("-6.67")]
    assert (more.drafts, [event.net for event in more.events]) == ((), [5])


@pytest.mark.parametrize(("told", "kept"), [("05", -2), ("10", None), ("12", None)])
def test_the_first_total_after_late_news_stays_true(told: str, kept: int | None) -> None:
    """Nine on the 10th and eleven on the 15th were stated. Two of the 5th leave the 10th at nine; two of the
    10th itself, or of the 12th, leave nothing to keep but the 15th.
    """
    events = [
        SeatEvent(UUID(int=i), replace(used(day, 4), stated=total), instant("2026-04-20"), "vendor")
        for i, (day, total) in enumerate((("10", 9), ("15", 11)))
    ]
    found = equaliser([used(told, 2)], events)

    assert found
    assert found.net == -2
    expected = "10" if kept else "15"
    assert (found.effective_at, found.source) == (used(expected, 0).effective_at, EventSource.EQUALISER)
    assert equaliser([used(told, 2), used(told, -2)], events) is None
    assert equaliser([used("16", 2)], events) is None


def test_totals_for_who_has_no_credit() -> None:
    """What a quote costs by itself: of 100.00 with 40.00 in hand 60.00 are due, without them all of it."""
    state = replace(started(), credit=money("40.00"))
    quote = decide(state, ask(editor="+20"), instant("2026-04-16"))

    assert isinstance(quote, Quote)
    assert (quote.due_now.amount_due, quote.due_now.credit_applied) == (money("60.00"), money("40.00"))
    alone = quote.due_now.without_credit
    assert (alone.amount_due, alone.credit_applied, alone.total) == (
        money("100.00"), money("0.00"), money("100.00"),
    )  # fmt: skip


# ── Explanations ────────────────────────────────────────────────────────────────────────────────────────────


def explained(basis: ChargingBasis, *events: Delta, **rest: int) -> list[str]:
    """What is said of the use of April."""
    state = by_use(basis, "10.00", *events, **rest)
    seat = state.price.seat(EDITOR)
    assert seat
    (segment,) = state.reckoned(instant("2026-05-01")).segments
    usage, granularity = state.usage[EDITOR], state.price.granularity
    return [step.text for step in explaining.use(seat, segment, usage, granularity)]


def test_use_is_explained_by_what_its_basis_counts() -> None:
    """Levels with the time that they lasted, the highest of them, and people."""
    come_and_go = (used("01", 4), used("11", 2), used("21", -3))
    minus = "\u2212"

    assert explained(ChargingBasis.PRORATED, *come_and_go, included=4) == [
        "4 seats for 10 days, 0 billed: 0 × 10/30 = 0",
        "6 seats for 10 days, 2 billed: 20 × 10/30 = 20/3",
        "3 seats for 10 days, 0 billed: 0 × 10/30 = 0",
    ]
    assert explained(ChargingBasis.PEAK, *come_and_go)[-1] == (
        f"max(6 in use at most, minimum 0) {minus} 0 included, not below 0: 6"
    )
    people = (used("01", 1, name="ada"), used("03", -1, name="ada"), used("30", 1, name="ben"))
    assert explained(ChargingBasis.ACTIVE, *people, minimum=5) == [
        f"max(2 people who held a seat, minimum 5) {minus} 0 included, not below 0: 5"
    ]
    assert explained(ChargingBasis.PRORATED, used("30", 1))[-1].startswith("1 seats for 1 day,")


def test_overage_is_explained_by_what_was_above_the_limit() -> None:
    """Seven in use and five paid for: two above; the month's own price is for them."""
    seat: SeatPrice = replace(seat_price(), basis=ChargingBasis.OVERAGE, overage_amount=money("12.00").amount)
    state = started(plan_price(seat), editor=5)
    state = replace(state, usage={EDITOR: Usage(events=(used("12", 7),))})
    (segment,) = state.reckoned(instant("2026-05-01")).segments
    steps = explaining.use(seat, segment, state.usage[EDITOR], state.price.granularity)

    assert [step.text for step in steps] == ["7 in use when it ended, 5 paid in advance: 2 above"]


def test_events_prices_and_the_one_rounding_are_told_in_figures() -> None:
    """A late event says when it was recorded; parts are added up; what is no decimal stays a fraction."""
    event = SeatEvent(UUID(int=1), used("18", -2, name="ada"), instant("2026-04-20 08:30"), "vendor")
    assert explaining.event(event, 5).text == (
        "2026-04-18 12:00 UTC: \u22122 in use, 5 then (REPORT, ada), recorded 2026-04-20 08:30 UTC"
    )
    at_once = replace(event, recorded_at=event.delta.effective_at + timedelta(hours=1))
    assert explaining.event(at_once, 5).text.endswith("(REPORT, ada)")

    currency = money("0").currency
    parts = (Part(5, money("10.00").amount), Part(2, money("8.00").amount, money("1.00").amount))
    assert [step.text for step in explaining.prices(parts, "seat", currency)] == [
        "5 seats × 10.00 USD = 50",
        "2 seats × 8.00 USD + 1.00 USD = 17",
        "together 67 for a full period",
    ]
    assert len(list(explaining.prices(parts[:1], "seat", currency))) == 1
    third = Share(1, 3).exact
    assert explaining.amount(third, currency).text == ("1/3 USD rounded once, half away from zero: 0.33 USD")


def test_a_line_is_told_with_its_time_and_its_limit() -> None:
    """The kind and the plan; the days, with or without a share; what was left; what an adjustment is of."""
    state = started()
    line = state.lines[0].line
    assert explaining.head(line, state.price).text == "PERIOD: editor seats on Team, billed by the month"
    fee = started(plan_price(fee="9.00"))
    assert (
        explaining.head(fee.lines[0].line, fee.price).text == "PERIOD: base fee on Team, billed by the month"
    )
    days = "from 2026-04-01 until before 2026-05-01 (UTC)"
    assert [step.text for step in explaining.time(line)] == [days]
    shared = replace(line, share=Share(15, 30))
    assert [step.text for step in explaining.time(shared)] == [days, "15/30 days of the full period"]
    whole = replace(line, share=Share(30, 30))
    assert [step.text for step in explaining.time(whole)][1] == "30/30 days, a full period"
    assert explaining.left(replace(line, amount=money("-3.00"))).text == (
        "3.00 USD were left of the line that it takes back"
    )
    adjusted = explaining.adjusted(money("175.50"), money("6.50"), money("6.50"))
    assert [step.text for step in adjusted] == ["should be 175.50 USD, billed 169.00 USD: 6.50 USD"]
