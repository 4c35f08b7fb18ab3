"""Who sits where, by the hand of a member: seats are given while there are some, and taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.api.ids import Kind, decode_as
from app.billing.permissions import SYSTEM, Role
from app.services.pause_subscription import pause_subscription
from app.services.record_seats import SeatReport, record_seats
from tests.api.schema.asking import operation
from tests.api.world import World, hooli

ANN = {"reference": "user-ann", "name": "Ann", "email": "ann@acme.example"}


async def assign(
    world: World,
    holder: dict[str, Any],
    *,
    metric: str = "editor",
    key: str = "came",
    role: Role = Role.SEAT_MANAGER,
    customer: UUID | None = None,
) -> dict[str, Any]:
    """What `assignSeat` answers."""
    given = {"metric": metric, "holder": holder, "idempotencyKey": key}
    data = await world.ask(operation("assignSeat"), role=role, customer=customer, input=given)
    answer: dict[str, Any] = data["assignSeat"]
    return answer


async def release(
    world: World,
    reference: str,
    *,
    metric: str = "editor",
    key: str = "went",
    role: Role = Role.SEAT_MANAGER,
    customer: UUID | None = None,
) -> dict[str, Any]:
    """What `releaseSeat` answers."""
    given = {"metric": metric, "reference": reference, "idempotencyKey": key}
    data = await world.ask(operation("releaseSeat"), role=role, customer=customer, input=given)
    answer: dict[str, Any] = data["releaseSeat"]
    return answer


async def test_a_seat_is_given_and_taken_back(world: World) -> None:
    """Ann gets an editor's seat: one more is in use, and she holds it. Then it is free again, 15 stay
    committed and paid, and the answer says so.
    """
    came = await assign(world, ANN)
    assert came["__typename"] == "SeatAssigned"
    held_since = came["holder"].pop("heldSince")
    assert came["holder"] == {"metric": {"code": "editor", "label": "Editor"}, **ANN}
    assert held_since == came["event"]["effectiveAt"]
    in_use = came["balance"]["inUse"]
    assert came["event"]["balance"] == in_use

    went = await release(world, "user-ann")
    assert went["__typename"] == "SeatReleased"
    assert went["holder"]["heldSince"] is None
    assert went["balance"]["inUse"] == in_use - 1
    assert (went["committed"], went["balance"]["committed"]) == (15, 15)
    assert went["summary"] == (
        "The bill stays as it is: 15 Editor seats are committed and stay paid. "
        "To pay for fewer, remove seats from the plan."
    )


async def test_a_key_does_it_once(world: World) -> None:
    """Each again gives the first answer; with another person the key is refused."""
    first, again = await assign(world, ANN), await assign(world, ANN)
    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert first == again
    other = await assign(world, {"reference": "user-ben"})
    assert other["__typename"] == "IdempotencyKeyReused"

    gone = await release(world, "user-ann")
    assert (await release(world, "user-ann")) == {**gone, "replayed": True}
    assert (await release(world, "user-ben"))["__typename"] == "IdempotencyKeyReused"


async def test_nobody_holds_two_seats_of_a_kind_or_gives_back_what_they_have_not(world: World) -> None:
    """Both are refused in words, and change nothing."""
    await assign(world, ANN)
    twice = await assign(world, ANN, key="again")
    assert (twice["__typename"], twice["message"]) == (
        "NothingToChange",
        "'user-ann' holds a seat of this kind already: Editor.",
    )
    nothing = await release(world, "nobody")
    assert (nothing["__typename"], nothing["message"]) == (
        "NothingToChange",
        "'nobody' holds no seat of this kind: Editor.",
    )


async def test_no_seat_is_given_above_the_limit(world: World) -> None:
    """15 editors may be in use, and are: the sixteenth is refused with the numbers, until somebody goes."""
    await world.store.run(world.acme, record_seats, SYSTEM, SeatReport("editor", total=15))

    refused = await assign(world, ANN)
    assert refused == {
        "__typename": "NoSeatAvailable",
        "message": "15 Editor seats are in use, and 15 may be. Release one first, or add seats to the plan.",
        "metric": {"code": "editor", "label": "Editor", "unit": "seat"},
        "inUse": 15,
        "limit": 15,
    }
    assert (await release(world, "user-1"))["__typename"] == "SeatReleased"
    assert (await assign(world, ANN))["__typename"] == "SeatAssigned"


async def test_what_is_no_seat_or_nobody_is_refused(world: World) -> None:
    """An unknown kind of seat, and an empty or too long reference: each with its place in the input."""
    unknown = await assign(world, ANN, metric="guest")
    assert unknown["problems"] == [{"path": "input.metric", "message": "There are no seats called 'guest'."}]
    assert (await release(world, "user-1", metric="guest"))["problems"] == unknown["problems"]
    for reference in ("", "x" * 501):
        refused = await assign(world, {"reference": reference})
        assert [problem["path"] for problem in refused["problems"]] == ["input.holder.reference"]


@pytest.mark.parametrize("role", list(Role))
async def test_a_viewer_gives_no_seats(world: World, role: Role) -> None:
    """Everybody else of the customer does, and takes them back."""
    came, went = await assign(world, ANN, role=role), await release(world, "user-ann", role=role)
    may = role is not Role.VIEWER
    assert (came["__typename"], went["__typename"]) == (
        ("SeatAssigned", "SeatReleased") if may else ("NotPermitted", "NotPermitted")
    )


async def test_in_a_pause_seats_are_only_given_back(world: World) -> None:
    """Who sits stays seated or goes; nobody comes."""
    customer, subscription = await hooli(world)
    assert (await assign(world, ANN, customer=customer, role=Role.OWNER))["__typename"] == "SeatAssigned"
    await world.store.run(customer, pause_subscription, SYSTEM, subscription)

    refused = await assign(world, {"reference": "ben"}, key="2", customer=customer, role=Role.OWNER)
    assert (refused["__typename"], refused["status"]) == ("SubscriptionNotActive", "PAUSED")
    gone = await release(world, "user-ann", customer=customer, role=Role.OWNER)
    assert gone["__typename"] == "SeatReleased"


async def test_the_event_tells_who_did_it(world: World) -> None:
    """The event of a seat that was given leads to its holder, like one that the product reported."""
    came = await assign(world, ANN)
    assert decode_as(Kind.SEAT_EVENT, came["event"]["id"])
    text = "query ($id: ID!) { node(id: $id) { ... on SeatEvent { source holder { reference name } } } }"
    assert (await world.ask(text, id=came["event"]["id"]))["node"] == {
        "source": "REPORT",
        "holder": {"reference": "user-ann", "name": "Ann"},
    }
