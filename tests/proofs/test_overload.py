"""Too much at once: a request that has no turn at the database in time is told when to come again."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.api.auth import hash_token
from app.api.ids import Kind, PublicId
from app.api.links import DocumentLinks
from app.assembly import parts_of
from app.clock import wall_clock
from app.documents.renderer import Renderer
from app.main import Parts, create_app
from app.settings import Mode, Settings
from app.store.engine import POSTGRES_READERS, SQLITE_READERS, open_store
from app.store.transaction import Store
from tests.proofs.serving import SECRET, Tenant, settled
from tests.proofs.test_rendering import waiting_document

SHORT: Final = timedelta(milliseconds=300)
ADDRESS: Final = "http://127.0.0.1"
ASKED: Final = {"query": "{ customer { name seatBalances { committed } } }"}


@pytest.fixture
async def impatient(shared_url: str) -> AsyncIterator[Store]:
    """A store over the shared database that waits shortly."""
    store = open_store(shared_url, clock=wall_clock, wait_max=SHORT)
    yield store
    await store.close()


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    """A render process, started when it is needed."""
    renderer = Renderer()
    yield renderer
    await renderer.stop()


def settings(url: str) -> Settings:
    """What the application is told."""
    return Settings(
        mode=Mode.TEST, database_url=url, secret=SECRET, public_url=ADDRESS, port=80, explorer=False
    )


def client_of(url: str, parts: Parts) -> httpx.AsyncClient:
    """A client of an application made of these parts."""
    app = cast("Any", create_app(settings(url), parts))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS)


@asynccontextmanager
async def no_reader_left(store: Store, tenant: Tenant) -> AsyncIterator[None]:
    """Other requests are in the middle of their reading, on every connection."""
    async with AsyncExitStack() as others:
        for _ in range(SQLITE_READERS if store.reader.dialect.name == "sqlite" else POSTGRES_READERS):
            scope = await others.enter_async_context(store.reads(tenant.customer))
            await scope.run(lambda tx: tx.at)
        yield


@asynccontextmanager
async def nobody_writes(url: str, tenant: Tenant) -> AsyncIterator[None]:
    """Another process holds what a unit of the customer needs to write."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.partition(":///")[2], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    engine = create_async_engine(url)
    lock = text("SELECT credit FROM customer WHERE customer_id = :customer FOR UPDATE")
    async with engine.connect() as connection:
        await connection.execute(lock, {"customer": tenant.customer})
        yield
    await engine.dispose()


def is_busy(answer: httpx.Response) -> bool:
    """Whether an answer says when to come again, in a form that programs understand."""
    return answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("since", ["sign-in", "first-read"])
async def test_a_query_without_a_turn_is_told_to_come_again(
    shared_url: str, impatient: Store, renderer: Renderer, since: str
) -> None:
    """503 with Retry-After and the code BUSY, whether the sign-in found no connection or the answer's first
    read; afterwards the same request is answered.
    """
    (tenant,) = await settled(shared_url, f"crowded-{since}")
    parts = parts_of(settings(shared_url), impatient, renderer, clock=wall_clock)
    actor = await parts.who(hash_token(tenant.token))

    async def known(_: bytes) -> Any:
        return actor

    async with client_of(shared_url, parts if since == "sign-in" else replace(parts, who=known)) as client:
        async with no_reader_left(impatient, tenant):
            answer = await client.post("/graphql", json=ASKED, headers=tenant.headers)
        later = await client.post("/graphql", json=ASKED, headers=tenant.headers)

    assert is_busy(answer), answer.content
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "BUSY"}
    assert error["message"].endswith("Send the same request again in 2 seconds.")
    assert "data" not in answer.json()
    assert later.json()["data"]["customer"]["seatBalances"] == [{"committed": 10}]


async def test_a_page_that_cannot_be_stored_now_is_told_to_come_again(
    shared_url: str, impatient: Store, renderer: Renderer
) -> None:
    """While nobody can write, a document that was never rendered gets 503 with Retry-After; then it comes."""
    (tenant,) = await settled(shared_url, "not-stored")
    async with impatient.reads(tenant.customer) as scope:
        invoice = PublicId(Kind.INVOICE, await scope.run(waiting_document))
    links = DocumentLinks(ADDRESS, SECRET)
    link = links.sign_document_url(customer=tenant.customer, document=invoice, at=wall_clock())
    parts = parts_of(settings(shared_url), impatient, renderer, clock=wall_clock)
    async with client_of(shared_url, parts) as client:
        async with nobody_writes(shared_url, tenant):
            answer = await client.get(link)
        later = await client.get(link)

    assert is_busy(answer), answer.content
    assert later.content.startswith(b"%PDF-")
