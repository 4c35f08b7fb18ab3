"""What a client learns of failures: what it did wrong in words, what we did wrong as a reference and nothing
else.
"""

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.tiny import CANARY, Tiny

REFERENCE = re.compile(r"[0-9a-f]{12}")


@pytest.mark.parametrize(
    "query", ["{ boom }", "{ balance boom greeting }", "{ missing }", "{ node { node { boom } } }"]
)
def test_a_fault_of_ours_is_a_reference(tiny: Tiny, query: str) -> None:
    """The message of the exception is nowhere in the answer; the log has it, with the trace, under the
    reference.
    """
    with capture_logs() as logs:
        answer = tiny.post(query)

    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    reference = error["extensions"]["reference"]
    assert REFERENCE.fullmatch(reference)
    assert error["message"] == f"Something went wrong on our side. Tell support this reference: {reference}."
    assert error["extensions"]["code"] == "INTERNAL"
    assert [entry["reference"] for entry in logs] == [reference]
    assert logs[0]["path"] == ".".join(error["path"])
    assert isinstance(logs[0]["exc_info"], Exception)
    assert logs[0]["exc_info"].__traceback__ is not None
    assert CANARY not in answer.text


def test_faults_of_one_request_share_a_reference(tiny: Tiny) -> None:
    """Support needs one word for one request."""
    errors = tiny.errors("{ a: boom b: boom }")

    assert len({error["extensions"]["reference"] for error in errors}) == 1
    assert [error["path"] for error in errors] == [["a"], ["b"]]


def test_what_worked_is_still_given(tiny: Tiny) -> None:
    """A nullable field that fails is null; its neighbours keep their values."""
    assert tiny.post("{ balance boom }").json()["data"] == {"balance": 0, "boom": None}


def test_a_public_error_keeps_its_message_and_code(tiny: Tiny) -> None:
    """Resolvers choose what a client may read; nothing is logged as a fault."""
    with capture_logs() as logs:
        (error,) = tiny.errors("{ forbidden }")

    assert (error["message"], error["extensions"]) == ("Ask for less.", {"code": "RATE_LIMITED"})
    assert logs == []


@pytest.mark.parametrize(
    ("query", "variables", "message", "code"),
    [
        ("{ balanec }", None, "Cannot query field 'balanec' on type 'Query'.", "BAD_REQUEST"),
        ("{ numbers(frist: 1) }", None, "Unknown argument 'frist' on field 'Query.numbers'.", "BAD_REQUEST"),
        ("{ node { ... on Nod { name } } }", None, "Unknown type 'Nod'.", "BAD_REQUEST"),
        ("{ balance @skpi }", None, "Unknown directive '@skpi'.", "BAD_REQUEST"),
        ("{ greeting {", None, "Syntax Error: Expected Name, found <EOF>.", "BAD_REQUEST"),
        ("{ numbers }", None, "of type 'Int!' is required, but it was not provided", "BAD_REQUEST"),
        ('{ numbers(first: "x") }', None, "Int cannot represent non-integer value", "BAD_USER_INPUT"),
        ("query ($n: Int!) { numbers(first: $n) }", {}, "Variable '$n'", "BAD_USER_INPUT"),
        ("query ($n: Int!) { numbers(first: $n) }", {"n": None}, "Variable '$n'", "BAD_USER_INPUT"),
        ("query ($n: Int!) { numbers(first: $n) }", {"n": 2**31}, "32-bit", "BAD_USER_INPUT"),
        ("query ($n: Int = 5) { numbers(first: $n) }", {"n": None}, "Argument 'first'", "BAD_USER_INPUT"),
        ("mutation { pay(input: {note: 1}) { note } }", None, "String cannot represent", "BAD_USER_INPUT"),
    ],
)  # fmt: skip
def test_a_clients_mistake_is_told_without_suggestions(
    tiny: Tiny, query: str, variables: Any, message: str, code: str
) -> None:
    """Malformed documents are bad requests, wrong values are the user's input; neither names what else
    exists.
    """
    error = tiny.errors(query, variables)[0]

    assert message in error["message"]
    assert "Did you mean" not in error["message"]
    assert error["extensions"] == {"code": code}


@pytest.mark.parametrize(
    "quantity",
    [{"total": 1, "add": 2}, {}, {"total": None}, {"total": 1, "add": None}, {"remove": 1}],
)
def test_either_or_is_held_in_variables_and_literals(tiny: Tiny, quantity: dict[str, int | None]) -> None:
    """None, two, null or unknown members of a @oneOf input are the user's input, in either place."""
    query = "mutation ($i: PayInput!) { pay(input: $i) { note } }"
    literal = ", ".join(f"{key}: {'null' if value is None else value}" for key, value in quantity.items())

    for errors in (
        tiny.errors(query, {"i": {"note": "x", "quantity": quantity}}),
        tiny.errors(f'mutation {{ pay(input: {{note: "x", quantity: {{{literal}}}}}) {{ note }} }}'),
    ):
        assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert tiny.world.log in (["opened"], [])


def test_at_most_five_errors_are_returned(tiny: Tiny) -> None:
    """A thousand mistakes do not become a megabyte."""
    assert len(tiny.errors("{ node {" + "".join(f" wrong{n}" for n in range(400)) + "} }")) == 5
    assert len(tiny.errors("{" + "".join(f" f{n}: forbidden" for n in range(9)) + "}")) == 5


def test_a_long_message_is_cut(tiny: Tiny) -> None:
    """What the client sent comes back in part only."""
    (error,) = tiny.errors("{ " + "x" * 50_000 + " }")

    assert len(error["message"]) == 1001
    assert error["message"].endswith("…")


def test_errors_say_where(tiny: Tiny) -> None:
    """Line and column of the mistake, as editors show them."""
    (error,) = tiny.errors("{\n  balance\n  nothing\n}")

    assert error["locations"] == [{"line": 3, "column": 3}]


def test_the_reads_of_a_request_may_fail_to_open(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails outside of the resolvers is 500 with a reference, in the form of GraphQL."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(f"disk of {CANARY}")

    monkeypatch.setattr("app.api.operations.execute", fail)
    with capture_logs() as logs:
        answer = tiny.post("{ balance }")

    assert answer.status_code == 500
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "reference": logs[0]["reference"]}
    assert CANARY not in answer.text
