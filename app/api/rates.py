"""How fast one member may spend: a bucket of points that fills up again within a minute.

Buckets are kept in this process, for those who asked lately; a member of four processes has four of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

MINUTE: Final = timedelta(minutes=1)
BUCKETS_MAX: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    """What a member had left at an instant."""

    points: float
    at: datetime


class Rates:
    """The buckets of all members, on the wall clock."""

    def __init__(self, points_a_minute: int, clock: Callable[[], datetime]) -> None:
        self._most = points_a_minute
        self._clock = clock
        self._buckets: dict[UUID, _Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def spend(self, member: UUID | None, points: int, *, or_all: bool = False) -> int:
        """Take points from a member's bucket. Gives 0, or, where it holds too few, takes nothing and gives
        the whole seconds after which it will hold enough.

        :param member: None for somebody who is no member, whom no bucket limits
        :param or_all: take what there is where it holds too few
        """
        if not self._most or member is None:
            return 0
        bucket = self._filled(member)
        if bucket.points < points and not or_all:
            missing = min(points, self._most) - bucket.points
            return max(1, math.ceil(missing / self._most * MINUTE.total_seconds()))
        bucket.points = max(0.0, bucket.points - points)
        return 0

    def _filled(self, member: UUID) -> _Bucket:
        """The bucket as it is now."""
        now = self._clock()
        bucket = self._buckets.get(member)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._forget_full(now)
            bucket = self._buckets[member] = _Bucket(self._most, now)
        # A clock that was set back fills nothing, and takes nothing away.
        filled = self._most * max(timedelta(0), now - bucket.at) / MINUTE
        bucket.points, bucket.at = min(float(self._most), bucket.points + filled), now
        return bucket

    def _forget_full(self, now: datetime) -> None:
        """Drop the buckets that are full again by now; if none is, those that were used the longest ago."""
        stay = {member: bucket for member, bucket in self._buckets.items() if now - bucket.at < MINUTE}
        lately = sorted(stay.items(), key=lambda item: item[1].at)[-BUCKETS_MAX // 2 :]
        self._buckets = dict(lately)
