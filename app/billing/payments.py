"""A change that is paid before it is made: what became of it, and what a declined payment does to it."""

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


INVOICE: Final = "invoice"
"""The payment method of a customer who pays invoices by itself; nothing is collected."""
