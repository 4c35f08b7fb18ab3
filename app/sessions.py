"""Who has a session, and what the portal's pages do about it. A session that is used lasts on until its
absolute end; that it was used is written at most once a minute, whatever comes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.api.auth import hash_token, new_token
from app.billing.permissions import Actor, ActorKind
from app.billing.refusals import NotFound
from app.services import tokens
from app.services.ask_for_link import ask_for_link
from app.services.enter_portal import Entry, enter_portal
from app.services.leave_portal import leave_portal
from app.store import customers, sessions, system
from app.store.reference import Reference
from app.store.system import Visit
from app.store.transaction import Busy, Store

WRITTEN_EVERY: Final = timedelta(minutes=1)
MEMBERS_MAX: Final = 20
"""How many members with one e-mail address have a link sent."""


@dataclass(frozen=True, slots=True)
class PortalSessions:
    """The sessions of a deployment.

    :ivar lifetime: how long one may last at most
    :ivar idle: how long one lasts without being used
    """

    store: Store
    lifetime: timedelta
    idle: timedelta

    async def who(self, token_hash: bytes) -> Actor | None:
        """The member whose session a token opens, None without one."""
        visit = await self.store.system(system.signed_in, token_hash.hex())
        actor = await self._member(visit.customer, visit.member) if visit is not None else None
        if visit is not None and actor is not None and visit.idle_until is not None:
            await self._used(token_hash, visit, visit.idle_until)
        return actor

    async def enter(self, link: str, *, current: str | None) -> str | None:
        """The token of the session that a link becomes, or still is; None for one that is not good."""
        link_hash = tokens.hash_of(link)
        actor = await self._holder(link_hash)
        if actor is None or actor.customer is None:
            return None
        token, token_hash = new_token()
        replaces = hash_token(current).hex() if current is not None else None
        entry = Entry(link_hash, token_hash.hex(), self.lifetime, self.idle, replaces)
        refused = await self.store.run(actor.customer, enter_portal, actor, entry)
        if not isinstance(refused, NotFound):
            return token
        present = await self.who(hash_token(current)) if current is not None else None
        return current if present is not None and present.member == actor.member else None

    async def leave(self, actor: Actor, token: str) -> None:
        """End the session of a token, which is the actor's."""
        assert actor.customer is not None, "a session is a member's"
        await self.store.run(actor.customer, leave_portal, actor, hash_token(token).hex())

    async def ask_again(self, *, link: str | None, email: str | None) -> None:
        """Tell the vendor who wants a link: the member of an old one, and those with an e-mail address."""
        found: list[Reference] = []
        mailbox = customers.mailbox(email)
        if link is not None:
            holder = await self.store.system(system.holder_of_link, tokens.hash_of(link))
            found += [holder] if holder is not None else []
        if mailbox is not None:
            found += await self.store.system(system.members_reached_at, mailbox, MEMBERS_MAX)
        for reference in dict.fromkeys(found):
            actor = await self._member(reference.customer, reference.id)
            if actor is not None:
                await self.store.run(reference.customer, ask_for_link, actor, reference.id)

    async def _holder(self, link_hash: str) -> Actor | None:
        """The member for whom a link was made, whether or not it is still good."""
        reference = await self.store.system(system.holder_of_link, link_hash)
        return await self._member(reference.customer, reference.id) if reference is not None else None

    async def _member(self, customer: UUID, member_id: UUID) -> Actor | None:
        """A member as an actor, None for one that was removed."""
        async with self.store.reads(customer) as scope:
            member = await scope.run(customers.member, member_id)
        if member is None:
            return None
        name = member.name or member.reference
        return Actor(ActorKind.MEMBER, name, customer, member.id, member.role, member.email)

    async def _used(self, token_hash: bytes, visit: Visit, idle_until: datetime) -> None:
        """Write down that a session is used, unless that was done a moment ago. When the database has no turn
        for it, the next request does it.
        """
        until = self.store.wall() + self.idle
        if until - idle_until >= min(WRITTEN_EVERY, self.idle / 2):
            with suppress(Busy):
                await self.store.run(visit.customer, sessions.prolong, token_hash.hex(), until)
