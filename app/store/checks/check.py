"""What a check of the books is: a promise, the statement that finds rows which break it, and how it is told.

A statement reads rows of some customers, so that the books can be gone through in steps of bounded size:
`{of d}` stands for the condition that a row `d` is of one of them. A check of the deployment reads what
belongs to no customer. `{reissued l}` says that the line `l` of a void invoice was told again as another.
Statements are of the SQL that both engines speak; where they differ, other `{words}` stand for what each
says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.engine import Row
from sqlalchemy.types import TypeEngine

DIALECTS: Final[dict[str, dict[str, str]]] = {
    "sqlite": {"id": "text", "joined": "group_concat", "microseconds": ""},
    "postgresql": {"id": "uuid", "joined": "string_agg", "microseconds": " * interval '1 microsecond'"},
}
"""The type of ids, the function that joins texts, and what makes a whole number one of microseconds that can
be added to an instant.
"""

HERE: Final = re.compile(r"\{of (\w+)\}")
REISSUED: Final = re.compile(r"\{reissued (\w+)\}")
AGAIN: Final = (
    r"EXISTS (SELECT 1 FROM billing_line AS again"
    r" WHERE again.customer_id = \1.customer_id AND again.reissues = \1.id)"
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that breaks a promise: its key, and a sentence with the numbers."""

    key: Mapping[str, str]
    sentence: str


Judge = Callable[[Iterable[Row[Any]]], Iterator[Broken]]
"""Finds what is wrong among rows that the statement only fetched, in their order."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise that rows keep.

    :param name: how programs know it, like `seats.level`
    :param invariant: the group it belongs to, I1 to I14
    :param promise: what holds, as a sentence
    :param sql: finds the rows that break it, ordered by their first two columns; the columns of `key` first
    :param broken: what is wrong with such a row, with `{columns}` in it
    :param key: the columns that name a row
    :param types: of columns that hold more than text and numbers
    :param judge: looks at each row, where SQL alone cannot tell; then the statement fetches all rows
    """

    name: str
    invariant: str
    promise: str
    sql: str
    broken: str = ""
    key: tuple[str, ...] = ("customer_id", "id")
    types: Mapping[str, TypeEngine[Any]] = field(default_factory=dict)
    judge: Judge | None = None

    def statement(self, dialect: str) -> str:
        """The SQL for an engine, in the order in which rows are told."""
        sql = HERE.sub(r"\1.customer_id > :after AND \1.customer_id <= :until", self.sql)
        sql = REISSUED.sub(AGAIN, sql)
        for word, means in DIALECTS[dialect].items():
            sql = sql.replace(f"{{{word}}}", means)
        return f"{sql} ORDER BY 1, 2"

    def judged(self, rows: Iterable[Row[Any]]) -> Iterator[Broken]:
        """What is wrong, in the order of the rows."""
        if self.judge is not None:
            yield from self.judge(rows)
            return
        for row in rows:
            yield named(row, self.key, self.broken.format_map(row._asdict()))


def named(row: Row[Any], key: Iterable[str], sentence: str) -> Broken:
    """A row by its key, as text."""
    return Broken({column: str(row._asdict()[column]) for column in key}, sentence)
