"""previewChangePlan: what a change would do and cost, in every way, before anything is done.

It is noon of 16 April: 15 of 30 days are left. Acme has 15 editors at 15.00 USD, of which 5 are included, and
a base fee of 99.00: 249.00 a month. 5 of them were added on the 6th, on an invoice of 62.50 that is open.
"""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from app.billing.permissions import Role
from app.billing.plans import ChangeTiming
from app.billing.requests import ChangeRequest, SeatQuantity
from app.store.metadata import metadata
from app.store.transaction import BatchTx
from tests.api.schema.asking import confirm, preview, seats
from tests.api.world import SIGNER, World, change, end_with_the_period

# What is decided is the same on both databases; what is read is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])

ASKED = (Role.OWNER, Role.SEAT_MANAGER)


def rows(tx: BatchTx) -> dict[str, int]:
    """How many rows every table has."""
    counted = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
    return {name: tx.connection.execute(query).scalar_one() for name, query in counted.items()}


async def test_five_seats_more_halfway_cost_half_of_five_seats(world: World) -> None:
    """5 × 15.00 × 15/30 = 37.50 now; from May 249.00 + 5 × 15.00 = 324.00."""
    quote = await preview(world, seats=seats(add=5))

    (line,) = quote["lines"]
    assert (line["kind"], line["description"], line["formula"]) == (
        "ADDED", "5 Editor seats added", "5 seats × 15.00 USD × 15/30 days",
    )  # fmt: skip
    assert (line["quantity"], line["unitAmount"], line["numerator"], line["denominator"]) == (
        5,
        "15.00",
        15,
        30,
    )
    assert line["amount"] == {"amount": "37.50", "currency": "USD", "formatted": "$37.50"}
    assert (line["period"], line["waits"]) == ({"startsOn": "2026-04-16", "endsOn": "2026-05-01"}, False)
    assert quote["dueNow"]["total"]["amount"] == quote["dueNow"]["amountDue"]["amount"] == "37.50"
    assert (quote["atRenewal"]["total"]["amount"], quote["renewsOn"]) == ("324.00", "2026-05-01")
    assert quote["summary"] == (
        "5 Editor seats more from today: 37.50 USD now, then 324.00 USD from 1 May 2026 (before: 249.00 USD)."
    )


async def test_a_quote_says_when_it_counts_and_until_when_it_binds(world: World) -> None:
    """It is computed for this instant and binds for 15 minutes."""
    quote = await preview(world, seats=seats(total=20))

    assert (quote["effectiveAt"], quote["effectiveOn"]) == ("2026-04-16T16:00:00Z", "2026-04-16")
    assert quote["validUntil"] == "2026-04-16T16:15:00Z"
    assert (quote["prorationMode"], quote["timing"]) == ("PRORATED_IMMEDIATELY", "NOW")


