"""Ways to do one thing, measured side by side. A machine's speed changes from minute to minute, so the ways
take turns, round by round, and what counts is the ratio of their medians.
"""

import gc
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.scope import ACROSS, enter
from app.store.transaction import Store

ROUNDS: Final = 7
OWN_WORDS: Final = ("BEGIN", "COMMIT", "ROLLBACK")

Way = Callable[[], Awaitable[object]]


async def side_by_side(
    ways: Mapping[str, Way],
    *,
    times: int,
    rounds: int = ROUNDS,
    of_rounds: Callable[[list[float]], float] = median,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Milliseconds of one call of each way: the median over rounds of so many calls. One round warms up.
    By `time.process_time` they are of this process's CPU, all its threads.

    Where a limit is asserted, the best round is asked for: a busy machine makes others slow, and none fast.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            gc.collect()
            start = clock()
            for _ in range(times):
                await way()
            seconds[name].append((clock() - start) / times)
    return {name: of_rounds(taken[1:]) * 1000 for name, taken in seconds.items()}


def tell(title: str, milliseconds: Mapping[str, float]) -> None:
    """Print the ways as ratios to the first."""
    base = next(iter(milliseconds.values()))
    write(f"\n{title}")
    for name, value in milliseconds.items():
        write(f"  {name:<44} {value / base:8.2f} x {value:10.2f} ms {1000 / value:9.1f} a second")


def engine_of(url: str) -> str:
    """What the database at an address is called."""
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"


def write(line: str) -> None:
    """A line for whoever reads the run."""
    sys.stdout.write(f"{line}\n")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the driver was given: with `many`, a list of parameters."""

    sql: str
    parameters: Any
    many: bool

    def run(self, connection: Connection) -> None:
        """Give it to the driver again, and fetch what it finds."""
        result = connection.exec_driver_sql(self.sql, self.parameters)
        if result.returns_rows:
            result.fetchall()


@contextmanager
def recorded(store: Store) -> Iterator[list[Statement]]:
    """The statements that a store gives to its driver meanwhile, those of transaction control left out."""
    statements: list[Statement] = []

    def note(_conn: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001
        if not sql.startswith(OWN_WORDS):
            statements.append(Statement(sql, parameters, many))

    engines = [engine.sync_engine for engine in (store.reader, store.writer)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def replay(engine: AsyncEngine, statements: list[Statement]) -> None:
    """Run statements in one transaction, and commit."""

    def run(connection: Connection) -> None:
        with connection.begin():
            enter(connection, ACROSS)  # They are text by now, which does not say of which customer it is.
            for statement in statements:
                statement.run(connection)

    async with engine.connect() as connection:
        await connection.run_sync(run)
