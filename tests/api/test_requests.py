"""What a request to /graphql may be: one well-formed operation. All else is told why, and runs nothing."""

import json

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from app.api.allowances import DEFAULT
from tests.api.tiny import TOKEN, Tiny, World, tiny_app

CODES = {"UNAUTHENTICATED", "BAD_USER_INPUT", "RATE_LIMITED", "TOO_COMPLEX", "INTERNAL", "BAD_REQUEST"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is not valid JSON"),
        (b"{", "The body is not valid JSON"),
        (b"\xff\xfe", "The body is not valid JSON"),
        (b'{"query": NaN}', "The body is not valid JSON"),
        (b'"x"', "must be a JSON object"),
        (b"1", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"true", "must be a JSON object"),
        (b"[]", "Batches are not offered"),
        (b'[{"query": "mutation { refund }"}]', "Batches are not offered"),
        (b"{}", "`query` must be a text"),
        (b'{"query": null}', "`query` must be a text"),
        (b'{"query": 1}', "`query` must be a text"),
        (b'{"query": ["{ balance }"]}', "`query` must be a text"),
        (b'{"query": "{ balance }", "variables": []}', "`variables` must be an object"),
        (b'{"query": "{ balance }", "variables": "{}"}', "`variables` must be an object"),
        (b'{"query": "{ balance }", "operationName": 1}', "`operationName` must be a text"),
        (b'{"query": "{ balance }", "extensions": []}', "`extensions` must be an object"),
    ],
)
def test_a_malformed_request_is_400(tiny: Tiny, body: bytes, message: str) -> None:
    """The answer says what is wrong, in JSON, with the code of a bad request."""
    answer = tiny.send(body)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert message in error["message"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert tiny.world.log == []


def test_null_is_as_good_as_left_out(tiny: Tiny) -> None:
    """Clients send null for what they have not got; unknown keys are for others."""
    answer = tiny.post("{ balance }", operationName=None, extensions=None, id="unknown")

    assert answer.json() == {"data": {"balance": 0}}


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 90_000,
        b'{"query": "{ balance }", "variables": {"a":' + b"[" * 900 + b"]" * 900 + b"}}",
        b'{"query": "{ balance }", "variables": {"a":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}",
        b'{"query": "query ($i: PayInput!) { balance }", "variables": {"i":'
        + b'{"quantity":' * 900
        + b"1"
        + b"}" * 902,
        b'{"query": "{ balance }", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "query ($n: Int!) { numbers(first: $n) }", "variables": {"n": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ numbers(first: ' + b"9" * 5000 + b') }"}',
        b'{"query": "{ numbers(first: ' + b"9" * 400 + b'e99999999) }"}',
        b'{"query": "{ greeting(name: ' + b"[" * 1000 + b"]" * 1000 + b') }"}',
        b'{"query": "\\u0000"}',
        b'{"query": "\\ud800"}',
        b'{"query": "{ greeting(name: \\"\\\\ud800\\") }"}',
        b'{"query": "{ greeting(name: \\"\\\\u{110000}\\") }"}',
        b'{"query": "{ balance }", "operationName": "\\u0000"}',
        b'{"query": "{ balance }", "operationName": "' + b"x" * 90_000 + b'"}',
        b'{"query": "{ ' + b"x" * 90_000 + b' }"}',
        b'{"query": "' + b"#" * 90_000 + b'"}',
        b'{"query": "' + b"#\\n" * 30_000 + b'"}',
        b'{"query": "' + b"{" * 90_000 + b'"}',
        b'{"query": "{ balance @x(a: ' + b"[" * 150 + b"]" * 150 + b') }"}',
        b'{"query": "query(' + b"$a: [Int] " * 300 + b') { balance }"}',
        b'{"query": "query($a: ' + b"[" * 300 + b"Int" + b"]" * 300 + b') { balance }"}',
        b'{"query": "type Query { x: Int }"}',
        b'{"query": "fragment f on Query { balance }"}',
        b'{"query": "subscription { balance }"}',
        b'{"query": "{ balance @skip }"}',
        b'{"query": "query ($b: Boolean) { balance @skip(if: $b) }"}',
    ],
)
def test_hostile_requests_get_json_and_never_500(tiny: Tiny, content: bytes) -> None:
    """Depth, size, numbers no machine holds, text that is no text: always a known code, nothing that ran."""
    answer = tiny.send(content)

    assert answer.status_code in {200, 400}
    body = answer.json()
    if "errors" in body:
        assert {error["extensions"]["code"] for error in body["errors"]} <= CODES - {"INTERNAL"}
        assert len(answer.content) < 6000
    else:
        assert body == {"data": {"balance": 0}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_no_json_whatever_is_a_fault(tiny: Tiny, value: object) -> None:
    """Any JSON, as the body, as variables and as the value of a variable, is answered with JSON under 500."""
    query = "mutation ($input: PayInput!) { pay(input: $input) { note } }"
    for body in (
        value,
        {"query": query, "variables": value},
        {"query": query, "variables": {"input": value}},
    ):
        answer = tiny.send(json.dumps(body))

        assert answer.status_code in {200, 400}
        assert all(error["extensions"]["code"] != "INTERNAL" for error in answer.json().get("errors", []))


NUL_QUERY = 'query { greeting(name: "a\\u0000b") }'


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (NUL_QUERY, None),
        (NUL_QUERY.replace("\\u0000", "\\u{0}"), None),
        ("query ($n: String!) { greeting(name: $n) }", {"n": "a\0b"}),
        ("query ($i: PayInput!) { balance }", {"i": {"note": ["\0"]}}),
        ("query ($i: PayInput!) { balance }", {"i": {"\0": 1}}),
    ],
)
def test_nul_in_a_text_is_the_users_input(tiny: Tiny, query: str, variables: object) -> None:
    """U+0000 is refused in literals and variables, so that no database ever meets it."""
    (error, *_) = tiny.errors(query, variables)

    assert "U+0000" in error["message"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert tiny.world.log == []


def test_the_letters_of_an_escape_are_no_nul(tiny: Tiny) -> None:
    """Somebody may write about U+0000 by its escape."""
    answer = tiny.post("query ($n: String!) { greeting(name: $n) }", {"n": "\\u0000"})

    assert answer.json() == {"data": {"greeting": "Hello, \\u0000!"}}


def test_every_other_character_comes_back(tiny: Tiny) -> None:
    """Emoji, right-to-left, combining marks and line separators go through unchanged."""
    name = "Zoë 👩‍👩‍👧 שלום \u2028 é \x7f"

    answer = tiny.post("query ($n: String!) { greeting(name: $n) }", {"n": name})

    assert answer.json() == {"data": {"greeting": f"Hello, {name}!"}}


def test_several_operations_need_a_name_before_anything_runs(tiny: Tiny) -> None:
    """Which one is meant is not guessed: with a mutation among them, that would be somebody's money."""
    document = "mutation Pay { refund } query Look { balance }"

    (error,) = tiny.errors(document)

    assert error["message"] == (
        "This document has several operations: Pay, Look. Name the one to run in `operationName`."
    )
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert tiny.world.log == []
    assert tiny.post(document, operationName="Look").json() == {"data": {"balance": 0}}
    assert tiny.world.log == ["opened"]


@pytest.mark.parametrize("name", ["Nothing", "", "look"])
def test_an_unknown_operation_name_runs_nothing(tiny: Tiny, name: str) -> None:
    """Also where there is only one operation, and with the wrong capitals."""
    answer = tiny.post("mutation Look { refund }", operationName=name)

    assert (
        answer.json()["errors"][0]["message"]
        == f"This document has no operation named {name!r}. It has: Look."
    )
    assert tiny.world.log == []


@pytest.mark.parametrize(
    "query",
    [
        'mutation { refund pay(input: {note: "x"}) { note } }',
        "mutation { a: refund b: refund }",
        "mutation { refund refund }",
        "mutation { ... { refund } ... { b: refund } }",
        "mutation { ...f b: refund } fragment f on Mutation { refund }",
        "mutation { refund @skip(if: true) b: refund }",
    ],
)  # fmt: skip
def test_a_mutation_has_one_field(tiny: Tiny, query: str) -> None:
    """Two would be two outcomes in one answer; however they are written, none runs."""
    (error,) = tiny.errors(query)

    assert "A mutation may have one field" in error["message"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert tiny.world.log == []


def test_a_mutation_may_ask_for_its_type_name(tiny: Tiny) -> None:
    """Some clients add `__typename` everywhere."""
    assert tiny.post("mutation { __typename refund }").json() == {
        "data": {"__typename": "Mutation", "refund": -1}
    }


def test_after_a_mutation_reads_are_afresh(tiny: Tiny) -> None:
    """What is selected below a mutation is read after it, also when the mutation is not async."""
    answer = tiny.post('mutation { pay(input: {note: "tea"}) { note balance } }')

    assert answer.json() == {"data": {"pay": {"note": "tea", "balance": 1}}}
    assert tiny.world.log == ["opened", "paid tea", "reopened"]


def test_a_query_reads_one_state(tiny: Tiny) -> None:
    """Queries never open the reads again."""
    tiny.post("{ a: balance b: balance }")

    assert tiny.world.log == ["opened"]


def test_two_applications_share_a_schema(tiny: Tiny) -> None:
    """Wrapping the mutations happens once, however many servers a process starts."""
    world = World()
    with TestClient(tiny_app(world)) as client:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client.post("/graphql", json={"query": "mutation { refund }"}, headers=headers)

    assert world.log == ["opened", "refunded", "reopened"]


def test_subscriptions_are_refused(tiny: Tiny) -> None:
    """In words, not by an error about null."""
    assert tiny.errors("subscription { balance }")[0]["message"].startswith("Subscriptions are not offered.")


def test_a_body_of_100_kb_is_taken_and_one_byte_more_is_413(tiny: Tiny) -> None:
    """The bound is on bytes, with a Content-Length and without one."""
    body = orjson.dumps({"query": "{ balance }", "extensions": {"filler": ""}})
    fits = body.replace(b'""', b'"' + b"x" * (DEFAULT.body_bytes - len(body)) + b'"')
    over = fits.replace(b"xx", b"xxx", 1)
    chunked = {"Content-Type": "application/json"}

    assert len(fits) == DEFAULT.body_bytes
    assert tiny.send(fits).json() == {"data": {"balance": 0}}
    for answer in (
        tiny.send(over),
        tiny.client.post("/graphql", content=iter([over[:60_000], over[60_000:]]), headers=chunked),
    ):
        assert answer.status_code == 413
        assert answer.json() == {
            "errors": [
                {
                    "message": "The body of a request may have 100,000 bytes.",
                    "extensions": {"code": "BAD_REQUEST"},
                }
            ]
        }
