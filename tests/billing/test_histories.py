"""Random lives of subscriptions: trials, changes of every kind, restarts, renewals, pauses, ends and second
thoughts, payments, people who come and go.

Every posting is checked against books that are kept apart (see `history`). A life is drawn from one seed, so
that sensible changes are as frequent as strange ones; a seed that fails can be played again by itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing.money import Currency
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import (
    ChangePolicy,
    ChangeTiming,
    DirectionPolicy,
    Item,
    PlanPrice,
    PricingModel,
    ProrationMode,
    SeatPrice,
)
from app.billing.requests import ChangeRequest
from app.billing.subscriptions import Subscription
from app.billing.taxes import TaxRate, TaxRules
from app.billing.turns import Turn, TurnKind
from tests.billing.history import History
from tests.billing.strategies import SOME_CURRENCIES, ZONES, lives
from tests.builders import EDITOR, VIEWER, ask, instant, plan_price, seat_price, unstarted

STEPS = 12
MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR
NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
TAXES = TaxRules(
    "DE",
    (
        TaxRate("DE", "VAT", Decimal(19), date(2020, 1, 1), date(2026, 2, 10)),
        TaxRate("DE", "VAT", Decimal("16.5"), date(2026, 2, 10)),
    ),
)


def an_amount(random: Random, currency: Currency, most: int) -> str:
    """Up to two digits more than the currency has."""
    digits = currency.digits + random.choice((0, 0, 2))
    return f"{random.randrange(most * 10**digits)}e-{digits}"


def a_seat_price(random: Random, currency: Currency, metric: Item) -> SeatPrice:
    bounds: list[int | None] = [*sorted(random.sample(range(1, 25), random.randrange(3)))]
    flats = ("0", "0", an_amount(random, currency, 50))
    steps = [(bound, an_amount(random, currency, 30), random.choice(flats)) for bound in (*bounds, None)]
    return seat_price(
        "0",
        metric,
        *steps,
        model=random.choice(tuple(PricingModel)),
        included=random.choice((0, 0, 3)),
        minimum=random.choice((0, 0, 2)),
        maximum=random.choice((None, None, 25)),
        package_size=random.randrange(1, 6),
    )


def a_policy(random: Random) -> DirectionPolicy:
    modes = random.sample(tuple(ProrationMode), random.choice((3, 5, 5)))
    return DirectionPolicy(tuple(modes), random.choice((NOW, NOW, NOW, AT_RENEWAL)))


def a_catalog(random: Random) -> list[PlanPrice]:
    """Two plans by the month and by the year in one currency, each version with a policy of its own."""
    currency = random.choice(SOME_CURRENCIES)
    granularity = random.choice((Granularity.DAY, Granularity.DAY, Granularity.SECOND))
    prices = []
    for plan, interval in (("team", MONTH), ("team", YEAR), ("pro", MONTH), ("pro", YEAR)):
        metrics = random.choice(((EDITOR,), (EDITOR, VIEWER), (EDITOR, VIEWER)))
        seats = [a_seat_price(random, currency, metric) for metric in metrics]
        fee = str(random.choice((0, 0, random.randrange(100))))
        price = plan_price(*seats, plan=plan, fee=fee, currency=currency.code, interval=interval)
        policy = ChangePolicy(a_policy(random), a_policy(random))
        prices.append(replace(price, policy=policy, granularity=granularity))
    if random.randrange(3) == 0:
        prices[0], prices[1] = prices[1], prices[0]
    return prices


def a_request(random: Random) -> ChangeRequest:
    """Any request; it may well be refused."""
    metrics = random.choice(((EDITOR,), (EDITOR,), (VIEWER,), (EDITOR, VIEWER), ()))
    quantities = (f"+{random.randrange(1, 7)}", f"-{random.randrange(1, 5)}", random.randrange(25))
    return ask(
        plan=random.choice((None, None, None, None, "team", "pro")),
        interval=random.choice((None, None, None, None, None, MONTH, YEAR)),
        mode=random.choice((None, *ProrationMode)),
        timing=random.choice((None, None, NOW, AT_RENEWAL)),
        **{metric: random.choice(quantities) for metric in metrics},
    )


def step(random: Random, history: History) -> None:
    """One thing that happens: mostly a change, on the same day or some days after the last one."""
    what = random.randrange(11)
    if what < 5:
        history.ask(a_request(random))
    elif what < 7:
        history.go_to(history.at + timedelta(days=random.randrange(12), hours=random.randrange(24)))
    elif what == 7:
        history.use(random.choice((EDITOR, VIEWER)), random.randrange(8))
    elif what == 8:
        history.pay()
    elif what == 9:
        # Ends at once are seldom, or lives would be short; what pauses or is to end is mostly kept.
        kinds = (TurnKind.CANCEL, TurnKind.PAUSE, TurnKind.RESUME, TurnKind.RESUME, TurnKind.RESUME)
        history.turn(Turn(random.choice(kinds), random.choice((None, None, None, AT_RENEWAL, NOW))))
    else:
        history.ask(replace(a_request(random), plan=None, interval=None, timing=NOW))


@settings(max_examples=lives())
@given(st.integers(0, 2**64))
def test_every_history_makes_sense(seed: int) -> None:
    """Lines, documents, credit, seats and periods agree with the books after every posting of any life."""
    random = Random(seed)
    at = f"2026-01-{random.randrange(1, 32):02} {random.choice(('00:00', '15:30'))}"
    anchor = random.choice((None, None, "2026-01-31"))
    state = unstarted(*a_catalog(random), at=at, anchor=anchor, zone=random.choice(ZONES), taxes=TAXES)
    if random.randrange(5) == 0:
        days, first = random.choice((1, 14, 45)), state.subscription
        trial = Subscription.trying(first.id, state.price, at=instant(at), days=days, zone=first.zone)
        state = replace(state, subscription=trial)
    history = History(state, instant(at))
    history.begin({EDITOR: random.randrange(3, 20), VIEWER: random.randrange(4)})
    for _ in range(STEPS):
        step(random, history)
    if random.randrange(10) == 0:
        history.cancel()
    history.go_to(history.at + timedelta(days=random.choice((0, 40, 400))))
