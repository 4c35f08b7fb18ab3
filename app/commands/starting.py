"""What a server or worker looks at before it starts: that nobody mistook one deployment for another, and that
the database keeps to itself what it should.
"""

from __future__ import annotations

import stat

import structlog

from app.commands.common import opened
from app.settings import Mode, Settings, SettingsError
from app.store import migrate, policies, system

log = structlog.get_logger("seatport")


async def refuse_unsafe(wanted: Settings) -> None:
    """Return if a deployment may start as it is set up.

    :raises SettingsError: for a demo on books that are no demo's, and for a file that everybody may write to
    :raises WrongHead, GuardsMissing, DatabaseUnusable: for a database that cannot be used
    """
    async with opened(wanted) as store:
        if wanted.mode is Mode.DEMO and await store.system(system.customer_of_no_demo) is not None:
            raise SettingsError(
                "SEATPORT_MODE is 'demo', and the database holds customers that are no demo's: a demo moves "
                "time and hands out tokens. Set SEATPORT_MODE=production, or another SEATPORT_DATABASE_URL."
            )
    if wanted.mode is Mode.PRODUCTION:
        _look_at_file(wanted.database_url)
        if await migrate.within(wanted.database_url, policies.are_passed_over):
            log.warning(
                "the database's role passes over row-level security; run as another, with SEATPORT_APP_ROLE"
            )


def _look_at_file(url: str) -> None:
    """Refuse an SQLite file that everybody may write to; warn of one that they may read."""
    file = migrate.file_of(url)
    if file is None:
        return
    mode = file.stat().st_mode
    if mode & stat.S_IWOTH:
        raise SettingsError(f"The database {file} can be written by everybody. Run: chmod 600 {file}")
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("the database file can be read by others; run chmod 600 on it")
