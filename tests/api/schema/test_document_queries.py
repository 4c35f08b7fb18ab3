"""Invoices and credit notes as the schema shows them."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.api.ids import Kind, decode_as
from app.api.links import DocumentLinks
from app.billing.permissions import SYSTEM, Role
from app.services.record_payment import ReceivedPayment, record_payment
from app.store import files
from tests.api.schema.asking import confirm, operation, seats
from tests.api.world import SECRET, World


async def invoices(world: World, **variables: Any) -> list[dict[str, Any]]:
    """Acme's invoices in the order of the list."""
    data = await world.ask(operation("invoices"), **variables)
    return [edge["node"] for edge in data["customer"]["invoices"]["edges"]]


async def invoice(world: World, id: str) -> dict[str, Any]:
    """One invoice whole."""
    found: dict[str, Any] = (await world.ask(operation("invoice"), id=id))["invoice"]
    return found


async def test_invoices_come_newest_first_with_what_became_of_them(world: World) -> None:
    """62.50 of the 6th are open, 174.00 of the 1st are paid."""
    found = await invoices(world)

    assert [
        (i["number"], i["status"], i["issuedOn"], i["dueOn"], i["totals"]["total"]["amount"]) for i in found
    ] == [
        ("DEMO-INV-000002", "OPEN", "2026-04-06", "2026-04-20", "62.50"),
        ("DEMO-INV-000001", "PAID", "2026-04-01", "2026-04-15", "174.00"),
    ]
    amounts = [(i["amountPaid"]["amount"], i["amountOpen"]["amount"], i["paidAt"]) for i in found]
    assert amounts == [("0.00", "62.50", None), ("174.00", "0.00", "2026-04-02T15:00:00Z")]


@pytest.mark.parametrize(
    ("narrow", "numbers"),
    [
        ({"status": ["OPEN"]}, ["DEMO-INV-000002"]),
        ({"status": ["PAID", "OPEN", "OPEN"]}, ["DEMO-INV-000002", "DEMO-INV-000001"]),
        ({"status": ["VOID"]}, []),
        ({"status": []}, ["DEMO-INV-000002", "DEMO-INV-000001"]),
        ({"issuedFrom": "2026-04-02"}, ["DEMO-INV-000002"]),
        ({"issuedUntil": "2026-04-01"}, ["DEMO-INV-000001"]),
        ({"issuedFrom": "2026-04-01", "issuedUntil": "2026-04-06"}, ["DEMO-INV-000002", "DEMO-INV-000001"]),
        ({"search": "inv-000001"}, ["DEMO-INV-000001"]),
        ({"search": "_"}, []),
    ],
)
async def test_invoices_can_be_narrowed(world: World, narrow: dict[str, Any], numbers: list[str]) -> None:
    """By state, by day of issue with both ends, by part of the number."""
    assert [found["number"] for found in await invoices(world, **narrow)] == numbers


