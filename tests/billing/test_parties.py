"""The seller's catalog and the buyer's details."""

from uuid import UUID

from app.billing.parties import BankAccount, BillingDetails, Catalog, Seller
from tests.builders import EDITOR, NO_TAX, offered, plan_price, seat_price

DETAILS = BillingDetails("Acme Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")


def a_catalog() -> Catalog:
    bank = BankAccount("Northwind Software GmbH", "DE02120300000000202051", "BYLADEM1001", "DKB")
    seller = Seller(
        "Northwind Software GmbH",
        ("Hauptstraße 1",),
        "DE",
        None,
        None,
        "hello@northwind.example",
        "Europe/Berlin",
        14,
        bank,
    )
    plans = offered(plan_price(), plan_price(plan="pro", currency="EUR"))
    return Catalog(UUID(int=1), seller, NO_TAX, (seat_price().metric,), plans)


def test_complete_details_miss_nothing() -> None:
    """Postal code, region, tax id, e-mail and reference are wanted, but a document can do without."""
    assert DETAILS.missing == ()
    assert BillingDetails("Acme Inc.", ("1 Main Street",), city="Dublin", country="IE").missing == ()


def test_missing_details_are_named_in_words() -> None:
    """A document needs the legal name, a street address, the city and the country."""
    assert BillingDetails().missing == ("legal name", "street address", "city", "country")
    assert BillingDetails("", (), city="Dublin", country="IE").missing == ("legal name", "street address")


def test_a_catalog_is_searched_by_code() -> None:
    """Metrics and plans have unique codes; an unknown one is None."""
    catalog = a_catalog()

    assert catalog.metric(EDITOR) is catalog.metrics[0]
    assert catalog.plan("pro") is catalog.plans[1]
    assert catalog.metric("viewer") is None
    assert catalog.plan("solo") is None


def test_a_catalog_sells_in_the_currencies_of_its_prices() -> None:
    """One plan in dollars and one in euros."""
    assert {currency.code for currency in a_catalog().currencies} == {"USD", "EUR"}
