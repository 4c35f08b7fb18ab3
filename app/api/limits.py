"""How much one operation may ask for, judged before validation and before anything runs.

Each definition of a document is walked once, whatever spreads it: what a fragment adds is measured once and
its numbers are used again at every spread. So the work is linear in the document, also for fragments that
double at every level (90 levels would be 2⁹⁰ fields to somebody who follows each spread). All of it is a
loop, not a recursion: no nesting can exhaust the stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from app import metrics
from app.api.allowances import DEFAULT, Limits
from app.api.errors import Code, coded

INTROSPECTION: Final = frozenset({"__schema", "__type"})
COUNT_SHOWN_MAX: Final = 10_000
NO_INTROSPECTION: Final = "The schema is not told here. Who builds on it has it as a file."


@dataclass(slots=True)
class Places:
    """The places of an answer that a definition fills: each by the response names that lead there, wherever
    they are written. What fills one place is merged, and validation compares each two of it.
    """

    above: list[int] = field(default_factory=lambda: [0])
    fields: list[int] = field(default_factory=lambda: [0])
    spread: list[int] = field(default_factory=lambda: [0])
    known: dict[tuple[int, str], int] = field(default_factory=dict)

    def fill(self, above: int, name: str) -> int:
        """The place of a response name below another, which one more field fills."""
        place = self.known.setdefault((above, name), len(self.fields))
        if place == len(self.fields):
            self.above.append(above)
            self.fields.append(0)
            self.spread.append(0)
        self.fields[place] += 1
        return place

    def repeats(self) -> int:
        """How many fields fill one place at most: its own, and those of fragments spread anywhere above."""
        from_above, found = [0] * len(self.fields), 0
        for place, above in enumerate(self.above):
            if place:
                from_above[place] = from_above[above] + self.spread[above]
            found = max(found, self.fields[place] + from_above[place], from_above[place] + self.spread[place])
        return found


@dataclass(frozen=True, slots=True)
class Spread:
    """A fragment by name, how many fields deep it is spread, at which place, and whether under an
    introspection field.
    """

    name: str
    depth: int
    place: int
    introspection: bool


@dataclass(slots=True)
class Size:
    """How much a definition asks for: its own first, then with what it spreads added. Depths count fields,
    not braces; what lies under `__schema` and `__type` has a depth of its own.
    """

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    root_fields: int = 0
    repeats: int = 0
    spreads: list[Spread] = field(default_factory=list)
    places: Places = field(default_factory=Places)

    def add(self, spread: Spread, other: "Size") -> None:
        """Take in a fragment at the place where it is spread."""
        if spread.introspection:
            below = max(other.depth, other.introspection_depth)
            self.introspection_depth = max(self.introspection_depth, spread.depth + below)
        else:
            self.depth = max(self.depth, spread.depth + other.depth)
            if other.introspection_depth:
                self.introspection_depth = max(
                    self.introspection_depth, spread.depth + other.introspection_depth
                )
        self.aliases += other.aliases
        self.directives += other.directives
        self.fields += other.fields
        self.root_fields += other.root_fields if spread.depth == 0 else 0
        self.places.spread[spread.place] += other.repeats

    def finish(self) -> None:
        """Sum up when all spreads were added."""
        self.repeats = self.places.repeats()


@dataclass(frozen=True, slots=True)
class Measured:
    """The size of each operation, in the document's order, and how many selections were visited for it."""

    operations: tuple[tuple[OperationDefinitionNode, Size], ...]
    doubled_fragments: frozenset[str]
    unused_fragments: frozenset[str]
    visited: int


def check(
    document: DocumentNode, limits: Limits = DEFAULT, *, introspection: bool = True
) -> list[GraphQLError]:
    """Why the operations of a document may not run; empty when all are within the limits.

    :param introspection: whether the schema may be asked about itself
    """
    measured = measure(document)
    errors = list(_fragment_problems(measured))
    for operation, size in measured.operations:
        if size.introspection_depth and not introspection:
            errors.append(coded(NO_INTROSPECTION, Code.BAD_REQUEST))
        errors += [*_shape_problems(operation, size), *_size_problems(size, limits, operation)]
    return errors


def measure(document: DocumentNode) -> Measured:
    """The sizes of a document's operations. Unknown fragments and cycles add nothing: validation refuses
    them.
    """
    fragments: dict[str, Size] = {}
    doubled: set[str] = set()
    operations: list[tuple[OperationDefinitionNode, Size]] = []
    visited = 0
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode | OperationDefinitionNode):
            size = Size(directives=len(definition.directives or ()))
            visited += _walk(definition.selection_set, size)
            if isinstance(definition, FragmentDefinitionNode):
                name = definition.name.value
                if name in fragments:
                    doubled.add(name)
                fragments[name] = size
            else:
                operations.append((definition, size))
    done: set[str] = set()
    for _, size in operations:
        visited += _expand(size, fragments, done)
    return Measured(tuple(operations), frozenset(doubled), frozenset(fragments.keys() - done), visited)


