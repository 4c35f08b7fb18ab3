"""A small valid catalog as text, and ways to make it wrong."""

from __future__ import annotations

from app.services.catalog_file import Declared, parse_catalog

SMALL = """
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

[[tax_rates]]
country = "DE"
label = "VAT"
rate = "19"
starts = 2007-01-01

[metrics.editor]
label = "Editor"

[plans.team]
name = "Team"
description = "Five editors included."

[[plans.team.prices]]
interval = "MONTH"
currency = "USD"
base_fee = "99.00"
seats.editor = { included = 5, unit_amount = "15.00" }
increase = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
decrease = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
"""

YEARLY = """
[[plans.team.prices]]
interval = "YEAR"
currency = "USD"
base_fee = "990.00"
seats.editor = { included = 5, unit_amount = "144.00" }
increase = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
decrease = { modes = ["PRORATED_IMMEDIATELY"], timing = "AT_RENEWAL" }
"""


def changed(old: str, new: str, text: str = SMALL) -> str:
    """The text with one part of it replaced, which must be there once."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the catalog"
    return text.replace(old, new)


def seats(price: str) -> str:
    """The small catalog with another price of its seats, written as an inline table."""
    return changed('{ included = 5, unit_amount = "15.00" }', price)


def tiered(model: str, *tiers: str) -> str:
    """Seats in tiers, written as an inline table."""
    return f'{{ model = "{model}", tiers = [{", ".join(tiers)}] }}'


def declared(text: str = SMALL) -> Declared:
    """What a valid catalog declares."""
    parsed = parse_catalog(text)
    assert isinstance(parsed, Declared), parsed
    return parsed


def problems(text: str) -> dict[str, str]:
    """What is wrong with a catalog, by path."""
    parsed = parse_catalog(text)
    assert not isinstance(parsed, Declared), "the catalog is valid"
    return {problem.path: problem.message for problem in parsed}
