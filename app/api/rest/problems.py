"""Every expected no as a problem after RFC 9457: a stable `type`, a status, and the numbers needed to go on.

The members beside `type`, `title`, `status` and `detail` are those of the refusal, as the GraphQL schema has
them. `GET` of a type says what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from litestar import Response

from app.api import media
from app.api.http import json_response
from app.billing import refusals

PATH: Final = "/problems/"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: the last part of its `type`, its status, and what it is about."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The `type` that clients tell problems by."""
        return f"{PATH}{self.name}"


class InvalidMember(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request."""

    path: Annotated[str, msgspec.Meta(description="Where it is: `seats.editor`, or empty for all of it.")]
    message: Annotated[str, msgspec.Meta(description="What is wrong there and how to put it right.")]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). Some types have more members, with numbers."""

    type: Annotated[str, msgspec.Meta(description="Tells kinds of problems apart: `/problems/seats-in-use`.")]
    title: Annotated[str, msgspec.Meta(description="What kind of problem it is, in words.")]
    status: Annotated[int, msgspec.Meta(description="The status of the response.")]
    detail: Annotated[str, msgspec.Meta(description="What happened and what to do next, for people.")]
    problems: Annotated[
        tuple[InvalidMember, ...],
        msgspec.Meta(description="All that is wrong with what was sent, if that is why."),
    ] = ()


BAD_REQUEST: Final = ProblemType("bad-request", 400, "The request cannot be read")
UNAUTHENTICATED: Final = ProblemType("unauthenticated", 401, "No valid API key was sent")
MISSING_SCOPE: Final = ProblemType("missing-scope", 403, "The API key is not for this")
TIMED_OUT: Final = ProblemType("timed-out", 408, "The request took too long to arrive")
TOO_LARGE: Final = ProblemType("too-large", 413, "The request is too large")
NOT_JSON: Final = ProblemType("not-json", 415, "The body is not JSON")
BUSY: Final = ProblemType("busy", 503, "Too much is going on just now")
UNDER_REVIEW: Final = ProblemType("under-review", 409, "The seller has to look at the subscription first")
NO_CATALOG: Final = ProblemType("no-catalog", 503, "No catalog was applied yet")

OF_REQUESTS: Final = (
    BAD_REQUEST, UNAUTHENTICATED, MISSING_SCOPE, TIMED_OUT, TOO_LARGE, NOT_JSON, BUSY, UNDER_REVIEW,
    NO_CATALOG,
)  # fmt: skip
"""Problems of requests that no service ever saw, or that it could not answer."""

OF_REFUSALS: Final[Mapping[type, ProblemType]] = {
    refusals.NotFound: ProblemType("not-found", 404, "There is no such thing"),
    refusals.NotPermitted: ProblemType("not-permitted", 403, "This is not permitted"),
    refusals.InvalidInput: ProblemType("invalid-input", 422, "The request cannot mean anything"),
    refusals.PlanNotAvailable: ProblemType("plan-not-available", 409, "The plan cannot be chosen"),
    refusals.ProrationModeNotAllowed: ProblemType(
        "proration-mode-not-allowed", 409, "The plan does not allow this mode or timing"
    ),
    refusals.SeatsInUse: ProblemType("seats-in-use", 409, "More seats are in use than would be left"),
    refusals.BelowMinimum: ProblemType("below-minimum", 409, "The plan needs more seats"),
    refusals.AboveMaximum: ProblemType("above-maximum", 409, "The plan allows fewer seats"),
    refusals.SubscriptionNotActive: ProblemType(
        "subscription-not-active", 409, "The subscription's status does not allow it"
    ),
    refusals.NothingToChange: ProblemType("nothing-to-change", 409, "It is so already"),
    refusals.BillingDetailsMissing: ProblemType(
        "billing-details-missing", 409, "A document needs billing details that are missing"
    ),
    refusals.QuoteOutdated: ProblemType("quote-outdated", 409, "The quote is not what it would cost now"),
    refusals.VersionConflict: ProblemType("version-conflict", 409, "Somebody changed it since it was read"),
    refusals.IdempotencyKeyReused: ProblemType(
        "idempotency-key-reused", 409, "The key was used for another request"
    ),
    refusals.Busy: BUSY,
}

TYPES: Final[Mapping[str, ProblemType]] = {kind.name: kind for kind in (*OF_REQUESTS, *OF_REFUSALS.values())}


Refusal = (
    refusals.NotFound
    | refusals.NotPermitted
    | refusals.InvalidInput
    | refusals.PlanNotAvailable
    | refusals.ProrationModeNotAllowed
    | refusals.SeatsInUse
    | refusals.BelowMinimum
    | refusals.AboveMaximum
    | refusals.SubscriptionNotActive
    | refusals.NothingToChange
    | refusals.BillingDetailsMissing
    | refusals.QuoteOutdated[Any]
    | refusals.VersionConflict
    | refusals.IdempotencyKeyReused
    | refusals.Busy
)
"""Every refusal of a service that has a problem."""


def problem_response(
    kind: ProblemType, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response[bytes]:
    """The response that tells a problem."""
    body = _body(kind, detail, members)
    return json_response(body, status=kind.status, media_type=media.PROBLEM, headers=headers)


def problem_of(no: Refusal) -> dict[str, Any]:
    """What a service refused, as the body of a problem."""
    return _body(OF_REFUSALS[type(no)], no.message, members_of(no))


def _body(kind: ProblemType, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": detail, **members}


def refusal_response(no: Refusal) -> Response[bytes]:
    """The response to what a service refused."""
    headers = {"Retry-After": str(no.retry_after_seconds)} if isinstance(no, refusals.Busy) else None
    return problem_response(OF_REFUSALS[type(no)], no.message, headers=headers, **members_of(no))


def members_of(no: Refusal) -> dict[str, Any]:
    """The numbers of a refusal, for a program to go on with."""
    match no:
        case refusals.InvalidInput(problems):
            return {"problems": [{"path": each.path, "message": each.message} for each in problems]}
        case refusals.PlanNotAvailable(plan):
            return {"plan": plan}
        case refusals.ProrationModeNotAllowed():
            return {
                "requestedTiming": no.requested_timing.value if no.requested_timing else None,
                "allowedTimings": [timing.value for timing in no.allowed_timings],
                "allowedModes": [mode.value for mode in no.allowed_modes],
            }
        case refusals.SeatsInUse():
            return {
                "metric": no.metric.code,
                "inUse": no.in_use,
                "requested": no.requested,
                "limit": no.limit,
                "holders": [holder.reference for holder in no.holders],
                "holderCount": no.holder_count,
            }
        case refusals.BelowMinimum(metric, minimum, requested):
            return {"metric": metric.code, "minimum": minimum, "requested": requested}
        case refusals.AboveMaximum(metric, maximum, requested):
            return {"metric": metric.code, "maximum": maximum, "requested": requested}
        case refusals.SubscriptionNotActive(status):
            return {"subscriptionStatus": status.value}
        case refusals.BillingDetailsMissing(missing):
            return {"missing": list(missing)}
        case refusals.VersionConflict(expected, actual):
            return {"expectedVersion": expected, "actualVersion": actual}
        case refusals.Busy(seconds):
            return {"retryAfterSeconds": seconds}
        case _:
            return {}
