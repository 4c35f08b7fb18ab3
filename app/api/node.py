"""The interface of everything that has an id of its own."""

from uuid import UUID

import strawberry

from app.api.ids import Kind, encode


@strawberry.interface(description="Something with an id of its own, which `node` finds again.")
class Node:
    """Something with an id of its own."""

    id: strawberry.ID = strawberry.field(
        description="Opaque, unique over all types, and the same for ever; the prefix tells people what it "
        "is of."
    )


def node_id(kind: Kind, id: UUID) -> strawberry.ID:
    """The id of a node as clients see it."""
    return strawberry.ID(encode(kind, id))
