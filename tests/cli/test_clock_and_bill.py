"""`seatport clock` and `seatport bill`: time goes by, and what falls due is billed."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM
from app.clock import wall_clock
from app.services.demo import past
from app.services.demo.crowd import KINDS, settle
from app.services.demo.stage import MovedClock
from app.services.register_customer import NewCustomer, change_billing_details, register_customer
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.transaction import Store
from tests.cli.conftest import Seatport
from tests.postgres import in_own_loop


def acme_of(demo: Seatport) -> Any:
    """What the demo's summary says of acme."""
    return json.loads(demo("demo", "--json").stdout)[0]


def test_a_month_goes_by_and_is_billed(demo: Seatport) -> None:
    """Acme a month later has one more invoice, which is named, and all of its credit in hand is used."""
    before = acme_of(demo)
    result = demo("clock", "--customer", "acme", "--advance", "P1M")
    after = acme_of(demo)

    assert result.exit_code == 0, result.output
    said = re.fullmatch(
        r"For acme it is \d{4}-\d\d-\d\d \d\d:\d\d \(America/New_York\) now; 1 document came of it\.\n"
        r"Invoice (\S+) of \d{4}-\d\d-\d\d: \d+\.\d\d USD\n",
        result.stdout,
    )
    assert said is not None, result.stdout
    assert said[1] == after["invoice"]
    assert after["invoice"] > before["invoice"]
    assert (before["credit"] > "0.00", after["credit"]) == (True, "0.00")
    assert demo("bill").stdout == "Billed 0, parked 0.\n"


def test_every_document_of_the_way_is_named_once(demo: Seatport) -> None:
    """Three months make three invoices in their order, an hour makes none, and neither names the others."""
    long = demo("clock", "--customer", "globex", "--advance", "P3M").stdout.splitlines()
    short = demo("clock", "--customer", "globex", "--advance", "PT1H").stdout

    assert long[0].endswith("now; 3 documents came of it.")
    numbers = [line.split()[1] for line in long[1:]]
    assert (len(set(numbers)), numbers) == (3, sorted(numbers))
    assert short.endswith("now; no documents came of it.\n")
    assert len(short.splitlines()) == 1


def test_time_goes_by_for_everybody(demo: Seatport) -> None:
    """Two months for all three: acme and globex renew twice, initech not yet."""
    before = json.loads(demo("demo", "--json").stdout)
    result = demo("clock", "--all", "--advance", "P2M")
    after = json.loads(demo("demo", "--json").stdout)

    assert (result.exit_code, result.stdout) == (
        0,
        "Time went by for 3 customers, and 4 documents came of it.\n",
    )
    moved = [
        old["reference"] for old, new in zip(before, after, strict=True) if old["invoice"] != new["invoice"]
    ]
    assert moved == ["acme", "globex"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--customer", "acme", "--advance", "1M"), 2, "no ISO 8601 duration"),
        (("--customer", "acme", "--advance", "P"), 2, "no ISO 8601 duration"),
        (("--customer", "acme", "--advance", "-P1M"), 2, "no ISO 8601 duration"),
        (("--customer", "acme", "--advance", "P1.5M"), 2, "no ISO 8601 duration"),
        (("--customer", "acme", "--advance", "P11Y"), 2, "at most 10 years"),
        (("--customer", "acme", "--advance", "P0D"), 1, "Time only moves forward"),
        (("--customer", "acmee", "--advance", "P1D"), 1, "There is no customer 'acmee'"),
        (("--advance", "P1D"), 2, "Give one of --customer REFERENCE and --all"),
        (
            ("--all", "--customer", "acme", "--advance", "P1D"),
            2,
            "Give one of --customer REFERENCE and --all",
        ),
        (("--all",), 2, "--advance"),
    ],
)
def test_a_wrong_clock_is_told(demo: Seatport, arguments: tuple[str, ...], code: int, message: str) -> None:
    """A duration of another form, none at all, too long; a customer that is not there; both or none."""
    result = demo("clock", *arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert demo("bill").stdout == "Billed 0, parked 0.\n"


def within(url: str, unit: Any) -> Any:
    """What an async function of a store and its clock comes to, on a database."""

    async def worked() -> Any:
        clock = MovedClock(wall_clock())
        store = open_store(url, clock=clock)
        try:
            return await unit(store, clock)
        finally:
            await store.close()

    return in_own_loop(worked())


def test_the_time_of_a_live_customer_stands_firm(seatport: Seatport, database_url: str) -> None:
    """Only demo and test customers have a clock of their own; --all leaves live ones out."""

    async def live_one(store: Store, _: MovedClock) -> None:
        await store.run(uuid4(), register_customer, SYSTEM, NewCustomer("initrode", "Initrode", "USD", "UTC"))

    within(database_url, live_one)
    result = seatport("clock", "--customer", "initrode", "--advance", "P1D")

    assert result.exit_code == 1
    assert result.stderr == "Error: Only the time of demo and test customers can be moved.\n"
    assert seatport("clock", "--all", "--advance", "P1D").stdout == (
        "Time went by for no customers, and no documents came of it.\n"
    )


def test_what_cannot_be_billed_is_parked_once(seatport: Seatport, database_url: str) -> None:
    """Of two renewals one lacks billing details: the other is billed, this one parked with its reason, and
    the exit code is 1. It is not tried again.
    """

    async def two_due(store: Store, clock: MovedClock) -> None:
        await past.offer_catalog(store)
        now, clock.now = clock.now, clock.now - timedelta(days=35)
        first, second = new_id(clock.now), new_id(clock.now)
        await store.run(first, settle, "initrode", KINDS[0], 0)
        await store.run(second, settle, "hooli", KINDS[0], 1)
        await store.run(second, change_billing_details, SYSTEM, BillingDetails(legal_name="Hooli"))
        clock.now = now

    within(database_url, two_due)
    result = seatport("bill", "--json")

    said = json.loads(result.stdout)
    assert (result.exit_code, said["billed"], len(said["parked"])) == (1, 1, 1)
    assert said["parked"][0]["customer"] == "hooli"
    assert "billing details" in said["parked"][0]["reason"]
    assert result.stderr.startswith("Parked: hooli. ")
    assert seatport("bill").stdout == "Billed 0, parked 0.\n"
