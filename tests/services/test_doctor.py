"""The doctor names the first row of each promise that does not hold, on both engines, and writes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
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
from app.store.checks import BY_CUSTOMER, OF_DEPLOYMENT, Broken, check
from app.store.collecting import await_collection
from app.store.documents import InvoiceFilter
from app.store.engine import open_store, parsed, postgres_engine, sqlite_engine
from app.store.inspection import FIRST, LAST, Found, Page, found_of
from app.store.metadata import metadata
from app.store.pending import PendingChange
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.transaction import Tx
from tests import postgres
from tests.api import world
from tests.conftest import Clock, own_database
from tests.gateways.posting import OK, Says, delivering, endpoint
from tests.postgres import in_own_loop

NOBODY: Final = "00000000-0000-7000-8000-000000000000"
NOTE: Final = "(SELECT id FROM document WHERE kind = 'CREDIT_NOTE')"
LATEST: Final = "(SELECT id FROM document WHERE kind = 'INVOICE' ORDER BY id DESC LIMIT 1)"
NAMED: Final = "(SELECT id FROM seat_event WHERE holder IS NOT NULL ORDER BY id LIMIT 1)"
ADDED: Final = "(SELECT id FROM billing_line WHERE kind = 'ADDED')"
CHARGED: Final = "(SELECT id FROM billing_line WHERE kind = 'PERIOD' AND amount > 0 ORDER BY id LIMIT 1)"
LINE: Final = (
    "INSERT INTO billing_line SELECT {columns} FROM billing_line WHERE kind = 'PERIOD' ORDER BY id LIMIT 1 "
    "RETURNING {returned}"
)

DAMAGES: Final = {
    "seats.level": "UPDATE seat_level SET balance = balance + 1 WHERE kind = 'IN_USE' RETURNING metric",
    "seats.checkpoint": (
        "UPDATE seat_checkpoint SET events = events + 1 WHERE kind = 'COMMITTED' RETURNING metric"
    ),
    "seats.never_negative": f"UPDATE seat_event SET removed = removed + 90 WHERE id = {NAMED} RETURNING id",
    "seats.holder": "UPDATE seat_holder SET seats = seats + 1 RETURNING holder",
    "credit.balance": "UPDATE customer SET credit = credit + 1 RETURNING customer_id",
    "credit.moved": (
        f"INSERT INTO credit_entry SELECT customer_id, '{NOBODY}', 5, id, issued_at, recorded_at "
        f"FROM document WHERE id = {NOTE} RETURNING document_id"
    ),
    "credit.given_back": (
        f"UPDATE document SET credit_added = credit_added + 1 WHERE id = {NOTE} RETURNING id"
    ),
    "receivable.kept": f"DELETE FROM receivable WHERE invoice_id = {LATEST} RETURNING invoice_id",
    "receivable.open": (
        f"UPDATE receivable SET open = open - 1 WHERE invoice_id = {LATEST} RETURNING invoice_id"
    ),
    "currency.one": f"UPDATE document SET currency = 'CHF' WHERE id = {LATEST} RETURNING id",
    "documents.subtotal": (
        f"UPDATE billing_line SET amount = amount + 1 WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.taxes": (
        f"UPDATE billing_line SET tax_label = 'Toll' WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.total": f"UPDATE document SET tax = tax + 1 WHERE id = {LATEST} RETURNING id",
    "documents.due": f"UPDATE document SET amount_due = amount_due - 1 WHERE id = {LATEST} RETURNING id",
    "documents.positions": (
        f"UPDATE billing_line SET position = position + 1 WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.numbered": f"UPDATE document SET sequence = sequence + 90 WHERE id = {LATEST} RETURNING id",
    "documents.page": (
        "UPDATE document_view SET view = replace(view, ' seats × ', ' chairs × ') "
        f"WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.file": "UPDATE document_file SET content = {bytes} RETURNING document_id",
    "documents.rendered": "DELETE FROM document_file RETURNING document_id",
    "lines.waiting": f"UPDATE billing_line SET document_id = NULL WHERE id = {ADDED} RETURNING id",
    "lines.amount": f"UPDATE billing_line SET amount = amount + 1 WHERE id = {CHARGED} RETURNING id",
    "lines.credited": (
        "UPDATE billing_line SET amount = amount - 100000 WHERE reverses IS NOT NULL RETURNING reverses"
    ),
    "lines.events": f"DELETE FROM line_event WHERE line_id = {ADDED} RETURNING line_id",
    "periods.tile": LINE,
    "periods.once": LINE,
    "segments.tile": (
        f"INSERT INTO segment SELECT customer_id, '{NOBODY}', subscription_id, metric, price_id, "
        "period_start + 1{us}, period_end, full_start, full_end, opened_at, zone, seat_limit, recorded_at "
        "FROM segment RETURNING id"
    ),
    "keys.effect": f"UPDATE idempotency SET outcome = {{outcome:{NOBODY}}} RETURNING key",
    "keys.once": (
        "INSERT INTO idempotency SELECT customer_id, mutation, 'another key', fingerprint, outcome, "
        "recorded_at FROM idempotency ORDER BY key DESC LIMIT 1 RETURNING key"
    ),
    "payments.changes": "UPDATE pending_change SET status = 'APPLIED', reason = NULL RETURNING id",
    "payments.collected": "UPDATE collection SET status = 'COLLECTED' RETURNING invoice_id",
    "versions.posted": "UPDATE subscription SET version = version + 1 RETURNING id",
    "chain.links": "UPDATE audit SET actor = 'nobody' WHERE position = 2 RETURNING id",
    "chain.deployment": "UPDATE deployment_audit SET action = 'nothing' RETURNING id",
    "outbox.documents": f"DELETE FROM outbox WHERE object_id = {LATEST} RETURNING object_id",
    "outbox.sequence": "UPDATE outbox SET sequence = sequence + 90 RETURNING object_id",
    "sessions.member": f"UPDATE portal_session SET member_id = '{NOBODY}' RETURNING member_id",
    "due.scheduled": "UPDATE subscription SET due_at = due_at + 1{us} RETURNING id",
    "due.ended": "UPDATE subscription SET status = 'ENDED' WHERE due_at IS NOT NULL RETURNING id",
    "customers.named": (
        f"UPDATE customer_reference SET customer_id = '{NOBODY}' WHERE reference = 'acme' RETURNING reference"
    ),
    "numbers.gapless": (
        "UPDATE number_series SET last = last + 1 WHERE series = 'DEMO-CRN' RETURNING series"
    ),
    "numbers.series": "DELETE FROM number_series WHERE series = 'DEMO-CRN' RETURNING series",
    "numbers.documents": f"INSERT INTO number VALUES ('DEMO-INV', 4, '{NOBODY}') RETURNING series",
}
"""One row, or several alike, made wrong behind the database's back; each statement returns what the doctor
has to name.
"""


def audits() -> dict[str, str]:
    """A row of each ledger recorded at an instant of which the audit knows nothing."""
    names = [each.name for each in BY_CUSTOMER if each.name.startswith("audit.")]
    return {
        name: f"UPDATE {name.partition('.')[2]} SET recorded_at = recorded_at + 1{{us}} RETURNING id"
        for name in names
    }


def orphans() -> dict[str, str]:
    """A row of each table led to nothing by each of its references."""
    damages = {}
    for each in BY_CUSTOMER:
        head, _, rest = each.name.partition(".")
        if head == "references":
            table, column = rest.split(".")
            first = f"{column} = (SELECT min({{text:{column}}}) FROM {table})"
            where = f"id = {CHARGED}" if column == "reissues" else first  # Nothing was reissued there.
            damages[each.name] = f"UPDATE {table} SET {column} = '{NOBODY}' WHERE {where} RETURNING {column}"
    return damages


ALL_DAMAGES: Final = {**DAMAGES, **audits(), **orphans()}


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


SEGMENT: Final = f"""
    INSERT INTO segment SELECT customer_id, '{NOBODY[:-1]}1', id, 'editor', price_id, period_start,
    period_end, full_start, full_end, period_start, zone, NULL, started_at
    FROM subscription ORDER BY id LIMIT 1"""


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


def for_engine(statement: str, url: str, name: str) -> str:
    """A damage in the words of an engine."""
    sqlite = url.startswith("sqlite")
    words = check.DIALECTS["sqlite" if sqlite else "postgresql"]
    columns = [
        {
            "id": f"'{NOBODY}'",
            "cycle": "cycle + 1" if name == "periods.tile" else "cycle",
            "period_start": f"period_start + 1{words['microseconds']}"
            if name == "periods.tile"
            else "period_end",
        }.get(column.name, column.name)
        for column in metadata.tables["billing_line"].columns
    ]
    made = f'{{"invoice": "{NOBODY}", "credit_note": null}}'
    replaced = {
        "{us}": words["microseconds"],
        "{bytes}": "x'00'" if sqlite else r"'\x00'",
        "{columns}": ", ".join(columns),
        "{returned}": "id" if name == "periods.tile" else "subscription_id",
        f"{{outcome:{NOBODY}}}": f"'{made}'",
    }
    for word, means in replaced.items():
        statement = statement.replace(word, means)
    while "{text:" in statement:
        before, _, rest = statement.partition("{text:")
        column, _, after = rest.partition("}")
        # PostgreSQL has no smallest id, but a smallest text.
        statement = f"{before}{column}{'' if sqlite else '::text'}{after}"
    return statement if sqlite else statement.replace("= (SELECT min(", "::text = (SELECT min(")


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
