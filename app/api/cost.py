"""What an operation may cost at most, known before it runs: the statements that it sends to the database, and
the rows that they may find.

Resolvers read in waves (`app.api.reading`), so a field that reads costs the same statements for one parent
as for a hundred, and rows for each parent. Both follow from the schema: a field reads if its resolver is
async; a list has as many rows as its argument `first` says, else as many as are usual. What several fields
need, such as the customer and the catalog, is read once in a request and priced once.

A document is priced once; each request only puts in the numbers of its variables. The work is linear in the
document, as in `app.api.limits`: a fragment is priced once, wherever it is spread.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from app.api.limits import INTROSPECTION
from app.api.pages import PAGE_SIZE_MAX

SHARED_STATEMENTS: Final = 18
"""What is asked once in a request at most, however many fields need it: who asks, the customer, the catalog,
what was agreed, and all that a decision about the subscription reads.
"""
MUTATION_POINTS: Final = 40
INTROSPECTION_POINTS: Final = 100
READ_ROWS: Final = 10
LIST_ROWS: Final = 4
NO_STATEMENT: Final = frozenset({"Money.formatted", "Query.viewer", "Subscription.plan"})
STATEMENTS: Final[Mapping[str, int]] = {
    "Customer.seatBalances": 4,
    "Customer.seatHistory": 10,  # Four, and all events of its days, however many they are.
    "Customer.seatHolders": 2,
    "Customer.seatEvents": 2,
    "Customer.invoices": 2,
    "Customer.subscription": 3,
    "InvoiceLine.document": 2,
    "InvoiceLine.reverses": 2,
    "InvoiceLine.events": 2,
    "Invoice.creditNotes": 2,
    "CreditNote.invoices": 3,
    "SeatEvent.correctedBy": 2,
    "SeatEvent.invoiceLines": 2,
    "Query.invoice": 2,
    "Query.creditNote": 2,
    "Query.node": 4,
}
"""Of the fields that read; those not named take one."""
ROWS: Final[Mapping[str, int]] = {"Customer.seatHistory": 200}
"""Of lists without `first`, where they may be long."""


class Cost(NamedTuple):
    """What an operation may cost: statements of a query, and points in all."""

    statements: int
    points: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a field costs by itself: statements once, points for each parent, and how many objects each parent
    gets.
    """

    statements: int
    points: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """How many rows a selected field asks for: a number, or that of a variable if it has one."""

    number: int
    variable: str | None = None

    def given(self, variables: Mapping[str, Any]) -> int:
        if self.variable is None:
            return self.number
        asked = variables.get(self.variable, self.number)
        return min(max(asked, 0), PAGE_SIZE_MAX) if type(asked) is int else PAGE_SIZE_MAX


@dataclass(slots=True)
class _Selection:
    """What a selection set, or a field, costs: its own, what is below it, the fragments it spreads."""

    statements: int = 0
    points: int = 0
    rows: _Rows | None = None
    fields: list["_Selection"] = field(default_factory=list)
    spreads: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Operation:
    """What an operation selects, and the numbers its variables have when they are not given."""

    selection: _Selection
    defaults: Mapping[str, int]
    is_mutation: bool


@dataclass(frozen=True, slots=True)
class Costing:
    """The prices of a document, waiting for variables."""

    operations: Mapping[str | None, _Operation]
    fragments: Mapping[str, _Selection]
    order: tuple[str, ...]

    def cost(self, operation: str | None, variables: Mapping[str, Any]) -> Cost:
        """What one of its operations costs with these variables."""
        wanted, known = self.operations[operation], dict[str, Cost]()
        given = {**wanted.defaults, **variables}
        for name in self.order:
            known[name] = _sum(self.fragments[name], given, known)
        found = _sum(wanted.selection, given, known)
        if wanted.is_mutation:
            return Cost(found.statements, found.points + found.statements + MUTATION_POINTS)
        statements = found.statements + SHARED_STATEMENTS if found.statements else 0
        return Cost(statements, found.points + max(1, statements))


def _sum(selection: _Selection, variables: Mapping[str, Any], known: Mapping[str, Cost]) -> Cost:
    """Statements, and points for one parent, of all that is selected."""
    statements, below = 0, 0
    for part in (
        *(_sum(inner, variables, known) for inner in selection.fields),
        *(known[name] for name in selection.spreads),
    ):
        statements += part.statements
        below += part.points
    if selection.rows is None:
        return Cost(selection.statements + statements, selection.points + below)
    rows = selection.rows.given(variables)
    return Cost(selection.statements + statements, rows * (selection.points + below))


