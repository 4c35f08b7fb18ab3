"""Payments: what Seatport asks of whoever takes the money.

A gateway is asked with an intent, an id that Seatport made and stored before. All it does is once for each
intent: asked again, because the first answer was lost or because the asker died, it answers the same and
takes nothing twice. So no answer is no harm: the same question is asked again later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from uuid import UUID

from app.billing.money import Money

AnswerT = TypeVar("AnswerT")

SECONDS_MAX: Final = 15.0
"""How long a call of a gateway is waited for."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The money of an intent was taken."""


@dataclass(frozen=True, slots=True)
class Declined:
    """It was not taken, and will not be for this intent; why, in words for the payer."""

    reason: str


class GatewayUnavailable(Exception):
    """No answer came. Whether money moved is unknown until the same is asked again."""


class PaymentGateway(Protocol):
    """Takes money and gives it back."""

    @property
    def name(self) -> str:
        """How payments through it are called on the books."""
        ...

    def charges(self, method: str) -> bool:
        """Whether it takes money by this payment method; else the customer pays by invoice."""
        ...

    async def collect(self, intent: UUID, amount: Money, method: str) -> Collected | Declined:
        """Take an amount, above zero, once for the intent.

        :raises GatewayUnavailable: if no answer came
        """
        ...

    async def refund(self, intent: UUID) -> None:
        """Give back whatever was taken for an intent, and see to it that nothing is ever taken for it.

        :raises GatewayUnavailable: if no answer came
        """
        ...


@dataclass(frozen=True, slots=True)
class PayByInvoice:
    """No gateway: changes are accepted at once, and their invoices wait for money to come in."""

    name: str = "invoice"

    def charges(self, method: str) -> bool:  # noqa: ARG002  The signature is the protocol's.
        return False

    async def collect(self, intent: UUID, amount: Money, method: str) -> Collected | Declined:
        raise GatewayUnavailable(f"No gateway collects {amount} by {method!r} here (intent {intent}).")

    async def refund(self, intent: UUID) -> None:
        raise GatewayUnavailable(f"No gateway gives anything back here (intent {intent}).")


BY_INVOICE: Final = PayByInvoice()
"""What a deployment has that names no other."""


async def in_time(call: Awaitable[AnswerT]) -> AnswerT:
    """What a gateway answers. No answer in time is none, and raises GatewayUnavailable."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return await call
    except TimeoutError:
        raise GatewayUnavailable(f"No answer came within {SECONDS_MAX:.0f} seconds.") from None
