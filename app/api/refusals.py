"""Every expected no as a type of the schema, each with the numbers needed to go on, and the one mapping from
the refusals of billing to them. Mutations share these types.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, assert_never

import strawberry

from app.api.enums import ChangeTiming, ProrationMode, SubscriptionStatus
from app.api.money import Money
from app.api.quotes import ChangeQuote
from app.api.seats import SeatHolder, SeatMetric
from app.billing import refusals
from app.services.confirming import Offer


@strawberry.interface(
    description="An expected no: nothing was changed. Select `message` on this interface, and refusals that "
    "are added later are understood too."
)
class Refusal:
    """An expected no."""

    message: str = strawberry.field(
        description="What happened and what to do next, in English, for people; the other fields say it in "
        "numbers."
    )


@strawberry.type(
    description="The customer has nothing with this id. Ids that are unknown, malformed, of somebody else, "
    "or of what is over are answered alike."
)
class NotFound(Refusal):
    """The customer has nothing with this id."""


@strawberry.type(description="The member's role does not allow it; `viewer.permissions` tells beforehand.")
class NotPermitted(Refusal):
    """The member's role does not allow it."""


@strawberry.type(description="One thing that is wrong in an input.")
class InputProblem:
    """One thing that is wrong in an input."""

    path: str = strawberry.field(
        description="Where it is, counted from the argument: `input.seats[0].quantity.add`. Made for "
        "marking a form."
    )
    message: str = strawberry.field(description="What is wrong there and how to put it right.")


@strawberry.type(description="The input cannot mean anything. All its problems are listed at once.")
class InvalidInput(Refusal):
    """The input cannot mean anything."""

    problems: list[InputProblem] = strawberry.field(description="What is wrong, at least one entry.")


@strawberry.type(
    description="The plan cannot be chosen: it is not on offer, or not at this interval in the customer's "
    "currency."
)
class PlanNotAvailable(Refusal):
    """The plan cannot be chosen."""

    plan_code: str = strawberry.field(description="The plan that was asked for, or the present one.")


@strawberry.type(description="The plan does not allow this mode or timing for a change in this direction.")
class ProrationModeNotAllowed(Refusal):
    """The plan does not allow this mode or timing."""

    requested_mode: ProrationMode | None = strawberry.field(
        description="The mode that was asked for; null when none was and the timing is the problem."
    )
    requested_timing: ChangeTiming | None = strawberry.field(
        description="The timing that was asked for; null when none was and the mode is the problem."
    )
    allowed_modes: list[ProrationMode] = strawberry.field(
        description="The modes that the plan allows here, the default first."
    )
    allowed_timings: list[ChangeTiming] = strawberry.field(
        description="The timings that the plan allows here."
    )


@strawberry.type(description="More seats are in use than would be left. Somebody has to give one back first.")
class SeatsInUse(Refusal):
    """More seats are in use than would be left."""

    metric: SeatMetric = strawberry.field(description="Which seats are in use.")
    in_use: int = strawberry.field(description="How many people sit in.")
    requested: int = strawberry.field(description="How many seats would have been committed.")
    limit: int = strawberry.field(
        description="How many could have been in use then, included and granted ones counted: `inUse` less "
        "`limit` have to be given back."
    )
    holders: list[SeatHolder] = strawberry.field(
        description="Up to twenty of those who sit in them, the longest first; fewer when the product did "
        "not name people."
    )
    holder_count: int = strawberry.field(
        description="How many people are known by name to sit in these seats."
    )


@strawberry.type(
    description="As many seats are in use as may be: release one first, or add seats with `changePlan`."
)
class NoSeatAvailable(Refusal):
    """No seat is left."""

    metric: SeatMetric = strawberry.field(description="Of which seats none is left.")
    in_use: int = strawberry.field(description="How many are in use now.")
    limit: int = strawberry.field(description="How many may be in use.")


@strawberry.type(description="The plan needs more committed seats than were asked for.")
class BelowMinimum(Refusal):
    """The plan needs more committed seats."""

    metric: SeatMetric = strawberry.field(description="Which seats are too few.")
    minimum: int = strawberry.field(description="How many the plan needs at least.")
    requested: int = strawberry.field(description="How many would have been committed.")


@strawberry.type(description="The plan allows fewer committed seats than were asked for.")
class AboveMaximum(Refusal):
    """The plan allows fewer committed seats."""

    metric: SeatMetric = strawberry.field(description="Which seats are too many.")
    maximum: int = strawberry.field(description="How many the plan allows at most.")
    requested: int = strawberry.field(description="How many would have been committed.")


@strawberry.type(
    description="What was asked is not possible in the subscription's present status: one that pauses or "
    "has ended cannot be changed."
)
class SubscriptionNotActive(Refusal):
    """What was asked is not possible in the present status."""

    status: SubscriptionStatus = strawberry.field(description="Where the subscription is in its life.")


@strawberry.type(description="The request describes what is so already.")
class NothingToChange(Refusal):
    """The request describes what is so already."""


@strawberry.type(
    description="The change would make a document, and details that a document must have are missing."
)
class BillingDetailsMissing(Refusal):
    """Details that a document must have are missing."""

    missing: list[str] = strawberry.field(description="Which details, in words: `legal name`, `country`.")


