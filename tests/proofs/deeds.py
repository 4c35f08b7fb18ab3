"""Everything that writes, as a deed that can be done again: the verbs of members and of the vendor, each
under an idempotency key as their doors do it, and the billing run.

`prepared` makes the customers that the deeds are done to; the clock stands still, so that the same deed
writes the same but for ids.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.billing import refusals
from app.billing.documents import VoidReason
from app.billing.ledger import Holder
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.billing.permissions import SYSTEM, Actor, ActorKind, Role
from app.billing.plans import ChangeTiming
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.turns import Turn, TurnKind
from app.services.assign_seat import AssignSeat, assign_seat
from app.services.billing_run import everything
from app.services.cancel_scheduled_change import CancelScheduledChange, cancel_scheduled_change
from app.services.cancel_subscription import cancel_subscription
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.confirming import Press
from app.services.demo import past
from app.services.move_clock import move_clock
from app.services.once import Asked, once
from app.services.open_portal import PortalVisit, open_portal
from app.services.pause_subscription import pause_subscription
from app.services.quotes import QuoteSigner
from app.services.record_batch import ItemRefused, SeatItem, record_batch
from app.services.record_override import NewOverride, record_override
from app.services.record_payment import ReceivedPayment, record_payment
from app.services.record_seats import SeatReport, record_seats
from app.services.register_customer import NewCustomer, change_billing_details, register_customer
from app.services.release_seat import ReleaseSeat, release_seat
from app.services.report_committed import CommittedReport, report_committed
from app.services.resume_subscription import resume_subscription
from app.services.start_subscription import StartSubscription, SubscriptionStarted, start_subscription
from app.services.void_invoice import VoidInvoice, void_invoice
from app.services.write_credit_note import CreditWanted, write_credit_note
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.transaction import Store, Tx

RUN: Final = "the billing run"
SIGNER: Final = QuoteSigner(b"a secret of the proofs, as long as it has to be")
OWNER: Final = Actor(ActorKind.MEMBER, "Ada", role=Role.OWNER)
DETAILS: Final = BillingDetails("Acme Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")
STARTED_AT: Final = datetime(2026, 4, 1, 14, tzinfo=UTC)
NOW: Final = datetime(2026, 4, 16, 14, tzinfo=UTC)
RUN_AT: Final = datetime(2026, 6, 2, 14, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """The customers: one whose subscription lives, one who pauses, and one who has none yet."""

    living: UUID
    subscription: UUID
    invoice: UUID
    scheduled: UUID
    pausing: UUID
    paused: UUID
    new: UUID


@dataclass
class Standing:
    """A clock that stands still."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def at_once(asked: ChangeRequest, scene: Scene, key: str) -> ChangePlan:
    return ChangePlan(scene.subscription, asked, key)


def editors(**what: int) -> ChangeRequest:
    """A change of editors."""
    return ChangeRequest(seats=(SeatQuantity("editor", **what),))


async def prepared(url: str) -> Scene:
    """The customers, with what the deeds need: an open invoice, a change that waits, people in seats."""
    clock = Standing(STARTED_AT)
    store = open_store(url, clock=clock)
    await past.offer_catalog(store)
    living, pausing, new = (new_id(clock.now) for _ in range(3))
    started = [
        await store.run(customer, _start, name) for customer, name in ((living, "acme"), (pausing, "zed"))
    ]
    await store.run(new, _register, "newcomer")
    for who in ("ann", "ben"):
        await store.run(living, record_seats, SYSTEM, SeatReport("editor", added=1, holder=Holder(who)))
    clock.now = NOW - timedelta(hours=1)
    waits = ChangeRequest(seats=(SeatQuantity("editor", total=9),), timing=ChangeTiming.AT_RENEWAL)
    change = ChangePlan(started[0].subscription, waits, "it waits")
    done = await store.run(living, change_plan, OWNER, SIGNER, change)
    assert isinstance(done, PlanChanged), done
    await store.run(pausing, pause_subscription, SYSTEM, started[1].subscription)
    await store.close()
    invoice = started[0].invoice
    assert invoice is not None
    return Scene(
        living, started[0].subscription, invoice, done.scheduled[0], pausing, started[1].subscription, new
    )


def _register(tx: Tx, reference: str) -> None:
    zone, kind = "America/New_York", CustomerKind.DEMO
    register_customer(tx, SYSTEM, NewCustomer(reference, reference, "USD", zone, "en", kind, DETAILS))


def _start(tx: Tx, reference: str) -> SubscriptionStarted:
    _register(tx, reference)
    started = start_subscription(
        tx, SYSTEM, StartSubscription("team", BillingInterval.MONTH, (("editor", 12),))
    )
    assert isinstance(started, SubscriptionStarted), started
    return started


