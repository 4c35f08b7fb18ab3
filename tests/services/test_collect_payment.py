"""Changes that are paid before they are made, on both databases, with a gateway that has its own books."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.billing.money import Money
from app.billing.permissions import SYSTEM
from app.billing.plans import ChangeTiming
from app.billing.refusals import IdempotencyKeyReused, PaymentDeclined, QuoteOutdated, SubscriptionNotActive
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.turns import Turn, TurnKind
from app.gateways import payments
from app.gateways.payments import BY_INVOICE, Collected, GatewayUnavailable
from app.services import collect_payment
from app.services.cancel_subscription import SubscriptionCancelled, cancel_subscription
from app.services.change_plan import ChangePlan, PlanChanged, PlanChangePending, change_plan
from app.services.collect_payment import conclude, withdraw
from app.services.confirming import Press
from app.services.pending_changes import GIVE_UP, TURN
from app.services.register_customer import change_payment_method
from app.services.report_committed import CommittedRecorded, CommittedReport, report_committed
from app.store.pending import PendingChange
from app.store.transaction import Store
from tests.conftest import Clock
from tests.services.paying import APPLY, SIGNER, Payer, payer

ONE_MONTH = 7500
"""Five editors for all of a month: 5 × 15.00."""


@pytest.fixture
async def ada(store: Store, clock: Clock, tmp_path: Path) -> Payer:
    """A payer whose method is always approved."""
    return await payer(store, clock, tmp_path / "gateway.db")


async def pays_by(ada: Payer, method: str | None) -> None:
    await ada.store.run(ada.customer, change_payment_method, SYSTEM, method)


async def untouched(ada: Payer) -> None:
    """Nothing was changed and nothing is charged."""
    assert (await ada.committed(), await ada.version(), await ada.invoices()) == (10, 1, [])
    assert (await ada.payments(), ada.kept()) == ([], [])


async def changed_and_paid(ada: Payer) -> None:
    """Five more editors, one invoice that is paid, and one charge for it."""
    assert (await ada.committed(), await ada.invoices()) == (15, [(ONE_MONTH, "PAID", 0)])
    (charge,) = ada.kept()
    assert charge.amount == ONE_MONTH
    assert await ada.payments() == [(ONE_MONTH, "test gateway", str(charge.intent))]
    assert await ada.statuses() == ["APPLIED"]


async def test_an_approved_change_is_made_and_its_invoice_is_paid(ada: Payer) -> None:
    """Paid before the answer, with the intent as the reference; the same press again is the same fact."""
    done = await ada.presses("a")

    assert isinstance(done, PlanChanged)
    assert not done.replayed
    await changed_and_paid(ada)
    again = await ada.presses("a")
    assert isinstance(again, PlanChanged)
    assert (again.replayed, again.invoice) == (True, done.invoice)
    await changed_and_paid(ada)


@pytest.mark.parametrize("method", [None, "of another gateway"])
async def test_who_is_not_charged_pays_by_invoice(ada: Payer, method: str | None) -> None:
    """No payment method, or one that the gateway does not know: accepted at once, the invoice stays open."""
    await pays_by(ada, method)

    assert isinstance(await ada.presses("a"), PlanChanged)

    assert await ada.invoices() == [(0, "OPEN", ONE_MONTH)]
    assert (await ada.statuses(), ada.gateway.charges_made()) == ([], [])


async def test_a_change_that_costs_nothing_now_asks_no_gateway(ada: Payer) -> None:
    """Fewer seats give a credit, which waits for no payment."""
    await pays_by(ada, "test_unreachable")
    fewer = ChangePlan(ada.subscription, ChangeRequest(seats=(SeatQuantity("editor", remove=3),)), "fewer")

    done = await ada.store.run(ada.customer, change_plan, SYSTEM, SIGNER, fewer, ada.gateway.charges)

    assert isinstance(done, PlanChanged)
    assert (await ada.statuses(), await ada.committed()) == ([], 7)


async def test_a_declined_change_is_not_made(ada: Payer) -> None:
    """With the amount and the reason; nothing is stored under the key, so it can be pressed again."""
    await pays_by(ada, "test_decline")

    done = await ada.presses("a")

    assert isinstance(done, PaymentDeclined)
    assert (str(done.amount), done.reason) == ("75.00 USD", "The card has insufficient funds.")
    assert "Nothing was changed" in done.message
    await untouched(ada)
    assert isinstance(await ada.presses("a"), PaymentDeclined)
    assert len(ada.gateway.charges_made()) == 2, "each press is an intent of its own"
    await pays_by(ada, "test_approve")
    assert isinstance(await ada.presses("a"), PlanChanged)
    assert len(ada.kept()) == 1


async def test_a_declined_change_can_be_made_all_the_same(ada: Payer) -> None:
    """If it was asked for so, with an invoice that stays open."""
    await pays_by(ada, "test_decline")

    done = await ada.presses("a", on_payment_failure=APPLY)

    assert isinstance(done, PlanChanged)
    assert await ada.invoices() == [(0, "OPEN", ONE_MONTH)]
    assert (await ada.committed(), ada.kept(), await ada.statuses()) == (15, [], ["APPLIED"])
    assert isinstance(await ada.presses("a"), IdempotencyKeyReused), "it is another request without it"


async def test_a_lost_answer_is_asked_for_again(ada: Payer) -> None:
    """The money was taken, the answer never came: the press is pending, the worker asks with the same intent,
    and the same press tells that the change was made.
    """
    await pays_by(ada, "test_timeout")

    waits = await ada.waits("a")

    assert (str(waits.amount), waits.subscription) == ("75.00 USD", ada.subscription)
    assert 1 <= waits.retry_after_seconds <= 6
    assert (await ada.committed(), await ada.invoices(), len(ada.kept())) == (10, [], 1)
    assert await ada.works() == 0, "not before its time"
    ada.clock.advance(timedelta(seconds=waits.retry_after_seconds))
    assert await ada.works() == 1
    assert isinstance(await ada.presses("a"), PlanChanged)
    await changed_and_paid(ada)
    assert await ada.works() == 0


async def test_who_presses_again_takes_the_next_turn(ada: Payer) -> None:
    """Without any worker the page's own repetition brings the change to its end."""
    await pays_by(ada, "test_timeout")
    waits = await ada.waits("a")
    assert await ada.waits("a") == waits, "too early, and by a read alone"

    ada.clock.advance(timedelta(seconds=waits.retry_after_seconds))
    done = await ada.presses("a")

    assert isinstance(done, PlanChanged)
    assert not done.replayed
    await changed_and_paid(ada)


