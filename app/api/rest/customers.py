"""Customers: the vendor registers them by its own references, and says what documents are to say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

from litestar import Response, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.api import loaders
from app.api.ids import Kind, encode
from app.api.reading import Scene
from app.api.rest.bodies import Answer, Body, Money, Name, Period, Text
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, Desk, accepted
from app.billing.parties import BillingDetails, CustomerKind
from app.billing.payments import INVOICE
from app.billing.periods import BillingInterval, local_day
from app.billing.permissions import Actor
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.billing.subscriptions import SubscriptionStatus
from app.services.api_keys import Scope
from app.services.change_plan import Charges
from app.services.put_customer import CustomerPut, PutCustomer, put_customer
from app.store import customers
from app.store.customers import Customer
from app.store.ids import new_id
from app.store.transaction import Tx

TAG: Final = ("customers", "The companies that are billed, by your own references.")
ADDRESS_LINES_MAX: Final = 5

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.", examples=["DE"])]


class Details(Body):
    """The buyer as documents name it."""

    legal_name: Text | None = None
    lines: Annotated[
        tuple[Text, ...], Meta(max_length=ADDRESS_LINES_MAX, description="Street and number, in lines.")
    ] = ()
    postal_code: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country: Country | None = None
    tax_id: Text | None = None
    email: Text | None = None
    reference: Annotated[Text, Meta(description="The buyer's own, such as an order number.")] | None = None

    @classmethod
    def of(cls, details: BillingDetails) -> Details:
        """What is told of the details."""
        return cls(
            legal_name=details.legal_name,
            lines=details.lines,
            postal_code=details.postal_code,
            city=details.city,
            region=details.region,
            country=details.country,
            tax_id=details.tax_id,
            email=details.email,
            reference=details.reference,
        )

    def meant(self) -> BillingDetails:
        """The details as billing knows them."""
        return BillingDetails(
            legal_name=self.legal_name,
            lines=self.lines,
            postal_code=self.postal_code,
            city=self.city,
            region=self.region,
            country=self.country,
            tax_id=self.tax_id,
            email=self.email,
            reference=self.reference,
        )


class PutCustomerBody(Body):
    """A customer as it is to be. What is left out stays as it is."""

    name: Name
    currency: Annotated[str, Meta(description="ISO 4217; fixed by the first subscription.", examples=["EUR"])]
    time_zone: Annotated[str, Meta(description="IANA; whose days are billed.", examples=["Europe/Berlin"])]
    locale: Annotated[str, Meta(description="The language of documents; `en` at first.")] | None = None
    kind: (
        Annotated[CustomerKind, Meta(description="`LIVE` at first, then fixed. TEST and DEMO can move time.")]
        | None
    ) = None
    billing_details: Details | None = None
    payment_method: (
        Annotated[
            Name,
            Meta(
                description="What a gateway charges for changes, before they are made. `invoice`, as at "
                "first: the customer pays by itself."
            ),
        ]
        | None
    ) = None


class SubscriptionAnswer(Answer):
    """The subscription of a customer; one that has ended is shown until there is another."""

    id: str
    status: SubscriptionStatus
    version: int
    plan: str
    interval: BillingInterval
    period: Period
    renews_on: Annotated[date, Meta(description="In the customer's zone; null if it does not.")] | None
    committed: Annotated[dict[str, int], Meta(description="The committed seats of each metric.")]


class CustomerAnswer(Answer):
    """A customer."""

    id: str
    reference: str
    name: str
    currency: str
    time_zone: str
    locale: str
    kind: CustomerKind
    now: Annotated[datetime, Meta(description="The present instant on the customer's clock.")]
    billing_details: Details
    missing_details: Annotated[list[str], Meta(description="Which details an invoice still needs.")]
    credit_balance: Money
    payment_method: Annotated[str, Meta(description="`invoice` if nothing is charged.")]
    subscription: SubscriptionAnswer | None


CREATED: Final = ResponseSpec(CustomerAnswer, description="The customer is new.", generate_examples=False)


def customer_answer(tx: Tx, customer: Customer) -> CustomerAnswer:
    """What is told of a customer."""
    return CustomerAnswer(
        id=encode(Kind.CUSTOMER, customer.id),
        reference=customer.reference,
        name=customer.name,
        currency=customer.currency.code,
        time_zone=customer.zone,
        locale=customer.locale,
        kind=customer.kind,
        now=tx.at,
        billing_details=Details.of(customer.details),
        missing_details=list(customer.details.missing),
        credit_balance=Money.of(customer.credit),
        payment_method=customer.payment_method or INVOICE,
        subscription=subscription_answer(tx),
    )


def subscription_answer(tx: Tx) -> SubscriptionAnswer | None:
    """What is told of the subscription of a customer."""
    scene = Scene(tx)
    found = loaders.live_subscription(scene)
    if found is None:
        return None
    subscription, price = found.subscription, found.price
    levels = loaders.levels(scene)
    metrics = [*(seat.metric.code for seat in price.seats), *levels]
    period = subscription.period
    renews = subscription.status.runs
    return SubscriptionAnswer(
        id=encode(Kind.SUBSCRIPTION, subscription.id),
        status=loaders.status_of(scene, subscription),
        version=subscription.version,
        plan=price.plan,
        interval=price.interval,
        period=Period(start=period.start, end=period.end),
        renews_on=local_day(period.end, period.zone) if renews else None,
        committed={code: levels[code].committed if code in levels else 0 for code in metrics},
    )


@get(
    "/customers/{reference:str}",
    **described(Scope.CUSTOMERS_READ, 404),
    tags=[TAG[0]],
    summary="Look at a customer",
)
async def get_customer(desk: AtDesk, reference: FromPath[str]) -> CustomerAnswer:
    """A customer with its subscription and its credit balance. Needs `customers:read`."""
    return accepted(await desk.read(await desk.customer(reference), _shown), CustomerAnswer)


@put(
    "/customers/{reference:str}",
    **described(Scope.CUSTOMERS_WRITE, 400, 415, 422, also={201: CREATED}),
    tags=[TAG[0]],
    summary="Register or update a customer",
)
async def put_customer_(
    desk: AtDesk, reference: FromPath[str], data: JSONBody[PutCustomerBody]
) -> Response[CustomerAnswer]:
    """Make a customer with your own reference, or bring it up to date. Needs `customers:write`.

    201 if it is new, 200 if it was there. A new name or address is on documents from now on, and never on
    those of before.
    """
    wanted = PutCustomer(
        reference=reference,
        name=data.name,
        currency=data.currency,
        zone=data.time_zone,
        locale=data.locale,
        kind=data.kind,
        details=data.billing_details.meant() if data.billing_details else None,
        payment_method=data.payment_method,
    )
    done = await _put(desk, wanted)
    if isinstance(done, InvalidInput) and await desk.known(reference):
        done = await _put(desk, wanted)  # Somebody registered it at the same moment.
    made = accepted(done, _Put)
    return Response(made.answer, status_code=201 if made.created else 200)


@dataclass(frozen=True, slots=True)
class _Put:
    """What is told of a customer, and whether it is new."""

    answer: CustomerAnswer
    created: bool


async def _put(desk: Desk, wanted: PutCustomer) -> _Put | InvalidInput:
    """Update the customer of this reference, or register it under a new id."""
    if "\0" in wanted.reference:
        return InvalidInput((Problem("reference", "A reference holds no NUL character."),))
    known = await desk.known(wanted.reference)
    customer = known or new_id(desk.room.store.wall())
    return await desk.write(customer, _put_and_tell, desk.actor, wanted, desk.room.charges)


def _put_and_tell(tx: Tx, actor: Actor, wanted: PutCustomer, charges: Charges) -> _Put | InvalidInput:
    done = put_customer(tx, actor, wanted, charges)
    return _Put(customer_answer(tx, done.customer), done.created) if isinstance(done, CustomerPut) else done


def _shown(tx: Tx) -> CustomerAnswer | NotFound:
    found = customers.get(tx)
    return customer_answer(tx, found) if found else NotFound("customer")


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (get_customer, put_customer_)
