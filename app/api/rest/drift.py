"""The drift report: send who really uses a seat, and read how far that is from what was reported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from app.api.rest.bodies import Answer, Body, Money, Seats
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, Refused, accepted
from app.api.rest.seat_events import HolderBody, SeatEventBody
from app.billing.drift import Correction, Drift, Roll
from app.billing.ledger import Holder
from app.billing.plans import Item
from app.billing.refusals import InvalidInput, Problem
from app.services.api_keys import Scope
from app.services.report_drift import DriftReport, report_drift

TAG: Final = ("drift", "How far the reported seats are from the real ones.")
MEMBERS_MAX: Final = 10_000
METRICS_MAX: Final = 50

MetricCode = Annotated[str, Meta(min_length=1, max_length=100)]


class DriftBody(Body):
    """Who really uses seats: the whole list of a metric, or only how many."""

    members: Annotated[
        dict[MetricCode, Annotated[tuple[HolderBody, ...], Meta(max_length=MEMBERS_MAX)]],
        Meta(max_length=METRICS_MAX, description="All members by metric; a person counts once."),
    ] = field(default_factory=dict)
    counts: Annotated[
        dict[MetricCode, Seats], Meta(max_length=METRICS_MAX, description="How many, where no list is sent.")
    ] = field(default_factory=dict)


class MetricDrift(Answer):
    """The drift of one metric."""

    metric: str
    in_use: Annotated[int, Meta(description="As it was reported.")]
    actual: Annotated[int, Meta(description="As it was sent now.")]
    missing: Annotated[list[HolderBody], Meta(description="Those who were never reported to sit.")]
    gone: Annotated[list[HolderBody], Meta(description="Those who were never reported to have left.")]
    unnamed: Annotated[int, Meta(description="Seats in use that nobody was named for.")]
    monthly: (
        Annotated[Money, Meta(description="What a month costs more, or less, at the present price.")] | None
    )
    corrections: Annotated[
        list[SeatEventBody], Meta(description="What `POST /v1/seat-events` takes to put it right.")
    ]


class DriftAnswer(Answer):
    """The drift of each metric that was sent. Nothing was recorded, and nothing is charged."""

    as_of: datetime
    metrics: list[MetricDrift]


@post(
    "/customers/{reference:str}/drift",
    **described(Scope.SEATS_READ, 400, 404, 415, 422),
    status_code=200,
    tags=[TAG[0]],
    summary="Compare with the real members",
)
async def compare(desk: AtDesk, reference: FromPath[str], data: JSONBody[DriftBody]) -> DriftAnswer:
    """Who is missing, who is gone, and what that is worth in a month. It only reads. Needs `seats:read`."""
    both = sorted(data.members.keys() & data.counts.keys())
    if both or not (data.members or data.counts):
        told = "Send the members or the count of each metric: one of both, and of one metric at least."
        raise Refused(InvalidInput((Problem(both[0] if both else "members", told),)))
    rolls = [_roll(metric, members) for metric, members in data.members.items()]
    rolls += [Roll(Item(metric), count) for metric, count in data.counts.items()]
    customer = await desk.customer(reference)
    report = accepted(await desk.read(customer, report_drift, rolls), DriftReport)
    at = f"{report.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    metrics = [_told(found, reference, f"drift {at} {found.metric}") for found in report.drifts]
    return DriftAnswer(as_of=report.at, metrics=metrics)


def _roll(metric: str, members: tuple[HolderBody, ...]) -> Roll:
    people = {each.reference: Holder(each.reference, each.name, each.email) for each in members}
    return Roll(Item(metric), len(people), people)


def _told(found: Drift, customer: str, key: str) -> MetricDrift:
    return MetricDrift(
        metric=found.metric,
        in_use=found.in_use,
        actual=found.actual,
        missing=[HolderBody.of(person) for person in found.missing],
        gone=[HolderBody.of(person) for person in found.gone],
        unnamed=found.unnamed,
        monthly=Money.of(found.monthly) if found.monthly else None,
        corrections=[
            _event(correction, customer, found.metric, f"{key} {number}")
            for number, correction in enumerate(found.corrections, start=1)
        ],
    )


def _event(correction: Correction, customer: str, metric: str, key: str) -> SeatEventBody:
    holder = HolderBody.of(correction.holder) if correction.holder else None
    return SeatEventBody(
        customer=customer,
        idempotency_key=key,
        metric=metric,
        add=correction.added,
        remove=correction.removed,
        set=correction.total,
        holder=holder,
    )


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (compare,)
