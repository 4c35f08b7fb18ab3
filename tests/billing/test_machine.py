"""Random lives played by the state machine (see `machine`): every basis, seats told late and corrected, own
prices, changes in every mode, pauses, ends, and steps in time from a second to fourteen months.

A life is drawn from one seed, so that it can be played again by itself: `play(seed)`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing.overrides import Aspect, without_room
from app.billing.plans import ChangeTiming, ChargingBasis, Item, PlanPrice
from app.billing.subscriptions import Subscription, SubscriptionStatus
from app.billing.turns import Turn, TurnKind
from tests.billing.agreements import agreed, price_of
from tests.billing.machine import Machine
from tests.billing.strategies import ZONES, lives
from tests.billing.telling import Telling
from tests.billing.test_histories import TAXES, a_catalog, a_request, a_seat_price
from tests.builders import EDITOR, VIEWER, instant, unstarted

STEPS = 32
NAMES = ("ann", "ben", "cem", "dua", "eli")
PAUSES = (timedelta(seconds=1), timedelta(hours=5), timedelta(days=1), timedelta(days=9), timedelta(days=40))
KINDS = (TurnKind.CANCEL, TurnKind.PAUSE, TurnKind.RESUME, TurnKind.RESUME, TurnKind.RESUME)
AT_ONCE = (ChangeTiming.NOW, ChangeTiming.AT_RENEWAL)


def a_market(random: Random) -> list[PlanPrice]:
    """The plans of random lives, with seats that are billed by any basis."""
    bases = (ChargingBasis.PURCHASED, ChargingBasis.PURCHASED, *ChargingBasis)
    market = []
    for price in a_catalog(random):
        seats = [replace(seat, basis=random.choice(bases)) for seat in price.seats]
        amount = Decimal(random.randrange(1, 900)).scaleb(-price.currency.digits)
        over = [
            replace(seat, overage_amount=amount) if seat.basis is ChargingBasis.OVERAGE else seat
            for seat in seats
        ]
        market.append(replace(price, seats=tuple(over)))
    return market


def a_machine(random: Random) -> Telling:
    """A subscription that has begun, some with a trial or with a short first period."""
    at = f"2026-01-{random.randrange(1, 32):02} {random.choice(('00:00', '15:30'))}"
    anchor = random.choice((None, None, "2026-01-31"))
    state = unstarted(*a_market(random), at=at, anchor=anchor, zone=random.choice(ZONES), taxes=TAXES)
    if random.randrange(5) == 0:
        days, first = random.choice((1, 14, 45)), state.subscription
        trial = Subscription.trying(first.id, state.price, at=instant(at), days=days, zone=first.zone)
        state = replace(state, subscription=trial)
    machine = Telling(state, instant(at), now=instant(at))
    machine.load()
    ordered = {seat.metric.code for seat in state.price.seats if seat.basis.in_advance}
    machine.begin({m: random.randrange(3, 20) for m in (EDITOR, VIEWER) if m in ordered})
    return machine


def told_at(random: Random, machine: Machine) -> datetime:
    """When something was that is told now: just now, or up to a year ago."""
    late = random.choice((timedelta(0), timedelta(0), *PAUSES, timedelta(days=random.randrange(365))))
    late += timedelta(minutes=random.randrange(2000)) if late else late
    midnight = machine.state.subscription.period.start
    return min(machine.now, midnight) if random.random() < 0.1 else machine.now - late


def tell(random: Random, machine: Machine) -> None:
    """The vendor tells who came or went, or how many there are; or corrects what was told."""
    if machine.book.events and random.random() < 0.2:
        event = random.choice(machine.book.events)
        machine.correct(event, random.randrange(4), random.randrange(2))
        return
    metric = random.choice((EDITOR, EDITOR, VIEWER))
    who = random.choice((None, *NAMES)) if random.random() < 0.7 else None
    net = random.choice((1, 1, -1)) if who else random.choice((1, 2, 5, 9, -1, -2, -4))
    machine.tell(metric, net, told_at(random, machine), who=who, stated=not who and random.random() < 0.3)


def tell_committed(random: Random, machine: Telling) -> None:
    """The vendor tells which seats were committed, or corrects one such event."""
    if machine.asked.events and random.random() < 0.3:
        event = random.choice(machine.asked.events)
        machine.correct_committed(event, random.randrange(9), random.randrange(2))
        return
    metric, net = random.choice((EDITOR, EDITOR, VIEWER)), random.choice((1, 2, 5, 9, -1, -2, -4))
    machine.tell_committed(metric, net, told_at(random, machine), stated=random.random() < 0.3)


def agree(random: Random, machine: Machine) -> None:
    """The seller agrees on seats on top, an own price, an own minimum or maximum, or takes them back."""
    prices = [price for plan in machine.state.plans for price in plan.prices]
    mostly = [machine.state.price] * len(prices)
    price, metric = random.choice((*prices, *mostly)), random.choice((EDITOR, VIEWER))
    if price.seat(metric) is None:
        return
    ends = machine.state.subscription.period.end
    since = random.choice((machine.now, max(ends, machine.now), machine.now + random.choice(PAUSES)))
    until = random.choice((None, ends, since + timedelta(hours=random.randrange(1, 24 * 60))))
    until = None if until is None or until <= since else until
    own = price_of(a_seat_price(random, price.currency, Item(metric)))
    what = random.choice(
        (
            {"granted": random.randrange(4)},
            {"price": own, "plan": price.plan, "interval": price.interval},
            {"price": own, "plan": price.plan, "interval": price.interval, "minimum": 3},
            {"maximum": random.randrange(8, 30), "plan": price.plan},
            {"minimum": random.randrange(6), "plan": price.plan},
            {"withdrawn": frozenset(Aspect), "plan": price.plan},
        )
    )
    new = agreed(len(machine.agreed), Item(metric), since=since, until=until, recorded=machine.now, **what)
    if without_room(prices, Item(metric), tuple(machine.agreed), new) is None:
        machine.agree(replace(new, id=UUID(int=len(machine.agreed))))


def step(random: Random, machine: Telling) -> None:
    """One thing that happens; somebody asks for something only after the billing run came."""
    what = random.randrange(20)
    if what < 5:
        machine.ask(a_request(random))
    elif what < 7:
        machine.ask(replace(a_request(random), plan=None, interval=None, timing=ChangeTiming.NOW))
    elif what < 11:
        tell(random, machine)
    elif what < 12:
        tell_committed(random, machine)
    elif what < 16:
        far = timedelta(days=random.randrange(30, 427)) if random.random() < 0.12 else timedelta(0)
        until = machine.now + (far or random.choice(PAUSES))
        (machine.wait if random.random() < 0.3 else machine.go_to)(until)
    elif what < 17:
        machine.bring_up()
        machine.pay()
    elif what < 18:
        machine.turn(Turn(random.choice(KINDS), random.choice((None, None, None, *AT_ONCE))))
    else:
        agree(random, machine)


def play(seed: int) -> Telling:
    """The life of a seed."""
    random = Random(seed)
    machine = a_machine(random)
    for _ in range(STEPS):
        step(random, machine)
        if machine.state.subscription.status is SubscriptionStatus.ENDED:
            return machine
    machine.go_to(machine.now + timedelta(days=random.choice((0, 40, 40, 400))))
    return machine


@settings(max_examples=lives())
@given(st.integers(0, 2**64))
def test_every_life_keeps_what_is_promised(seed: int) -> None:
    """After every step of any life: periods follow each other from the anchor; lines are their parts by their
    days, and credits what was billed; no seat-day is paid twice; all use is billed once, to what the ledger
    says; books, totals and credit agree; a preview is the change; and another billing run finds nothing.
    """
    play(seed)
