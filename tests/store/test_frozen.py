"""Frozen values in JSON columns: the text that is written is the one that `canonical` would write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.columns import canonical
from app.store.frozen import from_json, to_json

ONE = UUID(int=1)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    """A value with fields that are not in the order of their names."""

    words: tuple[str, ...]
    count: int | None
    by_name: dict[str, int]
    amount: Decimal = Decimal("1.50")
    id: UUID = ONE
    colour: Colour = Colour.RED


storable = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
things = st.builds(
    Thing,
    words=st.lists(storable).map(tuple),
    count=st.none() | st.integers(-(2**63), 2**63 - 1),
    by_name=st.dictionaries(storable, st.integers(0, 9)),
)


@given(things)
def test_the_text_is_canonical_and_reads_back(thing: Thing) -> None:
    """Keys are sorted and nothing is escaped that need not be; the same value comes back."""
    text = to_json(thing)

    assert text == canonical(json.loads(text))
    assert from_json(json.loads(text), Thing) == thing


def test_what_only_looks_like_a_nul_character_is_text() -> None:
    """A backslash, a u and four zeros are six characters that can be stored; the character itself is not."""
    assert json.loads(to_json(("\\u0000",))) == ["\\u0000"]
    for word in ("nul \x00", "half of a pair \ud800"):
        with pytest.raises(ValueError, match=r"NUL|surrogate"):
            to_json((word,))
