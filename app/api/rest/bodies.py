"""What bodies are made of: strict structs, in camel case, that take no member they do not know.

Whatever is wrong with a body is told with its place. Texts hold no NUL, which no database keeps; instants
have an offset and a year that every zone can show.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

import msgspec
from graphql import GraphQLError
from msgspec import Meta

from app.api.scalars import YEAR_MAX, YEAR_MIN, instant_from
from app.billing import money
from app.billing.money import Currency
from app.billing.refusals import InvalidInput, Problem
from app.billing.requests import SEATS_MAX

BodyT = TypeVar("BodyT")

TEXT_MAX: Final = 500

Seats = Annotated[int, Meta(ge=0, le=SEATS_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Instant = Annotated[datetime, Meta(tz=True)]
Reference = Annotated[
    str, Meta(min_length=1, max_length=200, description="Your own id of the customer.", examples=["acme"])
]
Metric = Annotated[str, Meta(max_length=100, description="The code of a seat metric.", examples=["editor"])]
Amount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,15}(\.[0-9]{1,3})?$",
        description="An amount in major units of the customer's currency.",
        examples=["12.50"],
    ),
]


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A body that is sent, or a part of one."""

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(self):
            kept = _kept(field.encode_name, getattr(self, field.name))
            if kept is not None:
                setattr(self, field.name, kept)


class Answer(msgspec.Struct, kw_only=True, rename="camel"):
    """A body that is answered, or a part of one."""


class Money(Answer):
    """An amount of money with exactly the digits of its currency."""

    amount: Annotated[Decimal, Meta(description="In major units.", examples=["12.50"])]
    currency: Annotated[str, Meta(description="By its ISO 4217 code.", examples=["EUR"])]

    @classmethod
    def of(cls, amount: money.Money) -> Money:
        """What is told of an amount."""
        return cls(amount=amount.amount, currency=amount.currency.code)


class Period(Answer):
    """A time, from an instant until before another."""

    start: datetime
    end: datetime


def decoded(sent: bytes, kind: type[BodyT]) -> BodyT:
    """The body that was sent; `BodyWrong` says what is wrong with it."""
    try:
        return msgspec.json.decode(sent, type=kind)
    except msgspec.ValidationError as error:
        raise BodyWrong(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyWrong(f"The body is not valid JSON: {error}") from None


class BodyWrong(Exception):
    """A body cannot be read; the message says why and where."""


def instant_of(name: str, text: str | None) -> datetime | None:
    """The instant of a query parameter; `BodyWrong` for what is none."""
    try:
        return None if text is None else instant_from(text)
    except GraphQLError as error:
        raise BodyWrong(f"{name}: {error.message}") from None


def amount_of(path: str, text: str, currency: Currency) -> money.Money | InvalidInput:
    """An amount in a currency; refused if it has more digits than that."""
    try:
        return money.Money.of(text, currency)
    except ValueError:
        digits = f"{currency} has {currency.digits} digits after the point"
        return InvalidInput((Problem(path, f"{text} is no amount of money: {digits}."),))


def _kept(name: str, value: Any) -> datetime | None:
    """What takes the place of a value: an instant in UTC. `ValueError` for what cannot be kept."""
    if isinstance(value, datetime):
        _year_within(name, value)
        return value.astimezone(UTC)
    if isinstance(value, date):
        _year_within(name, value)
    _storable(name, value)
    return None


def _year_within(name: str, value: date) -> None:
    if not YEAR_MIN <= value.year <= YEAR_MAX:
        raise ValueError(f"{name} is not between the years {YEAR_MIN} and {YEAR_MAX}")


def _storable(name: str, value: Any) -> None:
    texts: Iterable[Any] = ()
    if isinstance(value, str):
        texts = (value,)
    elif isinstance(value, list | tuple):
        texts = value
    elif isinstance(value, dict):
        texts = (*value, *value.values())
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise ValueError(f"{name} holds a NUL character, which is not kept")
