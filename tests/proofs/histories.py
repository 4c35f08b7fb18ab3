"""A random history of one customer: time passes, seats are used, bills are paid, colleagues change things;
and in between somebody is shown what a change costs, and presses the button a little later.

What must happen then is found without the program's own comparison: the clock is put back to the instant of
the quote, the same preview is asked again on the data of the day, and the two are laid side by side.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.api.ids import Kind, decode_as, encode
from app.billing.bounds import OutOfBounds
from app.billing.parties import CustomerKind
from app.billing.periods import BillingInterval
from app.billing.refusals import BillingDetailsMissing
from app.services.bill import bill
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription
from tests.portal import Portal
from tests.proofs import market
from tests.proofs.stored import Json, Reader, differences, renewed, shown, upcoming

OPERATIONS: Final = Path(__file__).parents[2] / "graphql" / "operations"
PREVIEW: Final = (OPERATIONS / "previewChangePlan.graphql").read_text("utf-8")
CHANGE: Final = (OPERATIONS / "changePlan.graphql").read_text("utf-8")
UPCOMING: Final = """{ customer { upcomingInvoice {
  lines { formula amount { amount } }
  totals { subtotal { amount } tax { amount } total { amount } creditApplied { amount } amountDue { amount } }
} } }"""
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES: Final = 3 * 365 * 24 * 60
AFTERWARDS: Final = datetime(2090, 1, 1, tzinfo=UTC)
TRIES: Final = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote that somebody looks at, and what it was asked for with. `token` is the one of its button, and
    `ends` is when its period ends, None if that one was not billed yet.
    """

    wish: Json
    quote: Json
    token: str
    ends: datetime | None


@dataclass(slots=True)
class Market:
    """Which edition of the catalog is on offer, and how many were applied."""

    edition: int | None = None
    applied: int = 0


