"""Pages of long lists in the form that Relay made common: edges with cursors, and where the page lies."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import strawberry

from app.api.pages import PageInfo, page_info

NodeT = TypeVar("NodeT")
ValueT = TypeVar("ValueT")

First = Annotated[int, strawberry.argument(description="How many elements the page may have, from 1 to 100.")]
After = Annotated[
    str | None,
    strawberry.argument(description="The `endCursor` of the page before; left out, the first page."),
]


@strawberry.type(description="An element of a page, and the cursor by which the list goes on after it.")
class Edge(Generic[NodeT]):
    """An element of a page."""

    cursor: str = strawberry.field(
        description="Opaque; good as `after` of the same list with the same filters."
    )
    node: NodeT = strawberry.field(description="The element itself, as it is at the time of the request.")


@strawberry.type(
    description="A page of a list that can grow without bound, in the stable order its field names."
)
class Connection(Generic[NodeT]):
    """A page of a list."""

    edges: list[Edge[NodeT]] = strawberry.field(
        description="The elements of the page, at most as many as asked for."
    )
    page_info: PageInfo = strawberry.field(description="Whether more follow, and the cursors at both ends.")


def connection(
    found: Sequence[ValueT],
    *,
    first: int,
    after: str | None,
    node: Callable[[ValueT], NodeT],
    cursor: Callable[[ValueT], str],
) -> Connection[NodeT]:
    """The page of what was found when one more than `first` was asked for; that one only says that more
    follow.
    """
    shown = found[:first]
    edges = [Edge(cursor=cursor(value), node=node(value)) for value in shown]
    info = page_info([edge.cursor for edge in edges], more=len(found) > first, after=after)
    return Connection(edges=edges, page_info=info)
