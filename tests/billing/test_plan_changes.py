"""What another plan, another interval or a new cycle costs.

Basic is 10.00 a seat, Pro 20.00 and 30.00 of base fee; both by the month and by the year (ten times as much).
"""

from datetime import timedelta

import pytest

from app.billing.changes import decide
from app.billing.documents import DocumentKind
from app.billing.lines import LineKind
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import ChangeTiming, PricingModel, ProrationMode
from app.billing.refusals import ProrationModeNotAllowed
from app.billing.subscriptions import PlanAtRenewal
from tests.billing.playing import (
    amounts,
    brought_up,
    changed,
    formulas,
    paid,
    quoted,
    renewal_total,
)
from tests.builders import (
    EDITOR,
    VIEWER,
    ask,
    direction,
    instant,
    money,
    plan_price,
    seat_price,
    started,
)

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR
PRORATED, DIFFERENCE = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.DIFFERENCE_IMMEDIATELY
FULL, LATER = ProrationMode.FULL_IMMEDIATELY, ProrationMode.PRORATED_ON_NEXT_INVOICE
UNBILLED = ProrationMode.DO_NOT_BILL
BASIC, PRO = plan_price(plan="basic"), plan_price(seat_price("20.00"), plan="pro", fee="30.00")
BASIC_YEAR = plan_price(seat_price("100.00"), plan="basic", interval=YEAR)
PRO_YEAR = plan_price(seat_price("200.00"), plan="pro", fee="300.00", interval=YEAR)
ALL = (BASIC, PRO, BASIC_YEAR, PRO_YEAR)