async def test_every_way_the_plan_allows_stands_beside_it_with_a_token_of_its_own(world: World) -> None:
    """Due now and at the renewal in each mode: 75.00 is the full difference, 324.00 a new period, 361.50 the
    renewal with 37.50 that waited.
    """
    quote = await preview(world, seats=seats(add=5))

    ways = {
        (way["prorationMode"], way["timing"]): (
            way["dueNow"]["total"]["amount"],
            way["atRenewal"]["total"]["amount"],
        )
        for way in quote["alternatives"]
    }
    assert ways == {
        ("PRORATED_IMMEDIATELY", "NOW"): ("37.50", "324.00"),
        ("DIFFERENCE_IMMEDIATELY", "NOW"): ("75.00", "324.00"),
        ("FULL_IMMEDIATELY", "NOW"): ("324.00", "324.00"),
        ("PRORATED_ON_NEXT_INVOICE", "NOW"): ("0.00", "361.50"),
        ("DO_NOT_BILL", "NOW"): ("0.00", "324.00"),
        ("PRORATED_IMMEDIATELY", "AT_RENEWAL"): ("0.00", "324.00"),
    }
    assert len({way["token"] for way in quote["alternatives"]}) == 6


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        (
            {"seats": seats(remove=5)},
            (
                "5 Editor seats fewer from today: a credit of 37.50 USD now, then 174.00 USD from 1 May 2026 "
                "(before: 249.00 USD)."
            ),
        ),
        (
            {"seats": seats(remove=10)},
            (
                "10 Editor seats fewer from today: a credit of 75.00 USD now, 12.50 USD of it to the credit "
                "balance, then 99.00 USD from 1 May 2026 (before: 249.00 USD). "
                "Your credit balance pays a part of what is due on 1 May 2026."
            ),
        ),
        (
            {"seats": seats(total=10), "timing": "AT_RENEWAL"},
            (
                "Nothing now, then 174.00 USD from 1 May 2026 (before: 249.00 USD). "
                "From 1 May 2026: 10 Editor seats instead of 15."
            ),
        ),
        (
            {"seats": seats(add=5), "prorationMode": "PRORATED_ON_NEXT_INVOICE"},
            (
                "5 Editor seats more from today: nothing now, 37.50 USD before tax on the next document, "
                "then 361.50 USD from 1 May 2026 (before: 249.00 USD)."
            ),
        ),
        (
            {"seats": seats("viewer", add=1)},
            "1 Viewer seat more from today: nothing now, then 249.00 USD from 1 May 2026 as before.",
        ),
        (
            {"interval": "YEAR"},
            (
                "Team, billed yearly from today: 2365.50 USD now, then 2490.00 USD from 16 April 2027 "
                "(before: 249.00 USD)."
            ),
        ),
    ],
)
async def test_a_sentence_says_all_of_it(world: World, given: dict[str, Any], summary: str) -> None:
    """What changes from when, what it costs now and then, and what it would have cost."""
    quote = await preview(world, **given)

    assert quote["summary"] == summary


async def test_a_change_that_waits_shows_what_it_takes_the_place_of(world: World) -> None:
    """12 editors wait for the renewal; asking for 10 replaces that, and says so twice."""
    await change(
        world.store, world.acme, world.subscription, "twelve", SeatQuantity("editor", total=12),
        timing=ChangeTiming.AT_RENEWAL,
    )  # fmt: skip

    quote = await preview(world, seats=seats(total=10), timing="AT_RENEWAL")

    (scheduled,) = quote["scheduled"]
    assert scheduled["id"].startswith("chg_")
    assert scheduled["effectiveOn"] == "2026-05-01"
    assert scheduled["summary"] == "From 1 May 2026: 10 Editor seats instead of 15."
    assert scheduled["replaces"] == "12 Editor seats"
    assert quote["summary"] == (
        "Nothing now, then 174.00 USD from 1 May 2026 (before: 204.00 USD). "
        "From 1 May 2026: 10 Editor seats instead of 15. "
        "The change that waited for the renewal is dropped: 12 Editor seats."
    )


async def test_a_credit_first_lowers_what_is_due_and_the_rest_is_kept(world: World) -> None:
    """10 seats less give back 75.00: 62.50 are open on the invoice of the 6th, 12.50 join the balance."""
    quote = await preview(world, seats=seats(remove=10))

    assert [line["amount"]["amount"] for line in quote["lines"]] == ["-37.50", "-37.50"]
    assert quote["dueNow"]["total"]["amount"] == "-75.00"
    assert (quote["dueNow"]["amountDue"]["amount"], quote["creditAdded"]["amount"]) == ("0.00", "12.50")
    assert quote["creditAdded"]["formatted"] == "$12.50"


async def test_tax_is_one_line_for_each_rate(world: World) -> None:
    """In Berlin 5 × 15.00 × 15/30 = 37.50 bears 19 %: 7.125 is 7.13, and 44.63 in all."""
    text = """
    mutation ($id: ID!) {
      previewChangePlan(input: {subscriptionId: $id, seats: [{metric: "editor", quantity: {add: 5}}]}) {
        ... on ChangeQuote {
          lines { description }
          dueNow {
            taxes { label category ratePercent base { amount } amount { amount } }
            tax { amount } total { formatted }
          }
        }
      }
    }
    """
    asked = await world.ask("{ customer { subscription { id } } }", customer=world.globex)
    found = asked["customer"]["subscription"]["id"]
    quote = (await world.ask(text, customer=world.globex, id=found))["previewChangePlan"]

    assert quote["dueNow"]["taxes"] == [
        {
            "label": "USt.",
            "category": "STANDARD",
            "ratePercent": "19",
            "base": {"amount": "37.50"},
            "amount": {"amount": "7.13"},
        }
    ]
    assert quote["dueNow"]["total"]["formatted"] == "44,63\xa0€"


