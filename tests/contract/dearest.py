"""A search for the query that costs most of what is allowed.

A query is a tree of fields. The search grows and changes it at random, keeps what is within the limits, and
goes where the cost rises.
"""

import random
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, parse

from app.api import limits
from app.api.allowances import DEFAULT
from app.api.cost import Cost, Prices
from tests.api.walking import literal, objects

DEPTH: Final = DEFAULT.depth
INSTANTS: Final = '"2026-04-{:02}T{:02}:00:00Z"'


@dataclass(slots=True)
class Node:
    """A field that is selected, with its arguments, and what is selected below it, by the type it is of."""

    kind: GraphQLObjectType
    name: str
    arguments: str
    below: list["Node"] = field(default_factory=list)

    def nodes(self) -> list["Node"]:
        """This one and all below it."""
        return [self, *(node for inner in self.below for node in inner.nodes())]

    def text(self, number: list[int]) -> str:
        number[0] += 1
        called = f"a{number[0]}: {self.name}({self.arguments})" if self.arguments else self.name
        result = get_named_type(self.kind.fields[self.name].type)
        if is_leaf_type(result):
            return called
        inner = " ".join(f"... on {node.kind.name} {{ {node.text(number)} }}" for node in self.below)
        return f"{called} {{ {inner or '__typename'} }}"

    def copy(self) -> "Node":
        return Node(self.kind, self.name, self.arguments, [node.copy() for node in self.below])


class Search:
    """A search through the queries of a schema, by a seed."""

    def __init__(self, schema: GraphQLSchema, seed: int, ids: dict[str, str]) -> None:
        self._schema = schema
        self._prices = Prices(schema)
        self._chance = random.Random(seed)
        self._ids = ids
        self._leads: dict[str, list[str]] = {}

    def dearest(self, tries: int, found: list[tuple[Cost, str]]) -> None:
        """Try so many queries; every one that is allowed and dearer than all before joins those found."""
        assert self._schema.query_type is not None
        root = Node(self._schema.query_type, "customer", "")
        best: list[Node] = [root]
        reached = (0, 0)
        for _ in range(tries):
            tried = [node.copy() for node in best]
            for _ in range(self._chance.randint(1, 4)):
                self._change(tried)
            query = f"{{ {' '.join(node.text(number) for number in [[0]] for node in tried)} }}"
            cost = self.cost(query)
            if cost is None:
                continue
            if (cost.statements, cost.points) >= reached:
                reached, best = (cost.statements, cost.points), tried
                found.append((cost, query))

    def cost(self, query: str) -> Cost | None:
        """What a query costs, None for one that is not allowed."""
        try:
            syntax = parse(query, max_lexical_tokens=DEFAULT.tokens)
        except GraphQLError:
            return None
        if limits.check(syntax):
            return None
        cost = self._prices.costing(syntax).cost(None, {})
        return cost if cost.statements <= DEFAULT.statements and cost.points <= DEFAULT.cost else None

    def _change(self, roots: list[Node]) -> None:
        """Put a field in somewhere, or take one out."""
        nodes = [node for root in roots for node in root.nodes()]
        chosen = self._chance.choice(nodes)
        what = self._chance.random()
        if what < 0.1 and len(roots) < DEFAULT.root_fields:
            assert self._schema.query_type is not None
            roots.append(self._some(self._schema.query_type))
        elif what < 0.2 and chosen.below:
            chosen.below.remove(self._chance.choice(chosen.below))
        else:
            below = get_named_type(chosen.kind.fields[chosen.name].type)
            kinds = [kind for kind in objects(self._schema, below) if self._worth(kind)]
            if kinds:
                chosen.below.append(self._some(self._chance.choice(kinds)))

    def _some(self, kind: GraphQLObjectType) -> Node:
        """Some field of a type that reads, or leads to one that does."""
        name = self._chance.choice(self._worth(kind))
        return Node(kind, name, self._arguments(kind, name))

    def _worth(self, kind: GraphQLObjectType) -> list[str]:
        """The fields of a type that cost something, or lead to some that do."""
        if kind.name not in self._leads:
            self._leads[kind.name] = []  # While its own fields are looked at: a type may lead to itself.
            self._leads[kind.name] = [
                name
                for name, field in kind.fields.items()
                if self._prices.price(kind, name).statements
                or any(self._worth(each) for each in objects(self._schema, get_named_type(field.type)))
            ]
        return self._leads[kind.name]

    def _arguments(self, kind: GraphQLObjectType, name: str) -> str:
        return ", ".join(
            f"{argument}: {value}"
            for argument, each in kind.fields[name].args.items()
            if (value := self._value(f"{kind.name}.{name}", argument, each)) is not None
        )

    def _value(self, path: str, argument: str, each: Any) -> str | None:
        chance = self._chance
        if argument == "first":
            return str(chance.choice([1, 1, 2, 3, 5, 20, 100]))
        if argument in {"asOf", "knownAt"} and chance.random() < 0.7:
            return INSTANTS.format(chance.randint(2, 15), chance.randint(0, 23))
        if argument == "id":
            return f'"{self._ids.get(path) or chance.choice(list(self._ids.values()))}"'
        if argument == "metric":
            return '"editor"' if chance.random() < 0.5 or "History" in path else None
        if argument == "search" and chance.random() < 0.3:
            return '"1"'
        if argument == "from" and "History" in path:
            return '"2026-04-01"'
        if argument == "until" and "History" in path:
            return '"2026-04-17"'
        return literal(each.type) if str(each.type).endswith("!") and each.default_value is None else None
