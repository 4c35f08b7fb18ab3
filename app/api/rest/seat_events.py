"""Seat events: the vendor's product tells who takes a seat and gives one back, one by one or in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from app.api.ids import Kind, decode_as, encode
from app.api.rest.bodies import Answer, Body, Instant, Metric, Name, Reference, Seats, Text
from app.api.rest.describing import described
from app.api.rest.desk import KEY, AtDesk, Desk, IdempotencyKey, Refused
from app.api.rest.problems import Refusal, problem_of
from app.billing.ledger import BalanceKind, Holder
from app.billing.refusals import InvalidInput, Problem
from app.billing.reports import SeatCorrection, SeatReport
from app.services.api_keys import Scope
from app.services.record_batch import ITEMS_MAX, ItemRecorded, ItemResult, SeatItem, record_batch
from app.services.report_committed import CommittedReport

TAG: Final = ("seat-events", "Who takes a seat and who gives one back.")
NOBODY: Final = UUID(int=0)


class HolderBody(Body, omit_defaults=True):
    """The person in a seat."""

    reference: Annotated[Name, Meta(description="Your own id of the person; opaque.", examples=["u-17"])]
    name: Text | None = None
    email: Text | None = None

    @classmethod
    def of(cls, holder: Holder) -> HolderBody:
        """What is told of a person."""
        return cls(reference=holder.reference, name=holder.name, email=holder.email)


class SeatEventBody(Body, omit_defaults=True):
    """Seats that were taken or given back, or a total; with `corrects`, what an event should have said."""

    customer: Reference
    idempotency_key: (
        Annotated[
            str,
            Meta(description="The event is recorded once for each. One event may have it in the header."),
        ]
        | None
    ) = None
    metric: Metric | None = None
    balance: Annotated[
        BalanceKind, Meta(description="IN_USE: who sits there. COMMITTED: what is bought, and billed.")
    ] = BalanceKind.IN_USE
    add: Seats | None = None
    remove: Seats | None = None
    set: Annotated[Seats, Meta(description="The total from then on.")] | None = None
    holder: HolderBody | None = None
    effective_at: Annotated[Instant, Meta(description="When it was so; now if left out.")] | None = None
    corrects: Annotated[str, Meta(description="The id of the event, `evt_…`.")] | None = None
    note: Text | None = None


class Outcome(Enum):
    """What became of an event."""

    RECORDED = "RECORDED"
    REPLAYED = "REPLAYED"
    REFUSED = "REFUSED"


class SeatEventResult(Answer):
    """What became of one event: `REPLAYED` if its key was known, so that nothing was done now."""

    customer: str
    idempotency_key: str | None
    outcome: Outcome
    events: Annotated[list[str], Meta(description="What it became; none if a total was so already.")]
    committed: Annotated[int, Meta(description="The committed seats since, if it was about those.")] | None
    problem: Annotated[dict[str, Any], Meta(description="Why it was refused.")] | None


class SeatEventsAnswer(Answer):
    """A result for each event, in their order."""

    results: list[SeatEventResult]


Batch = Annotated[tuple[SeatEventBody, ...], Meta(min_length=1, max_length=ITEMS_MAX)]


@post(
    "/seat-events",
    **described(Scope.SEATS_WRITE, 400, 404, 409, 415, 422),
    status_code=200,
    tags=[TAG[0]],
    summary="Record seat events",
)
async def record(
    desk: AtDesk, data: JSONBody[SeatEventBody | Batch], idempotency_key: IdempotencyKey = None
) -> SeatEventsAnswer:
    """Record one event, or up to 1,000 in an array. Needs `seats:write`.

    The events of a customer are applied in their order, each with its own key and its own result. A refused
    one stops no other, and may come again under its key. If one event comes by itself and is refused, the
    answer is that problem.
    """
    if not isinstance(data, SeatEventBody):
        return SeatEventsAnswer(results=await _recorded(desk, [_Asked(event) for event in data]))
    asked = _Asked(data, idempotency_key)
    (result,) = await _recorded(desk, [asked])
    if asked.refused is not None:
        raise Refused(asked.refused)
    return SeatEventsAnswer(results=[result])


@dataclass(slots=True)
class _Asked:
    """An event as it was sent, its key in the header if it came alone, and why it was refused, if it was."""

    body: SeatEventBody
    header: str | None = None
    refused: Refusal | None = None

    @property
    def key(self) -> str | None:
        return self.body.idempotency_key or self.header

    def item(self) -> SeatItem | InvalidInput:
        """The event as the service takes it, or what is wrong with it."""
        body, key = self.body, self.key
        if key is None or KEY.fullmatch(key) is None:
            return _invalid("idempotencyKey", "Give a key of 1 to 255 printable ASCII characters.")
        if body.corrects is not None:
            id = decode_as(Kind.SEAT_EVENT, body.corrects) or NOBODY
            if body.set is not None or (body.add is None and body.remove is None):
                return _invalid("add", "Say by add and remove what the event should have said.")
            return SeatItem(key, SeatCorrection(id, body.add or 0, body.remove or 0, body.note))
        if body.metric is None:
            return _invalid("metric", "Say which seats it is about.")
        if body.balance is BalanceKind.COMMITTED:
            if body.holder is not None:
                return _invalid("holder", "Nobody sits in committed seats. Leave the holder out.")
            told = (body.add, body.remove, body.set, body.effective_at, body.note)
            return SeatItem(key, CommittedReport(body.metric, *told))
        person = body.holder
        holder = Holder(person.reference, person.name, person.email) if person else None
        report = SeatReport(
            body.metric, body.add, body.remove, body.set, holder, body.effective_at, body.note
        )
        return SeatItem(key, report)

    def result(self, done: ItemResult | None) -> SeatEventResult:
        """What is told of it."""
        recorded, outcome = None, Outcome.REFUSED
        if isinstance(done, ItemRecorded):
            recorded, outcome = done, Outcome.REPLAYED if done.replayed else Outcome.RECORDED
        elif done is not None:
            self.refused = done.refusal
        return SeatEventResult(
            customer=self.body.customer,
            idempotency_key=self.key,
            outcome=outcome,
            events=[encode(Kind.SEAT_EVENT, id) for id in recorded.events] if recorded else [],
            committed=recorded.committed if recorded else None,
            problem=problem_of(self.refused) if self.refused else None,
        )


async def _recorded(desk: Desk, asked: Sequence[_Asked]) -> list[SeatEventResult]:
    """Record all, those of a customer together; a result for each, in the order in which they were sent."""
    by_customer: dict[str, list[_Asked]] = {}
    for each in asked:
        by_customer.setdefault(each.body.customer, []).append(each)
    results: dict[int, SeatEventResult] = {}
    for reference, together in by_customer.items():
        done = await _of_customer(desk, reference, together)
        results |= {id(each): each.result(did) for each, did in zip(together, done, strict=True)}
    return [results[id(each)] for each in asked]


async def _of_customer(desk: Desk, reference: str, asked: list[_Asked]) -> list[ItemResult | None]:
    """What became of each; None if it is refused already."""
    try:
        customer = await desk.customer(reference)
    except Refused as refused:
        for each in asked:
            each.refused = refused.no
        return [None] * len(asked)
    items = [each.item() for each in asked]
    for each, item in zip(asked, items, strict=True):
        each.refused = item if isinstance(item, InvalidInput) else None
    sound = [item for item in items if isinstance(item, SeatItem)]
    done = iter(await desk.write(customer, record_batch, desk.actor, sound) if sound else ())
    return [next(done) if isinstance(item, SeatItem) else None for item in items]


def _invalid(path: str, message: str) -> InvalidInput:
    return InvalidInput((Problem(path, message),))


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (record,)