@dataclass(slots=True)
class History:
    """One customer and its past. `seed` alone decides what happens, so it can be lived again as another life;
    `found` is what went wrong, `counted` is what happened.
    """

    portal: Portal
    reader: Reader
    market: Market
    seed: int
    life: int = 0
    chance: random.Random = field(init=False)
    customer: UUID = field(init=False)
    ada: str = field(init=False)
    subscription: str = field(init=False)
    zone: str = field(init=False)
    ahead: timedelta = field(default_factory=timedelta)
    forecast: Json | None = None
    presses: int = 0
    switched: bool = False
    settled: bool = False
    found: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        """A customer with a subscription to something."""
        self.chance = chance = random.Random(self.seed)
        await self.offer(0)
        self.portal.clock.now = BEGINNING + timedelta(minutes=chance.randrange(MINUTES), seconds=30)
        currency, self.zone = chance.choice(list(market.SCALE)), chance.choice(market.ZONES)
        details, name = chance.choice(market.COMPANIES), f"customer {self.seed}, life {self.life}"
        new = NewCustomer(name, name, currency, self.zone, "en", CustomerKind.TEST, details)
        self.customer = await self.portal.register(new)
        self.ada = await self.portal.let_in(self.customer)
        plan = chance.choice(list(market.INTERVALS))
        interval = BillingInterval[chance.choice(market.INTERVALS[plan])]
        seats = (("editor", chance.randint(2, 8)), ("viewer", chance.randint(0, 6)))
        ordered = tuple(seat for seat in seats if seat[0] in market.ORDERED.get(plan, market.METRICS))
        today = self.now.astimezone(ZoneInfo(self.zone)).date()
        anchor = today - timedelta(days=chance.randint(0, 40)) if chance.random() < 0.3 else None
        start = StartSubscription(plan, interval, ordered, anchor)
        self.subscription = encode(Kind.SUBSCRIPTION, await self.portal.start(self.customer, start))

    @property
    def now(self) -> datetime:
        """The customer's present instant."""
        return self.portal.clock.now + self.ahead

    def ends_at(self) -> datetime:
        """When the period ends that is billed."""
        (live,) = self.reader.read(self.customer)["subscriptions"]
        return instant(live["period_ends_at"])

    async def offer(self, edition: int) -> None:
        """Put another edition of the catalog on offer. Histories go back in time, which catalogs may not."""
        if self.market.edition == edition:
            return
        self.market.edition = edition
        self.market.applied += 1
        now = self.portal.clock.now
        self.portal.clock.now = AFTERWARDS + timedelta(seconds=self.market.applied)
        await self.portal.offer(market.catalog(edition))
        self.portal.clock.now = now

    async def bill(self) -> BillingDetailsMissing | OutOfBounds | None:
        """The billing run comes to this customer; the others live at other times."""
        subscription = decode_as(Kind.SUBSCRIPTION, self.subscription)
        assert subscription is not None
        return await self.portal.store.run(self.customer, bill, subscription)

    # ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────

    async def preview(self, wish: Json) -> Json:
        """What a change would cost now, or why it cannot be."""
        asked = {"subscriptionId": self.subscription, **wish}
        answer: Json = (await self.portal.ask(self.ada, PREVIEW, input=asked))["previewChangePlan"]
        return answer

    async def look(self) -> Shown | None:
        """Think of changes until one can be had, and see what it costs."""
        self.switched = self.settled = False
        for _ in range(TRIES):
            wish = market.wish(self.chance)
            quote = await self.preview(wish)
            if quote["__typename"] == "ChangeQuote":
                return self.offered(wish, quote, quote["token"])
            self.counted[quote["__typename"]] += 1
        return None

    async def choose(self, offer: Shown) -> Shown:
        """One of the ways to have it: the one that was asked for, or one of the others."""
        other = self.chance.choice([None, *offer.quote["alternatives"]])
        return await self.chosen(offer, other) if other else offer

    async def chosen(self, offer: Shown, other: Json) -> Shown:
        """One of the alternatives, looked at more closely: its own preview shows what it had shown."""
        way = {**offer.wish, "prorationMode": other["prorationMode"], "timing": other["timing"]}
        quote = await self.preview(way)
        self.same("the alternative", {**other, "token": quote["token"]}, narrow(quote, other))
        return self.offered(way, quote, other["token"])

    def offered(self, wish: Json, quote: Json, token: str) -> Shown:
        """A quote with what can be known of its period."""
        ends = self.ends_at()
        return Shown(wish, quote, token, ends if ends > self.now else None)

    # ── Pressing the button ─────────────────────────────────────────────────────────────────────────────────

    async def press(self, wish: Json, token: str | None, *, again: bool = False) -> Json:
        """Send a change; `again` sends the last one once more."""
        self.presses += not again
        key = {"idempotencyKey": f"press {self.presses}", "quoteToken": token}
        asked = {"subscriptionId": self.subscription, **wish, **key}
        answer: Json = (await self.portal.ask(self.ada, CHANGE, input=asked))["changePlan"]
        return answer

    async def decide(self, offer: Shown) -> None:
        """Press the button of an offer, and see that what must happen happens."""
        must = await self.must_go_through(offer)
        before = self.reader.read(self.customer)
        sent = offer.wish if self.chance.random() < 0.5 else {}
        done = await self.press(sent, offer.token)
        after = self.reader.read(self.customer)
        went = done["__typename"] == "PlanChanged"
        self.counted[done["__typename"]] += 1
        if went != must and not (must and self.binds_more(offer.quote)):
            self.found.append(f"must go through: {must}, answered: {done['__typename']}, of {offer.quote}")
        if went:
            self.compare(offer.quote, done, before, after)
            if self.chance.random() < 0.2:
                await self.repeat(sent, offer, done, after)
            return
        self.forecast = None
        self.same("keys of what was refused", before["keys"], after["keys"])
        self.same(
            "new schedule of what was refused", set(), set(after["scheduled"]) - set(before["scheduled"])
        )
        if done["__typename"] == "QuoteOutdated":
            await self.take_fresh(offer, done["current"])

    async def take_fresh(self, offer: Shown, current: Json) -> None:
        """The quote that came instead of an outdated one is the one of now, and can be had."""
        now = await self.preview(offer.wish)
        self.same("the fresh quote", current, narrow(now, current))
        before = self.reader.read(self.customer)
        done = await self.press({}, current["token"])
        if done["__typename"] != "PlanChanged":
            self.found.append(f"the fresh quote is refused: {done}")
            return
        self.counted["fresh"] += 1
        self.compare(now, done, before, self.reader.read(self.customer))
        self.forecast = now["atRenewal"]

    async def repeat(self, sent: Json, offer: Shown, done: Json, after: Json) -> None:
        """The same request again does nothing, and says so."""
        again = await self.press(sent, offer.token, again=True)
        self.counted["replayed"] += again["replayed"]
        self.same("the replay", {**done, "replayed": True}, {**again, "subscription": done["subscription"]})
        self.same("what is stored after a replay", after, self.reader.read(self.customer))

    async def must_go_through(self, offer: Shown) -> bool:
        """Whether a quote must be taken: it has not expired, and a preview of its instant shows the same."""
        self.forecast = None
        now = self.portal.clock.now
        if now >= instant(offer.quote["validUntil"]) or (offer.ends and self.now >= offer.ends):
            self.counted["expired"] += 1
            return False
        self.portal.clock.now = instant(offer.quote["effectiveAt"]) - self.ahead
        again = await self.preview(offer.wish)
        self.portal.clock.now = now
        if again["__typename"] != "ChangeQuote":
            return False
        self.forecast = again["atRenewal"]
        return shown(again) == shown(offer.quote)

    def binds_more(self, quote: Json) -> bool:
        """Whether a quote binds what only its forecast shows, and that has changed: how a line that waits
        will be taxed, and the plan of what costs nothing today.
        """
        free = all(not line["amount"]["amount"].strip("0.") for line in quote["lines"])
        waits = any(line["waits"] for line in quote["lines"])
        return (self.switched and free) or (self.settled and waits)

    async def renew(self) -> None:
        """Nothing else happens until the period ends: the next document is the one that the page foresees,
        and the renewal costs what was last forecast for it.
        """
        if (await self.bill()) is not None:
            return
        before, ends_at = self.reader.read(self.customer), self.ends_at()
        foreseen = (await self.portal.ask(self.ada, UPCOMING))["customer"]["upcomingInvoice"]
        self.portal.clock.now = ends_at - self.ahead
        if await self.bill() is not None:
            return
        after = self.reader.read(self.customer)
        self.counted["foreseen"] += foreseen is not None
        self.found += upcoming(foreseen, ends_at, before, after)
        if self.forecast is not None:
            self.counted["renewed"] += 1
            self.found += renewed(self.forecast, ends_at, before, after)

    def compare(self, quote: Json, done: Json, before: Json, after: Json) -> None:
        """What was shown against what is stored."""
        self.found += differences(quote, done, before, after)
        made = [kind for kind in ("creditNote", "invoice") if done[kind]]
        self.counted[f"{quote['prorationMode']} {quote['timing']}"] += 1
        self.counted[" and ".join(made) or "no document"] += 1
        self.counted["waits"] += any(line["waits"] for line in quote["lines"])

    def same(self, what: str, expected: object, found: object) -> None:
        """Note a difference."""
        if expected != found:
            self.found.append(f"{what}: {expected!r} and {found!r}")


def narrow(whole: Any, like: Any) -> Any:
    """Of one answer the fields that another one asked for."""
    if isinstance(like, dict) and isinstance(whole, dict):
        return {name: narrow(whole[name], value) for name, value in like.items()}
    if isinstance(like, list) and isinstance(whole, list) and len(like) == len(whole):
        return [narrow(*pair) for pair in zip(whole, like, strict=True)]
    return whole


def instant(text: str) -> datetime:
    """2026-04-16T09:30:00Z."""
    return datetime.fromisoformat(text)