async def test_a_preview_writes_nothing(world: World) -> None:
    """Ten previews, and not a row more in any table."""
    before = await world.store.look(rows)
    for count in range(1, 11):
        assert (await preview(world, seats=seats(add=count)))["__typename"] == "ChangeQuote"

    assert await world.store.look(rows) == before


async def test_the_same_preview_at_the_same_instant_is_the_same(world: World) -> None:
    """Tokens and provisional ids included."""
    asked: dict[str, Any] = {"seats": seats(total=10), "timing": "AT_RENEWAL"}

    assert await preview(world, **asked) == await preview(world, **asked)


async def test_a_token_reads_back_what_was_asked(world: World) -> None:
    """The token is of this customer's subscription and of this request."""
    quote = await preview(world, seats=seats(add=5))

    token = SIGNER.read(quote["token"], customer=world.acme, subscription=world.subscription)

    assert token is not None
    assert isinstance(token.request, ChangeRequest)
    assert token.request.seats == (SeatQuantity("editor", add=5),)


@pytest.mark.parametrize("role", [Role.OWNER, Role.BILLING_ADMIN, Role.SEAT_MANAGER])
async def test_who_manages_seats_may_ask_what_a_change_costs(world: World, role: Role) -> None:
    """Three roles get a quote."""
    assert (await preview(world, role=role, seats=seats(add=1)))["__typename"] == "ChangeQuote"


async def test_a_subscription_that_ends_has_no_renewal_to_show(world: World) -> None:
    """A cancel waits: seats can still be added, and nothing comes after the period."""
    await world.store.run(world.acme, end_with_the_period, world.subscription)

    quote = await preview(world, seats=seats(add=5))

    assert (quote["atRenewal"], quote["renewsOn"]) == (None, None)
    assert quote["summary"] == "5 Editor seats more from today: 37.50 USD now."
    assert all(way["atRenewal"] is None for way in quote["alternatives"])


async def test_a_seat_manager_learns_what_a_change_costs_and_nothing_of_the_credit(world: World) -> None:
    """10 seats fewer put 12.50 into the balance. Of 37.50 for 5 more it pays 12.50, which a seat manager is
    not told, in no amount and no sentence; the token still binds to all of it.
    """
    fewer = {role: await preview(world, role=role, seats=seats(remove=10)) for role in ASKED}
    await confirm(world, seats=seats(remove=10))
    more = {role: await preview(world, role=role, seats=seats(add=5)) for role in ASKED}

    def credit(quote: dict[str, Any]) -> list[str]:
        due = quote["dueNow"]
        return [m["amount"] for m in (due["creditApplied"], due["amountDue"], quote["creditAdded"])]

    assert [credit(fewer[role]) for role in ASKED] == [["0.00", "0.00", "12.50"], ["0.00", "0.00", "0.00"]]
    assert [credit(more[role]) for role in ASKED] == [["12.50", "25.00", "0.00"], ["0.00", "37.50", "0.00"]]
    for seen in (fewer, more):
        full, part = (seen[role] for role in ASKED)
        assert (part["lines"], part["dueNow"]["total"]) == (full["lines"], full["dueNow"]["total"])
        assert "12.50" in json.dumps(full)
        assert "12.50" not in json.dumps(part)
        assert "balance" not in part["summary"]
        assert part["creditCoversUntil"] is None
        assert {way["creditCoversUntil"] for way in part["alternatives"]} == {None}
    assert fewer[Role.OWNER]["creditCoversUntil"] == "2026-05-01"
    made = await confirm(world, key="more", seats=seats(add=5), quoteToken=more[Role.SEAT_MANAGER]["token"])
    assert made["invoice"]["totals"]["amountDue"]["amount"] == "25.00"
