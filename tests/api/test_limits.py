"""Limits: what asks for too much is refused before anything runs, and knowing it costs work linear in the
text. Work is counted in selections visited, so the tests say the same on every machine.
"""

import pytest
from graphql import get_introspection_query, parse

from app.api.allowances import Limits
from app.api.limits import Measured, Size, check, measure
from tests.api.tiny import Tiny


def doubling(levels: int) -> str:
    """Fragments that each spread the next one twice."""
    fragments = [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels)]
    return f"{{ ...f0 }} {' '.join(fragments)} fragment f{levels} on Query {{ balance }}"


def nested(depth: int) -> str:
    """`node` in `node` in … with a leaf at this depth."""
    return "{ " + "node { " * (depth - 1) + "name" + " }" * depth


NESTED_NODES = "node { name " * 8 + "}" * 8
"""Sixteen fields."""


def size_of(text: str) -> Size:
    """The size of the only operation."""
    measured: Measured = measure(parse(text))
    ((_, size),) = measured.operations
    return size


@pytest.mark.parametrize("levels", [14, 21, 90, 300])
def test_doubling_fragments_cost_linear_work(levels: int) -> None:
    """Two to the power of 90 fields are known after visiting each of the few selections a fixed number of
    times.
    """
    measured = measure(parse(doubling(levels)))

    assert measured.operations[0][1].fields == 2**levels
    # 2 spreads a level, each once as a selection and once as a spread; the root's spread and one field.
    assert measured.visited == 4 * levels + 3


@pytest.mark.parametrize("levels", [9, 21, 90, 150])
def test_doubling_fragments_are_refused(tiny: Tiny, levels: int) -> None:
    """The client reads what is too much, not a number with a hundred digits, and nothing ran."""
    messages = [error["message"] for error in tiny.errors(doubling(levels))]

    assert messages[0].startswith("With its fragments the operation has ")
    assert " fields, and 500 are allowed. Ask for less, or in several requests." in messages[0]
    assert max(map(len, messages)) < 200
    assert tiny.world.log == []


def test_three_thousand_aliases_are_refused_by_the_parser(tiny: Tiny) -> None:
    """They have more tokens than any document may have, so not even their syntax tree is finished."""
    query = "{" + " ".join(f"a{n}: balance" for n in range(3000)) + "}"

    (error,) = tiny.errors(query)

    assert error["extensions"] == {"code": "TOO_COMPLEX"}
    assert "more than 2000 tokens" in error["message"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{" + " ".join(f"a{n}: balance" for n in range(31)) + "}", "31 aliases, and 30 are"),
        ("{ ...f }" + " fragment f on Query {" + " a: balance" * 31 + "}", "31 aliases, and 30 are"),
        ("{ node {" + " name @include(if: true)" * 21 + "} }", "21 directives, and 20 are"),
        ("{ node { ...f ...f ...f } } fragment f on Node {" + " name" * 167 + "}", "502 fields, and 500 are"),
        ("{" + " balance" * 11 + "}", "11 fields at the root, and 10 are"),
        ("{ node {" + " name" * 31 + "} }", "31 fields in one place, and 30 are"),
        ("{ node {" + " ... { name }" * 31 + "} }", "31 fields in one place, and 30 are"),
        ("{ node {" + " ...f" * 31 + "} } fragment f on Node { name }", "31 fields in one place, and 30 are"),
        (
            "{" + " node { ...f ...f }" * 8 + "} fragment f on Node { name node { name name } }",
            "32 fields in one",
        ),
        (
            "{ ...f node {"
            + " ...g" * 6
            + "} } fragment f on Query {"
            + " node { name }" * 7
            + "} fragment g on Node { node {"
            + " name" * 5
            + "} }",
            "37 fields in one place",
        ),
        (
            "{ ...f ... { ...f } } fragment f on Query {" + " balance" * 6 + "}",
            "12 fields at the root, and 10",
        ),
        (nested(13), "13 levels of fields, and 12 are"),
        (
            "{ node { ...f } } fragment f on Node { " + "node { " * 11 + "name" + "}" * 12,
            "13 levels of fields",
        ),
        (
            "{ __schema { types { ...f } } } fragment f on __Type { " + "ofType { " * 18 + "name" + "}" * 19,
            "21 levels of introspection, and 20 are",
        ),
        (
            "{ ...f } fragment f on Query { __schema { types { " + "ofType { " * 18 + "name" + "}" * 21,
            "21 levels of introspection, and 20 are",
        ),
        (
            "{ __schema { types { " + "ofType { " * 18 + "name" + "}" * 21,
            "21 levels of introspection, and 20 are",
        ),
    ],
)
def test_one_more_than_allowed_is_refused(tiny: Tiny, text: str, what: str) -> None:
    """Each limit holds through fragments too, and names the number found and the number allowed."""
    errors = tiny.errors(text)

    assert any(what in error["message"] for error in errors), errors
    assert {error["extensions"]["code"] for error in errors} == {"TOO_COMPLEX"}


