"""What the next document will hold if nothing else happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.billing import renewals
from app.billing.changes import totals_due
from app.billing.documents import Totals, totals_of
from app.billing.lines import Line
from app.billing.money import Money
from app.services.bring_up import instant, look_ahead
from app.store import states
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class UpcomingInvoice:
    """The lines and totals of the next document, and when it will be made."""

    at: datetime
    lines: tuple[Line, ...]
    totals: Totals
    loaded: Loaded


def upcoming_invoice(tx: Tx, subscription_id: UUID) -> UpcomingInvoice | None:
    """A forecast; None for a subscription that is unknown or has nothing more to bill."""
    loaded = states.load(tx, subscription_id)
    return next_document(tx, loaded) if loaded else None


def next_document(tx: Tx, loaded: Loaded) -> UpcomingInvoice | None:
    """The forecast for a subscription that was loaded already."""
    ahead = look_ahead(tx, loaded, instant(tx))
    due = renewals.due_at(ahead.state)
    posting = renewals.next_due(ahead.state, due) if due else None
    if posting is None:
        return None
    lines = tuple(ref.line for draft in posting.drafts for ref in draft.lines) or posting.lines
    if not lines:
        return None
    zero = Money.zero(ahead.state.currency)
    totals = totals_due(posting.drafts, zero) if posting.drafts else totals_of(lines, ahead.state.credit)
    return UpcomingInvoice(posting.at, lines, totals, ahead)