@strawberry.type(
    description="The change would not cost any more what the token quoted: it expired, or something "
    "changed. Show the fresh quote and confirm that one."
)
class QuoteOutdated(Refusal):
    """The change would cost something else than the token quoted."""

    current: ChangeQuote = strawberry.field(description="The same change, quoted anew.")


@strawberry.type(description="Somebody changed the subscription since it was read.")
class VersionConflict(Refusal):
    """Somebody changed the subscription since it was read."""

    expected_version: int = strawberry.field(description="What the request took for the present version.")
    actual_version: int = strawberry.field(
        description="What the present version is; read the subscription again."
    )


@strawberry.type(
    description="The key was used for a different request of the same mutation. A key belongs to one press "
    "of one button."
)
class IdempotencyKeyReused(Refusal):
    """The key was used for a different request."""


@strawberry.type(
    description="The customer's payment method declined the payment of the change: nothing was changed and "
    "nothing charged. Press again to try once more, with `APPLY_CHANGE` to be sent an invoice instead."
)
class PaymentDeclined(Refusal):
    """The payment of the change was declined."""

    amount: Money = strawberry.field(description="What should have been paid at once.")
    reason: str = strawberry.field(description="Why it was declined, as the payment provider says it.")


@strawberry.type(
    description="Too many changes at once: nothing was done. Send the same request with the same key again."
)
class Busy(Refusal):
    """Too many changes at once."""

    retry_after_seconds: int = strawberry.field(description="How long to wait before sending it again.")


Core = (
    refusals.NotFound
    | refusals.NotPermitted
    | refusals.InvalidInput
    | refusals.PlanNotAvailable
    | refusals.ProrationModeNotAllowed
    | refusals.SeatsInUse
    | refusals.NoSeatAvailable
    | refusals.BelowMinimum
    | refusals.AboveMaximum
    | refusals.SubscriptionNotActive
    | refusals.NothingToChange
    | refusals.BillingDetailsMissing
    | refusals.QuoteOutdated[Offer]
    | refusals.VersionConflict
    | refusals.IdempotencyKeyReused
    | refusals.PaymentDeclined
    | refusals.Busy
)
"""Every refusal that a service can return."""

SAID_BY_MESSAGE: Final[Mapping[type, type[Refusal]]] = {
    refusals.NotFound: NotFound,
    refusals.NotPermitted: NotPermitted,
    refusals.NothingToChange: NothingToChange,
    refusals.IdempotencyKeyReused: IdempotencyKeyReused,
}
"""Those that have nothing to add to their message."""

Requote = Callable[[Offer], Awaitable[ChangeQuote]]
"""Makes the schema's quote of an offer."""


async def refusal_of(no: Core, requote: Requote) -> Refusal:
    """The schema's type of a refusal, with the same name."""
    said = no.message
    match no:
        case (
            refusals.NotFound()
            | refusals.NotPermitted()
            | refusals.NothingToChange()
            | refusals.IdempotencyKeyReused()
        ):
            return SAID_BY_MESSAGE[type(no)](message=said)
        case refusals.InvalidInput(problems):
            listed = [InputProblem(path=problem.path, message=problem.message) for problem in problems]
            return InvalidInput(message=said, problems=listed)
        case refusals.PlanNotAvailable(plan):
            return PlanNotAvailable(message=said, plan_code=plan)
        case refusals.ProrationModeNotAllowed():
            return _mode_not_allowed(no)
        case refusals.SeatsInUse():
            return _seats_in_use(no)
        case refusals.NoSeatAvailable(metric, in_use, limit):
            return NoSeatAvailable(message=said, metric=SeatMetric.of(metric), in_use=in_use, limit=limit)
        case refusals.BelowMinimum(metric, minimum, requested):
            return BelowMinimum(
                message=said, metric=SeatMetric.of(metric), minimum=minimum, requested=requested
            )
        case refusals.AboveMaximum(metric, maximum, requested):
            return AboveMaximum(
                message=said, metric=SeatMetric.of(metric), maximum=maximum, requested=requested
            )
        case refusals.SubscriptionNotActive(status):
            return SubscriptionNotActive(message=said, status=status)
        case refusals.BillingDetailsMissing(missing):
            return BillingDetailsMissing(message=said, missing=list(missing))
        case refusals.QuoteOutdated(current):
            return QuoteOutdated(message=said, current=await requote(current))
        case refusals.VersionConflict(expected, actual):
            return VersionConflict(message=said, expected_version=expected, actual_version=actual)
        case refusals.PaymentDeclined(amount, reason):
            return PaymentDeclined(message=said, amount=Money.of(amount), reason=reason)
        case refusals.Busy(seconds):
            return Busy(message=said, retry_after_seconds=seconds)
        case _:
            assert_never(no)


def _mode_not_allowed(no: refusals.ProrationModeNotAllowed) -> ProrationModeNotAllowed:
    return ProrationModeNotAllowed(
        message=no.message,
        requested_mode=no.requested_mode,
        requested_timing=no.requested_timing,
        allowed_modes=list(no.allowed_modes),
        allowed_timings=list(no.allowed_timings),
    )


def _seats_in_use(no: refusals.SeatsInUse) -> SeatsInUse:
    return SeatsInUse(
        message=no.message,
        metric=SeatMetric.of(no.metric),
        in_use=no.in_use,
        requested=no.requested,
        limit=no.limit,
        holders=[SeatHolder.of(no.metric, holder) for holder in no.holders],
        holder_count=no.holder_count,
    )
