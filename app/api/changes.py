"""The mutations of the billing page: preview a change, make it, take a scheduled one back. Each translates
its input, calls the service of its name, and translates the answer.
"""

from typing import Annotated, cast

import strawberry

from app.api import loaders
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
from app.api.node import node_id
from app.api.quotes import ChangeQuote, worded
from app.api.refusals import (
    AboveMaximum,
    BelowMinimum,
    BillingDetailsMissing,
    Busy,
    Core,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NothingToChange,
    NotPermitted,
    PlanNotAvailable,
    ProrationModeNotAllowed,
    QuoteOutdated,
    Refusal,
    SeatsInUse,
    SubscriptionNotActive,
    VersionConflict,
    refusal_of,
)
from app.api.subscriptions import ScheduledChange, Subscription, scheduled_changes, subscription_by_id
from app.billing import refusals
from app.services import cancel_scheduled_change as cancelling
from app.services import change_plan as changing
from app.services.preview_change_plan import Offer, PreviewRefusal
from app.services.preview_change_plan import preview_change_plan as preview
from app.store import transaction


async def _subscription(root: "PlanChanged | ScheduledChangeCancelled", info: Info) -> Subscription:
    found = await subscription_by_id(info, root.fact.subscription)
    assert found is not None, "what was changed is there"
    return found


async def _scheduled_changes(root: "PlanChanged", info: Info) -> list[ScheduledChange]:
    found = await info.context.reading.read(loaders.subscription_by_id, root.fact.subscription)
    assert found is not None, "what was changed is there"
    made = {node_id(Kind.SCHEDULED_CHANGE, id) for id in root.fact.scheduled}
    return [change for change in await scheduled_changes(info, found) if change.id in made]


async def _invoice(root: "PlanChanged", info: Info) -> Invoice | None:
    id = root.fact.invoice
    found = await info.context.reading.each(loaders.documents_by_id, id) if id else None
    return Invoice.of(found) if found else None


async def _credit_note(root: "PlanChanged", info: Info) -> CreditNote | None:
    id = root.fact.credit_note
    found = await info.context.reading.each(loaders.documents_by_id, id) if id else None
    return CreditNote.of(found.document) if found else None


@strawberry.type(description="The change was made, by this request or an earlier one with the same key.")
class PlanChanged:
    """The change was made."""

    fact: strawberry.Private[changing.PlanChanged]
    subscription: Subscription = strawberry.field(
        resolver=_subscription, description="The subscription as it stands after the change."
    )
    invoice: Invoice | None = strawberry.field(
        resolver=_invoice, description="The invoice that the change made; null when it charged nothing now."
    )
    credit_note: CreditNote | None = strawberry.field(
        resolver=_credit_note,
        description="The credit note that the change made; null when it gave nothing back now.",
    )
    scheduled_changes: list[ScheduledChange] = strawberry.field(
        resolver=_scheduled_changes,
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
        resolver=_subscription, description="The subscription that the change had waited for."
    )
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


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
        return await _quoted(info, answer)
    return cast("PreviewChangePlanResult", await _refused(info, answer))


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
    return cast("ChangePlanResult", await _refused(info, answer))


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
    return cast("CancelScheduledChangeResult", await _refused(info, answer))


async def _previewed(context: RequestContext, input: PreviewChangePlanInput) -> Offer | PreviewRefusal:
    request = change_of(input)
    if isinstance(request, refusals.InvalidInput):
        return request
    return await context.ask(preview, context.actor, context.signer, subscription_of(input), request)


async def _changed(
    context: RequestContext, input: ChangePlanInput
) -> changing.PlanChanged | changing.ChangePlanRefusal | refusals.Busy:
    """The outcome; the key is looked up first, by a read and before any lock."""
    change = key_problem(input.idempotency_key) or change_of(input)
    if isinstance(change, refusals.InvalidInput):
        return change
    request = changing.ChangePlan(
        subscription=subscription_of(input),
        change=change,
        idempotency_key=input.idempotency_key,
        quote_token=given(input.quote_token),
        expected_version=given(input.expected_version),
    )
    try:
        known = await context.ask(changing.replayed, context.actor, request)
        if known is not None:
            return known
        return await context.write(changing.change_plan, context.actor, context.signer, request)
    except transaction.Busy as busy:
        return refusals.Busy(busy.retry_after_seconds)


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


async def _quoted(info: Info, offer: Offer) -> ChangeQuote:
    return ChangeQuote.of(await info.context.ask(worded, offer))


async def _refused(info: Info, no: Core) -> Refusal:
    """The type of a refusal. That each union has the refusals of its service is held by a test."""
    return await refusal_of(no, lambda offer: _quoted(info, offer))
