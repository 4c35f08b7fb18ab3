"""The schema's own scalars. Instants need an offset and decimals are texts, so that no client can lose an
hour or a cent on the way. What cannot be read is refused with what was sent, why, and how to write it.

A schema takes them by `StrawberryConfig(scalar_map=SCALARS)`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, NewType, TypeVar
from urllib.parse import urlsplit

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from app.api.errors import Code
from app.billing.money import CURRENCIES

CurrencyCode = NewType("CurrencyCode", str)
URL = NewType("URL", str)

YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999  # Far enough for anybody, and near enough that no time zone leaves the calendar.
URL_LENGTH_MAX: Final = 2000
SHOWN_MAX: Final = 60

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_MICROSECOND_DIGITS: Final = 6

T = TypeVar("T")


def instant_from(value: object) -> datetime:
    """An instant in UTC of an RFC 3339 text with an offset."""
    text = _text("DateTime", value, "2026-04-16T09:30:00Z")
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise _refused("DateTime", text, "is not an instant. Write it like 2026-04-16T09:30:00Z.")
    day, time, fraction, offset = found.groups()
    if offset is None:
        raise _refused("DateTime", text, "has no offset. Add Z for UTC, or an offset like +02:00.")
    if fraction and len(fraction) > 1 + _MICROSECOND_DIGITS:
        raise _refused(
            "DateTime", text, "is finer than a microsecond. Give six digits after the second at most."
        )
    try:
        instant = datetime.fromisoformat(f"{day}T{time}{fraction or ''}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("DateTime", text, "does not exist in the calendar or on the clock.") from None
    return _within_years("DateTime", text, instant)


def instant_text(value: object) -> str:
    """RFC 3339 in UTC with Z, to the microsecond where there is one. A naive datetime is a bug."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"an instant is an aware datetime, not {value!r}")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def day_from(value: object) -> date:
    """A day of an ISO 8601 text like 2026-04-16."""
    text = _text("Date", value, "2026-04-16")
    if _DAY.fullmatch(text) is None:
        raise _refused("Date", text, "is not a day. Write it like 2026-04-16.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _refused("Date", text, "does not exist in the calendar.") from None
    return _within_years("Date", text, day)


def day_text(value: object) -> str:
    """A day as 2026-04-16. An instant is refused: which day it is depends on the zone."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError(f"a day is a date, not {value!r}")
    return value.isoformat()


def decimal_from(value: object) -> Decimal:
    """An exact decimal of a text; numbers of JSON are refused, since clients read those as floats."""
    text = _text("Decimal", value, "12.50")
    if _DECIMAL.fullmatch(text) is None:
        raise _refused("Decimal", text, 'is not a plain decimal number. Write it like "12.50".')
    return Decimal(text)


def decimal_text(value: object) -> str:
    """All digits, no exponent, no minus before zero."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"a decimal is a finite Decimal, not {value!r}")
    return f"{value or value.copy_abs():f}"


def currency_from(value: object) -> CurrencyCode:
    """A currency by its ISO 4217 code."""
    text = _text("CurrencyCode", value, "EUR")
    if text not in CURRENCIES:
        raise _refused(
            "CurrencyCode", text, "is not a currency Seatport knows. Write an ISO 4217 code like EUR."
        )
    return CurrencyCode(text)


def url_from(value: object) -> URL:
    """An absolute http or https address."""
    text = _text("URL", value, "https://example.com/invoice.pdf")
    if not _is_web_address(text):
        raise _refused("URL", text, "is not an address. Write it like https://example.com/invoice.pdf.")
    return URL(text)


def _plain_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, not {value!r}")
    return value


def _is_web_address(text: str) -> bool:
    if len(text) > URL_LENGTH_MAX or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _text(scalar: str, value: object, example: str) -> str:
    if not isinstance(value, str):
        raise _refused(scalar, str(value), f'is not a text. Write it in quotes, like "{example}".')
    return value


def _within_years(scalar: str, text: str, value: T) -> T:
    assert isinstance(value, date), "instants and days have a year"
    if YEAR_MIN <= value.year <= YEAR_MAX:
        return value
    raise _refused(scalar, text, f"is not between the years {YEAR_MIN} and {YEAR_MAX}.")


def _refused(scalar: str, text: str, why: str) -> GraphQLError:
    shown = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
    return GraphQLError(f"The {scalar} {shown!r} {why}", extensions={"code": Code.BAD_USER_INPUT})


def _scalar(
    name: str,
    description: str,
    *,
    serialize: Callable[[object], str],
    parse_value: Callable[[object], object],
    specified_by: str | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        serialize=serialize,
        parse_value=parse_value,
        specified_by_url=specified_by,
    )


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    datetime: _scalar(
        "DateTime",
        "An instant, as RFC 3339 writes it: `2026-04-16T09:30:00Z`. Given back in UTC with `Z`, to the "
        "microsecond; taken with any offset, never without one.",
        serialize=instant_text,
        parse_value=instant_from,
        specified_by="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    date: _scalar(
        "Date",
        "A day of the calendar, as ISO 8601 writes it: `2026-04-16`. The field says in whose time zone.",
        serialize=day_text,
        parse_value=day_from,
        specified_by="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    Decimal: _scalar(
        "Decimal",
        'An exact decimal number in a text: `"12.50"`. Compute with a decimal type, never with floats; '
        "amounts of money have exactly the digits of their currency.",
        serialize=decimal_text,
        parse_value=decimal_from,
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        "A currency by its ISO 4217 code in capitals: `EUR`, `USD`, `JPY`.",
        serialize=_plain_text,
        parse_value=currency_from,
        specified_by="https://www.iso.org/iso-4217-currency-codes.html",
    ),
    URL: _scalar(
        "URL",
        "An absolute http or https address, ready to open.",
        serialize=_plain_text,
        parse_value=url_from,
        specified_by="https://www.rfc-editor.org/rfc/rfc3986",
    ),
}
