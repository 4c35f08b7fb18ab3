"""Who calls, and whether the key is for that: asked before anything of a request is read.

A handler says by `opt` which scope it needs. Whatever is wrong with a key, the answer is the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from app.api import media
from app.api.rest.bodies import BodyWrong, decoded
from app.api.rest.problems import MISSING_SCOPE, NOT_JSON, TIMED_OUT, TOO_LARGE, UNAUTHENTICATED, ProblemType
from app.billing.permissions import Actor, ActorKind
from app.services.api_keys import Scope, allows, is_token
from app.services.tokens import hash_of

BODY_SECONDS_MAX: Final = 15
SCOPE: Final = "scope"
BODY: Final = "data"
SIGN_IN: Final = (
    "Send the header `Authorization: Bearer spk_…` with an API key that was not revoked. "
    "`seatport api-key` makes one."
)


class Bearer(NamedTuple):
    """A key that calls: its name, and the scopes that it is for."""

    name: str
    scopes: tuple[str, ...]


Calls = Callable[[str], Awaitable[Bearer | None]]
"""Which key has a token of this hash; None for none, or one that was revoked."""


class RequestWrong(Exception):
    """The request is answered by a problem before any service saw it."""

    def __init__(self, kind: ProblemType, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers


class RestRequest(Request[Any, Any, Any]):
    """A request whose JSON is read straight into the struct that its handler takes, and as strictly."""

    async def json(self) -> Any:
        """The body as the handler's struct; `BodyWrong` says what is wrong with it."""
        return decoded(await self.body(), self.route_handler.parsed_fn_signature.parameters[BODY].annotation)


def gate(calls: Calls) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]:
    """The guard of all routes: a key, of the scope that is needed; then, if there is to be one, the body."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        token = _token(connection.headers.getall("authorization", []))
        key = await calls(hash_of(token)) if token is not None else None
        if key is None:
            raise RequestWrong(UNAUTHENTICATED, SIGN_IN, {"WWW-Authenticate": "Bearer"})
        needed: Scope = handler.opt[SCOPE]
        if not allows(key.scopes, needed):
            detail = f"This API key is not for {needed.value}. Use one that is, or have one made."
            raise RequestWrong(MISSING_SCOPE, detail)
        connection.scope["user"] = Actor(ActorKind.API_KEY, key.name)
        if BODY in handler.parsed_fn_signature.parameters:
            assert isinstance(connection, Request), "the routes are of HTTP"
            await _arrived(connection)

    return guard


async def _arrived(request: Request[Any, Any, Any]) -> None:
    """Wait until the body is there, as JSON, within its time and size."""
    if not media.is_json(request.headers.get("content-type", "")):
        raise RequestWrong(NOT_JSON, f"Send the body as {media.JSON} in UTF-8.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestWrong(NOT_JSON, "Send the body without a Content-Encoding.")
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            body = await request.body()
    except TimeoutError:
        raise RequestWrong(TIMED_OUT, f"The body did not arrive within {BODY_SECONDS_MAX} seconds.") from None
    except HTTPException as error:
        if error.status_code == TOO_LARGE.status:
            raise RequestWrong(TOO_LARGE, "The body of this request is too large.") from None
        raise BodyWrong("The connection closed before the whole body arrived.") from None
    if not body:
        raise BodyWrong("The body is empty. Send a JSON object.")


def _token(headers: list[str]) -> str | None:
    """The token of the only Authorization header, if it has the form of one."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token if scheme.lower() == "bearer" and is_token(token) else None
