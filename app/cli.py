"""The `seatport` command. Each sub-command calls one service and says in plain words what came of it."""

import click


@click.group()
@click.version_option(package_name="seatport")
def main() -> None:
    """Seatport, the backend behind a SaaS customer's billing page."""
