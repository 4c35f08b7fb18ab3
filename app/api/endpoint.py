"""POST /graphql, after the GraphQL-over-HTTP specification. The order is: who asks, what it accepts, what it
sent; only then is the document looked at, and only a document that is valid and within the limits runs. No
batches, no GET, no multipart: one JSON object, one operation.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import orjson
from graphql import ExecutionResult
from litestar import Request, Response, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from app.api import media
from app.api.auth import Who, signed_in
from app.api.errors import Code, RequestRefused, error_body, execution_errors, request_errors
from app.api.http import GRAPHQL_PATH, busy_response, internal_error, json_response
from app.api.operations import NUL_REFUSED, Context, Operations, Refused
from app.billing.permissions import Actor
from app.store.transaction import Busy

BODY_BYTES_MAX: Final = 100_000
BODY_SECONDS_MAX: Final = 15

OpenContext = Callable[[Actor], AbstractAsyncContextManager[Context]]
"""Opens what the resolvers of one request share: the actor, the read scope, the loaders."""


class Asked(NamedTuple):
    """The parameters of a GraphQL request."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


def graphql_endpoint(operations: Operations, who: Who, open_context: OpenContext) -> HTTPRouteHandler:
    """The handler of POST /graphql."""

    @post(GRAPHQL_PATH, request_max_body_size=BODY_BYTES_MAX, include_in_schema=False)
    async def graphql(request: Request[Any, Any, Any]) -> Response[bytes]:
        media_type = media.JSON
        try:
            media_type = _answer_type(request)
            actor = await signed_in(request, who)
            asked = _asked(await _body(request))
            return await _answer(operations, open_context, actor, asked, media_type)
        except RequestRefused as refused:
            return json_response(
                error_body(refused.message, refused.code),
                status=refused.status,
                media_type=media_type,
                headers={**refused.headers, "Vary": "Accept"},
            )
        except Busy as busy:
            return busy_response(busy, path=GRAPHQL_PATH)
        except Exception as error:  # noqa: BLE001  Whatever it is, the client gets JSON and a reference.
            return internal_error(error, path=GRAPHQL_PATH)

    return graphql


async def _answer(
    operations: Operations, open_context: OpenContext, actor: Actor, asked: Asked, media_type: str
) -> Response[bytes]:
    ready = operations.ready(asked.query, asked.operation_name)
    if isinstance(ready, Refused):
        return _result({"errors": request_errors(ready.errors, Code.BAD_REQUEST)}, media_type, ran=False)
    async with open_context(actor) as context:
        result = await operations.run(ready, asked.variables, context)
    _raise_if_busy(result)
    if _never_ran(result):
        errors = request_errors(result.errors or [], Code.BAD_USER_INPUT)
        return _result({"errors": errors}, media_type, ran=False)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body = {"errors": execution_errors(result.errors), **body}
    return _result(body, media_type, ran=True)


def _raise_if_busy(result: ExecutionResult) -> None:
    """An answer is whole, or there is none: raises `Busy` if any part of it had no turn at the database. A
    change that was made before stands, and its key says so when the request is sent again.
    """
    for error in result.errors or []:
        if isinstance(error.original_error, Busy):
            raise error.original_error


def _never_ran(result: ExecutionResult) -> bool:
    """True when graphql-core refused the variables; errors of resolvers have a path."""
    return result.data is None and all(error.path is None for error in result.errors or [])


def _result(body: dict[str, Any], media_type: str, *, ran: bool) -> Response[bytes]:
    """200 for what ran; what did not is 400 for clients of the newer media type and 200 for the older."""
    status = 200 if ran or media_type == media.JSON else 400
    return json_response(body, status=status, media_type=media_type, headers={"Vary": "Accept"})


def _answer_type(request: Request[Any, Any, Any]) -> str:
    media_type = media.negotiated(", ".join(request.headers.getall("accept", [])))
    if media_type is None:
        raise RequestRefused(406, f"Accept {media.GRAPHQL} or {media.JSON}; nothing else is offered.")
    return media_type


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """The bytes of a JSON body, at most 100 kB and within 15 seconds."""
    if not media.is_json(request.headers.get("content-type", "")):
        raise RequestRefused(415, f"Send the operation as {media.JSON} in UTF-8.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestRefused(415, "Send the body without a Content-Encoding.")
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await request.body()
    except TimeoutError:
        raise RequestRefused(408, f"The body did not arrive within {BODY_SECONDS_MAX} seconds.") from None
    except HTTPException as error:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise RequestRefused(413, f"The body of a request may have {BODY_BYTES_MAX:,} bytes.") from None
        raise RequestRefused(400, "The connection closed before the whole body arrived.") from None


def _asked(body: bytes) -> Asked:
    """The parameters in a body; `RequestRefused` for anything but one well-formed request."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, f"The body is not valid JSON: {error}.") from None
    if isinstance(sent, list):
        raise RequestRefused(400, "Batches are not offered. Send one operation in a request, as an object.")
    if not isinstance(sent, dict):
        raise RequestRefused(400, 'The body must be a JSON object like {"query": "…", "variables": {…}}.')
    query, variables = sent.get("query"), sent.get("variables")
    name, extensions = sent.get("operationName"), sent.get("extensions")
    if not isinstance(query, str):
        raise RequestRefused(400, "`query` must be a text: the GraphQL document to run.")
    if not isinstance(variables, dict | None):
        raise RequestRefused(400, "`variables` must be an object, or left out.")
    if not isinstance(name, str | None):
        raise RequestRefused(400, "`operationName` must be a text, or left out.")
    if not isinstance(extensions, dict | None):
        raise RequestRefused(400, "`extensions` must be an object, or left out.")
    # In JSON, U+0000 can only be an escape: without one in the body there is nothing to look through.
    if b"\\u0000" in body and _holds_nul(variables):
        raise RequestRefused(400, NUL_REFUSED, Code.BAD_USER_INPUT)
    return Asked(query, variables or {}, name)


def _holds_nul(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str) and "\0" in item:
            return True
        if isinstance(item, dict):
            stack += [*item, *item.values()]
        elif isinstance(item, list):
            stack += item
    return False
