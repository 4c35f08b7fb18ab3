"""Ids: UUIDv7 that grow with the wall clock and, inside one process, within a millisecond too."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122

import pytest

from app.store.ids import Minter, new_id

NOON = datetime(2026, 4, 16, 12, 0, 0, 123_900, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_seven() -> None:
    """Version and variant are those of RFC 9562, and the first 48 bits are the milliseconds since 1970."""
    made = new_id(NOON)

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == 1_776_340_800_123


def test_ids_of_one_millisecond_grow() -> None:
    """10,000 ids of one instant are different, and each is greater than the one before."""
    made = [new_id(NOON) for _ in range(10_000)]

    assert made == sorted(set(made))


def test_a_later_millisecond_is_greater() -> None:
    """Ids of growing instants grow, however small the step and whatever random bits they got."""
    made = [new_id(NOON + timedelta(milliseconds=step)) for step in range(1_000)]

    assert made == sorted(made)


def test_a_clock_put_back_makes_ids_of_its_time() -> None:
    """A demo lived in the past gets ids of the past, also after an id of the present was made."""
    present = new_id(NOON)
    past = new_id(NOON - timedelta(days=365))

    assert past < present


def test_two_processes_do_not_make_the_same_ids() -> None:
    """Two minters that start at the same millisecond share no id among 20,000."""
    first, second = Minter(), Minter()

    made = {minter.mint(NOON) for minter in (first, second) for _ in range(10_000)}

    assert len(made) == 20_000


def test_the_random_bits_fill_their_place_alone() -> None:
    """All random bits set: still version 7 and the right variant, and the next id is greater."""
    minter = Minter(lambda bits: 2**bits - 1)

    first, second = minter.mint(NOON), minter.mint(NOON)

    assert str(first) == "019d9629-927b-77ff-bfff-ffffffffffff"
    assert first < second
    assert (second.version, second.variant) == (7, RFC_4122)


def test_the_offset_does_not_matter_but_must_be_there() -> None:
    """The same instant with another offset has the same milliseconds; without an offset it is refused."""
    abroad = NOON.astimezone(timezone(timedelta(hours=9)))

    assert new_id(abroad).int >> 80 == new_id(NOON).int >> 80
    with pytest.raises(TypeError):
        new_id(datetime(2026, 4, 16, 12))  # noqa: DTZ001
