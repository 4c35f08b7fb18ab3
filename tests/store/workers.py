"""Other processes on the same database, for tests of what happens between processes.

Run as `python -m tests.store.workers WHAT URL CUSTOMER [TIMES]`. A worker says `ready`, waits for a line on
its standard input, works, and says how often. `append` works until its standard input ends.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.engine import open_store
from app.store.transaction import Store, Tx
from tests.store import scratch

NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)


def noon() -> datetime:
    """A clock that always shows noon."""
    return NOON


def carefree_store(url: str) -> Store:
    """A store whose engine leaves transactions to the driver's defaults, as nobody should."""
    engine = create_async_engine(url)
    return Store(
        writer=engine, reader=engine, clock=noon, offset_of=scratch.no_offset, wait_max=timedelta(seconds=60)
    )


def careful_store(url: str) -> Store:
    """The store as it is."""
    return open_store(url, clock=noon, offset_of=scratch.no_offset, wait_max=timedelta(seconds=60))


def count_up_unlocked(tx: Tx) -> int:
    """As `count_up`, but without a lock on what it read."""
    own = scratch.counter.c.customer_id == tx.customer
    shown = tx.connection.execute(select(scratch.counter.c.value).where(own)).scalar_one()
    tx.connection.execute(update(scratch.counter).where(own).values(value=shown + 1))
    return int(shown) + 1


WAYS: dict[str, tuple[Callable[[str], Store], Callable[[Tx], int]]] = {
    "count": (careful_store, scratch.count_up),
    "count-carefree": (carefree_store, scratch.count_up),
    "count-unlocked": (careful_store, count_up_unlocked),
}


async def count(way: str, url: str, customer: UUID, times: int) -> int:
    """Count up so many times, each in a transaction; returns how many were committed."""
    make, unit = WAYS[way]
    opened = make(url)
    await asyncio.to_thread(meet)
    for _ in range(times):
        await opened.run(customer, unit)
    await opened.close()
    return times


async def append(url: str, customer: UUID) -> int:
    """Append pairs of ledger rows until standard input ends; returns how many pairs."""
    opened = careful_store(url)
    await asyncio.to_thread(meet)
    over, pairs = Event(), 0
    Thread(target=wait_for_the_end, args=(over,), daemon=True).start()
    while not over.is_set():
        await opened.run(customer, scratch.append_pair, f"{pairs}")
        pairs += 1
    await opened.close()
    return pairs


def wait_for_the_end(over: Event) -> None:
    """Set the event when standard input ends."""
    sys.stdin.read()
    over.set()


def meet() -> None:
    """Say that this worker is ready, and wait until all are."""
    say("ready")
    sys.stdin.readline()


def say(words: object) -> None:
    """Tell the test that started this worker."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(what: str, url: str, customer: str, *times: str) -> None:
    """Do one kind of work and print how often."""
    if what == "append":
        say(asyncio.run(append(url, UUID(customer))))
    else:
        say(asyncio.run(count(what, url, UUID(customer), *map(int, times))))


@contextmanager
def started(number: int, *arguments: str) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers, all ready, let go together. What they answer is for the caller to read."""
    command = [sys.executable, "-m", "tests.store.workers", *arguments]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def answers(workers: list[subprocess.Popen[str]]) -> int:
    """Let the workers finish; the sum of what they say they did."""
    return sum(int(worker.communicate(timeout=60)[0]) for worker in workers)


if __name__ == "__main__":
    main(*sys.argv[1:])
