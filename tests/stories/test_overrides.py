"""What a customer negotiated: an own price for a while, seats on top, a minimum. Everything that the page
shows agrees with what is billed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.billing.overrides import Aspect, OwnPrice
from app.billing.plans import PricingModel, Tier
from tests.portal import Portal
from tests.stories.conftest import CATALOG
from tests.stories.diary import GERMAN, Diary, instant

ZONE = "America/New_York"
TWELVE = OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal("12.00")),))
PEAKS = """
[plans.peaks]
name = "Peaks"
description = "The most editors of a month, 10.00 each."

[[plans.peaks.prices]]
interval = "MONTH"
currency = "USD"
seats.editor = { basis = "PEAK", unit_amount = "10.00" }
increase = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
decrease = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
"""
OFFER = """
query offer {
  plans { code prices { interval seats { metric { code } minimum maximum summary listSummary } } }
}
"""


def midnight(day: str) -> Any:
    """The first instant of a day in New York."""
    return instant(day, "00:00", ZONE)


async def offered(diary: Diary, plan: str) -> list[dict[str, Any]]:
    """The seats of a plan as this customer sees them on offer."""
    plans = (await diary.portal.ask(diary.token, OFFER))["plans"]
    (found,) = (each for each in plans if each["code"] == plan)
    return list(found["prices"][0]["seats"])


async def upcoming(diary: Diary) -> str:
    """The total of the next document, as the page shows it."""
    return str((await diary.page())["upcomingInvoice"]["totals"]["total"]["amount"])


async def test_an_own_price_for_six_weeks(portal: Portal) -> None:
    """10 editors on Team, 5 included: 99.00 + 5 × 15.00 = 174.00 in April. From the 16th until June further
    editors are 12.00 by agreement. What April was billed stays: five more on the 16th are 5 × 12.00 × 15/30 =
    30.00. Six go on the 17th: the five at 12.00 × 14/30 = 28.00, one of the first at 15.00 × 14/30 = 7.00. In
    May the 9 cost 99.00 + 4 × 12.00 = 147.00, in June 99.00 + 4 × 15.00 = 159.00.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    term = {"starts_at": midnight("2026-04-16"), "ends_at": midnight("2026-06-01")}
    await diary.on("2026-04-10").agrees(price=TWELVE, note="for the launch", **term)
    assert await upcoming(diary) == "159.00"  # 99.00 + 5 × 12.00, by what will hold in May.
    assert [seat["listSummary"] for seat in await offered(diary, "team")] == [None]

    more = await diary.on("2026-04-16").changes(editor=15)
    assert more.invoice
    assert more.invoice.lines == ["5 seats × 12.00 USD × 15/30 days = 30.00"]
    assert more.invoice.descriptions == ["5 Editor seats added, at the agreed price"]
    assert more.quote["atRenewal"]["total"]["amount"] == await upcoming(diary) == "219.00"

    less = await diary.on("2026-04-17").changes(editor=9)
    assert less.credit_note
    assert less.credit_note.lines == [
        "\u22125 seats × 12.00 USD × 14/30 days = -28.00",
        "\u22121 seat × 15.00 USD × 14/30 days = -7.00",
    ]
    assert less.credit_note.descriptions == [
        "5 Editor seats removed, at the agreed price",
        "1 Editor seat removed",
    ]

    seats = (await diary.page())["subscription"]["price"]["seats"]
    assert seats == [
        {
            "summary": "5 included, then 12.00 USD a month for each further seat, as agreed.",
            "listSummary": "5 included, then 15.00 USD a month for each further seat.",
        }
    ]
    (on_offer,) = await offered(diary, "team")
    assert (on_offer["summary"], on_offer["listSummary"]) == (seats[0]["summary"], seats[0]["listSummary"])

    await diary.on("2026-05-01").is_billed()
    assert await upcoming(diary) == "159.00"
    await diary.on("2026-06-01").is_billed()
    *_, may, june = await diary.invoices()
    assert may.lines == ["99.00 USD = 99.00", "4 seats × 12.00 USD = 48.00"]
    assert may.descriptions[1] == "4 Editor seats, at the agreed price"
    assert june.lines == ["99.00 USD = 99.00", "4 seats × 15.00 USD = 60.00"]
    assert june.descriptions[1] == "4 Editor seats"
    assert (await diary.page())["subscription"]["price"]["seats"][0]["listSummary"] is None


