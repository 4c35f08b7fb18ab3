"""Customers as the vendor registers them and looks at them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.gateways.choosing import Provider
from tests.api.rest.caller import Caller, calling
from tests.api.world import World
from tests.conftest import Clock
from tests.portal import SETTINGS

HOOLI = {
    "name": "Hooli",
    "currency": "EUR",
    "timeZone": "Europe/Berlin",
    "locale": "de-DE",
    "billingDetails": {
        "legalName": "Hooli GmbH",
        "lines": ["Allee 3"],
        "postalCode": "10115",
        "city": "Berlin",
        "country": "DE",
        "taxId": "DE999999999",
    },
}


async def test_a_customer_is_shown_with_all_that_matters(caller: Caller) -> None:
    """The directory entry, the credit in hand and the subscription as it stands."""
    acme = await caller.get("/v1/customers/acme")

    assert (acme["reference"], acme["currency"], acme["timeZone"]) == ("acme", "USD", "America/New_York")
    assert acme["creditBalance"] == {"amount": "0.00", "currency": "USD"}
    assert acme["billingDetails"]["legalName"] == "Acme Inc."
    assert acme["missingDetails"] == []
    assert acme["now"] == "2026-04-16T16:00:00Z"
    subscription = acme["subscription"]
    assert (subscription["plan"], subscription["interval"], subscription["status"]) == (
        "team", "MONTH", "ACTIVE",
    )  # fmt: skip
    assert subscription["committed"] == {"editor": 15, "viewer": 0}
    assert subscription["period"] == {"start": "2026-04-01T04:00:00Z", "end": "2026-05-01T04:00:00Z"}
    assert subscription["renewsOn"] == "2026-05-01"


async def test_a_customer_is_registered_once(caller: Caller) -> None:
    """The first PUT makes it, the second finds it so."""
    made = await caller.put("/v1/customers/hooli", HOOLI, 201)
    again = await caller.put("/v1/customers/hooli", HOOLI, 200)

    assert made == again == await caller.get("/v1/customers/hooli")
    assert made["kind"] == "LIVE"
    assert made["subscription"] is None


async def test_what_is_left_out_stays(caller: Caller) -> None:
    """Name, zone and currency are always told; the rest only when it changes."""
    made = await caller.put("/v1/customers/hooli", HOOLI, 201)
    moved = await caller.put(
        "/v1/customers/hooli", {"name": "Hooli XYZ", "currency": "USD", "timeZone": "America/Los_Angeles"}
    )

    changed = {"name": "Hooli XYZ", "currency": "USD", "timeZone": "America/Los_Angeles"}
    zero = {"amount": "0.00", "currency": "USD"}
    assert moved == {**made, **changed, "creditBalance": zero}
    details = {**HOOLI["billingDetails"], "city": "Köln"}  # type: ignore[dict-item]
    after = await caller.put("/v1/customers/hooli", {**HOOLI, "locale": "en", "billingDetails": details})
    assert (after["billingDetails"]["city"], after["locale"]) == ("Köln", "en")


async def test_many_at_once_make_one(caller: Caller) -> None:
    """Twenty programs that register the same customer at the same moment: one makes it, all are content."""
    answers = await asyncio.gather(*(caller.call("PUT", "/v1/customers/hooli", HOOLI) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_what_is_fixed_is_refused(caller: Caller) -> None:
    """The currency of a customer who has subscribed, and the kind of any."""
    body = {"name": "Acme", "currency": "EUR", "timeZone": "America/New_York", "kind": "LIVE"}

    problem = await caller.refused("PUT", "/v1/customers/acme", body, "invalid-input")

    assert [each["path"] for each in problem["problems"]] == ["kind", "currency"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"currency": "EURO"}, "currency"),
        ({"timeZone": "Mars/Olympus"}, "zone"),
        ({"timeZone": "../../etc/passwd"}, "zone"),
        ({"timeZone": ""}, "zone"),
        ({"locale": "xx-XX"}, "locale"),
        ({"locale": ""}, ""),
        ({"locale": "../de"}, "locale"),
    ],
)
async def test_values_that_mean_nothing_are_named(caller: Caller, change: dict[str, Any], path: str) -> None:
    """What is wrong with a new customer is told by field; nothing is registered."""
    answer = await caller.call("PUT", "/v1/customers/hooli", {**HOOLI, **change})

    if path:
        assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, path)
        assert (await caller.call("GET", "/v1/customers/hooli")).status_code == 404
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "reference", ["nobody", "%00", "a%00b", "a" * 201, "%FF%FE", "%F0%9F%98%80", "..%2fa"]
)
async def test_unknown_references_are_answered_alike(caller: Caller, reference: str) -> None:
    """404, the same bytes, whatever was asked for."""
    answer = await caller.call("GET", f"/v1/customers/{reference}")
    other = await caller.call("GET", "/v1/customers/somebody")

    assert answer.status_code == 404
    if "2f" not in reference:  # That is another address.
        assert answer.content == other.content


@pytest.mark.parametrize("reference", ["%00", "a%00b", "a" * 201])
async def test_a_reference_must_be_one(caller: Caller, reference: str) -> None:
    """Of 1 to 200 characters that can be kept."""
    problem = await caller.refused("PUT", f"/v1/customers/{reference}", HOOLI, "invalid-input")

    assert problem["problems"][0]["path"] == "reference"


HOSTILE: list[bytes] = [
    b"", b"{", b"[]", b"5", b"null", b'"text"', b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_000,
    b'{"name": 5, "currency": "EUR", "timeZone": "UTC"}',
    b'{"name": "", "currency": "EUR", "timeZone": "UTC"}',
    b'{"name": "a\\u0000b", "currency": "EUR", "timeZone": "UTC"}',
    b'{"name": "a", "currency": "E\\u0000", "timeZone": "UTC"}',
    b'{"name": "a", "currency": "EUR", "timeZone": "UTC", "credit": 5}',
    b'{"name": "a", "currency": "EUR", "timeZone": "UTC", "kind": "OTHER"}',
    b'{"name": "a", "currency": "EUR", "timeZone": "UTC", "billingDetails": {"country": "Germany"}}',
    b'{"name": "a", "currency": "EUR", "timeZone": "UTC", "billingDetails": {"lines": ["x\\u0000"]}}',
    b'{"name": "a", "currency": "EUR", "timeZone": "UTC", "billingDetails": {"lines": [1,2,3,4,5,6]}}',
    b'{"name": "' + b"x" * 201 + b'", "currency": "EUR", "timeZone": "UTC"}',
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_bodies_are_refused(caller: Caller, body: bytes) -> None:
    """What is no such body is 400, with the reason."""
    answer = await caller.call("PUT", "/v1/customers/hooli", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"]
)
async def test_only_json_is_read(caller: Caller, content_type: str) -> None:
    """A body of another type is 415, before it is read."""
    answer = await caller.call("PUT", "/v1/customers/hooli", b"{}", Content_Type=content_type)

    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/not-json")


async def test_a_body_too_large_is_refused(caller: Caller) -> None:
    """Above a megabyte nothing is read."""
    answer = await caller.call("PUT", "/v1/customers/hooli", b'{"name": "' + b"x" * 1_000_001 + b'"}')

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


async def test_a_payment_method_is_one_that_a_gateway_charges(caller: Caller) -> None:
    """Here nothing is charged: customers pay by invoice, and any other method is refused by name."""
    made = await caller.put("/v1/customers/hooli", {**HOOLI, "paymentMethod": "invoice"}, 201)
    assert made["paymentMethod"] == "invoice"

    problem = await caller.refused(
        "PUT", "/v1/customers/hooli", {**HOOLI, "paymentMethod": "test_approve"}, "invalid-input"
    )

    assert problem["problems"] == [
        {
            "path": "paymentMethod",
            "message": "No gateway here charges 'test_approve'. Give 'invoice', or a method of your gateway.",
        }
    ]
    assert await caller.get("/v1/customers/hooli") == made


async def test_a_payment_method_is_changed_and_taken_back(world: World, clock: Clock, tmp_path: Path) -> None:
    """With the test gateway: set, kept when it is left out, and by invoice again."""
    url = f"sqlite+aiosqlite:///{tmp_path}/books.db"
    settings = replace(SETTINGS, payments=Provider.TEST, database_url=url)
    async with calling(world, clock, settings) as caller:
        made = await caller.put("/v1/customers/hooli", {**HOOLI, "paymentMethod": "test_approve"}, 201)
        kept = await caller.put("/v1/customers/hooli", HOOLI)
        back = await caller.put("/v1/customers/hooli", {**HOOLI, "paymentMethod": "invoice"})

    methods = [each["paymentMethod"] for each in (made, kept, back)]
    assert methods == ["test_approve", "test_approve", "invoice"]
