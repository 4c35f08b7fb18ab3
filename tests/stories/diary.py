"""The diary of one customer: `await diary.on("2026-04-16").changes(editor=20)`.

What people do on the page goes through GraphQL, the rest through the services that the vendor calls. Every
change is previewed first and confirmed with the token of its quote, and what was shown is compared with the
documents it makes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.api.ids import Kind, decode_as, encode
from app.billing.ledger import Holder, SeatBalance
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.periods import BillingInterval
from app.services.billing_run import everything
from app.services.pause_subscription import SubscriptionPaused, pause_subscription
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.record_seats import SeatCorrection, SeatReport, SeatsRecorded, correct_seats, record_seats
from app.services.register_customer import NewCustomer, change_billing_details, move_to_zone
from app.services.start_subscription import StartSubscription
from tests.portal import VENDOR, Portal
from tests.stories import page
from tests.stories.page import Paper, line, nodes

AMERICAN: Final = BillingDetails("Acme Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")
GERMAN: Final = BillingDetails("Globex GmbH", ("Allee 3",), "10115", "Berlin", None, "DE")
Seats = int | str


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made: what was shown before, and the documents that it made."""

    quote: dict[str, Any]
    invoice: Paper | None
    credit_note: Paper | None
    scheduled: list[dict[str, Any]]
    credit_added: str


