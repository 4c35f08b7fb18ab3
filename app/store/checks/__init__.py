"""What the books promise, as statements that find what breaks it. `app.services.doctor` runs them."""

from __future__ import annotations

from typing import Final

from app.store.checks import audits, deployment, documents, ledgers, lives, payments
from app.store.checks.check import Broken, Check

__all__ = ["BY_CUSTOMER", "OF_DEPLOYMENT", "Broken", "Check"]

BY_CUSTOMER: Final = (
    *ledgers.CHECKS,
    *documents.CHECKS,
    *payments.CHECKS,
    *lives.CHECKS,
    *audits.CHECKS,
    *deployment.references(),
)
"""Checks of rows of customers, run over some customers at a time."""

OF_DEPLOYMENT: Final = (*deployment.CHECKS, *audits.OF_DEPLOYMENT)
"""Checks of what belongs to no customer, run once."""
