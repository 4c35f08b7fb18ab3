"""Durations as ISO 8601 writes them: `P1M`, `P2W`, `P1DT12H`. Months and days follow the calendar of a zone:
a day later is the same time of the next day, also when clocks change in between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.billing.periods import Grid, Step

YEARS_MAX: Final = 10
LONGEST: Final = timedelta(days=366 * YEARS_MAX)

_N: Final = "([0-9]{1,9})"
_FORM: Final = re.compile(
    rf"P(?=.)(?:{_N}Y)?(?:{_N}M)?(?:{_N}W)?(?:{_N}D)?(?:T(?=.)(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """So many months, then so many days, then so much time."""

    months: int = 0
    days: int = 0
    time: timedelta = timedelta(0)

    def after(self, at: datetime, zone: str) -> datetime:
        """The instant that is so much later than another, by the calendar of a zone."""
        local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if not self.months and not self.days:
            return at + self.time
        return Grid(local, Step(self.months, self.days), zone).boundary(1) + self.time


def parse_duration(text: str) -> Duration | None:
    """The duration, None if the text is none of whole numbers, or is longer than ten years."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    months, days = years * 12 + months, weeks * 7 + days
    time = timedelta(seconds=hours * 3600 + minutes * 60 + seconds)
    if months > YEARS_MAX * 12 or days > LONGEST.days or time > LONGEST:
        return None
    return Duration(months, days, time)
