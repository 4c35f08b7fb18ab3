"""Webhooks from the commit to the endpoint, on both databases, mostly over real connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook

from app.api.ids import Kind, encode
from app.billing.permissions import SYSTEM
from app.gateways.webhooks import Answer, Failure, HttpSender, NoAnswer
from app.services.record_seats import SeatReport, record_seats
from app.services.webhook_rules import GAPS
from app.services.webhook_secrets import Keyring
from app.services.webhooks import disable_endpoint, enable_endpoint, replay, rotate_secret
from app.store.tables.webhooks import DisabledBecause
from app.store.transaction import Store, Tx
from app.store.webhooks import Delivery, Status
from tests.conftest import Clock
from tests.gateways.posting import (
    HERE,
    KEYRING,
    OK,
    Says,
    customers,
    deliveries,
    delivering,
    delivery,
    endpoint,
    happen,
    shown,
)
from tests.gateways.receiver import Behave, Received, answer, drip, receiving, reset, silence

SECOND = timedelta(seconds=1)


@pytest.fixture
async def http() -> AsyncIterator[HttpSender]:
    """Sends over real connections to this machine, with time enough on a busy one."""
    sender = HttpSender(HERE)
    yield sender
    await sender.close()


async def test_the_vendor_is_told_what_happened(store: Store, clock: Clock, http: HttpSender) -> None:
    """A seat is taken: the endpoint gets one message, signed with its secret; so says the log."""
    (customer,) = await customers(store)
    async with receiving(answer(204)) as receiver:
        added = await endpoint(store, receiver.url)
        await store.run(customer, record_seats, SYSTEM, SeatReport("editor", added=1))

        await delivering(store, http).once()
        await delivering(store, http).once()

    (got,) = receiver.received
    assert json.loads(got.body) == {
        "type": "seats.changed",
        "timestamp": "2026-04-16T09:30:00.000Z",
        "data": {
            "customer": "c0",
            "customerId": encode(Kind.CUSTOMER, customer),
            "object": encode(Kind.CUSTOMER, customer),
            "sequence": 1,
            "metric": "editor",
            "subscription": None,
            "version": None,
        },
    }
    found = await delivery(store, added.endpoint.id)
    message = encode(Kind.WEBHOOK_MESSAGE, found.message)
    assert (got.path, got.headers["webhook-id"]) == ("/hooks", message)
    assert got.headers["webhook-timestamp"] == str(int(clock().timestamp()))
    assert got.headers["webhook-signature"] == signed_with(added.secret, got, clock)
    assert (found.status, found.attempts, found.last_status) == (Status.DELIVERED, 1, 204)
    assert [(each.number, each.status, each.error) for each in found.log] == [(1, 204, None)]


def signed_with(secret: str, got: Received, clock: Clock) -> str:
    """The signature that a message has to have by one secret."""
    webhook = Webhook(secret)
    return webhook.sign(got.headers["webhook-id"], clock().replace(microsecond=0), got.body.decode())


async def test_what_is_rolled_back_is_not_told(store: Store) -> None:
    """A unit that fails after it published, or takes all back: nothing was to be told, 100 times."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    says = Says([OK])

    def fails(tx: Tx) -> None:
        happen(tx)
        raise ZeroDivisionError

    def forgets(tx: Tx) -> None:
        happen(tx)
        tx.forget(None)

    for _ in range(50):
        with pytest.raises(ZeroDivisionError):
            await store.run(customer, fails)
        await store.run(customer, forgets)
    await delivering(store, says).once()

    assert says.letters == []
    assert await deliveries(store, added.endpoint.id) == []


