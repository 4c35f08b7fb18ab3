"""The mutations of who sits where: give somebody a seat, and take it back."""

from typing import Annotated, cast

import strawberry

from app.api import loaders
from app.api.arguments import given
from app.api.context import Info
from app.api.events import event_by_id
from app.api.inputs import key_problem
from app.api.ledger import SeatEvent
from app.api.outcomes import once, refused
from app.api.refusals import (
    Busy,
    IdempotencyKeyReused,
    InvalidInput,
    NoSeatAvailable,
    NotFound,
    NothingToChange,
    NotPermitted,
    SubscriptionNotActive,
)
from app.api.seats import SeatBalance, SeatHolder
from app.api.summaries import released
from app.billing.ledger import Holder
from app.services import assign_seat as assigning
from app.services import release_seat as releasing


@strawberry.input(description="A person, as the product that sells the seats knows them.")
class SeatHolderInput:
    """A person."""

    reference: str = strawberry.field(
        description="The product's own id of the person, 1 to 500 characters; opaque."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to call the person; left out, what was said before."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="How to reach the person; left out, what was said before."
    )


@strawberry.input(description="Who gets a seat, and of which kind.")
class AssignSeatInput:
    """Who gets a seat."""

    metric: str = strawberry.field(description="The code of a seat metric of the plan, such as `editor`.")
    holder: SeatHolderInput = strawberry.field(
        description="The person who is to have it, by the product's own id."
    )
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request."
    )


@strawberry.input(description="Whose seat becomes free.")
class ReleaseSeatInput:
    """Whose seat becomes free."""

    metric: str = strawberry.field(description="The code of a seat metric, such as `editor`.")
    reference: str = strawberry.field(
        description="The product's own id of the person, as `SeatHolder.reference` tells it."
    )
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable ASCII characters, new for each press of the button and the same for "
        "each repetition of a request."
    )


async def _event(root: "SeatAssigned | SeatReleased", info: Info) -> SeatEvent:
    found = await event_by_id(info, root.fact.event)
    assert found is not None, "what was recorded is there"
    return found


async def _holder(root: "SeatAssigned | SeatReleased", info: Info) -> SeatHolder:
    holder = (await _event(root, info)).holder
    assert holder is not None, "the event is somebody's"
    return holder


async def _balance(root: "SeatAssigned | SeatReleased", info: Info) -> SeatBalance:
    found = await info.context.reading.read(loaders.balances, None, None)
    metric = next(metric for metric in found.metrics if metric.code == root.fact.metric)
    return SeatBalance.of(metric, found)


async def _summary(root: "SeatReleased", info: Info) -> str:
    found = await info.context.reading.read(loaders.metric, root.fact.metric)
    return released(found, root.fact.basis, root.fact.committed)


@strawberry.type(description="The person holds a seat, by this request or an earlier one with the same key.")
class SeatAssigned:
    """The person holds a seat."""

    fact: strawberry.Private[assigning.SeatAssigned]
    holder: SeatHolder = strawberry.field(resolver=_holder, description="The person who got the seat.")
    event: SeatEvent = strawberry.field(resolver=_event, description="The row of the ledger that says so.")
    balance: SeatBalance = strawberry.field(
        resolver=_balance, description="The seats of this kind as they are now."
    )
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


@strawberry.type(
    description="The seat is free, by this request or an earlier one with the same key. Where committed "
    "seats are paid in advance the bill stays as it is; `summary` says so."
)
class SeatReleased:
    """The seat is free."""

    fact: strawberry.Private[releasing.SeatReleased]
    holder: SeatHolder = strawberry.field(resolver=_holder, description="The person who had the seat.")
    event: SeatEvent = strawberry.field(resolver=_event, description="The row of the ledger that says so.")
    balance: SeatBalance = strawberry.field(
        resolver=_balance, description="The seats of this kind as they are now."
    )
    committed: int | None = strawberry.field(
        description="How many seats of this kind stayed committed, and paid; null where the plan bills none "
        "in advance."
    )
    summary: str = strawberry.field(
        resolver=_summary, description="What this means for the bill, in English, to be shown with it."
    )
    replayed: bool = strawberry.field(
        description="True when the key was known: nothing was done now, and this is what was done then."
    )


AssignSeatResult = Annotated[
    SeatAssigned
    | NotFound
    | NotPermitted
    | InvalidInput
    | NoSeatAvailable
    | SubscriptionNotActive
    | NothingToChange
    | IdempotencyKeyReused
    | Busy,
    strawberry.union("AssignSeatResult", description="Who got a seat, or why nobody did."),
]
ReleaseSeatResult = Annotated[
    SeatReleased | NotPermitted | InvalidInput | NothingToChange | IdempotencyKeyReused | Busy,
    strawberry.union("ReleaseSeatResult", description="Whose seat is free, or why none is."),
]


async def assign_seat(
    info: Info,
    input: Annotated[AssignSeatInput, strawberry.argument(description="Who gets a seat of which kind.")],
) -> AssignSeatResult:
    """Give somebody a seat."""
    problem = key_problem(input.idempotency_key)
    if problem is not None:
        return cast("AssignSeatResult", await refused(info, problem))
    holder = Holder(input.holder.reference, given(input.holder.name), given(input.holder.email))
    context, request = info.context, assigning.AssignSeat(input.metric, holder, input.idempotency_key)
    answer = await once(
        lambda: context.ask(assigning.replayed, context.actor, request),
        lambda: context.write(assigning.assign_seat, context.actor, request),
    )
    if isinstance(answer, assigning.SeatAssigned):
        return SeatAssigned(fact=answer, replayed=answer.replayed)
    return cast("AssignSeatResult", await refused(info, answer))


async def release_seat(
    info: Info,
    input: Annotated[ReleaseSeatInput, strawberry.argument(description="Whose seat of which kind.")],
) -> ReleaseSeatResult:
    """Take somebody's seat back."""
    problem = key_problem(input.idempotency_key)
    if problem is not None:
        return cast("ReleaseSeatResult", await refused(info, problem))
    context = info.context
    request = releasing.ReleaseSeat(input.metric, input.reference, input.idempotency_key)
    answer = await once(
        lambda: context.ask(releasing.replayed, context.actor, request),
        lambda: context.write(releasing.release_seat, context.actor, request),
    )
    if isinstance(answer, releasing.SeatReleased):
        paid = answer.committed if answer.basis and answer.basis.in_advance else None
        return SeatReleased(fact=answer, committed=paid, replayed=answer.replayed)
    return cast("ReleaseSeatResult", await refused(info, answer))
