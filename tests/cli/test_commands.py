"""The command as a whole: what it offers, and how it refuses before anything is done."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import click
import pytest

from app.cli import NAMES, main
from app.commands.common import told
from app.store.transaction import Busy
from tests.cli.conftest import Seatport, run
from tests.postgres import Server

ON_A_DATABASE = [
    ("demo",),
    ("token", "--customer", "acme", "--role", "owner"),
    ("clock", "--all", "--advance", "P1D"),
    ("bill",),
]


def one_line(text: str) -> str:
    """The only line of a stream."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_every_command_says_what_it_does() -> None:
    """Each command and each of its options has help; commands of later versions are not there."""
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}

    assert tuple(commands) == NAMES
    for name, command in commands.items():
        assert command is not None
        assert command.help, name
        for option in command.params:
            assert isinstance(option, click.Argument) or option.help, f"{name} {option.name}"


def test_the_list_of_commands_is_whole_sentences(tmp_path: Path) -> None:
    """On a screen of 80 columns no command's line is cut off."""
    listed = run(f"sqlite+aiosqlite:///{tmp_path}/none.db", "--help").stdout.split("Commands:\n")[1]

    assert len(listed.splitlines()) == len(NAMES)
    assert [line for line in listed.splitlines() if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize(
    "arguments", [("frobnicate",), ("token",), ("catalog", "apply"), ("serve", "--port", "0")]
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A command that does not exist, an option or argument that is missing, a port that cannot be."""
    result = run(f"sqlite+aiosqlite:///{tmp_path}/none.db", *arguments)

    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("arguments", ON_A_DATABASE, ids=lambda arguments: arguments[0])
def test_a_database_without_tables_is_refused(arguments: tuple[str, ...], empty_database_url: str) -> None:
    """Every command that needs the tables says how to make them, in one line, and makes none."""
    result = run(empty_database_url, *arguments)

    assert result.exit_code == 1
    assert one_line(result.stderr) == "Error: The database has no tables yet. Run `seatport migrate`."


def test_production_is_not_served_without_a_secret(seatport: Seatport) -> None:
    """It would sign quotes and links with nothing; the line says how to make one."""
    result = seatport("serve", SEATPORT_MODE="production", SEATPORT_SECRET="")

    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: SEATPORT_SECRET is missing.")


def test_a_command_that_signs_nothing_needs_no_secret(
    seatport: Seatport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Billing in production works without one, and in demo mode no file with one is made."""
    monkeypatch.chdir(tmp_path)

    assert seatport("bill", SEATPORT_MODE="production", SEATPORT_SECRET="").exit_code == 0
    assert seatport("bill", SEATPORT_MODE="demo", SEATPORT_SECRET="").exit_code == 0
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("arguments", ON_A_DATABASE, ids=lambda arguments: arguments[0])
def test_a_wrong_setting_is_told(arguments: tuple[str, ...], seatport: Seatport) -> None:
    """A mode that does not exist is one line with those that do, and nothing is done."""
    result = seatport(*arguments, SEATPORT_MODE="demonstration")

    assert result.exit_code == 1
    assert "Set it to production, demo or test" in one_line(result.stderr)


def test_migrate_makes_the_tables_once(empty_database_url: str) -> None:
    """The first run makes them, the second finds them as they were."""
    first, second = run(empty_database_url, "migrate"), run(empty_database_url, "migrate")

    assert (first.exit_code, second.exit_code) == (0, 0)
    revision = re.fullmatch(r"The database is at revision (\w+)\.\n", first.stdout)
    assert revision is not None
    assert second.stdout == f"The database is at revision {revision[1]}, as it was.\n"


@pytest.mark.parametrize("arguments", [*ON_A_DATABASE, ("migrate",)], ids=lambda arguments: arguments[0])
def test_a_newer_database_is_refused(
    arguments: tuple[str, ...], sqlite_template: Path, tmp_path: Path
) -> None:
    """What a newer Seatport migrated is not touched by this one."""
    file = tmp_path / "newer.db"
    file.write_bytes(sqlite_template.read_bytes())
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    connection.close()

    result = run(f"sqlite+aiosqlite:///{file}", *arguments)

    assert result.exit_code == 1
    assert "which this Seatport does not know: a newer one migrated it" in one_line(result.stderr)


def test_a_database_that_is_not_there_is_told(postgres_server: Server) -> None:
    """A name that no database has, and a server that nobody is: one line, and no password in it."""
    missing = run(postgres_server.url("nowhere"), "bill")
    nobody = run("postgresql+asyncpg://me:hidden@127.0.0.1:1/none", "bill")

    for result in (missing, nobody):
        assert result.exit_code == 1
        assert one_line(result.stderr).startswith("Error: The database ")
        assert "SEATPORT_DATABASE_URL" in result.stderr
    assert "hidden" not in nobody.stderr


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite+aiosqlite://", "nonsense"])
def test_a_database_url_of_another_form_is_told(url: str) -> None:
    """The line says which forms there are."""
    result = run(url, "bill")

    assert result.exit_code == 1
    assert "sqlite+aiosqlite" in one_line(result.stderr)


def test_busy_is_told_in_a_line() -> None:
    """When the database has no turn, the command says so and ends with 1; nothing was done."""

    @told
    def command() -> None:
        raise Busy

    with pytest.raises(click.ClickException, match="The database is busy; try again in 2 seconds") as raised:
        command()
    assert raised.value.exit_code == 1
