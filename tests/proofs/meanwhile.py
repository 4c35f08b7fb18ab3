"""What happens between the steps of a history, and between looking at a price and pressing the button."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.api.ids import Kind, decode_as
from app.billing.permissions import Role
from app.services.move_clock import move_clock
from app.services.record_payment import ReceivedPayment, record_payment
from app.services.record_seats import SeatReport, record_seats
from app.services.register_customer import change_billing_details
from tests.portal import VENDOR
from tests.proofs import market
from tests.proofs.histories import CHANGE, OPERATIONS, History

CANCEL: Final = (OPERATIONS / "cancelScheduledChange.graphql").read_text("utf-8")
WAITING: Final = "{ customer { subscription { scheduledChanges { id } } } }"
OPEN: Final = "{ customer { invoices(status: [OPEN]) { edges { node { id } } } } }"
MINUTE: Final = timedelta(minutes=1)


async def between(history: History) -> None:
    """Time passes, often to where days and periods end; people sit down, and some bills are paid."""
    chance = history.chance
    for happens in chance.sample([use_seats, pay, to_midnight, to_the_end, days, hours, hours], 3):
        await happens(history)
    if chance.random() < 0.4:
        await history.bill()


async def meanwhile(history: History) -> None:
    """Something comes between, or nothing does."""
    choices = (
        nothing,
        minutes,
        minutes,
        too_long,
        colleague,
        colleague,
        pay,
        moved,
        editions,
        settle,
        use_seats,
    )
    for happens in history.chance.sample(choices, history.chance.choice([1, 1, 2])):
        history.counted[f"meanwhile {happens.__name__}"] += 1
        await happens(history)


async def nothing(history: History) -> None:
    """Nobody does anything."""


async def minutes(history: History) -> None:
    """A quote still holds after a few minutes, unless its day or its period ended: most end near midnight."""
    history.portal.clock.now += timedelta(seconds=history.chance.randint(1, 13 * 60))


async def hours(history: History) -> None:
    """Some hours pass."""
    history.portal.clock.now += timedelta(minutes=history.chance.randint(1, 40 * 60))


async def days(history: History) -> None:
    """Some days pass, or more than a month."""
    history.portal.clock.now += timedelta(days=history.chance.choice([1, 2, 5, 9, 14, 33]), minutes=7)


async def too_long(history: History) -> None:
    """The quarter of an hour is over, by a second, an hour or two days."""
    history.portal.clock.now += 15 * MINUTE + timedelta(minutes=history.chance.choice([0, 60, 2 * 24 * 60]))


async def to_midnight(history: History) -> None:
    """On to a few minutes before the customer's midnight."""
    zone = ZoneInfo(history.zone)
    day = history.now.astimezone(zone).date() + timedelta(days=1)
    await move_to(history, datetime.combine(day, time.min, zone) - history.chance.randint(1, 9) * MINUTE)


async def to_the_end(history: History) -> None:
    """On to a few minutes before the period ends, or after, or to the very instant."""
    off = history.chance.choice([-5, -1, 0, 1, 600])
    if off == 0:
        history.counted["the very end"] += 1
    await move_to(history, history.ends_at() + off * MINUTE)
    if off == 0:
        # A renewal and a change of one instant would be told apart by nothing that is stored.
        await history.bill()


async def move_to(history: History, at: datetime) -> None:
    """On to an instant of the customer's, unless it is over."""
    history.portal.clock.now = max(history.portal.clock.now, at - history.ahead)


async def moved(history: History) -> None:
    """The vendor moves the customer's time, which is not the clock that quotes expire by; not while a renewal
    is due, or the test would have to know which period the quote is of.
    """
    if history.ends_at() <= history.now:
        return
    by = timedelta(seconds=history.chance.choice([1, 3600, 5 * 24 * 3600, 40 * 24 * 3600]))
    await history.portal.store.run(history.customer, move_clock, VENDOR, by)
    history.ahead += by
    if history.chance.random() < 0.5:
        await history.bill()


async def use_seats(history: History) -> None:
    """The vendor reports how many seats are in use."""
    report = SeatReport(history.chance.choice(["editor", "viewer"]), total=history.chance.randint(0, 6))
    await history.portal.store.run(history.customer, record_seats, VENDOR, report)


async def pay(history: History) -> None:
    """Money comes in for every open invoice."""
    data = await history.portal.ask(history.ada, OPEN)
    for edge in data["customer"]["invoices"]["edges"]:
        await history.portal.store.run(
            history.customer, record_payment, VENDOR, ReceivedPayment(_invoice(edge["node"]["id"]))
        )


async def settle(history: History) -> None:
    """The company moves, which may change its taxes, or its address gets lost."""
    history.settled = True
    details = history.chance.choice([*market.COMPANIES, market.NOWHERE])
    await history.portal.store.run(history.customer, change_billing_details, VENDOR, details)


async def colleague(history: History) -> None:
    """Somebody else changes something, or takes back what waits."""
    ben = await history.portal.let_in(history.customer, Role.BILLING_ADMIN, "ben")
    history.presses += 1
    key = {"idempotencyKey": f"ben {history.presses}"}
    waiting = (await history.portal.ask(ben, WAITING))["customer"]["subscription"]["scheduledChanges"]
    if waiting and history.chance.random() < 0.5:
        sent = {"scheduledChangeId": waiting[0]["id"], **key}
        await history.portal.ask(ben, CANCEL, input=sent)
        return
    wish = market.wish(history.chance)
    sent = {**wish, "subscriptionId": history.subscription, **key}
    done = (await history.portal.ask(ben, CHANGE, input=sent))["changePlan"]
    history.switched = "planCode" in wish or "interval" in wish
    history.counted[f"colleague {done['__typename']}"] += 1


async def editions(history: History) -> None:
    """The vendor applies another catalog."""
    await history.offer(history.chance.randint(0, 1))


def _invoice(id: str) -> UUID:
    found = decode_as(Kind.INVOICE, id)
    assert found is not None
    return found
