"""`seatport bill`, `unpark` and `worker` as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM
from app.clock import wall_clock
from app.services.demo import past
from app.services.demo.crowd import KINDS, settle
from app.services.demo.stage import MovedClock
from app.services.register_customer import change_billing_details
from app.store import system
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.transaction import Store
from tests.cli.conftest import Seatport
from tests.postgres import in_own_loop

ROOT: Final = Path(__file__).parents[2]
SECONDS_MAX: Final = 30
POOR: Final = BillingDetails(legal_name="Hooli")
WHOLE: Final = BillingDetails("Hooli", ("1 Main Street",), "10001", "New York", "NY", "US")


def within(url: str, unit: Callable[[Store, MovedClock], Awaitable[Any]]) -> Any:
    """What an async function of a store and its clock comes to, on a database."""

    async def worked() -> Any:
        clock = MovedClock(wall_clock())
        store = open_store(url, clock=clock)
        try:
            return await unit(store, clock)
        finally:
            await store.close()

    return in_own_loop(worked())


@pytest.fixture
def two_due(database_url: str) -> str:
    """A database in which initrode and hooli have a renewal that is due; hooli has no address."""

    async def come(store: Store, clock: MovedClock) -> None:
        await past.offer_catalog(store)
        now, clock.now = clock.now, clock.now - timedelta(days=35)
        for place, reference in enumerate(("initrode", "hooli")):
            await store.run(new_id(clock.now), settle, reference, KINDS[0], place)
        clock.now = now

    within(database_url, come)
    set_details(database_url, POOR)
    return database_url


def set_details(url: str, details: BillingDetails) -> None:
    """Change what is known of hooli."""

    async def change(store: Store, _: MovedClock) -> None:
        found = await store.system(system.customer_called, "hooli")
        assert found is not None
        await store.run(found.customer, change_billing_details, SYSTEM, details)

    within(url, change)


def test_parked_unparked_and_billed(two_due: str, seatport: Seatport) -> None:
    """What was parked is billed when it is repaired and unparked; unparking what is not parked is told."""
    first = seatport("bill")
    refused = seatport("unpark", "--customer", "initrode")
    set_details(two_due, WHOLE)
    unparked = seatport("unpark", "--customer", "hooli")
    second = seatport("bill")

    assert (first.exit_code, first.stdout.splitlines()[0]) == (1, "Billed 1, parked 1.")
    assert (refused.exit_code, refused.stderr) == (1, "Error: initrode is not parked.\n")
    assert unparked.stdout.startswith("hooli is billed with the next run. It was parked because: An invoice")
    assert (second.exit_code, second.stdout.splitlines()[0]) == (0, "Billed 1, parked 0.")


def test_a_run_tells_what_came_of_it_by_currency(two_due: str, seatport: Seatport) -> None:
    """The documents of a run are counted and summed by currency, for people and for programs."""
    dry = seatport("bill", "--dry-run")
    said = json.loads(seatport("bill", "--json").stdout)

    assert dry.stdout.splitlines()[0] == "Would bill 1, parked 1."
    (made,) = said["documents"]
    assert dry.stdout.splitlines()[1] == f"USD: 1 invoice of {made['total']} USD"
    assert (made["count"], said["claimed"], said["rescheduled"]) == (1, 2, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("bill", "--until", "tomorrow"), 2, "neither a day such as"),
        (("bill", "--until", "2026-04-30T12:00:00"), 2, "neither a day such as"),
        (("bill", "--dry-run", "--render"), 2, "Give one of --dry-run and --render"),
        (("unpark",), 2, "Give one of --customer REFERENCE and --all"),
        (("unpark", "--all", "--customer", "acme"), 2, "Give one of --customer REFERENCE and --all"),
        (("unpark", "--customer", "acmee"), 1, "There is no customer 'acmee'"),
    ],
)
def test_a_wrong_order_is_told(
    seatport: Seatport, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """An instant without an offset, two ways at once, none, a customer that is not there."""
    result = seatport(*arguments)

    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr


def test_a_worker_bills_and_ends_when_told(two_due: str, seatport: Seatport) -> None:
    """`seatport worker` bills what is due by itself; SIGTERM ends it in order."""
    environment = {**os.environ, "SEATPORT_DATABASE_URL": two_due, "SEATPORT_MODE": "test"}
    worker = subprocess.Popen(
        [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith("Seatport works, as process ")
        ends = time.monotonic() + SECONDS_MAX
        while within(two_due, count_due) and time.monotonic() < ends:
            time.sleep(0.1)
        assert within(two_due, count_due) == 0
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS_MAX) == 0
    finally:
        worker.kill()
        worker.communicate()
    assert seatport("bill").stdout == "Billed 0, parked 0.\n"


async def count_due(store: Store, _: MovedClock) -> int:
    """How many subscriptions wait to be billed."""
    return len(await store.system(system.due_subscriptions, after=None, limit=9))
