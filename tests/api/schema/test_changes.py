"""changePlan and cancelScheduledChange: what is done, once, and exactly as quoted.

It is noon of 16 April: 5 editors more cost 37.50 until the end of the month.
"""

from datetime import timedelta
from typing import Any

import pytest

from app.api.ids import Kind, decode_as
from app.store import transaction
from tests.api.schema.asking import cancel, confirm, preview, seats
from tests.api.world import World

# What is decided is the same on both databases; what is read is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


INVOICES = "{ customer { invoices { edges { node { id number totals { total { amount } } } } } } }"


async def invoices(world: World) -> dict[str, str]:
    """Totals of acme's invoices by number."""
    edges = (await world.ask(INVOICES))["customer"]["invoices"]["edges"]
    return {edge["node"]["number"]: edge["node"]["totals"]["total"]["amount"] for edge in edges}


async def test_what_was_shown_is_charged(world: World) -> None:
    """The quote of 37.50, confirmed ten minutes later with its token alone, is an invoice of 37.50."""
    quote = await preview(world, seats=seats(add=5))
    world.clock.advance(timedelta(minutes=10))

    done = await confirm(world, quoteToken=quote["token"])

    assert done["__typename"] == "PlanChanged"
    assert done["invoice"]["totals"]["total"] == quote["dueNow"]["total"]
    assert (done["invoice"]["status"], done["invoice"]["dueOn"]) == ("OPEN", "2026-04-30")
    assert (done["creditNote"], done["scheduledChanges"], done["replayed"]) == (None, [], False)
    assert (await invoices(world))["DEMO-INV-000004"] == "37.50"


async def test_the_answer_shows_the_subscription_after_the_change(world: World) -> None:
    """20 committed and a higher version: what is selected below a mutation is read after it."""
    before = (await world.ask("{ customer { subscription { version } } }"))["customer"]["subscription"]
    done = await confirm(world, seats=seats(add=5))

    editor = done["subscription"]["seats"][0]
    assert (editor["committed"], editor["purchased"], editor["atRenewal"]) == (20, 15, 20)
    assert done["subscription"]["version"] == before["version"] + 1


async def test_every_alternative_is_charged_as_it_was_shown(world: World) -> None:
    """Each mode's own token, confirmed in a world of its own by a preview just before."""
    quote = await preview(world, seats=seats(add=5))
    shown = {way["prorationMode"]: way for way in quote["alternatives"] if way["timing"] == "NOW"}

    way = shown["DIFFERENCE_IMMEDIATELY"]
    done = await confirm(world, quoteToken=way["token"])

    assert done["invoice"]["totals"]["total"]["amount"] == way["dueNow"]["total"]["amount"] == "75.00"


async def test_seats_given_back_make_a_credit_note(world: World) -> None:
    """10 seats: 75.00 back, of which 62.50 settle the open invoice and 12.50 join the balance."""
    done = await confirm(world, seats=seats(remove=10))
    balance = await world.ask("{ customer { creditBalance { amount } } }")

    assert done["invoice"] is None
    assert done["creditNote"]["totals"]["total"]["amount"] == "-75.00"
    assert done["creditAdded"]["amount"] == balance["customer"]["creditBalance"]["amount"] == "12.50"


async def test_a_change_that_waits_is_listed_until_the_renewal(world: World) -> None:
    """Nothing is billed; from 1 May 10 editors, and the seats say so."""
    done = await confirm(world, seats=seats(total=10), timing="AT_RENEWAL")

    (waiting,) = done["scheduledChanges"]
    assert waiting["summary"] == "From 1 May 2026: 10 Editor seats instead of 15."
    assert done["subscription"]["scheduledChanges"] == [waiting]
    assert (done["invoice"], done["creditNote"]) == (None, None)
    editor = done["subscription"]["seats"][0]
    assert (editor["committed"], editor["atRenewal"]) == (15, 10)


async def test_the_same_key_has_the_same_effect_once(world: World) -> None:
    """Sent three times, done once; the answers differ in `replayed` alone."""
    first = await confirm(world, key="once", seats=seats(add=5))
    again = await confirm(world, key="once", seats=seats(add=5))
    late = await confirm(world, key="once", seats=seats(add=5))

    assert (first["replayed"], again["replayed"], late["replayed"]) == (False, True, True)
    assert {**first, "replayed": True, "invoice": None} == {**again, "invoice": None}
    assert first["invoice"]["id"] == again["invoice"]["id"] == late["invoice"]["id"]
    assert len(await invoices(world)) == 3


async def test_a_key_is_replayed_after_its_quote_expired_and_others_changed(world: World) -> None:
    """The key is looked up first, before the token and the version."""
    quote = await preview(world, seats=seats(add=5))
    version = (await confirm(world, key="a", quoteToken=quote["token"]))["subscription"]["version"]
    world.clock.advance(timedelta(days=30))

    again = await confirm(world, key="a", quoteToken=quote["token"])

    assert (again["__typename"], again["replayed"]) == ("PlanChanged", True)
    assert again["subscription"]["version"] == version


