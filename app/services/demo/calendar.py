"""The days of a customer of the demo, counted back from today, so that today is in the midst of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.billing.periods import Grid, Step, first_instant, local_day
from app.billing.subscriptions import midnight_of

MONTHLY = Step(months=1)


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a customer from its first day on: month 0 is the first, `back` that of today."""

    grid: Grid
    back: int

    @classmethod
    def until(cls, now: datetime, zone: str, *, back: int, days_in: int) -> Months:
        """So many months back, so that today is about that many days into the last: more where a month is
        too short for the day of the first.
        """
        last = Grid(midnight_of(now - timedelta(days=days_in), zone), MONTHLY, zone)
        return cls(Grid(midnight_of(last.boundary(-back), zone), MONTHLY, zone), back)

    def on(self, month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
        """An instant of the customer's local time; day 0 is the first of a month."""
        first = local_day(self.grid.boundary(month), self.grid.zone)
        return first_instant(first + timedelta(days=day), self.grid.zone, time(hour, minute))
