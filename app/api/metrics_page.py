"""GET `/metrics`, for Prometheus. The numbers hold nobody's data, but they are no business of the public:
with a token set, who bears it reads them; without, only programs of this machine that ask the server
directly. To everybody else there is nothing at this address.
"""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from app.metrics import TYPE

FORWARDING: Final = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)
LOCALHOST: Final = "localhost"

MetricsPage = Callable[[], Awaitable[bytes]]
"""All metrics as Prometheus reads them."""


def metrics_route(page: MetricsPage, token: str | None) -> HTTPRouteHandler:
    """The handler of GET `/metrics`; `token` is what a scraper bears, if there is one."""

    @get("/metrics", include_in_schema=False)
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        if not (_is_ours(request) if token is None else _bears(request, token)):
            raise NotFoundException
        return Response(await page(), media_type=TYPE)

    return metrics


def _bears(request: Request[Any, Any, Any], token: str) -> bool:
    sent = request.headers.getall("authorization", [])
    return len(sent) == 1 and hmac.compare_digest(
        sent[0].encode("latin-1"), f"Bearer {token}".encode("latin-1")
    )


def _is_ours(request: Request[Any, Any, Any]) -> bool:
    """Whether a program of this machine asks, and not a proxy on it for somebody else, nor a web page by a
    name that was made to lead here.
    """
    forwarded = any(name in request.headers for name in FORWARDING)
    peer = request.client.host if request.client else ""
    return not forwarded and _is_loopback(peer) and _is_loopback(_host(request))


def _host(request: Request[Any, Any, Any]) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
