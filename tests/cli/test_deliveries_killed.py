"""A process that delivers is killed between sending and noting so: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

from app.clock import wall_clock
from app.gateways.webhooks import HttpSender
from app.store import webhooks
from app.store.engine import open_store
from app.store.webhooks import Status
from tests.architecture.source import ROOT
from tests.gateways.posting import HERE, customers, deliveries, delivering, endpoint, happen
from tests.gateways.receiver import Received, receiving

COUNT = 30
PROGRAM = """
import asyncio, sys
from app.clock import wall_clock
from app.gateways.webhooks import HttpSender
from app.store.engine import open_store
from tests.gateways.posting import HERE, delivering
out = delivering(open_store(sys.argv[1], clock=wall_clock), HttpSender(HERE))
asyncio.run(out.run(asyncio.Event()))
"""


async def test_a_killed_process_loses_no_message(database_url: str) -> None:
    """SIGKILL when some of 30 messages have arrived, of which the process has noted none or a few; another
    one delivers the rest, and those again, under the same ids.
    """
    store = open_store(database_url, clock=wall_clock)
    (customer,) = await customers(store)
    arrived = asyncio.Event()

    async def takes_and_falls_silent(got: Received, writer: asyncio.StreamWriter) -> None:
        if len(receiver.received) > COUNT // 2:
            arrived.set()
            await asyncio.sleep(60)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with receiving(takes_and_falls_silent) as receiver:
        added = await endpoint(store, receiver.url)
        await store.run(customer, happen, COUNT)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, database_url, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        async with asyncio.timeout(60):
            await arrived.wait()
            child.send_signal(signal.SIGKILL)
            await child.wait()
        before = [got.headers["webhook-id"] for got in receiver.received]
        half_way = await deliveries(store, added.endpoint.id)

        later = open_store(database_url, clock=lambda: wall_clock() + webhooks.LEASE + timedelta(seconds=1))
        receiver.behave = takes
        http = HttpSender(HERE)
        await delivering(later, http).once()
        await http.close()
        ids = [got.headers["webhook-id"] for got in receiver.received]
        done = await deliveries(later, added.endpoint.id)
        await later.close()
    await store.close()

    assert len(before) > COUNT // 2
    assert sum(each.status is Status.WAITING for each in half_way) >= COUNT // 2
    assert {each.status for each in done} == {Status.DELIVERED}
    assert len(set(ids)) == COUNT
    assert len(ids) > COUNT, "some came twice"


async def takes(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
