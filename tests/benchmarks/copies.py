"""The rows that one change wrote, again and again, each time with ids, keys and numbers of their own."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.clock import wall_clock
from app.store.ids import new_id
from tests.benchmarks.measuring import Statement

INSERT: Final = re.compile(r'INSERT INTO "?(\w+)"? \(([^)]*)\)')
TIME_BITS: Final = 80
COUNTED: Final = {("number", "value"), ("document", "sequence"), ("outbox", "sequence")}
NAMED: Final = {("idempotency", "key"), ("document", "number")}
STEP: Final = 100_000


@dataclass(frozen=True, slots=True)
class Writes:
    """The inserts and updates of one change, which began at an instant in milliseconds."""

    statements: list[Statement]
    began_ms: int

    @classmethod
    def of(cls, statements: list[Statement], began_ms: int) -> "Writes":
        """Those of all its statements that write."""
        return cls([s for s in statements if s.sql.startswith(("INSERT", "UPDATE"))], began_ms)

    def copy(self, number: int) -> list[Statement]:
        """The same rows under other names; `number` is new for each copy."""
        ids: dict[UUID, UUID] = {}
        return [
            replace(statement, parameters=self._renamed(statement, ids, number))
            for statement in self.statements
        ]

    def _renamed(self, statement: Statement, ids: dict[UUID, UUID], number: int) -> Any:
        found = INSERT.match(statement.sql)
        table = found[1] if found else ""
        columns = [part.strip(' "') for part in found[2].split(",")] if found else []

        def row(values: Any) -> tuple[Any, ...]:
            names = [*columns, *[""] * (len(values) - len(columns))]
            return tuple(
                self._value(value, (table, name), ids, number)
                for value, name in zip(values, names, strict=True)
            )

        return (
            [row(values) for values in statement.parameters] if statement.many else row(statement.parameters)
        )

    def _value(self, value: Any, place: tuple[str, str], ids: dict[UUID, UUID], number: int) -> Any:
        if place in COUNTED:
            return value + number * STEP
        if place in NAMED:
            return f"{value}-{number}"
        known = as_id(value)
        if known is None or known.int >> TIME_BITS < self.began_ms:
            return value
        fresh = ids.setdefault(known, new_id(wall_clock()))
        return str(fresh) if isinstance(value, str) else fresh


def as_id(value: Any) -> UUID | None:
    """The id in a parameter, as either driver takes it."""
    if isinstance(value, UUID):
        return UUID(int=value.int)
    if isinstance(value, str) and len(value) == len(str(UUID(int=0))) and value.count("-") == 4:
        return UUID(value)
    return None
