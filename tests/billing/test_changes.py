"""What a change of seats costs: every mode, up and down, for prices that extend and for whole ones.

The default subscription: 10 editors at 10.00 from 1 April; on the 16th half of the 30 days are left.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.billing.changes import Quote, allowed_ways
from app.billing.documents import DocumentKind
from app.billing.lines import LineKind
from app.billing.periods import BillingInterval, Granularity, Period, Share
from app.billing.plans import ChangeTiming, PricingModel, ProrationMode, SeatMetric
from app.billing.state import State
from app.billing.subscriptions import SeatsAtRenewal
from tests.billing.playing import amounts, changed, formulas, quoted, renewal_total
from tests.builders import EDITOR, VIEWER, ask, instant, money, plan_price, seat_price, started

PRORATED, DIFFERENCE = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.DIFFERENCE_IMMEDIATELY
FULL, LATER = ProrationMode.FULL_IMMEDIATELY, ProrationMode.PRORATED_ON_NEXT_INVOICE
UNBILLED = ProrationMode.DO_NOT_BILL
VOLUME = plan_price(
    seat_price("0", EDITOR, (12, "10.00", "0"), (None, "8.00", "0"), model=PricingModel.VOLUME)
)
PACKS = plan_price(seat_price("0", EDITOR, (None, "0", "50.00"), model=PricingModel.PACKAGE, package_size=4))
STAIRS = plan_price(
    seat_price("0", EDITOR, (10, "0", "90.00"), (None, "0", "140.00"), model=PricingModel.STAIRSTEP)
)
TIERED = plan_price(seat_price("0", EDITOR, (5, "10.00", "2.00"), (10, "8.00", "3.00"), (None, "6.00", "0")))


@pytest.mark.parametrize(
    ("mode", "lines", "due", "renews"),
    [
        (PRORATED, ["25.00"], "25.00", "150.00"),
        (DIFFERENCE, ["50.00"], "50.00", "150.00"),
        (FULL, ["150.00"], "150.00", "150.00"),
        (LATER, ["25.00"], "0.00", "175.00"),
        (UNBILLED, ["0.00"], "0.00", "150.00"),
    ],
)
def test_more_seats_at_a_price_that_extends(
    mode: ProrationMode, lines: list[str], due: str, renews: str
) -> None:
    """10 → 15 at 10.00 half way: 25 prorated, 50 the difference, 150 in full; 150 renews, plus what waits."""
    quote = quoted(started(), ask(editor=15, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money(renews)
    assert (quote.mode, quote.timing) == (mode, ChangeTiming.NOW)


@pytest.mark.parametrize(
    ("mode", "lines", "due", "renews"),
    [
        (PRORATED, ["-25.00"], "-25.00", "50.00"),
        (DIFFERENCE, ["-50.00"], "-50.00", "50.00"),
        (FULL, ["50.00"], "50.00", "50.00"),
        (LATER, ["-25.00"], "0.00", "25.00"),
        (UNBILLED, [], "0.00", "50.00"),
    ],
)
def test_fewer_seats_at_a_price_that_extends(
    mode: ProrationMode, lines: list[str], due: str, renews: str
) -> None:
    """10 → 5 at 10.00 half way: 25 back prorated, 50 the difference, or a new period of 50 without credit."""
    quote = quoted(started(), ask(editor=5, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money(renews)


@pytest.mark.parametrize(
    ("mode", "lines", "due", "renews"),
    [
        (PRORATED, ["-50.00", "60.00"], "10.00", "120.00"),
        (DIFFERENCE, ["-100.00", "120.00"], "20.00", "120.00"),
        (FULL, ["120.00"], "120.00", "120.00"),
        (LATER, ["-50.00", "60.00"], "0.00", "130.00"),
        (UNBILLED, ["0.00"], "0.00", "120.00"),
    ],
)
def test_more_seats_at_a_whole_price(mode: ProrationMode, lines: list[str], due: str, renews: str) -> None:
    """10 × 10.00 → 15 × 8.00 by volume: the old is credited and the new charged, −50 + 60 half way."""
    quote = quoted(started(VOLUME), ask(editor=15, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money(renews)


@pytest.mark.parametrize(
    ("mode", "lines", "due", "renews"),
    [
        (PRORATED, ["-60.00", "50.00"], "-10.00", "100.00"),
        (DIFFERENCE, ["-120.00", "100.00"], "-20.00", "100.00"),
        (FULL, ["100.00"], "100.00", "100.00"),
        (LATER, ["-60.00", "50.00"], "0.00", "90.00"),
        (UNBILLED, [], "0.00", "100.00"),
    ],
)
def test_fewer_seats_at_a_whole_price(mode: ProrationMode, lines: list[str], due: str, renews: str) -> None:
    """15 × 8.00 → 10 × 10.00 by volume: 120 becomes 100, half of the difference is 10."""
    quote = quoted(started(VOLUME, editor=15), ask(editor=10, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money(renews)


@pytest.mark.parametrize(
    ("state", "wanted", "lines"),
    [
        (started(PACKS), 12, ["-75.00", "75.00"]),
        (started(PACKS), 13, ["-75.00", "100.00"]),
        (started(PACKS), 8, ["-75.00", "50.00"]),
        (started(STAIRS), 11, ["-45.00", "70.00"]),
        (started(STAIRS), 9, ["-45.00", "45.00"]),
        (started(STAIRS), 0, ["-45.00", "45.00"]),
    ],
)
def test_packs_and_stairs_are_priced_anew(state: State, wanted: int, lines: list[str]) -> None:
    """3 packs of 4 at 50.00 hold 12; up to 10 seats cost 90.00, also none; half of each is left."""
    assert amounts(quoted(state, ask(editor=wanted, mode=PRORATED), "2026-04-16")) == lines


def test_added_seats_enter_their_tiers() -> None:
    """4 → 12 half way: (1 × 10.00 + 5 × 8.00 + 3.00 + 2 × 6.00) × 15/30 = 65.00 / 2 = 32.50."""
    quote = quoted(started(TIERED, editor=4), ask(editor=12, mode=PRORATED), "2026-04-16")

    assert amounts(quote) == ["32.50"]
    assert formulas(quote) == [
        "(1 seat × 10.00 USD + 5 seats × 8.00 USD + 3.00 USD + 2 seats × 6.00 USD) × 15/30 days"
    ]
    assert quote.lines[0].line.kind is LineKind.ADDED


def test_seats_given_back_leave_their_tiers() -> None:
    """12 → 5 half way: (5 × 8.00 + 3.00 + 2 × 6.00) × 15/30 = 27.50; the first tier stays."""
    quote = quoted(started(TIERED, editor=12), ask(editor=5, mode=PRORATED), "2026-04-16")

    assert amounts(quote) == ["-27.50"]


def test_the_flat_amount_of_the_first_tier_stays_without_seats() -> None:
    """3 → 0 half way: 32.00 × 15/30 = 16.00 back, and 2.00 × 15/30 = 1.00 charged, for 0 seats cost 2.00."""
    state = started(TIERED, editor=3)
    quote = quoted(state, ask(editor=0, mode=PRORATED), "2026-04-16")
    emptied = changed(state, ask(editor=0, mode=PRORATED), "2026-04-16")

    assert amounts(quote) == ["-16.00", "1.00"]
    assert renewal_total(emptied) == money("2.00")
    assert amounts(quoted(emptied, ask(editor=3, mode=PRORATED), "2026-04-16")) == ["15.00"]


def test_a_full_difference_is_no_share_of_time() -> None:
    """Prorated lines carry 15/30 days, charges and credits alike; the difference carries none."""
    for seats in (5, 15):
        (prorated,) = quoted(started(), ask(editor=seats, mode=PRORATED), "2026-04-16").lines
        (difference,) = quoted(started(), ask(editor=seats, mode=DIFFERENCE), "2026-04-16").lines
        assert (prorated.line.share, difference.line.share) == (Share(15, 30), None)
        assert difference.line.formula.removeprefix("−") == "5 seats × 10.00 USD"


def test_a_unit_has_the_word_of_its_metric() -> None:
    """Licences are added and given back as licences."""
    seat = replace(seat_price(), metric=SeatMetric(EDITOR, "Editor", "licence"))
    state = started(plan_price(seat))

    assert formulas(quoted(state, ask(editor=11), "2026-04-16")) == ["1 licence × 10.00 USD × 15/30 days"]
    assert formulas(quoted(state, ask(editor=8), "2026-04-16")) == ["−2 licences × 10.00 USD × 15/30 days"]


def test_the_last_seats_of_a_price_without_flat_amounts_are_given_back_as_such() -> None:
    """10 → 0 half way is a credit of 50.00 for seats given back, and no other price for anything."""
    (line,) = quoted(started(), ask(editor=0, mode=PRORATED), "2026-04-16").lines

    assert (line.line.kind, line.line.amount) == (LineKind.CREDIT, money("-50.00"))


def test_credits_take_the_newest_seats_first() -> None:
    """4 and 3 more on the 11th and 21st; on the 26th 5 go back: 3 of the newest line, 2 of the one before."""
    state = changed(started(editor=1), ask(editor="+4"), "2026-04-11")
    state = changed(state, ask(editor="+3"), "2026-04-21")
    quote = quoted(state, ask(editor="-5"), "2026-04-26")

    assert [line.line.quantity for line in quote.lines] == [3, 2]
    assert amounts(quote) == ["-5.00", "-3.33"]
    assert [line.line.reverses for line in quote.lines] == [state.lines[2].id, state.lines[1].id]


def test_a_credit_is_at_the_price_that_was_billed() -> None:
    """10 seats were billed at 10.00; under a new version at 20.00 they are credited at 10.00."""
    dearer = plan_price(seat_price("20.00"), plan="pro")
    state = changed(started(plan_price(), dearer), ask(plan="pro", mode=PRORATED), "2026-04-16")

    assert [str(b.line.amount.amount) for b in state.lines] == ["100.00", "-50.00", "100.00"]


def test_rounding_leftovers_of_a_line_go_back_with_its_last_seats() -> None:
    """3 × 0.335 are 1.01; one seat goes back on the first day as 0.34, the last two as the 0.67 left."""
    state = started(plan_price(seat_price("0.335")), editor=3)
    first = quoted(state, ask(editor=2), "2026-04-01")
    last = quoted(changed(state, ask(editor=2), "2026-04-01"), ask(editor=0), "2026-04-01")

    assert (amounts(first), amounts(last)) == (["-0.34"], ["-0.67"])
    assert formulas(last) == ["−2 seats × 0.335 USD"]


@pytest.mark.parametrize(
    ("unit", "last", "formula"),
    [
        ("0.125", "-0.11", "−min(1 seat × 0.125 USD, (0.50 − 0.39) USD)"),
        ("0.124", "-0.14", "−(0.50 − 0.36) USD"),
    ],
)
def test_the_last_seat_of_a_line_takes_what_is_left_and_shows_how_much(
    unit: str, last: str, formula: str
) -> None:
    """4 seats cost 0.50; three go back one by one, as 0.13 or as 0.12 each; the last takes 0.11 or 0.14: what
    was billed minus what was credited.
    """
    state = started(plan_price(seat_price(unit)), editor=4)
    for seats in (3, 2, 1):
        state = changed(state, ask(editor=seats), "2026-04-01")
    quote = quoted(state, ask(editor=0), "2026-04-01")

    assert (amounts(quote), formulas(quote)) == ([last], [formula])


def test_a_credit_above_what_is_left_is_capped_and_says_so() -> None:
    """3 × 0.005 are 0.02; two single seats go back as 0.01 each, so nothing is left for the third."""
    state = started(plan_price(seat_price("0.005")), editor=3)
    for seats in (2, 1):
        state = changed(state, ask(editor=seats), "2026-04-02")
    quote = quoted(state, ask(editor=0), "2026-04-02")

    assert (amounts(quote), formulas(quote)) == (["0.00"], ["−1 seat × 0.005 USD × 29/30 days"])


def test_seats_given_up_without_credit_come_back_free() -> None:
    """10 → 6 unbilled, then 6 → 12: four were paid until May, so 2 × 10.00 × 10/30 = 6.67 on the 21st."""
    state = changed(started(), ask(editor=6, mode=UNBILLED), "2026-04-11")
    back = changed(state, ask(editor=9, mode=PRORATED), "2026-04-16")

    assert amounts(quoted(state, ask(editor=9, mode=PRORATED), "2026-04-16")) == []
    assert amounts(quoted(back, ask(editor=12, mode=PRORATED), "2026-04-21")) == ["6.67"]
    assert renewal_total(back) == money("90.00")


def test_a_whole_price_with_seats_given_up_without_credit() -> None:
    """10 → 6 unbilled → 5: 9 of the paid 10 stay, in 3 packs; back up to 10 is free, 13 needs a fourth."""
    state = changed(started(PACKS), ask(editor=6, mode=UNBILLED), "2026-04-16")

    assert amounts(quoted(state, ask(editor=5, mode=PRORATED), "2026-04-16")) == ["-75.00", "75.00"]
    assert amounts(quoted(state, ask(editor=10, mode=PRORATED), "2026-04-16")) == []
    assert amounts(quoted(state, ask(editor=13, mode=PRORATED), "2026-04-16")) == ["-75.00", "100.00"]


def test_unbilled_seats_stay_unbilled_until_the_renewal() -> None:
    """10 + 5 unbilled + 2: by volume the 10 become 12 (−50 + 60); the 5 stay at 0.00; 17 × 8.00 renew."""
    state = changed(started(VOLUME), ask(editor=15, mode=UNBILLED), "2026-04-16")
    quote = quoted(state, ask(editor=17, mode=PRORATED), "2026-04-16")

    assert amounts(quote) == ["0.00", "-50.00", "60.00"]
    assert [line.line.quantity for line in quote.lines] == [5, 10, 12]
    assert renewal_total(changed(state, ask(editor=17, mode=PRORATED), "2026-04-16")) == money("136.00")


def test_seats_of_a_free_period_count_where_a_quantity_is_priced_as_a_whole() -> None:
    """Up to 5 seats are free, 6 and more cost 10.00 each: 5 → 8 half way is 8 × 10.00 × 15/30 = 40.00."""
    free = seat_price("0", EDITOR, (5, "0", "0"), (None, "10.00", "0"), model=PricingModel.VOLUME)
    state = started(plan_price(free), editor=5)
    unbilled = changed(state, ask(editor=7, mode=UNBILLED), "2026-04-16")

    assert state.lines == ()
    assert amounts(quoted(state, ask(editor=8, mode=PRORATED), "2026-04-16")) == ["40.00"]
    assert amounts(quoted(unbilled, ask(editor=8, mode=PRORATED), "2026-04-16")) == ["0.00", "30.00"]


def test_unbilled_seats_are_the_first_to_go() -> None:
    """10 + 5 unbilled − 7 by volume: the five for 0.00, then 10 become 8, −50 + 40."""
    state = changed(started(VOLUME), ask(editor=15, mode=UNBILLED), "2026-04-16")
    quote = quoted(state, ask(editor=8, mode=PRORATED), "2026-04-16")

    assert amounts(quote) == ["0.00", "0.00", "-50.00", "40.00"]
    assert quote.due_now.total == money("-10.00")


def test_included_seats_cost_nothing() -> None:
    """3 → 5 with 5 included is an event and no line; 5 → 6 is one seat."""
    state = started(plan_price(seat_price(included=5)), editor=3)
    quote = quoted(state, ask(editor=5, mode=PRORATED), "2026-04-16")

    assert (amounts(quote), quote.posting.drafts) == ([], ())
    assert [event.net for event in quote.posting.events] == [2]
    assert amounts(quoted(state, ask(editor=6, mode=PRORATED), "2026-04-16")) == ["5.00"]
    assert amounts(quoted(started(state.price, editor=5), ask(editor=4), "2026-04-16")) == []


def test_seats_by_the_second() -> None:
    """On 16 April at 12:00 1,252,800 of 2,592,000 seconds are left: 5 × 10.00 × that = 24.1667 → 24.17."""
    state = started(plan_price(granularity=Granularity.SECOND))
    quote = quoted(state, ask(editor=15), "2026-04-16 12:00")

    assert amounts(quote) == ["24.17"]
    assert formulas(quote) == ["5 seats × 10.00 USD × 1252800/2592000 seconds"]


def test_a_change_in_a_short_first_period_is_a_share_of_a_full_one() -> None:
    """From 10 April to the anchor on 1 May; on the 16th 15 of 30 days are left, not 15 of 21: ± 25.00."""
    state = started(at="2026-04-10", anchor="2026-05-01")

    assert amounts(quoted(state, ask(editor="+5", mode=PRORATED), "2026-04-16")) == ["25.00"]
    assert amounts(quoted(state, ask(editor="-5", mode=PRORATED), "2026-04-16")) == ["-25.00"]


def test_a_change_on_the_last_day_is_one_day_of_thirty() -> None:
    """5 × 10.00 × 1/30 = 1.67, at the last second as at the first of the day."""
    for at in ("2026-04-30", "2026-04-30 23:59:59"):
        assert amounts(quoted(started(), ask(editor=15), at)) == ["1.67"]


def test_each_metric_follows_its_own_direction() -> None:
    """Editors +2 (10.00 × 2 / 2 = 10.00) and viewers −2 (4.00 × 2 / 2 = 4.00): charges first, one invoice."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=5)
    quote = quoted(state, ask(viewer="-2", editor="+2"), "2026-04-16")

    assert amounts(quote) == ["10.00", "-4.00"]
    assert [draft.kind for draft in quote.posting.drafts] == [DocumentKind.INVOICE]


