"""The doctor names the first row of each promise that does not hold, on both engines, and writes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.billing.permissions import SYSTEM, Role
from app.billing.requests import ChangeRequest, SeatQuantity
from app.gateways.payments import Declined
from app.services.change_plan import ChangePlan, change_plan
from app.services.collect_payment import conclude
from app.services.doctor import Report, examine
from app.services.open_portal import PortalVisit, open_portal
from app.services.quotes import QuoteSigner
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.register_customer import change_payment_method
from app.store import documents, files, triggers
from app.store.checks import BY_CUSTOMER, OF_DEPLOYMENT, Broken
from app.store.collecting import await_collection
from app.store.documents import InvoiceFilter
from app.store.engine import open_store, parsed, postgres_engine, sqlite_engine
from app.store.inspection import FIRST, LAST, Found, Page, found_of
from app.store.pending import PendingChange
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.transaction import Tx
from tests import postgres
from tests.api import world
from tests.conftest import Clock, own_database
from tests.gateways.posting import OK, Says, delivering, endpoint
from tests.postgres import in_own_loop
from tests.services.damages import ALL_DAMAGES, SEGMENT, for_engine


async def _lived(url: str) -> None:
    """April, and then payments, a credit note, an agreement, a visitor, an end to come, a PDF, webhooks."""
    clock = Clock(world.NOON)
    store = open_store(url, clock=clock)
    lived = await world.live(store, clock)
    clock.now = world.NOON
    await endpoint(store)
    await store.run(lived.acme, _pay)
    await world.change(store, lived.acme, lived.subscription, "fewer", SeatQuantity("editor", remove=3))
    await store.run(lived.acme, _decline, lived.subscription)
    await store.run(lived.globex, _await_money)
    for part in (_agree, _let_in):
        clock.advance(timedelta(minutes=1))
        await store.run(lived.acme, part)
    await store.run(lived.acme, world.end_with_the_period, lived.subscription)
    await store.run(lived.acme, _draw)
    await delivering(store, Says([OK])).once()
    await store.close()


def _pay(tx: Tx) -> None:
    (newest,) = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    assert isinstance(record_payment(tx, SYSTEM, ReceivedPayment(newest.id)), PaymentRecorded)


def _decline(tx: Tx, subscription: UUID) -> None:
    """A change whose payment was declined."""
    change_payment_method(tx, SYSTEM, "a card")
    one = ChangePlan(subscription, ChangeRequest(seats=(SeatQuantity("editor", add=9),)), "declined")
    pending = change_plan(tx, SYSTEM, QuoteSigner(b"no quote"), one, lambda method: method == "a card")
    assert isinstance(pending, PendingChange), pending
    conclude(tx, pending.id, Declined("No money."), "a gateway")
    change_payment_method(tx, SYSTEM, None)


def _await_money(tx: Tx) -> None:
    """An open invoice that a gateway is to collect."""
    (newest,) = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    sheet = Sheet()
    await_collection(sheet, tx, newest.id)
    save(tx.connection, sheet)


def _agree(tx: Tx) -> None:
    new = NewOverride("editor", granted=2)
    assert isinstance(record_override(tx, SYSTEM, new), OverrideRecorded)


def _let_in(tx: Tx) -> None:
    open_portal(tx, SYSTEM, PortalVisit("ada", Role.OWNER, "hash of a token"))


def _draw(tx: Tx) -> None:
    (newest,) = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    files.store_file(tx, newest.id, b"%PDF-1.7 drawn")


@pytest.fixture(scope="module")
def sqlite_books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with a history, to copy."""
    file = tmp_path_factory.mktemp("books") / "seatport.db"
    shutil.copyfile(sqlite_template, file)
    in_own_loop(_lived(f"sqlite+aiosqlite:///{file}"))
    done(f"sqlite+aiosqlite:///{file}", SEGMENT)
    return file


@pytest.fixture(scope="module")
def postgres_books(postgres_server: postgres.Server, postgres_template: str) -> str:
    """The name of a PostgreSQL database with a history, to copy."""
    name = postgres_server.create(postgres_template)
    in_own_loop(_lived(postgres_server.url(name)))
    done(postgres_server.url(name), SEGMENT)
    return name


@pytest.fixture
def books_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a copy of those books."""
    books = request.getfixturevalue(f"{engine_name}_books")
    if engine_name == "sqlite":
        shutil.copyfile(books, tmp_path / "books.db")
        yield f"sqlite+aiosqlite:///{tmp_path}/books.db"
    else:
        yield from own_database(request.getfixturevalue("postgres_server"), books)


def done(url: str, statement: str) -> set[str]:
    """Run a statement with every guard, key and reference switched off; what it returned, as text."""
    if url.startswith("sqlite"):
        return _done_on_sqlite(url.removeprefix("sqlite+aiosqlite:///"), statement)
    return in_own_loop(_done_on_postgres(url.replace("+asyncpg", ""), statement))


def _done_on_sqlite(file: str, statement: str) -> set[str]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in found:
            connection.execute(f"DROP TRIGGER {name}")
        returned = {str(value) for (value,) in connection.execute(statement).fetchall()}
        for _, sql in found:
            connection.execute(sql)
    return returned


@asynccontextmanager
async def defenceless(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine whose connections no guard, key or reference stops."""
    address = parsed(url)
    if url.startswith("sqlite"):
        _without_triggers(str(address.database))
        engine = sqlite_engine(address, begin="BEGIN", size=1, wait_seconds=9, foreign_keys=False)
    else:
        engine = postgres_engine(address, size=1, wait_seconds=9)

        @event.listens_for(engine.sync_engine, "begin")
        def stand_aside(connection: Connection) -> None:
            connection.exec_driver_sql("SET session_replication_role = replica")

    yield engine
    await engine.dispose()


