"""A person opens a session by the link they were given. A link is good once, for minutes: whoever comes
second with it, at whatever moment, is not let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.billing.permissions import Actor
from app.billing.refusals import NotFound
from app.store import commits, sessions
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Entry:
    """A link, and the session that it is to become, each by the hash of its token.

    :ivar lifetime: how long the session may last at most
    :ivar idle: how long it lasts without being used
    :ivar replaces: a session that this person's browser has until now, which ends
    """

    link_hash: str
    token_hash: str
    lifetime: timedelta
    idle: timedelta
    replaces: str | None = None


def enter_portal(tx: Tx, actor: Actor, entry: Entry) -> NotFound | None:
    """Open the session for the member for whom the link was made."""
    assert actor.member is not None, "a link is a member's"
    if not sessions.spend_link(tx, entry.link_hash, actor.member):
        return NotFound("portal link", "Ask for a new one.")
    if entry.replaces is not None:
        sessions.revoke(tx, entry.replaces)
    expires_at, idle_until = tx.wall + entry.lifetime, tx.wall + min(entry.idle, entry.lifetime)
    sessions.add_session(
        tx,
        token_hash=entry.token_hash,
        member_id=actor.member,
        expires_at=expires_at,
        idle_until=idle_until,
    )
    commits.note(tx, "portal.entered", actor.member, actor=actor.name, at=tx.at, detail={})
    return None
