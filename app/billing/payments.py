"""Payments that a gateway collects: of changes before they are made, and of invoices that were issued."""

from __future__ import annotations

from enum import Enum
from typing import Final


class OnPaymentFailure(Enum):
    """What a change comes to when its payment is declined: nothing, or an invoice that stays open."""

    PREVENT_CHANGE = "PREVENT_CHANGE"
    APPLY_CHANGE = "APPLY_CHANGE"


class PendingStatus(Enum):
    """Where a change is that has to be paid first: from COLLECTING to one of the others, from REFUNDING to
    WITHDRAWN, and never back.
    """

    COLLECTING = "COLLECTING"
    REFUNDING = "REFUNDING"
    APPLIED = "APPLIED"
    WITHDRAWN = "WITHDRAWN"


class CollectionStatus(Enum):
    """Where the collection of an invoice is: WAITING for its next try, REFUNDING what was taken and is not
    due any more. The others are final: COLLECTED, OVER (nothing is due any more), LEFT_OPEN to its payer.
    """

    WAITING = "WAITING"
    REFUNDING = "REFUNDING"
    COLLECTED = "COLLECTED"
    OVER = "OVER"
    LEFT_OPEN = "LEFT_OPEN"


INVOICE: Final = "invoice"
"""The payment method of a customer who pays invoices by itself; nothing is collected."""
