"""The routes under `/v1`, the page of each kind of problem, and the OpenAPI document at `/schema`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.params import FromPath
from litestar.plugins import PluginProtocol

from app.api import media
from app.api.errors import Code, RequestRefused
from app.api.http import internal_error
from app.api.rest import (
    clock,
    credit_notes,
    customers,
    drift,
    invoices,
    overrides,
    portal,
    seat_events,
    seats,
    subscriptions,
    webhook_schema,
    webhooks,
)
from app.api.rest.bodies import BodyWrong
from app.api.rest.describing import TuplesAsArrays
from app.api.rest.desk import Refused, Room
from app.api.rest.keys import Calls, RequestWrong, RestRequest, gate
from app.api.rest.problems import (
    BAD_REQUEST,
    NO_CATALOG,
    PATH,
    TYPES,
    UNDER_REVIEW,
    problem_response,
    refusal_response,
)
from app.billing import refusals
from app.services.bring_up import RenewalOutOfBounds
from app.store.catalogs import NoCatalog
from app.store.transaction import Busy

PREFIX: Final = "/v1"
RESOURCES: Final = (
    customers,
    subscriptions,
    seat_events,
    seats,
    drift,
    overrides,
    invoices,
    credit_notes,
    portal,
    webhooks,
    clock,
)
ABOUT: Final = """
For the vendor's own programs: report seats, open the portal for a customer, settle invoices.

- **Keys.** `seatport api-key --scope seats:write` prints one. Send it as `Authorization: Bearer spk_…`.
- **Problems.** Whatever is refused is answered by a problem (RFC 9457), whose `type` tells what it is.
- **Idempotency.** With the header `Idempotency-Key` the same request is done once, however often it is sent.
- **Time.** Instants have an offset; all that is answered is in UTC.
- **Besides.** Any request may be answered by 408 or 413 (it came too slowly, or was too large), by 503 with
  `Retry-After` (try the same again) or while no catalog was applied, and by 500 with a reference for support.
"""


@dataclass(frozen=True, slots=True)
class Rest:
    """The API as an application takes it in."""

    routes: tuple[Router | HTTPRouteHandler, ...]
    openapi: OpenAPIConfig
    plugins: tuple[PluginProtocol, ...] = ()


def rest_api(room: Room, calls: Calls) -> Rest:
    """The routes of the API and its description."""
    router = Router(
        PREFIX,
        route_handlers=[route for resource in RESOURCES for route in resource.ROUTES],
        guards=[gate(calls)],
        dependencies={"desk": Provide(room.desk())},
        request_class=RestRequest,
        exception_handlers={
            Refused: _on_refused,
            RequestWrong: _on_wrong,
            BodyWrong: _on_unreadable,
            HTTPException: _on_http_exception,
            Busy: _on_busy,
            RenewalOutOfBounds: _on_review,
            NoCatalog: _on_no_catalog,
        },
    )
    return Rest((router, problem_page), openapi(), (TuplesAsArrays(),))


def openapi() -> OpenAPIConfig:
    """What the document says besides the routes."""
    return OpenAPIConfig(
        title="Seatport, server to server",
        version="1",
        description=ABOUT.strip(),
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json"), YamlRenderPlugin(path="/openapi.yaml")],
        components=Components(
            security_schemes={
                "apiKey": SecurityScheme(type="http", scheme="bearer", description="An API key, `spk_…`.")
            }
        ),
        security=[{"apiKey": []}],
        tags=[Tag(name, description) for name, description in (resource.TAG for resource in RESOURCES)],
        webhooks=dict(webhook_schema.webhooks()),
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: handler.handler_name,
    )


@get(f"{PATH}{{name:str}}", include_in_schema=False)
async def problem_page(name: FromPath[str]) -> Response[bytes]:
    """What a kind of problem means."""
    kind = TYPES.get(name)
    if kind is None:
        raise RequestRefused(404, "There is nothing at this address.", Code.NOT_FOUND)
    text = f"{kind.title}.\n\nStatus {kind.status}. The `detail` of the response says more.\n"
    return Response(text.encode(), media_type=media.TEXT)


def _on_refused(_: Request[Any, Any, Any], error: Refused) -> Response[bytes]:
    return refusal_response(error.no)


def _on_wrong(_: Request[Any, Any, Any], error: RequestWrong) -> Response[bytes]:
    return problem_response(error.kind, error.detail, headers=error.headers)


def _on_unreadable(_: Request[Any, Any, Any], error: BodyWrong) -> Response[bytes]:
    return problem_response(BAD_REQUEST, str(error))


def _on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses by itself: parameters."""
    if error.status_code != BAD_REQUEST.status:
        return internal_error(error, path=request.scope["path"])
    extra = error.extra if isinstance(error.extra, list) else []
    told = "; ".join(f"{each.get('key', '')}: {each.get('message', '')}" for each in extra)
    return problem_response(BAD_REQUEST, told or error.detail)


def _on_busy(_: Request[Any, Any, Any], busy: Busy) -> Response[bytes]:
    return refusal_response(refusals.Busy(busy.retry_after_seconds))


def _on_review(_: Request[Any, Any, Any], error: RenewalOutOfBounds) -> Response[bytes]:
    return problem_response(UNDER_REVIEW, str(error))


def _on_no_catalog(_: Request[Any, Any, Any], error: NoCatalog) -> Response[bytes]:
    return problem_response(NO_CATALOG, f"Nothing is on offer: {error}.")
