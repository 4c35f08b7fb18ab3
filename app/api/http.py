"""What every response has in common: security headers, and JSON errors. `/graphql` answers errors as GraphQL
does, all other addresses as problem details (RFC 9457); both also for addresses and methods that do not exist
and for faults of our own, whose trace is logged under the reference that the client sees.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from litestar import Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Message, Scope

from app.api import media
from app.api.errors import Code, RequestRefused, error_body, internal_message, new_reference
from app.metrics import FAULTS
from app.store.transaction import Busy

GRAPHQL_PATH: Final = "/graphql"
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS: Final = "max-age=31536000; includeSubDomains"
MESSAGES: Final[Mapping[int, str]] = {
    404: "There is nothing at this address.",
    413: "The body of this request is too large.",
}

log = structlog.get_logger("seatport.api")

BeforeSend = Callable[[Message, Scope], Awaitable[None]]


def security_headers(*, https: bool) -> BeforeSend:
    """A hook that gives every response the security headers it does not set itself; HSTS where the server is
    reached by https.
    """
    headers = {**SECURITY_HEADERS, **({"Strict-Transport-Security": HSTS} if https else {})}

    async def before_send(message: Message, _: Scope) -> None:
        if message["type"] == "http.response.start":
            sent = MutableScopeHeaders.from_message(message)
            for name, value in headers.items():
                sent.setdefault(name, value)

    return before_send


def json_response(
    body: object, *, status: int = 200, media_type: str = media.JSON, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """A response of JSON in UTF-8."""
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type=f"{media_type}; charset=utf-8",
        headers=dict(headers or {}),
    )


def error_response(refused: RequestRefused, *, path: str, reference: str = "") -> Response[bytes]:
    """The error in the form of the address it happened at."""
    extensions = {**refused.extensions, **({"reference": reference} if reference else {})}
    if path == GRAPHQL_PATH:
        body = error_body(refused.message, refused.code, **extensions)
        return json_response(body, status=refused.status, headers=refused.headers)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.message,
        "code": refused.code,
        **extensions,
    }
    return json_response(problem, status=refused.status, media_type=media.PROBLEM, headers=refused.headers)


def busy_response(busy: Busy, *, path: str) -> Response[bytes]:
    """The answer to a request that had no turn at the database in time, as when too many come at once."""
    seconds = busy.retry_after_seconds
    message = f"Too much is going on here just now. Send the same request again in {seconds} seconds."
    refused = RequestRefused(503, message, Code.BUSY, {"Retry-After": str(seconds)})
    return error_response(refused, path=path)


def internal_error(error: Exception, *, path: str) -> Response[bytes]:
    """The answer to a fault of our own, logged with its trace under the reference it shows."""
    reference = new_reference()
    FAULTS.inc()
    log.error("request failed", reference=reference, exc_info=error)
    return error_response(
        RequestRefused(500, internal_message(reference), Code.INTERNAL), path=path, reference=reference
    )


def _on_refused(request: Request[Any, Any, Any], error: RequestRefused) -> Response[bytes]:
    return error_response(error, path=request.scope["path"])


def _on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses by itself: addresses, methods, parameters."""
    path = request.scope["path"]
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal_error(error, path=path)
    message = MESSAGES.get(error.status_code, error.detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("allow", "")
        message = f"This address does not answer {request.method}. Use {allowed}."
    code = Code.NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else Code.BAD_REQUEST
    return error_response(RequestRefused(error.status_code, message, code, error.headers), path=path)


def _on_busy(request: Request[Any, Any, Any], busy: Busy) -> Response[bytes]:
    return busy_response(busy, path=request.scope["path"])


def _on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return internal_error(error, path=request.scope["path"])


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    RequestRefused: _on_refused,
    HTTPException: _on_http_exception,
    Busy: _on_busy,
    Exception: _on_fault,
}
