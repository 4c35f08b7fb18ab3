"""The life of a subscription: which verb is allowed in which status, and where it leads. One table.

    TRIALING ──activate──▶ ACTIVE ──pause──▶ PAUSED ──unpause──▶ ACTIVE
        └───────end──────────┴──cancel, end──┴──cancel──▶ ENDED

PAST_DUE is never stored: it is what ACTIVE is called while an invoice is past its due day, so no payment and
no credit note can be forgotten. Owing money forbids nothing here, neither fewer seats nor leaving; what the
product stops then is the vendor's choice. Nothing leads out of ENDED: the customer starts a new subscription.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from app.billing.refusals import SubscriptionNotActive
from app.billing.subscriptions import SubscriptionStatus


class Verb(Enum):
    """What people or time do to a subscription; the value says what it cannot be when refused."""

    ACTIVATE = "activated"
    RENEW = "renewed"
    END = "ended"
    CHANGE = "changed"
    CANCEL_NOW = "cancelled at once"
    CANCEL_AT_RENEWAL = "cancelled at the renewal"
    TAKE_BACK = "kept"
    PAUSE = "paused"
    UNPAUSE = "resumed"


TRIALING: Final = SubscriptionStatus.TRIALING
ACTIVE: Final = SubscriptionStatus.ACTIVE
PAST_DUE: Final = SubscriptionStatus.PAST_DUE
PAUSED: Final = SubscriptionStatus.PAUSED
ENDED: Final = SubscriptionStatus.ENDED

LEADS_TO: Final[Mapping[Verb, Mapping[SubscriptionStatus, SubscriptionStatus]]] = {
    Verb.ACTIVATE: {TRIALING: ACTIVE},
    Verb.RENEW: {ACTIVE: ACTIVE, PAST_DUE: PAST_DUE},
    Verb.END: {TRIALING: ENDED, ACTIVE: ENDED, PAST_DUE: ENDED},
    Verb.CHANGE: {TRIALING: TRIALING, ACTIVE: ACTIVE, PAST_DUE: PAST_DUE},
    Verb.CANCEL_NOW: {ACTIVE: ENDED, PAST_DUE: ENDED, PAUSED: ENDED},
    Verb.CANCEL_AT_RENEWAL: {TRIALING: TRIALING, ACTIVE: ACTIVE, PAST_DUE: PAST_DUE},
    Verb.TAKE_BACK: {TRIALING: TRIALING, ACTIVE: ACTIVE, PAST_DUE: PAST_DUE},
    Verb.PAUSE: {ACTIVE: PAUSED, PAST_DUE: PAUSED},
    Verb.UNPAUSE: {PAUSED: ACTIVE},
}
"""A cell that is missing is a no. A trial is left at its end, since nothing is paid until then; a pause has
no renewal to wait for, so it is left at once.
"""


def allowed(verb: Verb, status: SubscriptionStatus) -> bool:
    """Whether the table has a cell for it."""
    return status in LEADS_TO[verb]


def refusal(verb: Verb, status: SubscriptionStatus) -> SubscriptionNotActive | None:
    """Why a verb is not for a subscription in this status; None if it is."""
    return None if allowed(verb, status) else SubscriptionNotActive(status, verb.value)


def shown(stored: SubscriptionStatus, *, overdue: bool) -> SubscriptionStatus:
    """The status that people see: an active subscription with an invoice past its due day is past due."""
    return PAST_DUE if stored is ACTIVE and overdue else stored
