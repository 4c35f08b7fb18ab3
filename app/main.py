"""Where the parts become one application: routes, headers, errors, lifespan; and how it is served.

`create_app` takes what it needs as `Parts`, so a test can serve a schema of three fields by the same code
that serves the real one.
"""

import errno
import gc
import math
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import FrameType
from typing import Final

import strawberry
import uvicorn
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler

from app import logs
from app.api.around import Around
from app.api.auth import Cookie, Holder, Who
from app.api.endpoint import OpenContext, graphql_endpoint
from app.api.explorer import ConfigReader, ExplorerConfig, explorer_routes
from app.api.files import Load, document_route
from app.api.health import Leaving, Ready, health_routes
from app.api.http import EXCEPTION_HANDLERS, GRAPHQL_PATH, security_headers
from app.api.links import DocumentLinks
from app.api.metrics_page import MetricsPage, metrics_route
from app.api.operations import NotServable, Operations, Rules
from app.api.origins import Origins, shared_with
from app.api.portal_pages import HOME, LEAVE, PortalPages, Sessions
from app.api.rates import Rates
from app.api.registry import Registry
from app.api.rest.router import Rest
from app.api.urls import origin_of
from app.clock import wall_clock
from app.settings import Mode, Settings

BODY_BYTES_MAX: Final = 1_000_000
SHUTDOWN_SECONDS_MAX: Final = 20
"""From SIGTERM until no request is under way; the worker has five seconds more to end what it does."""
HOST_DEFAULT: Final = "127.0.0.1"
PORT_MAX: Final = 65535
SHARED: Final = frozenset({GRAPHQL_PATH, LEAVE})
"""What pages of the origins that a setting lists may use."""
HOSTS: Final = (
    "Give --host 127.0.0.1 for this machine alone, 0.0.0.0 for every network it is in, or an address it has."
)

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class ServeError(Exception):
    """The server cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an application is made of. `lifespans` open in their order before the first request and close in
    reverse after the last.
    """

    schema: strawberry.Schema
    who: Holder
    open_context: OpenContext
    load_pdf: Load
    ready: Ready
    explorer: ExplorerConfig | ConfigReader | None = None
    rest: Rest | None = None
    metrics: MetricsPage | None = None
    sessions: Sessions | None = None
    registry: Registry = field(default_factory=Registry)
    routes: Sequence[HTTPRouteHandler] = ()
    lifespans: Sequence[Lifespan] = field(default=())
    clock: Callable[[], datetime] = wall_clock


