"""The tables of the business: what the migrations make is what the program declares, on both engines."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    event,
)

from app.billing.requests import SeatQuantity
from app.store import migrate, tables, triggers
from app.store.columns import Count, Id
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.transaction import DeploymentTx, Store
from tests.api import world
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
    made = await declared.batch(declared_rules)
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


def of_customers() -> list[Table]:
    """The tables of customer data."""
    return [table for table in metadata.tables.values() if table.name not in tables.DEPLOYMENT_TABLES]


def named(columns: Iterable[Any]) -> list[str]:
    """Columns by name."""
    return [column.name for column in columns]


def test_the_customer_comes_first_in_every_key() -> None:
    """Every key of customer data starts with the customer; only the deployment's tables have none."""
    keyless = {
        table.name
        for table in metadata.tables.values()
        if next(iter(table.primary_key)).name != "customer_id"
    }

    assert keyless == set(tables.DEPLOYMENT_TABLES) & set(metadata.tables)


def test_the_customer_comes_first_in_every_unique_rule_and_index() -> None:
    """So a shard alone can keep them. Only the look-ups of what is due go across customers; their indexes are
    listed, and promise nothing unique.
    """
    across = {
        index.name
        for table in of_customers()
        for index in table.indexes
        if named(index.columns)[0] != "customer_id"
    }
    unique = [
        f"{table.name}: {named(rule.columns)}"
        for table in of_customers()
        for rule in (*table.constraints, *table.indexes)
        if (isinstance(rule, UniqueConstraint) or (isinstance(rule, Index) and rule.unique))
        and named(rule.columns)[0] != "customer_id"
    ]

    assert unique == []
    assert across == tables.ACROSS_CUSTOMERS


def test_references_stay_inside_the_customer() -> None:
    """A foreign key between rows of customers starts with the customer on both sides, and there is none
    between a customer's rows and the deployment's.
    """
    strays = [
        f"{table.name}: {key.column_keys}"
        for table in of_customers()
        for key in table.foreign_key_constraints
        if key.column_keys[0] != "customer_id"
        or key.elements[0].column.name != "customer_id"
        or key.referred_table.name in tables.DEPLOYMENT_TABLES
    ]
    deployment = [name for name in tables.DEPLOYMENT_TABLES if metadata.tables[name].foreign_keys]

    assert strays == []
    assert deployment == []


def test_no_engine_counts_for_us() -> None:
    """Ids and numbers are made by the program: no sequence, no identity, no default that the database finds,
    no generated column.
    """
    columns = [column for table in metadata.tables.values() for column in table.columns]

    assert list(metadata._sequences) == []
    assert [str(c) for c in columns if c.identity or c.computed or c.server_default or c.default] == []
    keys = [column for column in columns if column.primary_key and isinstance(column.type, Integer | Count)]
    assert named(keys) == ["value", "number"], "ordinals: of a document in its series, of a delivery's try"
    assert all(table.autoincrement_column is None or table.name == "number" for table in of_customers())


def test_rules_are_of_the_kinds_that_every_engine_knows() -> None:
    """No rule is deferred to the end of a transaction or excludes ranges; a table has its key, its
    references, its checks, and unique indexes.
    """
    rules = [rule for table in metadata.tables.values() for rule in table.constraints]

    assert {type(rule) for rule in rules} <= {PrimaryKeyConstraint, ForeignKeyConstraint, CheckConstraint}
    assert [rule.name for rule in rules if rule.deferrable or rule.initially] == []
    assert [key.name for key in rules if isinstance(key, ForeignKeyConstraint) and key.ondelete] == []


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
async def test_postgres_itself_agrees(store: Store) -> None:
    """In a migrated database there is no sequence, no identity, no deferrable or exclusion constraint, no
    view, no rule, and no trigger but the guards and those of foreign keys.
    """
    asked = {
        "sequences": "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()",
        "identities": "SELECT attname FROM pg_attribute WHERE attidentity <> '' OR attgenerated <> ''",
        "constraints": "SELECT conname FROM pg_constraint WHERE condeferrable OR contype IN ('x', 't')",
        "views": "SELECT viewname FROM pg_views WHERE schemaname = current_schema()",
        "rules": "SELECT rulename FROM pg_rules WHERE schemaname = current_schema()",
        "triggers": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE 'guard%'",
    }

    def found(tx: DeploymentTx) -> dict[str, list[str]]:
        return {
            what: list(tx.connection.exec_driver_sql(query).scalars())
            for what, query in asked.items()
            if list(tx.connection.exec_driver_sql(query).scalars())
        }

    assert await store.deployment(found) == {}


def test_every_id_is_a_uuid_of_the_program() -> None:
    """A column that names a row is an id made by `app.store.ids`; what the vendor names is text."""
    ids = {
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if (column.name == "id" or column.name.endswith("_id")) and not isinstance(column.type, Id)
    }

    assert ids == set()


async def test_a_unit_touches_one_customer(store: Store, clock: Clock) -> None:
    """Of every statement that the services make for one customer, each that reads or writes customer data has
    the customer among its values: so it goes to one shard.
    """
    customers = {table.name for table in of_customers()}
    strays: list[str] = []
    seen: list[str] = []
    async with watched(store, customers, seen, strays):
        lived = await world.live(store, clock)
        clock.now = world.NOON
        await world.change(store, lived.acme, lived.subscription, "fewer", SeatQuantity("editor", remove=3))
        await store.run(lived.acme, world.end_with_the_period, lived.subscription)

    assert len(seen) > 100
    assert sorted(set(strays)) == []


@asynccontextmanager
async def watched(
    store: Store, customers: set[str], seen: list[str], strays: list[str]
) -> AsyncIterator[None]:
    """Note each statement on customer data, and those that do not name a customer."""
    word = re.compile(rf'\b(?:FROM|JOIN|INTO|UPDATE)\s+"?({"|".join(sorted(customers))})"?\b', re.IGNORECASE)

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if word.search(statement):
            seen.append(statement)
            if "customer_id" not in statement:
                strays.append(statement)

    for engine in (store.writer.sync_engine, store.reader.sync_engine):
        event.listen(engine, "before_cursor_execute", note)
    yield
    for engine in (store.writer.sync_engine, store.reader.sync_engine):
        event.remove(engine, "before_cursor_execute", note)
