"""Words, money, dates and periods in the customer's language.

Formats follow CLDR for every locale Babel knows. Words exist for the languages in `catalogue/`; a document is
written in the nearest of them (`de-AT` → `de`, `pt-BR` → `en`), so that it never speaks two languages. An
amount below zero has a true minus (U+2212), because a hyphen before a sum of money is easily overlooked.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.numbers import NumberPattern, format_decimal

from app.documents.errors import FactsInvalid

CATALOGUE: Final = Path(__file__).parent / "catalogue"
DEFAULT_LANGUAGE: Final = "en"
MINUS: Final = "\u2212"
KEPT: Final = 8192
"""How many words of each kind are kept: many documents of a billing run say the same days and prices."""
LINE_KINDS: Final = frozenset({"PERIOD", "ADDED", "CHANGED", "CREDIT", "USAGE", "OVERAGE", "ADJUSTMENT"})

_HYPHEN: Final = re.compile("[-\u2010\u2011]")
_EN_DASH: Final = re.compile(r"\s*–\s*")
_SHORT_MONTH: Final = re.compile(r"(?<!M)MMM(?!M)")
_LETTER_BEFORE_NUMBER: Final = re.compile(rf"(?<=[^\W\d_])(?=[\d{MINUS}])")
_NAMES_OF_TAX: Final = {"vat": "name.vat", "tax": "name.tax"}


@lru_cache(KEPT)
def document_locale(locale: str) -> str:
    """The locale a document is written in: the given one if its language has words, else `en`."""
    parsed = _cldr(locale)
    return str(parsed).replace("_", "-") if parsed.language in _languages() else DEFAULT_LANGUAGE


def word(key: str, locale: str, /, **values: str) -> str:
    """The word or sentence of the catalogue; KeyError for a key that no catalogue has."""
    return _words(locale)[key].format(**values)


def plural(key: str, count: int, locale: str, /, **values: str) -> str:
    """As `word`, with the form for so many of `key.one`, `key.other`."""
    form = _cldr(document_locale(locale)).plural_form(count)
    return word(f"{key}.{'one' if form == 'one' else 'other'}", locale, **values)


def joined(parts: Sequence[str], locale: str) -> str:
    """`INV-1, INV-2 and INV-3`."""
    if len(parts) < 2:  # noqa: PLR2004  # There is nothing to join.
        return "".join(parts)
    return word("list.and", locale, start=", ".join(parts[:-1]), end=parts[-1])


@lru_cache(KEPT)
def format_money(minor: int, currency: str, digits: int, locale: str) -> str:
    """An amount of minor units as people of that locale write it: `€1,156.33`, `−44,63 €`, `¥1,156`.

    `digits` are the decimal digits of the currency's minor unit, always all shown.
    """
    return _currency(Decimal(minor).scaleb(-digits), currency, (digits, digits), locale)


@lru_cache(KEPT)
def format_unit_amount(amount: Decimal, currency: str, digits: int, locale: str) -> str:
    """A price in major units, which may have more digits than the currency: `€15.00`, `$0.00325`."""
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a price is a number"
    return _currency(amount, currency, (digits, max(digits, -exponent)), locale)


@lru_cache(KEPT)
def format_quantity(quantity: int, locale: str) -> str:
    """A whole number with the locale's grouping: `1,250`."""
    return _HYPHEN.sub(MINUS, format_decimal(quantity, locale=_cldr(locale)))


@lru_cache(KEPT)
def format_rate(percent: Decimal, locale: str) -> str:
    """A rate given in percent: `19%`, `7,7 %`; as many digits as it has."""
    cldr = _cldr(locale)
    pattern = _pattern(cldr.percent_formats[None], (0, 6))
    return str(pattern.apply(percent / 100, cldr))


@lru_cache(KEPT)
def format_date(day: date, locale: str) -> str:
    """A day in full: `14 December 2026`, `December 14, 2026` (en-US), `14. Dezember 2026`."""
    return babel_date(day, "long", locale=_calendar(locale))


@lru_cache(KEPT)
def format_period(start: date, end_exclusive: date, locale: str) -> str:
    """The days of a period, the last one included as people count: `1 – 30 April 2026`; one day as a date."""
    last = end_exclusive - timedelta(days=1)
    if last <= start:
        return format_date(start, locale)
    calendar = _calendar(locale)
    field = "y" if start.year != last.year else "M" if start.month != last.month else "d"
    formats = calendar.interval_formats
    before, after = (formats.get("yMMMMd") or formats["yMMMd"])[field]
    texts = [babel_date(day, _SHORT_MONTH.sub("MMMM", form), locale=calendar)
             for day, form in ((start, before), (last, after))]  # fmt: skip
    return _EN_DASH.sub(" – ", "".join(texts))


@lru_cache(KEPT)
def format_country(code: str, locale: str) -> str:
    """The country's name for an ISO 3166 alpha-2 code: `Germany`, `Deutschland`; an unknown code as it is."""
    return str(_cldr(locale).territories.get(code.upper(), code))


