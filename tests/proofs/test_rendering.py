"""Documents of real servers: a render process may die, many may ask at once, servers may draw the same page;
the bytes that were stored first stay.
"""

import asyncio
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import select, update

from app.billing.permissions import SYSTEM
from app.billing.plans import ProrationMode
from app.billing.requests import ChangeRequest, SeatQuantity
from app.clock import wall_clock
from app.services.change_plan import ChangePlan, PlanChanged, change_plan
from app.services.quotes import QuoteSigner
from app.services.render_document import pdf_of
from app.store.engine import open_store
from app.store.files import StoredFile
from app.store.tables import document_file, render_job
from app.store.transaction import Tx
from tests.proofs.ledger_check import problems
from tests.proofs.serving import Server, Tenant, ask, go_on, pause, settled

LINES: Final = 60
PARALLEL: Final = 20
RACES_MAX: Final = 4
IN_FLIGHT_SECONDS: Final = 0.25
"""How long a request takes to reach its render process at the first try; on a busy machine it has longer."""
DRAWN_SECONDS_MAX: Final = 20
LATEST: Final = "{ customer { invoices(first: 1) { edges { node { number pdf { url ready sha256 } } } } } }"


def make_long_invoice(tx: Tx, subscription: UUID) -> PlanChanged:
    """Seats are added one by one, to be billed together; one more, and the invoice has a line for each."""
    signer, one = QuoteSigner(b"no quotes here"), (SeatQuantity("editor", add=1),)
    modes = [ProrationMode.PRORATED_ON_NEXT_INVOICE] * (LINES - 1) + [ProrationMode.PRORATED_IMMEDIATELY]
    requests = [
        ChangePlan(subscription, ChangeRequest(seats=one, mode=mode), f"line {n}")
        for n, mode in enumerate(modes)
    ]
    last = [change_plan(tx, SYSTEM, signer, request) for request in requests][-1]
    assert isinstance(last, PlanChanged), last
    return last


def kept(tx: Tx) -> list[StoredFile]:
    """The rendered files of a customer."""
    query = select(document_file).where(document_file.c.customer_id == tx.customer)
    return [StoredFile(row.sha256, row.size, row.content) for row in tx.connection.execute(query)]


async def kept_files(url: str, tenant: Tenant) -> list[StoredFile]:
    """The same, from outside."""
    store = open_store(url, clock=wall_clock)
    async with store.reads(tenant.customer) as scope:
        files = await scope.run(kept)
    await store.close()
    return files


async def latest(client: httpx.AsyncClient, server: Server, tenant: Tenant) -> tuple[str, str]:
    """Number and link (path and query) of the newest invoice."""
    (edge,) = (await ask(client, server, tenant, LATEST))["customer"]["invoices"]["edges"]
    return edge["node"]["number"], edge["node"]["pdf"]["url"].removeprefix(server.url)


