"""What the database itself refuses: that rows of history are changed, deleted, replaced or truncated.

`GUARDS` lists the promises; `install` makes one trigger for each. A migration takes all of them down and
puts them back in its own transaction, since rebuilding a table on SQLite drops its triggers without a word.
Both engines answer with IntegrityError. On SQLite a guard also stands before INSERT: REPLACE deletes the old
row without asking the trigger that guards deletion, unless the connection asks for recursive triggers.

Who owns the database can drop a trigger. Against that stand the rights of the application's role on
PostgreSQL, in `app.store.grants`. The start, the readiness check and the doctor notice if a trigger is gone.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Index, Table, UniqueConstraint, text

from app.store import tables
from app.store.metadata import metadata

PREFIX: Final = "guard_"
NAME_MAX: Final = 63
REFUSE: Final = "seatport_refuse"
REFUSE_BODY: Final = f"""
CREATE OR REPLACE FUNCTION {REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$
"""
PRESENT: Final = {
    "sqlite": """
        SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE :like ESCAPE '!'
    """,
    "postgresql": """
        SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE NOT tgisinternal AND tgenabled <> 'D' AND relnamespace = current_schema()::regnamespace
        AND tgname LIKE :like ESCAPE '!'
    """,
}


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger: before an event on a table, if a condition holds of OLD and NEW, it refuses and says why.

    :param event: UPDATE, DELETE, INSERT (SQLite alone) or TRUNCATE (PostgreSQL alone)
    :param when: SQL over OLD and NEW; None is always
    :param skips: SQLite leaves the row out in silence instead, as ON CONFLICT DO NOTHING does
    """

    table: str
    event: str
    because: str
    when: str | None = None
    skips: bool = False
    part: str = ""

    @property
    def name(self) -> str:
        """The trigger's name, which starts with `guard_`."""
        return f"{PREFIX}{self.table}_{self.event.lower()}{self.part}"

    def exists_on(self, dialect: str) -> bool:
        """Whether the engine needs and knows such a trigger."""
        return {"INSERT": dialect == "sqlite", "TRUNCATE": dialect == "postgresql"}.get(self.event, True)

    def sql(self, dialect: str) -> str:
        """The statement that makes the trigger."""
        head = f'CREATE TRIGGER {self.name} BEFORE {self.event} ON "{self.table}"'
        if dialect == "sqlite":
            when = f" WHEN {self.when.replace('IS DISTINCT FROM', 'IS NOT')}" if self.when else ""
            answer = "IGNORE" if self.skips else f"ABORT, {quoted(self.because)}"
            return f"{head} FOR EACH ROW{when} BEGIN SELECT RAISE({answer}); END"
        each = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        when = f" WHEN ({self.when})" if self.when else ""
        return f"{head} FOR EACH {each}{when} EXECUTE FUNCTION {REFUSE}({quoted(self.because)})"


def append_only(table: Table, *, first_wins: bool = False) -> tuple[Guard, ...]:
    """Rows are added and stay for ever as they are.

    :param first_wins: rows are added with ON CONFLICT DO NOTHING; an INSERT of an existing key is skipped on
        SQLite too, where the guard against REPLACE would else refuse it
    """
    because = f"{table.name} is append-only: a row is never changed or deleted"
    return (
        Guard(table.name, "UPDATE", because),
        *kept(table, because, skips=first_wins),
    )


def append_only_except(table: Table, columns: Collection[str]) -> tuple[Guard, ...]:
    """Rows stay for ever as they are, but for columns that are filled once: from null, then never again."""
    because = f"{table.name} is append-only: only {listed(columns)} may change, once, from null"
    again = " OR ".join(f'(OLD."{name}" IS NOT NULL AND {differs(name)})' for name in sorted(columns))
    fixed = " OR ".join(differs(name) for name in others(table, columns))
    return (
        Guard(table.name, "UPDATE", because, f"{fixed} OR {again}"),
        *kept(table, because),
    )


def frozen_when(table: Table, condition: str, *, but: Collection[str] = ()) -> tuple[Guard, ...]:
    """A row for which the condition holds is not deleted, and only the columns `but` may change.

    :param condition: SQL with `{row}` for the row as it is stored, like `{row}.status <> 'DRAFT'`
    """
    because = f"{table.name}: this row is final" + (f"; only {listed(but)} may change" if but else "")
    fixed = " OR ".join(differs(name) for name in others(table, but))
    return (
        Guard(table.name, "UPDATE", because, f"({condition.format(row='OLD')}) AND ({fixed})"),
        *kept(table, because, condition),
    )


def update_refused(table: Table, part: str, when: str, because: str) -> tuple[Guard, ...]:
    """A step that a row never takes, like back to draft.

    :param part: names the trigger among those of the table
    :param when: SQL over OLD and NEW
    """
    return (Guard(table.name, "UPDATE", because, when, part=f"_{part}"),)


def kept(table: Table, because: str, condition: str | None = None, *, skips: bool = False) -> Iterator[Guard]:
    """Nothing takes a row away: not DELETE, not TRUNCATE, and not an INSERT OR REPLACE of any of its keys."""
    yield Guard(table.name, "DELETE", because, condition and condition.format(row="OLD"))
    yield Guard(table.name, "TRUNCATE", because)
    for number, key in enumerate(keys(table)):
        same = [f'stored."{name}" = NEW."{name}"' for name in key]
        held = [f"({condition.format(row='stored')})"] if condition else []
        exists = f'EXISTS (SELECT 1 FROM "{table.name}" AS stored WHERE {" AND ".join(same + held)})'  # noqa: S608
        yield Guard(table.name, "INSERT", because, exists, skips, part=f"_{number}")


def keys(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns of every key: the primary one, unique constraints and unique indexes over whole tables."""
    yield tuple(table.primary_key.columns.keys())
    unique = [rule for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    indexes = [index for index in table.indexes if index.unique and not is_partial(index)]
    yield from sorted(
        [tuple(rule.columns.keys()) for rule in unique] + [tuple(index.columns.keys()) for index in indexes]
    )


def is_partial(index: Index) -> bool:
    """Whether an index covers only some rows of its table."""
    return index.dialect_options["sqlite"]["where"] is not None


def others(table: Table, columns: Collection[str]) -> list[str]:
    """The columns of a table but for those given, which must exist."""
    unknown = set(columns) - set(table.columns.keys())
    assert not unknown, f"{table.name} has no column {unknown}"
    return [column.name for column in table.columns if column.name not in columns]


def differs(column: str) -> str:
    """SQL: an update changes this column, null counting as a value."""
    return f'OLD."{column}" IS DISTINCT FROM NEW."{column}"'


def listed(columns: Iterable[str]) -> str:
    """Column names for a sentence."""
    return ", ".join(sorted(columns))


def quoted(words: str) -> str:
    """A text as an SQL literal."""
    return "'" + words.replace("'", "''") + "'"


FIRST_WINS: Final = (tables.document_file, tables.customer_reference)
GUARDS: Final[tuple[Guard, ...]] = (
    *(guard for table in tables.APPEND_ONLY for guard in append_only(table, first_wins=table in FIRST_WINS)),
    *(
        guard
        for name, columns in tables.FILLED_ONCE.items()
        for guard in append_only_except(metadata.tables[name], columns)
    ),
    *frozen_when(tables.collection, "{row}.status NOT IN ('WAITING', 'REFUNDING')"),
    *frozen_when(tables.pending_change, "{row}.id IS NOT NULL", but=tables.PENDING_MOVES),
    *update_refused(
        tables.pending_change,
        "forward",
        "OLD.status <> NEW.status AND OLD.status <> 'COLLECTING'"
        " AND NOT (OLD.status = 'REFUNDING' AND NEW.status = 'WITHDRAWN')",
        "pending_change: the status only goes forward",
    ),
)


def install(connection: Connection, guards: Iterable[Guard] = GUARDS) -> None:
    """Make the triggers of all guards and no other; the tables must exist."""
    remove(connection)
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(REFUSE_BODY)
    for guard in guards:
        if guard.exists_on(dialect):
            connection.exec_driver_sql(guard.sql(dialect))


def remove(connection: Connection) -> None:
    """Drop the triggers of all guards, so that a migration may rebuild what they guard."""
    dialect = connection.dialect.name
    for name, table in stored(connection):
        connection.exec_driver_sql(
            f"DROP TRIGGER {name}" if dialect == "sqlite" else f'DROP TRIGGER {name} ON "{table}"'
        )


def expected(dialect: str, guards: Iterable[Guard] = GUARDS) -> set[str]:
    """The names of the triggers that a database of this dialect ("sqlite", "postgresql") should have."""
    names = [guard.name for guard in guards if guard.exists_on(dialect)]
    assert len(names) == len(set(names)), "each guard has a name of its own"
    assert max(map(len, names), default=0) <= NAME_MAX, "PostgreSQL cuts longer names"
    return set(names)


def present(connection: Connection) -> set[str]:
    """The names of the guards' triggers that the database has, and has not disabled."""
    return {name for name, _ in stored(connection)}


def missing(connection: Connection) -> list[str]:
    """The names of the triggers that should be there and are not, or are disabled."""
    return sorted(expected(connection.dialect.name) - present(connection))


def stored(connection: Connection) -> list[tuple[str, str]]:
    """Trigger and table of every guard in the database."""
    like = PREFIX.replace("_", "!_") + "%"
    rows = connection.execute(text(PRESENT[connection.dialect.name]), {"like": like})
    return [(name, table) for name, table in rows]
