"""The test gateway: what each payment method does, once for each intent, on books that outlive who asks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from app.billing.money import CURRENCIES, Money
from app.gateways.choosing import Provider, gateway_of
from app.gateways.payments import BY_INVOICE, Collected, Declined, GatewayUnavailable, PaymentGateway
from app.gateways.stand_in import METHODS, Charge, StandIn

INTENT = UUID(int=1)
TEN = Money(1000, CURRENCIES["USD"])


@pytest.fixture
def gateway(tmp_path: Path) -> StandIn:
    """A gateway that nobody has asked yet."""
    return StandIn(tmp_path / "books.db")


async def tried(gateway: PaymentGateway, method: str) -> str:
    """The kind of answer."""
    try:
        return type(await gateway.collect(INTENT, TEN, method)).__name__
    except GatewayUnavailable:
        return "none"


@pytest.mark.parametrize(
    ("method", "first", "then", "taken"),
    [
        ("test_approve", "Collected", "Collected", 1),
        ("test_decline", "Declined", "Declined", 0),
        ("test_timeout", "none", "Collected", 1),
        ("test_late_decline", "none", "Declined", 0),
    ],
)
async def test_a_method_says_what_becomes_of_an_intent(
    gateway: StandIn, method: str, first: str, then: str, taken: int
) -> None:
    """The same answer however often it is asked, also by another process that has the same file."""
    answers = [await tried(gateway, method)]
    answers += [await tried(StandIn(gateway.file), method) for _ in range(3)]

    assert answers == [first, then, then, then]
    assert gateway.charges_made() == [Charge(INTENT, 1000, bool(taken), refunded=False, asked=4)]


async def test_an_unreachable_gateway_takes_nothing(gateway: StandIn) -> None:
    """No answer ever, and nothing on the books."""
    assert {await tried(gateway, "test_unreachable") for _ in range(3)} == {"none"}

    assert gateway.charges_made() == []


async def test_what_is_given_back_stays_so(gateway: StandIn) -> None:
    """Twice is as once; and nothing is taken for the intent any more, also if it was given back before it
    was ever taken.
    """
    await gateway.collect(INTENT, TEN, "test_approve")
    for _ in range(2):
        await gateway.refund(INTENT)
    await gateway.refund(UUID(int=2))

    assert isinstance(await gateway.collect(INTENT, TEN, "test_approve"), Declined)
    assert isinstance(await gateway.collect(UUID(int=2), TEN, "test_approve"), Declined)
    assert [charge for charge in gateway.charges_made() if charge.taken and not charge.refunded] == []


async def test_an_intent_has_one_amount(gateway: StandIn) -> None:
    """Asking for another amount under the same intent is a mistake of the asker."""
    await gateway.collect(INTENT, TEN, "test_approve")

    with pytest.raises(AssertionError, match="one amount"):
        await gateway.collect(INTENT, TEN + TEN, "test_approve")


async def test_a_hundred_at_once_take_it_once(gateway: StandIn) -> None:
    """All are told that it was taken; the books have it once."""
    answers = await asyncio.gather(*(gateway.collect(INTENT, TEN, "test_approve") for _ in range(100)))

    assert {type(answer) for answer in answers} == {Collected}
    assert gateway.charges_made() == [Charge(INTENT, 1000, taken=True, refunded=False, asked=100)]


async def test_a_deployment_chooses_its_gateway(tmp_path: Path) -> None:
    """By its setting; without one nothing is charged, and who asks all the same gets no answer."""
    assert gateway_of(Provider.INVOICE, tmp_path / "x") is BY_INVOICE
    assert gateway_of(Provider.TEST, tmp_path / "x") == StandIn(tmp_path / "x")
    assert all(StandIn(tmp_path / "x").charges(method) for method in METHODS)
    assert not any(BY_INVOICE.charges(method) for method in (*METHODS, "invoice"))
    assert await tried(BY_INVOICE, "test_approve") == "none"
    with pytest.raises(GatewayUnavailable):
        await BY_INVOICE.refund(INTENT)
