"""What was agreed with one customer: it moves exactly the money that it is about, from its instant until its
end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.billing.changes import Quote
from app.billing.ledger import SeatLevels, balance_of
from app.billing.overrides import Aspect, OwnPrice, granted, own, own_plans, without_room
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, PlanPrice, PricingModel, SeatPrice
from app.billing.refusals import AboveMaximum, BelowMinimum
from app.billing.requests import ChangeRequest, guard, resolve
from app.billing.state import State, after
from app.billing.turns import Turn, TurnKind, decide_turn
from tests.billing.agreements import agreed, price_of, some_overrides, unit, with_overrides
from tests.billing.history import Books, History
from tests.billing.playing import amounts, brought_up, changed, formulas, in_use, paid, quoted, renewal_totals
from tests.billing.test_histories import TAXES, a_catalog, a_request, a_seat_price, step
from tests.builders import (
    EDITOR,
    VIEWER,
    ask,
    direction,
    ids,
    instant,
    offered,
    plan_price,
    seat_price,
    started,
    unstarted,
)

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR
SECOND = timedelta(seconds=1)
AT = instant("2026-04-16")
seeds = st.integers(0, 2**64)


def entries(books: Books) -> list[tuple[Any, ...]]:
    """Every line that was written, but for the price version that it names and whether that was agreed."""
    return [
        (line.item, line.kind, line.quantity, line.amount, line.formula, line.period, line.tax)
        for line in books.lines.values()
    ]


def a_life(random: Random, state: State, *, people: bool = True, plans: bool = True) -> History:
    """A life of a dozen steps; without `people` nobody takes a seat, without `plans` only seats change."""
    history = History(state, state.subscription.period.start)
    history.begin({EDITOR: 12, VIEWER: 2})
    for _ in range(12):
        if people and plans:
            step(random, history)
            continue
        request = a_request(random)
        history.ask(request if plans else replace(request, plan=None, interval=None))
        history.go_to(history.at + timedelta(days=random.randrange(15), hours=random.randrange(24)))
    history.go_to(history.at + timedelta(days=70))
    return history


@given(seeds)
def test_every_life_with_overrides_keeps_its_books(seed: int) -> None:
    """Overrides of every kind start and end in a life with changes of every kind: after each posting all is
    as the books have it, and each renewal costs what was foretold.
    """
    random = Random(seed)
    prices = a_catalog(random)
    state = unstarted(*prices, at="2026-01-14 15:30", taxes=TAXES)
    a_life(random, with_overrides(state, *some_overrides(random, prices)))


@given(seeds)
def test_granted_seats_never_move_money(seed: int) -> None:
    """The same requests on the same days, with seats granted in between and without: the same lines, the same
    money due and in hand.
    """
    random = Random(seed)
    state = unstarted(*a_catalog(random), at="2026-01-14 15:30", taxes=TAXES)
    grants = (
        agreed(1, granted=random.randrange(50), since="2026-01-20"),
        agreed(2, VIEWER, granted=random.randrange(50), since="2026-02-03", until="2026-02-20"),
        agreed(3, granted=random.randrange(50), since="2026-02-10"),
    )
    plain, given_more = (
        a_life(Random(seed), each, people=False) for each in (state, with_overrides(state, *grants))
    )

    assert given_more.books == plain.books


@given(seeds)
def test_an_own_price_is_billed_as_if_the_plan_had_it(seed: int) -> None:
    """A customer with an own price, minimum and maximum of each metric pays line by line what one pays whose
    plan lists the same.
    """
    random = Random(seed)
    price, *_ = a_catalog(random)
    mine = [a_seat_price(random, price.currency, seat.metric.code) for seat in price.seats]
    seats = [
        replace(a, included=b.included, maximum=a.maximum or 30)
        for a, b in zip(mine, price.seats, strict=True)
    ]
    overrides = [
        agreed(n, s.metric.code, price=price_of(s), minimum=s.minimum, maximum=s.maximum, plan=price.plan)
        for n, s in enumerate(seats)
    ]
    by_list = unstarted(replace(price, seats=tuple(seats)), at="2026-01-14", taxes=TAXES)
    agreeing = with_overrides(unstarted(price, at="2026-01-14", taxes=TAXES), *overrides)
    one, other = (a_life(Random(seed), state, plans=False) for state in (by_list, agreeing))

    assert entries(other.books) == entries(one.books)
    assert (list(other.books.due.values()), other.books.credit) == (
        list(one.books.due.values()),
        one.books.credit,
    )


@given(seeds)
def test_the_override_recorded_last_decides_each_aspect(seed: int) -> None:
    """Read off the rows one by one: of those that are in force and speak of an aspect the last counts, also
    when it says that the plan's own holds again; a row that was not known yet says nothing.
    """
    random = Random(seed)
    prices = a_catalog(random)
    overrides = some_overrides(random, prices)
    at = instant("2026-01-01") + timedelta(hours=random.randrange(24 * 150))
    known = overrides[: random.randrange(len(overrides) + 1)]

    for price in prices:
        for seat in own(price, known, at).seats:
            expected = {"granted": 0, "minimum": price_seat(price, seat).minimum}
            expected["maximum"] = price_seat(price, seat).maximum or 0
            tiers = price_seat(price, seat).tiers
            for o in known:
                ended = o.ends_at is not None and o.ends_at <= at
                if o.metric != seat.metric.code or o.starts_at > at or ended:
                    continue
                if Aspect.GRANTED in o.withdrawn or o.granted is not None:
                    expected["granted"] = o.granted or 0
                if o.plan not in {None, price.plan} or o.interval not in {None, price.interval}:
                    continue
                if o.withdrawn:
                    listed = price_seat(price, seat)
                    expected |= {"minimum": listed.minimum, "maximum": listed.maximum or 0}
                    tiers = listed.tiers
                expected |= {k: v for k in ("minimum", "maximum") if (v := getattr(o, k)) is not None}
                tiers = o.price.tiers if o.price else tiers
            assert (seat.minimum, seat.maximum or 0, seat.tiers) == (
                expected["minimum"],
                expected["maximum"],
                tiers,
            )
            assert granted(known, at).get(seat.metric.code, 0) == expected["granted"]


def price_seat(price: PlanPrice, seat: SeatPrice) -> SeatPrice:
    """What the plan itself has for the metric of a seat price."""
    found = price.seat(seat.metric.code)
    assert found
    return found


def test_an_override_ends_exactly_at_its_instant() -> None:
    """4.00 until noon of 16 April: a second before noon 5 seats cost 5 × 4.00 × 15/30 = 10.00, at noon by the
    list 25.00. A renewal at the instant at which an own price ends goes by the list, too.
    """
    noon = instant("2026-04-16 12:00")
    state = with_overrides(started(), agreed(price=unit("4.00"), until=noon))

    assert amounts(quoted(state, ask(editor="+5"), noon - SECOND)) == ["10.00"]
    assert amounts(quoted(state, ask(editor="+5"), noon)) == ["25.00"]

    ends, goes_on = (
        with_overrides(started(), agreed(price=unit("4.00"), until=until))
        for until in (instant("2026-05-01"), instant("2026-05-01") + SECOND)
    )
    first = instant("2026-05-01")
    assert [str(renewal_totals(state, first)[0]) for state in (ends, goes_on)] == ["100.00 USD", "40.00 USD"]


def test_a_new_price_in_mid_period_changes_nothing_that_was_billed() -> None:
    """10 seats at 10.00 are billed, then 8.00 are agreed from the 16th on: five more cost 8.00 each. Seven go
    again on the 21st: five come back at 8.00, two of the first ten at the 10.00 that they cost. From May on
    all eight are 8.00.
    """
    state = with_overrides(started(), agreed(price=unit("8.00"), since="2026-04-16"))

    more = quoted(state, ask(editor="+5"), "2026-04-16")
    assert formulas(more) == ["5 seats × 8.00 USD × 15/30 days"]
    assert [line.line.own_price for line in more.lines] == [True]
    state = changed(state, ask(editor="+5"), "2026-04-16")
    less = quoted(state, ask(editor="-7"), "2026-04-21")
    assert formulas(less) == [
        "\u22125 seats × 8.00 USD × 10/30 days",
        "\u22122 seats × 10.00 USD × 10/30 days",
    ]
    assert [line.line.own_price for line in less.lines] == [True, False]
    assert less.at_renewal
    assert str(less.at_renewal.total) == "64.00 USD"


def test_seats_priced_as_a_whole_stay_so_until_the_renewal() -> None:
    """10 seats by volume at 10.00, then 6.00 agreed: five more are priced by themselves at 6.00, and the ten
    that were billed stay as they are; from May on all 15 are 6.00.
    """
    listed = seat_price("0", EDITOR, (None, "10.00", "0"), model=PricingModel.VOLUME)
    mine = OwnPrice(PricingModel.VOLUME, seat_price("0", EDITOR, (None, "6.00", "0")).tiers)
    state = with_overrides(started(plan_price(listed)), agreed(price=mine, since="2026-04-16"))

    more = quoted(state, ask(editor="+5"), "2026-04-16")

    assert formulas(more) == ["5 seats × 6.00 USD × 15/30 days"]
    assert more.at_renewal
    assert str(more.at_renewal.total) == "90.00 USD"


def test_an_own_price_is_for_one_plan_and_interval() -> None:
    """4.00 a month on Team says nothing of Team by the year, nor of Pro."""
    team, yearly = plan_price(seat_price("10.00")), plan_price(seat_price("100.00"), interval=YEAR)
    pro = plan_price(seat_price("20.00"), plan="pro")
    state = with_overrides(
        started(team, yearly, pro), agreed(price=unit("4.00"), plan="team", interval=MONTH)
    ).in_force(instant("2026-04-16"))

    offered = {(p.plan, p.interval): p.seats[0].tiers[0].unit_amount for o in state.plans for p in o.prices}

    assert {key: str(amount) for key, amount in offered.items()} == {
        ("team", MONTH): "4.00",
        ("team", YEAR): "100.00",
        ("pro", MONTH): "20.00",
    }


def test_a_change_of_plan_goes_up_or_down_by_the_list() -> None:
    """Pro lists 20.00, Team 10.00. A customer who pays 30.00 on Team by agreement still moves up to Pro, so
    it happens at once and not at the renewal, and gives back what was billed: 10 × 30.00 × 15/30 = 150.00.
    """
    team = plan_price(decrease=direction(timing=ChangeTiming.AT_RENEWAL))
    pro = plan_price(seat_price("20.00"), plan="pro")
    agreement = agreed(price=unit("30.00"), plan="team")
    state = brought_up(with_overrides(started(team, pro, at="2026-03-01"), agreement), "2026-04-01")

    quote = quoted(state, ask(plan="pro"), "2026-04-16")

    assert formulas(quote) == [
        "\u221210 seats × 30.00 USD × 15/30 days",
        "10 seats × 20.00 USD × 15/30 days",
    ]
    assert [line.line.own_price for line in quote.lines] == [True, False]


def test_a_pause_ends_at_the_price_that_is_in_force_then() -> None:
    """Paused on the 11th, 4.00 agreed from the 16th on, resumed on the 20th: a new period of 10 × 4.00,
    and the same in May.
    """
    state = with_overrides(paid(started()), agreed(price=unit("4.00"), since="2026-04-16"))

    def turned(state: State, kind: TurnKind, day: str) -> State:
        quote = decide_turn(state, Turn(kind), instant(day))
        assert isinstance(quote, Quote), quote
        return after(state, quote.posting, ids(state))

    resumed = turned(turned(state, TurnKind.PAUSE, "2026-04-11"), TurnKind.RESUME, "2026-04-20")

    assert resumed.lines[-1].line.formula == "10 seats × 4.00 USD"
    assert str(renewal_totals(resumed, instant("2026-05-20"))[0]) == "40.00 USD"


def test_own_bounds_take_the_place_of_the_plans() -> None:
    """At least 5 and at most 20 by the plan; 2 and 30 by agreement: what the plan refuses is possible, and
    what is beyond the agreement is not.
    """
    state = started(plan_price(seat_price(minimum=5, maximum=20)))
    mine = with_overrides(state, agreed(minimum=2, maximum=30)).in_force(instant("2026-04-16"))

    def refused(state: State, request: ChangeRequest) -> object:
        wanted = resolve(state, request)
        return guard(state, wanted)  # type: ignore[arg-type]

    assert isinstance(refused(state, ask(editor=3)), BelowMinimum)
    assert isinstance(refused(state, ask(editor=25)), AboveMaximum)
    assert refused(mine, ask(editor=3)) is None
    assert refused(mine, ask(editor=25)) is None
    assert isinstance(refused(mine, ask(editor=1)), BelowMinimum)
    assert isinstance(refused(mine, ask(editor=31)), AboveMaximum)


def test_an_own_minimum_is_billed_from_the_renewal_on() -> None:
    """10 committed; at least 14 from the 16th on: nothing is billed then, an 11th seat is among the 14, and
    from May on 14 cost 140.00.
    """
    state = with_overrides(started(), agreed(minimum=14, since="2026-04-16"))

    quote = quoted(state, ask(editor="+4"), "2026-04-16")

    assert amounts(quote) == []
    assert quote.at_renewal
    assert str(quote.at_renewal.total) == "140.00 USD"


def test_people_above_the_limit_stay_where_they_are() -> None:
    """12 people on 10 seats and 2 granted ones; the grant is withdrawn: overage is 2, nobody has to go for
    another seat to be bought, and seats cannot be given back.
    """
    state = in_use(started(), EDITOR, 12)
    state = with_overrides(
        state, agreed(granted=2), agreed(2, withdrawn=frozenset({Aspect.GRANTED}), since="2026-04-10")
    )

    before, now = (state.in_force(instant(day)).level(EDITOR) for day in ("2026-04-09", "2026-04-10"))

    assert (before, now) == (SeatLevels(10, 12, 2), SeatLevels(10, 12, 0))
    assert [balance_of(EDITOR, level, seat_price()).overage for level in (before, now)] == [0, 2]
    assert amounts(quoted(state, ask(editor="+1"), "2026-04-16")) == ["5.00"]


def test_a_maximum_below_the_minimum_is_found_whenever_it_would_come() -> None:
    """At least 8 were agreed for May. At most 6 are impossible for as long as that holds, and possible when
    they end before, or begin after it.
    """
    price = plan_price(seat_price(included=3))
    known = [agreed(1, minimum=8, since="2026-05-01", until="2026-06-01")]

    def clash(**what: Any) -> datetime | None:
        found = without_room([price], EDITOR, known, agreed(2, **what))
        return found[2] if found else None

    assert clash(maximum=6, since="2026-04-01") == instant("2026-05-01")
    assert clash(maximum=6, since="2026-05-20") == instant("2026-05-20")
    assert clash(maximum=6, since="2026-04-01", until="2026-05-01") is None
    assert clash(maximum=6, since="2026-06-01") is None
    assert clash(maximum=2, since="2026-06-01") == instant("2026-06-01")  # 3 are included.
    assert clash(maximum=8, since="2026-04-01") is None  # Exactly 8 are possible.


def test_plans_of_a_customer_without_agreements_are_the_list() -> None:
    """Nothing was agreed, so nothing is looked at."""
    plans = offered(plan_price())

    assert own_plans(plans, plan_price().currency, (), instant("2026-04-16")) is plans


def test_an_agreement_is_in_the_currency_of_the_customer() -> None:
    """6.00 were agreed with a customer in dollars: the same plan in euros is as listed."""
    dollars, euros = plan_price(), plan_price(currency="EUR")
    (plan,) = own_plans(offered(dollars, euros), dollars.currency, (agreed(price=unit("6.00")),), AT)

    assert [price.seats[0].own for price in plan.prices] == [True, False]
    assert plan.prices[1] == euros


def test_an_own_price_replaces_all_that_makes_a_price() -> None:
    """Packs of 4 instead of single seats: the model, its tiers and the size of a pack."""
    packs = seat_price("0", EDITOR, (None, "0", "30.00"), model=PricingModel.PACKAGE, package_size=4)
    (seat,) = own(plan_price(), (agreed(price=price_of(packs)),), AT).seats

    assert (seat.model, seat.tiers, seat.package_size) == (PricingModel.PACKAGE, packs.tiers, 4)
    assert seat.listed == seat_price()


def test_what_the_list_says_anyway_is_no_own_price() -> None:
    """The list's 10.00 were agreed: the price is the plan's."""
    assert own(plan_price(), (agreed(price=unit("10.00")),), AT) == plan_price()
