"""Reads the tables of a catalog file key by key. What is wrong is noted with its path and what to do about
it, and reading goes on, so that a person sees everything at once.

A value that is wrong or missing comes out as a harmless one of its type; nobody uses what was read as long as
a problem is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, TypeVar

from app.billing.refusals import Problem

TEXT_MAX: Final = 200
AMOUNT_DIGITS: Final = 9
PRICE_DECIMALS_MAX: Final = 12

_DECIMAL: Final = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]+)(\.(?P<fraction>[0-9]+))?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")

EnumT = TypeVar("EnumT", bound=Enum)


@dataclass(slots=True)
class Section:
    """One table of the file, where it stands, and the problems of the whole file."""

    table: Mapping[str, Any]
    path: str
    problems: list[Problem]
    asked: list[str] = field(default_factory=list)

    def at(self, key: str) -> str:
        """The path of a key in this table; of the table itself for the empty key."""
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def wrong(self, key: str, message: str) -> None:
        """Note what is wrong with a key, and what to do."""
        self.problems.append(Problem(self.at(key), message))

    def has(self, key: str) -> bool:
        """Whether the key is there; it counts as asked for."""
        self.asked.append(key)
        return key in self.table

    def forbid(self, keys: Sequence[str], because: str) -> None:
        """Note each of these keys that is there all the same."""
        for key in keys:
            if self.has(key):
                self.wrong(key, because)

    def finish(self) -> None:
        """Note the keys that nobody asked for: most often a slip of the pen."""
        known = list(dict.fromkeys(self.asked))
        for key in self.table:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                advice = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(known))}."
                self.wrong(key, f"There is no {key!r} here. {advice}")

    def text(self, key: str, *, longest: int = TEXT_MAX) -> str:
        """A text of one line that must be there."""
        value = self.optional_text(key, longest=longest)
        if value is None and key not in self.table:
            self.wrong(key, f"{key!r} is missing. Give a text.")
        return value or ""

    def optional_text(self, key: str, *, longest: int = TEXT_MAX) -> str | None:
        """A text of one line, None if the key is not there."""
        if not self.has(key):
            return None
        return self._line(self.table[key], key, longest)

    def lines(self, key: str, *, most: int) -> tuple[str, ...]:
        """A list of texts, at least one."""
        values = self._list(key, "texts")
        if len(values) > most:
            self.wrong(key, f"Give at most {most} lines, not {len(values)}.")
        return tuple(self._line(value, f"{key}[{i}]", TEXT_MAX) or "" for i, value in enumerate(values))

    def count(self, key: str, *, least: int = 0, most: int, default: int | None = None) -> int | None:
        """A whole number in bounds; the default if the key is not there."""
        if not self.has(key):
            return default
        value = self.table[key]
        if type(value) is int and least <= value <= most:
            return value
        self.wrong(key, f"Give a whole number from {least} to {most}, not {shown(value)}.")
        return default

    def decimal(self, key: str, *, decimals: int, default: str | None = None) -> Decimal:
        """An exact number that is not negative, written as text: `"15.00"`."""
        if not self.has(key):
            if default is None:
                self.wrong(key, f'{key!r} is missing. Give a decimal number as text, such as "15.00".')
            return Decimal(default or 0)
        return self._exact(self.table[key], key, decimals)

    def day(self, key: str, *, required: bool) -> date | None:
        """A calendar day, written without quotes: 2026-04-16."""
        if not self.has(key):
            if required:
                self.wrong(key, f"{key!r} is missing. Give a day such as 2026-04-16.")
            return None
        value = self.table[key]
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.wrong(key, f"Give a day without quotes, such as 2026-04-16, not {shown(value)}.")
        return None

    def choice(self, key: str, members: type[EnumT], *, default: EnumT | None = None) -> EnumT:
        """One of the words of an enum."""
        first = default or next(iter(members))
        if not self.has(key):
            if default is None:
                self.wrong(key, f"{key!r} is missing. Give one of: {words(members)}.")
            return first
        return self._member(self.table[key], key, members) or first

    def choices(self, key: str, members: type[EnumT], *, least: int = 1) -> tuple[EnumT, ...]:
        """A list of different words of an enum, at least one or none; the order is kept."""
        found: list[EnumT] = []
        if not least and self.has(key) and self.table[key] == []:
            return ()
        for i, value in enumerate(self._list(key, f"any of {words(members)}")):
            member = self._member(value, f"{key}[{i}]", members)
            if member in found:
                self.wrong(f"{key}[{i}]", f"{value} is named twice. Name each once.")
            elif member is not None:
                found.append(member)
        return tuple(found)

    def section(self, key: str) -> Section:
        """A table inside this one that must be there."""
        if not self.has(key):
            self.wrong(key, f"{key!r} is missing. Give a table of it.")
            return self._nothing(key)
        return self._table(self.table[key], key)

    def named(self, key: str) -> Iterator[tuple[str, Section]]:
        """The tables inside a table, by name."""
        yield from self.section(key).tables()

    def tables(self) -> Iterator[tuple[str, Section]]:
        """The tables that this one consists of, by name."""
        for name in self.table:
            yield name, self.inner(name)

    def inner(self, key: str) -> Section:
        """The table under a key that is there."""
        return self._table(self.table[key], key)

    def each(self, key: str) -> Iterator[Section]:
        """The tables of a list; none if the key is not there."""
        values = self._list(key, "tables") if self.has(key) else []
        for i, value in enumerate(values):
            yield self._table(value, f"{key}[{i}]")

    def _list(self, key: str, of: str) -> list[Any]:
        value = self.table.get(key) if self.has(key) else None
        if isinstance(value, list) and value:
            return value
        why = "is missing" if value is None else "is empty" if value == [] else f"is {shown(value)}"
        self.wrong(key, f"{key!r} {why}. Give a list of {of}, at least one.")
        return []

    def _table(self, value: Any, key: str) -> Section:
        if isinstance(value, dict):
            return Section(value, self.at(key), self.problems)
        self.wrong(key, f"Give a table, not {shown(value)}.")
        return self._nothing(key)

    def _nothing(self, key: str) -> Section:
        """A section whose own problems nobody needs to hear: what is wrong with it was said."""
        return Section({}, self.at(key), [])

    def _line(self, value: Any, key: str, longest: int) -> str | None:
        if not isinstance(value, str) or not value.strip() or len(value) > longest or _CONTROL.search(value):
            self.wrong(key, f"Give one line of 1 to {longest} characters in quotes, not {shown(value)}.")
            return None
        return value.strip()

    def _exact(self, value: Any, key: str, decimals: int) -> Decimal:
        if type(value) in {int, float}:
            self.wrong(key, f'Write the number as text, so that it stays exact: "{value}".')
            return Decimal(0)
        match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.wrong(key, f'Give a decimal number as text, such as "15.00", not {shown(value)}.')
            return Decimal(0)
        fraction = match["fraction"] or ""
        if match["sign"]:
            self.wrong(key, f"{value} is negative. Give 0 or more.")
        elif len(match["whole"].lstrip("0")) > AMOUNT_DIGITS:
            self.wrong(key, f"{value} has more than {AMOUNT_DIGITS} digits before the point.")
        elif len(fraction) > decimals:
            digits = f"{decimals} decimal digits" if decimals else "no decimal digits"
            self.wrong(
                key, f"{value} has {len(fraction)} decimal digits; here are at most {digits} possible."
            )
        else:
            return Decimal(value)
        return Decimal(0)

    def _member(self, value: Any, key: str, members: type[EnumT]) -> EnumT | None:
        if isinstance(value, str) and value in members.__members__:
            return members[value]
        names = list(members.__members__)
        near = get_close_matches(value.upper(), names, n=1) if isinstance(value, str) else []
        advice = f"Did you mean {near[0]!r}?" if near else f"Give one of: {words(members)}."
        self.wrong(key, f"{shown(value)} is not known here. {advice}")
        return None


def words(members: type[Enum]) -> str:
    """The names of an enum for a sentence."""
    return ", ".join(members.__members__)


def shown(value: Any) -> str:
    """A value of the file as a message shows it, shortened."""
    text = f'"{value}"' if isinstance(value, str) else "a table" if isinstance(value, dict) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  A message stays one line.
