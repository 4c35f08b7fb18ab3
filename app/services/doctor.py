"""The doctor goes through the books of a live database and says what does not hold, and where first.

It only reads, some customers at a time, each time in one state of the rows; servers work on meanwhile. What
it looks for is in `app.store.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.store import inspection, migrate, policies, triggers
from app.store.checks import BY_CUSTOMER, OF_DEPLOYMENT, Broken
from app.store.inspection import FIRST, LAST, Found, Inspection

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one check: how many rows break the promise, and the first of them."""

    check: str
    invariant: str
    promise: str
    broken: int = 0
    first: Broken | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts, and how many customers were looked at."""

    customers: int
    verdicts: tuple[Verdict, ...]

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """The promises that do not hold."""
        return tuple(verdict for verdict in self.verdicts if verdict.broken)

    @property
    def sound(self) -> bool:
        """Whether all promises hold."""
        return not self.broken


Progress = Callable[[int, int], None]
"""Told how many customers are done, of how many."""

HEAD: Final = Verdict("database.head", "I8", "The database is at the revision that this program needs.")
FILE: Final = Verdict("database.file", "I8", "The database file is sound.")
GUARDS: Final = Verdict("database.guards", "I8", "Every trigger that keeps history as it is, is there.")
POLICIES: Final = Verdict(
    "database.policies", "I12", "On PostgreSQL, every table of customers' rows asks whose they are."
)


async def examine(url: str, progress: Progress = lambda _done, _of: None, *, page: int = PAGE) -> Report:
    """Look through the whole database at an address.

    :param page: how many customers are looked at in one state of the rows
    :raises ForeignDatabase, DatabaseUnusable: if there is no database of ours
    """
    try:
        await migrate.check_head(url)
    except migrate.WrongHead as error:
        # Nothing else can be asked of tables that may be others than this program's.
        return Report(0, (_verdict(HEAD, [str(error)], key="revision"),))
    async with inspection.inspecting(url) as inspected:
        problem = await inspected.look(inspection.file_problem)
        if problem:
            return Report(0, (HEAD, _verdict(FILE, [problem], key="file")))
        guards = await inspected.look(triggers.missing)
        missing = _verdict(GUARDS, [f"the trigger {name} is missing" for name in guards], key="trigger")
        tables = await inspected.look(policies.missing)
        apart = _verdict(POLICIES, [f"the table {name} asks nobody" for name in tables], key="table")
        verdicts = _verdicts(await inspected.look(inspection.of_deployment))
        customers = await _examined(inspected, verdicts, progress, page)
    checks = (*OF_DEPLOYMENT, *BY_CUSTOMER)
    return Report(customers, (HEAD, FILE, missing, apart, *(verdicts[check.name] for check in checks)))


async def _examined(
    inspected: Inspection, verdicts: dict[str, Verdict], progress: Progress, size: int
) -> int:
    """Go through all customers; how many there were. `verdicts` gets what was found."""
    total, done, after = await inspected.look(inspection.how_many_customers), 0, FIRST
    while after != LAST:
        page = await inspected.look(partial(inspection.page_after, after=after, size=size))
        found = await inspected.look(partial(inspection.of_customers, page=page))
        verdicts.update(_verdicts(found, verdicts))
        after, done = page.until, done + page.customers
        progress(done, max(total, done))
    return done


def _verdicts(found: Iterable[Found], before: dict[str, Verdict] | None = None) -> dict[str, Verdict]:
    """What was found, added to what was found before."""
    known = before or {}
    return {each.check.name: _added(known.get(each.check.name), each) for each in found}


def _added(before: Verdict | None, found: Found) -> Verdict:
    check = found.check
    count, first = (before.broken, before.first) if before else (0, None)
    return Verdict(check.name, check.invariant, check.promise, count + found.count, first or found.first)


def _verdict(of: Verdict, problems: list[str], *, key: str) -> Verdict:
    """The verdict on what is not a row: its problems, if there are any."""
    if not problems:
        return of
    first = Broken({key: problems[0]}, problems[0])
    return Verdict(of.check, of.invariant, of.promise, len(problems), first)
