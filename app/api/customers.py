"""The customer: the root of everything a billing page shows."""

from datetime import date

import strawberry

from app.api import loaders
from app.api.connections import Connection
from app.api.context import Info
from app.api.documents import Totals
from app.api.events import seat_events
from app.api.ids import Kind
from app.api.invoices import credit_notes, invoices
from app.api.ledger import CreditNote, Invoice, SeatEvent
from app.api.lines import QuoteLine
from app.api.money import Money
from app.api.node import Node, node_id
from app.api.reading import Scene
from app.api.scalars import CurrencyCode
from app.api.seats import (
    SeatBalance,
    SeatDay,
    SeatHolder,
    seat_balances,
    seat_history,
    seat_holders,
)
from app.api.subscriptions import Subscription, subscription
from app.billing import parties
from app.billing.periods import local_day
from app.store import customers


@strawberry.type(
    description="What the documents of tomorrow will say of the customer. Those of yesterday keep their "
    "words."
)
class BillingDetails:
    """What the documents of tomorrow will say of the customer."""

    legal_name: str | None = strawberry.field(
        description="The name of the legal entity; null until it is given."
    )
    address: list[str] = strawberry.field(
        description="Street, house and the like, line by line; empty until they are given, at most five."
    )
    postal_code: str | None = strawberry.field(
        description="Null until it is given, and where there are none."
    )
    city: str | None = strawberry.field(description="Null until it is given.")
    region: str | None = strawberry.field(
        description="State, province or county; null where addresses have none."
    )
    country: str | None = strawberry.field(
        description="ISO 3166-1 alpha-2, like `DE`; null until it is given."
    )
    tax_id: str | None = strawberry.field(
        description="The VAT id or its like; null for customers without one."
    )
    email: str | None = strawberry.field(
        description="Where documents are sent; null when nobody gets them by e-mail."
    )
    reference: str | None = strawberry.field(
        description="What the customer wants to read on documents, such as a purchase order number; null "
        "for nothing."
    )
    missing: list[str] = strawberry.field(
        description="What a document still needs, in words: `legal name`, `country`. While it is not empty, "
        "a change that would make a document is refused."
    )

    @classmethod
    def of(cls, details: parties.BillingDetails) -> "BillingDetails":
        return cls(
            legal_name=details.legal_name,
            address=list(details.lines),
            postal_code=details.postal_code,
            city=details.city,
            region=details.region,
            country=details.country,
            tax_id=details.tax_id,
            email=details.email,
            reference=details.reference,
            missing=list(details.missing),
        )


@strawberry.type(
    description="What the next document will hold if nothing else happens: at the renewal, or before it "
    "where waiting lines are collected monthly."
)
class UpcomingInvoice:
    """What the next document will hold if nothing else happens."""

    on: date = strawberry.field(description="The day it will be made, in the customer's time zone.")
    lines: list[QuoteLine] = strawberry.field(
        description="Its lines: those that wait already, then those of the period that begins; none of them "
        "`waits`."
    )
    totals: Totals = strawberry.field(
        description="What they come to, and what of it the credit balance of today would settle."
    )


async def _upcoming_invoice(info: Info) -> UpcomingInvoice | None:
    reading = info.context.reading
    subscribed = await reading.read(loaders.live_subscription) if info.context.sees_money else None
    found = await reading.read(loaders.upcoming, subscribed.subscription) if subscribed else None
    if found is None:
        return None
    forecast, sentences = found
    customer = forecast.loaded.customer
    return UpcomingInvoice(
        on=local_day(forecast.at, customer.zone),
        lines=[
            QuoteLine.of(line, sentence, waits=False)
            for line, sentence in zip(forecast.lines, sentences, strict=True)
        ],
        totals=Totals.of(forecast.totals, customer.locale),
    )


@strawberry.type(
    description="The company that is billed, and all that belongs to it. It is always that of the signed-in "
    "member."
)
class Customer(Node):
    """The company that is billed."""

    reference: str = strawberry.field(description="The product's own id of the customer; opaque.")
    name: str = strawberry.field(
        description="What to call the customer; documents use `billingDetails.legalName`."
    )
    currency: CurrencyCode = strawberry.field(
        description="The currency of all its amounts; fixed with its first document."
    )
    time_zone: str = strawberry.field(
        description="The IANA zone that its days are counted in: `Europe/Berlin`."
    )
    locale: str = strawberry.field(
        description="The BCP 47 tag that words and amounts are written by: `de-AT`."
    )
    credit_balance: Money | None = strawberry.field(
        description="Money in hand that settles the next invoices; null when this role sees no money."
    )
    billing_details: BillingDetails | None = strawberry.field(
        description="What documents say of the customer; null when this role sees no money."
    )
    subscription: Subscription | None = strawberry.field(
        resolver=subscription,
        description="The live one, else the one that ended last; null when there never was one.",
    )
    seat_balances: list[SeatBalance] = strawberry.field(
        resolver=seat_balances,
        description="The balance of every seat metric, those of the plan first; as of now, or of any "
        "instant by what was known at any other. Included and purchased seats go by the present price.",
    )
    seat_events: Connection[SeatEvent] = strawberry.field(
        resolver=seat_events,
        description="Every change of a balance, by `effectiveAt` and id, newest first.",
    )
    seat_history: list[SeatDay] = strawberry.field(
        resolver=seat_history,
        description="The seats of one metric day by day, for a chart; at most 400 days. Days that have not "
        "begun are left out.",
    )
    seat_holders: Connection[SeatHolder] = strawberry.field(
        resolver=seat_holders,
        description="The people who sit in seats now, those who came first first, as far as the product "
        "names them.",
    )
    invoices: Connection[Invoice] | None = strawberry.field(
        resolver=invoices,
        description="All invoices, by instant of issue and id, newest first; null when this role sees no "
        "money.",
    )
    credit_notes: Connection[CreditNote] | None = strawberry.field(
        resolver=credit_notes,
        description="All credit notes, by instant of issue and id, newest first; null when this role sees "
        "no money.",
    )
    upcoming_invoice: UpcomingInvoice | None = strawberry.field(
        resolver=_upcoming_invoice,
        description="A forecast of the next document; null when nothing will be billed, or this role sees "
        "no money.",
    )

    @classmethod
    def of(cls, found: customers.Customer, *, sees_money: bool) -> "Customer":
        return cls(
            id=node_id(Kind.CUSTOMER, found.id),
            reference=found.reference,
            name=found.name,
            currency=CurrencyCode(found.currency.code),
            time_zone=found.zone,
            locale=found.locale,
            credit_balance=Money.of(found.credit) if sees_money else None,
            billing_details=BillingDetails.of(found.details) if sees_money else None,
        )


async def customer(info: Info) -> Customer:
    """The customer of the signed-in member."""
    found = await info.context.reading.read(_customer)
    return Customer.of(found, sees_money=info.context.sees_money)


def _customer(scene: Scene) -> customers.Customer:
    return scene.customer
