"""Of which customers a statement given as text is, as far as it says so.

Text is written by `app.store.bulk` alone, which writes rows by the thousand, and in few forms: those are read
here. Any other text that names a table of customer data is of nobody, and is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

NAMED: Final = re.compile(r'\b(?:FROM|INTO|UPDATE|JOIN|TABLE|TRUNCATE|ONLY)\s+"?(\w+)"?', re.IGNORECASE)
INSERT: Final = re.compile(r'INSERT INTO "\w+" \(([^)]*)\) (?:VALUES|SELECT)')
GIVEN: Final = re.compile(r'AS given \(([^)]*)\) WHERE stored\."customer_id" = given\."customer_id"')
WHERE: Final = re.compile(r'(?:UPDATE|DELETE FROM) .* WHERE (?:[^()]* AND )?"customer_id" = \?(\d*)')
OWNER: Final = '"customer_id"'


def owners_in(statement: str, parameters: Any, tenants: frozenset[str]) -> set[Any] | None:
    """The customers in the parameters of a statement; none if it does not say, None if it touches no table
    of customer data.
    """
    if not _touches(statement, tenants):
        return None
    place = _place(statement)
    if place is None:
        return set()
    rows = parameters if isinstance(parameters, list) else [parameters]
    found: set[Any] = set()
    for row in rows:
        value = row[place] if len(row) > place else None
        found.update(value if isinstance(value, list | tuple) else (value,))
    return found


@lru_cache(maxsize=1024)
def _touches(statement: str, tenants: frozenset[str]) -> bool:
    return any(name in tenants for name in NAMED.findall(statement))


@lru_cache(maxsize=1024)
def _place(statement: str) -> int | None:
    """Which of the parameters is the customer."""
    listed = INSERT.match(statement) or GIVEN.search(statement)
    if listed is not None:
        names = [name.strip() for name in listed[1].split(",")]
        return names.index(OWNER) if OWNER in names else None
    where = WHERE.match(statement)
    if where is None:
        return None
    return int(where[1]) - 1 if where[1] else statement[: where.end()].count("?") - 1
