"""The second of three layers: a statement that does not say of which customer is not sent."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.billing.ledger import BalanceKind
from app.metrics import STATEMENTS_REFUSED
from app.store import bulk
from app.store.columns import Id
from app.store.keyed import keyed
from app.store.scope import NotItsCustomer
from app.store.tables import (
    catalog,
    document,
    idempotency,
    line_event,
    receivable,
    seat_level,
)
from app.store.transaction import DeploymentTx, Store, Tx

MINE, OTHER = UUID(int=1), UUID(int=2)
Statement = Callable[[Tx], Any]

mine = document.c.customer_id == MINE
same = receivable.c.customer_id == document.c.customer_id
other = document.alias("other")
twins = other.c.customer_id == document.c.customer_id
part = select(document.c.customer_id, document.c.id).where(mine).subquery("part")
loose = select(document.c.customer_id, document.c.id).subquery("loose")
found = select(document.c.customer_id).where(mine).cte("found")
row = {"metric": "x", "kind": BalanceKind.IN_USE, "balance": 1}

HELD: dict[str, Any] = {
    "its own": select(document).where(mine),
    "among other terms": select(document).where(and_(document.c.total > 1, and_(mine, document.c.tax > 1))),
    "the other way round": select(document).where(literal(MINE, Id) == document.c.customer_id),
    "joined": select(document).join(receivable, same).where(mine),
    "joined to the right": select(document).join(receivable, same).where(receivable.c.customer_id == MINE),
    "joined from outside": select(document).outerjoin(receivable, same).where(mine),
    "joined in WHERE": select(document, receivable).where(mine, same),
    "a chain": select(document).join(other, twins).join(receivable, same).where(other.c.customer_id == MINE),
    "correlated": select(document).where(mine, exists().where(same)),
    "in two levels": select(document).where(
        mine,
        exists(
            select(receivable.c.open).where(
                same, exists().where(line_event.c.customer_id == receivable.c.customer_id)
            )
        ),
    ),
    "a part": select(part.c.id),
    "joined to a part": select(receivable).join(part, receivable.c.customer_id == part.c.customer_id),
    "joined to a CTE": select(receivable).join(found, receivable.c.customer_id == found.c.customer_id),
    "both of a union": union_all(select(document.c.id).where(mine), select(document.c.id).where(mine)),
    "of the deployment": select(catalog),
    "updated": update(document).where(mine).values(total=2),
    "deleted": delete(document).where(mine, document.c.id == OTHER),
    "inserted": insert(seat_level).values(customer_id=MINE, **row),
}
LOOSE: dict[str, Any] = {
    "no criterion": select(document),
    "by id alone": select(document).where(document.c.id == MINE),
    "another customer": select(document).where(document.c.customer_id == OTHER),
    "any of several": select(document).where(or_(mine, document.c.total > 1)),
    "not it": select(document).where(~mine),
    "not equal": select(document).where(document.c.customer_id != MINE),
    "a range": select(document).where(document.c.customer_id >= MINE),
    "two of them": select(document).where(document.c.customer_id.in_([MINE, OTHER])),
    "to itself": select(document).where(document.c.customer_id == document.c.customer_id),
    "joined by id": select(document).join(receivable, receivable.c.invoice_id == document.c.id).where(mine),
    "only what is joined": select(document).outerjoin(receivable, and_(same, mine)),
    "joined by any": select(document).join(receivable, or_(same, receivable.c.open > 1)).where(mine),
    "product": select(document, receivable).where(mine),
    "not correlated": select(document).where(
        mine, exists(select(receivable.c.open).where(receivable.c.open > 1))
    ),
    "held by what may be absent": select(document).where(
        ~exists().where(same, receivable.c.customer_id == MINE)
    ),
    "a loose part": select(loose.c.id).where(loose.c.customer_id == MINE),
    "one of a union": union_all(select(document.c.id).where(mine), select(document.c.id)),
    "a scalar": select(document.c.id, select(func.max(receivable.c.open)).scalar_subquery()).where(mine),
    "updated": update(document).values(total=2),
    "updated by id": update(document).where(document.c.id == MINE).values(total=2),
    "updated from": update(document).where(mine, document.c.id == receivable.c.invoice_id).values(total=2),
    "deleted": delete(document),
    "deleted by others": delete(document).where(mine, document.c.id.in_(select(document.c.id))),
    "inserted for another": insert(seat_level).values(customer_id=OTHER, **row),
    "inserted for nobody": insert(seat_level).values(**row),
    "inserted from all": insert(seat_level).from_select(["customer_id"], select(document.c.customer_id)),
    "text": text("SELECT * FROM document"),
    "text of one": text(f"SELECT * FROM document WHERE customer_id = '{MINE}'"),
}


async def attempted(store: Store, work: Callable[[Tx], Any]) -> None:
    """Run work for MINE, and write nothing."""
    await store.run(MINE, lambda tx: tx.forget(work(tx)))


@pytest.fixture
def engine_name() -> str:
    """What a statement says is looked at before any database sees it, by the same code."""
    return "sqlite"


@pytest.mark.parametrize("statement", HELD.values(), ids=HELD)
async def test_what_is_held_to_the_customer_is_sent(store: Store, statement: Any) -> None:
    """Directly, or through what it is joined to; every time, not only the first."""
    for _ in range(2):
        with suppress(IntegrityError):  # The database may refuse it for reasons of its own.
            await attempted(store, lambda tx: tx.connection.execute(statement))


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize("statement", LOOSE.values(), ids=LOOSE)
async def test_what_is_not_is_refused(store: Store, statement: Any) -> None:
    """Before it is sent, counted, and every time; no value of anybody is in the message."""
    before = STATEMENTS_REFUSED._value.get()
    with pytest.raises(NotItsCustomer):
        await attempted(store, lambda tx: tx.connection.execute(statement))
    with pytest.raises(NotItsCustomer) as refused:
        await attempted(store, lambda tx: tx.connection.execute(statement))

    assert STATEMENTS_REFUSED._value.get() == before + 2
    assert str(OTHER) not in str(refused.value)


async def test_keys_of_another_customer_are_refused(store: Store) -> None:
    """What is joined with keys is held by them, so they are looked at as they are given."""

    def stolen(tx: Tx) -> None:
        foreign = Tx(tx.connection, tx.wall, OTHER, tx.at)
        keys = keyed(document, ("id",), [(tx, MINE), (foreign, MINE)])
        keys.execute(keys.rows_of(document, by=("id",)))

    with pytest.raises(NotItsCustomer):
        await attempted(store, stolen)


@pytest.mark.parametrize("owners", [[OTHER], [MINE, OTHER], [OTHER, MINE]])
async def test_rows_in_bulk_are_looked_at(store: Store, owners: list[UUID]) -> None:
    """Inserted, updated or deleted: one row of another customer among thousands is one too many."""
    key = ("customer_id", "mutation", "key")
    names = (*key, "fingerprint", "outcome", "recorded_at")

    def inserted(tx: Tx) -> None:
        rows: list[tuple[Any, ...]] = [(owner, "m", "k", "f", {}, tx.wall) for owner in owners]
        bulk.insert_rows(tx.connection, idempotency, names, rows)

    def updated(tx: Tx) -> None:
        bulk.update_rows(
            tx.connection, idempotency, key, ("fingerprint",), [(o, "m", "k", "f") for o in owners]
        )

    def deleted(tx: Tx) -> None:
        bulk.delete_rows(tx.connection, idempotency, key, [(owner, "m", "k") for owner in owners])

    for work in (inserted, updated, deleted):
        with pytest.raises(NotItsCustomer):
            await attempted(store, work)


async def test_the_deployment_has_no_customers(store: Store) -> None:
    """A unit on the deployment's tables touches no customer's, not even by name; across customers all may."""

    def look(tx: DeploymentTx) -> int:
        return len(tx.connection.execute(select(document).where(mine)).all())

    with pytest.raises(NotItsCustomer):
        await store.deployment(look)
    assert await store.batch(look) == 0
    assert await store.look(look) == 0


async def test_who_begins_without_a_door_has_nobody(store: Store) -> None:
    """A transaction that was begun on the engine itself is of nobody, whatever its connection did before."""
    await attempted(store, lambda tx: tx.connection.execute(HELD["its own"]))
    async with store.writer.connect() as connection:
        with pytest.raises(NotItsCustomer):
            await connection.execute(HELD["its own"])
