"""Deliveries that are disturbed: a process dies, two run at once, an endpoint is dead, we fail."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.assembly import working
from app.documents.renderer import Renderer
from app.gateways.webhooks import Answer, HttpSender, Letter, Outcome
from app.store import webhooks
from app.store.ids import new_id
from app.store.transaction import Busy, Store
from app.store.webhooks import Status
from tests.conftest import Clock
from tests.gateways.posting import (
    HERE,
    OK,
    Says,
    customers,
    deliveries,
    delivering,
    delivery,
    endpoint,
    happen,
)
from tests.gateways.receiver import answer, receiving, silence
from tests.portal import SETTINGS

SECOND = timedelta(seconds=1)


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
