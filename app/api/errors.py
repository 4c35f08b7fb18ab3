"""What a client learns when something goes wrong. An expected no is not an error here: it is a refusal, a
value in the schema. An error is one of three things.

    RequestRefused     the HTTP request is answered without running anything (401, 413, 415, …), or the
                       database had no turn for all of it (503)
    PublicError        a resolver says what was wrong with an argument
    RenewalOutOfBounds nothing can be changed until the seller has looked at the subscription
    anything else      our own fault: the client gets a reference, the log gets the reference and the trace
"""

import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import structlog
from graphql import GraphQLError

from app.metrics import FAULTS
from app.services.bring_up import RenewalOutOfBounds

ERRORS_MAX: Final = 5
LOCATIONS_MAX: Final = 5
MESSAGE_LENGTH_MAX: Final = 1000

log = structlog.get_logger("seatport.api")


class Code(StrEnum):
    """Every value of `extensions.code`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_REQUEST = "BAD_REQUEST"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    TOO_COMPLEX = "TOO_COMPLEX"
    UNKNOWN_DOCUMENT = "UNKNOWN_DOCUMENT"
    RATE_LIMITED = "RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    BUSY = "BUSY"
    UNDER_REVIEW = "UNDER_REVIEW"
    INTERNAL = "INTERNAL"


class PublicError(Exception):
    """An error whose message is meant for the client; raised by resolvers and what they call in `app.api`."""

    def __init__(self, message: str, code: Code = Code.BAD_USER_INPUT) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class RequestRefused(Exception):
    """The answer to an HTTP request before anything ran: a status, a message for the client, headers."""

    def __init__(
        self,
        status: int,
        message: str,
        code: Code = Code.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.extensions = extensions


def coded(message: str, code: Code) -> GraphQLError:
    """A GraphQL error that already carries its code."""
    return GraphQLError(message, extensions={"code": code})


def error_body(message: str, code: Code, **extensions: object) -> dict[str, Any]:
    """The body of a response that is an error and nothing else."""
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions}}]}


def request_errors(errors: Sequence[GraphQLError], code: Code) -> list[dict[str, Any]]:
    """Errors found before execution, for the client; those without a code of their own get `code`."""
    return [
        _formatted(error, {"code": (error.extensions or {}).get("code", code)})
        for error in errors[:ERRORS_MAX]
    ]


def execution_errors(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Errors of running resolvers, for the client. What is not meant for it is logged under a reference."""
    reference = ""
    formatted: list[dict[str, Any]] = []
    for error in errors[:ERRORS_MAX]:
        code = _public_code(error)
        if code is not None:
            formatted.append(_formatted(error, {"code": code}))
            continue
        reference = reference or new_reference()
        FAULTS.inc()
        path = ".".join(str(key) for key in error.path or ())
        log.error("resolver failed", reference=reference, path=path, exc_info=error.original_error or error)
        body = error_body(internal_message(reference), Code.INTERNAL, reference=reference)["errors"][0]
        formatted.append({**body, "path": error.path} if error.path else body)
    return formatted


def new_reference() -> str:
    """A short random word by which support finds an error in the log."""
    return secrets.token_hex(6)


def internal_message(reference: str) -> str:
    """What the client reads instead of the text of an exception."""
    return f"Something went wrong on our side. Tell support this reference: {reference}."


def _public_code(error: GraphQLError) -> Code | None:
    """The code of an error whose message the client may read, None for all others."""
    original = error.original_error
    if isinstance(original, PublicError):
        return original.code
    if isinstance(original, RenewalOutOfBounds):
        return Code.UNDER_REVIEW
    # graphql-core refuses a variable that is null at a required argument only when the field runs.
    own = original is None or isinstance(original, GraphQLError)
    return Code.BAD_USER_INPUT if own and error.message.startswith("Argument '") else None


def _formatted(error: GraphQLError, extensions: dict[str, Any]) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": _bounded(error.message), "extensions": extensions}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations[:LOCATIONS_MAX]]
    if error.path:
        formatted["path"] = error.path
    return formatted


def _bounded(message: str) -> str:
    return message if len(message) <= MESSAGE_LENGTH_MAX else f"{message[:MESSAGE_LENGTH_MAX]}…"
