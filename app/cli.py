"""The `seatport` command. Each sub-command is `command` in the file of `app/commands` that bears its name."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

NAMES: Final = (
    "serve",
    "migrate",
    "demo",
    "token",
    "api-key",
    "catalog",
    "clock",
    "bill",
    "unpark",
    "worker",
    "explain",
    "schema",
    "operations",
    "doctor",
    "backup",
    "restore",
)


class Commands(click.Group):
    """Loads the file of a command when that command is asked for: most take less time than loading all."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  As click calls it.
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in NAMES:
            return None
        command: click.Command = import_module(f"app.commands.{cmd_name.replace('-', '_')}").command
        return command


@click.group(cls=Commands)
@click.version_option(package_name="seatport")
def main() -> None:
    """Seatport, the backend behind a SaaS customer's billing page."""
