"""Payments killed at every step: a change is made exactly when it is paid, an invoice is paid exactly when it
is charged, and both once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from app.billing.refusals import PaymentDeclined, QuoteOutdated
from app.services.change_plan import PlanChanged, PlanChangePending
from app.services.doctor import examine
from app.services.pending_changes import TURN
from app.store.transaction import Store
from tests.conftest import Clock
from tests.proofs.workers import ROOT
from tests.services.paying import START, Payer, payer

STEPS_MAX: Final = 30
ROUNDS_MAX: Final = 10
UNDER_WAY: Final = {"COLLECTING", "REFUNDING"}
BOUGHT: Final = 7500
"""Five editors for a month."""


@dataclass(frozen=True, slots=True)
class Case:
    """How somebody pays, what the vendor sells meanwhile, what the press comes to in the end, and how many
    steps there are at least.
    """

    method: str
    ends: tuple[type[Any], ...]
    sold_meanwhile: int = 0
    steps_min: int = 0


CASES: Final = {
    "approved": Case("test_approve", (PlanChanged,), steps_min=11),
    "declined": Case("test_decline", (PaymentDeclined,), steps_min=11),
    "lost answer": Case("test_timeout", (PlanChanged,), steps_min=10),
    "declined late": Case("test_late_decline", (PaymentDeclined,), steps_min=10),
    "something else by then": Case("test_approve", (QuoteOutdated, PlanChanged), 2, steps_min=16),
}


@pytest.fixture(scope="module")
def warm() -> Iterator[subprocess.Popen[str]]:
    """A process that has everything imported, and forks those who are to die."""
    command = [sys.executable, "-m", "tests.proofs.dying"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def sent(
    warm: subprocess.Popen[str],
    ada: Payer,
    url: str,
    step: int,
    *,
    sold_meanwhile: int = 0,
    collects: bool = False,
) -> str:
    """Send somebody to press, or a worker to collect, who dies at a step; `killed`, or `done` without such a
    step.
    """
    assert step <= STEPS_MAX
    orders = {
        "url": url,
        "customer": str(ada.customer),
        "subscription": str(ada.subscription),
        "books": str(ada.gateway.file),
        "now": ada.clock().isoformat(),
        "sold_meanwhile": sold_meanwhile,
        "collects": collects,
        "step": step,
    }
    assert warm.stdin
    assert warm.stdout
    warm.stdin.write(f"{json.dumps(orders)}\n")
    warm.stdin.flush()
    said = warm.stdout.readline().strip()
    assert said in {"killed", "done"}, said
    return said


async def made_exactly_when_paid(ada: Payer) -> bool:
    """Whether the change was made; then there is one charge that stays, recorded once on a paid invoice, and
    else no charge stays and no money is recorded.
    """
    made = "APPLIED" in await ada.statuses()
    kept = ada.kept()
    recorded = [(BOUGHT, "test gateway", str(charge.intent)) for charge in kept]
    assert [charge.amount for charge in kept] == [BOUGHT] * made
    assert await ada.payments() == recorded
    assert [status for _, status, _ in await ada.invoices()] == ["PAID"] * made
    return made


async def comes_to_an_end(ada: Payer) -> None:
    """The worker does what is due, turn after turn, until no payment is under way."""
    for _ in range(ROUNDS_MAX):
        if UNDER_WAY.isdisjoint(await ada.statuses()):
            return
        ada.clock.advance(TURN)
        await ada.works()
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_kill_at_any_step_neither_charges_twice_nor_changes_unpaid(
    store: Store, database_url: str, clock: Clock, tmp_path: Path, warm: subprocess.Popen[str], case: Case
) -> None:
    """Killed before, inside and after each transaction and around each call of the gateway; the worker
    resumes, and the same press tells what became of it. The doctor finds the books in order.
    """
    made = charged = 0
    step, said = 0, "killed"
    while said == "killed":
        step += 1
        ada = await payer(store, clock, tmp_path / f"gateway-{step}.db", case.method)
        said = sent(warm, ada, database_url, step, sold_meanwhile=case.sold_meanwhile)

        await comes_to_an_end(ada)
        made += await made_exactly_when_paid(ada)
        charged += bool(ada.gateway.charges_made())
        answer = await asked_until_told(ada)
        assert isinstance(answer, case.ends), (step, answer)
        assert await made_exactly_when_paid(ada) == isinstance(answer, PlanChanged)

    sys.stdout.write(f"{step - 1} kills: {charged} charged or asked for, {made} made without another press\n")
    assert step - 1 >= case.steps_min
    assert (await examine(database_url)).broken == ()


async def asked_until_told(ada: Payer) -> Any:
    """The same press again and again, until it is answered."""
    for _ in range(ROUNDS_MAX):
        answer = await ada.presses("key", total=15)
        if not isinstance(answer, PlanChangePending):
            return answer
        ada.clock.advance(timedelta(seconds=answer.retry_after_seconds))
    raise AssertionError("it was never answered")


@pytest.mark.parametrize(
    ("method", "steps", "in_the_end"),
    [("test_approve", 8, "PAID"), ("test_timeout", 7, "PAID"), ("test_decline", 8, "OPEN")],
)
async def test_a_worker_that_dies_at_any_step_charges_an_invoice_once(
    store: Store,
    database_url: str,
    clock: Clock,
    tmp_path: Path,
    warm: subprocess.Popen[str],
    method: str,
    steps: int,
    in_the_end: str,
) -> None:
    """Another worker goes on after its turn: one charge and one payment, or none of a card that declines."""
    step, said = 0, "killed"
    while said == "killed":
        step += 1
        ada = await payer(store, clock, tmp_path / f"gateway-{step}.db", method)
        said = sent(warm, ada, database_url, step, collects=True)
        for _ in range(3):
            clock.advance(TURN)
            await ada.collects()

        paid = in_the_end == "PAID"
        assert await ada.start() == ((START, "PAID", 0) if paid else (0, "OPEN", START))
        assert [charge.amount for charge in ada.kept()] == [START] * paid
        assert await ada.payments() == [(START, "test gateway", str(charge.intent)) for charge in ada.kept()]
        assert len(ada.gateway.charges_made()) == 1, "the next try of a card that declines is tomorrow"

    assert step - 1 == steps
    assert (await examine(database_url)).broken == ()
