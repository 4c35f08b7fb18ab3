"""Sessions end before their time: a person signs out, the vendor signs a member out everywhere or removes it.
The next request with a token of such a session is refused.
"""

from __future__ import annotations

from app.billing.permissions import Actor
from app.billing.refusals import NotFound
from app.store import commits, customers, sessions
from app.store.customers import Member
from app.store.transaction import Tx


def leave_portal(tx: Tx, actor: Actor, token_hash: str) -> None:
    """End the session that the actor is signed in by; nothing happens if it has ended."""
    assert actor.member is not None, "a session is a member's"
    if sessions.revoke(tx, token_hash):
        commits.note(tx, "portal.left", actor.member, actor=actor.name, at=tx.at, detail={})


def sign_out_member(tx: Tx, actor: Actor, reference: str) -> Member | NotFound:
    """End all sessions of a member, and take back the links that wait."""
    member = customers.member_by_reference(tx, reference)
    if member is None:
        return _nobody()
    detail = {"sessions_ended": sessions.revoke_all(tx, member.id)}
    commits.note(tx, "member.signed_out", member.id, actor=actor.name, at=tx.at, detail=detail)
    return member


def remove_member(tx: Tx, actor: Actor, reference: str) -> Member | NotFound:
    """Take somebody out of the customer's people: all sessions and links end. A new link brings them back."""
    member = customers.member_by_reference(tx, reference)
    if member is None:
        return _nobody()
    detail = {"sessions_ended": sessions.revoke_all(tx, member.id)}
    customers.remove_member(tx, member.id)
    commits.note(tx, "member.removed", member.id, actor=actor.name, at=tx.at, detail=detail)
    return member


def _nobody() -> NotFound:
    return NotFound("member", "Check the reference; a portal link makes members.")
