"""What is told: every type that the program publishes, each as its schema says, thin and without people."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.api.ids import Kind, decode
from app.api.rest.webhook_schema import webhooks as described
from app.api.webhook_events import EVENTS, TEST, body_of, trial_body
from app.billing.permissions import SYSTEM
from app.services.pause_subscription import pause_subscription
from app.store.ids import new_id
from app.store.tables import outbox
from app.store.transaction import DeploymentTx
from app.store.webhooks import Message
from tests.api.rest.caller import Caller
from tests.api.world import NOON
from tests.architecture.source import modules

EVENT_TYPE = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
AUDITS = {"note", "put_on_record"}


def published() -> set[str]:
    """The types of news in the program: texts of that form in modules that publish, but for audit rows."""
    found: set[str] = set()
    for module in modules("app/services"):
        if "Happened" not in module.text:
            continue
        audited = {
            id(inner)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in AUDITS
            for inner in ast.walk(node)
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in audited:
                found |= {node.value} if EVENT_TYPE.fullmatch(node.value) else set()
    return found


def test_every_type_is_told_and_described() -> None:
    """The types that services publish, that have a body, and that the OpenAPI document tells are the same."""
    assert published() == set(EVENTS)
    assert set(described()) == {*EVENTS, TEST}


def check(schema: dict[str, Any], value: Any, place: str = "") -> None:
    """Hold a value against as much of JSON Schema as the messages use."""
    if "const" in schema:
        assert value == schema["const"], place
        return
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
    types["null"] = type(None)
    assert any(type(value) is types[kind] for kind in kinds), (place, value)
    if isinstance(value, dict):
        assert set(value) == set(schema["required"]) == set(schema["properties"]), place
        for name, inner in value.items():
            check(schema["properties"][name], inner, f"{place}.{name}")
    for item in value if isinstance(value, list) else ():
        check(schema["items"], item, f"{place}[]")


def held_against_schema(document: dict[str, Any], body: bytes) -> dict[str, Any]:
    """A message that is as the OpenAPI document says."""
    told: dict[str, Any] = json.loads(body)
    content = document["webhooks"][told["type"]]["post"]["requestBody"]["content"]
    check(content["application/json"]["schema"], told)
    assert len(body) < 1000
    return told


async def all_news(caller: Caller) -> list[Message]:
    """Everything that has happened in the world."""

    def messages(tx: DeploymentTx) -> list[Message]:
        rows = tx.connection.execute(select(outbox).order_by(outbox.c.id))
        return [
            Message(
                row.id,
                row.customer_id,
                "acme",
                row.type,
                row.object_id,
                row.sequence,
                row.payload,
                row.created_at,
            )
            for row in rows
        ]

    return await caller.world.store.look(messages)


async def test_what_happens_is_told_as_described(caller: Caller) -> None:
    """A lived world: every message fits its schema, names its object, is numbered without gaps, and has no
    name or address of a person in it.
    """
    world = caller.world
    await caller.put("/v1/customers/acme/overrides/editor", {"granted": 1})
    await caller.post("/v1/customers/acme/clock", {"advance": "P1M"}, 200)
    listed = await caller.get("/v1/invoices?customer=acme&status=OPEN")
    await caller.post(f"/v1/invoices/{listed['invoices'][0]['id']}/payments", {})
    await caller.post(f"/v1/invoices/{listed['invoices'][-1]['id']}/void", {"reason": "WAIVE"}, 200)
    await world.store.run(world.acme, pause_subscription, SYSTEM, world.subscription)
    news = await all_news(caller)
    told = [held_against_schema(caller.document, body_of(each)) for each in news]

    types = {each["type"] for each in told}
    assert types >= {
        "subscription.active", "subscription.plan_changed", "subscription.renewed", "subscription.paused",
        "seats.changed", "override.recorded", "invoice.finalized", "invoice.paid",
    }  # fmt: skip
    text = json.dumps(told)
    for personal in ("@", "Ada", "user-", "Main Street"):
        assert personal not in text
    assert all(
        re.fullmatch(r"(INV|CRN|DEMO-INV|DEMO-CRN)-\d{6}", each["data"].get("number", "INV-000000"))
        for each in told
    )
    objects: dict[str, list[int]] = {}
    for each in told:
        objects.setdefault(each["data"]["object"], []).append(each["data"]["sequence"])
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in objects.values())
    kinds = {decode(name).kind for name in objects}  # type: ignore[union-attr]
    assert kinds >= {Kind.CUSTOMER, Kind.SUBSCRIPTION, Kind.INVOICE}


FACTS = {
    "subscription": "019d95a0-3dc0-776b-87a8-dea24e40cf73",
    "version": 3,
    "metric": "editor",
    "number": "INV-000001",
    "target": "plan",
    "reason": "WAIVE",
    "tries": 2,
    "last": False,
    "about": ["GRANTED"],
    "member": "u-17",
    "email": "somebody@example.com",
}


@pytest.mark.parametrize("type_", sorted(EVENTS))
async def test_each_type_fits_its_schema(caller: Caller, type_: str) -> None:
    """With all its facts it is as described; a fact that is not described is never told."""
    id = new_id(NOON)
    told = held_against_schema(caller.document, body_of(Message(id, id, "acme", type_, id, 1, FACTS, NOON)))

    assert "email" not in told["data"]
    assert told["timestamp"] == NOON.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_the_trial_fits_its_schema(caller: Caller) -> None:
    """As does the message that only tries an endpoint."""
    held_against_schema(caller.document, trial_body(new_id(NOON), NOON))


def test_a_fact_that_is_missing_is_noticed() -> None:
    """A message without a fact that its type promises is not made."""
    id = new_id(NOON)

    with pytest.raises(AssertionError, match="tells number"):
        body_of(Message(id, id, "acme", "invoice.paid", id, 1, {}, NOON))


def test_the_check_of_the_schemas_can_fail() -> None:
    """It notices another type, a member too many, one too few, and a text in place of a number."""
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    check(schema, {"a": 1})
    wrong: list[Any] = [{"a": "1"}, {}, {"a": 1, "b": 2}, [], {"a": None}, {"a": True}]
    for each in wrong:
        with pytest.raises(AssertionError):
            check(schema, each)
