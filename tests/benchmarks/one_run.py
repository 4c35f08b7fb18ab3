"""A billing run in a process of its own, so that its time and memory are nobody else's.

    python -m tests.benchmarks.one_run DATABASE_URL INSTANT

It bills what is due then, and says in JSON how many were billed, in how many seconds of the wall clock, and
the most memory that the process had, in megabytes.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from app.services.billing_run import everything
from app.services.demo.stage import MovedClock
from app.store.engine import open_store


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run did, and what it took."""

    claimed: int
    billed: int
    seconds: float
    megabytes: int


async def bill(url: str, at: datetime) -> Measured:
    """Bill what is due at an instant, in this process."""
    store = open_store(url, clock=MovedClock(at))
    try:
        await store.ping()
        start = time.perf_counter()
        tally = await everything(store)
        seconds = time.perf_counter() - start
    finally:
        await store.close()
    return Measured(tally.claimed, tally.billed, seconds, peak_megabytes())


def peak_megabytes() -> int:
    """The most memory that this process ever had, as Linux counts it."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


async def in_process(url: str, at: datetime) -> Measured:
    """The same in a fresh process."""
    command = (sys.executable, "-m", __name__, url, at.isoformat())
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert process.returncode == 0, "what went wrong stands above"
    return Measured(**json.loads(told))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(asyncio.run(bill(sys.argv[1], datetime.fromisoformat(sys.argv[2]))))))
