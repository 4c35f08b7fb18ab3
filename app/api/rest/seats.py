"""Seats as the vendor's product asks for them: balances at any instant, and whether one more may be used."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from app.api import loaders
from app.api.reading import Scene
from app.api.rest.bodies import Answer, instant_of
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, accepted
from app.billing.ledger import SeatBalance, SeatLevels, balance_of
from app.billing.plans import SeatMetric
from app.services.api_keys import Scope
from app.services.entitlement import Entitlement, Why, entitlement
from app.store.transaction import Tx

TAG: Final = ("seats", "What is committed, granted and in use; and whether one more seat may be used.")
MORE_MAX: Final = 100_000


class SeatBalanceAnswer(Answer):
    """How many seats of one metric there are. `limit` is max(committed, included) plus granted."""

    metric: str
    committed: Annotated[int, Meta(description="What the customer asked for, included ones counted.")]
    included: Annotated[int, Meta(description="What the base fee covers.")]
    purchased: Annotated[int, Meta(description="What is paid on top.")]
    granted: Annotated[int, Meta(description="What the seller gave on top.")]
    limit: Annotated[int, Meta(description="How many may be in use; null for any number.")] | None
    in_use: int
    available: Annotated[int, Meta(description="How many more may be; null for any number.")] | None
    overage: Annotated[int, Meta(description="How many are in use above the limit.")]

    @classmethod
    def of(cls, metric: str, balance: SeatBalance) -> SeatBalanceAnswer:
        """What is told of a balance."""
        return cls(
            metric=metric,
            committed=balance.committed,
            included=balance.included,
            purchased=balance.purchased,
            granted=balance.granted,
            limit=balance.limit,
            in_use=balance.in_use,
            available=balance.available,
            overage=balance.overage,
        )


class SeatBalancesAnswer(Answer):
    """The seats of every metric as of an instant."""

    as_of: datetime
    balances: list[SeatBalanceAnswer]


class EntitlementAnswer(Answer):
    """Whether so many more seats may be used now. Nothing is held for whoever asks."""

    allowed: bool
    reason: Annotated[
        Why,
        Meta(
            description="ROOM: seats are left. BILLED_BY_USE: there is no limit. OVERAGE: above the limit, "
            "at its own price. LIMIT_REACHED, NOT_IN_PLAN, PAUSED, NO_SUBSCRIPTION: it may not."
        ),
    ]
    balance: SeatBalanceAnswer


@get(
    "/customers/{reference:str}/seat-balances",
    **described(Scope.SEATS_READ, 400, 404),
    tags=[TAG[0]],
    summary="Look at seat balances",
)
async def get_seat_balances(
    desk: AtDesk,
    reference: FromPath[str],
    as_of: Annotated[
        str | None,
        QueryParameter(
            name="asOf",
            description="Which instant's; now if left out.",
            schema_extra={"format": "date-time"},
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        QueryParameter(
            name="knownAt",
            description="Leave out what was told later than this.",
            schema_extra={"format": "date-time"},
        ),
    ] = None,
) -> SeatBalancesAnswer:
    """The seats of every metric, now or as of an instant, as known now or then. Needs `seats:read`."""
    at, known = instant_of("asOf", as_of), instant_of("knownAt", known_at)
    return await desk.read(await desk.customer(reference), _balances, at, known)


@get(
    "/customers/{reference:str}/entitlements/{metric:str}",
    **described(Scope.SEATS_READ, 400, 404),
    tags=[TAG[0]],
    summary="May one more seat be used?",
)
async def get_entitlement(
    desk: AtDesk,
    reference: FromPath[str],
    metric: FromPath[str],
    more: Annotated[
        int, QueryParameter(name="more", ge=1, le=MORE_MAX, description="How many more; one if left out.")
    ] = 1,
) -> EntitlementAnswer:
    """Whether one more seat may be used; ask before somebody is invited. Needs `seats:read`."""
    answer = await desk.read(await desk.customer(reference), entitlement, metric, more=more)
    found = accepted(answer, Entitlement)
    balance = SeatBalanceAnswer.of(metric, found.balance)
    return EntitlementAnswer(allowed=found.why.allows, reason=found.why, balance=balance)


def _balances(tx: Tx, as_of: datetime | None, known_at: datetime | None) -> SeatBalancesAnswer:
    found = loaders.balances(Scene(tx), as_of, known_at)

    def balance(metric: SeatMetric) -> SeatBalanceAnswer:
        price = found.price.seat(metric.code) if found.price else None
        levels = found.levels.get(metric.code, SeatLevels())
        return SeatBalanceAnswer.of(metric.code, balance_of(metric.code, levels, price))

    return SeatBalancesAnswer(as_of=found.at, balances=[balance(metric) for metric in found.metrics])


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (get_seat_balances, get_entitlement)
