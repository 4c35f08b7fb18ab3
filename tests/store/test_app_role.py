"""The role that the servers run as on PostgreSQL lives a whole story, and cannot change history."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from app.billing.permissions import SYSTEM, Role
from app.billing.requests import SeatQuantity
from app.cli import main
from app.services.apply_catalog import apply_catalog
from app.services.bill import bill
from app.services.catalog_file import Declared, parse_catalog
from app.services.doctor import examine
from app.services.move_clock import move_clock
from app.services.open_portal import PortalVisit, open_portal
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.render_document import pdf_of
from app.store import documents, grants, migrate, tables
from app.store.documents import InvoiceFilter
from app.store.engine import open_store
from app.store.metadata import metadata
from app.store.transaction import DeploymentTx, Tx
from tests.api import world
from tests.architecture.source import ROOT, modules
from tests.conftest import Clock
from tests.store.conftest import Roles

LEDGERS: Final = sorted({table.name for table in tables.APPEND_ONLY} | set(tables.FILLED_ONCE))


@pytest.fixture
def engine_name() -> str:
    """SQLite has no roles."""
    return "postgres"


@pytest.fixture
def app_url(empty_database_url: str, roles: Roles) -> Iterator[str]:
    """The address of a database as its application's role, migrated by its owner."""
    with roles.made(empty_database_url) as role:
        assert migrated(empty_database_url, role).exit_code == 0
        yield empty_database_url.replace("//seatport@", f"//{role}@")


def migrated(url: str, role: str) -> Result:
    """Run `seatport migrate` with an application's role."""
    environ = {"SEATPORT_DATABASE_URL": url, "SEATPORT_APP_ROLE": role}
    return CliRunner().invoke(main, ["migrate"], env=environ)


async def drawn(view: str) -> bytes:
    """A stand-in for the page of a document."""
    return f"%PDF-1.7 {len(view)}".encode()


def invoices(tx: Tx) -> list[UUID]:
    """All invoices of a customer."""
    page = documents.invoices_page(tx, InvoiceFilter(), limit=50, before=None)
    return [invoice.id for invoice in page]


def pay(tx: Tx, invoice: UUID) -> None:
    """Pay all that is open."""
    assert isinstance(record_payment(tx, SYSTEM, ReceivedPayment(invoice)), PaymentRecorded)


