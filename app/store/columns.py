"""Column types that mean the same on SQLite and PostgreSQL, and refuse what would be stored wrongly.

SQLite keeps its tables STRICT, where only INTEGER, TEXT and BLOB exist; PostgreSQL gets its own types. A
naive datetime, a float or a string for an id is refused when it is bound, before any row is written;
SQLAlchemy puts the TypeError or ValueError into its StatementError.
"""

# ruff: noqa: ARG002 - The methods have the signatures SQLAlchemy calls.

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Dialect,
    Integer,
    Text,
    TypeDecorator,
    Uuid,
    cast,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from app.store.ids import id_of

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
INTEGER_MAX: Final = 2**63 - 1
KEPT: Final = 16_384
"""How many ids and instants that were read are kept: many rows name the same ones."""

Read = Callable[[Any], Any]

EnumT = TypeVar("EnumT", bound=Enum)


def is_sqlite(dialect: Dialect) -> bool:
    """Whether a value goes to SQLite; else it goes to PostgreSQL."""
    return dialect.name == "sqlite"


@lru_cache(KEPT)
def instant_at(microseconds: int | None) -> datetime | None:
    """The instant so many microseconds after the beginning of 1970."""
    return None if microseconds is None else EPOCH + microseconds * MICROSECOND


@lru_cache(KEPT)
def id_named(text: str | None) -> UUID | None:
    """The id that is written so; the same object each time, as long as it is kept."""
    return None if text is None else id_of(int(text.replace("-", ""), 16))


@lru_cache(KEPT)
def id_like(other: Any) -> UUID | None:
    """The id that equals one of another class: asyncpg has its own, inside Seatport there is one."""
    return None if other is None else id_of(other.int)


class Instant(TypeDecorator[datetime]):
    """A point in time, in UTC, to the microsecond: INTEGER microseconds since 1970 | timestamptz."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if is_sqlite(dialect) else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise TypeError(f"An instant is a datetime with an offset, not {value!r}.")
        return (value - EPOCH) // MICROSECOND if is_sqlite(dialect) else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if is_sqlite(dialect) or value is None:
            return instant_at(value)
        instant: datetime = value.astimezone(UTC)
        return instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Read | None:
        return instant_at if is_sqlite(dialect) else super().result_processor(dialect, coltype)


class Day(TypeDecorator[date]):
    """A calendar day without a time, like the day a document is issued on: TEXT 2026-04-16 | date."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else Date())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise TypeError(f"A day is a date, not {value!r}.")
        return value.isoformat() if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return value if value is None or isinstance(value, date) else date.fromisoformat(value)


class Id(TypeDecorator[UUID]):
    """An identity made by `app.store.ids`: TEXT of 36 characters, which sorts as the bytes do | uuid."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else Uuid(as_uuid=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, UUID):
            raise TypeError(f"An id is a UUID, not {value!r}.")
        return str(value) if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return id_named(value) if is_sqlite(dialect) else id_like(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Read | None:
        return id_named if is_sqlite(dialect) else id_like


class Count(TypeDecorator[int]):
    """A whole number of 64 bits: INTEGER | bigint. Refuses bool, float and Decimal."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if is_sqlite(dialect) else BigInteger())

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{type(self).__name__} is a whole number, not {value!r}.")
        if abs(value) > INTEGER_MAX:
            raise ValueError(f"{type(self).__name__} has at most 64 bits, unlike {value}.")
        return value


class Minor(Count):
    """An amount in whole minor units of the row's currency, never a fraction: 12.50 USD is 1250."""

    cache_ok = True


class Exact(TypeDecorator[Decimal]):
    """A unit price or a rate, exact to the last digit as it was written: TEXT on both. Refuses int, float."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"An exact number is a finite Decimal, not {value!r}.")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Flag(TypeDecorator[bool]):
    """True or false: INTEGER 1 or 0 | boolean. Refuses anything that is merely truthy."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if is_sqlite(dialect) else Boolean())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bool | int | None:
        if value is None:
            return None
        if not isinstance(value, bool):
            raise TypeError(f"A flag is True or False, not {value!r}.")
        return int(value) if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class JsonText(str):
    """JSON in its one form, as `canonical` writes it, that goes into a column as it is."""

    __slots__ = ()


class Json(TypeDecorator[Any]):
    """Frozen data of objects with text keys, lists, text, whole numbers, booleans and null: TEXT | jsonb.

    SQLite holds the canonical form. None is SQL's NULL, never JSON's null. What would not read back equal (a
    float, a Decimal, a datetime, a tuple) is refused: give text.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return _canonical_or_null(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # Both drivers take text, so PostgreSQL's own way to it need not be gone as well.
        return _canonical_or_null

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return orjson.loads(value) if isinstance(value, str) and is_sqlite(dialect) else value


class OneOf(TypeDecorator[EnumT]):
    """A member of an enum by its name: TEXT on both. `app.store.metadata.table` adds the CHECK.

    :param never: members that are found out when they are asked for, and so never stored
    """

    impl = Text
    cache_ok = True

    def __init__(self, members: type[EnumT], never: tuple[EnumT, ...] = ()) -> None:
        super().__init__()
        self.members = members
        self.never = never

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, self.members) or value in self.never:
            raise TypeError(f"{value!r} is no {self.members.__name__} that is stored.")
        return str(value.name)

    def process_result_value(self, value: str | None, dialect: Dialect) -> EnumT | None:
        return None if value is None else self.members[value]

    def result_processor(self, dialect: Dialect, coltype: object) -> Read | None:
        read: dict[Any, EnumT | None] = {None: None, **self.members.__members__}
        return read.__getitem__


def choice(
    name: str, members: type[EnumT], *, nullable: bool = False, never: tuple[EnumT, ...] = ()
) -> Column[EnumT]:
    """A column that holds the name of one member of an enum; the database itself refuses any other text."""
    return Column(name, OneOf(members, never), nullable=nullable)


def total(column: ColumnElement[int]) -> ColumnElement[int]:
    """The sum of a column of whole numbers as an int, 0 for no rows; PostgreSQL's own is a Decimal."""
    return cast(func.coalesce(func.sum(column), 0), Count())


def _canonical_or_null(value: Any) -> str | None:
    return value if value is None or type(value) is JsonText else canonical(value)


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no blanks, UTF-8 as it is.

    :raises TypeError: if the value holds anything but dict with text keys, list, str, int, bool and None
    :raises ValueError: if a text cannot be stored (NUL, a lone surrogate) or an int exceeds 64 bits
    """
    refuse_unstorable(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError(f"This cannot be stored as JSON: {error}.") from error


def refuse_unstorable(value: Any) -> None:
    """Look through JSON data for what would read back as something else, or not at all."""
    kind = type(value)
    if kind is str:
        if "\x00" in value:
            raise ValueError("Stored text holds no NUL character.")
    elif kind is list:
        for inner in value:
            refuse_unstorable(inner)
    elif kind is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise TypeError(f"A JSON object has text keys, not {key!r}.")
            refuse_unstorable(key)
            refuse_unstorable(inner)
    elif value is not None and kind not in {int, bool}:
        raise TypeError(f"Stored JSON holds no {kind.__name__}: {value!r}.")
