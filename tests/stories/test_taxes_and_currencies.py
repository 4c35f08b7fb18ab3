"""Taxes that change, taxes that others pay, details without which there is no invoice, and other money."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from app.billing.parties import BillingDetails
from tests.documents.reading import texts
from tests.portal import Portal
from tests.stories.diary import GERMAN, Diary

AUSTRIAN = BillingDetails("Hooli GmbH", ("Ring 1",), "1010", "Wien", None, "AT", "ATU99999999")


async def in_berlin(portal: Portal, day: str, details: BillingDetails = GERMAN, editors: int = 10) -> Diary:
    """A customer in euros who pays 10.00 a month for each editor."""
    diary = await Diary.opened(
        portal, day, name="globex", currency="EUR", zone="Europe/Berlin", details=details
    )
    return await diary.starts("simple", editor=editors)


async def test_a_credit_keeps_the_tax_of_its_charge(portal: Portal) -> None:
    """Charged on 16 June 2020 at 19 %. From 1 July on it is 16 %. What comes back then, 2 × 10.00 × 15/30 =
    10.00, was taxed at 19 %: 1.90. What is added the next day, 3 × 10.00 × 14/30 = 14.00, pays 16 %: 2.24.
    """
    diary = await in_berlin(portal, "2020-06-16")

    less = await diary.on("2020-07-01").changes(editor="-2")
    more = await diary.on("2020-07-02").changes(editor="+3")
    await diary.on("2020-07-16").is_billed()

    assert less.credit_note
    assert less.credit_note.taxes == ["VAT 19 % on -10.00 = -1.90"]
    assert more.invoice
    assert more.invoice.taxes == ["VAT 16 % on 14.00 = 2.24"]
    assert (await diary.invoices())[-1].taxes == ["VAT 16 % on 110.00 = 17.60"]


async def test_two_rates_in_one_change_make_two_documents(portal: Portal) -> None:
    """Simple → Pro on 1 July 2020: 50.00 come back at 19 %, a credit note of 59.50; 100.00 are charged at
    16 %, an invoice of 116.00. June's invoice of 119.00 is not paid yet: 59.50 of it stay open.
    """
    diary = await in_berlin(portal, "2020-06-16")

    change = await diary.on("2020-07-01").changes(plan="pro")

    assert change.credit_note
    assert change.credit_note.taxes == ["VAT 19 % on -50.00 = -9.50"]
    assert change.invoice
    assert change.invoice.taxes == ["VAT 16 % on 100.00 = 16.00"]
    assert change.quote["dueNow"]["total"]["amount"] == "56.50"
    assert [invoice.open for invoice in await diary.invoices()] == ["59.50", "116.00"]


async def test_a_business_in_another_eu_country_accounts_for_the_tax_itself(portal: Portal) -> None:
    """An Austrian company with a VAT id pays 100.00 and no tax. The tax line says why, and the PDF has the
    sentence that the law asks for and both VAT ids. Without the id the Austrian buyer pays Germany's 19 %.
    """
    diary = await in_berlin(portal, "2026-04-01", AUSTRIAN)
    (invoice,) = await diary.invoices()
    assert (invoice.total, invoice.taxes) == ("100.00", ["REVERSE_CHARGE: VAT 0 % on 100.00 = 0.00"])

    answer = await portal.http.get(urlsplit(invoice.pdf)._replace(scheme="", netloc="").geturl())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    (text,) = texts(answer.content)
    assert "reverse charge" in text.lower()
    assert "DE999999999" in text
    assert "ATU99999999" in text

    await diary.on("2026-04-16").gives_details(replace(AUSTRIAN, tax_id=None))
    more = await diary.changes(editor="+2")
    assert more.invoice
    assert more.invoice.taxes == ["VAT 19 % on 10.00 = 1.90"]


async def test_without_billing_details_there_is_no_invoice(portal: Portal) -> None:
    """A free customer without an address may take free seats, but not change to a plan that costs: the answer
    says what is missing. With the details given it goes through: 3 × 10.00 × 15/30 = 15.00.
    """
    nobody = BillingDetails(legal_name="Acme Inc.", country="US")
    diary = await Diary.opened(portal, "2026-04-01", details=nobody)
    await diary.starts("free", editor=2)
    await diary.on("2026-04-10").changes(editor=3)

    refused = await diary.on("2026-04-16").is_refused(plan="simple")
    assert refused["__typename"] == "BillingDetailsMissing"
    assert refused["missing"] == ["street address", "city"]
    assert refused["message"] == (
        "An invoice needs the following billing details first: street address, city."
    )

    await diary.gives_details(replace(nobody, lines=("1 Main Street",), city="New York"))
    change = await diary.changes(plan="simple")
    assert change.invoice
    assert change.invoice.total == "15.00"


async def test_a_renewal_without_billing_details_is_parked(portal: Portal) -> None:
    """A customer's address was emptied in April. On 1 May the billing run says what is missing and makes
    nothing; so do a preview and a change, even one that bills nothing itself. Once it is there again May is
    billed, dated the 1st, and then the change.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    address = BillingDetails("Acme Inc.", ("1 Main Street",), "10001", "New York", "NY", "US")
    await diary.on("2026-04-20").gives_details(replace(address, lines=()))

    assert await diary.on("2026-05-01").is_billed() == [
        "An invoice needs the following billing details first: street address."
    ]
    for timing in ("NOW", "AT_RENEWAL"):
        refused = await diary.on("2026-05-02").is_refused(editor=11, timing=timing)
        assert refused["missing"] == ["street address"]

    await diary.on("2026-05-17").gives_details(address)
    more = await diary.changes(editor=11)
    assert more.invoice
    assert more.invoice.lines == ["1 seat × 10.00 USD × 15/31 days = 4.84"]
    assert [invoice.issued_on for invoice in await diary.invoices()] == [
        "2026-04-01",
        "2026-05-01",
        "2026-05-17",
    ]