@pytest.mark.parametrize(
    ("behave", "status", "error", "next_after"),
    [
        (answer(302, Location="/elsewhere"), 302, None, 5),
        (answer(400), 400, None, 5),
        (answer(404), 404, None, 5),
        (answer(500), 500, None, 5),
        (answer(429, Retry_After="120"), 429, None, 120),
        (silence, None, Failure.TIMEOUT.value, 5),
        (drip, None, Failure.TIMEOUT.value, 5),
        (reset, None, Failure.CONNECTION.value, 5),
    ],
)
async def test_what_fails_is_tried_again(
    store: Store,
    clock: Clock,
    http: HttpSender,
    behave: Behave,
    status: int | None,
    error: str | None,
    next_after: int,
) -> None:
    """Whatever it was: it is on record; the next try is in five seconds, or when the endpoint wants."""
    (customer,) = await customers(store)
    http.seconds = 15 if error != Failure.TIMEOUT.value else 0.5
    async with receiving(behave) as receiver:
        added = await endpoint(store, receiver.url)
        await store.run(customer, happen)
        await delivering(store, http).once()
        await delivering(store, http).once()
        found = await delivery(store, added.endpoint.id)
        assert (found.status, found.attempts, len(receiver.received)) == (Status.WAITING, 1, 1)
        assert (found.log[0].status, found.log[0].error) == (status, error)
        assert found.next_at == clock() + next_after * SECOND

        receiver.behave, http.seconds = answer(200), 15
        clock.advance(next_after * SECOND)
        await delivering(store, http).once()

    assert (await delivery(store, added.endpoint.id)).status is Status.DELIVERED
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == next_after


async def test_a_long_answer_is_taken_by_its_status(store: Store, http: HttpSender) -> None:
    """Ten megabytes after a 200 are delivered; most of them are never read."""
    (customer,) = await customers(store)
    async with receiving(answer(200, b"x" * 10_000_000)) as receiver:
        added = await endpoint(store, receiver.url)
        await store.run(customer, happen)
        await delivering(store, http).once()

    assert (await delivery(store, added.endpoint.id)).status is Status.DELIVERED


async def test_gone_is_gone(store: Store) -> None:
    """410 stops the endpoint: its message has failed, others wait, and what happens then goes nowhere."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    says = Says([Answer(410, None, 1)])
    await store.run(customer, happen)
    await delivering(store, says).once()
    await store.run(customer, happen)
    await delivering(store, says).once()

    found = await delivery(store, added.endpoint.id)
    assert (found.status, found.last_status, len(says.letters)) == (Status.FAILED, 410, 1)
    assert (await shown(store, added.endpoint.id)).disabled_because is DisabledBecause.GONE


async def test_who_is_overloaded_gets_nothing_more(store: Store, clock: Clock, http: HttpSender) -> None:
    """After 429 with two minutes, the other messages wait two minutes; another endpoint gets its own."""
    (customer,) = await customers(store)
    async with receiving(answer(429, Retry_After="120")) as full, receiving(answer(200)) as fine:
        added, other = await endpoint(store, full.url), await endpoint(store, fine.url)
        await store.run(customer, happen, 30)
        out = delivering(store, http)
        await out.once()
        under_way = len(full.received)
        assert under_way == 20  # As many as are sent together.
        assert len(fine.received) == 30
        clock.advance(119 * SECOND)
        await out.once()
        assert len(full.received) == under_way

        full.behave = answer(200)
        clock.advance(2 * SECOND)
        await out.once()

    assert {each.status for each in await deliveries(store, added.endpoint.id)} == {Status.DELIVERED}
    assert len(await deliveries(store, other.endpoint.id)) == 30


@pytest.mark.parametrize("dice", [0.0, 0.5, 1.0])
async def test_ten_tries_by_the_clock(store: Store, clock: Clock, dice: float) -> None:
    """An endpoint that is down is tried at the ten documented times, no sooner; then the message has failed,
    and the endpoint, which took nothing for three days, is stopped. Started again, it gets it by replay.
    """
    (customer,) = await customers(store)
    added = await endpoint(store)
    says = Says([NoAnswer(Failure.CONNECTION, 1)])
    out = delivering(store, says, dice)
    await store.run(customer, happen)
    began, offsets = clock(), [timedelta()]
    await out.once()
    while (next_at := (await delivery(store, added.endpoint.id)).next_at) is not None:
        clock.now = next_at - timedelta(milliseconds=1)
        await out.once()
        assert len(says.letters) == len(offsets)
        clock.now = next_at
        await out.once()
        offsets.append(clock() - began)

    stretch = 0.9 + 0.2 * dice
    assert [later - sooner for sooner, later in pairwise(offsets)] == [
        pytest.approx(gap * stretch, abs=timedelta(milliseconds=1)) for gap in GAPS
    ]
    found = await delivery(store, added.endpoint.id)
    assert (found.status, found.attempts, len(found.log)) == (Status.FAILED, 10, 10)
    stopped = dice > 0  # At nine tenths the last try is after 68 hours.
    assert (await shown(store, added.endpoint.id)).disabled_because is (
        DisabledBecause.FAILING if stopped else None
    )

    await store.deployment(enable_endpoint, SYSTEM, added.endpoint.id)
    says.outcomes = [OK]
    assert isinstance(await store.run(customer, replay, added.endpoint.id, found.id), Delivery)
    await out.once()
    found = await delivery(store, added.endpoint.id)
    assert (found.status, found.attempts, len(found.log)) == (Status.DELIVERED, 11, 11)
    assert len({letter.headers["webhook-id"] for letter in says.letters}) == 1


async def test_a_replay_begins_the_schedule_anew(store: Store, clock: Clock) -> None:
    """Delivered once and asked for again: it fails, and waits five seconds as a first try does."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    out = delivering(store, Says([OK, Answer(500, None, 1), Answer(500, None, 1), OK]))
    await store.run(customer, happen)
    await out.once()
    found = await delivery(store, added.endpoint.id)

    await store.run(customer, replay, added.endpoint.id, found.id)
    await out.once()

    again = await delivery(store, added.endpoint.id)
    assert (again.status, again.attempts, again.next_at) == (Status.WAITING, 2, clock() + 5 * SECOND)
    clock.advance(5 * SECOND)
    await out.once()
    clock.advance(timedelta(minutes=5))
    await out.once()
    assert (await delivery(store, added.endpoint.id)).status is Status.DELIVERED


