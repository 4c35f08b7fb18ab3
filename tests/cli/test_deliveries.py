"""Webhooks from the commit to the endpoint, on both databases, mostly over real connections."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from app.api.ids import Kind, encode
from app.assembly import working
from app.billing.permissions import SYSTEM
from app.documents.renderer import Renderer
from app.gateways.webhooks import Answer, Failure, HttpSender, Letter, NoAnswer, Outcome
from app.services.record_seats import SeatReport, record_seats
from app.services.webhook_rules import GAPS
from app.services.webhook_secrets import Keyring
from app.services.webhooks import disable_endpoint, enable_endpoint, replay, rotate_secret
from app.store import webhooks
from app.store.ids import new_id
from app.store.tables.webhooks import DisabledBecause
from app.store.transaction import Busy, Store, Tx
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
from tests.portal import SETTINGS

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
    from standardwebhooks import Webhook  # noqa: PLC0415

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

    await store.deployment(enable_endpoint, added.endpoint.id)
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


async def test_a_crash_after_sending_sends_again(store: Store, clock: Clock) -> None:
    """100 messages go out and the process is gone before it notes so: after the lease they go out again,
    each under its id, and not before.
    """
    (customer,) = await customers(store)
    added = await endpoint(store)
    says = Says([OK])

    class Dies:
        async def send(self, letter: Letter) -> Outcome:
            await says.send(letter)
            raise RuntimeError("gone")

    await store.run(customer, happen, 100)
    with capture_logs() as logged:
        await delivering(store, Dies()).once()
    assert len(logged) == 100
    assert len(says.letters) == 100
    clock.advance(webhooks.LEASE - SECOND)
    await delivering(store, says).once()
    assert len(says.letters) == 100

    clock.advance(SECOND)
    await delivering(store, says).once()

    assert set(Counter(letter.headers["webhook-id"] for letter in says.letters).values()) == {2}
    found = await deliveries(store, added.endpoint.id)
    assert {(each.status, each.attempts, len(each.log)) for each in found} == {(Status.DELIVERED, 2, 1)}


async def test_a_try_that_was_given_up_still_counts_when_it_succeeds(store: Store, clock: Clock) -> None:
    """A try hangs for longer than its lease and another fails meanwhile; then the first is answered 200."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    answers, asked = asyncio.Event(), asyncio.Event()

    class Hangs:
        async def send(self, _: Letter) -> Outcome:
            asked.set()
            await answers.wait()
            return OK

    await store.run(customer, happen)
    first = asyncio.create_task(delivering(store, Hangs()).once())
    await asked.wait()
    clock.advance(webhooks.LEASE)
    await delivering(store, Says([Answer(500, None, 1)])).once()
    answers.set()
    await first

    found = await delivery(store, added.endpoint.id)
    assert (found.status, found.attempts) == (Status.DELIVERED, 2)
    assert [each.status for each in found.log] == [200, 500]


async def test_two_processes_send_nothing_twice(store: Store) -> None:
    """Two at once over 200 messages of ten objects: 200 requests, the news of each object 1 to 20."""
    owners = await customers(store, 2)
    await endpoint(store)
    for owner in owners:
        for _ in range(5):
            await store.run(owner, happen, 20, new_id(store.wall()))
    says = Says([OK])

    await asyncio.gather(*(delivering(store, says).once() for _ in range(2)))

    told = [json.loads(letter.body)["data"] for letter in says.letters]
    assert len({letter.headers["webhook-id"] for letter in says.letters}) == len(told) == 200
    for object_id in {each["object"] for each in told}:
        of_object = [each["sequence"] for each in told if each["object"] == object_id]
        assert sorted(of_object) == list(range(1, 21))


async def test_a_dead_endpoint_delays_nobody(store: Store) -> None:
    """1,000 messages to ten endpoints, of which one does not answer for two minutes: the other 900 are there
    before it has answered one.
    """
    owners = await customers(store, 5)
    async with receiving(answer(200)) as fine, receiving(silence) as dead:
        for number in range(9):
            await endpoint(store, f"{fine.url}/{number}")
        ill = await endpoint(store, dead.url)
        for owner in owners:
            await store.run(owner, happen, 20)
        http = HttpSender(HERE, seconds=120)
        out = delivering(store, http)
        stop = asyncio.Event()
        began_at = asyncio.get_running_loop().time()
        running = asyncio.create_task(out.run(stop))
        async with asyncio.timeout(60):
            while len(fine.received) < 900:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        took = asyncio.get_running_loop().time() - began_at
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await http.close()

    print(f"900 deliveries beside a dead endpoint: {took:.1f} s, {900 / took:.0f} a second")  # noqa: T201
    assert set(Counter(got.path for got in fine.received).values()) == {100}
    assert {each.status for each in await deliveries(store, ill.endpoint.id)} == {Status.WAITING}


async def test_both_secrets_sign_for_a_day(store: Store, clock: Clock, http: HttpSender) -> None:
    """For 24 hours after a rotation a message has two signatures, and either secret takes it; then one."""
    (customer,) = await customers(store)
    async with receiving(answer(200)) as receiver:
        added = await endpoint(store, receiver.url)
        rotated = await store.deployment(rotate_secret, KEYRING, added.endpoint.id)
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

    await store.deployment(rotate_secret, other.keyring, added.endpoint.id)
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
    await store.deployment(disable_endpoint, paused.endpoint.id)
    await store.run(customer, happen)
    clock.advance(SECOND)
    late = await endpoint(store)
    await out.once()
    assert says.letters == []

    await store.deployment(enable_endpoint, paused.endpoint.id)
    await out.once()

    counts = [len(await deliveries(store, each.endpoint.id)) for each in (picky, paused, late)]
    assert (counts, len(says.letters)) == ([0, 1, 0], 1)


async def test_it_goes_on_whatever_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has no turn, a look-up breaks, a try breaks in us: the next round delivers."""
    (customer,) = await customers(store)
    added = await endpoint(store)
    faults: list[Exception] = [Busy(), RuntimeError("look-up"), Busy(), RuntimeError("try")]
    ask, run = store.system, store.batch

    async def system_fails(*args: object, **kwargs: object) -> object:
        if len(faults) > 2:
            raise faults.pop(0)
        return await ask(*args, **kwargs)  # type: ignore[arg-type]

    async def run_fails(*args: object, **kwargs: object) -> object:
        if faults:
            raise faults.pop(0)
        return await run(*args, **kwargs)  # type: ignore[arg-type]

    await store.run(customer, happen)
    monkeypatch.setattr(store, "system", system_fails)
    monkeypatch.setattr(store, "batch", run_fails)
    says, stop = Says([OK]), asyncio.Event()
    with capture_logs():
        running = asyncio.create_task(delivering(store, says).run(stop))
        async with asyncio.timeout(20):
            while not says.letters:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            stop.set()
            await running

    monkeypatch.undo()
    assert (faults, len(says.letters)) == ([], 1)
    assert (await delivery(store, added.endpoint.id)).status is Status.DELIVERED


async def test_a_deployment_delivers_by_itself(store: Store) -> None:
    """What runs beside the requests, as it is assembled, tells an endpoint on this machine in test mode."""
    (customer,) = await customers(store)
    async with receiving(answer(200)) as receiver:
        await endpoint(store, receiver.url)
        async with working(SETTINGS, store, Renderer()):
            await store.run(customer, happen)
            async with asyncio.timeout(20):
                while not receiver.received:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    assert json.loads(receiver.received[0].body)["type"] == "invoice.paid"
