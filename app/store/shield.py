"""Work that outlives its caller. A cancelled request must not take a database call with it: SQLite's driver
would stay wedged, its write lock held, until the process ends.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class StoreClosed(RuntimeError):
    """The store, or the reading scope of a request, was used after it was closed."""


class Shield:
    """Runs work in tasks of its own, keeps them until they are done, and waits for them at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()  # The event loop itself keeps only weak references.
        self._closed = False

    async def run(self, work: Coroutine[Any, Any, T], *, closing: bool = False) -> T:
        """Run work to its end, whatever happens to the caller, and give the caller its result.

        :param closing: the work puts something away, and is let in after `close` too
        :raises StoreClosed: after `close`
        """
        if self._closed and not closing:
            work.close()
            raise StoreClosed("The store is closed.")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(tell_unheard)
            raise

    async def close(self) -> None:
        """Let nothing more in and wait until all work is done."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))


def tell_unheard(task: asyncio.Task[Any]) -> None:
    """Log how work failed whose caller had gone: nobody else hears of it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("Work on the database failed after its caller had gone.", exc_info=error)