async def test_yen_have_no_decimals(portal: Portal) -> None:
    """In March, 31 days, five editors from the 16th on: 5 × 1,000 × 16/31 = 2,580.645, so 2,581 yen; three of
    them given back on the 20th are 3 × 1,000 × 12/31 = 1,161.29, so 1,161.
    """
    details = BillingDetails("Massive Dynamic KK", ("Marunouchi 1",), "100-0005", "Tokyo", None, "JP")
    diary = await Diary.opened(
        portal, "2026-03-01", name="massive", currency="JPY", zone="Asia/Tokyo", details=details
    )
    await diary.starts("simple", editor=5)

    more = await diary.on("2026-03-16").changes(editor="+5")
    less = await diary.on("2026-03-20").changes(editor="-3")

    assert more.invoice
    assert more.invoice.lines == ["5 seats × 1000 JPY × 16/31 days = 2581"]
    assert more.invoice.taxes == ["OUTSIDE_SCOPE: VAT 0 % on 2581 = 0"]
    assert less.credit_note
    assert less.credit_note.lines == ["\u22123 seats × 1000 JPY × 12/31 days = -1161"]
    assert less.credit_note.total == "-1161"


async def test_dinars_have_three_decimals(portal: Portal) -> None:
    """Three editors at 3.750 dinars from 16 March on: 11.250 × 16/31 = 5.80645, so 5.806; all three given
    back on the last day: 11.250 × 1/31 = 0.3629, so 0.363.
    """
    details = BillingDetails("Umbrella WLL", ("Fahad Street 5",), None, "Kuwait City", None, "KW")
    diary = await Diary.opened(
        portal, "2026-03-01", name="umbrella", currency="KWD", zone="Asia/Kuwait", details=details
    )
    await diary.starts("simple", editor=2)

    more = await diary.on("2026-03-16").changes(editor="+3")
    less = await diary.on("2026-03-31").changes(editor="-3")

    assert more.invoice
    assert more.invoice.lines == ["3 seats × 3.750 KWD × 16/31 days = 5.806"]
    assert less.credit_note
    assert less.credit_note.lines == ["\u22123 seats × 3.750 KWD × 1/31 days = -0.363"]