async def test_the_whole_story_works(app_url: str) -> None:
    """Register, start, report seats and correct them, change, agree, let somebody in, move the clock, renew,
    pay, draw; and the doctor, as that role too, finds nothing wrong.
    """
    await migrate.check(app_url)
    clock = Clock(world.NOON)
    store = open_store(app_url, clock=clock)
    lived = await world.live(store, clock)
    clock.now = world.NOON
    await world.change(store, lived.acme, lived.subscription, "fewer", SeatQuantity("editor", remove=3))
    agreed = await store.run(lived.acme, record_override, SYSTEM, NewOverride("editor", granted=2))
    assert isinstance(agreed, OverrideRecorded)
    await store.run(lived.acme, open_portal, SYSTEM, PortalVisit("ada", Role.OWNER, "hash of a token"))
    await store.run(lived.acme, world.end_with_the_period, lived.subscription)
    await store.run(lived.acme, move_clock, SYSTEM, timedelta(days=20))
    assert await store.run(lived.acme, bill, lived.subscription) is None
    async with store.reads(lived.acme) as scope:
        found = await scope.run(invoices)
    assert len(found) == 2
    await store.run(lived.acme, pay, found[0])
    for invoice in found:
        assert await pdf_of(store, drawn, lived.acme, invoice) is not None
    declared = parse_catalog((ROOT / "tests/stories/catalog.toml").read_text("utf-8"))
    assert isinstance(declared, Declared)
    assert (await store.deployment(apply_catalog, declared)).new_prices
    await store.close()

    report = await examine(app_url)
    assert (report.broken, report.customers) == ((), 2)


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_history_is_not_its_to_change(app_url: str, ledger: str) -> None:
    """No UPDATE, DELETE or TRUNCATE of a ledger, no ALTER, no trigger put to sleep or dropped: refused for
    want of the right, before any trigger is asked.
    """
    column = next(iter(metadata.tables[ledger].columns)).name
    connection = await asyncpg.connect(app_url.replace("+asyncpg", ""))
    for statement in (
        f"UPDATE {ledger} SET {column} = {column}",
        f"DELETE FROM {ledger}",
        f"TRUNCATE {ledger} CASCADE",
        f"ALTER TABLE {ledger} DISABLE TRIGGER ALL",
        f"ALTER TABLE {ledger} ADD COLUMN note text",
        f"DROP TRIGGER guard_{ledger}_delete ON {ledger}",
        f"DROP TABLE {ledger} CASCADE",
        f"CREATE TRIGGER own BEFORE INSERT ON {ledger} FOR EACH ROW EXECUTE FUNCTION seatport_refuse('no')",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_it_owns_nothing(app_url: str) -> None:
    """The role owns no object, and has on each table what the list says and nothing else."""
    connection = await asyncpg.connect(app_url.replace("+asyncpg", ""))
    owned = await connection.fetchval(
        "SELECT count(*) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname = current_user"
    )
    rows = await connection.fetch(
        "SELECT table_name, privilege_type FROM information_schema.table_privileges "
        "WHERE grantee = current_user AND table_schema = current_schema()"
    )
    await connection.close()

    rights: dict[str, set[str]] = {}
    for table, right in rows:
        rights.setdefault(table, set()).add(right)
    wanted = {
        table.name: {right for right in grants.of(table) if "(" not in right}
        for table in metadata.tables.values()
    }
    assert owned == 0
    assert rights == {**wanted, "alembic_version": {"SELECT"}}


async def test_a_line_is_placed_by_its_columns_alone(app_url: str) -> None:
    """Of a line that waits the role may fill in the place, which the trigger lets happen once."""
    connection = await asyncpg.connect(app_url.replace("+asyncpg", ""))
    await connection.execute("UPDATE billing_line SET position = 1 WHERE false")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("UPDATE billing_line SET amount = 1 WHERE false")
    await connection.close()


def test_migrating_again_takes_back_what_was_given_by_hand(empty_database_url: str, roles: Roles) -> None:
    """A right that somebody granted on a ledger is gone after the next migration."""
    with roles.made(empty_database_url) as role:
        assert migrated(empty_database_url, role).exit_code == 0
        roles.execute(empty_database_url, f"GRANT ALL ON audit TO {role}")
        assert migrated(empty_database_url, role).exit_code == 0
        held = roles.execute(empty_database_url, f"SELECT has_table_privilege('{role}', 'audit', 'UPDATE')")

    assert held is False


def test_an_unfit_role_is_refused(empty_database_url: str, roles: Roles) -> None:
    """A role that is not there, a superuser, a member of the owner: each is told in one sentence, and the
    migration is undone.
    """
    url = empty_database_url
    with roles.made(url, "SUPERUSER") as above, roles.made(url) as member:
        roles.execute(empty_database_url, f"GRANT seatport TO {member}")
        told = [migrated(empty_database_url, role) for role in ("nobody_at_all", above, member)]

    assert [result.exit_code for result in told] == [1, 1, 1]
    assert "There is no role 'nobody_at_all'. Make it first: CREATE ROLE" in told[0].output
    assert all("whom no rights bind" in result.output for result in told[1:])
    assert roles.execute(empty_database_url, "SELECT to_regclass('audit')") is None


def test_the_role_itself_cannot_migrate(app_url: str) -> None:
    """Who tries is told to come as the owner."""
    result = CliRunner().invoke(main, ["migrate"], env={"SEATPORT_DATABASE_URL": app_url})

    assert result.exit_code == 1
    assert "as the owner of its tables" in result.output


@pytest.mark.parametrize("wanted", ["sqlite"])
def test_sqlite_has_no_roles(wanted: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The setting is refused where it could not hold."""
    result = migrated(f"{wanted}+aiosqlite:///{tmp_path_factory.mktemp('own')}/seatport.db", "seatport_app")

    assert result.exit_code == 1
    assert "SQLite has no roles" in result.output


def test_the_program_deletes_only_what_it_may() -> None:
    """The tables named in a `delete` of the program are those whose rows its role may delete."""
    calls = (
        node for module in modules("app") for node in ast.walk(module.tree) if isinstance(node, ast.Call)
    )
    deleted = {name.rpartition(".")[2] for call in calls for name in deleted_by(call)}

    assert deleted & set(metadata.tables) == grants.DELETED


def deleted_by(call: ast.Call) -> list[str]:
    """What `delete(table)`, `table.delete()` and `delete_rows(connection, table, …)` delete rows of."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "delete":
        return [ast.unparse(call.args[0] if call.args else call.func).removesuffix(".delete")]
    return [ast.unparse(argument) for argument in call.args] if name == "delete_rows" else []


async def test_a_reader_sees_the_grants(app_url: str, clock: Clock) -> None:
    """The application's own engines work as that role: both of its doors answer."""
    store = open_store(app_url, clock=clock)

    def count(tx: DeploymentTx) -> int:
        return int(tx.connection.execute(text("SELECT count(*) FROM customer")).scalar_one())

    assert await store.look(count) == 0
    await store.ping(migrate.refuse_unfit)
    await store.close()
