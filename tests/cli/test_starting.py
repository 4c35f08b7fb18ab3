"""What a server looks at before it starts."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.billing.parties import CustomerKind
from app.commands import starting
from app.commands.starting import refuse_unsafe
from app.services.register_customer import NewCustomer, register_customer
from app.settings import Mode, SettingsError
from app.store import migrate
from app.store.customers import Customer
from app.store.engine import open_store
from app.store.ids import new_id
from tests import postgres
from tests.conftest import Clock
from tests.portal import SETTINGS, VENDOR


@pytest.fixture(autouse=True)
def logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they go is the server's to say; here they are looked at."""
    monkeypatch.setattr("app.logs.configure", lambda **_: None)


async def register(url: str, clock: Clock, kind: CustomerKind) -> None:
    """A customer of some kind, with no subscription."""
    store = open_store(postgres.as_app(url), clock=clock)
    new = NewCustomer(kind.value.lower(), "Somebody", "USD", "UTC", "en", kind)
    made = await store.run(new_id(clock()), register_customer, VENDOR, new)
    assert isinstance(made, Customer)
    await store.close()


async def test_a_demo_on_real_books_does_not_start(database_url: str, clock: Clock) -> None:
    """It would move their time. Beside a demo's customers others may have been tried out, though."""
    demo = replace(SETTINGS, mode=Mode.DEMO, database_url=postgres.as_app(database_url))
    await refuse_unsafe(demo)
    await register(database_url, clock, CustomerKind.LIVE)

    with pytest.raises(SettingsError, match="customers that are no demo's"):
        await refuse_unsafe(demo)
    await refuse_unsafe(replace(demo, mode=Mode.PRODUCTION))
    await register(database_url, clock, CustomerKind.DEMO)
    await refuse_unsafe(demo)


async def test_a_database_that_is_not_migrated_is_told(empty_database_url: str) -> None:
    """As by every command."""
    with pytest.raises((migrate.WrongHead, migrate.DatabaseUnusable), match="seatport migrate"):
        await refuse_unsafe(replace(SETTINGS, database_url=empty_database_url))


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_file_is_nobody_elses(engine_name: str, tmp_path: Path) -> None:
    """A new database file is for its owner alone; one that everybody can write is refused, one that others
    can read is told of.
    """
    file = tmp_path / "own.db"
    url = f"{engine_name}+aiosqlite:///{file}"
    await migrate.upgrade(url)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    production = replace(SETTINGS, mode=Mode.PRODUCTION, database_url=url)
    with capture_logs() as quiet:
        await refuse_unsafe(production)
    file.chmod(0o644)
    with capture_logs() as warned:
        await refuse_unsafe(production)
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="chmod 600"):
        await refuse_unsafe(production)
    assert (quiet, [line["log_level"] for line in warned]) == ([], ["warning"])


@pytest.mark.parametrize("engine_name", ["postgres"])
async def test_a_superuser_is_warned(engine_name: str, database_url: str) -> None:
    """Whom the database asks nothing, the log tells to run as another role; who is asked, is not told."""
    production = replace(SETTINGS, mode=Mode.PRODUCTION, database_url=database_url)
    with capture_logs() as above:
        await refuse_unsafe(production)
    with capture_logs() as bound:
        await refuse_unsafe(replace(production, database_url=postgres.as_app(database_url)))

    assert engine_name == "postgres"
    assert starting.log is not None
    assert ["row-level security" in line["event"] for line in above] == [True]
    assert bound == []