@pytest.mark.parametrize(
    "text",
    [
        nested(12),
        "{" + " balance" * 10 + "}",
        "{ node {" + " ".join(f"a{n}: name" for n in range(30)) + "} }",
        "{ node {" + " name" * 18 + " ".join(f"a{n}: {NESTED_NODES}" for n in range(30)) + "} }",
        "{ node {" + " name" * 30 + "} }",
        "{ node {" + " ...f" * 30 + "} } fragment f on Node { name }",
        "{ node {" + " name @include(if: true)" * 20 + "} }",
        "{ " + "... { " * 150 + "balance" + " }" * 151,
    ],
)
def test_as_much_as_allowed_runs(tiny: Tiny, text: str) -> None:
    """The limits are what they say; braces without a field are no depth."""
    assert "errors" not in tiny.post(text).json()


def test_what_graphiql_asks_when_it_opens_is_allowed(tiny: Tiny) -> None:
    """Introspection has a depth of its own, so that explorers and code generators work."""
    query = get_introspection_query(specified_by_url=True, input_value_deprecation=True)

    assert "errors" not in tiny.post(query, operationName="IntrospectionQuery").json()


def test_introspection_that_multiplies_is_refused(tiny: Tiny) -> None:
    """Fields of types of fields of types: few levels, but each multiplies what the server must gather."""
    query = (
        "{ __schema { types { fields { type { fields { type { fields { type { fields" + " { name" + " }" * 11
    )

    assert tiny.errors(query)


def test_sizes_worked_out_by_hand() -> None:
    """Two fields at the root, one alias, and the fragment's two fields two levels down, twice."""
    size = size_of("{ node { node { ...f ...f } } a: balance } fragment f on Node { name node { name } }")

    assert (size.depth, size.fields, size.aliases, size.root_fields) == (4, 9, 1, 2)


def test_cycles_end() -> None:
    """Fragments that spread each other are measured once each; validation then names the cycle."""
    text = "{ ...a } fragment a on Query { balance ...b } fragment b on Query { balance ...a }"

    assert measure(parse(text)).visited == 8


@pytest.mark.parametrize(
    "text",
    [
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ ...nowhere }",
        "{ ...a } fragment a on Query { balance } fragment a on Query { balance }",
        "{ balance } fragment a on Query { balance }",
    ],
)
def test_wrong_fragments_are_validations_to_refuse(tiny: Tiny, text: str) -> None:
    """Cycles, unknown and doubled fragments: a bad request, never a fault."""
    assert {error["extensions"]["code"] for error in tiny.errors(text)} == {"BAD_REQUEST"}


def test_each_operation_of_a_document_is_judged() -> None:
    """A document is refused if one of its operations asks for too much, and the message names it."""
    document = parse("query Small { balance } query Large { a: balance b: balance }")

    (error,) = check(document, Limits(aliases=1))

    assert "the operation 'Large' has 2 aliases, and 1 are allowed" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "{ balance } fragment f on Node {" + " node { name }" * 490 + "}",
        "{ ...f } fragment f on Query {" + " node { name }" * 480 + "} fragment f on Query { balance }",
    ],
)
def test_fragments_that_nothing_is_charged_for_are_not_validated(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """What hides in an unused or doubled fragment costs no validation, which compares field with field."""
    validated: list[str] = []
    monkeypatch.setattr("app.api.operations.validate", lambda *_, **__: validated.append("called"))

    assert {error["extensions"]["code"] for error in tiny.errors(text)} == {"BAD_REQUEST"}
    assert validated == []


@pytest.mark.parametrize("levels", [199, 250, 900])
def test_deep_nesting_is_refused_without_a_fault(tiny: Tiny, levels: int) -> None:
    """Neither our walk nor the parser runs out of stack."""
    errors = tiny.errors(nested(levels))

    assert {error["extensions"]["code"] for error in errors} == {"TOO_COMPLEX"}


def test_a_long_chain_of_fragments_is_refused_without_a_fault(tiny: Tiny) -> None:
    """Nesting hidden in 300 fragments is as deep as if it were written out."""
    chain = " ".join(f"fragment f{n} on Node {{ node {{ ...f{n + 1} }} }}" for n in range(150))
    query = f"{{ node {{ ...f0 }} }} {chain} fragment f150 on Node {{ name }}"

    assert "152 levels of fields, and 12 are" in tiny.errors(query)[0]["message"]