def vendors(operation: str, deed: Callable[[Tx], Any]) -> Callable[[Tx], Any]:
    """A verb of the vendor under a key, as the REST door does it."""
    asked = Asked(operation, "the key", operation)
    return lambda tx: once(tx, asked, deed, lambda answer: {"done": type(answer).__name__})


async def bills(store: Store, _: Scene) -> None:
    """The billing run, six weeks later: two renewals of one customer, in their order."""
    tally = await everything(store)
    assert (tally.parked, tally.rescheduled, tally.faults) == ([], 0, [])


Deed = Callable[[Store, Scene], Awaitable[Any]]


def by_owner(unit: Callable[..., Any], press: Callable[[Scene], Any]) -> Deed:
    """A button of the page."""
    return lambda store, scene: store.run(scene.living, unit, OWNER, SIGNER, press(scene))


def by_vendor(operation: str, unit: Callable[..., Any], what: Callable[[Scene], Any]) -> Deed:
    """A call of the vendor."""
    return lambda store, scene: store.run(
        scene.living, vendors(operation, lambda tx: unit(tx, SYSTEM, what(scene)))
    )


DEEDS: Final[dict[str, Deed]] = {
    "add seats": by_owner(change_plan, lambda s: at_once(editors(add=3), s, "a")),
    "remove seats": by_owner(change_plan, lambda s: at_once(editors(remove=3), s, "b")),
    "change the plan": by_owner(change_plan, lambda s: at_once(ChangeRequest(plan="business"), s, "c")),
    "schedule": by_owner(change_plan, lambda s: at_once(_later(8), s, "d")),
    "take back": lambda store, s: store.run(
        s.living, cancel_scheduled_change, OWNER, CancelScheduledChange(s.scheduled, "e")
    ),
    "cancel": by_owner(cancel_subscription, lambda s: _cancel(s, ChangeTiming.AT_RENEWAL, "f")),
    "cancel now": by_owner(cancel_subscription, lambda s: _cancel(s, ChangeTiming.NOW, "g")),
    "resume": lambda store, s: store.run(
        s.pausing, resume_subscription, OWNER, SIGNER, Press(s.paused, Turn(TurnKind.RESUME), "h")
    ),
    "pause": by_vendor("pause", pause_subscription, lambda s: s.subscription),
    "assign": lambda store, s: store.run(
        s.living, assign_seat, OWNER, AssignSeat("editor", Holder("cem", "Cem"), "i")
    ),
    "release": lambda store, s: store.run(s.living, release_seat, OWNER, ReleaseSeat("editor", "ann", "j")),
    "report": lambda store, s: store.run(
        s.living,
        record_batch,
        SYSTEM,
        [SeatItem(f"k{i}", SeatReport("editor", added=i + 1)) for i in range(5)],
    ),
    "tell what was committed": by_vendor("commit", report_committed, lambda _: _told()),
    "agree": by_vendor("agree", record_override, lambda _: NewOverride("editor", granted=2)),
    "pay": by_vendor("pay", record_payment, lambda s: ReceivedPayment(s.invoice)),
    "void": by_vendor("void", void_invoice, lambda s: VoidInvoice(s.invoice, VoidReason.REISSUE)),
    "credit": by_vendor("credit", write_credit_note, lambda s: CreditWanted(s.invoice, "too slow")),
    "let in": by_vendor("let in", open_portal, lambda _: PortalVisit("eve", Role.VIEWER, "ab" * 32)),
    "new details": by_vendor("details", change_billing_details, lambda _: DETAILS),
    "move the clock": by_vendor("clock", move_clock, lambda _: timedelta(days=1)),
    "start": lambda store, s: store.run(s.new, vendors("start", _starts)),
    RUN: bills,
}


async def does(url: str, name: str, scene: Scene, watched: Callable[[Store], None] | None = None) -> None:
    """Do a deed, through a store of its own."""
    store = open_store(url, clock=Standing(RUN_AT if name == RUN else NOW))
    if watched:
        watched(store)
    done = await DEEDS[name](store, scene)
    each = done if isinstance(done, tuple) else (done,)
    assert not any(
        isinstance(one, ItemRefused) or type(one).__module__ == refusals.__name__ for one in each
    ), done
    await store.close()


def _later(total: int) -> ChangeRequest:
    return ChangeRequest(seats=(SeatQuantity("editor", total=total),), timing=ChangeTiming.AT_RENEWAL)


def _cancel(scene: Scene, timing: ChangeTiming, key: str) -> Press[Any]:
    return Press(scene.subscription, Turn(TurnKind.CANCEL, timing), key)


def _told() -> CommittedReport:
    return CommittedReport("editor", added=2, effective_at=NOW - timedelta(days=5))


def _starts(tx: Tx) -> Any:
    return start_subscription(tx, SYSTEM, StartSubscription("team", BillingInterval.MONTH, (("editor", 6),)))
