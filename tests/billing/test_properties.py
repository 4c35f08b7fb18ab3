"""What holds for every price, currency and day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from app.billing.changes import Quote, decide
from app.billing.lines import Line
from app.billing.money import Currency, rounded
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import PlanPrice, ProrationMode
from app.billing.pricing import exact_amount
from app.billing.refusals import NothingToChange
from app.billing.requests import ChangeRequest
from app.billing.state import State
from app.billing.taxes import TaxRate, TaxRules
from tests.billing.playing import brought_up, changed, net, renewal_totals
from tests.billing.strategies import EXTENDING, ZONES, instants, modes, plan_prices
from tests.builders import ask, started

PRORATED, LATER = ProrationMode.PRORATED_IMMEDIATELY, ProrationMode.PRORATED_ON_NEXT_INVOICE
UNBILLED, FULL = ProrationMode.DO_NOT_BILL, ProrationMode.FULL_IMMEDIATELY
VAT = TaxRules("DE", (TaxRate("DE", "VAT", Decimal("8.1"), date(2020, 1, 1)),))
APRIL = instants(date(2026, 4, 1), 29)
ANY_LENGTH = tuple(BillingInterval)
seats = st.integers(3, 30)  # No price asks for more than 3.
some = st.integers(1, 12)
changing = st.sampled_from([mode for mode in ProrationMode if mode is not FULL])


def a_history(price: PlanPrice, committed: int, *, zone: str = "UTC") -> State:
    """A subscription since 1 April, billed with tax."""
    return started(price, editor=committed, taxes=VAT, zone=zone)


def recomputed(line: Line, currency: Currency) -> bool:
    """Whether a charge's amount is its parts × share, rounded once."""
    share = line.share.exact if line.share else Fraction(1)
    return line.amount == rounded(exact_amount(line.parts) * share, currency)


@given(plan_prices(), seats, APRIL, modes)
def test_a_change_to_what_is_has_no_lines(
    price: PlanPrice, committed: int, at: datetime, mode: ProrationMode
) -> None:
    """The same seats on the same plan at the same interval: nothing to change, in no mode."""
    state = a_history(price, committed)
    same = ask(plan=price.plan, interval=price.interval, editor=committed, mode=mode)

    assert decide(state, same, at) == NothingToChange()


@given(
    plan_prices(models=EXTENDING, intervals=ANY_LENGTH),
    seats,
    some,
    APRIL,
    changing,
    changing.filter(lambda mode: mode is not UNBILLED),
    st.sampled_from(ZONES),
)
def test_seats_added_and_removed_on_one_day_net_to_nothing(
    price: PlanPrice,
    committed: int,
    count: int,
    at: datetime,
    adding: ProrationMode,
    removing: ProrationMode,
    zone: str,
) -> None:
    """At any price that extends, in any currency, on any day, in any two modes, unbilled removals apart."""
    before = a_history(price, committed, zone=zone)
    added = changed(before, ask(editor=f"+{count}", mode=adding), at)
    removed = changed(added, ask(editor=f"-{count}", mode=removing), at)

    assert net(removed, since=before).minor == 0
    assert removed.committed() == before.committed()


@given(plan_prices(), seats, some, APRIL, st.sampled_from([PRORATED, LATER]))
def test_also_where_a_quantity_is_priced_as_a_whole(
    price: PlanPrice, committed: int, count: int, at: datetime, mode: ProrationMode
) -> None:
    """Volume, package and stairstep too: what a swap charges, the swap back takes off."""
    before = a_history(price, committed)
    added = changed(before, ask(editor=f"+{count}", mode=mode), at)

    assert net(changed(added, ask(editor=f"-{count}", mode=mode), at), since=before).minor == 0


@given(plan_prices(models=EXTENDING), seats, some, some, APRIL)
def test_two_small_additions_cost_what_one_large_one_does(
    price: PlanPrice, committed: int, first: int, second: int, at: datetime
) -> None:
    """On one day, up to the one rounding more: never more than one minor unit apart."""
    before = a_history(price, committed)
    steps = changed(before, ask(editor=f"+{first}", mode=PRORATED), at)
    steps = changed(steps, ask(editor=f"+{second}", mode=PRORATED), at)
    leap = changed(before, ask(editor=f"+{first + second}", mode=PRORATED), at)

    assert abs(net(steps, since=before).minor - net(leap, since=before).minor) <= 1


