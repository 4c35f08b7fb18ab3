"""A server that runs notices that its database is no longer fit: 503 until it is again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from app.assembly import readiness
from app.store import migrate, triggers
from app.store.engine import open_store
from app.store.transaction import DeploymentTx, Store
from tests import postgres
from tests.conftest import Clock


async def test_a_fit_database_is_ready(store: Store) -> None:
    """At this program's revision, with every guard."""
    assert await readiness(store) is None


@pytest.fixture
async def owner(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """The database as its owner has it, who can take guards down."""
    opened = open_store(database_url, clock=clock)
    yield opened
    await opened.close()


async def test_a_missing_guard_is_noticed(store: Store, owner: Store, database_url: str) -> None:
    """A trigger that is gone is told, by the check of a running server and by that at the start; migrating
    puts it back.
    """
    on = " ON audit" if store.writer.dialect.name == "postgresql" else ""
    await owner.deployment(lambda tx: tx.connection.exec_driver_sql(f"DROP TRIGGER guard_audit_update{on}"))

    said = await readiness(store)
    assert said is not None
    assert "(guard_audit_update). Run `seatport migrate`" in said
    with pytest.raises(migrate.GuardsMissing, match=r"guard_audit_update.*seatport doctor"):
        await migrate.check(database_url)

    await migrate.upgrade(database_url)
    assert await readiness(store) is None
    await migrate.check(database_url)


async def test_another_revision_is_noticed(store: Store, owner: Store) -> None:
    """A newer program migrated the database while this one ran: it is told, and no traffic should come."""

    def as_newer(tx: DeploymentTx) -> None:
        triggers.remove(tx.connection)
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")

    await owner.deployment(as_newer)

    said = await readiness(store)
    assert said is not None
    assert "revision later, which this Seatport does not know" in said

    head = f"UPDATE alembic_version SET version_num = '{migrate.head()}'"
    await owner.deployment(lambda tx: tx.connection.exec_driver_sql(head))
    await owner.batch(lambda tx: triggers.install(tx.connection))
    assert await readiness(store) is None


@pytest.mark.parametrize("engine_name", ["postgres"])
async def test_it_recovers_alone_from_a_database_that_was_away(
    engine_name: str, store: Store, database_url: str, postgres_server: postgres.Server
) -> None:
    """While nobody may connect and those who were are thrown out, it is not ready; afterwards it is, by the
    same process.
    """
    assert await readiness(store) is None
    name = str(make_url(database_url).database)
    postgres_server.shut(name, away=True)
    assert await readiness(store) is not None
    postgres_server.shut(name, away=False)
    assert await readiness(store) is None
    assert engine_name == "postgres"


async def test_a_database_that_does_not_answer_is_told(store: Store) -> None:
    """Whatever the reason, in one sentence without its details."""
    await store.close()

    assert await readiness(store) == "The database does not answer: StoreClosed."