class Prices:
    """The price list of a schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._prices: dict[tuple[str, str], Price] = {}

    def costing(self, syntax: DocumentNode) -> Costing:
        """The prices of a valid document."""
        operations: dict[str | None, _Operation] = {}
        fragments: dict[str, _Selection] = {}
        for node in syntax.definitions:
            if isinstance(node, FragmentDefinitionNode):
                kind = self._schema.type_map[node.type_condition.name.value]
                fragments[node.name.value] = self._selected(node.selection_set, kind)
            elif isinstance(node, OperationDefinitionNode):
                name = node.name.value if node.name else None
                root = self._schema.get_root_type(node.operation)
                assert root is not None, "the document is valid"
                selection = self._selected(node.selection_set, root)
                is_mutation = node.operation is OperationType.MUTATION
                operations[name] = _Operation(selection, _defaults(node), is_mutation)
        return Costing(operations, fragments, tuple(_innermost_first(fragments)))

    def price(self, kind: GraphQLNamedType, name: str) -> Price:
        """The price of a field; of an interface's, that of the dearest type behind it."""
        key = (kind.name, name)
        if key not in self._prices:
            self._prices[key] = self._priced(kind, name)
        return self._prices[key]

    def _selected(self, selection_set: SelectionSetNode, kind: GraphQLNamedType) -> _Selection:
        selection = _Selection()
        self._take(selection, selection_set, kind)
        return selection

    def _take(self, into: _Selection, selection_set: SelectionSetNode, kind: GraphQLNamedType) -> None:
        for node in selection_set.selections:
            if isinstance(node, FragmentSpreadNode):
                into.spreads.append(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else kind
                self._take(into, node.selection_set, inner)
            elif isinstance(node, FieldNode):
                self._take_field(into, node, kind)

    def _take_field(self, into: _Selection, node: FieldNode, kind: GraphQLNamedType) -> None:
        name = node.name.value
        if name in INTROSPECTION:
            into.points += INTROSPECTION_POINTS
            return
        if name.startswith("__"):
            return
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType), "the document is valid"
        below = get_named_type(kind.fields[name].type)
        price = self.price(kind, name)
        inner = _Selection(price.statements, price.points, _rows_of(node, kind.fields[name], price))
        if node.selection_set is not None:
            self._take(inner, node.selection_set, below)
        if inner.points or inner.fields or inner.spreads:
            into.fields.append(inner)

    def _priced(self, kind: GraphQLNamedType, name: str) -> Price:
        if isinstance(kind, GraphQLInterfaceType):
            behind = self._schema.get_possible_types(kind)
            prices = [self.price(each, name) for each in behind]
            return Price(
                max((price.statements for price in prices), default=0),
                max((price.points for price in prices), default=0),
                max((price.rows for price in prices), default=1),
            )
        assert isinstance(kind, GraphQLObjectType), "only objects and interfaces have fields"
        path, found = f"{kind.name}.{name}", kind.fields[name]
        is_mutation = kind is self._schema.mutation_type  # Which has a price of its own.
        reads = _is_async(found) and path not in NO_STATEMENT and not is_mutation
        is_list = is_list_type(get_nullable_type(found.type))
        # A connection has as many edges as were asked for of it; the edges are no rows of their own.
        rows = ROWS.get(path, READ_ROWS if reads else LIST_ROWS) if is_list and not _is_page(kind) else 1
        statements = STATEMENTS.get(path, 1) if reads else 0
        return Price(statements, int(reads or rows > 1), rows)


def _is_async(field: GraphQLField) -> bool:
    definition = field.extensions.get("strawberry-definition")
    return bool(definition is not None and definition.base_resolver and definition.is_async)


def _is_page(kind: GraphQLObjectType) -> bool:
    return "pageInfo" in kind.fields


def _rows_of(node: FieldNode, field: GraphQLField, price: Price) -> _Rows:
    """How many rows a selected field asks for, by its argument `first` if it has one."""
    if "first" not in field.args:
        return _Rows(price.rows)
    usual = field.args["first"].default_value
    usual = usual if type(usual) is int else PAGE_SIZE_MAX
    given = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
    if isinstance(given, VariableNode):
        return _Rows(usual, given.name.value)
    if isinstance(given, IntValueNode):
        return _Rows(min(max(int(given.value), 0), PAGE_SIZE_MAX))
    return _Rows(usual)


def _defaults(operation: OperationDefinitionNode) -> dict[str, int]:
    """The default numbers of an operation's variables."""
    return {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }


def _innermost_first(fragments: Mapping[str, _Selection]) -> Iterator[str]:
    """The names of fragments, each after those that it spreads. Not a recursion: chains may be long."""
    done: set[str] = set()
    for start in fragments:
        path = [(start, iter(_spreads(fragments[start])))]
        while path:
            name, spreads = path[-1]
            inner = next((spread for spread in spreads if spread not in done), None)
            if inner is not None:
                path.append((inner, iter(_spreads(fragments[inner]))))
                continue
            path.pop()
            if name not in done:
                done.add(name)
                yield name


def _spreads(selection: _Selection) -> Iterator[str]:
    yield from selection.spreads
    for inner in selection.fields:
        yield from _spreads(inner)
