"""A way to every field of the schema: for each, a document that reaches it, and the fields on the way."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

VALUES: Final = {
    "ID": '"x"',
    "String": '"x"',
    "Int": "1",
    "Boolean": "true",
    "Date": '"2026-04-16"',
    "DateTime": '"2026-04-16T00:00:00Z"',
    "Decimal": '"1"',
    "CurrencyCode": '"USD"',
    "URL": '"https://a.example"',
}


@dataclass(frozen=True, slots=True)
class Way:
    """A field, and the fields that lead to it from a root: each with the type it is a field of."""

    steps: tuple[tuple[GraphQLObjectType, str], ...]
    operation: str

    @property
    def name(self) -> str:
        """`SeatEvent.balance`."""
        kind, field = self.steps[-1]
        return f"{kind.name}.{field}"

    @property
    def query(self) -> str:
        """A document that selects it."""
        kind, name = self.steps[-1]
        result = get_named_type(kind.fields[name].type)
        text = f"{called(kind, name)}{'' if is_leaf_type(result) else ' { __typename }'}"
        for (parent, field), (below, _) in reversed(list(zip(self.steps, self.steps[1:], strict=False))):
            text = f"{called(parent, field)} {{ ... on {below.name} {{ {text} }} }}"
        return f"{self.operation} {{ {text} }}"


def ways(schema: GraphQLSchema) -> Iterator[Way]:
    """The shortest way to each field of each object type."""
    seen: set[str] = set()
    queue: deque[tuple[GraphQLObjectType, Way]] = deque()
    for root, operation in ((schema.query_type, "query"), (schema.mutation_type, "mutation")):
        assert root is not None
        queue.append((root, Way((), operation)))
        seen.add(root.name)
    while queue:
        kind, way = queue.popleft()
        for name, field in kind.fields.items():
            found = Way((*way.steps, (kind, name)), way.operation)
            yield found
            for below in objects(schema, get_named_type(field.type)):
                if below.name not in seen:
                    seen.add(below.name)
                    queue.append((below, found))


def objects(schema: GraphQLSchema, kind: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types that a value of a type may be of."""
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        return list(schema.get_possible_types(kind))
    return [kind] if isinstance(kind, GraphQLObjectType) else []


def called(kind: GraphQLObjectType, name: str) -> str:
    """A field with the arguments it needs."""
    needed = {
        argument: literal(each.type)
        for argument, each in kind.fields[name].args.items()
        if is_required_argument(each)
    }
    given = ", ".join(f"{argument}: {value}" for argument, value in needed.items())
    return f"{name}({given})" if given else name


def literal(kind: GraphQLInputType) -> str:
    """A value of an input type, as little as it may be."""
    if is_list_type(get_nullable_type(kind)):
        return "[]"
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        needed = [(name, each.type) for name, each in named.fields.items() if is_required_input_field(each)]
        return f"{{{', '.join(f'{name}: {literal(each)}' for name, each in needed)}}}"
    if isinstance(named, GraphQLEnumType):
        return str(next(iter(named.values)))
    return VALUES[named.name]


def wrapped(kind: Any, value: object) -> object:
    """A value as a field of this type gives it: in as many lists as the type has."""
    kind = get_nullable_type(kind)
    return [wrapped(kind.of_type, value)] if is_list_type(kind) else value