async def test_pages_of_invoices_join(world: World) -> None:
    """One at a time."""
    first = (await world.ask(operation("invoices"), first=1))["customer"]["invoices"]
    rest = (await world.ask(operation("invoices"), first=1, after=first["pageInfo"]["endCursor"]))["customer"]

    numbers = [page["edges"][0]["node"]["number"] for page in (first, rest["invoices"])]
    assert numbers == ["DEMO-INV-000002", "DEMO-INV-000001"]
    assert (first["pageInfo"]["hasNextPage"], rest["invoices"]["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_line_explains_itself_and_leads_to_its_events(world: World) -> None:
    """The 5 seats of the 6th: 25 of 30 days were left, and the event that added them is named."""
    newest, _ = await invoices(world)
    (line,) = (await invoice(world, newest["id"]))["lines"]

    assert (line["description"], line["formula"]) == (
        "5 Editor seats added", "5 seats × 15.00 USD × 25/30 days",
    )  # fmt: skip
    assert (line["numerator"], line["denominator"], line["reverses"]) == (25, 30, None)
    assert line["period"] == {"startsOn": "2026-04-06", "endsOn": "2026-05-01"}
    (event,) = line["events"]["edges"]
    assert (event["node"]["added"], event["node"]["balance"], event["node"]["source"]) == (5, 15, "CHANGE")


async def test_a_line_for_a_whole_quantity_leads_to_all_that_makes_it_up(world: World) -> None:
    """The first invoice: the base fee has no events, the 5 paid editors come from the start with 10."""
    _, oldest = await invoices(world)
    fee, editors = (await invoice(world, oldest["id"]))["lines"]

    assert (fee["description"], fee["unitAmount"], fee["numerator"]) == ("Team plan, base fee", "99.00", None)
    assert fee["events"]["edges"] == []
    nodes = [edge["node"] for edge in editors["events"]["edges"]]
    assert [(node["added"], node["source"]) for node in nodes] == [(10, "START")]


async def test_events_of_a_line_come_in_pages(world: World) -> None:
    """After the renewal in May the editors of the invoice come from the start and from the change."""
    world.clock.now = world.clock.now.replace(month=5)
    await confirm(world, seats=seats(add=1))
    text = """
    query ($first: Int!, $after: String) {
      customer { invoices(search: "000004") { edges { node { lines {
        events(first: $first, after: $after) {
          edges { node { added } } pageInfo { hasNextPage hasPreviousPage endCursor }
        }
      } } } } }
    }
    """

    async def page(after: str | None) -> dict[str, Any]:
        data = await world.ask(text, first=1, after=after)
        found: dict[str, Any] = data["customer"]["invoices"]["edges"][0]["node"]["lines"][1]["events"]
        return found

    first = await page(None)
    rest = await page(first["pageInfo"]["endCursor"])

    assert [edge["node"]["added"] for edge in (*first["edges"], *rest["edges"])] == [5, 10]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert rest["pageInfo"]["hasPreviousPage"] is True


async def test_both_parties_are_as_they_were_on_the_day(world: World) -> None:
    """Name, address, tax id, register and e-mail of seller and buyer."""
    newest, _ = await invoices(world)
    found = await invoice(world, newest["id"])

    assert found["seller"] == {
        "name": "Northwind Software GmbH",
        "address": ["Torstraße 1", "10119 Berlin"],
        "country": "DE",
        "taxId": "DE123456789",
        "registration": "HRB 12345 B",
        "email": "billing@northwind.example",
    }
    assert found["buyer"]["address"] == ["1 Main Street", "New York, NY 10001"]
    assert (found["buyer"]["name"], found["buyer"]["registration"]) == ("Acme Inc.", None)


async def test_a_credit_note_and_its_invoice_name_each_other(world: World) -> None:
    """5 seats back: −37.50 off the open 62.50, and 25.00 stay open; the credit names the charge."""
    done = await confirm(world, seats=seats(remove=5))
    note = (await world.ask(operation("creditNote"), id=done["creditNote"]["id"]))["creditNote"]
    newest, _ = await invoices(world)
    (charged,) = (await invoice(world, newest["id"]))["lines"]

    (line,) = note["lines"]
    assert (line["kind"], line["quantity"], line["amount"]["amount"]) == ("CREDIT", 5, "-37.50")
    assert line["formula"] == "−5 seats × 15.00 USD × 15/30 days"
    assert line["reverses"]["id"] == charged["id"]
    assert [i["number"] for i in note["invoices"]] == [newest["number"]]
    assert [n["number"] for n in newest["creditNotes"]] == [note["number"]]
    assert (newest["amountCredited"]["amount"], newest["amountOpen"]["amount"]) == ("37.50", "25.00")


async def test_credit_notes_are_a_list_of_their_own(world: World) -> None:
    """Two of them, newest first, and the balance that the rest of them feeds."""
    await confirm(world, key="1", seats=seats(remove=5))
    world.clock.now = world.clock.now.replace(hour=17)
    await confirm(world, key="2", seats=seats(remove=5))

    found = (await world.ask(operation("creditNotes"), first=1))["customer"]
    after = found["creditNotes"]["pageInfo"]["endCursor"]
    rest = (await world.ask(operation("creditNotes"), after=after))["customer"]["creditNotes"]

    numbers = [edge["node"]["number"] for edge in (*found["creditNotes"]["edges"], *rest["edges"])]
    assert numbers == ["DEMO-CRN-000002", "DEMO-CRN-000001"]
    assert (
        found["creditBalance"]["amount"] == found["creditNotes"]["edges"][0]["node"]["creditAdded"]["amount"]
    )


async def test_a_line_that_waits_has_words_but_no_document(world: World) -> None:
    """Added on the next invoice: the event leads to a line that stands nowhere yet."""
    await confirm(world, seats=seats(add=5), prorationMode="PRORATED_ON_NEXT_INVOICE")
    data = await world.ask(operation("seatEvents"), first=1)

    (line,) = data["customer"]["seatEvents"]["edges"][0]["node"]["invoiceLines"]
    assert (line["description"], line["document"]) == ("5 Editor seats added", None)


async def test_the_next_document_is_foreseen_with_what_waits(world: World) -> None:
    """37.50 that wait, the base fee, and 15 paid editors: 361.50 on 1 May."""
    await confirm(world, seats=seats(add=5), prorationMode="PRORATED_ON_NEXT_INVOICE")

    found = (await world.ask(operation("upcomingInvoice")))["customer"]["upcomingInvoice"]

    assert found["on"] == "2026-05-01"
    assert [(line["description"], line["amount"]["amount"]) for line in found["lines"]] == [
        ("5 Editor seats added", "37.50"),
        ("Team plan, base fee", "99.00"),
        ("15 Editor seats", "225.00"),
    ]
    assert found["totals"]["total"]["amount"] == "361.50"


async def test_the_link_to_a_pdf_is_signed_for_this_document_and_lives_for_minutes(world: World) -> None:
    """The link is believed now, for acme and this invoice, and not a minute after five."""
    newest, _ = await invoices(world)
    url = urlsplit(newest["pdf"]["url"])
    name, query = url.path.rpartition("/")[2], parse_qsl(url.query)
    links = DocumentLinks("https://billing.example", SECRET)

    signed = links.verify(name, query, at=world.clock.now)
    late = links.verify(name, query, at=world.clock.now.replace(minute=6))

    assert signed is not None
    assert (signed.customer, str(signed.document)) == (world.acme, newest["id"])
    assert late is None


async def test_a_pdf_that_was_made_is_ready_with_its_hash(world: World) -> None:
    """Before: not ready, and nothing is known; after: the hash and size of its bytes."""
    newest, oldest = await invoices(world)
    id = decode_as(Kind.INVOICE, oldest["id"])
    assert id is not None
    await world.store.run(world.acme, files.store_file, id, b"%PDF-1.7 made")

    made, unmade = (await invoice(world, oldest["id"]))["pdf"], (await invoice(world, newest["id"]))["pdf"]

    sha256 = hashlib.sha256(b"%PDF-1.7 made").hexdigest()
    assert (made["ready"], made["sha256"], made["byteSize"]) == (True, sha256, 13)
    assert (unmade["ready"], unmade["sha256"], unmade["byteSize"]) == (False, None, None)


async def test_a_payment_in_part_leaves_the_rest_open(world: World) -> None:
    """All of 62.50 comes in: nothing is open, and when is known."""
    newest, _ = await invoices(world)
    id = decode_as(Kind.INVOICE, newest["id"])
    assert id is not None
    await world.store.run(world.acme, record_payment, SYSTEM, ReceivedPayment(id))

    paid, _ = await invoices(world)

    assert (paid["status"], paid["amountPaid"]["amount"], paid["amountOpen"]["amount"]) == (
        "PAID",
        "62.50",
        "0.00",
    )
    assert paid["paidAt"] == "2026-04-16T16:00:00Z"


async def test_a_seat_manager_sees_no_money_anywhere(world: World) -> None:
    """Every way to an amount of money that moved is null; balances of seats are not."""
    newest, _ = await invoices(world)
    line = (await invoice(world, newest["id"]))["lines"][0]["id"]
    note = (await confirm(world, seats=seats(remove=5)))["creditNote"]["id"]
    text = """
    query ($invoice: ID!, $note: ID!, $line: ID!) {
      customer {
        creditBalance { amount } billingDetails { missing } upcomingInvoice { on }
        invoices { edges { cursor } } creditNotes { edges { cursor } }
        seatBalances { committed }
      }
      invoice(id: $invoice) { number }
      creditNote(id: $note) { number }
      a: node(id: $invoice) { id }
      b: node(id: $note) { id }
      c: node(id: $line) { id }
    }
    """
    ids = {"invoice": newest["id"], "note": note, "line": line}

    hidden = await world.ask(text, role=Role.SEAT_MANAGER, **ids)
    shown = await world.ask(text, role=Role.VIEWER, **ids)

    assert hidden == {
        "customer": {
            "creditBalance": None,
            "billingDetails": None,
            "upcomingInvoice": None,
            "invoices": None,
            "creditNotes": None,
            "seatBalances": [{"committed": 10}, {"committed": 0}],
        },
        "invoice": None, "creditNote": None, "a": None, "b": None, "c": None,
    }  # fmt: skip
    assert None not in shown.values()
    assert None not in shown["customer"].values()
