"""A member asks for a new portal link. The vendor is told, who knows how to reach its people: it makes a link
and mails it. Nobody can have somebody mailed often: who has asked a moment ago is not heard again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from app.billing.permissions import Actor
from app.billing.refusals import NotFound
from app.store import commits, customers
from app.store.commits import Happened
from app.store.transaction import Tx

HEARD_AGAIN_AFTER: Final = timedelta(minutes=5)


def ask_for_link(tx: Tx, actor: Actor, member_id: UUID) -> NotFound | None:
    """Tell the vendor that a member wants a link; nothing happens if it was told so a moment ago."""
    member = customers.member(tx, member_id)
    if member is None:
        return NotFound("member")
    if not customers.asks_for_link(tx, member_id, not_since=tx.wall - HEARD_AGAIN_AFTER):
        return None
    news = Happened("portal_link.requested", tx.customer, {"member": member.reference})
    commits.publish(tx, news)
    commits.note(tx, "portal.link_requested", member_id, actor=actor.name, at=tx.at, detail={})
    return None
