"""Guards: the database itself keeps rows of history as they are, whoever asks and by whatever statement."""

import sqlite3
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from app.store import triggers
from app.store.transaction import DeploymentTx, Store
from tests.store import scratch

FIRST = "01890a5d-ac96-774b-bcce-b302099a8057"
SECOND = "01890a5d-ac96-774b-bcce-b302099a8058"


async def sql(store: Store, *statements: str) -> None:
    """Run statements in one transaction."""

    def run(tx: DeploymentTx) -> None:
        for statement in statements:
            tx.connection.exec_driver_sql(statement)

    await store.deployment(run)


async def content(store: Store, table: str) -> list[tuple[object, ...]]:
    """All rows of a table, ids as text."""

    def read(tx: DeploymentTx) -> list[tuple[object, ...]]:
        rows = tx.connection.execute(text(f'SELECT * FROM "{table}" ORDER BY id')).all()
        return [tuple(str(value) if value is not None else None for value in row) for row in rows]

    return await store.deployment(read)


async def refused(store: Store, table: str, *statements: str) -> None:
    """Each of the statements is refused with the table's name, and changes nothing."""
    before = await content(store, table)
    for statement in statements:
        with pytest.raises(IntegrityError, match=table):
            await sql(store, statement)
        assert await content(store, table) == before, statement


@pytest.fixture
async def filled(scratch_store: Store) -> Store:
    """A row in each guarded table: a ledger row, a file, a line without document, a draft, a final paper."""
    await sql(
        scratch_store,
        f"INSERT INTO ledger (customer_id, id, key, added) VALUES ('{FIRST}', '{FIRST}', 'k', 5)",
        f"INSERT INTO file (id, content) VALUES ('{FIRST}', 'first')",
        f"INSERT INTO line (id, amount) VALUES ('{FIRST}', 100)",
        f"INSERT INTO paper (id, status, total, paid) VALUES ('{FIRST}', 'DRAFT', 100, 0)",
        f"INSERT INTO paper (id, status, total, paid) VALUES ('{SECOND}', 'OPEN', 200, 0)",
    )
    return scratch_store


