"""What asks for more work than it cost to send: it is refused with work linear in what was sent, counted in
calls of functions, so that the tests say the same on every machine.
"""

import sys
from collections.abc import Iterator

import httpx
import pytest

from app.api.allowances import Limits
from app.api.operations import Documents, Refused, Rules
from app.api.schema import schema
from tests.api.hostile import BODIES, DOCUMENTS
from tests.api.test_serve import SECONDS_MAX, free_port, process
from tests.api.tiny import TOKEN

CALLS_PER_TOKEN_MAX = 400
SIZES = (225, 450, 900, 1_800)


def calls(documents: Documents, text: str) -> int:
    """How many functions are called to prepare a document, or to refuse it."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        documents.document(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", DOCUMENTS)
def test_work_grows_no_faster_than_the_document(name: str) -> None:
    """Of a document of 225, 450, 900 and 1,800 tokens, parsing, judging and validating together call at most
    400 functions for each token.
    """
    counted = {size: calls(Documents(schema._schema), DOCUMENTS[name](size)) for size in SIZES}

    assert {size: count / size for size, count in counted.items() if count > CALLS_PER_TOKEN_MAX * size} == {}


@pytest.mark.parametrize("name", ["the same object", "the same page"])
def test_without_the_limit_on_repeats_work_would_be_quadratic(name: str) -> None:
    """The count sees what it is for: twice as many of the same object are four times the work to compare, and
    the limit is what keeps that away.
    """
    loose = Rules(limits=Limits(repeats=10_000))
    once, twice = (calls(Documents(schema._schema, loose), DOCUMENTS[name](size)) for size in (450, 900))

    assert twice > 2.5 * once
    assert isinstance(Documents(schema._schema).document(DOCUMENTS[name](900)), Refused)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A live server of its own."""
    port = free_port()
    with process(port):
        yield f"http://127.0.0.1:{port}/graphql"


@pytest.mark.parametrize("name", BODIES)
def test_the_next_request_is_answered(server: str, name: str) -> None:
    """Whatever was sent is refused with a status under 500 and a known code, and who comes next is served."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    headers["Accept"] = "application/graphql-response+json"
    with httpx.Client(headers=headers, timeout=SECONDS_MAX) as client:
        answer = client.post(server, content=BODIES[name])
        after = client.post(server, content=b'{"query": "{ balance }"}')

    assert after.json() == {"data": {"balance": 0}}
    if answer.status_code == 200:
        assert name in {"a text of 90,000 characters", "a block text of 30,000 lines"}
        return
    assert answer.status_code in {400, 413}
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} <= {
        "BAD_REQUEST", "BAD_USER_INPUT", "TOO_COMPLEX",
    }  # fmt: skip
    assert len(answer.content) < 6_000
