"""Every no has its numbers, and a message that says what happened and what to do next."""

import pytest

from app.billing.plans import Item, ProrationMode, SeatMetric
from app.billing.refusals import (
    AboveMaximum,
    BelowMinimum,
    BillingDetailsMissing,
    Busy,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NothingToChange,
    NotPermitted,
    PlanNotAvailable,
    Problem,
    ProrationModeNotAllowed,
    QuoteOutdated,
    SeatsInUse,
    SubscriptionNotActive,
    VersionConflict,
)
from app.billing.subscriptions import SubscriptionStatus

EDITOR = SeatMetric(Item("editor"), "Editor")
SEATS = SeatMetric(Item("editor"), "Editor seats")
REASON = "Because."

REFUSALS = {
    NotFound("invoice"): "There is no such invoice. Check the id.",
    NotFound("change", "Look again."): "There is no such change. Look again.",
    NotPermitted(REASON): REASON,
    InvalidInput((Problem("a", "One."), Problem("b", "Two."))): "One. Two.",
    PlanNotAvailable("gold", REASON): REASON,
    ProrationModeNotAllowed(ProrationMode.DO_NOT_BILL, None, (), (), REASON): REASON,
    SeatsInUse(EDITOR, 9, 3, 3, (), 0): (
        "9 Editor seats are in use, and 3 would be left. Release 6 seats first, or keep more."
    ),
    SeatsInUse(EDITOR, 1, 0, 0, (), 0): (
        "1 Editor seat is in use, and none would be left. Release 1 seat first, or keep more."
    ),
    SeatsInUse(SEATS, 9, 1, 7, (), 0): (
        "9 Editor seats are in use, and 7 would be left, included and granted ones counted. "
        "Release 2 seats first, or keep more."
    ),
    BelowMinimum(EDITOR, 5, 1): "The plan needs at least 5 Editor seats; 1 was asked for.",
    BelowMinimum(EDITOR, 1, 0): "The plan needs at least 1 Editor seat; 0 were asked for.",
    AboveMaximum(EDITOR, 5, 9): "The plan allows at most 5 Editor seats; 9 were asked for.",
    SubscriptionNotActive(SubscriptionStatus.ENDED): (
        "The subscription is ended; it cannot be changed. Ask the seller for a new one."
    ),
    NothingToChange(): "Plan, interval and seats are already as asked. Ask for something else.",
    BillingDetailsMissing(("city",)): "An invoice needs the following billing details first: city.",
    QuoteOutdated(None, "The quote has expired."): (
        "The quote has expired. Look at the fresh quote and confirm that one."
    ),
    VersionConflict(3, 4): (
        "The subscription is at version 4, not 3: somebody changed it. Read it again, then decide."
    ),
    IdempotencyKeyReused("k"): (
        "This idempotency key was used for a different request. Use a new key for a new request."
    ),
    Busy(2): "Too many changes at once; nothing was done. Send the same request again in 2 s.",
}


@pytest.mark.parametrize(("refusal", "message"), REFUSALS.items(), ids=lambda value: type(value).__name__)
def test_a_refusal_says_what_happened_and_what_to_do(refusal: NotFound, message: str) -> None:
    """The message holds the numbers of the refusal in plain words."""
    assert refusal.message == message