async def test_a_late_decline_is_told_once_and_then_the_key_is_free(ada: Payer) -> None:
    """Who was told to wait learns that it came to nothing; only a press after that is a new try."""
    await pays_by(ada, "test_late_decline")
    waits = await ada.waits("a")
    ada.clock.advance(timedelta(seconds=waits.retry_after_seconds))
    await ada.works()
    assert await ada.statuses() == ["WITHDRAWN"]

    assert isinstance(await ada.presses("a"), PaymentDeclined)
    await untouched(ada)
    assert len(ada.gateway.charges_made()) == 1

    assert isinstance(await ada.presses("a"), PlanChangePending)
    assert len(ada.gateway.charges_made()) == 2


async def test_one_change_at_a_time_waits_for_its_payment(ada: Payer) -> None:
    """Another key learns of the change that waits, and asks the gateway nothing; the same key with another
    request is a mistake. When the first is over, the other goes through.
    """
    await pays_by(ada, "test_timeout")
    first = await ada.waits("a")

    other = await ada.waits("b", add=1)
    reused = await ada.presses("a", add=1)

    assert other.amount == first.amount
    assert isinstance(reused, IdempotencyKeyReused)
    assert len(ada.gateway.charges_made()) == 1
    ada.clock.advance(timedelta(seconds=10))
    assert isinstance(await ada.presses("a", add=1), IdempotencyKeyReused), "also when its turn is over"
    await ada.works()
    await pays_by(ada, "test_approve")
    assert isinstance(await ada.presses("b", add=1), PlanChanged)
    assert await ada.committed() == 16


async def test_a_change_that_comes_to_something_else_is_given_back(ada: Payer) -> None:
    """15 editors in all were asked for, and paid: five more. Meanwhile the vendor sold two of
    them, which wait for an invoice: the button would cost 75.00 again, and for something else. What was paid
    goes back. Told once, with a fresh quote of three and the two that waited; then that one is confirmed.
    """
    await pays_by(ada, "test_timeout")
    waits = await ada.waits("a", total=15)
    sold = CommittedReport("editor", added=2)
    assert isinstance(await ada.store.run(ada.customer, report_committed, SYSTEM, sold), CommittedRecorded)
    ada.clock.advance(timedelta(seconds=waits.retry_after_seconds))
    await ada.works()

    assert await ada.statuses() == ["WITHDRAWN"]
    assert (ada.kept(), len(ada.gateway.charges_made()), await ada.payments()) == ([], 1, [])
    answer = await ada.presses("a", total=15)
    assert isinstance(answer, QuoteOutdated)
    assert "nothing was charged" in answer.message
    assert [line.line.amount.minor for line in answer.current.quote.lines] == [3000, 4500]
    await pays_by(ada, "test_approve")
    done = await ada.presses("b", total=15, quote_token=answer.current.token)
    assert isinstance(done, PlanChanged), done
    assert [charge.amount for charge in ada.kept()] == [7500]
    assert await ada.committed() == 15


async def test_a_subscription_that_ended_meanwhile_is_not_changed(ada: Payer) -> None:
    """Cancelled at once while the payment was under way: the money goes back, the press is told why."""
    await pays_by(ada, "test_timeout")
    waits = await ada.waits("a")
    end = Press(ada.subscription, Turn(TurnKind.CANCEL, ChangeTiming.NOW), "end")
    assert isinstance(
        await ada.store.run(ada.customer, cancel_subscription, SYSTEM, SIGNER, end), SubscriptionCancelled
    )

    ada.clock.advance(timedelta(seconds=waits.retry_after_seconds))
    answer = await ada.presses("a")

    assert isinstance(answer, SubscriptionNotActive)
    assert (ada.kept(), len(ada.gateway.charges_made()), await ada.payments()) == ([], 1, [])


