"""What is around every request, whatever answers it: an id, which we make and never take from others, that
goes with every line of the log and with the answer; and what is counted of it.
"""

import time
from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from app import metrics
from app.api.errors import new_reference
from app.api.health import Leaving

REQUEST_ID: Final = "X-Request-Id"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NOWHERE: Final = "none"
UNANSWERED: Final = "none"


class Around:
    """An application with this around it."""

    def __init__(self, app: ASGIApp, leaving: Leaving) -> None:
        self._app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; what is not one, goes through."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = new_reference()
        status = UNANSWERED
        begun = time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                headers = MutableScopeHeaders.from_message(message)
                headers[REQUEST_ID] = request_id
                if self._leaving.began:
                    headers["Connection"] = "close"  # What the client asks next, it asks another server.
            await send(message)

        with (
            metrics.REQUESTS_UNDER_WAY.track_inprogress(),
            bound_contextvars(request=request_id, route=_Route(scope)),
        ):
            try:
                await self._app(scope, receive, told)
            finally:
                route = str(scope.get("path_template") or NOWHERE)
                asked = str(scope.get("method"))
                method = asked if asked in METHODS else NOWHERE
                metrics.REQUESTS.labels(route, method, status).inc()
                metrics.REQUEST_SECONDS.labels(route).observe(time.perf_counter() - begun)


class _Route:
    """The address of the program that a request came to; known once that is found out."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __str__(self) -> str:
        return str(self._scope.get("path_template") or NOWHERE)
