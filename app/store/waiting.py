"""What a wait for the database comes to: another try, or `Busy`, never the driver's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

RETRY_AFTER_SECONDS: Final = 2
SQLITE_BUSY: Final = 5
TRY_AGAIN: Final = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock.
TOOK_TOO_LONG: Final = {"55P03", "57014"}  # PostgreSQL: a lock, a statement that was not done in time.


class Busy(Exception):
    """The database had no turn for this in the time one may wait. Nothing was written; ask again later."""

    def __init__(self, retry_after_seconds: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(f"The database is busy; try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = retry_after_seconds


def may_run_again(error: DBAPIError) -> bool:
    """Whether the database gave up on a transaction only for the sake of another one."""
    return is_sqlite_busy(error) or getattr(error.orig, "sqlstate", None) in TRY_AGAIN


def is_sqlite_busy(error: DBAPIError) -> bool:
    """Whether SQLite refused because another connection holds the lock, by any of its extended codes."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == SQLITE_BUSY


@contextmanager
def said_as_busy(*, reading: bool = False) -> Iterator[None]:
    """Say as Busy that a wait for a connection, a row or a statement took too long.

    :param reading: SQLite's refusal is final, too: who writes tries again instead
    """
    try:
        yield
    except PoolTimeout as error:
        raise Busy from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in TOOK_TOO_LONG or (reading and is_sqlite_busy(error)):
            raise Busy from error
        raise
