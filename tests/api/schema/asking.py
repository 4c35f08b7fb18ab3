"""The stored operations as tests ask them."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from app.billing.permissions import Role
from tests.api.world import World

OPERATIONS: Final = Path(__file__).parents[3] / "graphql" / "operations"


def operation(name: str) -> str:
    """The text of a stored operation."""
    return (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")


def seats(metric: str = "editor", **quantity: int | None) -> list[dict[str, Any]]:
    """`seats(add=5)` of an input."""
    return [{"metric": metric, "quantity": quantity}]


async def preview(world: World, *, role: Role = Role.OWNER, **change: Any) -> dict[str, Any]:
    """What `previewChangePlan` answers about acme's subscription."""
    given = {"subscriptionId": world.subscription_id, **change}
    data = await world.ask(operation("previewChangePlan"), role=role, input=given)
    answer: dict[str, Any] = data["previewChangePlan"]
    return answer


async def confirm(
    world: World, *, key: str = "key", role: Role = Role.OWNER, **change: Any
) -> dict[str, Any]:
    """What `changePlan` answers about acme's subscription."""
    given = {"subscriptionId": world.subscription_id, "idempotencyKey": key, **change}
    data = await world.ask(operation("changePlan"), role=role, input=given)
    answer: dict[str, Any] = data["changePlan"]
    return answer


async def turn(
    world: World, name: str, *, role: Role = Role.OWNER, customer: UUID | None = None, **given: Any
) -> dict[str, Any]:
    """What a mutation of a subscription's life answers, by the name of its operation; about acme's
    subscription unless told otherwise. Those that do something get a key.
    """
    sent: dict[str, Any] = {"subscriptionId": world.subscription_id, **given}
    if not name.startswith("preview"):
        sent.setdefault("idempotencyKey", "key")
    data = await world.ask(operation(name), role=role, customer=customer, input=sent)
    answer: dict[str, Any] = data[name]
    return answer


async def cancel(
    world: World, change_id: str, *, key: str = "key", role: Role = Role.OWNER
) -> dict[str, Any]:
    """What `cancelScheduledChange` answers."""
    given = {"scheduledChangeId": change_id, "idempotencyKey": key}
    data = await world.ask(operation("cancelScheduledChange"), role=role, input=given)
    answer: dict[str, Any] = data["cancelScheduledChange"]
    return answer