async def test_a_ledger_row_stays(filled: Store) -> None:
    """No UPDATE, not even to the same value; no DELETE; but further rows are added."""
    await refused(
        filled,
        "ledger",
        "UPDATE ledger SET added = 6",
        "UPDATE ledger SET added = added",
        "DELETE FROM ledger",
        f"DELETE FROM ledger WHERE id = '{FIRST}'",
    )

    await sql(filled, f"INSERT INTO ledger VALUES ('{FIRST}', '{SECOND}', 'l', 6)")
    assert len(await content(filled, "ledger")) == 2


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_truncate_is_refused(filled: Store) -> None:
    """TRUNCATE, which no row trigger sees, is refused on every guarded table, by CASCADE too."""
    for table in ("ledger", "file", "line", "paper"):
        await refused(filled, table, f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("recursive", ["OFF", "ON"])
async def test_replace_is_refused(filled: Store, scratch_url: str, recursive: str) -> None:
    """REPLACE would delete the old row: refused for the primary key and for any other key, also on a foreign
    connection that does not ask for recursive triggers.
    """
    other = sqlite3.connect(scratch_url.removeprefix("sqlite+aiosqlite:///"))
    other.execute(f"PRAGMA recursive_triggers = {recursive}")
    for statement in (
        f"INSERT OR REPLACE INTO ledger VALUES ('{FIRST}', '{FIRST}', 'other', 7)",
        f"REPLACE INTO ledger VALUES ('{FIRST}', '{SECOND}', 'k', 7)",
        f"INSERT OR REPLACE INTO line (id, amount) VALUES ('{FIRST}', 7)",
        f"INSERT OR REPLACE INTO paper VALUES ('{SECOND}', 'OPEN', 7, 0)",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
    other.close()

    assert await content(filled, "ledger") == [(FIRST, FIRST, "k", "5")]


async def test_the_first_file_wins(filled: Store) -> None:
    """ON CONFLICT DO NOTHING leaves the first bytes, without an error, on both engines."""
    await sql(filled, f"INSERT INTO file (id, content) VALUES ('{FIRST}', 'second') ON CONFLICT DO NOTHING")

    assert await content(filled, "file") == [(FIRST, "first")]
    await refused(filled, "file", "UPDATE file SET content = 'second'", "DELETE FROM file")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_the_first_file_wins_over_replace(filled: Store) -> None:
    """REPLACE of a file leaves the first bytes too."""
    await sql(filled, f"INSERT OR REPLACE INTO file (id, content) VALUES ('{FIRST}', 'second')")

    assert await content(filled, "file") == [(FIRST, "first")]


async def test_a_line_gets_its_document_once(filled: Store) -> None:
    """The columns that wait may be filled, one after the other; nothing else changes, and nothing twice."""
    await refused(filled, "line", "UPDATE line SET amount = 7", f"UPDATE line SET id = '{SECOND}'")

    await sql(filled, f"UPDATE line SET document_id = '{FIRST}'", "UPDATE line SET position = 1")

    assert await content(filled, "line") == [(FIRST, "100", FIRST, "1")]
    await refused(
        filled,
        "line",
        f"UPDATE line SET document_id = '{SECOND}'",
        "UPDATE line SET document_id = NULL",
        "UPDATE line SET position = 2",
        "UPDATE line SET position = 2, amount = 7",
        "DELETE FROM line",
    )


async def test_a_final_paper_is_frozen(filled: Store) -> None:
    """A final row keeps its amounts, may be paid, is never deleted, and never a draft again."""
    final = f"WHERE id = '{SECOND}'"
    await refused(
        filled,
        "paper",
        f"UPDATE paper SET total = 7 {final}",
        f"UPDATE paper SET total = 7, paid = 7 {final}",
        f"UPDATE paper SET id = '{uuid4()}' {final}",
        f"UPDATE paper SET status = 'DRAFT' {final}",
        f"DELETE FROM paper {final}",
        "DELETE FROM paper",
        "UPDATE paper SET total = 7",
    )

    await sql(filled, f"UPDATE paper SET paid = 200, status = 'PAID' {final}")
    assert (await content(filled, "paper"))[1] == (SECOND, "PAID", "200", "200")


async def test_a_draft_is_free(filled: Store) -> None:
    """A row for which the condition does not hold changes, becomes final, or goes."""
    draft = f"WHERE id = '{FIRST}'"
    await sql(filled, f"UPDATE paper SET total = 7 {draft}", f"UPDATE paper SET status = 'OPEN' {draft}")
    assert (await content(filled, "paper"))[0] == (FIRST, "OPEN", "7", "0")

    await sql(filled, f"INSERT INTO paper VALUES ('{uuid4()}', 'DRAFT', 1, 0)")
    await sql(filled, "DELETE FROM paper WHERE status = 'DRAFT'")
    assert len(await content(filled, "paper")) == 2


async def test_a_key_may_repeat_where_it_always_might(filled: Store) -> None:
    """Null is no key: two lines without a document do not get in each other's way."""

    def add(tx: DeploymentTx) -> None:
        for _ in range(2):
            tx.connection.execute(insert(scratch.line).values(id=tx.new_id(), amount=1))

    await filled.deployment(add)

    assert len(await content(filled, "line")) == 3


async def test_guards_are_known_by_name(scratch_store: Store) -> None:
    """What is there is what was listed; without its trigger a guard is missed; put up again, it guards."""
    dialect = scratch_store.writer.dialect.name
    listed = triggers.expected(dialect, scratch.GUARDS)

    def names(tx: DeploymentTx) -> set[str]:
        return triggers.present(tx.connection)

    assert await scratch_store.deployment(names) == listed
    await sql(
        scratch_store, f"DROP TRIGGER guard_ledger_update{' ON ledger' if dialect == 'postgresql' else ''}"
    )
    assert listed - await scratch_store.deployment(names) == {"guard_ledger_update"}

    await scratch_store.deployment(lambda tx: triggers.install(tx.connection, scratch.GUARDS))
    assert await scratch_store.deployment(names) == listed

    await scratch_store.deployment(lambda tx: triggers.remove(tx.connection))
    assert await scratch_store.deployment(names) == set()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_a_guard_put_to_sleep_is_missed(scratch_store: Store) -> None:
    """A trigger that was disabled does not count as present."""
    await sql(scratch_store, "ALTER TABLE ledger DISABLE TRIGGER guard_ledger_delete")

    present = await scratch_store.deployment(lambda tx: triggers.present(tx.connection))

    assert triggers.expected("postgresql", scratch.GUARDS) - present == {"guard_ledger_delete"}
