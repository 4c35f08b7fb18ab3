"""Cases as they stand in a file, and the values in them.

Whatever a case lacks or has wrong raises `Malformed` with the name of the field, or comes back as such with
the number of its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from app.billing.money import CURRENCIES, Currency, Money
from app.billing.periods import Granularity, Period, Step, first_instant

Found = dict[str, str | list[str]]
"""What the rules answer, by the keys of `expect`."""


class Malformed(ValueError):
    """A case that cannot be read as the format says; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Given:
    """The values of a case, read as what they are meant to be."""

    values: Mapping[str, Any]
    currency: Currency

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            raise Malformed(f"{name} is missing")
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def part(self, name: str) -> Given:
        """A value that is an object itself."""
        return Given(_object(name, self[name]), self.currency)

    def parts(self, name: str) -> list[Given]:
        """A value that is a list of objects."""
        return [Given(_object(name, each), self.currency) for each in self.list(name)]

    def list(self, name: str) -> list[Any]:
        if not isinstance(self[name], list):
            raise Malformed(f"{name} is not a list")
        return list(self[name])

    def text(self, name: str, *allowed: str) -> str:
        value = self[name]
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise Malformed(f"{name} is {value!r}; expected {', '.join(allowed) or 'a text'}")
        return value

    def decimal(self, name: str, default: str | None = None) -> Decimal:
        return _decimal(name, self[name] if default is None or name in self else default)

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number that is not negative."""
        value = self.signed(name) if default is None or name in self else default
        if value < 0:
            raise Malformed(f"{name} is {value}; expected a whole number from 0")
        return value

    def signed(self, name: str) -> int:
        """A whole number of either sign."""
        value = self.decimal(name)
        if value != value.to_integral_value():
            raise Malformed(f"{name} is {value}; expected a whole number")
        return int(value)

    def money(self, name: str) -> Money:
        return as_money(name, self[name], self.currency)

    @property
    def zone(self) -> str:
        name = self.text("timezone")
        try:
            return ZoneInfo(name).key
        except (KeyError, ValueError, OSError):
            raise Malformed(f"timezone is {name!r}, which nobody knows") from None

    @property
    def granularity(self) -> Granularity:
        return Granularity[self.text("granularity", "day", "second").upper()]

    def is_day(self, name: str) -> bool:
        """Whether a value is a local day and not an instant."""
        return "T" not in self.text(name)

    def instant(self, name: str) -> datetime:
        return _instant(name, self.text(name), self.zone)

    def period(self, name: str) -> Period:
        start, end = (_instant(name, text, self.zone) for text in _pair(name, self.list(name)))
        if start > end:
            raise Malformed(f"{name} ends before it starts")
        return Period(start, end, self.zone)

    def share(self) -> tuple[int, int]:
        """`days`: how many of how many."""
        part, whole = _pair("days", self.list("days"))
        days = Given({"part of days": part, "whole of days": whole}, self.currency)
        return days.whole("part of days"), days.whole("whole of days")

    def step(self) -> Step:
        interval = self.part("interval")
        count = interval.whole("count")
        if not count:
            raise Malformed("the interval's count is 0")
        months, days = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "year": (12, 0)}[
            interval.text("unit", "day", "week", "month", "year")
        ]
        return Step(months * count, days * count)


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a file."""

    line: int
    id: str
    kind: str
    given: Given
    expect: Mapping[str, Any]

    @property
    def fractional(self) -> bool:
        """Whether a quantity is not whole."""
        given = self.given.values
        counts = [given.get("quantity"), given.get("opening"), *_each(given.get("quantities"))]
        counts += [_get(given.get(side), "quantity") for side in ("from", "to")]
        counts += [_get(event, "delta") for event in _each(given.get("events"))]
        return any(_is_fractional(count) for count in counts)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no case."""

    line: int
    problem: str


def read(lines: Iterable[str], kinds: Iterable[str]) -> Iterator[Case | Unreadable]:
    """The cases of a file; empty lines are passed over."""
    known = tuple(kinds)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _case(number, line, known)
            except Malformed as wrong:
                yield Unreadable(number, str(wrong))


def as_money(name: str, value: Any, currency: Currency) -> Money:
    """An amount, in no more digits than the currency has."""
    try:
        return Money.of(_decimal(name, value), currency)
    except Malformed:
        raise
    except ValueError as wrong:
        raise Malformed(f"{name}: {wrong}") from None


def _case(number: int, line: str, kinds: tuple[str, ...]) -> Case:
    try:
        found = json.loads(line, parse_float=str)
    except ValueError as wrong:
        raise Malformed(f"not JSON: {wrong}") from None
    whole = Given(_object("the line", found), CURRENCIES["USD"])
    currency = CURRENCIES.get(whole.text("currency"))
    if currency is None:
        raise Malformed(f"currency is {whole['currency']!r}, which nobody knows")
    expect = _object("expect", whole["expect"])
    if not expect:
        raise Malformed("expect is empty")
    given = Given(_object("given", whole["given"]), currency)
    return Case(number, whole.text("id"), whole.text("kind", *kinds), given, expect)


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{name} is no JSON object")
    return value


def _pair(name: str, values: list[Any]) -> tuple[Any, Any]:
    if len(values) != 2:
        raise Malformed(f"{name} is not a pair")
    return values[0], values[1]


def _decimal(name: str, value: Any) -> Decimal:
    """Text or a whole JSON number as a decimal."""
    try:
        number = Decimal(value if isinstance(value, str | int) and not isinstance(value, bool) else "NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Malformed(f"{name} is {value!r}, no decimal number")
    return number


def _instant(name: str, text: Any, zone: str) -> datetime:
    try:
        if "T" not in text:
            return first_instant(date.fromisoformat(text), zone)
        if not text.endswith("Z"):
            raise Malformed(f"{name}: the instant {text} does not end with Z")
        return datetime.fromisoformat(text)
    except (TypeError, ValueError) as wrong:
        raise wrong if isinstance(wrong, Malformed) else Malformed(f"{name}: {text!r} is no time") from None


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _is_fractional(count: Any) -> bool:
    try:
        return count is not None and _decimal("", count) % 1 != 0
    except Malformed:
        return False
