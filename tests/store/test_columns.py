"""Column types: what comes back is what went in, on both engines, and what cannot come back is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from app.store.columns import canonical, total
from app.store.transaction import DeploymentTx, Store
from tests.store.scratch import Colour, sample

NOON: Final = datetime(2026, 4, 16, 12, 0, 0, 123456, tzinfo=UTC)
KEY: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
GOOD: Final[list[tuple[str, Any]]] = [
    ("instant", NOON),
    ("instant", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ("instant", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ("day", date(2028, 2, 29)),
    ("count", -3),
    ("minor", 2**63 - 1),
    ("minor", -(2**63 - 1)),
    ("exact", Decimal("0.00012300")),
    ("exact", Decimal("-12345678901234567890.123456789")),
    ("flag", True),
    ("flag", False),
    ("json", {"b": [1, None, True, "ü", {"a": []}], "a": 2**62}),
    ("json", "text alone"),
    ("json", []),
    ("colour", Colour.GREEN),
    *((name, None) for name in ("instant", "day", "count", "exact", "flag", "json", "colour")),
]
BAD: Final[list[tuple[str, Any]]] = [
    ("instant", datetime(2026, 4, 16, 12)),  # noqa: DTZ001
    ("instant", "2026-04-16T12:00:00Z"),
    ("instant", 1_776_340_800),
    ("day", NOON),
    ("day", "2026-04-16"),
    ("count", 3.0),
    ("count", True),
    ("count", Decimal(3)),
    ("count", "3"),
    ("minor", 12.5),
    ("minor", 2**63),
    ("exact", 1.5),
    ("exact", 1),
    ("exact", Decimal("NaN")),
    ("exact", Decimal("Infinity")),
    ("flag", 1),
    ("flag", "true"),
    ("json", {"price": 1.5}),
    ("json", {"price": Decimal(1)}),
    ("json", {1: "number as key"}),
    ("json", ("tuple",)),
    ("json", NOON),
    ("json", "nul \x00"),
    ("json", "half of a pair \ud800"),
    ("json", 2**64),
    ("colour", "RED"),
    ("id", KEY),
    ("id", 7),
]


def stored(tx: DeploymentTx, column: str, value: Any) -> Any:
    """What a column gives back for a value."""
    key = tx.new_id()
    tx.connection.execute(insert(sample).values({"id": key, column: value}))
    return tx.connection.execute(select(sample.c[column]).where(sample.c.id == key)).scalar_one()


async def test_what_goes_in_comes_back(scratch_store: Store) -> None:
    """A value is read back equal and of the same type, null included."""
    for column, value in GOOD:
        back = await scratch_store.deployment(stored, column, value)
        assert (back, type(back)) == (value, type(value)), column


async def test_an_id_comes_back_as_the_usual_class(scratch_store: Store) -> None:
    """PostgreSQL's driver has a UUID class of its own, which does not get out."""

    def keys(tx: DeploymentTx) -> list[Any]:
        stored(tx, "count", 1)
        return list(tx.connection.execute(select(sample.c.id)).scalars())

    assert [type(key) for key in await scratch_store.deployment(keys)] == [UUID]


async def test_digits_of_a_price_are_kept(scratch_store: Store) -> None:
    """10.50 is not stored as 10.5: a price shows the digits it was written with."""
    back = await scratch_store.deployment(stored, "exact", Decimal("10.50"))

    assert str(back) == "10.50"


async def test_an_instant_of_another_offset_is_the_same_instant(scratch_store: Store) -> None:
    """Noon at +02:00 is stored and read as 10:00 UTC."""
    summer = datetime(2026, 4, 16, 12, tzinfo=timezone(timedelta(hours=2)))

    back = await scratch_store.deployment(stored, "instant", summer)

    assert back.isoformat() == "2026-04-16T10:00:00+00:00"


async def test_what_would_not_come_back_is_refused(scratch_store: Store) -> None:
    """A naive datetime, a float, a string for an id: refused when bound, with words,."""
    for column, value in BAD:
        with pytest.raises(StatementError, match=r"(TypeError|ValueError)\)") as refused:
            await scratch_store.deployment(stored, column, value)
        assert isinstance(refused.value.orig, TypeError | ValueError), (column, value)

    assert await scratch_store.deployment(lambda tx: tx.connection.execute(select(sample)).all()) == []


@pytest.mark.parametrize("column", ["instant", "count", "minor", "flag"])
async def test_the_tables_are_strict(scratch_store: Store, column: str) -> None:
    """A text in a column of numbers is refused by the database too, whoever writes it."""
    statement = f"INSERT INTO sample (id, \"{column}\") VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'x')"

    with pytest.raises(DBAPIError):
        await scratch_store.deployment(lambda tx: tx.connection.exec_driver_sql(statement))


async def test_a_choice_is_checked_by_the_database(scratch_store: Store) -> None:
    """A name outside the enum is refused whoever writes it."""
    statement = f"INSERT INTO sample (id, colour) VALUES ('{KEY}', 'BLUE')"

    with pytest.raises(IntegrityError):
        await scratch_store.deployment(lambda tx: tx.connection.execute(text(statement)))


async def test_a_sum_is_an_int(scratch_store: Store) -> None:
    """7 + 5 is the int 12 on both engines, and the sum of no rows is 0."""

    def sums(tx: DeploymentTx) -> list[Any]:
        query = select(total(sample.c.minor))
        before = tx.connection.execute(query).scalar_one()
        stored(tx, "minor", 7)
        stored(tx, "minor", 5)
        return [before, tx.connection.execute(query).scalar_one()]

    found = await scratch_store.deployment(sums)

    assert found == [0, 12]
    assert {type(value) for value in found} == {int}


async def test_ids_and_instants_sort_as_they_grow(scratch_store: Store) -> None:
    """ORDER BY an id is the order in which ids were made; ORDER BY an instant is the order of time."""
    instants = [NOON + timedelta(microseconds=step) for step in (-1_000_000, 0, 1, 86_400_000_000)]

    def ordered(tx: DeploymentTx, by: str) -> list[datetime]:
        return list(tx.connection.execute(select(sample.c.instant).order_by(sample.c[by])).scalars())

    def fill(tx: DeploymentTx) -> None:
        for instant in instants:
            stored(tx, "instant", instant)

    await scratch_store.deployment(fill)

    assert await scratch_store.deployment(ordered, "id") == instants
    assert await scratch_store.deployment(ordered, "instant") == instants


def test_json_has_one_text() -> None:
    """Whatever the order of its keys, the same object has the same text, so a hash of it is stable."""
    assert canonical({"b": 1, "a": {"d": "ü", "c": None}}) == '{"a":{"c":null,"d":"ü"},"b":1}'
