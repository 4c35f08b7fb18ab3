"""A database on each engine that all proofs share, and two servers over it. Each proof has its own customers.

The proofs make hundreds of documents that nobody looks at. To draw them meanwhile would take longer than the
proofs, so here a document that waits to be drawn waits for years, unless somebody asks for it.
"""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests import postgres
from tests.conftest import own_database
from tests.proofs.serving import Server, serving

HELD_BACK_SQLITE = """
    CREATE TRIGGER hold_back AFTER INSERT ON render_job BEGIN
        UPDATE render_job SET run_at = run_at + 315360000000000
        WHERE customer_id = NEW.customer_id AND document_id = NEW.document_id;
    END"""
HELD_BACK_POSTGRES = (
    """CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.run_at := NEW.run_at + interval '10 years'; RETURN NEW; END $$""",
    "CREATE TRIGGER hold_back BEFORE INSERT ON render_job FOR EACH ROW EXECUTE FUNCTION hold_back()",
)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database for all proofs."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("books") / "seatport.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite+aiosqlite:///{file}"
        postgres.in_own_loop(_executed(url, HELD_BACK_SQLITE))
        yield url
    else:
        template = request.getfixturevalue("postgres_template")
        for url in own_database(request.getfixturevalue("postgres_server"), template):
            postgres.in_own_loop(_executed(url, *HELD_BACK_POSTGRES))
            yield url


async def _executed(url: str, *statements: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


@pytest.fixture(scope="session")
def shared_pair(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers over the shared database. Whatever is done to them, their logs show no fault."""
    with serving(shared_url, tmp_path_factory.mktemp("servers"), 2) as servers:
        yield servers
    for server in servers:
        assert "Traceback" not in server.said(), server.said()


@pytest.fixture
def pair(shared_pair: list[Server]) -> list[Server]:
    """The two servers, ready, whatever the proof before did to them."""
    ended = [server for server in shared_pair if server.process.poll() is not None]
    for server in ended:
        server.launch()
    for server in ended:
        server.wait()
    return shared_pair
