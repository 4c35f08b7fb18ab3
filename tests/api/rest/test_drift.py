"""The drift report, and that its corrections put things right."""

from typing import Any

import pytest

from tests.api.rest.caller import Caller

DRIFT = "/v1/customers/acme/drift"


async def test_the_corrections_put_it_right(caller: Caller) -> None:
    """They are seat events as they are: sent once or twice, the next report finds nothing."""
    people = [{"reference": "user-0"}, {"reference": "new-1", "name": "Grace"}, {"reference": "new-1"}]
    found = await caller.post(DRIFT, {"members": {"editor": people}, "counts": {"viewer": 2}}, 200)

    editor, viewer = found["metrics"]
    assert (editor["actual"], viewer["actual"]) == (2, 2)
    assert [person["reference"] for person in editor["missing"]] == ["new-1"]
    assert {person["reference"] for person in editor["gone"]} >= {"user-1", "user-2"}
    assert editor["monthly"] == {"amount": "-150.00", "currency": "USD"}  # 15 are paid, five included.
    assert viewer["monthly"] == {"amount": "0.00", "currency": "USD"}
    events = [*editor["corrections"], *viewer["corrections"]]
    for _ in range(2):
        results = (await caller.post("/v1/seat-events", events, 200))["results"]
        assert "REFUSED" not in {each["outcome"] for each in results}, results
    again = await caller.post(DRIFT, {"members": {"editor": people}, "counts": {"viewer": 2}}, 200)
    for metric in again["metrics"]:
        assert (metric["inUse"], metric["corrections"], metric["missing"], metric["gone"]) == (2, [], [], [])


async def test_it_only_reads(caller: Caller) -> None:
    """Nothing is recorded or charged by asking."""
    before = await caller.get("/v1/customers/acme/seat-balances")

    await caller.post(DRIFT, {"counts": {"editor": 99_999}}, 200)

    assert await caller.get("/v1/customers/acme/seat-balances") == before


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "invalid-input"),
        ({"members": {"editor": []}, "counts": {"editor": 1}}, "invalid-input"),
        ({"counts": {"moon": 1}}, "invalid-input"),
        ({"counts": {"editor": -1}}, "bad-request"),
        ({"members": {"editor": [{"reference": ""}]}}, "bad-request"),
        ({"members": {"editor\0": []}}, "bad-request"),
        ({"members": {"editor": 5}}, "bad-request"),
    ],
)
async def test_what_is_no_list_is_told(caller: Caller, body: dict[str, Any], name: str) -> None:
    """By its problem."""
    await caller.refused("POST", DRIFT, body, name)
    await caller.refused("POST", "/v1/customers/nobody/drift", {"counts": {"editor": 1}}, "not-found")
