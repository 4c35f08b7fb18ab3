"""What the schema says of seats: balances, events, days and people."""

from typing import Any

import pytest

from app.billing.permissions import SYSTEM, Role
from app.services.record_seats import SeatReport, record_seats
from tests.api.world import World, instant, sit_down

BALANCES = """
query ($asOf: DateTime, $knownAt: DateTime) {
  customer {
    seatBalances(asOf: $asOf, knownAt: $knownAt) {
      metric { code label unit } committed included purchased granted limit inUse available overage asOf
    }
  }
}
"""
EVENTS = """
query ($first: Int! = 20, $after: String, $metric: String, $from: DateTime, $until: DateTime) {
  customer {
    seatEvents(first: $first, after: $after, metric: $metric, from: $from, until: $until) {
      edges {
        cursor
        node {
          id metric { code } balanceKind added removed balance effectiveAt recordedAt source note
          holder { reference name email heldSince }
          corrects { id } correctedBy { id added }
          invoiceLines { description document { number } }
        }
      }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
HISTORY = """
query ($metric: String! = "editor", $from: Date!, $until: Date!) {
  customer { seatHistory(metric: $metric, from: $from, until: $until) { date committed inUse peak } }
}
"""
HOLDERS = """
query ($metric: String, $search: String, $first: Int! = 20, $after: String) {
  customer {
    seatHolders(metric: $metric, search: $search, first: $first, after: $after) {
      edges { node { reference metric { code } heldSince } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def balances(world: World, **variables: Any) -> dict[str, dict[str, Any]]:
    data = await world.ask(BALANCES, **variables)
    return {balance["metric"]["code"]: balance for balance in data["customer"]["seatBalances"]}


async def events(world: World, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await world.ask(EVENTS, **variables))["customer"]["seatEvents"]
    return found


def span(start: str, until: str) -> dict[str, Any]:
    """Variables whose names Python keeps for itself."""
    return {"from": start, "until": until}


def nodes(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in page["edges"]]


async def message(world: World, text: str, **variables: Any) -> str:
    """The one error of a query."""
    result = await world.run(text, variables)
    assert result.errors is not None
    assert len(result.errors) == 1
    return result.errors[0].message


async def test_a_balance_says_what_is_committed_paid_and_free(world: World) -> None:
    """15 committed, 5 of them included and so 10 purchased; 3 are in use and 12 are free."""
    editor = (await balances(world))["editor"]

    assert editor == {
        "metric": {"code": "editor", "label": "Editor", "unit": "seat"},
        "committed": 15,
        "included": 5,
        "purchased": 10,
        "granted": 0,
        "limit": 15,
        "inUse": 3,
        "available": 12,
        "overage": 0,
        "asOf": "2026-04-16T16:00:00Z",
    }


async def test_seats_in_use_above_the_limit_are_overage(world: World) -> None:
    """One viewer sits in a seat that nobody committed: nothing is available, and the overage is 1."""
    viewer = (await balances(world))["viewer"]

    assert (viewer["limit"], viewer["inUse"], viewer["available"], viewer["overage"]) == (0, 1, 0, 1)


async def test_a_balance_as_of_an_instant_counts_what_had_taken_effect(world: World) -> None:
    """On 3 April 10 were committed and 3 in use; the event of an instant counts at that instant."""
    editor = (await balances(world, asOf="2026-04-03T00:00:00-04:00"))["editor"]
    at_the_change = (await balances(world, asOf="2026-04-06T15:00:00Z"))["editor"]
    just_before = (await balances(world, asOf="2026-04-06T14:59:59.999999Z"))["editor"]

    assert (editor["committed"], editor["inUse"], editor["asOf"]) == (10, 3, "2026-04-03T04:00:00Z")
    assert (at_the_change["committed"], just_before["committed"]) == (15, 10)


async def test_a_balance_as_known_at_an_instant_forgets_what_was_recorded_later(world: World) -> None:
    """On 16 April it is told that somebody took a seat on the 10th: known on the 15th were 3, today 4."""
    report = SeatReport("editor", added=1, effective_at=instant("2026-04-10 12:00"))
    await world.store.run(world.acme, record_seats, SYSTEM, report)

    then = await balances(world, asOf="2026-04-12T00:00:00Z", knownAt="2026-04-15T00:00:00Z")
    now = await balances(world, asOf="2026-04-12T00:00:00Z")

    assert (then["editor"]["inUse"], now["editor"]["inUse"]) == (3, 4)


async def test_events_come_newest_first_with_the_balance_after_each(world: World) -> None:
    """10 at the start, people one by one, 5 more, two viewers by mistake and their correction."""
    page = await events(world)

    told = [(e["metric"]["code"], e["source"], e["added"], e["removed"], e["balance"]) for e in nodes(page)]
    assert told == [
        ("viewer", "CORRECTION", 1, 0, 1),
        ("viewer", "CORRECTION", 0, 2, 0),
        ("viewer", "REPORT", 2, 0, 2),
        ("editor", "CHANGE", 5, 0, 15),
        ("editor", "REPORT", 1, 0, 3),
        ("editor", "REPORT", 1, 0, 2),
        ("editor", "REPORT", 1, 0, 1),
        ("editor", "START", 10, 0, 10),
    ]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_a_correction_and_what_it_corrects_name_each_other(world: World) -> None:
    """The report of 2 viewers leads to the event that says 1, and that leads back."""
    right, reversal, wrong = nodes(await events(world, metric="viewer"))

    assert right["corrects"] == reversal["corrects"] == {"id": wrong["id"]}
    assert wrong["correctedBy"] == {"id": right["id"], "added": 1}
    assert (right["correctedBy"], wrong["corrects"], right["note"]) == (None, None, "it was one")


async def test_an_event_says_who_took_the_seat_and_since_when_they_hold_it(world: World) -> None:
    """The last person who sat down on 2 April still sits there."""
    holder = nodes(await events(world, metric="editor"))[1]["holder"]

    assert holder == {
        "reference": "user-2",
        "name": "Person 2",
        "email": "user-2@acme.example",
        "heldSince": "2026-04-02T15:00:00Z",
    }


async def test_an_event_leads_to_the_lines_it_caused(world: World) -> None:
    """The 5 seats more stand on the second invoice; the start's 10 on the first, of which 5 are paid."""
    by_source = {event["source"]: event["invoiceLines"] for event in nodes(await events(world))}

    assert by_source["CHANGE"] == [
        {"description": "5 Editor seats added", "document": {"number": "DEMO-INV-000002"}}
    ]
    assert by_source["START"] == [
        {"description": "5 Editor seats", "document": {"number": "DEMO-INV-000001"}}
    ]
    assert by_source["REPORT"] == []


async def test_pages_of_events_join_without_gap_or_repetition(world: World) -> None:
    """Three at a time give the same events as all at once, and only the first page has nothing before it."""
    whole = [event["id"] for event in nodes(await events(world))]
    parts: list[str] = []
    after, flags = None, []
    while after is not None or not parts:
        page = await events(world, first=3, after=after)
        parts += [event["id"] for event in nodes(page)]
        info = page["pageInfo"]
        flags.append((info["hasPreviousPage"], info["hasNextPage"]))
        assert info["startCursor"] == page["edges"][0]["cursor"]
        after = info["endCursor"] if info["hasNextPage"] else None

    assert parts == whole
    assert flags == [(False, True), (True, True), (True, False)]


async def test_events_can_be_narrowed_to_a_span_of_time(world: World) -> None:
    """From 6 April on and before the 7th there is the change alone; the end is not part of the span."""
    page = await events(world, **span("2026-04-06T15:00:00Z", "2026-04-07T15:00:00Z"))

    assert [event["source"] for event in nodes(page)] == ["CHANGE"]


async def test_history_is_a_row_for_each_local_day(world: World) -> None:
    """From 1 April, when 10 were committed and nobody sat; on the 2nd 3 sat down; 15 from the 6th on."""
    data = await world.ask(HISTORY, **span("2026-04-01", "2026-04-08"))

    days = [(day["committed"], day["inUse"], day["peak"]) for day in data["customer"]["seatHistory"]]
    assert days == [(10, 0, 0), (10, 3, 3), (10, 3, 3), (10, 3, 3), (10, 3, 3), (15, 3, 3), (15, 3, 3)]
    assert data["customer"]["seatHistory"][0]["date"] == "2026-04-01"


async def test_history_ends_today(world: World) -> None:
    """Days that have not begun in New York are left out; a span that lies before the start is all zeros."""
    data = await world.ask(HISTORY, **span("2026-04-15", "2026-05-01"))
    before = await world.ask(HISTORY, **span("2026-03-01", "2026-03-02"))
    after = await world.ask(HISTORY, **span("2027-03-01", "2027-03-02"))

    assert [day["date"] for day in data["customer"]["seatHistory"]] == ["2026-04-15", "2026-04-16"]
    assert [day["committed"] for day in before["customer"]["seatHistory"]] == [0]
    assert after["customer"]["seatHistory"] == []


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [
        ("2026-01-01", "2027-02-06", "`until` is 401 days after `from`. Ask for 0 to 400 days"),
        ("2026-04-02", "2026-04-01", "`until` lies before `from`. Ask for 0 to 400 days"),
    ],
)
async def test_history_of_too_many_days_is_refused(
    world: World, start: str, until: str, expected: str
) -> None:
    """A chart shows at most 400 days, and none that go backwards."""
    assert expected in await message(world, HISTORY, **{"from": start, "until": until})


async def test_people_come_by_since_when_they_sit(world: World) -> None:
    """Two pages of two and one; somebody who came later is last."""
    world.clock.now = instant("2026-04-16 17:00")
    await sit_down(world.store, world.acme, "zoe", "viewer")
    first = (await world.ask(HOLDERS, first=2))["customer"]["seatHolders"]
    rest = (await world.ask(HOLDERS, after=first["pageInfo"]["endCursor"]))["customer"]["seatHolders"]

    assert [node["reference"] for node in nodes(first) + nodes(rest)] == ["user-0", "user-1", "user-2", "zoe"]
    assert nodes(rest)[-1]["metric"] == {"code": "viewer"}
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_people_can_be_searched_by_any_of_their_names(world: World) -> None:
    """Part of the name, in any case; a percent sign is a percent sign; a metric narrows."""

    async def found(**variables: Any) -> list[str]:
        data = await world.ask(HOLDERS, **variables)
        return [node["reference"] for node in nodes(data["customer"]["seatHolders"])]

    assert await found(search="pERSON 1") == ["user-1"]
    assert await found(search="user-2@") == ["user-2"]
    assert await found(search="%") == []
    assert await found(metric="viewer") == []


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        (EVENTS, {"metric": "editr"}, "There are no seats called 'editr'. There are: editor, viewer."),
        (HOLDERS, {"metric": "editr"}, "There are no seats called 'editr'. There are: editor, viewer."),
        (
            HISTORY,
            {"metric": "editr", "from": "2026-04-01", "until": "2026-04-02"},
            "There are no seats called",
        ),
        (EVENTS, {"first": 0}, "`first` is 0. Ask for 1 to 100 elements"),
        (HOLDERS, {"first": 101}, "`first` is 101. Ask for 1 to 100 elements"),
        (EVENTS, {"metric": ""}, "There are no seats called ''. There are: editor, viewer."),
        (EVENTS, {"after": ""}, "'' is no cursor of this list."),
        (EVENTS, {"after": "abc"}, "'abc' is no cursor of this list."),
        (HOLDERS, {"search": "x" * 201}, "`search` has 201 characters. Give at most 200."),
    ],
)
async def test_a_wrong_argument_is_refused_with_what_to_do(
    world: World, query: str, variables: dict[str, Any], expected: str
) -> None:
    """A misspelled metric, too large a page, a foreign cursor, too long a search."""
    assert expected in await message(world, query, **variables)


async def test_a_cursor_belongs_to_its_list(world: World) -> None:
    """A cursor of the people is none of the events."""
    cursor = (await world.ask(HOLDERS, first=1))["customer"]["seatHolders"]["pageInfo"]["endCursor"]

    assert "is no cursor of this list" in await message(world, EVENTS, after=cursor)


async def test_a_seat_manager_sees_events_without_lines(world: World) -> None:
    """Seats are for everybody, what they cost is not."""
    data = await world.ask(EVENTS, role=Role.SEAT_MANAGER)

    assert len(nodes(data["customer"]["seatEvents"])) == 8
    assert all(node["invoiceLines"] == [] for node in nodes(data["customer"]["seatEvents"]))
