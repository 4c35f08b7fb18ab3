"""The catalog as a TOML file: the seller, the tax rates, the metrics, and the plans with their prices.

    [seller]              legal_name, address, country, tax_id, registration, email, zone, payment_days
    [seller.bank]         holder, iban, bic, bank
    [[tax_rates]]         country, label, rate (percent), starts, ends
    [metrics.CODE]        label, unit
    [plans.CODE]          name, description, trial_days
    [[plans.CODE.prices]] interval, currency, base_fee, preset, granularity, increase, decrease, seats.METRIC

Amounts are decimal numbers written as text, because a TOML number with a point is not exact.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from babel import Locale

from app.billing.parties import BankAccount, Seller
from app.billing.plans import BASE_FEE, Item, Plan, SeatMetric
from app.billing.refusals import Problem
from app.billing.taxes import TaxRate, TaxRules
from app.services.catalog_prices import milkable, read_plan
from app.services.catalog_reader import Section

ADDRESS_LINES_MAX: Final = 6
PAYMENT_DAYS_MAX: Final = 365
RATE_DECIMALS_MAX: Final = 4
LABEL_MAX: Final = 60
# ISO 7064 MOD 97-10, with which ISO 13616 checks an IBAN.
IBAN_DIVISOR: Final = 97
IBAN_REST: Final = 1

_METRIC_CODE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PLAN_CODE: Final = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_CODE_MAX: Final = 50
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ"})


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares, valid in itself. Its price versions have no id yet. `warnings` are of what is
    allowed and seldom meant.
    """

    seller: Seller
    taxes: TaxRules
    metrics: tuple[SeatMetric, ...]
    plans: tuple[Plan, ...]
    warnings: tuple[Problem, ...] = ()


def parse_catalog(text: str) -> Declared | tuple[Problem, ...]:
    """What the file declares, or everything that is wrong with it, each with its path
    (`plans.team.prices[0].currency`) and what to do.
    """
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (Problem("", f"This is not TOML: {error}. Look at that line."),)
    problems: list[Problem] = []
    declared = _declared(Section(body, "", problems))
    return tuple(problems) or declared


def _declared(root: Section) -> Declared:
    seller = _seller(root.section("seller"))
    rates = tuple(_tax_rate(each) for each in root.each("tax_rates"))
    _refuse_overlaps(root, rates)
    metrics = {code: _metric(code, each) for code, each in root.named("metrics")}
    plans = tuple(_plan(code, each, metrics) for code, each in root.named("plans"))
    if root.table.get("plans") == {}:
        root.wrong("plans", "There is nothing to sell. Add [plans.CODE].")
    root.finish()
    taxes = TaxRules(seller.country, rates)
    return Declared(seller, taxes, tuple(metrics.values()), plans, tuple(milkable(plans)))


def _seller(section: Section) -> Seller:
    seller = Seller(
        legal_name=section.text("legal_name"),
        lines=section.lines("address", most=ADDRESS_LINES_MAX),
        country=_country(section, "country"),
        tax_id=section.optional_text("tax_id"),
        registration=section.optional_text("registration"),
        email=_matching(section, "email", _EMAIL, "e-mail address"),
        zone=_zone(section),
        payment_days=section.count("payment_days", most=PAYMENT_DAYS_MAX) or 0,
        bank=_bank(section.section("bank")),
    )
    if "payment_days" not in section.table:
        section.wrong("payment_days", "'payment_days' is missing. Give the days in which invoices are due.")
    section.finish()
    return seller


def _bank(section: Section) -> BankAccount:
    bank = BankAccount(
        holder=section.text("holder"),
        iban=_iban(section),
        bic=_matching(section, "bic", _BIC, "BIC of 8 or 11 characters"),
        bank=section.text("bank"),
    )
    section.finish()
    return bank


def _tax_rate(section: Section) -> TaxRate:
    rate = TaxRate(
        country=_country(section, "country"),
        label=section.text("label", longest=LABEL_MAX),
        rate=section.decimal("rate", decimals=RATE_DECIMALS_MAX),
        starts=section.day("starts", required=True) or date.min,
        ends=section.day("ends", required=False),
    )
    if rate.rate > Decimal(100):
        section.wrong("rate", f"{rate.rate} is more than 100 percent.")
    if rate.ends is not None and rate.ends <= rate.starts:
        message = f"{rate.ends} is not after starts. Give the first day on which the rate no longer holds."
        section.wrong("ends", message)
    section.finish()
    return rate


def _refuse_overlaps(root: Section, rates: tuple[TaxRate, ...]) -> None:
    """At most one rate holds for a country on a day."""
    for i, rate in enumerate(rates):
        for j, earlier in enumerate(rates[:i]):
            if rate.country and rate.country == earlier.country:
                first, last = max(rate.starts, earlier.starts), min(_end(rate), _end(earlier))
                if first < last:
                    message = f"tax_rates[{j}] holds for {rate.country} on {first} too. End the earlier one."
                    root.wrong(f"tax_rates[{i}]", message)


def _end(rate: TaxRate) -> date:
    return rate.ends or date.max


def _metric(code: str, section: Section) -> SeatMetric:
    if code == BASE_FEE:
        section.wrong("", f"{code!r} is what the base fee is called on lines. Choose another code.")
    _code(section, code, _METRIC_CODE, "snake_case, such as full_seat")
    label = section.text("label", longest=LABEL_MAX)
    unit = section.optional_text("unit", longest=LABEL_MAX) or "seat"
    section.finish()
    return SeatMetric(Item(code), label, unit)


def _plan(code: str, section: Section, metrics: dict[str, SeatMetric]) -> Plan:
    _code(section, code, _PLAN_CODE, "lower-case letters, digits, - and _, such as team-2026")
    return read_plan(code, section, metrics)


def _code(section: Section, code: str, form: re.Pattern[str], words: str) -> None:
    if not form.fullmatch(code) or len(code) > _CODE_MAX:
        section.wrong("", f"{code!r} cannot be a code. Write it in {words}; at most {_CODE_MAX} characters.")


def _matching(section: Section, key: str, form: re.Pattern[str], what: str) -> str:
    value = section.text(key)
    if value and not form.fullmatch(value):
        section.wrong(key, f"{value!r} is no {what}.")
    return value


def _country(section: Section, key: str) -> str:
    value = section.text(key)
    known: Any = Locale("en").territories
    if value and (not _COUNTRY.fullmatch(value) or value not in known or value in _NO_COUNTRIES):
        section.wrong(key, f"{value!r} is no ISO 3166 country code. Give one of two letters, such as DE.")
    return value


def _zone(section: Section) -> str:
    value = section.text("zone")
    if value and value not in _zones():
        section.wrong("zone", f"{value!r} is no IANA time zone. Give one such as Europe/Berlin.")
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _iban(section: Section) -> str:
    """The IBAN without blanks."""
    value = section.text("iban").replace(" ", "")
    if value and not (_IBAN.fullmatch(value) and _checks(value)):
        section.wrong(
            "iban", f"{value!r} is no IBAN: its check digits do not fit. Compare it with the bank's."
        )
    return value


def _checks(iban: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % IBAN_DIVISOR == IBAN_REST