def create_app(settings: Settings, parts: Parts) -> Litestar:
    """The application: `/graphql`, `/v1/…`, `/schema`, `/documents/…`, `/portal/…`, `/healthz`, `/readyz`,
    `/metrics`, and `/graphiql` where it is on.
    """
    leaving = Leaving()
    links = DocumentLinks(settings.public_url, settings.secret)
    origins = Origins(origin_of(settings.public_url), settings.origins)
    who = Who(parts.who, Cookie(secure=settings.secure_cookies), origins)
    routes: list[HTTPRouteHandler | Router] = [
        graphql_endpoint(
            operations_of(settings, parts),
            who,
            parts.open_context,
            Rates(settings.limits.points, parts.clock),
        ),
        document_route(links, parts.load_pdf, parts.clock),
        *health_routes(parts.ready, leaving),
        *(parts.rest.routes if parts.rest else ()),
        *([metrics_route(parts.metrics, settings.metrics_token)] if parts.metrics else ()),
        *parts.routes,
    ]
    if parts.sessions is not None:
        return_url = settings.return_url or f"{settings.public_url}{HOME}"
        routes += PortalPages(who, parts.sessions, settings.public_url, return_url).routes()
    if settings.explorer and parts.explorer is not None:
        routes += explorer_routes(parts.explorer)
    app = Litestar(
        route_handlers=routes,
        before_send=[
            security_headers(https=settings.public_url.startswith("https://")),
            shared_with(origins, SHARED),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=list(parts.lifespans),
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=parts.rest.openapi if parts.rest else None,
        plugins=parts.rest.plugins if parts.rest else (),
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Around(app.asgi_handler, leaving)
    app.state.leaving = leaving
    return app


def operations_of(settings: Settings, parts: Parts) -> Operations:
    """The schema and what of it a deployment runs. Where only registered documents run, all of them are
    prepared now; `ServeError` if one is not valid.
    """
    rules = Rules(
        limits=settings.limits,
        registry=parts.registry,
        registered_only=not settings.any_document,
        introspection=settings.introspection,
    )
    operations = Operations(parts.schema, rules)
    if rules.registered_only:
        try:
            operations.documents.prepare_registered()
        except NotServable as problem:
            raise ServeError(str(problem)) from problem
    return operations


class Server(uvicorn.Server):
    """Goes in order. At SIGTERM readiness drops at once, but requests are taken for some seconds more, until
    whoever sends them here has noticed; then the door closes, and what has begun is finished. Ctrl+C closes
    it at once. A signal more changes nothing, but a second Ctrl+C ends all.
    """

    def __init__(self, config: uvicorn.Config, leaving: Leaving, drain_seconds: float) -> None:
        super().__init__(config)
        self._leaving = leaving
        self._drain_seconds = drain_seconds
        self._closes_at = math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to go."""
        if sig != signal.SIGTERM or not self.started:
            super().handle_exit(sig, frame)
        elif not self._leaving.began:
            self._closes_at = time.monotonic() + self._drain_seconds
        self._leaving.began = True

    async def on_tick(self, counter: int) -> bool:
        """Whether the door closes now."""
        return await super().on_tick(counter) or time.monotonic() >= self._closes_at


def serve(app: Litestar, *, port: int, host: str = HOST_DEFAULT, drain_seconds: float = 0) -> None:
    """Serve until SIGTERM or Ctrl+C, finish the requests that have begun, and return; `ServeError` when the
    port cannot be had.

    :param drain_seconds: how long requests are taken after SIGTERM, when readiness has dropped
    """
    app.on_startup.append(settle_garbage_collector)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        proxy_headers=False,  # No address or scheme is taken from headers that anybody can send.
        server_header=False,
        access_log=False,  # It would write signed links.
        log_config=None,  # As `app.logs` says.
        timeout_graceful_shutdown=round(SHUTDOWN_SECONDS_MAX - drain_seconds),
    )
    with listening(host, port) as listener:
        # uvicorn raises the signal again when it is done; here that means a shutdown in order, not a death.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        Server(config, app.state.leaving, drain_seconds).run(sockets=[listener])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; `ServeError` says in one sentence why there is none."""
    if not 0 <= port <= PORT_MAX:
        raise ServeError(f"{port} is no port. Choose one from 1 to {PORT_MAX} with --port.")
    family = family_of(host)
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = (
                f"Port {port} is in use. Stop the program that has it, or choose another with --port or PORT."
            )
        elif error.errno == errno.EACCES:
            why = f"Port {port} is kept for the system administrator. Choose one above 1023 with --port."
        elif error.errno == errno.EADDRNOTAVAIL:
            why = f"{host} is no address of this machine. {HOSTS}"
        else:
            why = f"Cannot listen on {host} port {port}: {error}. Choose another address or port."
        raise ServeError(why) from error


def family_of(host: str) -> socket.AddressFamily:
    """Whether a host is reached by IPv4 or IPv6; `ServeError` if it has no address at all."""
    try:
        found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, ValueError) as error:
        raise ServeError(f"There is no host {host!r}. {HOSTS}") from error
    families = {family for family, *_ in found}
    return socket.AF_INET if socket.AF_INET in families else socket.AF_INET6


def configure_logging(mode: Mode) -> None:
    """Log as JSON in production, elsewhere for people; of what `app.logs` lists, and nothing else."""
    logs.configure(as_json=mode is Mode.PRODUCTION)


def settle_garbage_collector() -> None:
    """Put what was built at the start out of the collector's sight and let it look less often: a full
    collection in the middle of a request is what makes the slowest answers slow.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
