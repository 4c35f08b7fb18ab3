"""Identities: UUID version 7 (RFC 9562), so that keys grow with time and need no counter in the database.

Made by the application alone. Inside one process ids of the same millisecond grow too, so the rows of one
transaction keep the order in which they were made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID, SafeUUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
RANDOM_BITS: Final = 74
STEP_BITS: Final = 32
DRAWN: Final = 64
LOW_BITS: Final = 62
LOW: Final = (1 << LOW_BITS) - 1


def id_of(value: int) -> UUID:
    """The id of a number below 2^128: `UUID(int=…)`, which looks through all the other forms first and so
    takes three times as long.
    """
    made = object.__new__(UUID)
    object.__setattr__(made, "int", value)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


class Minter:
    """Makes ids from an instant and random bits; growing as long as the millisecond stays the same."""

    def __init__(self, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._random_bits = random_bits
        self._lock = Lock()
        self._millisecond = -1
        self._tail = 0
        self._drawn: list[int] = []

    def mint(self, wall: datetime) -> UUID:
        """A new id of the given instant.

        :raises TypeError: if the instant has no offset
        """
        return self.mint_many(wall, 1)[0]

    def mint_many(self, wall: datetime, count: int) -> list[UUID]:
        """New ids of the given instant, growing.

        :raises TypeError: if the instant has no offset
        """
        millisecond = (wall - EPOCH) // MILLISECOND
        assert 0 <= millisecond < 2**48, "an id counts milliseconds from 1970 in 48 bits"
        tails = []
        with self._lock:
            for step in self._steps(count):
                if millisecond == self._millisecond:
                    self._tail += 1 + step
                else:
                    # The top bit starts at 0: the steps of one millisecond never run out of room.
                    self._tail = self._random_bits(RANDOM_BITS - 1)
                    self._millisecond = millisecond
                tails.append(self._tail)
        assert self._tail < 2**RANDOM_BITS, "2^41 ids in one millisecond"
        fixed = millisecond << 80 | 0x7 << 76 | 0b10 << LOW_BITS
        return [id_of(fixed | tail >> LOW_BITS << 64 | tail & LOW) for tail in tails]

    def _steps(self, count: int) -> list[int]:
        """Random numbers of 32 bits. They are drawn many at a time, which costs as much as to draw one."""
        if len(self._drawn) < count:
            more = max(count, DRAWN)
            bits = self._random_bits(STEP_BITS * more)
            self._drawn += memoryview(bits.to_bytes(STEP_BITS // 8 * more, "little")).cast("I")
        taken, self._drawn = self._drawn[-count:], self._drawn[:-count]
        return taken


_minter: Final = Minter()


def new_id(wall: datetime) -> UUID:
    """A new id, growing with the wall clock.

    :param wall: the present instant of the wall clock (never a customer's clock), with an offset
    """
    return _minter.mint(wall)


def new_ids(wall: datetime, count: int) -> list[UUID]:
    """As many new ids, growing with the wall clock and from each to the next."""
    return _minter.mint_many(wall, count)