def _without_triggers(file: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")


async def _done_on_postgres(address: str, statement: str) -> set[str]:
    connection = await asyncpg.connect(address)
    await connection.execute("SET session_replication_role = replica")
    rows: list[Any] = await connection.fetch(statement)
    await connection.close()
    return {str(row[0]) for row in rows}


async def test_sound_books_hold(books_url: str) -> None:
    """Nothing is wrong with what was lived through the services; every customer was looked at, one at a time
    or all at once, and each promise has its own name.
    """
    told: list[tuple[int, int]] = []
    report = await examine(books_url, lambda done, of: told.append((done, of)), page=1)

    assert [(verdict.check, verdict.first) for verdict in report.broken] == []
    assert report.sound
    assert report.customers == 2
    assert told == [(1, 2), (2, 2), (2, 2)]
    assert await examine(books_url) == report
    names = [verdict.check for verdict in report.verdicts]
    assert len(names) == len(set(names)) == 4 + len(BY_CUSTOMER) + len(OF_DEPLOYMENT)
    invariants = {verdict.invariant for verdict in report.verdicts}
    assert invariants == {f"I{n}" for n in range(1, 15)}


def test_every_check_is_tried() -> None:
    """No check is without a damage, and no damage without a check."""
    assert ALL_DAMAGES.keys() == {each.name for each in (*BY_CUSTOMER, *OF_DEPLOYMENT)}


async def test_each_damage_is_named(books_url: str) -> None:
    """A row that breaks a promise is named by the check of that promise, with a sentence. Each damage is done
    in a transaction that is rolled back.
    """
    wrong = {}
    async with defenceless(books_url) as engine:
        for name, damage in ALL_DAMAGES.items():
            async with engine.connect() as connection:
                returned = await connection.run_sync(damaged, for_engine(damage, books_url, name))
                found = await connection.run_sync(check_of, name)
                await connection.rollback()
            if not (
                returned and found.first and returned & words_of(found.first) and well_named(found.first)
            ):
                wrong[name] = (returned, found)

    assert wrong == {}


def damaged(connection: Connection, statement: str) -> set[str]:
    """Run a statement; what it returned, as text."""
    return {str(value) for (value,) in connection.exec_driver_sql(statement)}


def check_of(connection: Connection, name: str) -> Found:
    """What one check finds among all customers."""
    (wanted,) = (each for each in (*BY_CUSTOMER, *OF_DEPLOYMENT) if each.name == name)
    return found_of(connection, wanted, Page(FIRST, LAST, 2) if wanted in BY_CUSTOMER else None)


def words_of(broken: Broken) -> set[str]:
    """All that names the row."""
    return {*broken.key.values(), *broken.sentence.split()}


def well_named(broken: Broken) -> bool:
    """Whether ids among the key are ids."""
    return all(UUID(value) for key, value in broken.key.items() if key in {"customer_id", "id"})


@pytest.mark.parametrize("name", ["seats.level", "numbers.gapless", "references.receivable.customer_id"])
async def test_the_doctor_reports_what_a_check_finds(books_url: str, name: str) -> None:
    """The damage of a customer, of the deployment, and of a row of no customer."""
    returned = done(books_url, for_engine(ALL_DAMAGES[name], books_url, name))

    verdict = found_by(await examine(books_url), name)

    assert verdict.broken > 0
    assert verdict.first is not None
    assert returned & words_of(verdict.first)


def found_by(report: Report, name: str) -> Any:
    """The verdict of one check."""
    (verdict,) = (verdict for verdict in report.verdicts if verdict.check == name)
    return verdict


async def test_a_missing_guard_is_named(books_url: str) -> None:
    """A trigger that is gone is a finding by itself, though every row is as it should be."""
    dropped = "DROP TRIGGER guard_audit_delete"
    if books_url.startswith("sqlite"):
        with closing(sqlite3.connect(books_url.removeprefix("sqlite+aiosqlite:///"))) as connection:
            connection.execute(dropped)
    else:
        done(books_url, f"{dropped} ON audit")

    (verdict,) = (await examine(books_url)).broken

    assert verdict.check == "database.guards"
    assert verdict.first is not None
    assert verdict.first.sentence == "the trigger guard_audit_delete is missing"
    assert "guard_audit_delete" in triggers.expected("sqlite")


async def test_a_database_at_another_revision_is_told(empty_database_url: str) -> None:
    """Before the first migration there is one finding, and nothing else is asked."""
    (verdict,) = (await examine(empty_database_url)).verdicts

    assert (verdict.check, verdict.broken) == ("database.head", 1)
    assert verdict.first is not None
    assert "seatport migrate" in verdict.first.sentence


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_torn_file_is_told(books_url: str) -> None:
    """SQLite's own look at its file comes first; of a torn one nothing else is asked."""
    file = Path(books_url.removeprefix("sqlite+aiosqlite:///"))
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'terms'").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = file.read_bytes()
    file.write_bytes(sound[: (page - 1) * size] + bytes(8) + sound[(page - 1) * size + 8 :])

    report = in_own_loop(examine(books_url))

    (verdict,) = report.broken
    assert (verdict.check, len(report.verdicts)) == ("database.file", 2)
    assert verdict.first is not None
    assert str(page) in verdict.first.sentence
