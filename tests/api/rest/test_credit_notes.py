"""Credit notes by the vendor's program."""

from typing import Any

import pytest

from tests.api.rest.caller import Caller
from tests.api.rest.test_invoices import unpaid

NOTES = "/v1/credit-notes"


async def test_a_credit_note_is_written_once(caller: Caller) -> None:
    """It takes off what is due; the same key is answered alike."""
    invoice = await unpaid(caller)
    body = {"invoice": invoice["id"], "amount": "5.00", "reason": "for the trouble"}

    first = await caller.post(NOTES, body, Idempotency_Key="n")
    again = await caller.call("POST", NOTES, body, Idempotency_Key="n")

    assert first["creditNote"]["kind"] == "CREDIT_NOTE"
    assert first["creditNote"]["total"] == {"amount": "-5.00", "currency": "USD"}
    assert first["creditAdded"]["amount"] == "0.00"
    assert first["invoice"]["credited"]["amount"] == "5.00"
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first, "true")
    query = "{ customer { creditNotes { edges { node { number lines { description } } } } } }"
    edges = (await caller.world.ask(query))["customer"]["creditNotes"]["edges"]
    shown = {edge["node"]["number"]: edge["node"]["lines"][0]["description"] for edge in edges}
    assert shown[first["creditNote"]["number"]] == "for the trouble"
    rest = await caller.post(NOTES, {"invoice": invoice["id"], "reason": "all of it"})
    assert rest["invoice"]["status"] == "PAID"
    await caller.refused(
        "POST", NOTES, {**body, "amount": "6.00"}, "idempotency-key-reused", Idempotency_Key="n"
    )


async def test_one_line_can_be_named(caller: Caller) -> None:
    """Then only that is credited; a line of another invoice is not found."""
    query = "{ customer { invoices { edges { node { id lines { id amount { amount } } } } } } }"
    edges = (await caller.world.ask(query))["customer"]["invoices"]["edges"]
    invoice, other = edges[-1]["node"], edges[0]["node"]
    line = invoice["lines"][-1]

    body = {"invoice": invoice["id"], "line": line["id"], "reason": "that one"}
    done = await caller.post(NOTES, body)

    assert done["creditNote"]["total"]["amount"] == f"-{line['amount']['amount']}"
    assert done["creditAdded"]["amount"] == line["amount"]["amount"]
    for wrong in (other["lines"][0]["id"], "lin_x", ""):
        await caller.refused("POST", NOTES, {**body, "line": wrong}, "not-found")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"amount": "9999.00"}, "invalid-input"),
        ({"amount": "0"}, "invalid-input"),
        ({"amount": "0.001"}, "invalid-input"),
        ({"reason": "a\nb"}, "invalid-input"),
        ({"invoice": "inv_x"}, "not-found"),
        ({"reason": ""}, "bad-request"),
        ({"reason": None}, "bad-request"),
        ({"amount": -1}, "bad-request"),
        ({"amount": "-1"}, "bad-request"),
        ({"reason": "\0"}, "bad-request"),
    ],
)
async def test_credit_notes_that_cannot_be(caller: Caller, change: dict[str, Any], name: str) -> None:
    """What is wrong is told; nothing is credited."""
    invoice = await unpaid(caller)

    await caller.refused("POST", NOTES, {"invoice": invoice["id"], "reason": "x", **change}, name)

    assert await unpaid(caller) == invoice
