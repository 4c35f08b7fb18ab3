"""What Seatport does by itself, beside the requests: it bills what is due, renders what waits for it, and has
paid what waits for that.

All look every few seconds. Any number of processes may do so at once: what one has claimed the others pass
over, and of two renderings of a document the first is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from app import metrics
from app.documents.errors import DocumentError
from app.gateways.payments import BY_INVOICE, PaymentGateway
from app.services.billing_run import Order, run
from app.services.collect_invoice import collect_due
from app.services.collect_payment import settle_due
from app.services.forget_keys import KEPT_FOR, forget_keys
from app.services.render_document import Render, pdf_of
from app.store import system
from app.store.reference import Reference
from app.store.transaction import Busy, DeploymentTx, Store

PAUSE_SECONDS: Final = 5.0
STOP_SECONDS_MAX: Final = 5.0
PAGE: Final = 100
CALLS_AT_ONCE: Final = 8
"""Calls of a gateway under way, so that one that does not answer delays few others."""
BESIDE_REQUESTS: Final = 25
"""Subscriptions in a batch of a worker that shares its process with requests, which wait meanwhile."""

log = structlog.get_logger("seatport.worker")


class Page(Protocol):
    """A look-up that answers page by page."""

    def __call__(self, tx: DeploymentTx, /, *, after: Reference | None, limit: int) -> list[Reference]: ...


async def every(store: Store, page: Page) -> AsyncIterator[Reference]:
    """All references of a look-up, each once: what comes up behind the one at hand is for the next time."""
    after: Reference | None = None
    while found := await store.system(page, after=after, limit=PAGE):
        for reference in found:
            yield reference
        after = found[-1]


@dataclass(frozen=True, slots=True)
class Worker:
    """Bills, renders and collects until it is stopped. `render` draws the view of a document.

    :ivar beside: what else is done meanwhile, each until the event it is given is set
    """

    store: Store
    render: Render
    pause_seconds: float = PAUSE_SECONDS
    gateway: PaymentGateway = BY_INVOICE
    batch: int = BESIDE_REQUESTS
    beside: tuple[Callable[[asyncio.Event], Awaitable[None]], ...] = ()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work in the background. At the end what has begun is finished, or cut short, but no transaction."""
        stop = asyncio.Event()
        steps = (self.bill, self.draw, self.collect, self.forget, *self.beside)
        tasks = [asyncio.create_task(self._repeat(step, stop)) for step in steps]
        try:
            yield
        finally:
            stop.set()
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS_MAX)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def bill(self, stop: asyncio.Event) -> None:
        """Bill what is due now."""
        async for tally in run(self.store, Order(batch=self.batch)):
            metrics.BILLED.labels("billed").inc(tally.billed)
            metrics.BILLED.labels("parked").inc(len(tally.parked))
            metrics.BILLED.labels("rescheduled").inc(tally.rescheduled)
            for fault in tally.faults:
                log.error("billing failed", subscription=str(fault.subscription), exc_info=fault.error)
            for parked in tally.parked:
                log.warning(
                    "subscription parked", subscription=str(parked.subscription), reason=parked.reason
                )
            if stop.is_set():
                return

    async def draw(self, stop: asyncio.Event) -> None:
        """Render the documents that wait. One that fails has its next try put off."""
        await self._each(system.due_renderings, self._draw_one, stop)

    async def forget(self, stop: asyncio.Event) -> None:
        """Forget idempotency keys that are old enough, a few at a time, until there are none."""
        while found := await self.store.system(
            system.owners_of_old_keys, before=self.store.wall() - KEPT_FOR, limit=PAGE
        ):
            for owner in found:
                if stop.is_set():
                    return
                await self.store.run(owner.customer, forget_keys)

    async def collect(self, stop: asyncio.Event) -> None:
        """Have paid what waits for that: changes, then invoices. What has no answer is put off."""
        await self._each(system.due_pending_changes, self._settle_one, stop, at_once=CALLS_AT_ONCE)
        if self.gateway is not BY_INVOICE:
            await self._each(system.due_collections, self._collect_one, stop, at_once=CALLS_AT_ONCE)

    async def _settle_one(self, waiting: Reference) -> None:
        await settle_due(self.store, self.gateway, waiting.customer, waiting.id)

    async def _collect_one(self, waiting: Reference) -> None:
        await collect_due(self.store, self.gateway, waiting.customer, waiting.id)

    async def _draw_one(self, waiting: Reference) -> None:
        try:
            await pdf_of(self.store, self.render, waiting.customer, waiting.id)
        except DocumentError as error:
            log.warning("document not rendered", document=str(waiting.id), error=str(error))

    async def _each(
        self,
        page: Page,
        do: Callable[[Reference], Awaitable[None]],
        stop: asyncio.Event,
        *,
        at_once: int = 1,
    ) -> None:
        """Do one after the other, or a few side by side, until told to stop; what fails is logged and the
        others are done.
        """

        async def done(reference: Reference) -> None:
            try:
                await do(reference)
            except Busy:
                raise
            except Exception:
                log.exception("work failed; the next round tries again", id=str(reference.id))

        few: list[Reference] = []
        async for reference in every(self.store, page):
            if stop.is_set():
                return
            few.append(reference)
            if len(few) == at_once:
                await asyncio.gather(*map(done, few))
                few.clear()
        await asyncio.gather(*map(done, few))

    async def _repeat(self, step: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event) -> None:
        name = getattr(step, "__name__", "beside")
        while not stop.is_set():
            outcome = "done"
            try:
                await step(stop)
            except Busy:
                outcome = "busy"
                log.info("the database is busy; trying again", seconds=self.pause_seconds)
            except Exception:
                outcome = "failed"
                log.exception("a round of work failed; trying again", seconds=self.pause_seconds)
            metrics.WORKER_ROUNDS.labels(name, outcome).inc()
            metrics.WORKER_LAST_ROUND.labels(name).set(self.store.wall().timestamp())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.pause_seconds)
