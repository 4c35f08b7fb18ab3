"""What mutations are told, and how it becomes a request of billing. What no request can mean is refused here,
all of it at once, with the place of each problem.
"""

from collections.abc import Iterator
from typing import Final, Protocol
from uuid import UUID

import strawberry

from app.api.arguments import given
from app.api.enums import BillingInterval, ChangeTiming, OnPaymentFailure, ProrationMode
from app.api.ids import Kind, decode_as
from app.billing import requests
from app.billing.refusals import InvalidInput, Problem

KEY_LENGTH_MAX: Final = 255
SEATS_ENTRIES_MAX: Final = 20
NOBODY: Final = UUID(int=0)
"""An id that nothing has. A malformed id is looked up as this one, so that it is answered like an unknown
one.
"""


@strawberry.input(
    one_of=True,
    description="A number of committed seats: exactly one of the three. Seats that the seller granted do "
    "not count.",
)
class SeatQuantity:
    """A number of committed seats."""

    total: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many there shall be, included ones counted: 0 to 100,000.",
    )
    add: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many more than now: 1 to 100,000."
    )
    remove: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many fewer than now: 1 up to what is committed."
    )


@strawberry.input(description="The seats of one metric after a change.")
class SeatQuantityInput:
    """The seats of one metric after a change."""

    metric: str = strawberry.field(description="The code of a seat metric of the plan that is wanted.")
    quantity: SeatQuantity = strawberry.field(description="How many, as a total or as a difference from now.")


@strawberry.input(description="The change whose price is wanted.")
class PreviewChangePlanInput:
    """The change whose price is wanted."""

    subscription_id: strawberry.ID = strawberry.field(description="Which subscription would change.")
    plan_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="Another plan; left out, the present one stays."
    )
    interval: BillingInterval | None = strawberry.field(
        default=strawberry.UNSET, description="Another billing interval; left out, the present one stays."
    )
    seats: list[SeatQuantityInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The metrics whose seats change, each once, at most 20 entries; a metric that is not "
        "named stays as it is.",
    )
    proration_mode: ProrationMode | None = strawberry.field(
        default=strawberry.UNSET, description="How today is billed; left out, as the plan does by default."
    )
    timing: ChangeTiming | None = strawberry.field(
        default=strawberry.UNSET, description="When it takes effect; left out, as the plan does by default."
    )


@strawberry.input(
    description="The change to make. With a token, what is left out is taken from the quote, and what is "
    "sent must agree with it."
)
class ChangePlanInput(PreviewChangePlanInput):
    """The change to make."""

    quote_token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The token of a quote or of an alternative: the change costs exactly what that said, or "
        "is refused with a fresh quote. Left out, it costs what it costs now.",
    )
    expected_version: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The `Subscription.version` that was shown: the change is refused if there is a newer "
        "one. Left out, it is not looked at.",
    )
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request: the change is made once, and repetitions get the same answer."
    )
    on_payment_failure: OnPaymentFailure = strawberry.field(
        default=OnPaymentFailure.PREVENT_CHANGE,
        description="For customers whose payment method is charged: what becomes of the change when that "
        "declines what is due now.",
    )


@strawberry.input(description="The scheduled change to take back.")
class CancelScheduledChangeInput:
    """The scheduled change to take back."""

    scheduled_change_id: strawberry.ID = strawberry.field(description="Which change, while it still waits.")
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request."
    )


@strawberry.input(description="The end whose effect is wanted: what it would give back.")
class PreviewCancelSubscriptionInput:
    """The end whose effect is wanted."""

    subscription_id: strawberry.ID = strawberry.field(description="Which subscription would end.")
    timing: ChangeTiming | None = strawberry.field(
        default=strawberry.UNSET,
        description="NOW, as far as the plan lets a decrease be now, or AT_RENEWAL: with the period or the "
        "trial. Left out, it is AT_RENEWAL, and NOW in a pause, which has no renewal.",
    )


@strawberry.input(
    description="The end to make. With a token, the timing may be left out, and must agree with the quote if "
    "it is sent."
)
class CancelSubscriptionInput(PreviewCancelSubscriptionInput):
    """The end to make."""

    quote_token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The token of a quote or of an alternative: the end gives back exactly what that said, "
        "or is refused with a fresh quote.",
    )
    expected_version: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The `Subscription.version` that was shown: refused if there is a newer one.",
    )
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request."
    )


@strawberry.input(description="The subscription that would go on.")
class PreviewResumeSubscriptionInput:
    """The subscription that would go on."""

    subscription_id: strawberry.ID = strawberry.field(description="One that is to end, or that pauses.")


@strawberry.input(description="Which subscription is to go on, and at the price of which quote.")
class ResumeSubscriptionInput(PreviewResumeSubscriptionInput):
    """The subscription that is to go on."""

    quote_token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The token of a quote: the new period costs exactly what that said, or resuming is "
        "refused with a fresh quote.",
    )
    expected_version: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The `Subscription.version` that was shown: refused if there is a newer one.",
    )
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request."
    )


class NamesSubscription(Protocol):
    """An input that is about one subscription."""

    subscription_id: strawberry.ID


def subscription_of(input: NamesSubscription) -> UUID:
    """The subscription that is meant, `NOBODY` for an id of no subscription."""
    return decode_as(Kind.SUBSCRIPTION, input.subscription_id) or NOBODY


def change_of(input: PreviewChangePlanInput) -> requests.ChangeRequest | InvalidInput:
    """The change that is asked for."""
    problems = tuple(_change_problems(input))
    if problems:
        return InvalidInput(problems)
    return requests.ChangeRequest(
        plan=given(input.plan_code),
        interval=given(input.interval),
        seats=tuple(_quantity(entry) for entry in input.seats or ()),
        mode=given(input.proration_mode),
        timing=given(input.timing),
    )


def key_problem(key: str) -> InvalidInput | None:
    """Why a text is no idempotency key."""
    if 1 <= len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable():
        return None
    message = f"An idempotency key has 1 to {KEY_LENGTH_MAX} printable ASCII characters. Use a random UUID."
    return InvalidInput((Problem("input.idempotencyKey", message),))


def _change_problems(input: PreviewChangePlanInput) -> Iterator[Problem]:
    if input.plan_code == "":
        yield Problem("input.planCode", "A plan code is not empty. Leave it out to keep the present plan.")
    entries = input.seats or ()
    if len(entries) > SEATS_ENTRIES_MAX:
        message = f"{len(entries)} entries are too many. Name each metric once, {SEATS_ENTRIES_MAX} at most."
        yield Problem("input.seats", message)


def _quantity(entry: SeatQuantityInput) -> requests.SeatQuantity:
    """Of the three numbers one is given; the schema sees to it."""
    asked = entry.quantity
    return requests.SeatQuantity(entry.metric, given(asked.total), given(asked.add), given(asked.remove))
