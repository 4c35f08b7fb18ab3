"""Bring a subscription up to an instant: everything due until then is billed first, each renewal as a
document of its own.

The billing run and every verb use this one function; a preview does the same in memory and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.billing import bounds, renewals
from app.billing.bounds import OutOfBounds
from app.billing.permissions import SYSTEM
from app.billing.refusals import BillingDetailsMissing
from app.services import postings
from app.services.postings import Written
from app.store import states
from app.store.saving import save
from app.store.sheet import Sheet
from app.store.states import Loaded
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """How far a subscription came: the state after what was due, what was written for it, and why it stopped
    before the end, if it did.
    """

    loaded: Loaded
    written: tuple[Written, ...] = ()
    stopped: BillingDetailsMissing | OutOfBounds | None = None


class RenewalOutOfBounds(Exception):
    """What is due before a change is something that Seatport does not charge by itself. Nothing was written;
    the billing run parks the subscription, and somebody has to look at it. The message is for whoever asked,
    the reason for whoever looks.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The seller has to look at the renewal of this subscription, and nothing of it can be changed "
            "until then. Nothing was done."
        )
        self.reason = reason


def instant(tx: Tx) -> datetime:
    """The customer's present instant as verbs use it: whole seconds, so that a token can name it."""
    return tx.at.replace(microsecond=0)


def load_current(tx: Tx, subscription_id: UUID, at: datetime) -> Loaded | BillingDetailsMissing | None:
    """The subscription, locked, with everything billed that was due until an instant; None if there is none.

    Refused if a renewal is due that needs billing details.

    :raises RenewalOutOfBounds: if a renewal is due that is not charged without somebody looking at it
    """
    loaded = states.load(tx, subscription_id, lock=True)
    return bring_up(tx, loaded, at) if loaded else None


def bring_up(tx: Tx, loaded: Loaded, at: datetime) -> Loaded | BillingDetailsMissing:
    """Write all that is due until an instant; the state after it.

    :raises RenewalOutOfBounds: as `load_current`
    """
    sheet = Sheet()
    done = compose_due(sheet, tx, loaded, at)
    if isinstance(done.stopped, OutOfBounds):
        raise RenewalOutOfBounds(done.stopped.message)
    if not done.written:
        return done.stopped or done.loaded
    numbers = save(tx.connection, sheet)
    return done.stopped or done.written[-1].numbered(numbers).loaded


def compose_due(sheet: Sheet, tx: Tx, loaded: Loaded, at: datetime) -> BroughtUp:
    """Put all that is due until an instant on a sheet, as far as it can be billed."""
    written: list[Written] = []
    while posting := renewals.next_due(loaded.state, at):
        stopped: BillingDetailsMissing | OutOfBounds | None = None
        if posting.drafts and loaded.state.buyer.missing:
            stopped = BillingDetailsMissing(loaded.state.buyer.missing)
        elif loaded.ahead:
            stopped = OutOfBounds("A later period was billed already.")
        stopped = stopped or bounds.judged(loaded.state, posting)
        if stopped:
            return BroughtUp(loaded, tuple(written), stopped)
        written.append(postings.compose(sheet, tx, loaded, posting, actor=SYSTEM))
        loaded = written[-1].loaded
    return BroughtUp(loaded, tuple(written))


def look_ahead(tx: Tx, loaded: Loaded, at: datetime) -> Loaded:
    """The state that `bring_up` would write, in memory."""
    steps = list(renewals.bring_up(loaded.state, at, tx.new_id))
    return replace(loaded, state=steps[-1].state) if steps else loaded


def stopped(tx: Tx, loaded: Loaded, at: datetime) -> BillingDetailsMissing | None:
    """Why `bring_up` would not come up to an instant, found in memory; None if it would."""
    missing = loaded.state.buyer.missing
    if not missing:
        return None
    steps = renewals.bring_up(loaded.state, at, tx.new_id)
    return BillingDetailsMissing(missing) if any(step.posting.drafts for step in steps) else None
