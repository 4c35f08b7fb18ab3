"""What the OpenAPI document says of a route besides its parameters and bodies: the problems it may answer."""

from __future__ import annotations

from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec

from app.api import media
from app.api.rest.keys import SCOPE
from app.api.rest.problems import Problem
from app.services.api_keys import Scope

WORDS: Final = {
    400: "The request cannot be read: the body is no JSON, or lacks something, or has something unknown.",
    401: "No API key was sent, or one that is not known or was revoked.",
    403: "The API key is not of the scope that is needed.",
    404: "There is no such customer or object; unknown and malformed ids are answered alike.",
    409: "It cannot be done as things are. The `type` tells why, its members the numbers.",
    415: "The body is not JSON.",
    422: "What was sent cannot mean anything. `problems` lists all that is wrong with it.",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems that a route may answer, with those of every route."""
    return {
        status: ResponseSpec(
            Problem,
            media_type=media.PROBLEM,
            description=WORDS[status],
            generate_examples=False,
        )
        for status in sorted({401, 403, *statuses})
    }


def needs(scope: Scope) -> dict[str, Any]:
    """The `opt` of a route that needs a key of this scope."""
    return {SCOPE: scope}
