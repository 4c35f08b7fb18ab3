"""The mutations of the billing page: preview a change, make it, take a scheduled one back. Each translates
its input, calls the service of its name, and translates the answer.
"""

from typing import Annotated, cast

import strawberry

from app.api.arguments import given
from app.api.context import Info, RequestContext
from app.api.ids import Kind, decode_as
from app.api.inputs import (
    NOBODY,
    CancelScheduledChangeInput,
    ChangePlanInput,
    PreviewChangePlanInput,
    change_of,
    key_problem,
    subscription_of,
)
from app.api.ledger import CreditNote, Invoice
from app.api.money import Money
from app.api.outcomes import (
    credit_note_made,
    invoice_made,
    once,
    quoted,
    refused,
    scheduled_now,
    subscription_now,
)
from app.api.quotes import ChangeQuote
from app.api.refusals import (
    AboveMaximum,
    BelowMinimum,
    BillingDetailsMissing,
    Busy,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NothingToChange,
    NotPermitted,
    PaymentDeclined,
    PlanNotAvailable,
    ProrationModeNotAllowed,
    QuoteOutdated,
    SeatsInUse,
    SubscriptionNotActive,
    VersionConflict,
)
from app.api.subscriptions import ScheduledChange, Subscription
from app.billing import refusals
from app.services import cancel_scheduled_change as cancelling
from app.services import change_plan as changing
from app.services.confirming import Offer
from app.services.preview_change_plan import PreviewRefusal
from app.services.preview_change_plan import preview_change_plan as preview
from app.store import transaction
from app.store.pending import PendingChange


@strawberry.type(description="The change was made, by this request or an earlier one with the same key.")
class PlanChanged:
    """The change was made."""

    fact: strawberry.Private[changing.PlanChanged]
    subscription: Subscription = strawberry.field(
        resolver=subscription_now, description="The subscription as it stands after the change."
    )
    invoice: Invoice | None = strawberry.field(
        resolver=invoice_made,
        description="The invoice that the change made; null when it charged nothing now.",
    )
    credit_note: CreditNote | None = strawberry.field(
        resolver=credit_note_made,
        description="The credit note that the change made; null when it gave nothing back now.",
    )
    scheduled_changes: list[ScheduledChange] = strawberry.field(
        resolver=scheduled_now,
        description="The parts that wait for the renewal, as long as they do; at most one for each metric "
        "and one for the plan.",
    )
    credit_added: Money = strawberry.field(description="What joined the credit balance; 0 for most changes.")
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


@strawberry.type(
    description="The scheduled change no longer waits; the subscription stays as it is at the renewal."
)
class ScheduledChangeCancelled:
    """The scheduled change no longer waits."""

    fact: strawberry.Private[cancelling.ScheduledChangeCancelled]
    subscription: Subscription = strawberry.field(
        resolver=subscription_now, description="The subscription that the change had waited for."
    )
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


@strawberry.type(
    description="The change has to be paid first, and the payment provider has not answered yet. Nothing is "
    "changed so far, and the payment is seen to without the page. Send the same request with the same key "
    "again to learn what became of it. A request with another key is answered so, too, as long as a change "
    "of the subscription waits for its payment."
)
class PlanChangePending:
    """The change waits for its payment."""

    fact: strawberry.Private[changing.PlanChangePending]
    subscription: Subscription = strawberry.field(
        resolver=subscription_now, description="The subscription without the change that waits."
    )
    amount: Money = strawberry.field(description="What is being paid.")
    retry_after_seconds: int = strawberry.field(description="How long to wait before sending it again.")

    @classmethod
    def of(cls, fact: changing.PlanChangePending) -> "PlanChangePending":
        return cls(fact=fact, amount=Money.of(fact.amount), retry_after_seconds=fact.retry_after_seconds)


