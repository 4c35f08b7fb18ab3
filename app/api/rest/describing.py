"""What the OpenAPI document says of a route besides its parameters and bodies: the problems it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar._openapi.schema_generation import SchemaCreator  # What its plugins are handed.
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

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


class TuplesAsArrays(OpenAPISchemaPlugin):
    """`tuple[X, ...]` is an array of X; the framework says of each element that it is an X or anything."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Whether it is a tuple of any length."""
        return field_definition.origin is tuple and field_definition.args[-1:] == (Ellipsis,)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """The array, with as many elements as it may have."""
        bounds = field_definition.kwarg_definition
        return Schema(
            type=OpenAPIType.ARRAY,
            items=schema_creator.for_field_definition(field_definition.inner_types[0]),
            min_items=getattr(bounds, "min_items", None),
            max_items=getattr(bounds, "max_items", None),
        )


@dataclass
class DescribedOperation(Operation):
    """An operation that says only what it does: no problem that the framework assumes by itself."""

    def __post_init__(self) -> None:
        for status, response in list((self.responses or {}).items()):
            told = isinstance(response, OpenAPIResponse) and media.JSON in (response.content or {})
            if status >= "400" and told and self.responses is not None:
                del self.responses[status]


def described(scope: Scope, *statuses: int, also: Mapping[int, ResponseSpec] | None = None) -> dict[str, Any]:
    """What a route says of itself: the scope that a key needs, and the statuses of the problems that it may
    answer beside those of every route; `also` are other answers.
    """
    return {
        "opt": {SCOPE: scope},
        "responses": {
            **{status: _problem(status) for status in sorted({401, 403, *statuses})},
            **(also or {}),
        },
        "operation_class": DescribedOperation,
    }


def _problem(status: int) -> ResponseSpec:
    return ResponseSpec(Problem, media_type=media.PROBLEM, description=WORDS[status], generate_examples=False)
