"""POST /graphql, after the GraphQL-over-HTTP specification. The order is: who asks, what it accepts, what it
sent; only then is the document looked at, and only a document that is valid, within the limits and paid for
runs, until its time is up. No batches, no GET, no multipart: one JSON object, one operation.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import orjson
from graphql import ExecutionResult
from litestar import Request, Response, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from app import metrics
from app.api import media
from app.api.allowances import Limits
from app.api.auth import Who, signed_in
from app.api.cost import Cost
from app.api.errors import Code, RequestRefused, coded, error_body, execution_errors, request_errors
from app.api.http import GRAPHQL_PATH, busy_response, internal_error, json_response
from app.api.operations import NUL_REFUSED, Context, Operations, Ready, Refused
from app.api.rates import Rates
from app.billing.permissions import Actor
from app.store.transaction import Busy

PARSE_POINTS: Final = 10  # What a document costs that is not known yet: parsing and validating it is work.
UNKNOWN_DOCUMENT: Final = "No stored operation of this server has this `documentId`."

OpenContext = Callable[[Actor], AbstractAsyncContextManager[Context]]
"""Opens what the resolvers of one request share: the actor, the read scope, the loaders."""


class Asked(NamedTuple):
    """The parameters of a GraphQL request."""

    query: str | None
    document_id: str | None
    variables: dict[str, Any]
    operation_name: str | None


def graphql_endpoint(
    operations: Operations, who: Who, open_context: OpenContext, rates: Rates
) -> HTTPRouteHandler:
    """The handler of POST /graphql."""
    limits = operations.rules.limits
    runs = _Runs(operations, open_context, rates)

    @post(GRAPHQL_PATH, request_max_body_size=limits.body_bytes, include_in_schema=False)
    async def graphql(request: Request[Any, Any, Any]) -> Response[bytes]:
        media_type = media.JSON
        try:
            media_type = _answer_type(request)
            actor = await signed_in(request, who)
            asked = _asked(await _body(request, limits))
            return await runs.answer(actor, asked, media_type)
        except RequestRefused as refused:
            return json_response(
                error_body(refused.message, refused.code, **refused.extensions),
                status=refused.status,
                media_type=media_type,
                headers={**refused.headers, "Vary": "Accept"},
            )
        except Busy as busy:
            return busy_response(busy, path=GRAPHQL_PATH)
        except Exception as error:  # noqa: BLE001  Whatever it is, the client gets JSON and a reference.
            return internal_error(error, path=GRAPHQL_PATH)

    return graphql


class _Runs:
    """The operations that run, each in a task of its own, so that one whose time is up can be left behind."""

    def __init__(self, operations: Operations, open_context: OpenContext, rates: Rates) -> None:
        self._operations = operations
        self._open_context = open_context
        self._rates = rates
        self._limits = operations.rules.limits
        self._tasks: set[asyncio.Task[ExecutionResult]] = set()

    async def answer(self, actor: Actor, asked: Asked, media_type: str) -> Response[bytes]:
        """The answer to a request of somebody who is signed in."""
        self._spend(actor, 1)  # Who has nothing left is told so before any work.
        ready = self._ready(actor, asked)
        if isinstance(ready, Refused):
            return _result({"errors": request_errors(ready.errors, Code.BAD_REQUEST)}, media_type, ran=False)
        cost = ready.cost(asked.variables)
        if problem := self._too_dear(cost):
            return _result(error_body(problem, Code.TOO_COMPLEX), media_type, ran=False)
        self._spend(actor, cost.points - 1)
        metrics.OPERATION_POINTS.observe(cost.points)
        result = await self._in_time(ready, self._run(actor, ready, asked.variables))
        _raise_if_busy(result)
        if _never_ran(result):
            errors = request_errors(result.errors or [], Code.BAD_USER_INPUT)
            return _result({"errors": errors}, media_type, ran=False)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body = {"errors": execution_errors(result.errors), **body}
        return _result(body, media_type, ran=True)

    def _ready(self, actor: Actor, asked: Asked) -> Ready | Refused:
        documents, text = self._operations.documents, asked.query
        if asked.document_id is not None:
            text = documents.named(asked.document_id)
        if text is None:
            metrics.LIMITED.labels("documents").inc()
            return Refused([coded(UNKNOWN_DOCUMENT, Code.UNKNOWN_DOCUMENT)])
        if not documents.knows(text):
            self._rates.spend(actor.member, PARSE_POINTS, or_all=True)
        return self._operations.ready(text, asked.operation_name)

    def _too_dear(self, cost: Cost) -> str | None:
        """Why nobody may ask for this much at once."""
        limits = self._limits
        for limit, count, most, what in (
            ("statements", cost.statements, limits.statements, "statements at the database"),
            ("cost", cost.points, limits.cost, "points"),
        ):
            if count > most:
                metrics.LIMITED.labels(limit).inc()
                return (
                    f"This operation may cost {count:,} {what}, and {most:,} are allowed. "
                    "Ask for fewer lists, for smaller pages, or in several requests."
                )
        return None

    def _spend(self, actor: Actor, points: int) -> None:
        seconds = self._rates.spend(actor.member, points)
        if seconds:
            metrics.LIMITED.labels("points").inc()
            raise RequestRefused(
                429,
                f"You asked for too much within a minute. Send the same request again in {seconds} seconds.",
                Code.RATE_LIMITED,
                {"Retry-After": str(seconds)},
                retryAfter=seconds,
            )

    async def _run(self, actor: Actor, ready: Ready, variables: dict[str, Any]) -> ExecutionResult:
        async with self._open_context(actor) as context:
            return await self._operations.run(ready, variables, context)

    async def _in_time(self, ready: Ready, work: Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
        """The result; a run that takes too long is cancelled, and what it holds is given back when the
        database lets go of it, for which the client does not wait.
        """
        seconds = self._limits.mutation_seconds if ready.is_mutation else self._limits.seconds
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            task.add_done_callback(_unheard)
            task.cancel()
            raise
        if done:
            return task.result()
        task.add_done_callback(_unheard)
        task.cancel()
        metrics.LIMITED.labels("mutation_seconds" if ready.is_mutation else "seconds").inc()
        raise RequestRefused(
            504,
            f"This took more than {seconds} seconds and was stopped. "
            + (
                "It may have been done all the same: send it again with the same idempotency key."
                if ready.is_mutation
                else "Ask for less, or send it again later."
            ),
            Code.TIMEOUT,
        )


def _unheard(task: asyncio.Task[ExecutionResult]) -> None:
    """Mark the failure of a run as heard that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


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


