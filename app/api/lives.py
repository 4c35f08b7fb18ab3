"""The mutations of a subscription's life: end it, and go on; each shown first, by the quote that a change
has.
"""

from typing import Annotated, cast

import strawberry

from app.api.arguments import given
from app.api.context import Info
from app.api.inputs import (
    CancelSubscriptionInput,
    PreviewCancelSubscriptionInput,
    PreviewResumeSubscriptionInput,
    ResumeSubscriptionInput,
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
    BillingDetailsMissing,
    Busy,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NothingToChange,
    NotPermitted,
    ProrationModeNotAllowed,
    QuoteOutdated,
    SubscriptionNotActive,
    VersionConflict,
)
from app.api.subscriptions import ScheduledChange, Subscription
from app.services import cancel_subscription as cancelling
from app.services import resume_subscription as resuming
from app.services.confirming import Offer, Press


@strawberry.type(
    description="The subscription has ended, or will with its period, by this request or an earlier one with "
    "the same key."
)
class SubscriptionCancelled:
    """The subscription has ended, or will."""

    fact: strawberry.Private[cancelling.SubscriptionCancelled]
    subscription: Subscription = strawberry.field(
        resolver=subscription_now, description="The subscription as it stands now."
    )
    invoice: Invoice | None = strawberry.field(
        resolver=invoice_made,
        description="The final document where more was owed than came back; null when there is none.",
    )
    credit_note: CreditNote | None = strawberry.field(
        resolver=credit_note_made,
        description="The final document where more came back than was owed; null when there is none.",
    )
    scheduled_changes: list[ScheduledChange] = strawberry.field(
        resolver=scheduled_now,
        description="The end that waits, as long as it does; empty when the subscription ended at once.",
    )
    credit_added: Money = strawberry.field(description="What joined the credit balance.")
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


@strawberry.type(description="The subscription goes on, by this request or an earlier one with the same key.")
class SubscriptionResumed:
    """The subscription goes on."""

    fact: strawberry.Private[resuming.SubscriptionResumed]
    subscription: Subscription = strawberry.field(
        resolver=subscription_now, description="The subscription as it stands now."
    )
    invoice: Invoice | None = strawberry.field(
        resolver=invoice_made,
        description="The invoice of the period that begins after a pause; null when an end was taken back, "
        "or nothing was due.",
    )
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


PreviewCancelSubscriptionResult = Annotated[
    ChangeQuote
    | NotFound
    | NotPermitted
    | ProrationModeNotAllowed
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing,
    strawberry.union(
        "PreviewCancelSubscriptionResult", description="A quote, or why the subscription cannot be ended so."
    ),
]
CancelSubscriptionResult = Annotated[
    SubscriptionCancelled
    | NotFound
    | NotPermitted
    | InvalidInput
    | ProrationModeNotAllowed
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing
    | QuoteOutdated
    | VersionConflict
    | IdempotencyKeyReused
    | Busy,
    strawberry.union("CancelSubscriptionResult", description="What was ended, or why nothing was."),
]
PreviewResumeSubscriptionResult = Annotated[
    ChangeQuote | NotFound | NotPermitted | SubscriptionNotActive | NothingToChange | BillingDetailsMissing,
    strawberry.union(
        "PreviewResumeSubscriptionResult", description="A quote, or why there is nothing to resume."
    ),
]
ResumeSubscriptionResult = Annotated[
    SubscriptionResumed
    | NotFound
    | NotPermitted
    | InvalidInput
    | SubscriptionNotActive
    | NothingToChange
    | BillingDetailsMissing
    | QuoteOutdated
    | VersionConflict
    | IdempotencyKeyReused
    | Busy,
    strawberry.union("ResumeSubscriptionResult", description="What goes on, or why nothing does."),
]


async def preview_cancel_subscription(
    info: Info,
    input: Annotated[
        PreviewCancelSubscriptionInput, strawberry.argument(description="What would end, and when.")
    ],
) -> PreviewCancelSubscriptionResult:
    """Quote an end; reads only."""
    context, turn = info.context, cancelling.cancelling(given(input.timing))
    answer = await context.ask(
        cancelling.preview_cancel_subscription, context.actor, context.signer, subscription_of(input), turn
    )
    if isinstance(answer, Offer):
        return await quoted(info, answer)
    return cast("PreviewCancelSubscriptionResult", await refused(info, answer))


async def cancel_subscription(
    info: Info,
    input: Annotated[
        CancelSubscriptionInput, strawberry.argument(description="What ends, when, and under which key.")
    ],
) -> CancelSubscriptionResult:
    """End a subscription."""
    problem = key_problem(input.idempotency_key)
    if problem is not None:
        return cast("CancelSubscriptionResult", await refused(info, problem))
    context = info.context
    press = Press(
        subscription_of(input),
        cancelling.cancelling(given(input.timing)),
        input.idempotency_key,
        given(input.quote_token),
        given(input.expected_version),
    )
    answer = await once(
        lambda: context.ask(cancelling.replayed, context.actor, press),
        lambda: context.write(cancelling.cancel_subscription, context.actor, context.signer, press),
    )
    if isinstance(answer, cancelling.SubscriptionCancelled):
        added = Money.of(answer.credit_added)
        return SubscriptionCancelled(fact=answer, credit_added=added, replayed=answer.replayed)
    return cast("CancelSubscriptionResult", await refused(info, answer))


async def preview_resume_subscription(
    info: Info,
    input: Annotated[PreviewResumeSubscriptionInput, strawberry.argument(description="What would go on.")],
) -> PreviewResumeSubscriptionResult:
    """Quote the going on; reads only."""
    context = info.context
    answer = await context.ask(
        resuming.preview_resume_subscription, context.actor, context.signer, subscription_of(input)
    )
    if isinstance(answer, Offer):
        return await quoted(info, answer)
    return cast("PreviewResumeSubscriptionResult", await refused(info, answer))


async def resume_subscription(
    info: Info,
    input: Annotated[
        ResumeSubscriptionInput, strawberry.argument(description="What goes on, and under which key.")
    ],
) -> ResumeSubscriptionResult:
    """Go on."""
    problem = key_problem(input.idempotency_key)
    if problem is not None:
        return cast("ResumeSubscriptionResult", await refused(info, problem))
    context = info.context
    press = Press(
        subscription_of(input),
        resuming.RESUME,
        input.idempotency_key,
        given(input.quote_token),
        given(input.expected_version),
    )
    answer = await once(
        lambda: context.ask(resuming.replayed, context.actor, press),
        lambda: context.write(resuming.resume_subscription, context.actor, context.signer, press),
    )
    if isinstance(answer, resuming.SubscriptionResumed):
        return SubscriptionResumed(fact=answer, replayed=answer.replayed)
    return cast("ResumeSubscriptionResult", await refused(info, answer))
