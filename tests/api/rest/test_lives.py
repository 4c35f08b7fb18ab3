"""The life of a subscription by the vendor: started, paused, resumed, cancelled; and time that goes by."""

from typing import Any

import pytest

from tests.api.rest.caller import Caller
from tests.api.rest.test_customers import HOOLI

ACME = "/v1/customers/acme"
START = {"customer": "hooli", "plan": "team", "interval": "MONTH", "seats": {"editor": 8}}


@pytest.fixture
async def hooli(caller: Caller) -> Caller:
    """With a customer who has no subscription yet, and whose time can be moved."""
    await caller.put("/v1/customers/hooli", {**HOOLI, "kind": "TEST"}, 201)
    return caller


async def test_a_subscription_starts_with_its_invoice(hooli: Caller) -> None:
    """Billed in advance, once for its key."""
    first = await hooli.call("POST", "/v1/subscriptions", START, Idempotency_Key="start")
    again = await hooli.call("POST", "/v1/subscriptions", START, Idempotency_Key="start")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    subscription = first.json()["subscription"]
    assert (subscription["status"], subscription["committed"]["editor"]) == ("ACTIVE", 8)
    (invoice,) = (await hooli.get("/v1/invoices?customer=hooli"))["invoices"]
    assert invoice["id"] == first.json()["invoice"]
    assert invoice["subtotal"] == {"amount": "144.00", "currency": "EUR"}  # 99.00 + 3 × 15.00
    await hooli.refused("POST", "/v1/subscriptions", START, "invalid-input")
    other = {**START, "plan": "solo"}
    await hooli.refused("POST", "/v1/subscriptions", other, "idempotency-key-reused", Idempotency_Key="start")


async def test_a_trial_bills_nothing(hooli: Caller) -> None:
    """And says when it ends."""
    started = await hooli.post("/v1/subscriptions", {**START, "trialDays": 14})

    assert started["invoice"] is None
    assert started["subscription"]["status"] == "TRIALING"
    assert started["subscription"]["renewsOn"] == "2026-04-30"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"customer": "nobody"}, "not-found"),
        ({"plan": "moon"}, "plan-not-available"),
        ({"interval": "QUARTER"}, "plan-not-available"),
        ({"seats": {"moon": 1}}, "invalid-input"),
        ({"trialDays": 5, "anchor": "2026-05-01"}, "invalid-input"),
        ({"seats": {"editor": -1}}, "bad-request"),
        ({"anchor": "0001-01-01"}, "bad-request"),
        ({"anchor": "2026-04-31"}, "bad-request"),
        ({"interval": "FORTNIGHT"}, "bad-request"),
        ({"trialDays": 10**9}, "bad-request"),
        ({"seats": {"": 1}}, "bad-request"),
        ({"seats": {"a\0": 1}}, "bad-request"),
    ],
)
async def test_what_cannot_start_is_told(hooli: Caller, change: dict[str, Any], name: str) -> None:
    """By its problem; the customer has no subscription then."""
    await hooli.refused("POST", "/v1/subscriptions", {**START, **change}, name)

    assert (await hooli.get("/v1/customers/hooli"))["subscription"] is None


async def test_billing_details_are_needed_for_a_document(caller: Caller) -> None:
    """Which ones are missing is told."""
    bare = {"name": "Hooli", "currency": "EUR", "timeZone": "UTC"}
    await caller.put("/v1/customers/hooli", bare, 201)

    problem = await caller.refused("POST", "/v1/subscriptions", START, "billing-details-missing")

    assert problem["missing"] == ["legal name", "street address", "city", "country"]


async def test_a_pause_and_its_end(caller: Caller) -> None:
    """The pause credits what was paid and not used; going on bills a new period."""
    paused = await caller.post(f"{ACME}/subscription/pause", None, 200, Idempotency_Key="p")
    replay = await caller.call("POST", f"{ACME}/subscription/pause", None, Idempotency_Key="p")

    assert paused["subscription"]["status"] == "PAUSED"
    assert paused["creditNote"] is not None
    assert (replay.json(), replay.headers["idempotent-replayed"]) == (paused, "true")
    twice = await caller.refused("POST", f"{ACME}/subscription/pause", None, "subscription-not-active")
    assert twice["subscriptionStatus"] == "PAUSED"
    resumed = await caller.post(f"{ACME}/subscription/resume", None, 200)
    assert resumed["subscription"]["status"] == "ACTIVE"
    assert resumed["invoice"] is not None
    await caller.refused("POST", f"{ACME}/subscription/resume", None, "nothing-to-change")


async def test_an_end_with_the_period_is_kept_once(caller: Caller) -> None:
    """Cancelled, told again under its key, and taken back."""
    cancelled = await caller.post(f"{ACME}/subscription/cancel", {}, 200, Idempotency_Key="c")
    again = await caller.post(f"{ACME}/subscription/cancel", {}, 200, Idempotency_Key="c")

    assert cancelled == again
    assert cancelled["subscription"]["status"] == "ACTIVE"
    await caller.refused("POST", f"{ACME}/subscription/cancel", {}, "nothing-to-change")
    await caller.refused(
        "POST",
        f"{ACME}/subscription/cancel",
        {"timing": "NOW"},
        "idempotency-key-reused",
        Idempotency_Key="c",
    )
    await caller.post(f"{ACME}/subscription/resume", None, 200)
    ended = await caller.post(f"{ACME}/subscription/cancel", {"timing": "NOW"}, 200)
    assert ended["subscription"]["status"] == "ENDED"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
async def test_without_a_subscription_there_is_nothing_to_turn(hooli: Caller, verb: str) -> None:
    """404 for a customer who never had one, and for no customer."""
    body: dict[str, Any] | None = {} if verb == "cancel" else None
    await hooli.refused("POST", f"/v1/customers/hooli/subscription/{verb}", body, "not-found")
    await hooli.refused("POST", f"/v1/customers/nobody/subscription/{verb}", body, "not-found")


async def test_time_goes_by_and_is_billed(hooli: Caller) -> None:
    """A month later there is the invoice of the next period; the same key moves no further."""
    await hooli.post("/v1/subscriptions", START)
    path = "/v1/customers/hooli/clock"
    moved = await hooli.call("POST", path, {"advance": "P1M"}, Idempotency_Key="t")
    again = await hooli.call("POST", path, {"advance": "P1M"}, Idempotency_Key="t")

    assert moved.json()["now"] == "2026-05-16T16:00:00Z"
    (document,) = moved.json()["documents"]
    assert (document["kind"], document["total"]["amount"]) == ("INVOICE", "171.36")  # 144.00 and 19 %
    assert moved.json()["stopped"] is None
    assert again.json() == moved.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (await hooli.get("/v1/customers/hooli"))["now"] == "2026-05-16T16:00:00Z"


@pytest.mark.parametrize("advance", ["P0D", "P1", "-P1D", "P11Y", "tomorrow", "P1.5D", ""])
async def test_time_moves_forward_by_a_duration(caller: Caller, advance: str) -> None:
    """Anything else is refused."""
    problem = await caller.refused("POST", f"{ACME}/clock", {"advance": advance}, "invalid-input")

    assert problem["problems"][0]["path"] == "advance"


async def test_live_customers_have_no_clock_of_their_own(caller: Caller) -> None:
    """Their time is everybody's."""
    await caller.put("/v1/customers/hooli", HOOLI, 201)

    await caller.refused("POST", "/v1/customers/hooli/clock", {"advance": "P1D"}, "invalid-input")
