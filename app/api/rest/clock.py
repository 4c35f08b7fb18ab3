"""The time of demo and test customers, which can be moved forward to see what comes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.api.rest.bodies import Answer, Body
from app.api.rest.describing import described
from app.api.rest.desk import REPLAYED, REPLAYED_HEADER, AtDesk, IdempotencyKey, Refused
from app.api.rest.invoices import DocumentAnswer
from app.api.rest.problems import Refusal
from app.billing.refusals import BillingDetailsMissing, InvalidInput, Problem
from app.services.api_keys import Scope
from app.services.bring_up import instant, load_current
from app.services.durations import YEARS_MAX, parse_duration
from app.services.pass_time import TimePassed, pass_time
from app.store import documents, subscriptions
from app.store.transaction import Tx

TAG: Final = ("clock", "The time of demo and test customers.")


class ClockBody(Body):
    """How much time goes by."""

    advance: Annotated[str, Meta(max_length=50, description="ISO 8601.", examples=["P1M", "P10D", "PT36H"])]


class Passed(Answer):
    """From which instant to which."""

    left: datetime
    now: datetime


class ClockAnswer(Answer):
    """The customer's new present, and what was billed on the way."""

    now: datetime
    documents: list[DocumentAnswer]
    stopped: Annotated[str, Meta(description="Why not all could be billed; null if all was.")] | None


@post(
    "/customers/{reference:str}/clock",
    **described(Scope.CLOCK_WRITE, 400, 404, 409, 415, 422),
    response_headers=[REPLAYED_HEADER],
    status_code=200,
    tags=[TAG[0]],
    summary="Let time go by",
)
async def move_clock(
    desk: AtDesk,
    reference: FromPath[str],
    data: JSONBody[ClockBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[ClockAnswer]:
    """Move a demo or test customer's time forward, by its own calendar, and bill what falls due. Needs
    `clock:write`.
    """
    by = parse_duration(data.advance)
    if by is None:
        told = f"This is no ISO 8601 duration of at most {YEARS_MAX} years. Give one such as P1M or PT36H."
        raise Refused(InvalidInput((Problem("advance", told),)))

    def deed(tx: Tx) -> Passed | Refusal:
        done = pass_time(tx, desk.actor, by)
        return Passed(left=done.left, now=done.now) if isinstance(done, TimePassed) else done

    customer = await desk.customer(reference)
    once = await desk.once(customer, deed, kind=Passed, operation="moveClock", key=idempotency_key, sent=data)
    stopped = await desk.write(customer, _billed)
    made = await desk.read(customer, _made_since, once.answer.left)
    answer = ClockAnswer(now=once.answer.now, documents=made, stopped=stopped)
    return Response(answer, headers={REPLAYED: "true"} if once.replayed else None)


def _billed(tx: Tx) -> str | None:
    """Bill what is due now; why that was not possible."""
    live = subscriptions.live(tx)
    loaded = load_current(tx, live.id, instant(tx)) if live else None
    return loaded.message if isinstance(loaded, BillingDetailsMissing) else None


def _made_since(tx: Tx, left: datetime) -> list[DocumentAnswer]:
    return [DocumentAnswer.of(document) for document in documents.recorded_since(tx, left)]


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (move_clock,)