def _walk(selection_set: SelectionSetNode, size: Size) -> int:
    """Measure one definition by itself; gives the number of selections in it."""
    visited = 0
    stack: list[tuple[SelectionSetNode, int, int, bool]] = [(selection_set, 0, 0, False)]
    while stack:
        selections, depth, place, introspection = stack.pop()
        for selection in selections.selections:
            visited += 1
            size.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                size.spreads.append(Spread(selection.name.value, depth, place, introspection))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, depth, place, introspection))
            elif isinstance(selection, FieldNode):
                below = introspection or selection.name.value in INTROSPECTION
                _count(selection, size, depth=depth + 1, introspection=below)
                filled = size.places.fill(place, (selection.alias or selection.name).value)
                if selection.selection_set is not None:
                    stack.append((selection.selection_set, depth + 1, filled, below))
    return visited


def _count(selection: FieldNode, size: Size, *, depth: int, introspection: bool) -> None:
    size.fields += 1
    size.aliases += selection.alias is not None
    size.root_fields += depth == 1 and selection.name.value != "__typename"
    if introspection:
        size.introspection_depth = max(size.introspection_depth, depth)
    else:
        size.depth = max(size.depth, depth)


def _expand(size: Size, fragments: dict[str, Size], done: set[str]) -> int:
    """Add to a definition all that it spreads, innermost first; gives the number of spreads followed."""
    followed = 0
    path: list[tuple[Spread | None, Size, Iterator[Spread]]] = [(None, size, iter(size.spreads))]
    open_names: set[str] = set()
    while path:
        led_here, current, spreads = path[-1]
        spread = next(spreads, None)
        if spread is None:
            path.pop()
            current.finish()
            if led_here is not None:
                open_names.discard(led_here.name)
                done.add(led_here.name)
                path[-1][1].add(led_here, current)
            continue
        followed += 1
        if spread.name in done:
            current.add(spread, fragments[spread.name])
        elif spread.name in fragments and spread.name not in open_names:
            open_names.add(spread.name)
            inner = fragments[spread.name]
            path.append((spread, inner, iter(inner.spreads)))
    return followed


def _fragment_problems(measured: Measured) -> Iterator[GraphQLError]:
    """Fragments that no operation is charged for; validation refuses them too, but only after long work on
    them.
    """
    for name in sorted(measured.doubled_fragments):
        yield coded(f"There can be only one fragment named {name[:60]!r}.", Code.BAD_REQUEST)
    for name in sorted(measured.unused_fragments):
        yield coded(f"The fragment {name[:60]!r} is never used. Leave it out.", Code.BAD_REQUEST)


def _shape_problems(operation: OperationDefinitionNode, size: Size) -> Iterator[GraphQLError]:
    """What no limit could allow."""
    if operation.operation is OperationType.SUBSCRIPTION:
        yield coded("Subscriptions are not offered. Ask with a query.", Code.BAD_REQUEST)
    if operation.operation is OperationType.MUTATION and size.root_fields > 1:
        yield coded(
            f"A mutation may have one field, and {_named(operation)} has {_shown(size.root_fields)}. "
            "Send each in a request of its own, so that each has an outcome of its own.",
            Code.BAD_REQUEST,
        )


def _size_problems(size: Size, limits: Limits, operation: OperationDefinitionNode) -> Iterator[GraphQLError]:
    found = (
        ("depth", size.depth, "levels of fields"),
        ("introspection_depth", size.introspection_depth, "levels of introspection"),
        ("aliases", size.aliases, "aliases"),
        ("directives", size.directives, "directives"),
        ("fields", size.fields, "fields"),
        ("root_fields", size.root_fields, "fields at the root"),
        ("repeats", size.repeats, "fields in one place"),
    )
    for limit, count, what in found:
        most = getattr(limits, limit)
        if count > most:
            metrics.LIMITED.labels(limit).inc()
            yield coded(
                f"With its fragments {_named(operation)} has {_shown(count)} {what}, and {most} are allowed. "
                "Ask for less, or in several requests.",
                Code.TOO_COMPLEX,
            )


def _named(operation: OperationDefinitionNode) -> str:
    return f"the operation {operation.name.value[:60]!r}" if operation.name else "the operation"


def _shown(count: int) -> str:
    return str(count) if count <= COUNT_SHOWN_MAX else f"more than {COUNT_SHOWN_MAX}"
