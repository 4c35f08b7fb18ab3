"""Seats as a page shows them: balances, days for a chart, and the people who sit in them."""

from datetime import date, datetime
from typing import Annotated, Final

import strawberry

from app.api import loaders
from app.api.arguments import given
from app.api.connections import After, Connection, First, connection
from app.api.context import Info
from app.api.errors import PublicError
from app.api.pages import Cursors, page_size
from app.billing import ledger, plans
from app.billing.ledger import Holder, SeatLevels, balance_of
from app.store.holders import HeldSeat

Day = date
"""For a field that is itself called `date`."""

HISTORY_DAYS_MAX: Final = 400
SEARCH_LENGTH_MAX: Final = 200
HOLDER_CURSORS: Final = Cursors("seatHolders", (datetime, str, str))


@strawberry.type(description="A type of seat, such as editors or viewers.")
class SeatMetric:
    """A type of seat."""

    code: str = strawberry.field(description="What inputs call it: `editor`. Never changes.")
    label: str = strawberry.field(description="What people call it: `Editor`.")
    unit: str = strawberry.field(description="The word for one of them, in the seller's language: `seat`.")

    @classmethod
    def of(cls, metric: plans.SeatMetric) -> "SeatMetric":
        return cls(code=metric.code, label=metric.label, unit=metric.unit)


@strawberry.type(
    description="How many seats of one metric there are at an instant. `limit` is the larger of `committed` "
    "and `included`, plus `granted`."
)
class SeatBalance:
    """How many seats of one metric there are."""

    metric: SeatMetric = strawberry.field(description="Which seats are counted.")
    committed: int = strawberry.field(
        description="The total that the customer asked for, included seats counted and granted ones not."
    )
    included: int = strawberry.field(description="How many the base fee of the present price covers.")
    purchased: int = strawberry.field(
        description="How many are paid on top: what is committed, or the plan's minimum if that is more, "
        "less what is included."
    )
    granted: int = strawberry.field(description="Seats that the seller gave on top; they never move money.")
    limit: int | None = strawberry.field(description="How many may be in use; null when there is no limit.")
    in_use: int = strawberry.field(description="How many people sit in, as the product reported.")
    available: int | None = strawberry.field(
        description="How many more may be taken, never negative; null when there is no limit."
    )
    overage: int = strawberry.field(description="How many are in use above the limit; 0 while there is room.")
    as_of: datetime = strawberry.field(description="The instant that the balance is of.")

    @classmethod
    def of(cls, metric: plans.SeatMetric, found: loaders.Balances) -> "SeatBalance":
        price = found.price.seat(metric.code) if found.price else None
        balance = balance_of(metric.code, found.levels.get(metric.code, SeatLevels()), price)
        return cls(
            metric=SeatMetric.of(metric),
            committed=balance.committed,
            included=balance.included,
            purchased=balance.purchased,
            granted=balance.granted,
            limit=balance.limit,
            in_use=balance.in_use,
            available=balance.available,
            overage=balance.overage,
            as_of=found.at,
        )


@strawberry.type(description="The seats of one metric on one day in the customer's time zone.")
class SeatDay:
    """The seats of one metric on one day."""

    date: Day = strawberry.field(description="The local day; today counts as far as it has come.")
    committed: int = strawberry.field(description="The committed seats at the end of the day.")
    in_use: int = strawberry.field(description="The seats in use at the end of the day.")
    peak: int = strawberry.field(description="The most seats that were in use at any instant of the day.")

    @classmethod
    def of(cls, level: ledger.DayLevel) -> "SeatDay":
        return cls(date=level.day, committed=level.committed, in_use=level.in_use, peak=level.peak)


async def _held_since(root: "SeatHolder", info: Info) -> datetime | None:
    return await info.context.reading.each(loaders.held_since, (root.metric.code, root.reference))


