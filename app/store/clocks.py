"""How far a customer's clock is ahead of the wall clock, which every transaction asks first."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from app.store.tables import customer

MICROSECOND: Final = timedelta(microseconds=1)


def offset_of(connection: Connection, customer_id: UUID, /, *, lock: bool) -> timedelta:
    """The customer's offset; zero for a customer that does not exist yet.

    :param lock: keep other units of this customer waiting until the transaction ends; SQLite takes one writer
        at a time anyway
    """
    query = select(customer.c.clock_offset).where(customer.c.customer_id == customer_id)
    if lock:
        query = query.with_for_update(key_share=True)  # FOR NO KEY UPDATE lets in rows that refer to it.
    offset: int | None = connection.execute(query).scalar()
    return (offset or 0) * MICROSECOND