async def test_no_answer_for_a_day_gives_up(ada: Payer) -> None:
    """Asked again at growing distances; after a day the intent is given back, whatever was taken for it, and
    can never be charged any more.
    """
    await pays_by(ada, "test_unreachable")
    await ada.waits("a")
    start, rounds = ada.clock(), 0
    while (await ada.statuses()) == ["COLLECTING"]:
        ada.clock.advance(timedelta(minutes=1))
        rounds += await ada.works()
        assert ada.clock() < start + GIVE_UP + timedelta(hours=2)

    assert ada.clock() >= start + GIVE_UP
    assert 24 <= rounds <= 40, "every five seconds at first, every hour in the end"
    declined = await ada.presses("a")
    assert isinstance(declined, PaymentDeclined)
    assert "withdrawn" in declined.reason
    await untouched(ada)
    (charge,) = ada.gateway.charges_made()
    assert (charge.taken, charge.refunded) == (False, True)


async def test_a_refund_that_has_no_answer_is_tried_again(ada: Payer) -> None:
    """Money that has to go back is not forgotten: it stays due until the gateway says that it went."""

    class Deaf:
        name = ada.gateway.name
        charges = ada.gateway.charges
        collect = ada.gateway.collect

        async def refund(self, intent: UUID) -> None:
            raise GatewayUnavailable(f"{intent} got no answer")

    await pays_by(ada, "test_timeout")
    await ada.waits("a")
    ada.clock.advance(GIVE_UP)
    await ada.works(Deaf())
    assert await ada.statuses() == ["REFUNDING"]
    assert len(ada.kept()) == 1
    assert isinstance(await ada.presses("a"), PlanChangePending)

    ada.clock.advance(timedelta(hours=1))
    assert await ada.works() == 1

    assert (await ada.statuses(), ada.kept()) == (["WITHDRAWN"], [])


async def test_a_gateway_that_is_slow_is_not_waited_for(ada: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The press is answered in time; what the gateway did meanwhile is learned by asking again."""
    monkeypatch.setattr(payments, "SECONDS_MAX", 0.2)

    class Slow:
        name = ada.gateway.name
        charges = ada.gateway.charges
        refund = ada.gateway.refund

        async def collect(self, intent: UUID, amount: Money, method: str) -> Any:
            await ada.gateway.collect(intent, amount, method)
            await asyncio.Event().wait()

    row = await ada.store.run(
        ada.customer, change_plan, SYSTEM, SIGNER, ada.request("a"), ada.gateway.charges
    )
    assert isinstance(row, PendingChange)
    answer = await collect_payment.collected(ada.store, Slow(), SIGNER, ada.customer, row)

    assert isinstance(answer, PlanChangePending)
    ada.clock.advance(timedelta(seconds=10))
    assert await ada.works() == 1
    await changed_and_paid(ada)


async def test_two_who_settle_the_same_change_make_it_once(ada: Payer) -> None:
    """A turn that lasted too long and the next one end at the same moment: one change, one charge."""
    row = await ada.store.run(
        ada.customer, change_plan, SYSTEM, SIGNER, ada.request("a"), ada.gateway.charges
    )
    assert isinstance(row, PendingChange)
    ada.clock.advance(TURN)

    await asyncio.gather(
        collect_payment.collected(ada.store, ada.gateway, SIGNER, ada.customer, row),
        ada.works(),
        *(collect_payment.settle(ada.store, ada.gateway, ada.customer, row) for _ in range(3)),
    )

    await changed_and_paid(ada)
    assert isinstance(await ada.presses("a"), PlanChanged)


async def test_200_presses_of_one_key_at_once_charge_once(ada: Payer) -> None:
    """One of them pays, the others wait; in the end all of them hear of the one change."""
    answers = await asyncio.gather(*(ada.presses("a") for _ in range(200)))

    assert {type(answer) for answer in answers} <= {PlanChanged, PlanChangePending}
    await changed_and_paid(ada)
    assert isinstance(await ada.presses("a"), PlanChanged)


async def test_a_deployment_that_lost_its_gateway_keeps_what_waits(ada: Payer) -> None:
    """No gateway, no answer: the row stays, and goes on when the gateway is back."""
    await pays_by(ada, "test_timeout")
    await ada.waits("a")
    ada.clock.advance(timedelta(seconds=10))
    await ada.works(BY_INVOICE)
    assert await ada.statuses() == ["COLLECTING"]

    ada.clock.advance(timedelta(minutes=1))
    await ada.works()

    await changed_and_paid(ada)


async def test_what_came_to_an_end_stays_so(ada: Payer) -> None:
    """Neither a late answer nor a second refund moves a change that was made."""
    await ada.presses("a")
    intent = ada.kept()[0].intent

    for unit, rest in ((conclude, (Collected(), "again")), (withdraw, ())):
        row = await ada.store.run(ada.customer, unit, intent, *rest)
        assert row.status.value == "APPLIED"

    await changed_and_paid(ada)
