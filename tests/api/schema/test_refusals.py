"""Every expected no, with the numbers needed to go on. Nothing is changed by any of them."""

from datetime import timedelta
from typing import Any

import pytest

from app.api.ids import Kind, encode
from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM, Role
from app.services.record_seats import SeatReport, record_seats
from app.services.register_customer import change_billing_details
from app.store.ids import new_id
from tests.api.schema.asking import cancel, confirm, preview, seats
from tests.api.world import World, end_with_the_period, instant

# What is decided is the same on both databases; what is read is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


NOT_WAITING = {
    "__typename": "NotFound",
    "message": "There is no such scheduled change. It may have been applied, replaced or cancelled "
    "meanwhile: look at the subscription's scheduled changes again, and check the id.",
}


async def at_renewal(world: World, *, total: int) -> str:
    """The id of a change that waits."""
    made = await confirm(world, key=f"to {total}", seats=seats(total=total), timing="AT_RENEWAL")
    (change,) = made["scheduledChanges"]
    id: str = change["id"]
    return id


async def refused(world: World, **change: Any) -> dict[str, Any]:
    """The answer to a preview and to a change, which is the same no."""
    quoted = await preview(world, **change)
    changed = await confirm(world, **change)
    assert quoted == changed
    return changed


async def test_seats_in_use_names_the_people_and_how_many_are_left(world: World) -> None:
    """The plan includes 5, so they stay usable; with 3 in use even 0 committed seats are enough. A plan for
    at most 2 is not.
    """
    answer = await refused(world, planCode="solo", seats=seats(total=2))

    assert answer == {
        "__typename": "SeatsInUse",
        "message": "3 Editor seats are in use, and 2 would be left. Release 1 seat first, or keep more.",
        "metric": {"code": "editor", "label": "Editor", "unit": "seat"},
        "inUse": 3,
        "requested": 2,
        "limit": 2,
        "holders": [
            {"reference": f"user-{i}", "name": f"Person {i}", "email": f"user-{i}@acme.example"}
            for i in range(3)
        ],
        "holderCount": 3,
    }


async def test_too_few_seats_for_a_plan_say_its_minimum(world: World) -> None:
    """Business begins with 3 editors."""
    answer = await refused(world, planCode="business", seats=seats(total=2))

    assert (answer["__typename"], answer["minimum"], answer["requested"]) == ("BelowMinimum", 3, 2)
    assert answer["message"] == "The plan needs at least 3 Editor seats; 2 were asked for."


async def test_too_many_seats_for_a_plan_say_its_maximum(world: World) -> None:
    """Solo ends with 2 editors; 15 are committed and stay so when nobody names them."""
    answer = await refused(world, planCode="solo")

    assert (answer["__typename"], answer["maximum"], answer["requested"]) == ("AboveMaximum", 2, 15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"planCode": "teem"},
            "There is no plan 'teem' on offer. Choose one of: team, business, solo, bank.",
        ),
        ({"planCode": "bank"}, "Bank is not sold by the MONTH in USD. In USD there is: nothing."),
        ({"interval": "QUARTER"}, "Team is not sold by the QUARTER in USD. In USD there is: MONTH, YEAR."),
    ],
)
async def test_a_plan_that_cannot_be_had_is_said_to_be_so(
    world: World, change: dict[str, Any], message: str
) -> None:
    """Unknown, sold in another currency only, or not at this interval."""
    answer = await refused(world, **change)

    assert (answer["__typename"], answer["message"]) == ("PlanNotAvailable", message)


