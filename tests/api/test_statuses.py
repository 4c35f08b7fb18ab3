"""The table of GraphQL over HTTP: which request gets which status and which media type."""

import pytest

from tests.api.tiny import Tiny

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
KINDS = {
    "fine": (b'{"query": "{ greeting }"}', 200, 200),
    "not parsed": (b'{"query": "{"}', 400, 200),
    "empty document": (b'{"query": ""}', 400, 200),
    "not valid": (b'{"query": "{ nothing }"}', 400, 200),
    "wrong variable": (
        b'{"query": "query ($n: Int!) { numbers(first: $n) }", "variables": {"n": "x"}}', 400, 200,
    ),
    "no such operation": (b'{"query": "query A { greeting }", "operationName": "B"}', 400, 200),
    "too complex": (b'{"query": "{' + b" a: greeting" * 31 + b'}"}', 400, 200),
    "resolver fails, field null": (b'{"query": "{ boom }"}', 200, 200),
    "resolver fails, data null": (b'{"query": "{ missing }"}', 200, 200),
    "not JSON": (b"{", 400, 400),
    "no query": (b"{}", 400, 400),
    "batch": (b'[{"query": "{ greeting }"}]', 400, 400),
}  # fmt: skip


@pytest.mark.parametrize("accept", [GRAPHQL, JSON, None])
@pytest.mark.parametrize("kind", KINDS)
def test_status_and_media_type(tiny: Tiny, kind: str, accept: str | None) -> None:
    """The newer media type tells by its status whether the request was good; the older says 200 to whatever
    was well formed, and is what a client gets that asks for nothing.
    """
    body, status_graphql, status_json = KINDS[kind]
    tiny.client.headers["Accept"] = accept or ""

    answer = tiny.send(body)

    assert answer.status_code == (status_graphql if accept == GRAPHQL else status_json)
    assert answer.headers["content-type"] == f"{accept or JSON}; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["cache-control"] == "no-store"
    assert ("data" in answer.json()) == (kind == "fine" or kind.startswith("resolver"))
    assert ("errors" in answer.json()) == (kind != "fine")


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, */*", GRAPHQL),
        (f"{JSON}, */*", JSON),
        (f"{GRAPHQL},{JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};q=0.5, */*", JSON),
        (f"{GRAPHQL};q=0, */*;q=0.1", JSON),
        (f"{JSON};q=0, application/*;q=0.2", GRAPHQL),
        ("Application/JSON; charset=utf-8", JSON),
        (f"text/html, {JSON};q=0.001", JSON),
        (f"{GRAPHQL};q=nonsense, {JSON}", JSON),
    ],
)
def test_the_media_type_a_client_prefers(tiny: Tiny, accept: str, answered: str) -> None:
    """Qualities decide, a named type beats a wildcard, the newer type wins a tie."""
    tiny.client.headers["Accept"] = accept

    assert tiny.post("{ greeting }").headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/plain", "text/html, image/*", f"{JSON};q=0", "application/jsonx", ",;,"]
)
def test_what_cannot_be_answered_is_406(tiny: Tiny, accept: str) -> None:
    """A client that takes no JSON is told so, in JSON, and nothing runs."""
    tiny.client.headers["Accept"] = accept

    answer = tiny.post("mutation { refund }")

    assert answer.status_code == 406
    assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert tiny.world.log == []


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonx",
        "xapplication/json",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "",
    ],
)
def test_only_json_is_taken(tiny: Tiny, content_type: str) -> None:
    """Whatever a foreign page could send without asking first is refused, so nothing it sends runs."""
    answer = tiny.send(b'{"query": "mutation { refund }"}', content_type)

    assert answer.status_code == 415
    assert tiny.world.log == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_may_name_its_charset(tiny: Tiny, content_type: str) -> None:
    """A parameter that says what is true is no reason to refuse."""
    assert tiny.send(b'{"query": "{ greeting }"}', content_type).json() == {
        "data": {"greeting": "Hello, world!"}
    }


def test_a_compressed_body_is_refused(tiny: Tiny) -> None:
    """Nothing is unpacked, so no small body can become a large one."""
    answer = tiny.post("{ greeting }", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_405_and_run_nothing(tiny: Tiny, method: str) -> None:
    """Only POST runs operations; the answer names what is allowed."""
    answer = tiny.client.request(method, "/graphql", params={"query": "mutation { refund }"})

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert tiny.world.log == []
    if method != "HEAD":
        assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