def test_a_line_names_its_time_and_its_events() -> None:
    """A line for 5 seats from the 16th covers 16 April to 1 May and is caused by the event of its metric."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=5)
    posting = quoted(state, ask(editor="+5", viewer="+1"), "2026-04-16 09:00").posting
    line = posting.lines[0]

    assert line.period == Period(instant("2026-04-16"), instant("2026-05-01"), "UTC")
    assert line.unit_amount == Decimal("10.00")
    assert [event.metric for event in posting.events_of(line)] == [EDITOR]
    assert posting.events_of(state.lines[0].line) == ()


def test_every_allowed_way_is_quoted() -> None:
    """A plan that allows everything has six ways: five modes now, and one that waits."""
    ways = list(allowed_ways(started(), ask(editor=15), instant("2026-04-16")))

    assert [(way.mode, way.timing) for way in ways[:5]] == [
        (mode, ChangeTiming.NOW) for mode in ProrationMode
    ]
    assert ways[5].timing is ChangeTiming.AT_RENEWAL
    assert ways[5].posting.scheduled == (SeatsAtRenewal(EDITOR, 15),)
    assert all(isinstance(way, Quote) for way in ways)


def test_half_a_year_is_prorated_by_its_own_days() -> None:
    """1 January to 1 July 2026 has 181 days; on 1 April 91 are left: 10 × 60.00 × 91/181 = 301.66."""
    state = started(plan_price(seat_price("60.00"), interval=BillingInterval.HALF_YEAR), at="2026-01-01")

    assert formulas(quoted(state, ask(editor="+10"), "2026-04-01")) == ["10 seats × 60.00 USD × 91/181 days"]
    assert amounts(quoted(state, ask(editor="+10"), "2026-04-01")) == ["301.66"]
