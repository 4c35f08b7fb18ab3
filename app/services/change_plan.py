"""Change the plan, the interval or the seats: exactly once for each idempotency key, and at exactly what a
token quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.billing.changes import ChangeRefusal, Quote, allowed_ways, decide
from app.billing.permissions import Actor, Permission
from app.billing.refusals import (
    IdempotencyKeyReused,
    NotFound,
    NotPermitted,
    QuoteOutdated,
    VersionConflict,
)
from app.billing.requests import ChangeRequest
from app.billing.state import State
from app.services.confirming import Button, Confirmed, Offer, Press
from app.services.quotes import QuoteSigner
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class ChangePlan(Press[ChangeRequest]):
    """The request of one confirm button."""


@dataclass(frozen=True, slots=True)
class PlanChanged(Confirmed):
    """The plan, the interval or the seats were changed, or will be at the renewal."""


ChangePlanRefusal = (
    NotFound | NotPermitted | ChangeRefusal | QuoteOutdated[Offer] | VersionConflict | IdempotencyKeyReused
)


def _ways(state: State, request: ChangeRequest, at: datetime) -> Iterator[tuple[ChangeRequest, Quote]]:
    for way in allowed_ways(state, request, at):
        yield replace(request, mode=way.mode, timing=way.timing), way


BUTTON: Final[Button[ChangeRequest, PlanChanged, ChangeRefusal]] = Button(
    mutation="changePlan", permission=Permission.CHANGE_PLAN, decide=decide, ways=_ways, fact=PlanChanged
)


def replayed(
    tx: Tx, actor: Actor, request: ChangePlan
) -> PlanChanged | IdempotencyKeyReused | NotPermitted | None:
    """What the key did before, by a read and before any lock; None if it is new."""
    return BUTTON.replayed(tx, actor, request)


def change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, request: ChangePlan
) -> PlanChanged | ChangePlanRefusal:
    """Decide and write, or refuse and write nothing (renewals that were due are written all the same)."""
    return BUTTON.confirm(tx, actor, signer, request)
