"""Money in the schema: exact digits, and written out in a locale."""

import pytest
from graphql import GraphQLObjectType, build_schema

from tests.api.tiny import Tiny, World, tiny_parts


def test_money_has_its_currencys_digits_and_is_written_in_the_customers_locale(tiny: Tiny) -> None:
    """−44.63 EUR for an English reader; another locale by argument; null means the customer's."""
    formatted = 'formatted german: formatted(locale: "de-DE") own: formatted(locale: null)'
    query = f"{{ money {{ amount currency {formatted} }} }}"

    assert tiny.post(query).json()["data"]["money"] == {
        "amount": "-44.63",
        "currency": "EUR",
        "formatted": "−€44.63",
        "german": "−44,63\xa0€",
        "own": "−€44.63",
    }


@pytest.mark.parametrize("locale", ["de", "de-DE", "de_AT", "de-XX", "zh-Hant-TW", "pt-BR"])
def test_known_languages_are_taken(tiny: Tiny, locale: str) -> None:
    """Also with a region or script that has no formats of its own."""
    answer = tiny.post("query ($l: String) { money { formatted(locale: $l) } }", {"l": locale})

    assert "44" in answer.json()["data"]["money"]["formatted"]


@pytest.mark.parametrize(
    "locale", ["", "english", "xx", "../../etc/passwd", "e", "de" * 50, "de-" + "x" * 50, "日本"]
)
def test_an_unknown_locale_is_the_users_input(tiny: Tiny, locale: str) -> None:
    """Nothing is guessed: the error shows how a tag looks."""
    (error,) = tiny.errors("query ($l: String) { money { formatted(locale: $l) } }", {"l": locale})

    assert "is not a locale. Use a BCP 47 tag like en-GB or de-DE." in error["message"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


def test_the_schema_of_money() -> None:
    """Amounts and currencies are never null; the locale may be left out and has no default to break."""
    kind = build_schema(tiny_parts(World()).schema.as_str()).type_map["Money"]

    assert isinstance(kind, GraphQLObjectType)
    assert {name: str(field.type) for name, field in kind.fields.items()} == {
        "amount": "Decimal!",
        "currency": "CurrencyCode!",
        "formatted": "String!",
    }
    locale = kind.fields["formatted"].args["locale"]
    assert (str(locale.type), locale.default, bool(locale.description)) == ("String", None, True)
