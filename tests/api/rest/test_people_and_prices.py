"""Portal links, and what is agreed with one customer."""

from typing import Any

import pytest

from tests.api.rest.caller import Caller

LINK = {"customer": "acme", "member": {"reference": "u-1", "role": "SEAT_MANAGER", "name": "Ada"}}
OVERRIDE = "/v1/customers/acme/overrides/editor"


async def viewer(caller: Caller, token: str) -> dict[str, Any]:
    """Who a token signs in."""
    headers = {"Authorization": f"Bearer {token}"}
    query = {"query": "{ viewer { name role } customer { reference } }"}
    answer = await caller.http.post("/graphql", json=query, headers=headers)
    return dict(answer.json()["data"])


async def test_a_person_is_let_in_and_brought_up_to_date(caller: Caller) -> None:
    """The token opens the customer's own API as that member; a later link changes what they are called."""
    first = await caller.post("/v1/portal-links", LINK)
    assert first["graphqlUrl"] == "https://billing.example/graphql"
    assert first["expiresAt"] == "2026-04-16T17:00:00Z"
    assert first["urlExpiresAt"] == "2026-04-16T16:15:00Z"
    assert await viewer(caller, first["token"]) == {
        "viewer": {"name": "Ada", "role": "SEAT_MANAGER"}, "customer": {"reference": "acme"},
    }  # fmt: skip

    member = {"reference": "u-1", "role": "SEAT_MANAGER", "name": "Ada Lovelace"}
    await caller.post("/v1/portal-links", {**LINK, "member": member})

    seen = await viewer(caller, first["token"])
    assert seen["viewer"] == {"name": "Ada Lovelace", "role": "SEAT_MANAGER"}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({**LINK, "customer": "nobody"}, "not-found"),
        ({"customer": "acme"}, "bad-request"),
        ({**LINK, "member": {"reference": "u", "role": "ROOT"}}, "bad-request"),
        ({**LINK, "member": {"reference": "", "role": "OWNER"}}, "bad-request"),
        ({**LINK, "member": {"reference": "u\0", "role": "OWNER"}}, "bad-request"),
    ],
)
async def test_nobody_else_is_let_in(caller: Caller, body: dict[str, Any], name: str) -> None:
    """Without a customer, a role and a person there is no link."""
    await caller.refused("POST", "/v1/portal-links", body, name)


async def test_an_agreement_shows_in_the_balance(caller: Caller) -> None:
    """Seats on top raise the limit, and an agreement is taken back by a later one; each once for its key."""
    granted = await caller.call("PUT", OVERRIDE, {"granted": 5, "note": "goodwill"}, Idempotency_Key="o")
    again = await caller.call("PUT", OVERRIDE, {"granted": 5, "note": "goodwill"}, Idempotency_Key="o")

    assert granted.status_code == 200, granted.text
    assert granted.json()["balance"]["limit"] == 20
    assert again.headers["idempotent-replayed"] == "true"
    price = {"model": "PER_UNIT", "tiers": [{"unitAmount": "9.125"}]}
    await caller.put(OVERRIDE, {"price": price, "maximum": 40})
    page = await caller.world.ask(
        "{ customer { subscription { price { seats { metric { code } maximum tiers { unitAmount } } } } } }"
    )
    editor = page["customer"]["subscription"]["price"]["seats"][0]
    assert (editor["maximum"], editor["tiers"][0]["unitAmount"]) == (40, "9.125")
    back = await caller.put(OVERRIDE, {"withdraws": ["GRANTED"]})
    assert back["balance"]["limit"] == 15


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "invalid-input"),
        ({"granted": 1, "withdraws": ["GRANTED"]}, "invalid-input"),
        (
            {"granted": 1, "startsAt": "2026-05-01T00:00:00Z", "endsAt": "2026-04-20T00:00:00Z"},
            "invalid-input",
        ),
        ({"maximum": 4}, "invalid-input"),
        ({"minimum": 1, "plan": "moon"}, "invalid-input"),
        ({"price": {"model": "PER_UNIT", "tiers": [{"upTo": 5, "unitAmount": "1"}]}}, "invalid-input"),
        ({"granted": -1}, "bad-request"),
        ({"price": {"model": "PER_UNIT", "tiers": []}}, "bad-request"),
        ({"price": {"model": "FREE", "tiers": [{"unitAmount": "1"}]}}, "bad-request"),
        ({"price": {"model": "PER_UNIT", "tiers": [{"unitAmount": "1e5"}]}}, "bad-request"),
        ({"price": {"model": "PER_UNIT", "tiers": [{"unitAmount": 1}]}}, "bad-request"),
        ({"granted": 1, "note": "a\0"}, "bad-request"),
    ],
)
async def test_agreements_that_cannot_be(caller: Caller, body: dict[str, Any], name: str) -> None:
    """What is wrong with one is told; nothing is recorded."""
    await caller.refused("PUT", OVERRIDE, body, name)

    assert (await caller.get("/v1/customers/acme/entitlements/editor"))["balance"]["granted"] == 0


async def test_an_agreement_is_about_something_known(caller: Caller) -> None:
    """A metric of the catalog, of a customer who is there."""
    await caller.refused("PUT", "/v1/customers/acme/overrides/moon", {"granted": 1}, "invalid-input")
    await caller.refused("PUT", "/v1/customers/nobody/overrides/editor", {"granted": 1}, "not-found")
