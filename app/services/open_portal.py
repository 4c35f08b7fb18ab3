"""Let a person of a customer into the portal: make or update the member, open a session for them, and give
them a link with which they open one by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.billing.permissions import Actor, Role
from app.billing.refusals import NotFound
from app.store import commits, customers, sessions
from app.store.customers import Member
from app.store.transaction import Tx

SESSION_LIFETIME: Final = timedelta(hours=12)
LINK_LIFETIME: Final = timedelta(minutes=15)
REMEMBERED: Final = timedelta(days=30)
"""For how long an expired link still tells whom to send a new one."""


@dataclass(frozen=True, slots=True)
class PortalVisit:
    """Who comes in, in what role, and the hash of the token they will show. The vendor knows who they are.

    :ivar link_hash: the hash of the token of a link that they get besides
    """

    reference: str
    role: Role
    token_hash: str
    name: str | None = None
    email: str | None = None
    lifetime: timedelta = SESSION_LIFETIME
    link_hash: str | None = None


def open_portal(tx: Tx, actor: Actor, visit: PortalVisit) -> Member | NotFound:
    """The member for whom the session was opened. Another role than before ends the sessions until now."""
    if customers.get(tx) is None:
        return NotFound("customer")
    known = customers.member_by_reference(tx, visit.reference, removed=True)
    member = Member(known.id if known else tx.new_id(), visit.reference, visit.name, visit.email, visit.role)
    customers.put_member(tx, member)
    detail: dict[str, Any] = {"role": visit.role.value}
    if known is not None and known.role is not visit.role:
        detail |= {"role_before": known.role.value, "sessions_ended": sessions.revoke_all(tx, member.id)}
    sessions.forget(tx, member.id, before=tx.wall - REMEMBERED)
    expires_at = tx.wall + visit.lifetime
    sessions.add_session(tx, token_hash=visit.token_hash, member_id=member.id, expires_at=expires_at)
    if visit.link_hash is not None:
        until = tx.wall + LINK_LIFETIME
        sessions.add_link(tx, token_hash=visit.link_hash, member_id=member.id, expires_at=until)
    commits.note(tx, "portal.opened", member.id, actor=actor.name, at=tx.at, detail=detail)
    return member
