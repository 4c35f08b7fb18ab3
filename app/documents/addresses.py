"""The lines of a postal address, in the order that the country of the addressee has for them.

Most of the world writes the postal code before the city; the table has those that do not, by the patterns of
Google's address data (libaddressinput, the field `fmt`, or `lfmt` in Latin letters), which follow the
Universal Postal Union; a British county, which is not needed, goes before the code. Writing is not changed:
no capitals, no country prefix before the code.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

# C is the city, S the region, Z the postal code, | a new line; what stands before a field goes with it. Each
# pattern has all three, so that nothing that was given is left out.
EVERYWHERE_ELSE: Final = "Z C|S"
PATTERNS: Final = {
    "C, S Z": ("US", "AS", "GU", "MP", "PR", "VI", "TW", "BS"),
    "C S Z": ("CA", "AU", "CC", "CX", "NF"),
    "C|S|Z": ("GB", "GG", "IM", "JE", "FK", "GI", "IE", "ZA", "KE", "LK", "HK", "KR", "RU", "UA"),
    "C|S Z": ("ID", "VN"),
    "C Z|S": ("IN", "NZ", "SG", "IL", "SA", "JO", "KH"),
    "C, S|Z": ("JP",),
    "C|S, Z": ("CN",),
    "C-S|Z": ("BR",),
    "Z C S": ("ES", "IT"),
    "Z C, S": ("MX",),
    "Z C/S": ("TR",),
}
_OF_COUNTRY: Final = {country: pattern for pattern, countries in PATTERNS.items() for country in countries}
_FIELD: Final = re.compile(r"([^CSZ]*)([CSZ])")


def address_lines(
    street: Iterable[str],
    *,
    city: str | None,
    region: str | None,
    postal_code: str | None,
    country: str | None,
) -> tuple[str, ...]:
    """`548 Market Street`, `San Francisco, CA 94104`: the street's own lines, then what names the place,
    without the country. Nothing stands for what is not given.

    :param country: ISO 3166-1 alpha-2
    """
    values = {"C": city, "S": region, "Z": postal_code}
    pattern = _OF_COUNTRY.get((country or "").upper(), EVERYWHERE_ELSE)
    return tuple(line for line in (*street, *(_line(part, values) for part in pattern.split("|"))) if line)


@cache
def _fields(pattern: str) -> list[tuple[str, str]]:
    return _FIELD.findall(pattern)


def _line(pattern: str, values: dict[str, str | None]) -> str:
    line = ""
    for before, field in _fields(pattern):
        if value := values[field]:
            line += f"{before}{value}" if line else value
    return line
