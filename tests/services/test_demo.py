"""The demo: what its three customers have, that it was lived and not inserted, and that any day will do."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.billing.documents import DocumentKind, InvoiceStatus
from app.billing.ledger import BalanceKind, EventSource
from app.billing.lines import LineKind
from app.billing.periods import local_day
from app.billing.permissions import SYSTEM
from app.billing.plans import ChangeTiming, Item, ProrationMode
from app.billing.refusals import SeatsInUse
from app.billing.subscriptions import SeatsAtRenewal, Subscription
from app.services.apply_catalog import apply_catalog
from app.services.bill import bill
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.confirming import Offer
from app.services.demo import acme, globex, initech, past
from app.services.demo.crowd import crowd
from app.services.demo.diary import Scene, add, remove
from app.services.demo.stage import MovedClock, SceneRefused, Stage
from app.services.demo.summary import Summary, summary
from app.services.preview_change_plan import preview_change_plan
from app.services.quotes import QuoteSigner
from app.services.register_customer import register_customer
from app.store import customers, documents, holders, lines, seats, subscriptions, system
from app.store.documents import Document, InvoiceFilter
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.lines import StoredLine
from app.store.opened import Opened
from app.store.seats import EventFilter
from app.store.transaction import Store, Tx
from tests.conftest import own_database
from tests.postgres import in_own_loop
from tests.services.catalogs import declared

NOW = datetime(2026, 8, 23, 13, 45, 12, tzinfo=UTC)
SIGNER = QuoteSigner(b"a secret of the test")
MODES = list(ProrationMode)


@asynccontextmanager
async def opened(url: str, now: datetime = NOW) -> AsyncIterator[tuple[Store, MovedClock]]:
    """A store and the clock it was opened with."""
    clock = MovedClock(now)
    store = open_store(url, clock=clock)
    try:
        yield store, clock
    finally:
        await store.close()


async def live(url: str, now: datetime) -> None:
    """Live the past until now."""
    async with opened(url, now) as (store, clock):
        await past.live(store, clock, now)


def copied(template: Path, folder: Path) -> str:
    """The address of a copy of an SQLite file."""
    shutil.copyfile(template, folder / "copy.db")
    return f"sqlite+aiosqlite:///{folder}/copy.db"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def lived_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database in which the past was lived until NOW; tests only read it."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        urls = iter([copied(template, tmp_path_factory.mktemp("lived"))])
    else:
        server = request.getfixturevalue("postgres_server")
        urls = own_database(server, request.getfixturevalue("postgres_template"))
    for url in urls:
        in_own_loop(live(url, NOW))
        yield url


@pytest.fixture
async def lived(lived_url: str) -> AsyncIterator[Store]:
    """The store over it, at NOW."""
    async with opened(lived_url) as (store, _):
        yield store


async def read(store: Store, reference: str, query: Any, *args: Any) -> Any:
    """The answer of a query about a customer."""
    found = await store.system(system.customer_called, reference)
    assert found is not None, reference
    async with store.reads(found.customer) as scope:
        return await scope.run(query, *args)


async def tried(store: Store, reference: str, unit: Any, *args: Any) -> Any:
    """The outcome of a unit that leaves nothing behind."""
    found = await store.system(system.customer_called, reference)
    assert found is not None, reference

    def unit_forgotten(tx: Tx) -> Any:
        return tx.forget(unit(tx, *args))

    return await store.run(found.customer, unit_forgotten)


def invoices(tx: Tx) -> list[Document]:
    """All invoices, oldest first."""
    return documents.invoices_page(tx, InvoiceFilter(), limit=100, before=None)[::-1]


def credit_notes(tx: Tx) -> list[Document]:
    """All credit notes, oldest first."""
    return documents.credit_notes_page(tx, limit=100, before=None)[::-1]


def statuses(tx: Tx) -> list[InvoiceStatus]:
    customer = customers.get(tx)
    assert customer is not None
    found = invoices(tx)
    due = documents.receivables(tx, [invoice.id for invoice in found], customer.currency)
    return [due[invoice.id].status for invoice in found]


def live_subscription(tx: Tx) -> Subscription:
    found = subscriptions.live(tx)
    assert found is not None
    return found


def all_lines(tx: Tx) -> list[StoredLine]:
    customer = customers.get(tx)
    assert customer is not None
    stored = lines.by_document(
        tx, [document.id for document in [*invoices(tx), *credit_notes(tx)]], customer.currency
    )
    return [line for of_document in stored.values() for line in of_document]


def said_again(tx: Tx) -> list[object]:
    """All that documents say, without the ids."""
    of_documents = [(each.number, each.issued_at, each.totals) for each in [*invoices(tx), *credit_notes(tx)]]
    return [*of_documents, *sorted((each.line.formula, each.description) for each in all_lines(tx))]


def waiting(tx: Tx) -> list[StoredLine]:
    customer, live_one = customers.get(tx), live_subscription(tx)
    assert customer is not None
    billed, ahead = lines.live([Opened(tx, customer, live_one)])
    assert not ahead, "nothing is billed of a later period"
    waits = [line.id for line in billed[live_one.id] if line.document is None]
    found = lines.by_id(tx, waits, customer.currency)
    return list(found.values())


async def test_acme_has_what_the_readme_says(lived: Store) -> None:
    """Team by the month, 15 editors and 12 in use, all invoices paid, credit from the last removal."""
    said: Summary = await read(lived, "acme", summary)

    assert said.plan == "Team, by the month"
    assert [(each.metric, each.committed, each.in_use) for each in said.seats] == [("editor", 15, 12)]
    assert set(await read(lived, "acme", statuses)) == {InvoiceStatus.PAID}
    assert (said.credit.currency.code, said.credit.minor > 0) == ("USD", True)
    assert await read(lived, "acme", waiting) == []


async def test_acmes_figures_are_those_of_the_plan(lived: Store) -> None:
    """8 editors are 99.00 + 3 × 15.00 = 144.00; two more on the tenth day: 22/31 of 30.00 = 21.29; five more
    by the full difference: 75.00; three given back: 22/31 of 45.00 = 31.94, which the next renewal uses.
    """
    found: list[Document] = await read(lived, "acme", invoices)
    credits_given: list[Document] = await read(lived, "acme", credit_notes)

    assert [str(document.totals.total.amount) for document in found] == [
        "144.00", "21.29", "174.00", "50.00", "276.00", "219.00", "75.00", "294.00", "264.00",
    ]  # fmt: skip
    assert [str(document.totals.total.amount) for document in credits_given] == ["-31.94", "-48.39", "-11.13"]
    used = [document.totals.credit_applied for document in found if document.totals.credit_applied.minor]
    assert [str(amount.amount) for amount in used] == ["31.94", "48.39"]
    assert {document.totals.tax.minor for document in [*found, *credits_given]} == {0}


async def test_acme_sees_every_mode_side_by_side(lived: Store) -> None:
    """From 15 to 20 editors: five ways now and one at the renewal, each with its own token and amount. 75.00
    is the full difference, 19/31 of it the rest of the period; a new period is 99.00 + 15 × 15.00.
    """
    live_one: Subscription = await read(lived, "acme", live_subscription)
    offer: Offer = await tried(
        lived, "acme", preview_change_plan, SYSTEM, SIGNER, live_one.id, add("editor", 5)
    )

    ways = {(way.quote.mode, way.quote.timing): way for way in offer.alternatives}
    assert set(ways) == {*((mode, ChangeTiming.NOW) for mode in MODES), (MODES[0], ChangeTiming.AT_RENEWAL)}
    assert len({way.token for way in ways.values()}) == len(ways)
    due = {mode: str(ways[mode, ChangeTiming.NOW].quote.due_now.total.amount) for mode in MODES}
    assert due == {
        ProrationMode.PRORATED_IMMEDIATELY: "45.97",
        ProrationMode.DIFFERENCE_IMMEDIATELY: "75.00",
        ProrationMode.FULL_IMMEDIATELY: "324.00",
        ProrationMode.PRORATED_ON_NEXT_INVOICE: "0.00",
        ProrationMode.DO_NOT_BILL: "0.00",
    }


async def test_acme_giving_seats_back_gets_credit(lived: Store) -> None:
    """Two editors back: a credit note of 19/31 of 30.00 = 18.39, all of it in hand since all is paid."""
    live_one: Subscription = await read(lived, "acme", live_subscription)
    request = ChangePlan(live_one.id, remove("editor", 2), "two back")
    done = await tried(lived, "acme", change_plan, SYSTEM, SIGNER, request)

    assert isinstance(done, PlanChanged)
    assert done.credit_note is not None
    assert str(done.credit_added) == "18.39 USD"


async def test_acme_keeps_the_seats_in_use(lived: Store) -> None:
    """Ten editors are too few for twelve people; they are named."""
    live_one: Subscription = await read(lived, "acme", live_subscription)
    refused = await tried(
        lived, "acme", preview_change_plan, SYSTEM, SIGNER, live_one.id, remove("editor", 5)
    )

    assert isinstance(refused, SeatsInUse)
    assert (refused.in_use, refused.requested, len(refused.holders)) == (12, 10, 12)
    assert all(holder.email and holder.email.endswith("example.com") for holder in refused.holders)


async def test_acmes_ledger_has_a_correction_and_a_late_report(lived: Store) -> None:
    """Two contractors were one: a reversal and the right value name the wrong event. One report came late."""
    events = await read(lived, "acme", lambda tx: seats.events_page(tx, EventFilter(), limit=100))

    corrections = [event for event in events if event.delta.source is EventSource.CORRECTION]
    wrong = {event.delta.corrects for event in corrections}
    assert sorted(event.delta.net for event in corrections) == [-2, 1]
    assert len(wrong & {event.id for event in events}) == 1
    late = [event for event in events if event.recorded_at > event.delta.effective_at + timedelta(hours=12)]
    assert len(late) == 3


async def test_globex_pays_german_vat_and_has_a_line_that_waits(lived: Store) -> None:
    """Three kinds of seats, 19 % on every invoice, the last one open, two viewers on the next invoice."""
    said: Summary = await read(lived, "globex", summary)
    found: list[Document] = await read(lived, "globex", invoices)
    held_back: list[StoredLine] = await read(lived, "globex", waiting)

    assert {each.metric: each.committed for each in said.seats} == {"full": 10, "viewer": 14, "guest": 20}
    assert {tax.treatment.rate for document in found for tax in document.totals.taxes} == {Decimal(19)}
    assert (await read(lived, "globex", statuses))[-1] is InvoiceStatus.OPEN
    assert [(line.line.kind, line.line.quantity) for line in held_back] == [(LineKind.ADDED, 2)]
    assert {document.locale for document in found} == {"de"}


async def test_initech_pays_by_the_year_and_gives_back_at_the_renewal(lived: Store) -> None:
    """144.00 a seat and year: 20 seats 2,880.00; renewed once with 22; four leave at the next renewal."""
    live_one: Subscription = await read(lived, "initech", live_subscription)
    found: list[Document] = await read(lived, "initech", invoices)
    waits = await read(lived, "initech", subscriptions.scheduled, [live_one.id])

    assert [str(found[0].totals.total), str(found[2].totals.total)] == ["2880.00 GBP", "3168.00 GBP"]
    assert live_one.cycle == 1
    assert [change.scheduled.change for change in waits[live_one.id]] == [SeatsAtRenewal(Item("editor"), 20)]
    assert {document.totals.tax.minor for document in found} == {0}


async def test_the_books_agree(lived: Store) -> None:
    """The levels beside the ledger are its sums, and a person sits in every seat in use but for guests."""
    for reference in past.REFERENCES:
        levels = await read(lived, reference, seats.levels)
        assert levels == await read(lived, reference, seats.levels_at, NOW)
        occupied = await read(lived, reference, holders.occupied)
        assert {metric: level.in_use for metric, level in levels.items() if metric != "guest"} == {
            metric: who.count for metric, who in occupied.items()
        }


async def test_documents_are_numbered_in_the_order_of_their_days(lived: Store) -> None:
    """The past of all three is one: invoices DEMO-INV-000001 and on, without gaps, by the day of issue."""
    every = [each for reference in past.REFERENCES for each in await read(lived, reference, invoices)]
    ordered = sorted(every, key=lambda document: document.number.sequence)

    assert [document.number.text for document in ordered] == [
        f"DEMO-INV-{n + 1:06}" for n in range(len(every))
    ]
    assert [document.issued_at for document in ordered] == sorted(document.issued_at for document in every)
    assert {document.kind for document in every} == {DocumentKind.INVOICE}


async def test_it_was_lived_and_not_inserted(lived: Store) -> None:
    """Every change of committed seats was recorded at the instant it took effect, some of them months ago."""
    for reference in past.REFERENCES:
        events = await read(lived, reference, lambda tx: seats.events_page(tx, EventFilter(), limit=100))
        committed = [event for event in events if event.delta.kind is BalanceKind.COMMITTED]
        assert all(event.recorded_at == event.delta.effective_at for event in committed)
        assert min(event.recorded_at for event in committed) < NOW - timedelta(days=100)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2028, 2, 29, 23, 30, tzinfo=UTC),
        datetime(2027, 3, 31, 4, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
    ],
)
async def test_any_day_will_do(now: datetime, sqlite_template: Path, tmp_path: Path) -> None:
    """A leap day, the end of a long month, a night when clocks change, a new year: the same past."""
    async with opened(copied(sqlite_template, tmp_path), now) as (store, clock):
        await past.live(store, clock, now)

        said: Summary = await read(store, "acme", summary)
        assert [(each.committed, each.in_use) for each in said.seats] == [(15, 12)]
        assert said.credit.minor > 0
        for reference in past.REFERENCES:
            live_one: Subscription = await read(store, reference, live_subscription)
            today = local_day(now, live_one.zone)
            assert live_one.period.first_day < today < live_one.period.end_day - timedelta(days=1)


def test_every_scene_of_every_day_is_in_the_past() -> None:
    """For each day of four years: no scene is later than now, and a customer comes before all else."""
    for day in range(4 * 366):
        now = datetime(2026, 1, 1, 0, 0, tzinfo=UTC) + timedelta(days=day, minutes=37 * day)
        for diary in (acme.diary, globex.diary, initech.diary):
            scenes: list[Scene] = sorted(diary(now), key=lambda scene: scene.at)
            assert scenes[-1].at < now
            assert scenes[0].deed in (acme.ACME, globex.GLOBEX, initech.INITECH)


async def test_the_same_day_gives_the_same_past(lived: Store, sqlite_template: Path, tmp_path: Path) -> None:
    """Lived again elsewhere, every document has the same number, day and totals, each line its words."""
    async with opened(copied(sqlite_template, tmp_path)) as (again, clock):
        await past.live(again, clock, NOW)

        for reference in past.REFERENCES:
            assert await read(lived, reference, said_again) == await read(again, reference, said_again)


async def test_another_catalog_is_left_alone(database_url: str) -> None:
    """Where a seller has applied its own catalog, the demo refuses, and that catalog stays on offer."""
    async with opened(database_url) as (store, clock):
        own = await store.deployment(apply_catalog, declared())

        with pytest.raises(past.DemoImpossible, match="a catalog of its own"):
            await past.live(store, clock, NOW)

        assert own.changed
        assert not (await store.deployment(apply_catalog, declared())).changed


async def test_a_scene_that_is_refused_stops_the_play(database_url: str) -> None:
    """A diary that does not fit the rules is a fault of ours, and says which scene it was."""
    nowhere = Scene(NOW - timedelta(days=1), "acme", replace(acme.ACME, zone="Nowhere/Else"))

    async with opened(database_url) as (store, clock):
        with pytest.raises(SceneRefused, match="no IANA time zone"):
            await Stage(store, clock).play([nowhere], NOW)


async def test_the_summary_of_a_customer_without_a_plan(database_url: str) -> None:
    """Who has registered and not started has no plan, no seats and no documents; who is unknown, nothing."""
    async with opened(database_url) as (store, _):
        customer = new_id(NOW)
        async with store.reads(customer) as scope:
            assert await scope.run(summary) is None
        await store.run(customer, register_customer, SYSTEM, acme.ACME)
        said: Summary = await read(store, "acme", summary)

    assert (said.plan, said.seats, said.invoice, said.credit_note) == (None, (), None, None)


async def test_a_crowd_is_due_and_can_be_billed(database_url: str) -> None:
    """Seven more customers on three plans: each renewal is due now, is billed once, and is due no more."""
    async with opened(database_url) as (store, clock):
        await past.offer_catalog(store)
        made = [number async for number in crowd(store, clock, NOW, 7)]
        due = await store.system(system.due_subscriptions, after=None, limit=100)

        assert made == [1, 2, 3, 4, 5, 6, 7]
        assert len(due) == 7
        for reference in due:
            assert await store.run(reference.customer, bill, reference.id) is None
        assert await store.system(system.due_subscriptions, after=None, limit=100) == []
        for reference in due:
            async with store.reads(reference.customer) as scope:
                assert len(await scope.run(invoices)) == 2
                assert (await scope.run(live_subscription)).cycle == 1