async def test_a_key_used_for_something_else_is_refused(world: World) -> None:
    """Another number of seats under the same key does nothing."""
    await confirm(world, key="once", seats=seats(add=5))

    answer = await confirm(world, key="once", seats=seats(add=6))

    assert answer["__typename"] == "IdempotencyKeyReused"
    assert len(await invoices(world)) == 3


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(0, "The subscription has changed since the quote."), (16, "The quote has expired.")],
)
async def test_a_quote_that_no_longer_holds_comes_back_fresh(world: World, minutes: int, reason: str) -> None:
    """Nothing is charged; the refusal carries the new quote, and that one can be confirmed."""
    quote = await preview(world, seats=seats(total=20))
    if not minutes:
        await confirm(world, key="in between", seats=seats(add=1))
    world.clock.advance(timedelta(minutes=minutes))

    answer = await confirm(world, key="late", quoteToken=quote["token"])

    assert answer["__typename"] == "QuoteOutdated"
    assert answer["message"] == f"{reason} Look at the fresh quote and confirm that one."
    fresh = answer["current"]
    assert fresh["dueNow"]["total"]["amount"] == ("37.50" if minutes else "30.00")
    done = await confirm(world, key="late", quoteToken=fresh["token"])
    assert done["invoice"]["totals"]["total"] == fresh["dueNow"]["total"]


@pytest.mark.parametrize(
    "change",
    [
        {"seats": seats(add=6)},
        {"seats": seats(add=5), "prorationMode": "DO_NOT_BILL"},
        {"seats": seats(add=5), "timing": "AT_RENEWAL"},
        {"planCode": "business"},
    ],
)
async def test_a_token_is_good_for_its_own_change_alone(world: World, change: dict[str, Any]) -> None:
    """What is sent beside the token must be what was quoted."""
    quote = await preview(world, seats=seats(add=5))

    answer = await confirm(world, quoteToken=quote["token"], **change)

    assert answer["__typename"] == "InvalidInput"
    assert [problem["path"] for problem in answer["problems"]] == ["input.quoteToken"]


@pytest.mark.parametrize("tampered", ["", "x", "{token}x", "A{token}", "ünïcode"])
async def test_a_token_that_was_not_made_here_is_refused(world: World, tampered: str) -> None:
    """Altered, cut, invented, or empty: an empty token does not mean none."""
    quote = await preview(world, seats=seats(add=5))

    answer = await confirm(world, quoteToken=tampered.replace("{token}", quote["token"]), seats=seats(add=5))

    assert answer["__typename"] == "InvalidInput"
    assert len(await invoices(world)) == 2


async def test_a_version_that_is_not_the_present_one_is_refused(world: World) -> None:
    """Somebody else was quicker; with the version of now it works."""
    version = (await world.ask("{ customer { subscription { version } } }"))["customer"]["subscription"][
        "version"
    ]

    answer = await confirm(world, expectedVersion=version - 1, seats=seats(add=5))
    done = await confirm(world, expectedVersion=version, seats=seats(add=5))

    assert answer == {
        "__typename": "VersionConflict",
        "message": f"The subscription is at version {version}, not {version - 1}: somebody changed it. "
        "Read it again, then decide.",
        "expectedVersion": version - 1,
        "actualVersion": version,
    }
    assert done["__typename"] == "PlanChanged"


async def test_a_database_without_a_turn_is_busy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many changes at once are an answer with a number, not an error."""

    async def no_turn(*_: Any) -> None:
        raise transaction.Busy(7)

    monkeypatch.setattr(world.store, "run", no_turn)

    changed = await confirm(world, seats=seats(add=5))
    taken_back = await cancel(world, "chg_x")

    assert (changed["__typename"], changed["retryAfterSeconds"]) == ("Busy", 7)
    assert (taken_back["__typename"], taken_back["retryAfterSeconds"]) == ("Busy", 7)


async def test_a_renewal_that_was_due_is_billed_before_the_change(world: World) -> None:
    """On 3 May the April's end is billed first: 249.00, then 5 seats for 29 of 31 days, 70.16."""
    world.clock.advance(timedelta(days=17))

    done = await confirm(world, seats=seats(add=5))

    assert done["subscription"]["period"] == {"startsOn": "2026-05-01", "endsOn": "2026-06-01"}
    assert sorted((await invoices(world)).values()) == ["174.00", "249.00", "62.50", "70.16"]


async def test_a_change_that_waits_can_be_taken_back_once(world: World) -> None:
    """It no longer waits; the same key answers again, another one finds nothing."""
    done = await confirm(world, seats=seats(total=10), timing="AT_RENEWAL")
    (waiting,) = done["scheduledChanges"]

    cancelled = await cancel(world, waiting["id"], key="back")
    again = await cancel(world, waiting["id"], key="back")
    other = await cancel(world, waiting["id"], key="other")

    assert cancelled["__typename"] == "ScheduledChangeCancelled"
    assert cancelled["subscription"]["scheduledChanges"] == []
    assert cancelled["subscription"]["seats"][0]["atRenewal"] == 15
    assert again == {**cancelled, "replayed": True}
    assert other["__typename"] == "NotFound"


async def test_a_key_that_took_back_another_change_is_refused(world: World) -> None:
    """One key, two ids."""
    done = await confirm(world, seats=seats(total=10), timing="AT_RENEWAL")
    await cancel(world, done["scheduledChanges"][0]["id"], key="back")

    answer = await cancel(world, "chg_other", key="back")

    assert answer["__typename"] == "IdempotencyKeyReused"


async def test_the_scheduled_change_of_an_answer_can_be_found_by_its_id(world: World) -> None:
    """The id that the change got is that of the row, unlike the provisional one of the quote."""
    quote = await preview(world, seats=seats(total=10), timing="AT_RENEWAL")
    done = await confirm(world, quoteToken=quote["token"])
    text = "query ($id: ID!) { node(id: $id) { id ... on ScheduledChange { summary replaces } } }"

    (waiting,) = done["scheduledChanges"]
    found = await world.ask(text, id=waiting["id"])
    provisional = await world.ask(text, id=quote["scheduled"][0]["id"])

    assert found["node"] == {"id": waiting["id"], "summary": waiting["summary"], "replaces": None}
    assert provisional["node"] is None
    assert decode_as(Kind.SCHEDULED_CHANGE, waiting["id"]) is not None