async def _body(request: Request[Any, Any, Any], limits: Limits) -> bytes:
    """The bytes of a JSON body, within the limits of size and time."""
    if not media.is_json(request.headers.get("content-type", "")):
        raise RequestRefused(415, f"Send the operation as {media.JSON} in UTF-8.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestRefused(415, "Send the body without a Content-Encoding.")
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await request.body()
    except TimeoutError:
        metrics.LIMITED.labels("body_seconds").inc()
        message = f"The body did not arrive within {limits.body_seconds} seconds."
        raise RequestRefused(408, message) from None
    except HTTPException as error:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            metrics.LIMITED.labels("body_bytes").inc()
            message = f"The body of a request may have {limits.body_bytes:,} bytes."
            raise RequestRefused(413, message) from None
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
    query, document, variables = sent.get("query"), sent.get("documentId"), sent.get("variables")
    name, extensions = sent.get("operationName"), sent.get("extensions")
    if not isinstance(document, str | None):
        raise RequestRefused(400, "`documentId` must be a text, or left out.")
    if query is not None and document is not None:
        raise RequestRefused(400, "Send `query` or `documentId`, not both.")
    if not isinstance(query, str) and document is None:
        raise RequestRefused(
            400, "`query` must be a text: the GraphQL document to run. Or send `documentId`."
        )
    if not isinstance(variables, dict | None):
        raise RequestRefused(400, "`variables` must be an object, or left out.")
    if not isinstance(name, str | None):
        raise RequestRefused(400, "`operationName` must be a text, or left out.")
    if not isinstance(extensions, dict | None):
        raise RequestRefused(400, "`extensions` must be an object, or left out.")
    # In JSON, U+0000 can only be an escape: without one in the body there is nothing to look through.
    if b"\\u0000" in body and _holds_nul(variables):
        raise RequestRefused(400, NUL_REFUSED, Code.BAD_USER_INPUT)
    return Asked(query, document, variables or {}, name)


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
