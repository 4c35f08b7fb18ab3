"""Forget idempotency keys that are older than thirty days: what a key did stays done, but the key may be used
for something else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.store import old_keys
from app.store.transaction import Tx

KEPT_FOR: Final = timedelta(days=30)
STEP: Final = 500


def forget_keys(tx: Tx, *, step: int = STEP) -> int:
    """Forget some of a customer's keys that are old enough, the oldest first; how many. It is one small step,
    so that nobody waits for it: who wants all gone asks again until there are none.
    """
    return old_keys.forget(tx, tx.wall - KEPT_FOR, step)
