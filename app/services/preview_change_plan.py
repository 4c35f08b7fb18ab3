"""What a change would cost: the quote with a token that binds, and the same change in every other way that
the plan allows.
"""

from __future__ import annotations

from uuid import UUID

from app.billing.changes import ChangeRefusal
from app.billing.permissions import Actor
from app.billing.refusals import NotFound, NotPermitted
from app.billing.requests import ChangeRequest
from app.services.change_plan import BUTTON
from app.services.confirming import Offer
from app.services.quotes import QuoteSigner
from app.store.transaction import Tx

PreviewRefusal = NotFound | NotPermitted | ChangeRefusal


def preview_change_plan(
    tx: Tx, actor: Actor, signer: QuoteSigner, subscription_id: UUID, request: ChangeRequest
) -> Offer | PreviewRefusal:
    """Quote a change at the customer's present instant; writes nothing. A role that sees no money learns what
    the change costs, and nothing of the credit balance or of what is open.
    """
    return BUTTON.preview(tx, actor, signer, subscription_id, request)