@dataclass(slots=True)
class Diary:
    """A customer with a subscription, seen by one of its people."""

    portal: Portal
    customer: UUID
    zone: str
    token: str
    subscription: str = ""
    keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    async def opened(
        cls,
        portal: Portal,
        day: str,
        *,
        name: str = "acme",
        currency: str = "USD",
        zone: str = "America/New_York",
        details: BillingDetails = AMERICAN,
    ) -> Diary:
        """A customer who is registered on a day, at nine in the morning."""
        portal.clock.now = instant(day, "09:00", zone)
        new = NewCustomer(name, name.title(), currency, zone, "en", CustomerKind.TEST, details)
        customer = await portal.register(new)
        return cls(portal, customer, zone, await portal.let_in(customer))

    def on(self, day: str, at: str = "12:00") -> Diary:
        """Turn to a day, at noon or another time where the customer is. Diaries go forward."""
        then = instant(day, at, self.zone)
        assert then >= self.portal.clock.now, f"{day} {at} is over"
        self.portal.clock.now = then
        return self

    async def starts(
        self,
        plan: str,
        interval: str = "MONTH",
        anchor: str | None = None,
        trial_days: int | None = None,
        **seats: int,
    ) -> Diary:
        """The subscription starts with these committed seats, perhaps with a trial."""
        first = date.fromisoformat(anchor) if anchor else None
        request = StartSubscription(plan, BillingInterval[interval], tuple(seats.items()), first, trial_days)
        self.subscription = encode(Kind.SUBSCRIPTION, await self.portal.start(self.customer, request))
        return self

    async def colleague(self, name: str = "ben") -> Diary:
        """Somebody else of the same customer, on the same day."""
        token = await self.portal.let_in(self.customer, person=name)
        return Diary(self.portal, self.customer, self.zone, token, self.subscription, self.keys)

    async def previews(self, **what: Any) -> dict[str, Any]:
        """What a change would cost, or why it cannot be: `plan=`, `interval=`, `mode=`, `timing=`, and seats
        of each metric as a total, or as `"+5"` and `"-5"`.
        """
        data = await self.portal.ask(self.token, page.PREVIEW, input=self._input(what))
        return dict(data["previewChangePlan"])

    async def confirms(self, token: str | None, **what: Any) -> dict[str, Any]:
        """Press the button with the token of a quote, or with none."""
        sent = self._input(what) | {"quoteToken": token, "idempotencyKey": f"press {next(self.keys)}"}
        return dict((await self.portal.ask(self.token, page.CHANGE, input=sent))["changePlan"])

    async def changes(self, **what: Any) -> Change:
        """Preview a change and make it. What it makes is what was shown."""
        quote = await self.previews(**what)
        assert quote["__typename"] == "ChangeQuote", quote
        return self.made(quote, await self.confirms(quote["token"], **what))

    def made(self, quote: dict[str, Any], done: dict[str, Any]) -> Change:
        """A change that went through, with its documents; they hold exactly the lines that were shown."""
        assert done["__typename"] == "PlanChanged", done
        papers = [Paper.of(done[kind]) if done[kind] else None for kind in ("creditNote", "invoice")]
        lines = [each for paper in papers if paper for each in paper.lines]
        assert lines == [line(row) for row in quote["lines"] if not row["waits"]]
        assert done["creditAdded"] == quote["creditAdded"]
        credit_note, invoice = papers
        return Change(quote, invoice, credit_note, done["scheduledChanges"], done["creditAdded"]["amount"])

    async def is_refused(self, **what: Any) -> dict[str, Any]:
        """The refusal of a change: the same for the preview and the button, and nothing changed."""
        before = await self.page()
        preview, done = await self.previews(**what), await self.confirms(None, **what)
        assert preview == done
        assert "message" in done, done
        assert await self.page() == before
        return done

    async def cancels(self, scheduled: dict[str, Any]) -> str:
        """Take a scheduled change back; the name of the answer."""
        sent = {"scheduledChangeId": scheduled["id"], "idempotencyKey": f"press {next(self.keys)}"}
        data = await self.portal.ask(self.token, page.CANCEL, input=sent)
        return str(data["cancelScheduledChange"]["__typename"])

    async def ends(self, **timing: str) -> Change:
        """Look at what an end gives back, and end the subscription so; by default with the period."""
        sent = {"subscriptionId": self.subscription, **timing}
        quote = (await self.portal.ask(self.token, page.PREVIEW_END, input=sent))["previewCancelSubscription"]
        assert quote["__typename"] == "ChangeQuote", quote
        sent |= {"quoteToken": quote["token"], "idempotencyKey": f"press {next(self.keys)}"}
        done = (await self.portal.ask(self.token, page.END, input=sent))["cancelSubscription"]
        assert done["__typename"] == "SubscriptionCancelled", done
        return self.made(quote, {**done, "__typename": "PlanChanged"})

    async def resumes(self) -> Change:
        """Look at what going on costs, and go on."""
        sent = {"subscriptionId": self.subscription}
        data = await self.portal.ask(self.token, page.PREVIEW_RESUME, input=sent)
        quote = data["previewResumeSubscription"]
        assert quote["__typename"] == "ChangeQuote", quote
        sent |= {"quoteToken": quote["token"], "idempotencyKey": f"press {next(self.keys)}"}
        done = (await self.portal.ask(self.token, page.RESUME, input=sent))["resumeSubscription"]
        assert done["__typename"] == "SubscriptionResumed", done
        nothing = {"creditNote": None, "scheduledChanges": [], "creditAdded": quote["creditAdded"]}
        return self.made(quote, {**done, **nothing, "__typename": "PlanChanged"})

    async def is_paused(self) -> Decimal:
        """The vendor pauses the subscription; what joins the credit balance."""
        id = decode_as(Kind.SUBSCRIPTION, self.subscription)
        assert id is not None
        done = await self.portal.store.run(self.customer, pause_subscription, VENDOR, id)
        assert isinstance(done, SubscriptionPaused), done
        return done.credit_added.amount

    async def status(self) -> str:
        """Where the subscription is in its life, as the page says."""
        return str((await self.page())["subscription"]["status"])

    async def reports(self, metric: str = "editor", holder: str | None = None, **what: Any) -> UUID:
        """The vendor reports seats in use: `added=`, `removed=` or `total=`."""
        person = Holder(holder, holder.title()) if holder else None
        report = SeatReport(metric, holder=person, **what)
        done = await self.portal.store.run(self.customer, record_seats, VENDOR, report)
        assert isinstance(done, SeatsRecorded), done
        return done.events[-1].id

    async def corrects(self, event: UUID, note: str, *, added: int = 0, removed: int = 0) -> None:
        """The vendor says what a report should have said."""
        wanted = SeatCorrection(event, added, removed, note)
        done = await self.portal.store.run(self.customer, correct_seats, VENDOR, wanted)
        assert isinstance(done, SeatsRecorded), done

    async def corrects_again(self, event: str, note: str, *, added: int = 0, removed: int = 0) -> None:
        """The same of an event that stands on the page."""
        id = decode_as(Kind.SEAT_EVENT, event)
        assert id is not None
        await self.corrects(id, note, added=added, removed=removed)

    async def agrees(self, metric: str = "editor", **what: Any) -> SeatBalance:
        """The vendor agrees with the customer on seats on top, an own price, or own bounds: the arguments of
        `NewOverride`. The seats of the metric then.
        """
        new = NewOverride(metric, **what)
        done = await self.portal.store.run(self.customer, record_override, VENDOR, new)
        assert isinstance(done, OverrideRecorded), done
        return done.balance

    async def pays(self, invoice: Paper) -> None:
        """All that is open of an invoice comes in."""
        id = decode_as(Kind.INVOICE, invoice.id)
        assert id is not None
        done = await self.portal.store.run(self.customer, record_payment, VENDOR, ReceivedPayment(id))
        assert isinstance(done, PaymentRecorded), done

    async def gives_details(self, details: BillingDetails) -> None:
        """What documents say of the customer from now on."""
        await self.portal.store.run(self.customer, change_billing_details, VENDOR, details)

    async def moves_to(self, zone: str) -> None:
        """The company's days are those of another place from now on."""
        assert await self.portal.store.run(self.customer, move_to_zone, VENDOR, zone) is None
        self.zone = zone

    async def is_billed(self) -> list[str]:
        """The billing run: all that is due is billed. The reasons of what could not be."""
        return [parked.reason for parked in (await everything(self.portal.store)).parked]

    async def page(self, **variables: str) -> dict[str, Any]:
        """The customer's page."""
        return dict((await self.portal.ask(self.token, page.PAGE, **variables))["customer"])

    async def invoices(self) -> list[Paper]:
        """All invoices, oldest first."""
        return [Paper.of(found) for found in nodes((await self.page())["invoices"])]

    async def credit_notes(self) -> list[Paper]:
        """All credit notes, oldest first."""
        return [Paper.of(found) for found in nodes((await self.page())["creditNotes"])]

    def _input(self, what: dict[str, Any]) -> dict[str, Any]:
        names = {"plan": "planCode", "interval": "interval", "mode": "prorationMode", "timing": "timing"}
        rest = {name: what[key] for key, name in names.items() if key in what}
        seats = [
            {"metric": metric, "quantity": quantity(n)} for metric, n in what.items() if metric not in names
        ]
        return {"subscriptionId": self.subscription, "seats": seats, **rest}


def quantity(asked: Seats) -> dict[str, int]:
    """A total, or as text a number to add or remove."""
    if isinstance(asked, int):
        return {"total": asked}
    return {"add" if asked.startswith("+") else "remove": int(asked[1:])}


def instant(day: str, at: str, zone: str) -> datetime:
    """A local time as an instant."""
    local = datetime.combine(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    return local.astimezone(UTC)
