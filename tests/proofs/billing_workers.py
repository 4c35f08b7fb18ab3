"""Processes that bill, for the proofs to kill. Run as `python -m tests.proofs.billing_workers URL BATCH`.

It imports once; then every line of input forks a worker that bills what is due until nothing is. A worker
says its process id when it begins, a dot with every batch, and at the end how many it billed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.clock import wall_clock
from app.services.billing_run import Order, run
from app.store.engine import open_store

ROOT: Final = Path(__file__).resolve().parents[2]


async def bill(url: str, batch: int) -> int:
    """Bill what is due; how many were billed."""
    store, billed = open_store(url, clock=wall_clock), 0
    try:
        async for tally in run(store, Order(batch=batch)):
            billed += tally.billed
            say(f"{os.getpid()} . {tally.billed}")
    finally:
        await store.close()
    return billed


def nursery(url: str, batch: int) -> None:
    """Fork a worker for every line of input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("ready")
    for _ in sys.stdin:
        if os.fork() == 0:
            say(f"{os.getpid()} begins 0")
            say(f"{os.getpid()} ends {asyncio.run(bill(url, batch))}")
            os._exit(0)


def say(line: str) -> None:
    """One line in one write, so that lines of several workers do not mix."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


@dataclass(slots=True)
class Workers:
    """The workers that live, and how many each billed that said so."""

    process: subprocess.Popen[str]
    alive: set[int] = field(default_factory=set)
    billed: int = 0

    def more(self) -> None:
        """Let one more begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        while self.hear() != "begins":
            pass

    def hear(self) -> str:
        """What a worker says next."""
        assert self.process.stdout is not None
        pid, what, count = self.process.stdout.readline().split()
        if what == "begins":
            self.alive.add(int(pid))
        elif what == "ends":
            self.alive.discard(int(pid))
        else:
            self.billed += int(count)
        return what

    def kill(self, pid: int) -> bool:
        """End one, at once; False if it has just ended by itself."""
        self.alive.discard(pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


@contextmanager
def working(url: str, batch: int) -> Iterator[Workers]:
    """Workers over a database; none of them outlives the proof."""
    command = [sys.executable, "-m", "tests.proofs.billing_workers", url, str(batch)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    workers = Workers(process)
    try:
        yield workers
    finally:
        for pid in set(workers.alive):
            workers.kill(pid)
        process.kill()
        process.communicate()


if __name__ == "__main__":
    nursery(sys.argv[1], int(sys.argv[2]))
