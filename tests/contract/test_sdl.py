"""The committed contract: current, compatible, described, and safe by its shape."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql.utilities import find_breaking_changes, find_dangerous_changes

from app.api.schema import schema, sdl

COMMITTED = Path(__file__).parents[2] / "graphql" / "schema.graphql"
NEW_WORDS_MIN = 2
FILLER = (
    "a an and are as at be been by can each for from has have how if in into is it its no not of on one only "
    "or so that the then there these they this to was what when where which who whom why will with"
)
DESCRIPTION = re.compile(r'^ *""".*?"""\n', re.DOTALL | re.MULTILINE)
WORD = re.compile(r"[a-z0-9]+")


def elements(schema: GraphQLSchema) -> Iterator[tuple[str, str, str | None]]:
    """The schema itself, and every element with a name of our own: its path, its name and its description."""
    yield "schema", "schema", schema.description
    for name, kind in schema.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        yield name, name, kind.description
        yield from members(kind)


def members(kind: GraphQLNamedType) -> Iterator[tuple[str, str, str | None]]:
    """The fields, arguments and values of a type."""
    match kind:
        case GraphQLEnumType():
            for name, value in kind.values.items():
                yield f"{kind.name}.{name}", name, value.description
        case GraphQLInputObjectType():
            for name, given in kind.fields.items():
                yield f"{kind.name}.{name}", name, given.description
        case GraphQLObjectType() | GraphQLInterfaceType():
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", name, field.description
                for argument, asked in field.args.items():
                    yield f"{kind.name}.{name}({argument})", argument, asked.description


def new_words(name: str, description: str) -> set[str]:
    """The words of a description that its name does not say already."""
    in_name = set(WORD.findall(re.sub(r"(?<!^)(?=[A-Z])", " ", name).replace("_", " ").lower()))
    told = {word.rstrip("s") for word in in_name}
    return {word for word in WORD.findall(description.lower()) if word.rstrip("s") not in told} - set(
        FILLER.split()
    )


def poor(schema: GraphQLSchema) -> list[str]:
    """The elements without a description that says more than the name, in sentences."""
    return [
        path
        for path, name, description in elements(schema)
        if not description
        or len(new_words(name, description)) < NEW_WORDS_MIN
        or description[-1] not in ".`"
        or not (description[0].isupper() or description[0] in "`0123456789")
    ]


def inputs(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLArgument]]:
    """Everything a client can send, by its path."""
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not is_introspection_type(kind):
            for field, selected in kind.fields.items():
                yield from ((f"{name}.{field}({arg})", value) for arg, value in selected.args.items())
        elif isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{name}.{field}", value) for field, value in kind.fields.items())


def test_the_committed_contract_is_current() -> None:
    """`graphql/schema.graphql` is what the program prints; otherwise run `seatport schema`."""
    assert COMMITTED.read_text(encoding="utf-8") == sdl()


def test_the_committed_contract_is_kept() -> None:
    """No change of the code breaks a client of the committed contract, nor endangers one."""
    before, now = build_schema(COMMITTED.read_text(encoding="utf-8")), build_schema(sdl())

    assert [change.description for change in find_breaking_changes(before, now)] == []
    assert [change.description for change in find_dangerous_changes(before, now)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  renewsOn: Date\n", ""),
        ("  available: Boolean!\n", "  available: Boolean\n"),
        ("  subscriptionId: ID!\n", "  subscriptionId: ID!\n  reason: String!\n"),
        ("  DO_NOT_BILL\n", ""),
        ("  AT_RENEWAL\n", "  AT_RENEWAL\n  LATER\n"),
        (" | IdempotencyKeyReused | Busy\n", " | IdempotencyKeyReused\n"),
        ("first: Int! = 20", "first: Int! = 10"),
    ],
)
def test_a_change_that_would_break_a_client_is_noticed(old: str, new: str) -> None:
    """A field gone, a null more, an argument more, a value gone or new, a member gone, another default."""
    committed = DESCRIPTION.sub("", COMMITTED.read_text(encoding="utf-8"))
    assert old in committed
    before, changed = build_schema(committed), build_schema(committed.replace(old, new))

    assert find_breaking_changes(before, changed) + find_dangerous_changes(before, changed) != []


def test_every_description_says_more_than_the_name() -> None:
    """Types, fields, arguments, input fields and values: each has sentences with words of their own."""
    printed = build_schema(sdl())

    assert poor(printed) == []
    print(f"{len(list(elements(printed)))} elements are described")  # noqa: T201  The number is the result.


def test_introspection_says_what_the_schema_is_for() -> None:
    """The explorer's docs pane begins with the same words as the committed file."""
    answer = schema.execute_sync("{ __schema { description } }")

    assert answer.data == {"__schema": {"description": build_schema(sdl()).description}}


@pytest.mark.parametrize(
    "description", ["", '"The seats."', '"Seats of the plan"', '"the plan\'s seats in use."']
)
def test_a_description_that_says_nothing_is_noticed(description: str) -> None:
    """None, the name again, no full stop, no capital letter."""
    whole = '"A page of seats and invoices." schema { query: Query }'
    printed = build_schema(
        f'{whole} "What the page may ask for." type Query {{ {description} planSeats: Int }}'
    )

    assert poor(printed) == ["Query.planSeats"]


def test_no_argument_takes_a_customer() -> None:
    """The tenant is in the token: nothing a client can send names a customer or a tenant."""
    forbidden = re.compile(r"customer|tenant|account|organi[sz]ation", re.IGNORECASE)

    given = [path for path, _ in inputs(build_schema(sdl()))]

    assert [
        path for path in given if forbidden.search(path.rpartition(".")[2].partition("(")[2] or path)
    ] == []
    assert given


def test_the_contract_knows_no_float() -> None:
    """Amounts and rates are decimals in texts, counts are whole numbers."""
    assert "Float" not in build_schema(sdl()).type_map


def test_lists_hold_no_nulls() -> None:
    """Every list is `[T!]!`, of arguments `[T!]`: a client never meets a hole in it."""
    holes = re.findall(r"^\s*\w+(?:\([^)]*\))?: \[\w+\]", sdl(), flags=re.MULTILINE)
    outputs = re.findall(r"^  (\w+): \[\w+!\](?!!)", sdl(), flags=re.MULTILINE)

    assert holes == []
    assert set(outputs) == {"seats"}