async def test_both_secrets_sign_for_a_day(store: Store, clock: Clock, http: HttpSender) -> None:
    """For 24 hours after a rotation a message has two signatures, and either secret takes it; then one."""
    (customer,) = await customers(store)
    async with receiving(answer(200)) as receiver:
        added = await endpoint(store, receiver.url)
        rotated = await store.deployment(rotate_secret, SYSTEM, KEYRING, added.endpoint.id)
        signed = []
        for wait in (timedelta(0), timedelta(hours=24) - SECOND, SECOND):
            clock.advance(wait)
            await store.run(customer, happen)
            await delivering(store, http).once()
            got = receiver.received[-1]
            both = [signed_with(secret, got, clock) for secret in (getattr(rotated, "secret"), added.secret)]  # noqa: B009
            signed.append([each in got.headers["webhook-signature"].split(" ") for each in both])

    assert signed == [[True, True], [True, True], [True, False]]


async def test_without_the_secret_of_the_deployment_nothing_goes_out(store: Store, clock: Clock) -> None:
    """SEATPORT_SECRET was changed: messages wait, and say why; a rotated secret lets them go."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    await store.run(customer, happen)
    says = Says([OK])
    other = delivering(store, says)
    object.__setattr__(other, "keyring", Keyring("another secret of the tests, of enough characters"))

    await other.once()
    found = await delivery(store, added.endpoint.id)
    assert (says.letters, found.attempts, found.status) == ([], 0, Status.WAITING)
    assert "rotate the secret" in (found.last_error or "")

    await store.deployment(rotate_secret, SYSTEM, other.keyring, added.endpoint.id)
    clock.advance(timedelta(minutes=1))
    await other.once()
    assert len(says.letters) == 1
    assert len(says.letters[0].headers["webhook-signature"].split(" ")) == 1


async def test_endpoints_hear_what_they_want_from_when_they_are_there(store: Store, clock: Clock) -> None:
    """One that wants other types hears nothing; one that comes later hears nothing of before; one that is
    stopped gets what has waited when it is started again, and not what happened meanwhile.
    """
    (customer,) = await customers(store)
    picky = await endpoint(store, types=["invoice.finalized"])
    paused = await endpoint(store, types=["invoice.paid", "invoice.paid"])
    says = Says([OK])
    out = delivering(store, says)
    stop = asyncio.Event()
    await store.run(customer, happen)
    await out.hand_out(stop)
    await store.deployment(disable_endpoint, SYSTEM, paused.endpoint.id)
    await store.run(customer, happen)
    clock.advance(SECOND)
    late = await endpoint(store)
    await out.once()
    assert says.letters == []

    await store.deployment(enable_endpoint, SYSTEM, paused.endpoint.id)
    await out.once()

    counts = [len(await deliveries(store, each.endpoint.id)) for each in (picky, paused, late)]
    assert (counts, len(says.letters)) == ([0, 1, 0], 1)
