"""Connections: cursors come back as the key they hold, nothing else is a cursor, pages are bounded."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.errors import Code, PublicError
from app.api.pages import Cursors, PageInfo, page_info, page_size
from tests.api.tiny import Tiny

EVENTS = Cursors("events", (datetime, UUID))
INVOICES = Cursors("invoices", (date, int, str))
INSTANTS = st.datetimes(
    datetime(1900, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001  Hypothesis adds the zone.
)  # fmt: skip
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
AN_INSTANT = datetime(2026, 4, 16, 9, 30, tzinfo=UTC)


@given(INSTANTS, st.uuids())
def test_a_cursor_gives_back_its_key(at: datetime, id: UUID) -> None:
    """The instant to the microsecond, and the id."""
    assert EVENTS.decode(EVENTS.encode(at, id)) == (at, id)


@given(st.dates(), st.integers(0, 2**31 - 1), NAMES)
def test_a_cursor_holds_days_numbers_and_texts(day: date, number: int, name: str) -> None:
    """Every type a list may be sorted by comes back equal and of the same type."""
    assert INVOICES.decode(INVOICES.encode(day, number, name)) == (day, number, name)


def test_no_cursor_is_the_first_page() -> None:
    """`after: null` means from the start."""
    assert EVENTS.decode(None) is None


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    """Noise is the user's input, never a fault of ours."""
    with pytest.raises(PublicError, match="is no cursor of this list") as raised:
        EVENTS.decode(text)
    assert raised.value.code is Code.BAD_USER_INPUT


def cursor_of(parts: Any, **options: Any) -> str:
    text = json.dumps(parts, **{"separators": (",", ":"), **options})
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


KEY: list[Any] = [int(AN_INSTANT.timestamp()) * 10**6, UUID(int=10).hex]


@pytest.mark.parametrize(
    "forged",
    [
        ["invoices", *KEY],
        ["events", KEY[0]],
        ["events", *KEY, 1],
        ["events", str(KEY[0]), KEY[1]],
        ["events", True, KEY[1]],
        ["events", 1.5e15, KEY[1]],
        ["events", 10**30, KEY[1]],
        ["events", -(10**18), KEY[1]],
        ["events", None, KEY[1]],
        ["events", KEY[0], 7],
        ["events", KEY[0], str(UUID(int=10))],
        ["events", KEY[0], "nonsense"],
        {"events": KEY},
        "events",
        None,
    ],
)
def test_a_cursor_made_up_by_somebody_is_refused(forged: Any) -> None:
    """Other lists' cursors, wrong types and numbers beyond the calendar are refused before any query."""
    assert EVENTS.decode(cursor_of(["events", *KEY])) == (AN_INSTANT, UUID(int=10))

    with pytest.raises(PublicError):
        EVENTS.decode(cursor_of(forged))


@pytest.mark.parametrize("number", [2**31, -(2**31), 1.5, "1"])
def test_a_number_no_database_takes_is_refused(number: Any) -> None:
    """PostgreSQL's integer is the bound, so that both databases answer alike."""
    with pytest.raises(PublicError):
        INVOICES.decode(cursor_of(["invoices", "2026-04-16", number, ""]))


@pytest.mark.parametrize(
    "spelling",
    [
        cursor_of(["events", *KEY]) + "=",
        cursor_of(["events", *KEY]) + "\n",
        cursor_of(["events", *KEY], separators=(", ", ":")),
        cursor_of(["events", KEY[0], UUID(int=10).hex.upper()]),
        "[" * 400,
        "W1tb" * 100_000,
    ],
)
def test_a_cursor_has_one_spelling(spelling: str) -> None:
    """Padding, spaces and capitals make it another text, and so no cursor."""
    with pytest.raises(PublicError):
        EVENTS.decode(spelling)


@pytest.mark.parametrize("first", [1, 20, 100])
def test_pages_of_1_to_100(first: int) -> None:
    """What lies between is taken as it is."""
    assert page_size(first) == first


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_other_sizes_are_the_users_input(tiny: Tiny, first: int) -> None:
    """The error says which sizes there are, with its code, at its path."""
    errors = tiny.errors("query ($first: Int!) { numbers(first: $first) }", {"first": first})

    assert [(error["message"], error["path"], error["extensions"]) for error in errors] == [
        (
            f"`first` is {first}. Ask for 1 to 100 elements; the rest follows with `after`.",
            ["numbers"],
            {"code": "BAD_USER_INPUT"},
        )
    ]


def test_page_info_of_a_page() -> None:
    """The four fields of Relay: the outer cursors, what follows, and whether something came before."""
    assert page_info(["a", "b"], more=True, after="z") == PageInfo(
        has_next_page=True, has_previous_page=True, start_cursor="a", end_cursor="b"
    )
    assert page_info([], more=False, after=None) == PageInfo(
        has_next_page=False, has_previous_page=False, start_cursor=None, end_cursor=None
    )


def test_page_info_through_the_schema(tiny: Tiny) -> None:
    """The names that clients see."""
    query = "{ page(first: 2) { hasNextPage hasPreviousPage startCursor endCursor } }"

    assert tiny.post(query).json()["data"]["page"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": "a",
        "endCursor": "b",
    }


def test_a_naive_instant_in_a_cursor_is_a_bug() -> None:
    """A key of the wrong type never becomes a cursor."""
    with pytest.raises(AssertionError):
        EVENTS.encode(AN_INSTANT + timedelta(), "text")
