"""What the routes of webhooks need besides the store: the secrets' maker, a way to try an endpoint, and the
look-ups of deliveries, which are of many customers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.gateways.webhooks import Letter, Outcome
from app.services.webhook_secrets import Keyring
from app.store.reference import Reference
from app.store.webhooks import Status


class DeliveriesTo(Protocol):
    """A page of the deliveries to an endpoint, latest first."""

    async def __call__(
        self, endpoint: UUID, *, status: Status | None, before: UUID | None, limit: int
    ) -> list[Reference]: ...


@dataclass(frozen=True, slots=True)
class WebhookRoom:
    """What all requests about webhooks share.

    :ivar loopback: whether an endpoint may be on this machine, for demo and tests
    :ivar try_out: sends a letter, once, outside any transaction
    """

    keyring: Keyring
    loopback: bool
    try_out: Callable[[Letter], Awaitable[Outcome]]
    deliveries_to: DeliveriesTo
    owner_of_delivery: Callable[[UUID, UUID], Awaitable[UUID | None]]
