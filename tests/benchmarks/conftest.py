"""A database on each engine in which the demo was lived, for all benchmarks."""

import shutil
from collections.abc import Iterator

import pytest

from tests import postgres
from tests.benchmarks.deployment import live
from tests.conftest import own_database


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def demo_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of that database."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("demo") / "seatport.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite+aiosqlite:///{file}"
        postgres.in_own_loop(live(url))
        yield url
    else:
        template = request.getfixturevalue("postgres_template")
        for url in own_database(request.getfixturevalue("postgres_server"), template):
            postgres.in_own_loop(live(url))
            yield url