PreviewChangePlanResult = Annotated[
    ChangeQuote
    | NotFound
    | NotPermitted
    | InvalidInput
    | PlanNotAvailable
    | ProrationModeNotAllowed
    | SeatsInUse
    | BelowMinimum
    | AboveMaximum
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing,
    strawberry.union("PreviewChangePlanResult", description="A quote, or why the change cannot be made."),
]
ChangePlanResult = Annotated[
    PlanChanged
    | PlanChangePending
    | NotFound
    | NotPermitted
    | InvalidInput
    | PlanNotAvailable
    | ProrationModeNotAllowed
    | SeatsInUse
    | BelowMinimum
    | AboveMaximum
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing
    | QuoteOutdated
    | VersionConflict
    | IdempotencyKeyReused
    | PaymentDeclined
    | Busy,
    strawberry.union("ChangePlanResult", description="What was done, or why nothing was."),
]
CancelScheduledChangeResult = Annotated[
    ScheduledChangeCancelled
    | NotFound
    | NotPermitted
    | InvalidInput
    | BillingDetailsMissing
    | IdempotencyKeyReused
    | Busy,
    strawberry.union("CancelScheduledChangeResult", description="What was taken back, or why nothing was."),
]


async def preview_change_plan(
    info: Info,
    input: Annotated[PreviewChangePlanInput, strawberry.argument(description="What would change, and when.")],
) -> PreviewChangePlanResult:
    """Quote a change; reads only."""
    answer = await _previewed(info.context, input)
    if isinstance(answer, Offer):
        return await quoted(info, answer)
    return cast("PreviewChangePlanResult", await refused(info, answer))


async def change_plan(
    info: Info,
    input: Annotated[
        ChangePlanInput, strawberry.argument(description="What to change, when, and under which key.")
    ],
) -> ChangePlanResult:
    """Make a change."""
    answer = await _changed(info.context, input)
    if isinstance(answer, changing.PlanChanged):
        return PlanChanged(fact=answer, credit_added=Money.of(answer.credit_added), replayed=answer.replayed)
    if isinstance(answer, changing.PlanChangePending):
        return PlanChangePending.of(answer)
    return cast("ChangePlanResult", await refused(info, answer))


async def cancel_scheduled_change(
    info: Info,
    input: Annotated[
        CancelScheduledChangeInput, strawberry.argument(description="Which change to take back.")
    ],
) -> CancelScheduledChangeResult:
    """Take back a change that waits."""
    answer = await _cancelled(info.context, input)
    if isinstance(answer, cancelling.ScheduledChangeCancelled):
        return ScheduledChangeCancelled(fact=answer, replayed=answer.replayed)
    return cast("CancelScheduledChangeResult", await refused(info, answer))


async def _previewed(context: RequestContext, input: PreviewChangePlanInput) -> Offer | PreviewRefusal:
    request = change_of(input)
    if isinstance(request, refusals.InvalidInput):
        return request
    return await context.ask(preview, context.actor, context.signer, subscription_of(input), request)


async def _changed(
    context: RequestContext, input: ChangePlanInput
) -> changing.ChangePlanAnswer | refusals.Busy:
    """The outcome; the key is looked up first, by a read and before any lock. What has to be paid first is
    collected between two transactions.
    """
    change = key_problem(input.idempotency_key) or change_of(input)
    if isinstance(change, refusals.InvalidInput):
        return change
    request = changing.ChangePlan(
        subscription=subscription_of(input),
        change=change,
        idempotency_key=input.idempotency_key,
        quote_token=given(input.quote_token),
        expected_version=given(input.expected_version),
        on_payment_failure=input.on_payment_failure,
    )

    async def known() -> changing.ChangePlanAnswer | PendingChange | None:
        return await context.ask(changing.replayed, context.actor, request)

    async def deed() -> changing.ChangePlanAnswer | PendingChange:
        charges = context.gateway.charges
        return await context.write(changing.change_plan, context.actor, context.signer, request, charges)

    answer = await once(known, deed)
    return await context.collected(answer) if isinstance(answer, PendingChange) else answer


async def _cancelled(
    context: RequestContext, input: CancelScheduledChangeInput
) -> cancelling.ScheduledChangeCancelled | cancelling.CancelRefusal | refusals.InvalidInput | refusals.Busy:
    problem = key_problem(input.idempotency_key)
    if problem is not None:
        return problem
    change = decode_as(Kind.SCHEDULED_CHANGE, input.scheduled_change_id) or NOBODY
    request = cancelling.CancelScheduledChange(change, input.idempotency_key)
    try:
        return await context.write(cancelling.cancel_scheduled_change, context.actor, request)
    except transaction.Busy as busy:
        return refusals.Busy(busy.retry_after_seconds)
