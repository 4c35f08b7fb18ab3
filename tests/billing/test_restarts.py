"""What a restart does not take from the time before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import ChargingBasis, PlanPrice, PricingModel, ProrationMode
from app.billing.renewals import bring_up
from tests.billing.playing import amounts, changed, in_use, quoted
from tests.builders import EDITOR, ask, ids, instant, plan_price, seat_price, started


def by_use(plan: str, amount: str) -> PlanPrice:
    """Editors at a price for the time that they are in use, counted by the second; viewers at 5.00."""
    editors = replace(seat_price(amount), basis=ChargingBasis.PRORATED)
    return plan_price(editors, seat_price("5.00", "viewer"), plan=plan, granularity=Granularity.SECOND)


def test_a_restart_by_the_second_does_not_begin_before_the_price_of_that_day() -> None:
    """Ten in use at 10.00; from noon of 16 April at 20.00; a restart at six in the evening. Until noon is
    billed at 10.00: 10 × 10.00 × 1339200/2592000 = 51.67. The new period begins at noon and not at midnight,
    or its first half day would be billed at both: 10 × 20.00 × 2548800/2592000 = 196.67.
    """
    state = in_use(started(by_use("team", "10.00"), by_use("pro", "20.00"), editor=0, viewer=2), EDITOR, 10)
    state = changed(state, ask(plan="pro", mode=ProrationMode.PRORATED_IMMEDIATELY), "2026-04-16 12:00")
    first = [b.line for b in state.lines if b.line.kind.in_arrears]
    state = changed(state, ask(viewer="+1", mode=ProrationMode.FULL_IMMEDIATELY), "2026-04-16 18:00")

    *_, last = bring_up(state, instant("2026-05-16"), ids(state))
    used = [line for line in last.posting.lines if line.kind.in_arrears]

    assert state.subscription.period.start == instant("2026-04-16 12:00")
    assert [str(line.amount) for line in (*first, *used)] == ["51.67 USD", "196.67 USD"]


def test_a_restart_by_the_second_does_not_begin_before_the_quantity_of_that_day() -> None:
    """Six packs of five at 100.00 each; from noon of 16 April four; a restart at six in the evening, with
    what is left of the four credited for a year at 1,000.00 a pack. Six are paid until noon, so the year
    begins at noon: of 600.00 the credit was 6 × 100.00 × 1252800/2592000 = 290.00, and the year is 4 ×
    1,000.00.
    """
    by: dict[str, Any] = {"model": PricingModel.PACKAGE, "package_size": 5}
    month = plan_price(seat_price("0", EDITOR, (None, "0", "100.00"), **by), granularity=Granularity.SECOND)
    packs = seat_price("0", EDITOR, (None, "0", "1000.00"), **by)
    year = plan_price(packs, interval=BillingInterval.YEAR, granularity=Granularity.SECOND)
    state = started(month, year, editor=30)
    state = changed(state, ask(editor=20, mode=ProrationMode.PRORATED_IMMEDIATELY), "2026-04-16 12:00")

    restart = ask(interval=BillingInterval.YEAR, mode=ProrationMode.PRORATED_IMMEDIATELY)
    quote = quoted(state, restart, "2026-04-16 18:00")

    assert [str(b.line.amount) for b in state.lines] == ["600.00 USD", "-290.00 USD", "193.33 USD"]
    assert amounts(quote) == ["-193.33", "4000.00"]
    assert quote.posting.subscription.period.start == instant("2026-04-16 12:00")
    assert quote.posting.subscription.period.end == instant("2027-04-16")


def test_a_second_restart_of_the_first_day_gives_everything_back_by_the_second_too() -> None:
    """Six packs of five at 100.00 from midnight of 1 April, four from noon, and a restart in full at six in
    the evening of that day: the four are credited in full, and billed from noon on for 400.00.
    """
    by: dict[str, Any] = {"model": PricingModel.PACKAGE, "package_size": 5}
    month = plan_price(seat_price("0", EDITOR, (None, "0", "100.00"), **by), granularity=Granularity.SECOND)
    state = started(month, editor=30)
    state = changed(state, ask(editor=20, mode=ProrationMode.PRORATED_IMMEDIATELY), "2026-04-01 12:00")

    quote = quoted(state, ask(editor=16, mode=ProrationMode.FULL_IMMEDIATELY), "2026-04-01 18:00")

    assert [str(b.line.amount) for b in state.lines] == ["600.00 USD", "-590.00 USD", "393.33 USD"]
    assert amounts(quote) == ["-393.33", "400.00"]


def test_a_restart_by_the_second_does_not_begin_before_seats_were_given_back() -> None:
    """Ten at 10.00; four go at noon of 16 April, six are paid for a year from six in the evening on: the ten
    are paid until noon, so the year begins at noon. 4 and 6 × 10.00 × 1252800/2592000 = 19.33 and 29.00.
    """
    price = plan_price(granularity=Granularity.SECOND)
    year = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR, granularity=Granularity.SECOND)
    state = changed(started(price, year), ask(editor=6), "2026-04-16 12:00")

    quote = quoted(state, ask(interval=BillingInterval.YEAR), "2026-04-16 18:00")

    assert [str(b.line.amount) for b in state.lines] == ["100.00 USD", "-19.33 USD"]
    assert amounts(quote) == ["-29.00", "600.00"]
    assert quote.posting.subscription.period.start == instant("2026-04-16 12:00")