@pytest.mark.parametrize(
    ("mode", "lines", "due"),
    [
        (PRORATED, ["-50.00", "15.00", "120.00"], "85.00"),
        (DIFFERENCE, ["-100.00", "30.00", "240.00"], "170.00"),
        (FULL, ["30.00", "240.00"], "270.00"),
        (LATER, ["-50.00", "15.00", "120.00"], "0.00"),
        (UNBILLED, ["0.00", "0.00"], "0.00"),
    ],
)
def test_a_better_plan_with_more_seats(mode: ProrationMode, lines: list[str], due: str) -> None:
    """10 seats of Basic (100.00) → 12 of Pro (30.00 + 240.00) half way: the old back, the new charged."""
    quote = quoted(started(*ALL), ask(plan="pro", editor=12, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("355.00" if mode is LATER else "270.00")
    assert quote.posting.price == PRO


@pytest.mark.parametrize(
    ("mode", "lines", "due"),
    [
        (PRORATED, ["-15.00", "-100.00", "50.00"], "-65.00"),
        (DIFFERENCE, ["-30.00", "-200.00", "100.00"], "-130.00"),
        (FULL, ["100.00"], "100.00"),
        (LATER, ["-15.00", "-100.00", "50.00"], "0.00"),
        (UNBILLED, [], "0.00"),
    ],
)
def test_a_smaller_plan(mode: ProrationMode, lines: list[str], due: str) -> None:
    """10 seats of Pro (30.00 + 200.00) → Basic (100.00) half way; unbilled, nothing is given back."""
    state = started(PRO, BASIC)
    quote = quoted(state, ask(plan="basic", mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("35.00" if mode is LATER else "100.00")


def test_the_lines_of_a_swap_say_what_they_are() -> None:
    """The unused time of the old price, then the base fee and the seats of the new one."""
    quote = quoted(started(*ALL), ask(plan="pro", mode=PRORATED), "2026-04-16")

    assert [line.line.kind for line in quote.lines] == [LineKind.UNUSED, LineKind.CHANGED, LineKind.CHANGED]
    assert formulas(quote) == [
        "−10 seats × 10.00 USD × 15/30 days",
        "30.00 USD × 15/30 days",
        "10 seats × 20.00 USD × 15/30 days",
    ]
    unbilled = quoted(started(*ALL), ask(plan="pro", mode=UNBILLED), "2026-04-16")
    assert formulas(unbilled) == ["0.00 USD × 15/30 days", "10 seats × 0.00 USD × 15/30 days"]


def test_a_second_swap_takes_back_only_what_is_still_open() -> None:
    """Basic → Pro on the 16th → Basic on the 21st: Pro's lines are credited, Basic's first one is done."""
    state = changed(started(*ALL), ask(plan="pro", mode=PRORATED), "2026-04-16")
    quote = quoted(state, ask(plan="basic", mode=PRORATED), "2026-04-21")

    assert amounts(quote) == ["-66.67", "-10.00", "33.33"]


def test_swapping_there_and_back_on_one_day_nets_to_nothing() -> None:
    """−50 + 15 + 100 for Pro, then −15 − 100 + 50 for Basic again: 0.00 in all."""
    state = changed(started(*ALL), ask(plan="pro", mode=PRORATED), "2026-04-16")
    state = changed(state, ask(plan="basic", mode=PRORATED), "2026-04-16 18:00")

    assert sum(billed.line.amount.minor for billed in state.lines[1:]) == 0


def test_a_restart_has_a_new_anchor_and_full_price() -> None:
    """In full on 16 April at 14:30: a month from the 16th; what was paid until May is not given back."""
    state = changed(started(*ALL), ask(editor=12, mode=FULL), "2026-04-16 14:30")

    assert state.subscription.period.start == instant("2026-04-16")
    assert state.subscription.period.end == instant("2026-05-16")
    assert [str(b.line.amount.amount) for b in state.lines] == ["120.00"]
    assert renewal_total(state) == money("120.00")


def test_a_restart_on_the_first_day_gives_back_all_that_was_billed() -> None:
    """10 seats of 1 April and 2 more at noon are 120.00; a restart in the evening: −20 − 100 + 130."""
    state = changed(started(), ask(editor="+2", mode=PRORATED), "2026-04-01 12:00")
    quote = quoted(state, ask(editor="+1", mode=FULL), "2026-04-01 20:00")

    assert amounts(quote) == ["-20.00", "-100.00", "130.00"]
    assert quote.due_now.total == money("10.00")


def test_a_restart_by_the_second_gives_back_all_of_the_first_day_too() -> None:
    """The new period starts at midnight, so the hours until the restart are not paid twice."""
    state = started(plan_price(granularity=Granularity.SECOND))
    state = changed(state, ask(editor="+2", mode=PRORATED), "2026-04-01 12:00")
    quote = quoted(state, ask(editor="+1", mode=FULL), "2026-04-01 20:00")

    assert amounts(quote) == ["-19.67", "-100.00", "130.00"]


def test_two_restarts_on_one_day_charge_once() -> None:
    """The second restart of a day takes back the first one's whole price."""
    state = changed(started(), ask(editor=12, mode=FULL), "2026-04-16")
    quote = quoted(state, ask(editor=13, mode=FULL), "2026-04-16 12:00")

    assert amounts(quote) == ["-120.00", "130.00"]


def test_a_restart_collects_what_waits() -> None:
    """5 seats that wait with 25.00 stand on the invoice of the new period: 25 + 160 = 185."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    quote = quoted(state, ask(editor=16, mode=FULL), "2026-04-21")

    assert amounts(quote) == ["25.00", "160.00"]
    assert quote.due_now.total == money("185.00")


@pytest.mark.parametrize(
    ("mode", "lines", "due"),
    [
        (PRORATED, ["-50.00", "1000.00"], "950.00"),
        (DIFFERENCE, ["-100.00", "1000.00"], "900.00"),
        (FULL, ["1000.00"], "1000.00"),
        (LATER, ["-50.00", "1000.00"], "950.00"),
    ],
)
def test_from_month_to_year(mode: ProrationMode, lines: list[str], due: str) -> None:
    """10 seats at 10.00 a month → 100.00 a year on 16 April: a year from the 16th, less the rest of April."""
    quote = quoted(started(*ALL), ask(interval=YEAR, mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(due)
    assert quote.posting.subscription.period.start == instant("2026-04-16")
    assert quote.renews_at == instant("2027-04-16")


def test_a_year_is_billed_when_it_starts() -> None:
    """A longer interval cannot be unbilled; the refusal lists the four other modes."""
    hasty = ask(interval=YEAR, mode=UNBILLED, timing=ChangeTiming.NOW)
    refusal = decide(started(*ALL), hasty, instant("2026-04-16"))

    assert isinstance(refusal, ProrationModeNotAllowed)
    assert (refusal.requested_mode, refusal.requested_timing) == (UNBILLED, ChangeTiming.NOW)
    assert refusal.allowed_modes == (PRORATED, DIFFERENCE, FULL, LATER)
    assert refusal.allowed_timings == (ChangeTiming.NOW, ChangeTiming.AT_RENEWAL)
    assert refusal.message == (
        "A longer billing interval is billed when it starts. Choose another mode, or AT_RENEWAL."
    )


@pytest.mark.parametrize("timing", [None, ChangeTiming.AT_RENEWAL])
def test_from_year_to_month_waits_for_the_renewal(timing: ChangeTiming | None) -> None:
    """A shorter interval is scheduled: nothing today, 100.00 for a month from April 2027."""
    state = started(BASIC_YEAR, *ALL)
    quote = quoted(state, ask(interval=MONTH, timing=timing), "2026-04-16")
    renewed = brought_up(changed(state, ask(interval=MONTH, timing=timing), "2026-04-16"), "2027-04-01")

    assert (amounts(quote), quote.timing) == ([], ChangeTiming.AT_RENEWAL)
    assert quote.posting.scheduled == (PlanAtRenewal("basic", MONTH),)
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("100.00")
    assert renewed.price == BASIC
    assert renewed.subscription.period.end == instant("2027-05-01")


@pytest.mark.parametrize(("mode", "shown"), [(None, LATER), (DIFFERENCE, DIFFERENCE), (FULL, LATER)])
def test_from_year_to_month_shows_a_mode_that_the_plan_knows(
    mode: ProrationMode | None, shown: ProrationMode
) -> None:
    """Nothing is billed, so any mode may be named; the quote shows one that the plan knows."""
    year = plan_price(
        seat_price("100.00"), plan="basic", interval=YEAR, decrease=direction(LATER, DIFFERENCE)
    )

    assert quoted(started(year, *ALL), ask(interval=MONTH, mode=mode), "2026-04-16").mode is shown


def test_from_year_to_month_cannot_be_hastened() -> None:
    """Asked for now, the refusal says when it can start."""
    hasty = ask(interval=MONTH, mode=FULL, timing=ChangeTiming.NOW)
    refusal = decide(started(BASIC_YEAR, *ALL), hasty, instant("2026-04-16"))

    assert isinstance(refusal, ProrationModeNotAllowed)
    assert (refusal.requested_mode, refusal.requested_timing) == (FULL, ChangeTiming.NOW)
    assert refusal.allowed_modes == BASIC_YEAR.policy.decrease.modes
    assert refusal.allowed_timings == (ChangeTiming.AT_RENEWAL,)
    assert refusal.message == "A shorter billing interval starts at the renewal. Ask for AT_RENEWAL."


def test_a_longer_interval_is_an_increase_also_on_a_smaller_plan() -> None:
    """Pro by the month (230.00) → Basic by the year (1,000.00) follows the policy for increases."""
    only_full = plan_price(
        seat_price("20.00"), plan="pro", fee="30.00", increase=direction(FULL), decrease=direction(PRORATED)
    )
    quote = quoted(started(only_full, *ALL), ask(plan="basic", interval=YEAR), "2026-04-16")

    assert (quote.mode, amounts(quote)) == (FULL, ["1000.00"])


@pytest.mark.parametrize(("other", "mode"), [("12.00", FULL), ("10.00", FULL), ("9.99", PRORATED)])
def test_a_plan_change_is_an_increase_if_it_is_not_lower(other: str, mode: ProrationMode) -> None:
    """10 seats at 10.00 are 1,200.00 a year; 1,440.00 and 1,200.00 are increases, 1,198.80 a decrease."""
    here = plan_price(increase=direction(FULL), decrease=direction(PRORATED))
    there = plan_price(seat_price(other), plan="other")

    assert quoted(started(here, there), ask(plan="other"), "2026-04-16").mode is mode


def test_the_direction_of_a_plan_change_counts_the_seats_asked_for() -> None:
    """Pro with 3 seats (30.00 + 60.00) is less than Basic with 10 (100.00): a decrease, with its policy."""
    here = plan_price(plan="basic", increase=direction(FULL), decrease=direction(PRORATED))
    state = started(here, PRO)

    assert quoted(state, ask(plan="pro", editor=3), "2026-04-16").mode is PRORATED
    assert quoted(state, ask(plan="pro", editor=4), "2026-04-16").mode is FULL


@pytest.mark.parametrize(("mode", "viewers"), [(FULL, "12.00"), (PRORATED, "6.00")])
def test_a_plan_brings_a_metric_of_its_own(mode: ProrationMode, viewers: str) -> None:
    """3 viewers at 4.00 on a plan that has them, asked for together with it: 12.00, or half of it."""
    both = plan_price(seat_price(), seat_price("4.00", VIEWER), plan="both")
    quote = quoted(started(BASIC, both), ask(plan="both", viewer=3, mode=mode), "2026-04-16")

    assert amounts(quote)[-1] == viewers
    assert renewal_total(changed(started(BASIC, both), ask(plan="both", viewer=3), "2026-04-16")) == money(
        "112.00"
    )


def test_a_plan_without_a_metric_leaves_its_seats_unbilled() -> None:
    """Viewers cost 4.00 on one plan and do not exist on the other: they are credited, and stay committed."""
    both = plan_price(seat_price(), seat_price("4.00", VIEWER))
    state = changed(started(both, PRO, viewer=5), ask(plan="pro", mode=PRORATED), "2026-04-16")

    assert [str(b.line.amount.amount) for b in state.lines[2:]] == ["-50.00", "-10.00", "15.00", "100.00"]
    assert state.committed() == {EDITOR: 10, VIEWER: 5}
    assert renewal_total(state) == money("230.00")


def test_seats_of_an_old_price_are_credited_at_that_price() -> None:
    """Pro → Basic unbilled keeps Pro's 10 paid seats: 4 given back are worth 4 × 20.00 × 15/30 = 40.00."""
    state = changed(started(PRO, BASIC), ask(plan="basic", mode=UNBILLED), "2026-04-11")

    assert amounts(quoted(state, ask(editor=6, mode=PRORATED), "2026-04-16")) == ["-40.00"]
    assert amounts(quoted(state, ask(editor=12, mode=PRORATED), "2026-04-16")) == ["10.00"]


def test_packs_of_an_old_price_are_credited_when_they_are_empty() -> None:
    """3 packs of 4 at 50.00 hold 10 seats; after an unbilled downgrade 1 seat empties none, 3 empty one."""
    packed = seat_price("0", EDITOR, (None, "0", "50.00"), model=PricingModel.PACKAGE, package_size=4)
    state = started(plan_price(packed, plan="packs"), BASIC)
    state = changed(state, ask(plan="basic", mode=UNBILLED), "2026-04-16")
    one = changed(state, ask(editor=9, mode=PRORATED), "2026-04-16")

    assert amounts(quoted(state, ask(editor=9, mode=PRORATED), "2026-04-16")) == ["0.00"]
    assert amounts(quoted(state, ask(editor=7, mode=PRORATED), "2026-04-16")) == ["-25.00"]
    assert amounts(quoted(one, ask(editor=8, mode=PRORATED), "2026-04-16")) == ["0.00", "-25.00"]
    assert formulas(quoted(state, ask(editor=7, mode=PRORATED), "2026-04-16")) == [
        "−1 pack of 4 seats × 50.00 USD × 15/30 days"
    ]


def test_a_metric_that_restarts_while_another_shrinks() -> None:
    """Editors +2 in full restart the cycle, viewers −2 go back prorated: 2 × 4.00 × 15/30 = 4.00."""
    price = plan_price(
        seat_price(), seat_price("4.00", VIEWER), increase=direction(FULL), decrease=direction(PRORATED)
    )
    quote = quoted(started(price, viewer=5), ask(editor="+2", viewer="-2"), "2026-04-16")

    assert amounts(quote) == ["-4.00", "120.00", "12.00"]
    assert quote.due_now.total == money("128.00")


def test_a_metric_that_grows_while_another_restarts() -> None:
    """Viewers −2 in full restart the cycle; editors +2, prorated, are in the new period's price."""
    price = plan_price(
        seat_price(), seat_price("4.00", VIEWER), increase=direction(PRORATED), decrease=direction(FULL)
    )
    quote = quoted(started(price, viewer=5), ask(editor="+2", viewer="-2"), "2026-04-16")

    assert amounts(quote) == ["120.00", "12.00"]


def test_a_plan_change_that_names_the_seats_as_they_are_moves_none() -> None:
    """Pro with the 10 editors of today: the lines of a swap, and no event."""
    quote = quoted(started(*ALL), ask(plan="pro", editor=10, mode=PRORATED), "2026-04-16")

    assert quote.posting.events == ()
    assert amounts(quote) == ["-50.00", "15.00", "100.00"]


def test_a_whole_price_that_shrinks_while_another_metric_restarts() -> None:
    """Viewers in packs of 2 for 8.00, 5 → 3: three packs back, two kept until May, two for the new month."""
    packs = seat_price("0", VIEWER, (None, "0", "8.00"), model=PricingModel.PACKAGE, package_size=2)
    price = plan_price(seat_price(), packs, increase=direction(FULL), decrease=direction(PRORATED))
    quote = quoted(started(price, viewer=5), ask(editor="+2", viewer="-2"), "2026-04-16")

    assert amounts(quote) == ["-12.00", "8.00", "120.00", "16.00"]


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_a_restart_late_in_a_month_keeps_its_day(day: int) -> None:
    """A restart on 31 January renews on 28 February and on 31 March; the day of the anchor is kept."""
    state = changed(started(at="2026-01-01"), ask(editor=11, mode=FULL), f"2026-01-{day}")
    first = state.subscription.period
    second = brought_up(state, first.end).subscription.period

    assert first.end == instant("2026-02-28")
    assert second.end == instant(f"2026-03-{day}")
    assert second.end - second.start == timedelta(days=day)


def test_a_plan_change_on_a_paid_month_is_one_document() -> None:
    """Pro → Basic half way with everything paid: one credit note of 65.00, all of it to the balance."""
    quote = quoted(paid(started(PRO, BASIC)), ask(plan="basic", mode=PRORATED), "2026-04-16")
    (note,) = quote.posting.drafts

    assert (note.kind, note.reduces) == (DocumentKind.CREDIT_NOTE, ())
    assert quote.credit_added == money("65.00")
