"""Somebody who presses a button that has to be paid, or a worker that collects an invoice, and is killed at a
step of it, for the proofs.

Run as `python -m tests.proofs.dying`. For each line of JSON it forks, and the child does so and dies by
SIGKILL at the step that the line says: before a transaction, inside of it when all is written and nothing
committed, after it, and before and after each call of the gateway. It says `killed`, or `done` if there was
no such step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from app.billing.money import Money
from app.billing.permissions import SYSTEM
from app.gateways.stand_in import StandIn
from app.services.report_committed import CommittedRecorded, CommittedReport, report_committed
from app.store.engine import open_store
from app.store.transaction import Store, Tx
from tests.conftest import Clock
from tests.services.paying import Payer


@dataclass(slots=True)
class Fate:
    """Counts the steps, and kills this process at the last one."""

    left: int

    def step(self) -> None:
        """One step further."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class DoomedStore:
    """A store of which each transaction has three steps: before it, before its commit, after it."""

    store: Store
    fate: Fate

    def reads(self, customer: UUID) -> Any:
        """Reading takes no step: nothing can be lost by it."""
        return self.store.reads(customer)

    async def system(self, *asked: Any, **rest: Any) -> Any:
        """As reads."""
        return await self.store.system(*asked, **rest)

    async def run(self, customer: UUID, unit: Any, *args: Any) -> Any:
        """Run a unit, if it is not the end."""

        def uncommitted(tx: Tx) -> Any:
            result = unit(tx, *args)
            self.fate.step()
            return result

        self.fate.step()
        result = await self.store.run(customer, uncommitted)
        self.fate.step()
        return result


@dataclass(frozen=True, slots=True)
class DoomedGateway:
    """A gateway of which each call has two steps. `meanwhile` happens between its answer and what follows."""

    gateway: StandIn
    fate: Fate
    meanwhile: Any

    @property
    def name(self) -> str:
        """As the real one."""
        return self.gateway.name

    def charges(self, method: str) -> bool:
        """As the real one."""
        return self.gateway.charges(method)

    async def collect(self, intent: UUID, amount: Money, method: str) -> Any:
        """Take the money, if it is not the end."""
        self.fate.step()
        answer = await self.gateway.collect(intent, amount, method)
        self.fate.step()
        await self.meanwhile()
        return answer

    async def refund(self, intent: UUID) -> None:
        """Give it back, if it is not the end."""
        self.fate.step()
        await self.gateway.refund(intent)
        self.fate.step()


async def work(orders: dict[str, Any]) -> None:
    """Press the button "15 editors in all", or collect what is due, until death."""
    clock = Clock(datetime.fromisoformat(orders["now"]))
    store = open_store(orders["url"], clock=clock)
    customer, fate = UUID(orders["customer"]), Fate(orders["step"])

    async def meanwhile() -> None:
        if orders["sold_meanwhile"]:
            sold = CommittedReport("editor", added=orders["sold_meanwhile"])
            done = await store.run(customer, report_committed, SYSTEM, sold)
            assert isinstance(done, CommittedRecorded), done

    gateway = DoomedGateway(StandIn(Path(orders["books"])), fate, meanwhile)
    doomed = Payer(
        cast("Store", DoomedStore(store, fate)),
        clock,
        cast("StandIn", gateway),
        customer,
        UUID(orders["subscription"]),
    )
    if orders["collects"]:
        await doomed.collects()
    else:
        await doomed.presses("key", total=15)
    await store.close()


def main() -> None:
    """Fork for every line, without a thread or an event loop in this process."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(work(json.loads(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write("killed\n" if killed else "done\n" if status == 0 else f"failed: {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
