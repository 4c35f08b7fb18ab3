"""The billing run in processes that are killed, with subscriptions that cannot be billed, several at once:
nothing is missing, nothing is done twice, and one that fails stops nobody else.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select, update

from app.billing.overrides import OwnPrice
from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM
from app.billing.plans import PricingModel, Tier
from app.cli import main
from app.clock import wall_clock
from app.services.billing_run import Order, everything
from app.services.demo.stage import MovedClock
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.register_customer import change_billing_details
from app.store.engine import open_store
from app.store.tables import catalog_price, customer, document, subscription, terms
from app.store.transaction import BatchTx, Store, Tx
from tests.crowds import due_crowd
from tests.postgres import in_own_loop
from tests.proofs.billing_workers import working
from tests.proofs.ledger_check import problems

MANY: Final = 5_000
BATCH: Final = 50
KILLS: Final = 10
WORKERS: Final = 2
SOME: Final = 1_000
POISONED: Final = 20
ABSURD: Final = OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal(99_000)),))

FAILS_SQLITE: Final = """
    CREATE TRIGGER fails BEFORE INSERT ON billing_line
    WHEN NEW.customer_id IN (SELECT customer_id FROM customer WHERE name = 'fails')
    BEGIN SELECT RAISE(ABORT, 'this line cannot be written'); END"""
FAILS_POSTGRES: Final = (
    """CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM customer WHERE customer_id = NEW.customer_id AND name = 'fails') THEN
            RAISE EXCEPTION 'this line cannot be written' USING ERRCODE = 'check_violation';
        END IF; RETURN NEW; END $$""",
    "CREATE TRIGGER fails BEFORE INSERT ON billing_line FOR EACH ROW EXECUTE FUNCTION fails()",
)


def on(url: str, work: Callable[[Store, MovedClock], Awaitable[Any]]) -> Any:
    """What async work comes to on a database."""

    async def worked() -> Any:
        clock = MovedClock(wall_clock())
        store = open_store(url, clock=clock)
        try:
            return await work(store, clock)
        finally:
            await store.close()

    return in_own_loop(worked())


def crowd_of(url: str, count: int) -> None:
    """So many customers with one renewal that is due."""
    on(url, lambda store, clock: due_crowd(store, clock, clock.now, count))


def seatport(url: str, *arguments: str) -> Result:
    """A command as a person runs it."""
    environ = {"SEATPORT_DATABASE_URL": url, "SEATPORT_MODE": "test"}
    return CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)


async def invoices(store: Store, _: MovedClock) -> dict[int, int]:
    """How many subscriptions have how many documents."""

    def counted(tx: BatchTx) -> dict[int, int]:
        each = select(func.count().label("n")).select_from(document).group_by(document.c.subscription_id)
        many = each.subquery()
        query = select(many.c.n, func.count().label("of")).group_by(many.c.n)
        return {row.n: row.of for row in tx.connection.execute(query)}

    return await store.look(counted)


def test_two_workers_killed_ten_times_over_5000_subscriptions(database_url: str) -> None:
    """Killed at random moments and followed by others, ten times: in the end each of 5,000 subscriptions has
    one new invoice, none two, and the numbers have no gap.
    """
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    crowd_of(database_url, MANY)
    began = time.monotonic()
    with working(database_url, BATCH) as workers:
        for _ in range(WORKERS):
            workers.more()
        kills = 0
        while workers.alive:
            workers.hear()
            if kills < KILLS and workers.alive and chance.random() < KILLS * BATCH / MANY * 3:
                time.sleep(chance.uniform(0, 0.1))
                kills += workers.kill(chance.choice(sorted(workers.alive)))
                workers.more()
        told = workers.billed
    seconds = time.monotonic() - began

    assert kills == KILLS
    assert on(database_url, invoices) == {2: MANY}
    assert in_own_loop(problems(database_url)) == []
    sys.stdout.write(
        f"seed {seed}: {kills} kills, {MANY} billed in {seconds:.1f} s, {MANY - told} of them untold\n"
    )


async def poison(store: Store, clock: MovedClock) -> list[UUID]:
    """Twenty who cannot be billed, four in each way, since ten days ago; who they are."""
    clock.now -= timedelta(days=10)
    found = await store.look(lambda tx: list(tx.connection.execute(select(customer.c.customer_id)).scalars()))
    chosen = sorted(found)[:: SOME // POISONED]
    ways = (lose_price, break_details, cannot_be_written, lack_details, agree_on_too_much)
    for place, one in enumerate(chosen):
        await store.run(one, ways[place % len(ways)])
    return chosen


def lose_price(tx: Tx) -> None:
    """A price version that is not there: deciding raises."""
    _set(tx, subscription, price_id=tx.new_id())


def break_details(tx: Tx) -> None:
    """Billing details that nobody can read: loading the whole batch raises."""
    _set(tx, customer, details=["no", "details"])


def cannot_be_written(tx: Tx) -> None:
    """Lines that the database refuses: saving the whole batch fails."""
    _set(tx, customer, name="fails")


def lack_details(tx: Tx) -> None:
    """No address: no document can be made."""
    change_billing_details(tx, SYSTEM, BillingDetails(legal_name="Hooli"))


def agree_on_too_much(tx: Tx) -> None:
    """A price of 99,000 for a seat, by a slip of the finger."""
    agreed = [
        record_override(tx, SYSTEM, NewOverride(metric, price=ABSURD, minimum=50))
        for metric in ("editor", "full")
    ]
    assert any(isinstance(each, OverrideRecorded) for each in agreed), agreed


def _set(tx: Tx, table: Any, **values: Any) -> None:
    tx.connection.execute(update(table).where(table.c.customer_id == tx.customer).values(**values))


async def repair(store: Store, _: MovedClock) -> None:
    """What can be repaired is: prices, details and lines. What is too much is only looked at."""

    def repaired(tx: BatchTx) -> None:
        sound = tx.connection.execute(select(customer).where(customer.c.name != "fails").limit(1)).one()
        details = {**sound.details, "lines": ["1 Main Street"], "city": "Chicago", "country": "US"}
        tx.connection.execute(update(customer).values(details=details, name="sound"))
        wrong = subscription.c.price_id.not_in(select(catalog_price.c.id))
        for row in tx.connection.execute(select(subscription).where(wrong)).all():
            price = select(terms.c.price_id).where(terms.c.subscription_id == row.id).scalar_subquery()
            this = subscription.c.id == row.id
            tx.connection.execute(update(subscription).where(this).values(price_id=price))

    await store.batch(repaired)


async def plant(store: Store, _: MovedClock) -> None:
    """Make the database refuse the lines of some."""
    statements = (FAILS_SQLITE,) if store.writer.dialect.name == "sqlite" else FAILS_POSTGRES

    def planted(tx: BatchTx) -> None:
        for statement in statements:
            tx.connection.exec_driver_sql(statement)

    await store.batch(planted)


def test_20_poisoned_among_1000(database_url: str) -> None:
    """Of 1,000, four each lose their price, have details that cannot be read, lines that cannot be written,
    no address, and a price of 99,000: 980 are billed, 20 parked with a reason, and the exit code says so.
    When they are repaired and unparked, those 20 are billed.
    """
    crowd_of(database_url, SOME)
    poisoned = on(database_url, poison)
    on(database_url, plant)
    assert len(poisoned) == POISONED

    first = seatport(database_url, "bill", "--json")
    said = json.loads(first.stdout)
    assert (first.exit_code, said["claimed"], said["billed"]) == (1, SOME, SOME - POISONED)
    reasons = [each["reason"].removeprefix("Billing it failed: ")[:20] for each in said["parked"]]
    assert len(reasons) == POISONED
    assert {reasons.count(reason) for reason in reasons} == {4}, reasons
    assert on(database_url, invoices) == {1: POISONED, 2: SOME - POISONED}

    again = seatport(database_url, "bill", "--json")
    assert (again.exit_code, json.loads(again.stdout)["claimed"]) == (0, 0)

    on(database_url, repair)
    assert seatport(database_url, "unpark", "--all").stdout == f"Unparked {POISONED}.\n"
    last = seatport(database_url, "bill", "--json")
    said = json.loads(last.stdout)
    assert (last.exit_code, said["billed"], said["parked"]) == (0, POISONED, [])
    assert on(database_url, invoices) == {2: SOME}
    sys.stdout.write(f"{SOME - POISONED} billed, {POISONED} parked, {POISONED} billed later\n")


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_second_run_bills_nothing(database_url: str, at_once: int) -> None:
    """Once, or four at the same time, over 300 subscriptions: each is billed by one of them, the sum of all
    is 300, and a run afterwards finds nothing.
    """
    count = 300
    crowd_of(database_url, count)

    async def run(store: Store, clock: MovedClock) -> list[int]:
        stores = [store, *(open_store(database_url, clock=clock) for _ in range(at_once - 1))]
        tallies = await asyncio.gather(*(everything(one, Order(batch=20)) for one in stores))
        for one in stores[1:]:
            await one.close()
        return [tally.billed for tally in tallies]

    billed = on(database_url, run)
    assert (sum(billed), on(database_url, run)) == (count, [0] * at_once)
    assert on(database_url, invoices) == {2: count}
    assert in_own_loop(problems(database_url)) == []


def test_a_dry_run_foretells_the_run(database_url: str) -> None:
    """It says how many would be billed and what comes of it by currency, writes nothing, and the run then
    says the same. Until a day on which nothing was due, nothing is billed.
    """
    crowd_of(database_url, 60)

    early = seatport(database_url, "bill", "--until", "2020-01-01", "--json")
    dry = seatport(database_url, "bill", "--dry-run", "--json")
    assert on(database_url, invoices) == {1: 60}
    real = seatport(database_url, "bill", "--json")

    assert json.loads(early.stdout)["claimed"] == 0
    foretold, done = json.loads(dry.stdout), json.loads(real.stdout)
    by_name = lambda each: (each["currency"], each["kind"])  # noqa: E731
    for said in (foretold, done):
        said["documents"].sort(key=by_name)
    assert {**foretold, "dry": False} == done
    assert (done["billed"], len(done["documents"])) == (60, 3)