@given(plan_prices(intervals=ANY_LENGTH), seats, seats, APRIL, modes)
def test_every_charge_is_its_formula_and_every_total_its_lines(
    price: PlanPrice, committed: int, wanted: int, at: datetime, mode: ProrationMode
) -> None:
    """Amounts follow from parts and share; subtotal, tax and total from the lines that stand there."""
    assume(committed != wanted)
    quote = decide(a_history(price, committed), ask(editor=wanted, mode=mode), at)

    assert isinstance(quote, Quote)
    for line in quote.posting.lines:
        assert line.reverses or recomputed(line, price.currency)
    for draft in quote.posting.drafts:
        subtotal = sum(ref.line.amount.minor for ref in draft.lines)
        tax = rounded(Fraction(subtotal, price.currency.units) * Fraction("0.081"), price.currency)
        assert draft.totals.subtotal.minor == subtotal
        assert draft.totals.total == draft.totals.subtotal + tax


@given(plan_prices(intervals=ANY_LENGTH), seats, seats, APRIL, modes)
def test_a_preview_is_the_change(
    price: PlanPrice, committed: int, wanted: int, at: datetime, mode: ProrationMode
) -> None:
    """Deciding twice on the same state at the same instant gives the same quote, to the last line."""
    state, request = a_history(price, committed), ask(editor=wanted, mode=mode)

    assert decide(state, request, at) == decide(state, request, at)


@given(plan_prices(intervals=ANY_LENGTH), seats, seats, APRIL, st.none() | modes)
def test_the_forecast_is_what_the_renewal_costs(
    price: PlanPrice, committed: int, wanted: int, at: datetime, mode: ProrationMode | None
) -> None:
    """If nothing else happens, the renewal's documents total what the quote of the change foretold."""
    state, request = a_history(price, committed), ask(editor=wanted, mode=mode)
    quote = decide(state, request, at)
    assume(isinstance(quote, Quote))
    assert isinstance(quote, Quote)
    assert quote.renews_at is not None

    real = renewal_totals(changed(state, request, at), quote.renews_at)
    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.at_renewal.amount_due) == real


@given(plan_prices(intervals=ANY_LENGTH), seats, st.integers(0, 800), modes, APRIL, seats)
def test_bringing_up_twice_does_nothing_the_second_time(
    price: PlanPrice, committed: int, days: int, mode: ProrationMode, at: datetime, wanted: int
) -> None:
    """However much time passed: once everything due is done, nothing is due."""
    state = a_history(price, committed)
    request: ChangeRequest = ask(editor=wanted, mode=mode)
    if isinstance(decide(state, request, at), Quote):
        state = changed(state, request, at)
    later = at + timedelta(days=days)
    once = brought_up(state, later)

    assert brought_up(once, later) == once
    assert later in once.subscription.period


@given(plan_prices(), seats, st.integers(0, 12))
def test_a_short_first_period_never_costs_more_than_a_full_one(
    price: PlanPrice, committed: int, days: int
) -> None:
    """From any day before the anchor, each line is at most its full price, and is it on the anchor's day."""
    short = started(price, editor=committed, at=f"2026-04-{19 - days:02}", anchor="2026-04-19")
    full = started(price, editor=committed, at="2026-04-19")

    assert days or [b.line.amount for b in short.lines] == [b.line.amount for b in full.lines]
    assert sum(b.line.amount.minor for b in short.lines) <= sum(b.line.amount.minor for b in full.lines)


@given(plan_prices(models=EXTENDING, granularities=tuple(Granularity)), seats, some, APRIL, APRIL)
def test_an_earlier_addition_never_costs_less(
    price: PlanPrice, committed: int, count: int, one: datetime, two: datetime
) -> None:
    """The later in the period seats come, the less is left to pay for."""
    state = a_history(price, committed)
    more = ask(editor=f"+{count}", mode=PRORATED)
    costs = [net(changed(state, more, at), since=state) for at in sorted((one, two))]

    assert costs[0].minor >= costs[1].minor >= 0