async def test_a_mode_the_plan_does_not_allow_lists_those_it_does(world: World) -> None:
    """Business lets increases be prorated at once and nothing else."""
    await _leave_viewers(world)
    assert (await confirm(world, planCode="business"))["__typename"] == "PlanChanged"

    answer = await preview(world, seats=seats(add=1), prorationMode="DO_NOT_BILL")

    assert (answer["__typename"], answer["requestedMode"], answer["allowedModes"]) == (
        "ProrationModeNotAllowed", "DO_NOT_BILL", ["PRORATED_IMMEDIATELY"],
    )  # fmt: skip
    now_please = await preview(world, seats=seats(remove=1), timing="NOW")
    assert (now_please["requestedTiming"], now_please["allowedTimings"]) == ("NOW", ["AT_RENEWAL"])


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (
            {"seats": [*seats("edtor", total=1), *seats(total=-1)]},
            [
                ("input.seats[0].metric", "Team has no seats called 'edtor'. It has: editor, viewer."),
                ("input.seats[1].quantity.total", "total must be from 0 to 100000, not -1."),
            ],
        ),
        (
            {"seats": [*seats(add=1), *seats(add=2)]},
            [("input.seats[1].metric", "'editor' is named twice. Name each kind of seat once.")],
        ),
        (
            {"seats": seats(remove=16)},
            [("input.seats[0].quantity.remove", "16 cannot be removed: 15 are committed.")],
        ),
        (
            {"seats": seats(add=2_000_000_000)},
            [("input.seats[0].quantity.add", "add must be from 1 to 100000, not 2000000000.")],
        ),
        (
            {"seats": [entry for i in range(21) for entry in seats(f"m{i}", add=1)]},
            [("input.seats", "21 entries are too many. Name each metric once, 20 at most.")],
        ),
        (
            {"planCode": ""},
            [("input.planCode", "A plan code is not empty. Leave it out to keep the present plan.")],
        ),
    ],
)
async def test_input_that_means_nothing_says_where_and_why(
    world: World, change: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    """All problems at once, each with its place in the input."""
    answer = await refused(world, **change)

    assert answer["__typename"] == "InvalidInput"
    assert [(problem["path"], problem["message"]) for problem in answer["problems"]] == problems


@pytest.mark.parametrize("quantity", [{}, {"add": 1, "remove": 1}, {"total": None}])
async def test_a_quantity_is_exactly_one_of_three(world: World, quantity: dict[str, Any]) -> None:
    """None, two, or null is no quantity; the schema refuses it before anything runs."""
    text = "mutation ($input: PreviewChangePlanInput!) { previewChangePlan(input: $input) { __typename } }"
    change = {"subscriptionId": world.subscription_id, "seats": seats(**quantity)}

    result = await world.run(text, {"input": change})

    assert result.data is None
    assert result.errors is not None


async def test_what_is_so_already_is_nothing_to_change(world: World) -> None:
    """15 editors on team by the month."""
    answer = await refused(world, planCode="team", interval="MONTH", seats=seats(total=15))

    assert answer["__typename"] == "NothingToChange"


async def test_missing_billing_details_are_named(world: World) -> None:
    """Without a country there is no invoice, so no change that makes one; one that makes none is fine."""
    details = BillingDetails(legal_name="Acme Inc.", lines=("1 Main Street",), city="New York")
    await world.store.run(world.acme, change_billing_details, SYSTEM, details)

    answer = await refused(world, seats=seats(add=5))

    assert (answer["__typename"], answer["missing"]) == ("BillingDetailsMissing", ["country"])
    waits = await preview(world, seats=seats(add=5), timing="AT_RENEWAL")
    assert waits["__typename"] == "ChangeQuote"


async def test_a_subscription_that_ended_cannot_be_changed(world: World) -> None:
    """It ended with its period."""
    await world.store.run(world.acme, end_with_the_period, world.subscription)
    world.clock.advance(timedelta(days=20))

    answer = await refused(world, seats=seats(add=1))

    assert (answer["__typename"], answer["status"]) == ("SubscriptionNotActive", "ENDED")


@pytest.mark.parametrize("role", [Role.SEAT_MANAGER, Role.VIEWER])
async def test_who_may_not_change_is_told_whom_to_ask(world: World, role: Role) -> None:
    """Whatever the id: nobody learns from the answer whether something is there."""
    change = await confirm(world, role=role, seats=seats(add=1))
    unknown = await confirm(world, role=role, subscriptionId="sub_nothing")
    taken_back = await cancel(world, "chg_nothing", role=role)

    words = role.value.lower().replace("_", " ")
    assert change == unknown
    assert (
        change["message"] == f"A {words} cannot change the plan or the seats. Ask an owner or billing admin."
    )
    assert taken_back["message"] == (
        f"A {words} cannot cancel a scheduled change. Ask an owner or billing admin."
    )


async def test_a_viewer_gets_no_quote(world: World) -> None:
    """The one role that may not ask what a change costs."""
    answer = await preview(world, role=Role.VIEWER, seats=seats(add=1))

    assert answer["__typename"] == "NotPermitted"


async def test_unknown_malformed_and_foreign_ids_are_answered_alike(world: World) -> None:
    """The same bytes for nobody's id, for no id, for an id of another kind and for globex's subscription."""
    asked = await world.ask("{ customer { subscription { id } } }", customer=world.globex)
    ids = [
        encode(Kind.SUBSCRIPTION, new_id(world.clock.now)),
        "sub_", "1; DROP TABLE", encode(Kind.INVOICE, world.subscription),
        asked["customer"]["subscription"]["id"],
    ]  # fmt: skip

    quoted = [await preview(world, subscriptionId=id, seats=seats(add=1)) for id in ids]
    changed = [await confirm(world, subscriptionId=id, seats=seats(add=1)) for id in ids]
    taken_back = [await cancel(world, id) for id in ids]

    expected = {"__typename": "NotFound", "message": "There is no such subscription. Check the id."}
    assert quoted == changed == [expected] * 5
    assert taken_back == [NOT_WAITING] * 5


async def test_a_change_that_no_longer_waits_is_answered_as_one_that_never_was(world: World) -> None:
    """Replaced, cancelled, applied and nobody's: the same bytes, and the message says what may have
    become of it.
    """
    replaced = await at_renewal(world, total=12)
    taken_back = await at_renewal(world, total=11)
    assert (await cancel(world, taken_back))["__typename"] == "ScheduledChangeCancelled"
    applied = await at_renewal(world, total=10)
    world.clock.now = instant("2026-05-02 12:00")
    ids = [replaced, taken_back, applied, encode(Kind.SCHEDULED_CHANGE, new_id(world.clock.now))]

    answers = [await cancel(world, id, key=f"again {id}") for id in ids]

    assert answers == [NOT_WAITING] * 4


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "two\nlines"])
async def test_an_idempotency_key_is_printable_ascii_and_not_too_long(world: World, key: str) -> None:
    """1 to 255 characters."""
    for answer in (await confirm(world, key=key, seats=seats(add=1)), await cancel(world, "chg_x", key=key)):
        assert answer["__typename"] == "InvalidInput"
        assert [problem["path"] for problem in answer["problems"]] == ["input.idempotencyKey"]


async def _leave_viewers(world: World) -> None:
    """Nobody sits in a viewer's seat any more, which business does not have."""
    await world.store.run(world.acme, record_seats, SYSTEM, SeatReport("viewer", total=0))
