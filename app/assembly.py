"""Where the concrete parts meet: settings → store, renderer, schema, explorer → the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from litestar import Litestar

from app.api import ids
from app.api.context import Contexts
from app.api.files import Load, Pdf, PdfNotReady
from app.api.links import DocumentLinks
from app.api.registry import Registry
from app.api.rest.desk import Room
from app.api.rest.keys import Bearer
from app.api.rest.router import rest_api
from app.api.rest.webhook_room import WebhookRoom
from app.api.schema import schema
from app.clock import wall_clock
from app.deliveries import Deliveries
from app.demo_explorer import DemoExplorer
from app.documents.errors import DocumentError
from app.documents.renderer import Renderer
from app.gateways.addresses import Guard
from app.gateways.choosing import gateway_of
from app.gateways.payments import PaymentGateway
from app.gateways.webhooks import HttpSender, Letter, Outcome
from app.main import Parts, create_app
from app.metrics import Reading
from app.services.quotes import QuoteSigner
from app.services.render_document import named, pdf_of
from app.services.webhook_secrets import Keyring
from app.sessions import PortalSessions
from app.settings import Mode, Settings
from app.store import migrate, system
from app.store.engine import open_store
from app.store.reference import Reference
from app.store.transaction import Store
from app.store.webhooks import Status
from app.worker import BESIDE_REQUESTS, Worker

log = structlog.get_logger("seatport")


def application(settings: Settings) -> Litestar:
    """The application of a deployment, with the worker beside the requests.

    It does not start, with `WrongHead` or `DatabaseUnusable`, on a database that it cannot use.
    """
    store = open_store(settings.database_url, clock=wall_clock)
    renderer = Renderer()

    @asynccontextmanager
    async def open_for_business(_: Litestar) -> AsyncIterator[None]:
        await migrate.check(settings.database_url)
        await renderer.start()
        async with working(settings, store, renderer):
            yield
        await renderer.stop()
        await store.close()

    parts = parts_of(settings, store, renderer, clock=wall_clock)
    return create_app(settings, replace(parts, lifespans=(open_for_business,)))


@asynccontextmanager
async def working(
    settings: Settings, store: Store, renderer: Renderer, *, batch: int = BESIDE_REQUESTS
) -> AsyncIterator[None]:
    """Do in the background what a deployment does by itself: bill, draw, collect, deliver webhooks."""
    sender = sender_of(settings)
    deliver = Deliveries(store, sender, Keyring(settings.secret)).run
    worker = Worker(store, renderer.render, gateway=gateway(settings), batch=batch, beside=(deliver,))
    try:
        async with worker.running():
            yield
    finally:
        await sender.close()


def parts_of(settings: Settings, store: Store, renderer: Renderer, *, clock: Callable[[], datetime]) -> Parts:
    """What the application of a store and a renderer is made of. Whoever opened those closes them."""
    signer = QuoteSigner(settings.secret.encode())
    links = DocumentLinks(settings.public_url, settings.secret)
    sessions = PortalSessions(store, settings.session_lifetime, settings.session_idle)
    explorer = DemoExplorer(store, signer, demo=settings.mode is Mode.DEMO)
    return Parts(
        schema=schema,
        who=sessions.who,
        open_context=Contexts(store, signer, links, gateway(settings)).open,
        load_pdf=pdf_loader(store, renderer),
        ready=lambda: readiness(store),
        metrics=Reading(lambda: store.system(system.waiting)).page,
        explorer=explorer.config,
        rest=rest_api(room(settings, store, signer, links), lambda token_hash: bearer(store, token_hash)),
        sessions=sessions,
        registry=Registry.read(),
        clock=clock,
    )


def gateway(settings: Settings) -> PaymentGateway:
    """Who takes the money of a deployment."""
    return gateway_of(settings.payments, settings.payment_books)


def sender_of(settings: Settings) -> HttpSender:
    """What sends webhooks: to the public network, and in demo and tests to this machine too."""
    return HttpSender(Guard(loopback=settings.mode is not Mode.PRODUCTION))


async def bearer(store: Store, token_hash: str) -> Bearer | None:
    """The vendor's key with a token of this hash, None without one."""
    key = await store.system(system.key_of, token_hash)
    return Bearer(key.name, key.scopes) if key else None


def room(settings: Settings, store: Store, signer: QuoteSigner, links: DocumentLinks) -> Room:
    """What the requests of the vendor's programs share."""

    async def customer_called(reference: str) -> UUID | None:
        found = await store.system(system.customer_called, reference)
        return found.customer if found else None

    async def owner_of_document(document: UUID) -> UUID | None:
        found = await store.system(system.owner_of_document, document)
        return found.customer if found else None

    return Room(
        store,
        signer,
        links,
        settings.public_url,
        customer_called,
        owner_of_document,
        webhook_room(settings, store),
        gateway(settings).charges,
    )


def webhook_room(settings: Settings, store: Store) -> WebhookRoom:
    """What the requests about webhooks share."""
    loopback = settings.mode is not Mode.PRODUCTION

    async def try_out(letter: Letter) -> Outcome:
        sender = sender_of(settings)
        try:
            return await sender.send(letter)
        finally:
            await sender.close()

    async def owner_of_delivery(endpoint: UUID, delivery: UUID) -> UUID | None:
        found = await store.system(system.owner_of_delivery, endpoint, delivery)
        return found.customer if found else None

    async def deliveries_to(
        endpoint: UUID, *, status: Status | None, before: UUID | None, limit: int
    ) -> list[Reference]:
        return await store.system(system.deliveries_to, endpoint, status=status, before=before, limit=limit)

    return WebhookRoom(Keyring(settings.secret), loopback, try_out, deliveries_to, owner_of_delivery)


def pdf_loader(store: Store, renderer: Renderer) -> Load:
    """How the PDF of a document is had: as it is stored, or rendered now."""

    async def load(customer: UUID, document: ids.PublicId) -> Pdf | None:
        try:
            stored = await pdf_of(store, renderer.render, customer, document.id)
        except DocumentError as error:
            log.warning("document not rendered", document=str(document), error=str(error))
            raise PdfNotReady from error
        async with store.reads(customer) as scope:
            found = await scope.run(named, document.id)
        return Pdf(stored.content, found.number.text) if stored and found else None

    return load


async def readiness(store: Store) -> str | None:
    """None when the database answers, is at this program's revision, and guards its history; else what is
    wrong.
    """
    try:
        await store.ping(migrate.refuse_unfit)
    except (migrate.WrongHead, migrate.GuardsMissing) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  Whatever it is, no traffic should come.
        return f"The database does not answer: {type(error).__name__}."
    return None
