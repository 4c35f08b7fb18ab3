"""The stored operations: everything a billing page does, each valid, named as its file, and executed."""

from pathlib import Path
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from app.api.operations import Documents, Refused
from app.api.schema import schema
from tests.api.schema.asking import OPERATIONS, confirm, operation, seats
from tests.api.world import World, end_with_the_period

FILES = sorted(OPERATIONS.glob("*"))
NEEDED = {
    "overview", "viewer", "seatBalances", "seatEvents", "seatHistory", "seatHolders", "plans", "invoices",
    "invoice", "creditNotes", "creditNote", "upcomingInvoice", "billingDetails", "previewChangePlan",
    "changePlan", "cancelScheduledChange", "previewCancelSubscription", "cancelSubscription",
    "previewResumeSubscription", "resumeSubscription", "assignSeat", "releaseSeat",
}  # fmt: skip


async def variables(world: World, name: str) -> dict[str, Any]:
    """What an operation needs to answer with something in this world."""
    change = {"subscriptionId": world.subscription_id, "seats": seats(add=5)}
    note = await confirm(world, key="note", seats=seats(remove=1))
    invoice = await confirm(world, key="invoice", seats=seats(add=5))
    waits = await confirm(world, key="waits", seats=seats(total=12), timing="AT_RENEWAL")
    this = {"subscriptionId": world.subscription_id}
    if name in {"previewResumeSubscription", "resumeSubscription"}:
        await world.store.run(world.acme, end_with_the_period, world.subscription)
    needed: dict[str, dict[str, Any]] = {
        "assignSeat": {
            "input": {"metric": "editor", "holder": {"reference": "new"}, "idempotencyKey": "came"}
        },
        "releaseSeat": {"input": {"metric": "editor", "reference": "user-1", "idempotencyKey": "went"}},
        "previewCancelSubscription": {"input": this},
        "cancelSubscription": {"input": {**this, "timing": "NOW", "idempotencyKey": "end"}},
        "previewResumeSubscription": {"input": this},
        "resumeSubscription": {"input": {**this, "idempotencyKey": "go on"}},
        "seatHistory": {"metric": "editor", "from": "2026-04-01", "until": "2026-04-17"},
        "invoice": {"id": invoice["invoice"]["id"]},
        "creditNote": {"id": note["creditNote"]["id"]},
        "previewChangePlan": {"input": change},
        "changePlan": {"input": {**change, "idempotencyKey": "now"}},
        "cancelScheduledChange": {
            "input": {"scheduledChangeId": waits["scheduledChanges"][0]["id"], "idempotencyKey": "back"}
        },
    }
    return needed.get(name, {})


def test_there_is_an_operation_for_everything_a_billing_page_does() -> None:
    """No file is missing, and none is of another kind."""
    assert {file.name for file in FILES} == {f"{name}.graphql" for name in NEEDED}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_operation_is_valid_and_within_the_limits(file: Path) -> None:
    """The server itself would run it."""
    document = Documents(schema._schema).document(file.read_text(encoding="utf-8"))

    assert not isinstance(document, Refused), document


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_holds_one_operation_of_its_name(file: Path) -> None:
    """One operation, named as the file; fragments beside it are used, or validation would have refused them.
    It begins with a comment that says what it is for.
    """
    text = file.read_text(encoding="utf-8")
    definitions = parse(text).definitions
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]

    assert [node.name.value for node in operations if node.name] == [file.stem]
    assert all(isinstance(node, OperationDefinitionNode | FragmentDefinitionNode) for node in definitions)
    assert text.startswith("# ")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("name", sorted(NEEDED))
async def test_an_operation_answers_with_data(world: World, name: str) -> None:
    """Executed in a world with a history: no error, and no root field is null or a refusal."""
    needed = await variables(world, name)

    data = await world.ask(operation(name), **needed)

    assert None not in data.values()
    results = [root for root in data.values() if "__typename" in root]
    assert all("message" not in root for root in results), results
