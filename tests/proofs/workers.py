"""Other processes that use a deployment at the same time, for the proofs.

Run as `python -m tests.proofs.workers WHAT`. A worker reads its orders as a line of JSON, says `ready`, waits
for another line, works, and says as JSON what came of it.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS_MAX: Final = 60


async def post(orders: dict[str, Any]) -> list[Any]:
    """Post a body under each of `keys`, `at_once` of them under way, to the servers in turn; what each was
    answered. Who is `patient` comes again when a server says that it has no turn.
    """
    left = iter(enumerate(orders["keys"]))
    answers: list[Any] = []
    async with httpx.AsyncClient(headers=orders["headers"], timeout=SECONDS_MAX) as client:

        async def some() -> None:
            for i, key in left:
                url = orders["urls"][i % len(orders["urls"])]
                body, sent = orders["body"], orders["body"]["variables"]["input"]
                keyed = {**body, "variables": {"input": {**sent, "idempotencyKey": key}}}
                answer = await client.post(url, json=keyed)
                while orders["patient"] and has_no_turn(answer):
                    await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
                    answer = await client.post(url, json=keyed)
                answers.append(answer.json() if answer.status_code == httpx.codes.OK else answer.status_code)

        meet()
        await asyncio.gather(*(some() for _ in range(orders["at_once"])))
    return answers


def has_no_turn(answer: httpx.Response) -> bool:
    """Whether a server was too busy: it says so by its status, or by the refusal `Busy`."""
    return answer.status_code == httpx.codes.SERVICE_UNAVAILABLE or '"Busy"' in answer.text


async def add(orders: dict[str, Any]) -> dict[str, int]:
    """Add one seat `times` times (without it: once for each line of input), each under a key of its own,
    through a store of its own. What has no turn is tried again with the same key.
    """
    # Imported here, so that the other kind of worker starts quickly.
    from app.billing.permissions import SYSTEM  # noqa: PLC0415
    from app.billing.requests import ChangeRequest, SeatQuantity  # noqa: PLC0415
    from app.clock import wall_clock  # noqa: PLC0415
    from app.services.change_plan import ChangePlan, PlanChanged, change_plan  # noqa: PLC0415
    from app.services.quotes import QuoteSigner  # noqa: PLC0415
    from app.store.engine import open_store  # noqa: PLC0415
    from app.store.transaction import Busy  # noqa: PLC0415

    store = open_store(orders["database_url"], clock=wall_clock)
    customer, subscription = UUID(orders["customer"]), UUID(orders["subscription"])
    one, signer = ChangeRequest(seats=(SeatQuantity("editor", add=1),)), QuoteSigner(b"no quotes here")
    made, busy = 0, 0
    meet()
    while made < orders["times"] if orders["times"] else sys.stdin.readline():
        request = ChangePlan(subscription, one, f"{orders['name']}-{made}")
        done = None
        while done is None:
            try:
                done = await store.run(customer, change_plan, SYSTEM, signer, request)
            except Busy:
                busy += 1
        assert isinstance(done, PlanChanged), done
        made += 1
    await store.close()
    return {"made": made, "busy": busy}


def meet() -> None:
    """Say that this worker is ready, and wait until all are."""
    say("ready")
    sys.stdin.readline()


def say(words: Any) -> None:
    """Tell the test that started this worker."""
    sys.stdout.write(f"{json.dumps(words)}\n")
    sys.stdout.flush()


@contextmanager
def started(what: str, orders: Sequence[dict[str, Any]]) -> Iterator[list[subprocess.Popen[str]]]:
    """A worker for each of the orders, all ready, let go together. For the caller to read what they say."""
    command = [sys.executable, "-m", "tests.proofs.workers", what]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in orders
    ]
    try:
        for worker, order in zip(workers, orders, strict=True):
            tell(worker, json.dumps(order))
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == '"ready"\n'
        for worker in workers:
            tell(worker, "go")
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def tell(worker: subprocess.Popen[str], line: str) -> None:
    """A line for a worker to read."""
    assert worker.stdin is not None
    worker.stdin.write(f"{line}\n")
    worker.stdin.flush()


def results(workers: Sequence[subprocess.Popen[str]]) -> list[Any]:
    """Let the workers finish; what each says came of it."""
    return [json.loads(worker.communicate(timeout=SECONDS_MAX)[0]) for worker in workers]


if __name__ == "__main__":
    kinds = {"post": post, "add": add}
    say(asyncio.run(kinds[sys.argv[1]](json.loads(sys.stdin.readline()))))
