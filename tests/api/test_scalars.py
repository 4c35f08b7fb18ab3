"""The schema's own scalars: what goes in, what comes out, and the sentence for what does not go in."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import scalars
from tests.api.tiny import Tiny

FIELDS = {
    "DateTime": "echoInstant",
    "Date": "echoDay",
    "Decimal": "echoDecimal",
    "CurrencyCode": "echoCurrency",
    "URL": "echoUrl",
}


def query_of(scalar: str) -> str:
    return f"query ($value: {scalar}!) {{ {FIELDS[scalar]}(value: $value) }}"


@pytest.mark.parametrize(
    ("scalar", "sent", "given_back"),
    [
        ("DateTime", "2026-04-16T09:30:00Z", "2026-04-16T09:30:00Z"),
        ("DateTime", "2026-04-16T11:30:00+02:00", "2026-04-16T09:30:00Z"),
        ("DateTime", "2026-04-16T04:00:00.5-05:30", "2026-04-16T09:30:00.500000Z"),
        ("DateTime", "2026-04-16t09:30:00.123456z", "2026-04-16T09:30:00.123456Z"),
        ("DateTime", "2026-04-15T23:59:59-00:00", "2026-04-15T23:59:59Z"),
        ("Date", "2028-02-29", "2028-02-29"),
        ("Decimal", "12.50", "12.50"),
        ("Decimal", "-0.00", "0.00"),
        ("Decimal", "0.000000000001", "0.000000000001"),
        ("Decimal", "999999999999999999", "999999999999999999"),
        ("Decimal", "007", "7"),
        ("CurrencyCode", "JPY", "JPY"),
        ("URL", "https://example.com:8000/a.pdf?b=c#d", "https://example.com:8000/a.pdf?b=c#d"),
    ],
)
def test_a_value_goes_in_and_comes_back(tiny: Tiny, scalar: str, sent: str, given_back: str) -> None:
    """By variable and written out in the document, in the scalar's one form."""
    literal = f'{{ {FIELDS[scalar]}(value: "{sent}") }}'

    assert tiny.post(query_of(scalar), {"value": sent}).json() == {"data": {FIELDS[scalar]: given_back}}
    assert tiny.post(literal).json() == {"data": {FIELDS[scalar]: given_back}}


