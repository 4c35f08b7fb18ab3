"""Identities: UUID version 7 (RFC 9562), so that keys grow with time and need no counter in the database.

Made by the application alone. Inside one process ids of the same millisecond grow too, so the rows of one
transaction keep the order in which they were made.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
RANDOM_BITS: Final = 74
STEP_BITS: Final = 32


class Minter:
    """Makes ids from an instant and random bits; growing as long as the millisecond stays the same."""

    def __init__(self, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._random_bits = random_bits
        self._lock = Lock()
        self._millisecond = -1
        self._tail = 0

    def mint(self, wall: datetime) -> UUID:
        """A new id of the given instant.

        :raises TypeError: if the instant has no offset
        """
        millisecond = (wall - EPOCH) // MILLISECOND
        with self._lock:
            if millisecond == self._millisecond:
                self._tail += 1 + self._random_bits(STEP_BITS)
            else:
                # The top bit starts at 0: the steps of one millisecond never run out of room.
                self._tail = self._random_bits(RANDOM_BITS - 1)
                self._millisecond = millisecond
            tail = self._tail
        assert 0 <= millisecond < 2**48, "an id counts milliseconds from 1970 in 48 bits"
        assert tail < 2**RANDOM_BITS, "2^41 ids in one millisecond"
        high, low = divmod(tail, 2**62)
        return UUID(int=millisecond << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


_minter: Final = Minter()


def new_id(wall: datetime) -> UUID:
    """A new id, growing with the wall clock.

    :param wall: the present instant of the wall clock (never a customer's clock), with an offset
    """
    return _minter.mint(wall)
