"""Row-level security: on PostgreSQL the database itself keeps customers apart, whoever asks it and how."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, make_url, select, text

from app.services.doctor import examine
from app.store import migrate, policies
from app.store.backups import back_up, restore
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.scope import ACROSS, NOBODY, Scope, told
from app.store.tables import TENANT_TABLES, customer
from app.store.transaction import Tx
from tests.api import world
from tests.api.world import Lived
from tests.conftest import Clock
from tests.store.conftest import Roles

PLAIN = "+asyncpg"


@pytest.fixture
def engine_name() -> str:
    """SQLite has no policies: there the criteria of statements keep customers apart."""
    return "postgres"


@pytest.fixture
def owner_url(empty_database_url: str, roles: Roles) -> Iterator[str]:
    """The address of an empty database as its owner, who is nobody special."""
    with roles.made(empty_database_url) as role:
        roles.execute(empty_database_url, f"GRANT ALL ON SCHEMA public TO {role}")
        yield empty_database_url.replace("//seatport@", f"//{role}@")


@pytest.fixture
async def lived(owner_url: str, clock: Clock) -> Lived:
    """Two customers with a history, in that database."""
    await migrate.upgrade(owner_url)
    store = open_store(owner_url, clock=clock)
    found = await world.live(store, clock)
    await store.close()
    return found


async def seen(url: str, scope: Scope) -> dict[str, set[str]]:
    """The customers whose rows are there in each table, for a transaction of some scope."""
    connection = await asyncpg.connect(url.replace(PLAIN, ""))
    try:
        async with connection.transaction():
            await connection.execute(told(scope) or "SELECT 1")
            return {
                name: {str(row[0]) for row in await connection.fetch(f'SELECT customer_id FROM "{name}"')}
                for name in sorted(TENANT_TABLES)
            }
    finally:
        await connection.close()


def test_every_table_of_customers_has_one() -> None:
    """What has a `customer_id` has a policy, without being named anywhere."""
    assert {table.name for table in metadata.sorted_tables if "customer_id" in table.columns} == TENANT_TABLES
    assert {"customer", "document", "seat_event", "portal_session"} <= TENANT_TABLES


async def test_who_says_nothing_sees_nothing(owner_url: str, lived: Lived) -> None:
    """No row of any table, even for the owner of the tables; of one customer's transaction, only that one's
    rows; and across customers all.
    """
    nobody, one, all_of_them = [await seen(owner_url, scope) for scope in (NOBODY, Scope(lived.acme), ACROSS)]

    assert set().union(*nobody.values()) == set()
    assert set().union(*one.values()) == {str(lived.acme)}
    assert set().union(*all_of_them.values()) == {str(lived.acme), str(lived.globex)}
    assert {name for name, found in one.items() if found} >= {"document", "outbox", "seat_event", "audit"}


async def test_rows_are_written_for_oneself_alone(owner_url: str, lived: Lived) -> None:
    """A row of another customer is neither added, nor changed, nor taken; nor does one change hands."""
    connection = await asyncpg.connect(owner_url.replace(PLAIN, ""))
    mine, other = lived.acme, lived.globex
    add = f"INSERT INTO seat_level VALUES ('{other}', 'x', 'IN_USE', 1)"
    give = f"UPDATE seat_level SET customer_id = '{other}'"
    for statement in (add, give):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"BEGIN; {told(Scope(mine))}; {statement}")
        await connection.execute("ROLLBACK")
    async with connection.transaction():
        await connection.execute(told(Scope(mine)))
        change = f"UPDATE customer SET name = 'taken over' WHERE customer_id = '{other}'"
        assert await connection.execute(change) == "UPDATE 0"
        assert (
            await connection.execute(f"DELETE FROM seat_holder WHERE customer_id = '{other}'") == "DELETE 0"
        )
    await connection.close()


async def test_a_scope_ends_with_its_transaction(owner_url: str, lived: Lived, clock: Clock) -> None:
    """The next transaction on the same connection has to say its own, however the last one ended."""
    store = open_store(owner_url, clock=clock)

    def count(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM pg_class")).scalar_one())

    def rows(tx: Tx) -> int:
        return len(tx.connection.execute(select(customer).where(customer.c.customer_id == tx.customer)).all())

    def fail(_tx: Tx) -> None:
        raise ZeroDivisionError

    for _ in range(3):
        assert await store.run(lived.acme, rows) == 1
        with pytest.raises(ZeroDivisionError):
            await store.run(lived.globex, fail)
    async with store.writer.connect() as connection:
        await connection.run_sync(count)
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        assert not await driver.fetchval("SELECT current_setting('app.customer', true)")
        assert await driver.fetchval("SELECT count(*) FROM document") == 0
    await store.close()


async def test_work_across_customers_goes_on(
    owner_url: str, lived: Lived, tmp_path: Path, roles: Roles, empty_database_url: str
) -> None:
    """The owner migrates again, the doctor finds nothing wrong among all customers, and a backup holds and
    gives back the rows of all.
    """
    assert await migrate.upgrade(owner_url) == migrate.head()
    report = await examine(owner_url)
    assert (report.broken, report.customers) == ((), 2)

    copy = tmp_path / "copy.dump"
    before = await seen(owner_url, ACROSS)
    await back_up(owner_url, copy)
    owner = str(make_url(owner_url).username)
    roles.execute(empty_database_url, f"DROP OWNED BY {owner}")
    roles.execute(empty_database_url, f"GRANT ALL ON SCHEMA public TO {owner}")
    await restore(owner_url, copy)
    assert await seen(owner_url, ACROSS) == before
    assert set().union(*(await seen(owner_url, NOBODY)).values()) == set()


@pytest.mark.parametrize(
    "damage",
    [
        "DROP POLICY seatport_tenant ON document",
        "ALTER TABLE document DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE document NO FORCE ROW LEVEL SECURITY",
    ],
)
async def test_a_table_that_asks_nobody_is_noticed(owner_url: str, roles: Roles, damage: str) -> None:
    """The server does not start on it, the doctor names it, and migrating puts it right."""
    await migrate.upgrade(owner_url)
    roles.execute(owner_url, damage)

    with pytest.raises(migrate.GuardsMissing, match="keep customers apart \\(document\\)"):
        await migrate.check(owner_url)
    (verdict,) = (await examine(owner_url)).broken
    assert verdict.check == "database.policies"
    await migrate.upgrade(owner_url)
    await migrate.check(owner_url)


async def test_a_superuser_is_told(owner_url: str, empty_database_url: str) -> None:
    """Whom no policy binds can be told from whom they do."""
    for url, above in ((owner_url, False), (empty_database_url, True)):
        assert await migrate.within(url, policies.are_passed_over) is above
