"""A renewal that is far beyond what was agreed is charged by nobody before somebody has looked at it; until
then whoever wants to change something is told so.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.api.errors import execution_errors
from app.billing.overrides import OwnPrice
from app.billing.permissions import SYSTEM
from app.billing.plans import PricingModel, Tier
from app.services.record_override import NewOverride, OverrideRecorded, record_override
from tests.api.rest.caller import Caller
from tests.api.schema.asking import operation, seats

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


async def test_what_waits_for_the_seller_is_said_so(caller: Caller) -> None:
    """A price of 99,000 for a seat, by a slip of the finger: neither the page nor the vendor's program can
    change anything in May, and neither learns the reason, which is the seller's.
    """
    world, absurd = caller.world, OwnPrice(PricingModel.PER_UNIT, (Tier(None, Decimal(99_000)),))
    agreed = await world.store.run(
        world.acme, record_override, SYSTEM, NewOverride("editor", price=absurd, minimum=50)
    )
    assert isinstance(agreed, OverrideRecorded)
    world.clock.advance(timedelta(days=17))

    change = {"subscriptionId": world.subscription_id, "idempotencyKey": "more", "seats": seats(add=1)}
    result = await world.run(operation("changePlan"), {"input": change})
    (error,) = execution_errors(result.errors or [])
    bought = {"customer": "acme", "metric": "editor", "balance": "COMMITTED", "add": 1, "idempotencyKey": "b"}
    problem = await caller.refused("POST", "/v1/seat-events", bought, "under-review")

    assert error["extensions"] == {"code": "UNDER_REVIEW"}
    assert error["message"] == problem["detail"]
    assert problem["detail"].startswith("The seller has to look at the renewal of this subscription")
    assert "99" not in problem["detail"]