async def test_seats_on_top_and_what_is_left_when_they_go(portal: Portal) -> None:
    """10 editors at 10.00, and 3 on top from the 5th on: 12 people fit, and nothing is billed for it. On the
    20th the grant is withdrawn: two are above the limit, and stay until somebody decides. What was granted on
    the 6th can be read for ever, and that it was not known on the 4th.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    balance = await diary.on("2026-04-05").agrees(granted=3)
    assert (balance.limit, balance.granted) == (13, 3)
    await diary.on("2026-04-06").reports(added=12)
    editors = (await diary.page())["seatBalances"][0]
    assert (editors["committed"], editors["granted"], editors["limit"]) == (10, 3, 13)
    assert (editors["available"], editors["overage"]) == (1, 0)
    refused = await diary.is_refused(editor=8)
    assert (refused["inUse"], refused["limit"]) == (12, 11)

    balance = await diary.on("2026-04-20").agrees(withdraws=frozenset({Aspect.GRANTED}))
    assert (balance.limit, balance.overage) == (10, 2)
    then = midnight("2026-04-07").isoformat()
    balances = [
        (await diary.page(**at))["seatBalances"][0]
        for at in ({}, {"asOf": then}, {"asOf": then, "knownAt": midnight("2026-04-04").isoformat()})
    ]
    assert [(each["granted"], each["limit"], each["overage"]) for each in balances] == [
        (0, 10, 2),
        (3, 13, 0),
        (0, 10, 0),
    ]
    await diary.on("2026-05-01").is_billed()
    assert [invoice.total for invoice in await diary.invoices()] == ["100.00", "100.00"]


async def test_an_own_minimum_in_berlin(portal: Portal) -> None:
    """8 editors on Team in EUR: 99.00 + 3 × 15.00 = 144.00 and 19 % are 171.36. In the middle of April at
    least 10 are agreed: nothing is billed before May, then 99.00 + 5 × 15.00 = 174.00 and 33.06: 207.06.
    Below 10 nobody can go any more.
    """
    diary = await Diary.opened(
        portal, "2026-04-01", name="globex", currency="EUR", zone="Europe/Berlin", details=GERMAN
    )
    await diary.starts("team", editor=8)
    await diary.on("2026-04-16").agrees(minimum=10, maximum=40)

    assert len(await diary.invoices()) == 1
    assert await upcoming(diary) == "207.06"
    refused = await diary.is_refused(editor=7)
    assert refused["__typename"] == "BelowMinimum"
    assert (await diary.is_refused(editor=41))["__typename"] == "AboveMaximum"
    (seat,) = await offered(diary, "team")
    assert (seat["minimum"], seat["maximum"]) == (10, 40)

    await diary.on("2026-05-01").is_billed()
    assert [invoice.total for invoice in await diary.invoices()] == ["171.36", "207.06"]


async def test_a_quote_binds_although_another_price_was_agreed_since(portal: Portal) -> None:
    """At noon five more editors are quoted at 15.00 each; at ten past noon 12.00 are agreed. The quote is
    charged as shown, 37.50; a fresh one goes by the new price.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=10)
    quote = await diary.on("2026-04-16").previews(editor=15)
    await diary.on("2026-04-16", "12:10").agrees(price=TWELVE)

    done = diary.made(quote, await diary.confirms(quote["token"], editor=15))

    assert done.invoice
    assert done.invoice.lines == ["5 seats × 15.00 USD × 15/30 days = 37.50"]
    fresh = await diary.previews(editor=20)
    assert fresh["dueNow"]["total"]["amount"] == "30.00"


async def test_use_and_its_corrections_go_by_the_price_of_their_day(portal: Portal) -> None:
    """Editors by their peak, 10.00 each. 8 are in use from 2 April on; from the 16th until May 6.00 are
    agreed. On 1 May: 8 × 10.00 × 15/30 = 40.00 and 8 × 6.00 × 15/30 = 24.00. On the 3rd the vendor finds that
    it was 10 from 20 April on: the second half should be 10 × 6.00 × 15/30 = 30.00, so 6.00 are added in
    June, by the price of that time, although 10.00 hold again.
    """
    await portal.offer(CATALOG.read_text("utf-8") + PEAKS)
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("peaks")
    await diary.on("2026-04-02").reports(added=8)
    term = {"starts_at": midnight("2026-04-16"), "ends_at": midnight("2026-05-01")}
    await diary.on("2026-04-15").agrees(
        price=OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal(6)),)), **term
    )
    assert await upcoming(diary) == "64.00"

    await diary.on("2026-05-01").is_billed()
    await diary.on("2026-05-03").reports(added=2, effective_at=midnight("2026-04-20"))
    await diary.on("2026-06-01").is_billed()

    april, may = await diary.invoices()
    assert april.lines == [
        "8 seats × 10.00 USD × 15/30 days = 40.00",
        "8 seats × 6.00 USD × 15/30 days = 24.00",
    ]
    assert [words.endswith("at the agreed price") for words in april.descriptions] == [False, True]
    assert may.lines == [
        "10 seats × 6.00 USD × 15/30 days \u2212 24.00 USD = 6.00",
        "10 seats × 10.00 USD = 100.00",
    ]
    assert [words.endswith("at the agreed price") for words in may.descriptions] == [True, False]
