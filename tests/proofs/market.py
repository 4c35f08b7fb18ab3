"""What is sold in the random histories, and to whom: every model, mode and interval, every basis but people,
four currencies with none, two or three decimals, taxes that change, and places where the clocks do.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from app.billing.parties import BillingDetails

ALL: Final = (
    "PRORATED_IMMEDIATELY",
    "DIFFERENCE_IMMEDIATELY",
    "FULL_IMMEDIATELY",
    "PRORATED_ON_NEXT_INVOICE",
    "DO_NOT_BILL",
)
INTERVALS: Final = {
    "flat": ("MONTH", "YEAR"),
    "team": ("MONTH",),
    "tiers": ("MONTH", "QUARTER"),
    "bulk": ("MONTH", "HALF_YEAR"),
    "slow": ("MONTH", "YEAR"),
    "metered": ("MONTH", "QUARTER"),
    "surge": ("MONTH", "YEAR"),
    "free": ("MONTH",),
}
METRICS: Final = ("editor", "viewer")
ORDERED: Final = {"slow": ("editor",), "metered": (), "surge": ("editor",)}
"""The metrics that a subscription begins with, where not both are sold in advance."""

MONTHS: Final = {"MONTH": 1, "QUARTER": 3, "HALF_YEAR": 6, "YEAR": 12}
SCALE: Final = {"USD": "1", "EUR": "0.9", "JPY": "150", "KWD": "0.31"}
DIGITS: Final = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
ZONES: Final = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Auckland")
SINGLE: Final = ("PRORATED_IMMEDIATELY",)

HEAD: Final = """
[seller]
legal_name = "Northwind Software GmbH"
address = ["Lindenhof 7", "10115 Berlin"]
country = "DE"
tax_id = "DE999999999"
registration = "HRB 1"
email = "billing@northwind.example"
zone = "Europe/Berlin"
payment_days = 14

[seller.bank]
holder = "Northwind Software GmbH"
iban = "DE89 3704 0044 0532 0130 00"
bic = "COBADEFFXXX"
bank = "Example Bank"

[metrics.editor]
label = "Editor"