def ticks(pid: int) -> int:
    """Processor time that a process has used, in hundredths of a second; without /proc, time that went by."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return int(time.monotonic() * 100)
    fields = stat.read_text("ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def stopped_while_drawing(pid: int, asking: asyncio.Task[httpx.Response]) -> None:
    """Return as soon as the render process has worked a little on what was asked, and hold it there."""
    before = ticks(pid)
    while ticks(pid) < before + 3:
        assert not asking.done(), "a long document is not drawn so quickly"
        await asyncio.sleep(0.005)
    pause(pid)
    assert not asking.done()


async def test_the_render_process_killed_in_mid_render(shared_url: str, pair: list[Server]) -> None:
    """Who asked for the page is told at once to ask again; others and the next request get their pages from a
    new process of the same server.
    """
    long, short = await settled(shared_url, "killed-long", "killed-short")
    store = open_store(shared_url, clock=wall_clock)
    await store.run(long.customer, make_long_invoice, long.subscription)
    await store.close()
    server = pair[0]
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        (_, long_link), (_, short_link) = [await latest(client, server, who) for who in (long, short)]
        pid = server.render_process()
        asking = asyncio.create_task(client.get(long_link))
        await stopped_while_drawing(pid, asking)
        waiting = asyncio.create_task(client.get(short_link))
        alive = await client.get("/healthz")
        os.kill(pid, signal.SIGKILL)

        answer = await asking
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert answer.text == "This document is not ready yet. Try again in a moment.\n"
        assert (await waiting).content.startswith(b"%PDF-")
        assert alive.status_code == httpx.codes.OK
        again = await client.get(long_link)
        assert (again.status_code, again.content[:5]) == (httpx.codes.OK, b"%PDF-")
        assert server.render_process() != pid
    assert [file.content for file in await kept_files(shared_url, long)] == [again.content]


async def test_20_parallel_gets_are_one_document(shared_url: str, pair: list[Server]) -> None:
    """Ten at each of two servers, of an invoice that nobody has seen yet, and twenty more afterwards: one
    hash, one stored row, and the row is what was sent.
    """
    (tenant,) = await settled(shared_url, "parallel")
    async with httpx.AsyncClient(timeout=60) as client:
        _, link = await latest(client, pair[0], tenant)
        links = [f"{pair[n % 2].url}{link}" for n in range(PARALLEL)]
        rounds = [await asyncio.gather(*map(client.get, links)) for _ in range(2)]

    answers = [answer for answers in rounds for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    (content,) = {answer.content for answer in answers}
    digest = hashlib.sha256(content).hexdigest()
    assert {answer.headers["ETag"] for answer in answers} == {f'"{digest}"'}
    assert await kept_files(shared_url, tenant) == [StoredFile(digest, len(content), content)]
    sys.stdout.write(f"{len(answers)} answers, one hash: {digest}\n")


async def test_two_servers_draw_one_document_at_once(shared_url: str, pair: list[Server]) -> None:
    """Both render processes are held until both servers wait for them; then both draw, one row is kept, and
    both answer with it.
    """
    tenants = await settled(shared_url, *(f"both-{n}" for n in range(RACES_MAX)))
    both = 0
    async with httpx.AsyncClient(timeout=60) as client:
        for tries, tenant in enumerate(tenants):
            number, link = await latest(client, pair[0], tenant)
            pids = [server.render_process() for server in pair]
            for pid in pids:
                pause(pid)
            asking = [asyncio.create_task(client.get(f"{server.url}{link}")) for server in pair]
            await asyncio.sleep(IN_FLIGHT_SECONDS * 3**tries)
            assert not any(task.done() for task in asking)
            for pid in pids:
                go_on(pid)
            one, other = [await task for task in asking]
            assert one.content == other.content
            assert [file.content for file in await kept_files(shared_url, tenant)] == [one.content]
            both += all(f'"number": "{number}"' in server.said() for server in pair)
            if both:
                break
    assert both, f"in none of {RACES_MAX} tries both servers drew"


async def test_the_first_bytes_stay(shared_url: str) -> None:
    """Two servers whose renderings of one document differ finish at the same moment: one of the two is
    stored, and both hand out that one, now and ever after.
    """
    (tenant,) = await settled(shared_url, "first-bytes")
    stores = [open_store(shared_url, clock=wall_clock) for _ in range(2)]
    together = asyncio.Barrier(2)
    async with stores[0].reads(tenant.customer) as scope:
        document = await scope.run(waiting_document)

    async def draw(content: bytes) -> bytes:
        await together.wait()
        return content

    async def never(_: str) -> bytes:
        raise AssertionError("what is stored is not drawn again")

    contents = (b"%PDF-1.7 one", b"%PDF-1.7 other")
    files = await asyncio.gather(
        *(
            pdf_of(store, lambda _, content=content: draw(content), tenant.customer, document)  # type: ignore[misc]
            for store, content in zip(stores, contents, strict=True)
        )
    )
    later = [await pdf_of(store, never, tenant.customer, document) for store in stores]
    for store in stores:
        await store.close()
    (first,) = {file.content for file in (*files, *later) if file}
    assert first in contents
    assert [file.content for file in await kept_files(shared_url, tenant)] == [first]


def waiting_document(tx: Tx) -> UUID:
    """The document of a customer that waits to be rendered."""
    query = select(render_job.c.document_id).where(render_job.c.customer_id == tx.customer)
    found: UUID = tx.connection.execute(query).scalar_one()
    return found


def draw_now(tx: Tx) -> None:
    """Put the documents of a customer on the list of what is to be drawn."""
    own = render_job.c.customer_id == tx.customer
    tx.connection.execute(update(render_job).where(own).values(run_at=tx.wall))


async def test_documents_outlive_the_server(shared_url: str, pair: list[Server]) -> None:
    """After a restart the same link gives the same bytes, and what waited is drawn without anybody asking."""
    seen, unseen = await settled(shared_url, "outlives", "unseen")
    server = pair[0]
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        _, link = await latest(client, server, seen)
        before = await client.get(link)
        assert before.status_code == httpx.codes.OK
        server.stop()
        store = open_store(shared_url, clock=wall_clock)
        await store.run(unseen.customer, draw_now)
        await store.close()
        server.launch()
        await asyncio.to_thread(server.wait)
        after = await client.get(link)
        assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
        files = await kept_files(shared_url, unseen)
        for _ in range(DRAWN_SECONDS_MAX * 5):
            if files:
                break
            await asyncio.sleep(0.2)
            files = await kept_files(shared_url, unseen)
        _, unseen_link = await latest(client, server, unseen)
        assert [file.content for file in files] == [(await client.get(unseen_link)).content]
    assert await problems(shared_url) == []
