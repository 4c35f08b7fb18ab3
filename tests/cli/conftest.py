"""The command as a person runs it: arguments and environment in, two streams and an exit code out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.conftest import own_database

Seatport = Callable[..., Result]


def run(url: str, *arguments: str, **environment: str) -> Result:
    """Run `seatport` with arguments on a database."""
    environ = {"SEATPORT_DATABASE_URL": url, "SEATPORT_MODE": "test", **environment}
    return CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)


def made(url: str) -> None:
    """Make the demo there."""
    result = run(url, "demo")
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def sqlite_demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the demo in it, to copy."""
    file = tmp_path_factory.mktemp("demo") / "seatport.db"
    shutil.copyfile(sqlite_template, file)
    made(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_demo(request: pytest.FixtureRequest) -> str:
    """The name of a database with the demo in it, to copy."""
    server = request.getfixturevalue("postgres_server")
    name: str = server.create(request.getfixturevalue("postgres_template"))
    made(server.url(name))
    return name


@pytest.fixture
def demo_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a copy of the demo for one test alone, on both databases."""
    if engine_name == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_demo"), tmp_path / "demo.db")
        yield f"sqlite+aiosqlite:///{tmp_path}/demo.db"
    else:
        template = request.getfixturevalue("postgres_demo")
        yield from own_database(request.getfixturevalue("postgres_server"), template)


@pytest.fixture
def seatport(database_url: str) -> Seatport:
    """`seatport` on a migrated database without a row in it."""
    return lambda *arguments, **environment: run(database_url, *arguments, **environment)


@pytest.fixture
def demo(demo_url: str) -> Seatport:
    """`seatport` on a copy of the demo."""
    return lambda *arguments, **environment: run(demo_url, *arguments, **environment)