@pytest.mark.parametrize(
    ("scalar", "sent", "why"),
    [
        ("DateTime", "2026-04-16T09:30:00", "has no offset. Add Z for UTC, or an offset like +02:00."),
        ("DateTime", "2026-04-16", "is not an instant. Write it like 2026-04-16T09:30:00Z."),
        ("DateTime", "2026-04-16 09:30:00Z", "is not an instant."),
        ("DateTime", "2026-04-16T09:30Z", "is not an instant."),
        ("DateTime", "20260416T093000Z", "is not an instant."),
        ("DateTime", "2026-02-30T09:30:00Z", "does not exist in the calendar or on the clock."),
        ("DateTime", "2026-04-16T24:00:01Z", "does not exist in the calendar or on the clock."),
        ("DateTime", "2026-04-16T09:30:60Z", "does not exist in the calendar or on the clock."),
        ("DateTime", "2026-04-16T09:30:00+99:00", "does not exist in the calendar or on the clock."),
        ("DateTime", "2026-04-16T09:30:00.1234567Z", "is finer than a microsecond."),
        ("DateTime", "0001-01-01T00:00:00+14:00", "does not exist in the calendar or on the clock."),
        ("DateTime", "9999-12-31T23:59:59Z", "is not between the years 1900 and 2999."),
        ("DateTime", "\uff12\uff10\uff12\uff16-04-16T09:30:00Z", "is not an instant."),
        ("DateTime", 1776331800, 'is not a text. Write it in quotes, like "2026-04-16T09:30:00Z".'),
        ("Date", "2026-02-29", "does not exist in the calendar."),
        ("Date", "2026-4-16", "is not a day. Write it like 2026-04-16."),
        ("Date", "2026-W16-4", "is not a day."),
        ("Date", "2026-04-16T00:00:00Z", "is not a day."),
        ("Date", "0000-01-01", "does not exist in the calendar."),
        ("Date", "3000-01-01", "is not between the years 1900 and 2999."),
        ("Decimal", 12.5, 'is not a text. Write it in quotes, like "12.50".'),
        ("Decimal", 12, "is not a text."),
        ("Decimal", True, "is not a text."),
        ("Decimal", "1e3", 'is not a plain decimal number. Write it like "12.50".'),
        ("Decimal", "NaN", "is not a plain decimal number."),
        ("Decimal", "-Infinity", "is not a plain decimal number."),
        ("Decimal", "1,50", "is not a plain decimal number."),
        ("Decimal", "+1", "is not a plain decimal number."),
        ("Decimal", " 1", "is not a plain decimal number."),
        ("Decimal", "1.", "is not a plain decimal number."),
        ("Decimal", "1_000", "is not a plain decimal number."),
        ("Decimal", "\u0661", "is not a plain decimal number."),
        ("Decimal", "1" * 19, "is not a plain decimal number."),
        ("CurrencyCode", "EURO", "is not a currency Seatport knows. Write an ISO 4217 code like EUR."),
        ("CurrencyCode", "eur", "is not a currency Seatport knows."),
        ("CurrencyCode", "", "is not a currency Seatport knows."),
        ("URL", "javascript:alert(1)", "is not an address. Write it like https://example.com/invoice.pdf."),
        ("URL", "//example.com", "is not an address."),
        ("URL", "https://", "is not an address."),
        ("URL", "https://[x", "is not an address."),
        ("URL", "https://example.com/" + "x" * 2000, "is not an address."),
    ],
)
def test_a_wrong_value_is_told_why(tiny: Tiny, scalar: str, sent: Any, why: str) -> None:
    """What was sent, why it is refused and how to write it, as the user's input; the same for a literal."""
    literal = str(sent).lower() if not isinstance(sent, str) else f'"{sent}"'

    for errors in (
        tiny.errors(query_of(scalar), {"value": sent}),
        tiny.errors(f"{{ {FIELDS[scalar]}(value: {literal}) }}"),
    ):
        assert len(errors) == 1
        assert f"The {scalar} {str(sent)[:60]!r}"[:-1] in errors[0]["message"]
        assert why in errors[0]["message"]
        assert errors[0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert tiny.world.log == ["opened"]


@given(
    st.datetimes(
        datetime(1900, 1, 2),  # noqa: DTZ001  Hypothesis adds the zone.
        datetime(2999, 12, 30),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_an_instant_survives_text(instant: datetime) -> None:
    """Whatever its zone, an instant comes back as the same instant, in UTC."""
    text = scalars.instant_text(instant)

    assert text.endswith("Z")
    assert scalars.instant_from(text) == instant
    assert scalars.instant_from(instant.isoformat()) == instant
    assert scalars.instant_from(text).tzinfo is UTC


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=12))
def test_a_decimal_survives_text(value: Decimal) -> None:
    """Digit by digit, trailing zeros included."""
    text = scalars.decimal_text(value)
    expected = value or abs(value)

    assert "E" not in text
    assert scalars.decimal_from(text).as_tuple() == expected.as_tuple()


@pytest.mark.parametrize(
    ("serialize", "value"),
    [
        (scalars.instant_text, datetime(2026, 4, 16)),  # noqa: DTZ001  Naive is the point.
        (scalars.instant_text, date(2026, 4, 16)),
        (scalars.day_text, datetime(2026, 4, 16, tzinfo=UTC)),
        (scalars.decimal_text, 1.5),
        (scalars.decimal_text, Decimal("NaN")),
        (scalars.decimal_text, "1.5"),
    ],
)
def test_the_wrong_type_never_goes_out(serialize: Any, value: Any) -> None:
    """A naive instant, an instant as a day, a float: bugs of ours, which fail loudly."""
    with pytest.raises(TypeError):
        serialize(value)


def test_a_field_that_returns_no_text_fails() -> None:
    """Currencies and addresses are texts by the time they go out."""
    with pytest.raises(TypeError):
        scalars.SCALARS[scalars.URL].serialize(5)  # type: ignore[misc]


def test_every_scalar_is_described_and_says_where_it_is_defined() -> None:
    """All have a description; all but our own Decimal point to a specification."""
    definitions = {definition.name: definition for definition in scalars.SCALARS.values()}

    assert set(definitions) == set(FIELDS)
    assert all(len(definition.description or "") > 30 for definition in definitions.values())
    assert [name for name, definition in definitions.items() if definition.specified_by_url is None] == [
        "Decimal"
    ]
