"""Whether a decision costs more for customers with a long history. It must not."""

from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

from app.billing.changes import Quote, decide
from app.billing.permissions import Actor, ActorKind, Role
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.confirming import Offer
from app.services.preview_change_plan import preview_change_plan
from app.services.quotes import QuoteSigner
from app.store import states
from app.store.engine import open_store
from app.store.states import Loaded
from app.store.transaction import Store
from tests.benchmarks.long_lives import EVENTS_A_MONTH, METRICS, NOW, lived, offer
from tests.benchmarks.measuring import Way, engine_of, side_by_side, tell
from tests.conftest import Clock

MONTHS: Final = (1, 10, 100)
RATIO_MAX: Final = 1.5
EVENTS_IN_ARREARS: Final = 500
"""Of the 1,000 events of a period; the others are of seats that are billed in advance."""

SIGNER: Final = QuoteSigner(b"the benchmarks confirm no quotes")
MORE: Final = ChangeRequest(seats=tuple(SeatQuantity(metric, add=1) for metric in METRICS[:5]))


class Life:
    """A customer with a history, and what is measured of it."""

    def __init__(self, store: Store, customer: UUID, subscription: UUID) -> None:
        self.store, self.customer, self.subscription = store, customer, subscription
        self.loaded: Loaded | None = None
        self.actor = Actor(ActorKind.MEMBER, "Ada", customer, customer, Role.OWNER, None)

    async def preview(self) -> None:
        """Load, and decide in every way that the plan allows."""
        async with self.store.reads(self.customer) as scope:
            offered = await scope.run(preview_change_plan, self.actor, SIGNER, self.subscription, MORE)
        assert isinstance(offered, Offer), offered

    async def change(self) -> None:
        """Load, decide and write."""
        request = ChangePlan(self.subscription, MORE, str(uuid4()))
        fact = await self.store.run(self.customer, change_plan, self.actor, SIGNER, request)
        assert isinstance(fact, PlanChanged), fact

    async def load(self) -> None:
        """Load what `decide` needs."""
        async with self.store.reads(self.customer) as scope:
            self.loaded = await scope.run(states.load, self.subscription)
        assert self.loaded is not None
        assert sum(len(used.events) for used in self.loaded.state.usage.values()) == EVENTS_IN_ARREARS

    async def decide(self) -> None:
        """Only decide."""
        assert self.loaded is not None
        assert isinstance(decide(self.loaded.state, MORE, NOW), Quote)


async def measured(engine: str, what: str, lives: dict[int, Life], way: Callable[[Life], Way]) -> None:
    """Print one thing for all lives as ratios to the shortest, which must stay near 1."""
    ways = {
        f"{months} months, {EVENTS_A_MONTH * months:,} events before": way(life)
        for months, life in lives.items()
    }
    taken = await side_by_side(ways, times=3, rounds=5, of_rounds=min)
    tell(f"{what}, 10 metrics, 1,000 events in the period, {engine}", taken)
    shortest, *longer = taken.values()
    assert max(longer) / shortest < RATIO_MAX, taken


async def test_decisions_do_not_grow_with_history(database_url: str) -> None:
    """A preview in every way, a change, and the decision alone: after 1, 10 and 100 months that each billed
    ten metrics and 250 events, the best rounds differ by less than a half.
    """
    clock, engine = Clock(NOW), engine_of(database_url)
    store = open_store(database_url, clock=clock)
    try:
        await measure(store, clock, engine)
    finally:
        await store.close()


async def measure(store: Store, clock: Clock, engine: str) -> None:
    """Live the lives, and measure them side by side."""
    await offer(store)
    lives = {months: Life(store, *await lived(store, clock, months)) for months in MONTHS}
    await measured(engine, "a preview", lives, lambda life: life.preview)
    await measured(engine, "a change", lives, lambda life: life.change)
    for life in lives.values():
        await life.load()
    await measured(engine, "only deciding", lives, lambda life: life.decide)
