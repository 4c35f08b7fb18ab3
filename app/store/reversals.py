"""What hangs on lines that are told again or credited: the events they name, and what takes them back."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from app.billing.money import Currency
from app.store.lines import StoredLine, standing, stored_line
from app.store.tables import billing_line, line_event
from app.store.transaction import Tx


def named_events(tx: Tx, line_ids: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """The pairs (line, event) by which lines name their events."""
    query = select(line_event.c.line_id, line_event.c.event_id).where(
        line_event.c.customer_id == tx.customer, line_event.c.line_id.in_(tuple(line_ids))
    )
    return [(row.line_id, row.event_id) for row in tx.connection.execute(query)]


def reversing(tx: Tx, ids: Iterable[UUID], currency: Currency) -> list[StoredLine]:
    """The lines that take something of these back and stand, or wait."""
    query = standing(select(billing_line)).where(
        billing_line.c.customer_id == tx.customer, billing_line.c.reverses.in_(tuple(ids))
    )
    return [stored_line(row, currency) for row in tx.connection.execute(query)]
