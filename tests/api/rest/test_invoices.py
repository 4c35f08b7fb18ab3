"""Invoices for the vendor's bookkeeping: which there are, and what came in."""

from typing import Any

import pytest

from tests.api.rest.caller import Caller


async def unpaid(caller: Caller, customer: str = "acme") -> dict[str, Any]:
    """The newest open invoice."""
    found = await caller.get(f"/v1/invoices?customer={customer}&status=OPEN&first=1")
    return dict(found["invoices"][0])


async def test_invoices_are_listed_page_by_page(caller: Caller) -> None:
    """Newest first, each once, whatever the size of a page."""
    whole = (await caller.get("/v1/invoices?customer=acme"))["invoices"]
    pages, after = [], ""
    while True:
        page = await caller.get(f"/v1/invoices?customer=acme&first=1{after}")
        pages += page["invoices"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert pages == whole
    assert len(whole) == 2
    assert [each["status"] for each in whole] == ["OPEN", "PAID"]
    assert whole[1]["open"] == {"amount": "0.00", "currency": "USD"}
    assert whole[1]["paidAt"] is not None
    paid = (await caller.get("/v1/invoices?customer=acme&status=PAID"))["invoices"]
    assert paid == [whole[1]]


@pytest.mark.parametrize(
    "query",
    [
        "", "customer=acme&first=0", "customer=acme&first=101", "customer=acme&first=x",
        "customer=acme&status=X", "customer=acme&after=x", "customer=acme&after=",
        "customer=acme&after=WyJldmVudHMiLDEsMl0",
    ],
)  # fmt: skip
async def test_a_list_is_asked_for_properly(caller: Caller, query: str) -> None:
    """Anything else is 400."""
    await caller.refused("GET", f"/v1/invoices?{query}", None, "bad-request")


async def test_nobody_has_no_invoices(caller: Caller) -> None:
    """404, as everywhere."""
    await caller.refused("GET", "/v1/invoices?customer=nobody", None, "not-found")


async def test_an_invoice_is_paid_in_parts(caller: Caller) -> None:
    """Each part once for its key; what is left is told, and at the end it is paid."""
    invoice = await unpaid(caller)
    path = f"/v1/invoices/{invoice['id']}/payments"
    part = {"amount": "7.50", "method": "card", "reference": "ch_1"}

    first = await caller.post(path, part, Idempotency_Key="a")
    again = await caller.call("POST", path, part, Idempotency_Key="a")

    assert first["paid"]["amount"] == "7.50"
    assert first["status"] == "OPEN"
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first, "true")
    rest = await caller.post(path, {}, Idempotency_Key="b")
    assert (rest["status"], rest["open"]["amount"]) == ("PAID", "0.00")
    assert rest["paid"] == invoice["total"]
    await caller.refused("POST", path, {}, "invalid-input")
    await caller.refused("POST", path, {"amount": "8.00"}, "idempotency-key-reused", Idempotency_Key="a")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"amount": "100000.00"}, "invalid-input"),
        ({"amount": "0.00"}, "invalid-input"),
        ({"amount": "1.005"}, "invalid-input"),
        ({"paidAt": "2026-04-17T00:00:00Z"}, "invalid-input"),
        ({"amount": "-1.00"}, "bad-request"),
        ({"amount": 5}, "bad-request"),
        ({"amount": "1e3"}, "bad-request"),
        ({"amount": "NaN"}, "bad-request"),
        ({"amount": "٣"}, "bad-request"),
        ({"method": ""}, "bad-request"),
        ({"reference": "a\0"}, "bad-request"),
        ({"paidAt": "2026-04-16"}, "bad-request"),
    ],
)
async def test_payments_that_cannot_be(caller: Caller, body: dict[str, Any], name: str) -> None:
    """What is wrong is told; nothing is recorded."""
    invoice = await unpaid(caller)

    await caller.refused("POST", f"/v1/invoices/{invoice['id']}/payments", body, name)

    assert await unpaid(caller) == invoice


@pytest.mark.parametrize("verb", ["payments", "void"])
async def test_unknown_invoices_are_answered_alike(caller: Caller, verb: str) -> None:
    """The same bytes for an id that is unknown, malformed, of another kind, or of a credit note."""
    known = (await unpaid(caller))["id"]
    ids = [
        "inv_00000000000000000000000001", "inv_", "x", "%00", known.replace("inv_", "crn_"), known.upper(),
        known.replace("inv_", "sub_"), f"{known}0",
    ]  # fmt: skip
    body: dict[str, Any] = {"reason": "WAIVE"} if verb == "void" else {}
    answers = [await caller.call("POST", f"/v1/invoices/{id}/{verb}", body) for id in ids]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("reason", ["WAIVE", "REISSUE"])
async def test_an_invoice_is_void_once(caller: Caller, reason: str) -> None:
    """Nothing is due on it any more; the same key is answered alike, another one is refused."""
    invoice = await unpaid(caller)
    path = f"/v1/invoices/{invoice['id']}/void"

    first = await caller.post(path, {"reason": reason}, 200, Idempotency_Key="v")
    again = await caller.call("POST", path, {"reason": reason}, Idempotency_Key="v")

    zero = {"amount": "0.00", "currency": "USD"}
    assert first == {
        **invoice, "status": "VOID", "open": zero, "voidedAt": "2026-04-16T16:00:00Z", "voidReason": reason,
    }  # fmt: skip
    assert (again.json(), again.headers["idempotent-replayed"]) == (first, "true")
    await caller.refused("POST", path, {"reason": reason}, "invalid-input")
    pay = f"/v1/invoices/{invoice['id']}/payments"
    await caller.refused("POST", pay, {}, "invalid-input")
    await caller.refused("POST", path, {"reason": "BORED"}, "bad-request")
    await caller.refused("POST", path, {}, "bad-request")
