"""Addresses in the order of their country."""

import pytest

from app.documents.addresses import PATTERNS, address_lines


@pytest.mark.parametrize(
    ("country", "place", "lines"),
    [
        ("US", ("New York", "NY", "10013"), ["New York, NY 10013"]),
        ("us", ("New York", None, "10013"), ["New York 10013"]),
        ("US", ("New York", "NY", None), ["New York, NY"]),
        ("US", (None, "NY", "10013"), ["NY 10013"]),
        ("CA", ("Montreal", "QC", "H3Z 2Y7"), ["Montreal QC H3Z 2Y7"]),
        ("GB", ("London", None, "EC1A 1BB"), ["London", "EC1A 1BB"]),
        ("IE", ("Athlone", "Co. Westmeath", "N37 XY12"), ["Athlone", "Co. Westmeath", "N37 XY12"]),
        ("DE", ("Berlin", None, "10115"), ["10115 Berlin"]),
        ("FR", ("Paris", "Île-de-France", "75002"), ["75002 Paris", "Île-de-France"]),
        ("IT", ("Roma", "RM", "00144"), ["00144 Roma RM"]),
        ("BR", ("Salvador", "BA", "40301-110"), ["Salvador-BA", "40301-110"]),
        ("IN", ("Bengaluru", "Karnataka", "560001"), ["Bengaluru 560001", "Karnataka"]),
        ("NZ", ("Wellington", None, "6011"), ["Wellington 6011"]),
        ("JP", ("Minato-ku", "Tokyo", "106-0032"), ["Minato-ku, Tokyo", "106-0032"]),
        ("XX", ("Somewhere", None, None), ["Somewhere"]),
        (None, ("Somewhere", None, "123"), ["123 Somewhere"]),
        ("DE", (None, None, None), []),
    ],
)
def test_the_place_is_written_as_in_its_country(
    country: str | None, place: tuple[str | None, ...], lines: list[str]
) -> None:
    """Code and city in their order and on their lines; what is missing leaves no comma and no gap."""
    city, region, postal_code = place
    street = ("1 High Street", "")

    written = address_lines(street, city=city, region=region, postal_code=postal_code, country=country)

    assert written == ("1 High Street", *lines)


def test_every_country_has_one_order() -> None:
    """No code stands in two rows of the table, and no order leaves anything out."""
    codes = [code for countries in PATTERNS.values() for code in countries]

    assert len(codes) == len(set(codes))
    assert all(set("CSZ") <= set(pattern) for pattern in PATTERNS)
