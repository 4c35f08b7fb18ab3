"""Who may come in: links that open a session once, and the sessions that are open. Of their tokens only the
SHA-256 is ever stored; rows are found by it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update

from app.store.tables import portal_link, portal_session
from app.store.transaction import Tx


def add_session(
    tx: Tx, *, token_hash: str, member_id: UUID, expires_at: datetime, idle_until: datetime | None = None
) -> None:
    """Open a session until it expires; with `idle_until` it ends then, if it is not prolonged before."""
    values = {"token_hash": token_hash, "customer_id": tx.customer, "member_id": member_id}
    values |= {"created_at": tx.wall, "expires_at": expires_at, "idle_until": idle_until}
    tx.connection.execute(insert(portal_session).values(values))


def prolong(tx: Tx, token_hash: str, idle_until: datetime) -> None:
    """Let a session that is open stay so for longer, if it is not used from now on."""
    open_ = (
        portal_session.c.customer_id == tx.customer,
        portal_session.c.token_hash == token_hash,
        portal_session.c.revoked_at.is_(None),
        portal_session.c.idle_until > tx.wall,
        portal_session.c.idle_until < idle_until,
    )
    tx.connection.execute(update(portal_session).where(*open_).values(idle_until=idle_until))


def revoke(tx: Tx, token_hash: str) -> bool:
    """End one session of the customer; False if it was not there, or had ended before."""
    mine = (portal_session.c.customer_id == tx.customer, portal_session.c.token_hash == token_hash)
    open_ = update(portal_session).where(*mine, portal_session.c.revoked_at.is_(None))
    return bool(tx.connection.execute(open_.values(revoked_at=tx.wall)).rowcount)


def revoke_all(tx: Tx, member_id: UUID) -> int:
    """End all sessions of a member, and take back its links; how many sessions were open."""
    mine = (portal_session.c.customer_id == tx.customer, portal_session.c.member_id == member_id)
    open_ = update(portal_session).where(*mine, portal_session.c.revoked_at.is_(None))
    ended = tx.connection.execute(
        open_.where(portal_session.c.expires_at > tx.wall).values(revoked_at=tx.wall)
    )
    links = (portal_link.c.customer_id == tx.customer, portal_link.c.member_id == member_id)
    unspent = update(portal_link).where(*links, portal_link.c.spent_at.is_(None))
    tx.connection.execute(unspent.values(spent_at=tx.wall))
    return ended.rowcount


def add_link(tx: Tx, *, token_hash: str, member_id: UUID, expires_at: datetime) -> None:
    """A link that opens a session once, until it expires."""
    values = {"token_hash": token_hash, "customer_id": tx.customer, "member_id": member_id}
    tx.connection.execute(
        insert(portal_link).values({**values, "created_at": tx.wall, "expires_at": expires_at})
    )


def spend_link(tx: Tx, token_hash: str, member_id: UUID) -> bool:
    """Use a link of a member; False for one that was used or taken back, has expired, or is not there. Of
    many that come at once, one is first.
    """
    good = (
        portal_link.c.token_hash == token_hash,
        portal_link.c.customer_id == tx.customer,
        portal_link.c.member_id == member_id,
        portal_link.c.spent_at.is_(None),
        portal_link.c.expires_at > tx.wall,
    )
    return bool(tx.connection.execute(update(portal_link).where(*good).values(spent_at=tx.wall)).rowcount)


def forget(tx: Tx, member_id: UUID, *, before: datetime) -> None:
    """Remove the links and sessions of a member that expired before an instant."""
    links = (portal_link.c.customer_id == tx.customer, portal_link.c.member_id == member_id)
    tx.connection.execute(delete(portal_link).where(*links, portal_link.c.expires_at < before))
    mine = (portal_session.c.customer_id == tx.customer, portal_session.c.member_id == member_id)
    tx.connection.execute(delete(portal_session).where(*mine, portal_session.c.expires_at < before))