@strawberry.type(description="A person in a seat, as the product that sells the seats knows them.")
class SeatHolder:
    """A person in a seat."""

    metric: SeatMetric = strawberry.field(
        description="Which seat it is about; a person may sit in one of each kind."
    )
    reference: str = strawberry.field(description="The product's own id of the person; opaque.")
    name: str | None = strawberry.field(
        description="What to call the person; null when the product did not say."
    )
    email: str | None = strawberry.field(
        description="How to reach the person; null when the product did not say."
    )
    held_since: datetime | None = strawberry.field(
        resolver=_held_since,
        description="Since when they sit there without a break; null when they no longer do.",
    )

    @classmethod
    def of(cls, metric: plans.SeatMetric, holder: Holder) -> "SeatHolder":
        return cls(
            metric=SeatMetric.of(metric), reference=holder.reference, name=holder.name, email=holder.email
        )


Metric = Annotated[
    str | None,
    strawberry.argument(description="The code of a seat metric; left out, the seats of all of them."),
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Part of a reference, name or e-mail address, in small or capital letters; at most 200 "
        "characters."
    ),
]


async def seat_balances(
    info: Info,
    as_of: Annotated[
        datetime | None,
        strawberry.argument(
            description="Events that took effect until this instant count; left out, until now. A later "
            "instant than now gives today's balances: what is scheduled has not happened."
        ),
    ] = strawberry.UNSET,
    known_at: Annotated[
        datetime | None,
        strawberry.argument(
            description="Only events that were recorded until this instant count, so that corrections made "
            "later are left out; left out, all do."
        ),
    ] = strawberry.UNSET,
) -> list[SeatBalance]:
    """Balances by the price version of today."""
    found = await info.context.reading.read(loaders.balances, given(as_of), given(known_at))
    return [SeatBalance.of(metric, found) for metric in found.metrics]


async def seat_history(
    info: Info,
    metric: Annotated[str, strawberry.argument(description="The code of a seat metric.")],
    from_: Annotated[date, strawberry.argument(name="from", description="The first day.")],
    until: Annotated[
        date,
        strawberry.argument(description="The day after the last one; at most 400 days after `from`."),
    ],
) -> list[SeatDay]:
    """The days of a chart; days that have not begun are left out."""
    length = (until - from_).days
    if not 0 <= length <= HISTORY_DAYS_MAX:
        why = "lies before" if length < 0 else f"is {length} days after"
        raise PublicError(
            f"`until` {why} `from`. Ask for 0 to {HISTORY_DAYS_MAX} days; `until` is the day after the last."
        )
    await known(info, metric)
    found = await info.context.reading.read(loaders.history, metric, from_, until)
    return [SeatDay.of(level) for level in found]


async def seat_holders(
    info: Info,
    metric: Metric = strawberry.UNSET,
    search: Search = strawberry.UNSET,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[SeatHolder]:
    """People in seats, those who came first first."""
    limit = page_size(first) + 1
    key = HOLDER_CURSORS.decode(given(after))
    code = given(metric)
    if code is not None:
        await known(info, code)
    found = await info.context.reading.read(
        loaders.holders_page,
        code,
        searched(search),
        limit,
        key,
    )
    return connection(
        found,
        first=first,
        after=given(after),
        node=lambda held: SeatHolder.of(held[1], held[0].holder),
        cursor=lambda held: _holder_cursor(held[0]),
    )


async def known(info: Info, metric: str) -> None:
    """Raise `PublicError` for a metric that neither is on offer nor ever was the customer's."""
    codes = await info.context.reading.read(loaders.known_metrics)
    if metric not in codes:
        raise PublicError(f"There are no seats called {metric[:40]!r}. There are: {', '.join(codes)}.")


def searched(text: str | None) -> str | None:
    """What to search for, None for nothing; `PublicError` if it is too long."""
    if text and len(text) > SEARCH_LENGTH_MAX:
        raise PublicError(f"`search` has {len(text)} characters. Give at most {SEARCH_LENGTH_MAX}.")
    return text or None


def _holder_cursor(held: HeldSeat) -> str:
    return HOLDER_CURSORS.encode(held.held_since, held.metric, held.holder.reference)
