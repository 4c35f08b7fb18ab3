"""What an operation may cost, worked out from the schema before it runs."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, is_introspection_type, parse
from litestar.testing import TestClient

from app.api.allowances import DEFAULT, Limits
from app.api.cost import MUTATION_POINTS, NO_STATEMENT, ROWS, SHARED_STATEMENTS, STATEMENTS, Cost, Prices
from app.api.operations import Documents, Refused
from app.api.registry import stored_operations
from app.api.schema import schema
from app.metrics import REGISTRY
from tests.api.tiny import TOKEN, Tiny, World, tiny_app

SHARED = SHARED_STATEMENTS


def cost(text: str, name: str | None = None, **variables: Any) -> Cost:
    """The cost of an operation of the real schema."""
    document = Documents(schema._schema).document(text)
    assert not isinstance(document, Refused), document
    return document.costing.cost(name, variables)


@pytest.mark.parametrize(
    ("text", "statements", "rows"),
    [
        ("{ __typename }", 0, 1),
        ("{ viewer { name role permissions { changePlan { allowed } } } }", 0, 1),
        ("{ customer { name currency creditBalance { amount formatted } } }", SHARED + 1, 1),
        # A page of 7 invoices, and one look-up of a PDF for each.
        ("{ customer { invoices(first: 7) { edges { node { pdf { url } } } } } }", SHARED + 4, 1 + 7 + 7),
        # 5 events × (itself + 2 lines × (itself + its document)), below one customer.
        (
            ("{ customer { seatEvents(first: 5) { edges { node { "
            "invoiceLines(first: 2) { document { id } } } } } } }"),
            SHARED + 1 + 2 + 2 + 2,
            1 + 5 * (1 + 2 * (1 + 1)),
        ),
        # Two aliases are asked for twice.
        (
            ('{ customer { a: seatBalances(asOf: "2026-04-01T00:00:00Z") { inUse } '
            "b: seatBalances { inUse } } }"),
            SHARED + 1 + 4 + 4,
            1 + 10 + 10,
        ),
    ],
)  # fmt: skip
def test_costs_worked_out_by_hand(text: str, statements: int, rows: int) -> None:
    """Statements are counted once for each field that reads, rows for each parent; a query is a point at
    least.
    """
    assert cost(text) == (statements, max(1, statements) + rows - (0 if statements else 1))


PAGE = "query p($first: Int! = 3) { customer { creditNotes(first: $first) { edges { node { id } } } } }"

LITERAL = "query p { customer { creditNotes(first: 9) { edges { node { id } } } } }"


@pytest.mark.parametrize(
    ("text", "variables", "rows"),
    [
        (PAGE, {}, 3),
        (PAGE, {"first": 50}, 50),
        (PAGE, {"first": 2**31}, 100),
        (PAGE, {"first": -5}, 0),
        (PAGE, {"first": "9"}, 100),
        (PAGE, {"first": 9.0}, 100),
        (PAGE, {"first": True}, 100),
        (PAGE.replace("Int! = 3", "Int!"), {}, 20),
        (LITERAL, {}, 9),
        (LITERAL.replace("9", "4000"), {}, 100),
        (LITERAL.replace("9", "-9"), {}, 0),
        (LITERAL.replace("(first: 9)", ""), {}, 20),
    ],
)
def test_a_page_costs_what_it_asks_for(text: str, variables: dict[str, Any], rows: int) -> None:
    """By a literal, a variable, its default, or that of the argument; what cannot be a page counts as the
    largest.
    """
    assert cost(text, "p", **variables).points == SHARED + 1 + 1 + 1 + rows


def test_fragments_cost_what_they_hold_wherever_they_are_spread() -> None:
    """The same selection costs the same written out, in fragments of fragments, and inline."""
    inner = "creditNotes(first: 9) { edges { node { pdf { ready } } } }"
    fragments = (
        "fragment a on Customer { ...b } fragment b on Customer { ... on Node { ... on Customer { ...c } } }"
    )

    assert cost(f"{{ customer {{ ...a }} }} {fragments} fragment c on Customer {{ {inner} }}") == cost(
        f"{{ customer {{ {inner} }} }}"
    )


def test_a_mutation_costs_its_own_besides_what_is_read_after_it() -> None:
    """Forty points for what it does, and then the statements and rows of what is selected below."""
    text = """mutation m($i: ChangePlanInput!) { changePlan(input: $i) {
      ... on PlanChanged { invoice { number pdf { url } } } ... on Refusal { message } } }"""

    assert cost(text, "m", i={}) == (2, MUTATION_POINTS + 2 + 2)


def test_an_interface_costs_what_the_dearest_type_behind_it_does() -> None:
    """A document may be an invoice or a credit note: its PDF is read either way."""
    schema_ = schema._schema
    prices, interface = Prices(schema_), schema_.type_map["BillingDocument"]

    assert prices.price(interface, "pdf") == prices.price(schema_.type_map["Invoice"], "pdf")
    assert prices.price(interface, "pdf").statements == 1


def test_every_name_of_the_price_list_is_a_field_that_reads() -> None:
    """A field that was renamed takes its price along."""
    named = {*STATEMENTS, *ROWS, *NO_STATEMENT}
    reading = {
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for name, field in kind.fields.items()
        if (definition := field.extensions["strawberry-definition"]).base_resolver and definition.is_async
    }

    assert named - reading == set()


@pytest.mark.parametrize("name", sorted(stored_operations()))
def test_every_stored_operation_may_ask_for_its_largest_page(name: str) -> None:
    """With 100 rows a page, too, it is within what one operation may cost."""
    found = cost(stored_operations()[name], name, first=100, input={})

    assert found.statements <= DEFAULT.statements
    assert found.points <= DEFAULT.cost


def test_work_is_linear_for_fragments_that_double() -> None:
    """What nobody would be allowed is priced at once, too: 2⁹⁰ notes, from ninety fragments."""
    levels = 90
    fragments = " ".join(f"fragment f{n} on Customer {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    last = f"fragment f{levels} on Customer {{ creditNotes(first: 1) {{ pageInfo {{ endCursor }} }} }}"
    syntax = parse(f"{{ customer {{ ...f0 }} }} {fragments} {last}")

    assert Prices(schema._schema).costing(syntax).cost(None, {}).statements == SHARED + 1 + 2**levels


@pytest.mark.parametrize(
    ("limits", "limit"), [(Limits(statements=20), "statements"), (Limits(cost=22), "cost")]
)
def test_what_costs_too_much_does_not_run(limits: Limits, limit: str) -> None:
    """A greeting is read by a statement beside the 18 that queries share; two of them make 20 statements and
    22 points, three are too many. The answer says both numbers.
    """
    world = World()
    before = REGISTRY.get_sample_value("seatport_limited_total", {"limit": limit}) or 0
    with TestClient(tiny_app(world, limits=limits)) as client:
        tiny = Tiny(client, world)
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert "data" in tiny.post("{ a: greeting b: greeting }").json()
        (error,) = tiny.errors("{ a: greeting b: greeting c: greeting }")

    assert error["extensions"] == {"code": "TOO_COMPLEX"}
    assert error["message"].startswith("This operation may cost 2")
    assert world.log == ["opened"]
    assert REGISTRY.get_sample_value("seatport_limited_total", {"limit": limit}) == before + 1
