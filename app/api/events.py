"""The list of seat events."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from app.api import loaders
from app.api.arguments import given
from app.api.connections import After, Connection, First
from app.api.context import Info
from app.api.ledger import EVENT_CURSORS, SeatEvent, event_page
from app.api.pages import page_size
from app.api.seats import Metric, known
from app.store.seats import EventFilter


async def seat_events(
    info: Info,
    first: First = 20,
    after: After = strawberry.UNSET,
    metric: Metric = strawberry.UNSET,
    from_: Annotated[
        datetime | None,
        strawberry.argument(
            name="from", description="Only events that took effect at this instant or later."
        ),
    ] = strawberry.UNSET,
    until: Annotated[
        datetime | None, strawberry.argument(description="Only events that took effect before this instant.")
    ] = strawberry.UNSET,
) -> Connection[SeatEvent]:
    """Seat events, newest first by the instant they took effect."""
    limit, before = page_size(first) + 1, EVENT_CURSORS.decode(given(after))
    code = given(metric)
    if code is not None:
        await known(info, code)
    narrow = EventFilter(code, given(from_), given(until))
    found = await info.context.reading.read(loaders.events_page, narrow, limit, before)
    return event_page(found, cursors=EVENT_CURSORS, first=first, after=given(after))


async def event_by_id(info: Info, id: UUID) -> SeatEvent | None:
    """A seat event of the customer."""
    found = await info.context.reading.each(loaders.events_by_id, id)
    return SeatEvent.of(found) if found else None
