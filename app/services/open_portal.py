"""Let a person of a customer into the portal: make or update the member, and open a session for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.billing.permissions import Actor, Role
from app.billing.refusals import NotFound
from app.store import commits, customers
from app.store.customers import Member
from app.store.transaction import Tx

SESSION_LIFETIME: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class PortalVisit:
    """Who comes in, in what role, and the hash of the token they will show. The vendor knows who they are."""

    reference: str
    role: Role
    token_hash: str
    name: str | None = None
    email: str | None = None
    lifetime: timedelta = SESSION_LIFETIME


def open_portal(tx: Tx, actor: Actor, visit: PortalVisit) -> Member | NotFound:
    """The member for whom the session was opened."""
    if customers.get(tx) is None:
        return NotFound("customer")
    known = customers.member_by_reference(tx, visit.reference)
    member = Member(known.id if known else tx.new_id(), visit.reference, visit.name, visit.email, visit.role)
    customers.put_member(tx, member)
    expires_at = tx.wall + visit.lifetime
    customers.add_session(tx, token_hash=visit.token_hash, member_id=member.id, expires_at=expires_at)
    detail = {"role": visit.role.value}
    commits.note(tx, "portal.opened", member.id, actor=actor.name, at=tx.at, detail=detail)
    return member
