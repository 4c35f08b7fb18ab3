"""Delivers webhooks beside the requests: hands out what has happened, and sends what is due.

Each endpoint has a queue of its own, worked on a batch at a time: one that is dead keeps its own news waiting
and nobody else's. Any number of processes may do so, since each try is taken in a transaction first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Final
from uuid import UUID

import structlog

from app.api.webhook_events import EVENTS, body_of, message_id
from app.gateways.webhooks import Outcome, Sender, letter
from app.services.deliver_webhooks import begin, finish
from app.services.webhook_secrets import Keyring
from app.store import system, webhooks
from app.store.transaction import Busy, Store
from app.store.webhooks import Try

PAUSE_SECONDS: Final = 1.0
AT_ONCE: Final = 20
"""How many tries to one endpoint are taken, sent and noted together."""
BATCH: Final = 500

log = structlog.get_logger("seatport.webhooks")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Delivers until it is told to stop. `dice` answers between 0 and 1, which stretches the schedule."""

    store: Store
    sender: Sender
    keyring: Keyring
    pause_seconds: float = PAUSE_SECONDS
    dice: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; then what is under way is finished, unless it is cut short."""
        busy: set[UUID] = set()
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                try:
                    await self.hand_out(stop)
                    for outlet in await self.store.system(system.waiting_outlets):
                        if outlet.id not in busy:
                            busy.add(outlet.id)
                            task = tasks.create_task(self.serve(outlet.id, stop))
                            task.add_done_callback(lambda _, id=outlet.id: busy.discard(id))  # type: ignore[misc]
                except Busy:
                    log.info("the database is busy; trying again", seconds=self.pause_seconds)
                except Exception:
                    log.exception("a round of deliveries failed; trying again", seconds=self.pause_seconds)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.pause_seconds)

    async def once(self) -> None:
        """Hand out all that has happened, and try all that is due now."""
        stop = asyncio.Event()
        await self.hand_out(stop)
        outlets = await self.store.system(system.waiting_outlets)
        await asyncio.gather(*(self.serve(outlet.id, stop) for outlet in outlets))

    async def hand_out(self, stop: asyncio.Event) -> None:
        """Make the deliveries of all news that wait."""
        handed = len(await self.store.system(system.waiting_news, 1))
        while handed and not stop.is_set():
            handed = await self.store.batch(webhooks.hand_out, known=EVENTS, limit=BATCH)

    async def serve(self, endpoint: UUID, stop: asyncio.Event) -> None:
        """Try all that is due to one endpoint, so many at once. What fails in us is logged, and is left to
        the next round, when the lease has ended.
        """
        try:
            while not stop.is_set() and await self._tried(endpoint):
                pass
        except Busy:
            log.info("the database is busy; deliveries wait", endpoint=str(endpoint))
        except Exception:
            log.exception("deliveries failed in us; they are tried again", endpoint=str(endpoint))

    async def _tried(self, endpoint: UUID) -> int:
        """Try what is due, up to a batch; how many tries were taken."""
        batch = await self.store.batch(begin, self.keyring, endpoint, AT_ONCE)
        outcomes = await asyncio.gather(*(self._sent(taken, batch.keys) for taken in batch.tries))
        tried = [(taken, heard) for taken, heard in zip(batch.tries, outcomes, strict=True) if heard]
        if tried:
            disabled = await self.store.batch(finish, endpoint, tried, self.dice)
            if disabled is not None:
                log.warning("webhook endpoint disabled", endpoint=str(endpoint), why=disabled.value)
        return len(batch.tries)

    async def _sent(self, taken: Try, keys: tuple[bytes, ...]) -> Outcome | None:
        """What a try came to; None if it failed in us."""
        try:
            body = body_of(taken.message)
            id = message_id(taken.message.id)
            return await self.sender.send(
                letter(taken.endpoint.url, id, body, keys=keys, at=self.store.wall())
            )
        except Exception:
            log.exception("a message cannot be sent", message=str(taken.message.id), type=taken.message.type)
            return None
