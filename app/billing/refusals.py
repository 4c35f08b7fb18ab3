"""Every expected no, as a value with the numbers needed to recover.

    NotFound  NotPermitted  InvalidInput  PlanNotAvailable  ProrationModeNotAllowed
    SeatsInUse  NoSeatAvailable  BelowMinimum  AboveMaximum  SubscriptionNotActive  NothingToChange
    BillingDetailsMissing  QuoteOutdated  VersionConflict  IdempotencyKeyReused  PaymentDeclined  Busy

A refusal changes nothing and is stored nowhere. Its `message` says what happened and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from app.billing.ledger import Holder
from app.billing.money import Money
from app.billing.plans import ChangeTiming, ProrationMode, SeatMetric

if TYPE_CHECKING:
    from app.billing.subscriptions import SubscriptionStatus

Current = TypeVar("Current")


@dataclass(frozen=True, slots=True)
class NotFound:
    """The customer has nothing of this kind with this id; unknown and foreign ids are answered alike, and so
    are those of what is over. `advice` says what to do.
    """

    what: str
    advice: str = "Check the id."

    @property
    def message(self) -> str:
        return f"There is no such {self.what}. {self.advice}"


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """The caller's role does not allow it."""

    reason: str

    @property
    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an input: where (`input.seats[0].metric`), and what to do."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class InvalidInput:
    """The input cannot mean anything; all problems are listed at once."""

    problems: tuple[Problem, ...]

    @property
    def message(self) -> str:
        return " ".join(problem.message for problem in self.problems)


@dataclass(frozen=True, slots=True)
class PlanNotAvailable:
    """The plan cannot be chosen: it does not exist, is not sold at this interval and currency, or lacks seats
    in use.
    """

    plan: str
    reason: str

    @property
    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class ProrationModeNotAllowed:
    """The plan's policy does not allow this mode or timing for this direction."""

    requested_mode: ProrationMode | None
    requested_timing: ChangeTiming | None
    allowed_modes: tuple[ProrationMode, ...]
    allowed_timings: tuple[ChangeTiming, ...]
    reason: str

    @property
    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class SeatsInUse:
    """More seats are in use than would be left; `holders` names up to twenty of `holder_count` people to
    release.
    """

    metric: SeatMetric
    in_use: int
    requested: int
    limit: int
    holders: tuple[Holder, ...]
    holder_count: int

    @property
    def message(self) -> str:
        verb = "is" if self.in_use == 1 else "are"
        left = f"{self.limit or 'none'} would be left"
        if self.limit > self.requested:
            left = f"{left}, included and granted ones counted"
        release = self.in_use - self.limit
        return (
            f"{self.metric.counted(self.in_use)} {verb} in use, and {left}. "
            f"Release {release} {self.metric.units(release)} first, or keep more."
        )


@dataclass(frozen=True, slots=True)
class NoSeatAvailable:
    """As many seats are in use as may be; the plan lets nobody take one more."""

    metric: SeatMetric
    in_use: int
    limit: int

    @property
    def message(self) -> str:
        verb = "is" if self.in_use == 1 else "are"
        limit = f"{self.limit} may be" if self.limit else "none may be"
        return (
            f"{self.metric.counted(self.in_use)} {verb} in use, and {limit}. "
            f"Release one first, or add {self.metric.units(2)} to the plan."
        )


@dataclass(frozen=True, slots=True)
class BelowMinimum:
    """The plan bills at least so many seats of the metric."""

    metric: SeatMetric
    minimum: int
    requested: int

    @property
    def message(self) -> str:
        return f"The plan needs at least {self.metric.counted(self.minimum)}; {_asked(self.requested)}."


@dataclass(frozen=True, slots=True)
class AboveMaximum:
    """The plan allows at most so many seats of the metric."""

    metric: SeatMetric
    maximum: int
    requested: int

    @property
    def message(self) -> str:
        return f"The plan allows at most {self.metric.counted(self.maximum)}; {_asked(self.requested)}."


@dataclass(frozen=True, slots=True)
class SubscriptionNotActive:
    """What was asked is not for a subscription in this status; `asked` is what it cannot be, in words."""

    status: SubscriptionStatus
    asked: str = "changed"

    @property
    def message(self) -> str:
        status = {"TRIALING": "in its trial", "PAST_DUE": "past due"}.get(
            self.status.value, self.status.value.lower()
        )
        advice = {
            "PAUSED": " Resume it first, or cancel it at once.",
            "ENDED": " Ask the seller for a new one.",
        }
        return f"The subscription is {status}; it cannot be {self.asked}.{advice.get(self.status.value, '')}"


@dataclass(frozen=True, slots=True)
class NothingToChange:
    """The request describes what is already so."""

    reason: str = "Plan, interval and seats are already as asked. Ask for something else."

    @property
    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class BillingDetailsMissing:
    """The change would make a document, and the buyer's details are incomplete."""

    missing: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"An invoice needs the following billing details first: {', '.join(self.missing)}."


@dataclass(frozen=True, slots=True)
class QuoteOutdated(Generic[Current]):
    """What the token quoted is not what the change would charge now; `current` is the fresh quote."""

    current: Current
    reason: str

    @property
    def message(self) -> str:
        return f"{self.reason} Look at the fresh quote and confirm that one."


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """Somebody changed the subscription in between."""

    expected: int
    actual: int

    @property
    def message(self) -> str:
        return (
            f"The subscription is at version {self.actual}, not {self.expected}: somebody changed it. "
            "Read it again, then decide."
        )


@dataclass(frozen=True, slots=True)
class IdempotencyKeyReused:
    """The key was used for another input before."""

    key: str

    @property
    def message(self) -> str:
        return "This idempotency key was used for a different request. Use a new key for a new request."


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    """The change had to be paid first, and so much was not paid. `reason` is in the words of who declined."""

    amount: Money
    reason: str

    @property
    def message(self) -> str:
        return f"The payment of {self.amount} was declined. {self.reason} Nothing was changed."


@dataclass(frozen=True, slots=True)
class Busy:
    """The change could not get its turn; nothing was done and the same request may be sent again."""

    retry_after_seconds: int

    @property
    def message(self) -> str:
        return (
            "Too many changes at once; nothing was done. "
            f"Send the same request again in {self.retry_after_seconds} s."
        )


def _asked(count: int) -> str:
    return f"{count} {'was' if count == 1 else 'were'} asked for"