def tax_name(label: str, locale: str) -> str:
    """What a tax is called: the seller's own label, but `VAT` and `Tax` in the customer's language."""
    key = _NAMES_OF_TAX.get(label.casefold())
    return word(key, locale) if key else label


@lru_cache(KEPT)
def describe_line(
    kind: str,
    *,
    locale: str,
    plan: str,
    metric: str | None = None,
    unit: str = "seat",
    quantity: int = 1,
    unused: bool = False,
    own_price: bool = False,
) -> str:
    """The sentence of a line: `10 Editor seats`, `5 Editor seats added`, `Change to Business: base fee`.

    `kind` is one of `LINE_KINDS`, `metric` the label of the seat metric (None: the base fee), `unit` its word
    for one. `plan` is the plan that the line belongs to, for CHANGED the new one. `unused` says of a CREDIT
    that its seats were not removed but go on under another plan or price: `Unused time on Team: …`; a credit
    of the base fee always does. `own_price` says that the price was agreed with the customer.

    Raises FactsInvalid for another kind.
    """
    if own_price:
        what = describe_line(
            kind, locale=locale, plan=plan, metric=metric, unit=unit, quantity=quantity, unused=unused
        )
        return word("line.own_price", locale, what=what)
    if kind not in LINE_KINDS:
        raise FactsInvalid(
            f"A line cannot be of kind {kind!r}; it is one of {', '.join(sorted(LINE_KINDS))}."
        )
    plan = _without_last(plan, {"plan"})
    what = word("base_fee", locale) if metric is None else _seats(metric, unit, quantity, locale)
    if kind == "CREDIT" and (unused or metric is None):
        return word("line.UNUSED", locale, plan=plan, what=what)
    if metric is None and kind != "CHANGED":
        what = word("line.base_fee", locale, plan=plan)
        return what if kind != "ADJUSTMENT" else word("line.ADJUSTMENT", locale, what=what)
    return what if kind == "PERIOD" else word(f"line.{kind}", locale, plan=plan, what=what)


def backdated(what: str, locale: str) -> str:
    """What a line is, where it is about time that was over when it was told: `Backdated: 5 seats added`."""
    return word("line.BACKDATED", locale, what=what)


def raised(what: str, asked: int, locale: str) -> str:
    """What a line is, where fewer seats were asked for than are in use."""
    return word("line.raised", locale, what=what, count=format_quantity(asked, document_locale(locale)))


def _seats(metric: str, unit: str, quantity: int, locale: str) -> str:
    """`15 Editor seats`; a unit other than seat is the seller's own word, as in the formula."""
    label = _without_last(metric, {unit.casefold(), f"{unit.casefold()}s"})
    count = format_quantity(quantity, document_locale(locale))
    if unit.casefold() == "seat":
        return plural("seats", quantity, locale, count=count, label=label)
    return word("units", locale, count=count, label=label, unit=unit if quantity == 1 else f"{unit}s")


def _without_last(name: str, said_anyway: set[str]) -> str:
    """The name without its last word if the sentence says that word itself: never `Editor seats seats`."""
    first, _, last = name.rpartition(" ")
    return first if first and last.casefold() in said_anyway else name


def _currency(amount: Decimal, currency: str, digits: tuple[int, int], locale: str) -> str:
    cldr = _cldr(locale)
    pattern = _pattern(cldr.currency_formats["standard"], digits)
    text = pattern.apply(amount, cldr, currency=currency, currency_digits=False)
    return _LETTER_BEFORE_NUMBER.sub("\u00a0", _HYPHEN.sub(MINUS, text))


def _pattern(pattern: NumberPattern, digits: tuple[int, int]) -> NumberPattern:
    """A copy of a number pattern that shows between so many decimal digits."""
    return NumberPattern(
        pattern.pattern,
        pattern.prefix,
        pattern.suffix,
        pattern.grouping,
        pattern.int_prec,
        digits,
        pattern.exp_prec,
        pattern.exp_plus,
        pattern.number_pattern,
    )


@cache
def _cldr(locale: str) -> Locale:
    """The locale, else its language, else English."""
    for candidate in (locale, re.split("[-_]", locale)[0]):
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(candidate.replace("-", "_"))
    return Locale.parse(DEFAULT_LANGUAGE)


def _calendar(locale: str) -> Locale:
    """As `_cldr`; English of no country writes dates as most of the world does, day first."""
    cldr = _cldr(locale)
    return Locale.parse("en_001") if str(cldr) == "en" else cldr


@cache
def _languages() -> frozenset[str]:
    return frozenset(path.stem for path in CATALOGUE.glob("*.json"))


@cache
def _words(locale: str) -> Mapping[str, str]:
    language = _cldr(document_locale(locale)).language
    words: dict[str, str] = json.loads((CATALOGUE / f"{language}.json").read_text(encoding="utf-8"))
    return words
