"""The audit is a chain: what is done to its rows behind the program's back is named at its place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Row

from app.billing.permissions import SYSTEM
from app.services.register_customer import NewCustomer, register_customer
from app.store import commits
from app.store.chain import digest
from app.store.checks.audits import broken
from app.store.tables import audit
from app.store.transaction import Store, Tx

PLACES = 9
NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)
ACME, GLOBEX = UUID(int=1), UUID(int=2)
CHANGED: dict[str, Any] = {
    "id": UUID(int=7),
    "action": "seats.lost",
    "actor": "mallory",
    "object_id": UUID(int=7),
    "detail": {"seats": 8000},
    "effective_at": NOON - timedelta(microseconds=1),
    "recorded_at": NOON + timedelta(days=400),
    "digest": "0" * 64,
}


class Kept(NamedTuple):
    """A row of the audit, as the database has it."""

    customer_id: UUID
    id: UUID
    action: str
    actor: str
    object_id: UUID
    detail: dict[str, Any]
    effective_at: datetime
    recorded_at: datetime
    position: int
    digest: str

    def after(self, before: str) -> Kept:
        """The same with the digest that follows another."""
        return self._replace(digest=digest(before, self._asdict()))


def row(customer: UUID, position: int) -> Kept:
    at = NOON + timedelta(seconds=position)
    return Kept(
        customer, uuid4(), "seats.counted", "ada", customer, {"seats": position}, at, at, position, ""
    )


def chain(customer: UUID = ACME) -> list[Kept]:
    """A chain that is whole."""
    rows: list[Kept] = []
    for position in range(1, PLACES + 1):
        rows.append(row(customer, position).after(rows[-1].digest if rows else ""))
    return rows


def found(rows: Iterable[Kept]) -> list[str]:
    """The sentences of what is found."""
    return [each.sentence for each in broken(cast("Iterable[Row[Any]]", rows))]


def other(position: int) -> str:
    return f"at place {position} the audit says something else than was recorded"


def test_a_chain_as_it_was_recorded_is_whole() -> None:
    """Of one customer, and of two, whose chains are their own; of none too."""
    assert found(chain()) == found([*chain(), *chain(GLOBEX)]) == found([]) == []


@pytest.mark.parametrize("place", range(PLACES))
@pytest.mark.parametrize("column", CHANGED)
def test_a_row_that_was_changed_is_named(column: str, place: int) -> None:
    """Every column of every row counts; who makes the digest anew breaks the place after it."""
    rows = chain()
    changed = rows[place]._replace(**{column: CHANGED[column]})
    before = rows[place - 1].digest if place else ""

    assert found([*rows[:place], changed, *rows[place + 1 :]])[0] == other(place + 1)
    if column != "digest":
        after = [other(place + 2)] if place + 1 < PLACES else []
        assert found([*rows[:place], changed.after(before), *rows[place + 1 :]]) == after


@pytest.mark.parametrize("place", range(PLACES - 1))
def test_a_row_that_was_removed_leaves_a_gap(place: int) -> None:
    """The row after it is named; closing the gap by other places does not help."""
    rows = chain()
    rest = [*rows[:place], *rows[place + 1 :]]
    closed = [each._replace(position=number) for number, each in enumerate(rest, 1)]

    assert found(rest) == [f"place {place + 2} of the audit comes after place {place}"]
    assert found(closed)[0] == other(place + 1)


@pytest.mark.parametrize("place", range(PLACES))
def test_a_row_that_was_put_between_is_named(place: int) -> None:
    """With a digest that fits its place, the next row does not follow any more."""
    rows = chain()
    put = row(ACME, place + 1).after(rows[place - 1].digest if place else "")
    moved = [each._replace(position=each.position + 1) for each in rows[place:]]

    assert found([*rows[:place], put, *moved])[0] == other(place + 2)


@pytest.mark.parametrize("place", range(PLACES - 1))
def test_rows_that_changed_places_are_named(place: int) -> None:
    """Two neighbours, each with the place of the other."""
    rows = chain()
    one, two = rows[place : place + 2]
    swapped = [two._replace(position=one.position), one._replace(position=two.position)]

    assert found([*rows[:place], *swapped, *rows[place + 2 :]])[0] == other(place + 1)


def test_a_row_of_another_customer_does_not_fit() -> None:
    """Though it was whole in its own chain."""
    rows = chain()
    rows[3] = chain(GLOBEX)[3]._replace(customer_id=ACME)

    assert found(rows)[0] == other(4)


async def test_places_follow_each_other_across_commits(store: Store) -> None:
    """One row, three in a commit, and one again; each customer begins at 1."""
    customers = (uuid4(), uuid4())
    for customer in customers:
        new = NewCustomer(str(customer), "Acme", "USD", "UTC")
        await store.run(customer, register_customer, SYSTEM, new)
        for count in (1, 3, 1):
            await store.run(customer, write, count)

    for customer in customers:
        rows = await store.run(customer, kept)
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) > 5
        assert found(rows) == []


def write(tx: Tx, count: int) -> None:
    for number in range(count):
        commits.note(tx, "seats.counted", tx.customer, actor="ada", at=tx.at, detail={"b": number, "a": "ü"})


def kept(tx: Tx) -> list[Kept]:
    query = select(audit).where(audit.c.customer_id == tx.customer).order_by(audit.c.position)
    return [Kept(**row._asdict()) for row in tx.connection.execute(query)]
