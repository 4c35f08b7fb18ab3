"""The schema: its two tables of contents, and its text."""

from typing import Annotated

import strawberry
from graphql.utilities.print_schema import print_schema_definition
from strawberry.schema.config import StrawberryConfig

from app.api.changes import (
    CancelScheduledChangeResult,
    ChangePlanResult,
    PreviewChangePlanResult,
    cancel_scheduled_change,
    change_plan,
    preview_change_plan,
)
from app.api.context import Info
from app.api.customers import Customer, customer
from app.api.events import event_by_id
from app.api.ids import Kind, decode
from app.api.invoices import credit_note, credit_note_by_id, invoice, invoice_by_id, line_by_id
from app.api.ledger import CreditNote, Invoice
from app.api.lives import (
    CancelSubscriptionResult,
    PreviewCancelSubscriptionResult,
    PreviewResumeSubscriptionResult,
    ResumeSubscriptionResult,
    cancel_subscription,
    preview_cancel_subscription,
    preview_resume_subscription,
    resume_subscription,
)
from app.api.node import Node
from app.api.plans import Plan, plans_on_offer
from app.api.scalars import SCALARS
from app.api.seating import AssignSeatResult, ReleaseSeatResult, assign_seat, release_seat
from app.api.subscriptions import scheduled_change_by_id, subscription_by_id
from app.api.viewer import Viewer, viewer


async def node(
    info: Info,
    id: Annotated[
        strawberry.ID, strawberry.argument(description="An id of any kind, as this schema gave it out.")
    ],
) -> Node | None:
    """What an id leads to. Each look-up is of the signed-in member's customer alone."""
    wanted = decode(id)
    if wanted is None:
        return None
    match wanted.kind:
        case Kind.CUSTOMER:
            return await customer(info) if wanted.id == info.context.customer else None
        case Kind.SUBSCRIPTION:
            return await subscription_by_id(info, wanted.id)
        case Kind.SEAT_EVENT:
            return await event_by_id(info, wanted.id)
        case Kind.INVOICE_LINE:
            return await line_by_id(info, wanted.id)
        case Kind.INVOICE:
            return await invoice_by_id(info, wanted.id)
        case Kind.CREDIT_NOTE:
            return await credit_note_by_id(info, wanted.id)
        case Kind.SCHEDULED_CHANGE:
            return await scheduled_change_by_id(info, wanted.id)
        case Kind.WEBHOOK_ENDPOINT | Kind.WEBHOOK_MESSAGE | Kind.WEBHOOK_DELIVERY:
            return None  # The vendor's, not a customer's.


@strawberry.type(
    description="Everything a billing page shows. All of an answer is of one state, and all of it belongs "
    "to the customer of the signed-in member: no argument takes a customer."
)
class Query:
    """Everything a billing page shows."""

    viewer: Viewer = strawberry.field(resolver=viewer, description="Who is signed in, and what they may do.")
    customer: Customer = strawberry.field(
        resolver=customer, description="Whom the member belongs to, and all its data."
    )
    plans: list[Plan] = strawberry.field(
        resolver=plans_on_offer,
        description="The plans that are sold in the customer's currency, in the seller's order; few of them.",
    )
    invoice: Invoice | None = strawberry.field(
        resolver=invoice,
        description="One invoice; null when the customer has none with this id, or this role sees no money.",
    )
    credit_note: CreditNote | None = strawberry.field(
        resolver=credit_note,
        description="One credit note; null when the customer has none with this id, or this role sees no "
        "money.",
    )
    node: Node | None = strawberry.field(
        resolver=node,
        description="Whatever has this id; null when the customer has nothing with it, or this role may not "
        "see it.",
    )


@strawberry.type(
    description="Everything a member can do. Each field answers with what was done, or with a refusal that "
    "says why nothing was."
)
class Mutation:
    """Everything a member can do."""

    preview_change_plan: PreviewChangePlanResult = strawberry.mutation(
        resolver=preview_change_plan,
        description="What a change of plan, interval or seats would cost, in every way the plan allows. "
        "Changes nothing.",
    )
    change_plan: ChangePlanResult = strawberry.mutation(
        resolver=change_plan,
        description="Change plan, interval or seats, now or at the renewal; once for each idempotency key. "
        "With a quote token it costs exactly what was quoted.",
    )
    cancel_scheduled_change: CancelScheduledChangeResult = strawberry.mutation(
        resolver=cancel_scheduled_change,
        description="Take back a change that waits for the renewal. Answers NotFound when it was applied, "
        "replaced or taken back before.",
    )
    preview_cancel_subscription: PreviewCancelSubscriptionResult = strawberry.mutation(
        resolver=preview_cancel_subscription,
        description="What an end would give back, now and with the period: the same quote as for a change, "
        "to be shown before the button is pressed. Changes nothing.",
    )
    cancel_subscription: CancelSubscriptionResult = strawberry.mutation(
        resolver=cancel_subscription,
        description="End the subscription with its period or its trial, or now with one final document; once "
        "for each idempotency key.",
    )
    preview_resume_subscription: PreviewResumeSubscriptionResult = strawberry.mutation(
        resolver=preview_resume_subscription,
        description="What going on would cost: nothing when an end is taken back, a new period after a "
        "pause. Changes nothing.",
    )
    resume_subscription: ResumeSubscriptionResult = strawberry.mutation(
        resolver=resume_subscription,
        description="Keep a subscription that was to end, or go on after a pause with a new period that "
        "starts today; once for each idempotency key.",
    )
    assign_seat: AssignSeatResult = strawberry.mutation(
        resolver=assign_seat,
        description="Give somebody a seat, from now on, if one is left; once for each idempotency key. The "
        "bill changes only where seats are billed by use.",
    )
    release_seat: ReleaseSeatResult = strawberry.mutation(
        resolver=release_seat,
        description="Take somebody's seat back, from now on; once for each idempotency key. Committed seats "
        "stay committed and paid: `changePlan` gives them up.",
    )


class DescribedSchema(strawberry.Schema):
    """A schema with a description, for which Strawberry's own has no place."""

    def __init__(self, description: str) -> None:
        super().__init__(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=dict(SCALARS)))
        self._schema.description = description

    def as_str(self) -> str:
        definition = print_schema_definition(self._schema)
        assert definition is not None, "a schema with a description is printed with its roots"
        return f"{definition}\n\n{super().as_str()}"


schema = DescribedSchema(
    "The billing page of a product that is sold by the seat, for the company that pays: its seats, what a "
    "change of them would cost, making it, and the invoices.\n\n"
    "A bearer token says whose data an answer is about. Amounts are exact decimals with their currency, days "
    "are those of the customer's time zone, and an expected no is a type of its own with the numbers to go "
    "on with. Ask `previewChangePlan`, show the quote, and confirm it by its token: what was shown is what "
    "is charged."
)


def sdl() -> str:
    """The schema as text, as it is committed: what it is for, then types by name, fields in our order."""
    return f"{schema.as_str()}\n"
