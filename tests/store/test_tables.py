"""The tables of the business: what the migrations make is what the program declares, on both engines."""

from typing import Final

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from app.store import migrate, tables, triggers
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.transaction import DeploymentTx, Store
from tests.conftest import Clock

RULES: Final = {
    "postgresql": """
        SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'alembic_version'
        UNION ALL SELECT indexdef FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
        UNION ALL SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name <> 'alembic_version'
    """,
    "sqlite": """
        SELECT sql FROM sqlite_schema
        WHERE type IN ('table', 'index') AND sql IS NOT NULL AND tbl_name <> 'alembic_version'
    """,
}


def rules(connection: Connection) -> set[str]:
    """The database's own words on its tables: a line for each column, key, check and index."""
    found = connection.exec_driver_sql(RULES[connection.dialect.name]).scalars()
    return {f"{sql.splitlines()[0]} {line.strip(', ')}" for sql in found for line in sql.splitlines()}


async def test_migrations_make_the_declared_tables(
    store: Store, empty_database_url: str, clock: Clock
) -> None:
    """A migrated database and one made from the declarations have the same columns, keys, checks, indexes."""

    def declared_rules(tx: DeploymentTx) -> set[str]:
        metadata.create_all(tx.connection)
        return rules(tx.connection)

    declared = open_store(empty_database_url, clock=clock)
    made = await declared.deployment(declared_rules)
    await declared.close()

    assert await store.deployment(lambda tx: rules(tx.connection)) == made


async def test_nothing_is_left_to_migrate(store: Store) -> None:
    """Alembic finds no difference between the database at its head and the declared tables."""

    def differences(tx: DeploymentTx) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(tx.connection), metadata))

    assert await store.deployment(differences) == []


async def test_every_guard_is_up(store: Store) -> None:
    """A migrated database has exactly the triggers that the list promises."""
    present = await store.deployment(lambda tx: triggers.present(tx.connection))

    assert present == triggers.expected(store.writer.dialect.name)
    assert {table.name for table in tables.APPEND_ONLY} <= {guard.table for guard in triggers.GUARDS}


async def test_a_migrated_database_is_at_the_head(database_url: str) -> None:
    """The program starts on a database that it has migrated."""
    await migrate.check(database_url)

    assert await migrate.current(database_url) == migrate.head() is not None


def test_the_customer_comes_first_in_every_key() -> None:
    """Every key of customer data starts with the customer; only the deployment's tables have none."""
    keyless = {
        table.name
        for table in metadata.tables.values()
        if next(iter(table.primary_key)).name != "customer_id"
    }

    assert keyless == set(tables.DEPLOYMENT_TABLES) & set(metadata.tables)


def test_references_stay_inside_the_customer() -> None:
    """A foreign key between rows of customers starts with the customer on both sides."""
    strays = [
        f"{table.name}: {key.column_keys}"
        for table in metadata.tables.values()
        if table.name not in tables.DEPLOYMENT_TABLES
        for key in table.foreign_key_constraints
        if key.column_keys[0] != "customer_id" or key.elements[0].column.name != "customer_id"
    ]

    assert strays == []