[metrics.viewer]
label = "Viewer"
"""

COMPANIES: Final = (
    BillingDetails("Acme Inc.", ("1 Main Street",), "10001", "New York", "NY", "US"),
    BillingDetails("Globex GmbH", ("Allee 3",), "10115", "Berlin", None, "DE"),
    BillingDetails("Hooli GmbH", ("Ring 1",), "1010", "Wien", None, "AT", "ATU99999999"),
    BillingDetails("Hooli GmbH", ("Ring 1",), "1010", "Wien", None, "AT"),
)
NOWHERE: Final = replace(COMPANIES[0], lines=())


def catalog(edition: int = 0) -> str:
    """The file of the catalog. Each edition has other prices for `flat` and `tiers`."""
    prices = [
        _price(plan, interval, currency, edition)
        for plan, intervals in INTERVALS.items()
        for interval in intervals
        for currency in SCALE
    ]
    plans = [f'[plans.{plan}]\nname = "{plan.title()}"\ndescription = "{plan}"\n' for plan in INTERVALS]
    return "\n".join((HEAD, *_taxes(), *plans, *prices))


def _taxes() -> list[str]:
    """19 % in Germany, 22 % from 15 March 2027 on; 20 % in Austria."""
    turn = date(2027, 3, 15)
    rates = [("DE", "19", "2007-01-01", turn), ("DE", "22", turn, None), ("AT", "20", "1984-01-01", None)]
    return [
        f'[[tax_rates]]\ncountry = "{country}"\nlabel = "VAT"\nrate = "{rate}"\nstarts = {starts}\n'
        + (f"ends = {ends}\n" if ends else "")
        for country, rate, starts, ends in rates
    ]


def _price(plan: str, interval: str, currency: str, edition: int) -> str:
    # A little less for longer terms, so that plans and intervals come out dearer or cheaper in all ways.
    factor = Decimal(SCALE[currency]) * MONTHS[interval] * (1 if interval == "MONTH" else Decimal("0.8"))

    def amount(text: str, digits: int = DIGITS[currency]) -> str:
        return f'"{(Decimal(text) * factor).quantize(Decimal(1).scaleb(-digits)):f}"'

    increase: tuple[str, ...] = ALL
    decrease: tuple[str, ...] = ALL
    timing = "NOW"
    extra = f"{edition % 2}"
    match plan:
        case "flat":
            body = [f"seats.editor = {{ unit_amount = {amount(f'9.9{extra}')} }}"]
            body += [f"seats.viewer = {{ unit_amount = {amount('1.333333', 6)} }}"]
        case "team":
            body = [f"base_fee = {amount('99.00')}"]
            body += [f"seats.editor = {{ included = 5, maximum = 60, unit_amount = {amount('15.00')} }}"]
            body += ['seats.viewer = { unit_amount = "0" }']
        case "tiers":
            steps = [f"up_to = 5, unit_amount = {amount(f'12.0{extra}')}, flat_amount = {amount('3.10')}"]
            steps += [f"up_to = 11, unit_amount = {amount('9.99')}", f"unit_amount = {amount('6.3333', 4)}"]
            body = [f'seats.editor = {{ model = "GRADUATED", minimum = 2, tiers = [{_tables(steps)}] }}']
            pack = f"package_size = 4, package_amount = {amount('10.00')}"
            body += [f'seats.viewer = {{ model = "PACKAGE", {pack} }}']
            decrease = ("PRORATED_IMMEDIATELY", "PRORATED_ON_NEXT_INVOICE", "DO_NOT_BILL")
        case "bulk":
            volume = [f"up_to = 6, unit_amount = {amount('12.00')}", f"unit_amount = {amount('8.50')}"]
            stairs = [f"up_to = 5, flat_amount = {amount('20.00')}", f"flat_amount = {amount('61.00')}"]
            body = [f'seats.editor = {{ model = "VOLUME", tiers = [{_tables(volume)}] }}']
            body += [f'seats.viewer = {{ model = "STAIRSTEP", tiers = [{_tables(stairs)}] }}']
        case "slow":
            body = ['granularity = "SECOND"', f"base_fee = {amount('5.00')}"]
            body += [f"seats.editor = {{ minimum = 1, unit_amount = {amount('11.00')} }}"]
            decrease, timing = SINGLE, "AT_RENEWAL"
        case "metered":
            body = [f"base_fee = {amount('7.00')}"]
            body += [f'seats.editor = {{ basis = "PRORATED", included = 1, unit_amount = {amount("9.50")} }}']
            body += [f'seats.viewer = {{ basis = "PEAK", unit_amount = {amount("2.25")} }}']
        case "surge":
            over = f"overage_amount = {amount('14.00')}"
            body = [f'seats.editor = {{ basis = "OVERAGE", unit_amount = {amount("9.00")}, {over} }}']
            body += [f'seats.viewer = {{ basis = "INCREASES", minimum = 2, unit_amount = {amount("1.50")} }}']
        case _:
            body = ['seats.editor = { maximum = 8, unit_amount = "0.00" }']
            body += ['seats.viewer = { unit_amount = "0" }']
            increase = decrease = ("PRORATED_IMMEDIATELY", "PRORATED_ON_NEXT_INVOICE")
    body += [f'increase = {{ modes = {list(increase)}, timing = "NOW" }}'.replace("'", '"')]
    body += [f'decrease = {{ modes = {list(decrease)}, timing = "{timing}" }}'.replace("'", '"')]
    head = [f"[[plans.{plan}.prices]]", f'interval = "{interval}"', f'currency = "{currency}"']
    return "\n".join((*head, *body, ""))


def _tables(steps: list[str]) -> str:
    return ", ".join(f"{{ {step} }}" for step in steps)


def wish(chance: random.Random) -> dict[str, Any]:
    """What somebody may want to change: seats, a plan, an interval, in some mode, now or later."""
    wanted: dict[str, Any] = {}
    if chance.random() < 0.25:
        wanted["planCode"] = chance.choice(list(INTERVALS))
    if chance.random() < 0.15:
        wanted["interval"] = chance.choice(list(MONTHS))
    if not wanted or chance.random() < 0.4:
        metrics = ["editor"] if chance.random() < 0.6 else chance.sample(["editor", "viewer"], 2)
        wanted["seats"] = [{"metric": metric, "quantity": _quantity(chance)} for metric in metrics]
    if chance.random() < 0.5:
        wanted["prorationMode"] = chance.choice(ALL)
    if chance.random() < 0.25:
        wanted["timing"] = chance.choice(["NOW", "NOW", "AT_RENEWAL"])
    return wanted


def _quantity(chance: random.Random) -> dict[str, int]:
    how = chance.choice(["total", "add", "add", "remove"])
    return {how: chance.randint(0, 14) if how == "total" else chance.randint(1, 5)}
