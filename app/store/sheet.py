"""What a transaction is going to write, collected row by row without asking the database anything.

A verb fills a sheet with one posting, the billing run with hundreds; `app.store.saving` writes either with a
few statements for each table. Names of rows are minted when a row is put on the sheet. Only document numbers
come later, when all else is ready, so that their counter is locked shortly; until then a mark stands for
each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Table

from app.store.transaction import Tx

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Number:
    """A document number: the series, the gapless ordinal in it, and how it is written."""

    series: str
    sequence: int
    text: str

    @classmethod
    def awaited(cls, series: str, document: UUID) -> Number:
        """What stands for the number of a document that has none yet."""
        return cls(series, 0, f"{{{document}}}")


@dataclass(frozen=True, slots=True)
class News:
    """Something that the vendor is to be told, which has no place in the order of its object's news yet."""

    tx: Tx
    id: UUID
    type: str
    object_id: UUID
    payload: dict[str, Any]


Numbers = Mapping[UUID, Number]
"""The numbers of documents, by the id of the document."""


@dataclass(slots=True)
class Sheet:
    """Rows to insert, rows to change, and what waits for document numbers."""

    rows: dict[Table, list[Row]] = field(default_factory=dict)
    changes: dict[tuple[Table, tuple[str, ...]], dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    levels: dict[tuple[Table, tuple[str, ...], str], dict[tuple[Any, ...], int]] = field(default_factory=dict)
    steps: dict[Executable, list[Row]] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)
    awaited: list[tuple[str, UUID]] = field(default_factory=list)
    waiting: list[Callable[[Sheet, Numbers], None]] = field(default_factory=list)

    def add(self, table: Table, row: Row) -> None:
        """A row to insert. Rows of one table are inserted in the order in which they were added."""
        self.rows.setdefault(table, []).append(row)

    def change(self, table: Table, key: Row, values: Row) -> None:
        """Values to set in a row; of several for one column the last stands."""
        of_table = self.changes.setdefault((table, tuple(key)), {})
        of_table.setdefault(tuple(key.values()), {}).update(values)

    def step(self, statement: Executable, values: Row) -> None:
        """A change that depends on what is there, such as to add to a balance."""
        self.steps.setdefault(statement, []).append(values)

    def add_to(self, table: Table, key: Row, column: str, by: int) -> None:
        """So much more in a column of a row, which begins with it if it is not there."""
        of_table = self.levels.setdefault((table, tuple(key), column), {})
        place = tuple(key.values())
        of_table[place] = of_table.get(place, 0) + by

    def number(self, series: str, document: UUID) -> Number:
        """Ask for the next number of a series, for a document; what stands for it until then."""
        self.awaited.append((series, document))
        return Number.awaited(series, document)

    def once_numbered(self, finish: Callable[[Sheet, Numbers], None]) -> None:
        """Put more rows on the sheet that is written, when the numbers are known."""
        self.waiting.append(finish)

    def take(self, page: Sheet) -> None:
        """Put all of a page after what is here. The rows that pages change are not the same ones."""
        for table, rows in page.rows.items():
            self.rows.setdefault(table, []).extend(rows)
        for place, changed in page.changes.items():
            self.changes.setdefault(place, {}).update(changed)
        for level, moved in page.levels.items():
            self.levels.setdefault(level, {}).update(moved)
        for statement, values in page.steps.items():
            self.steps.setdefault(statement, []).extend(values)
        self.news += page.news
        self.awaited += page.awaited
        self.waiting += page.waiting

    def clear(self) -> None:
        """Take everything off."""
        for content in (self.rows, self.changes, self.levels, self.steps):
            content.clear()
        for listed in (self.news, self.awaited, self.waiting):
            listed.clear()


def numbered(text: str, numbers: Numbers, named: Mapping[UUID, str]) -> str:
    """A text with the numbers in the place of what stands for them: `named` has that of each document that it
    may speak of.
    """
    for document, mark in named.items():
        if number := numbers.get(document):
            text = text.replace(mark, number.text)
    return text
