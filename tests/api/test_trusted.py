"""Trusted documents: in production the stored operations run, by text or by hash, and nothing else."""

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from app.api.operations import NotServable, Operations, Refused, Rules
from app.api.registry import Registry, document_id, stored_operations
from app.api.schema import schema
from app.main import ServeError
from app.settings import Documents, Mode
from tests.api.tiny import TOKEN, Tiny, World, tiny_app
from tests.cli.conftest import run

FILES = sorted((Path(__file__).parents[2] / "graphql" / "operations").glob("*.graphql"))
GREETING = "query greet($name: String!) { greeting(name: $name) }\n"
GREETING_ID = f"sha256:{hashlib.sha256(GREETING.encode()).hexdigest()}"
REGISTRY = Registry({GREETING_ID: GREETING})


def served(**settings: Any) -> Iterator[Tiny]:
    """The tiny application with one registered document."""
    world = World()
    app = tiny_app(world, registry=REGISTRY, **settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield Tiny(client, world)


@pytest.fixture
def closed() -> Iterator[Tiny]:
    yield from served(mode=Mode.PRODUCTION)


@pytest.fixture
def open_() -> Iterator[Tiny]:
    yield from served()


@pytest.fixture(scope="module")
def production() -> Operations:
    """The real schema as production runs it."""
    operations = Operations(
        schema, Rules(registry=Registry.read(), registered_only=True, introspection=False)
    )
    operations.documents.prepare_registered()
    return operations


def one_character_else(text: str, chance: random.Random) -> str:
    """The text with one character left out, put in or put in the place of another."""
    at, new = chance.randrange(len(text)), chance.choice(" \n,#{}()abcxyzABC019_é")
    return chance.choice(
        [text[:at] + text[at + 1 :], text[:at] + new + text[at:], text[:at] + new + text[at + 1 :]]
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_stored_operation_runs_in_production(production: Operations, file: Path) -> None:
    """By its text, byte by byte as the file has it, and it was prepared before the first request."""
    text = file.read_bytes().decode()

    assert not isinstance(production.ready(text, None), Refused)
    assert production.documents.named(f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}") == text
    assert len(production.documents) == 0


def test_a_thousand_changed_documents_are_refused(production: Operations) -> None:
    """One character else, even in a comment, and it is no stored operation any more."""
    chance, texts = random.Random(20_260_416), list(stored_operations().values())
    changed = {one_character_else(chance.choice(texts), chance) for _ in range(1_100)} - set(texts)
    refused = [production.ready(text, None) for text in sorted(changed)[:1_000]]

    assert len(refused) == 1_000
    for answer in refused:
        assert isinstance(answer, Refused)
        assert [error.extensions for error in answer.errors] == [{"code": "UNKNOWN_DOCUMENT"}]


@pytest.mark.parametrize(
    "query",
    ["{ balance }", GREETING.strip(), GREETING + " ", "mutation { refund }", "{", "", "{ __typename }"],
)
def test_other_texts_do_not_run_in_production(closed: Tiny, query: str) -> None:
    """They are not even parsed: all get the same answer, and nothing ran."""
    answer = closed.post(query, headers={"Accept": "application/graphql-response+json"})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNKNOWN_DOCUMENT"}
    assert error["message"].startswith("Only the stored operations of this server run here.")
    assert closed.world.log == []


@pytest.mark.parametrize("which", ["closed", "open_"])
def test_an_id_alone_runs_its_document(which: str, request: pytest.FixtureRequest) -> None:
    """`documentId` with variables and without a text; in a demo, too."""
    tiny: Tiny = request.getfixturevalue(which)
    body = {"documentId": GREETING_ID, "variables": {"name": "Ada"}}

    for _ in range(2):
        assert tiny.client.post("/graphql", json=body).json() == {"data": {"greeting": "Hello, Ada!"}}
    assert (
        tiny.client.post("/graphql", json={**body, "query": None, "operationName": "greet"}).status_code
        == 200
    )


@pytest.mark.parametrize("which", ["closed", "open_"])
@pytest.mark.parametrize(
    "id",
    ["", "sha256:", GREETING_ID[:-1], GREETING_ID.upper(), f"{GREETING_ID} ", GREETING_ID[7:], "sha256:../x"],
)
def test_an_unknown_id_is_told(which: str, id: str, request: pytest.FixtureRequest) -> None:
    """An id is exact; nothing is looked for under another."""
    tiny: Tiny = request.getfixturevalue(which)

    (error,) = tiny.client.post("/graphql", json={"documentId": id}).json()["errors"]

    assert error == {
        "message": "No stored operation of this server has this `documentId`.",
        "extensions": {"code": "UNKNOWN_DOCUMENT"},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"documentId": GREETING_ID, "query": GREETING}, "Send `query` or `documentId`, not both."),
        ({"documentId": 1}, "`documentId` must be a text, or left out."),
        ({"documentId": [GREETING_ID]}, "`documentId` must be a text, or left out."),
        ([{"documentId": GREETING_ID}], "Batches are not offered."),
        ({"id": GREETING_ID}, "`query` must be a text: the GraphQL document to run. Or send `documentId`."),
    ],
)
def test_a_request_names_one_document(closed: Tiny, body: object, message: str) -> None:
    """What is ambiguous is a bad request."""
    answer = closed.client.post("/graphql", json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith(message)


def test_a_deployment_may_open_the_door() -> None:
    """`SEATPORT_DOCUMENTS=any` lets any document run in production, but does not tell the schema."""
    for tiny in served(mode=Mode.PRODUCTION, documents=Documents.ANY):
        assert tiny.post("{ balance }").json() == {"data": {"balance": 0}}
        assert tiny.errors("{ __schema { queryType { name } } }")[0]["extensions"] == {"code": "BAD_REQUEST"}


def test_a_demo_may_close_it() -> None:
    """`SEATPORT_DOCUMENTS=registered` holds in every mode."""
    for tiny in served(documents=Documents.REGISTERED):
        assert tiny.errors("{ balance }")[0]["extensions"] == {"code": "UNKNOWN_DOCUMENT"}
        assert tiny.post(GREETING, {"name": "Bo"}).json() == {"data": {"greeting": "Hello, Bo!"}}


def test_a_stored_operation_that_cannot_run_stops_the_start() -> None:
    """It is told with its mistake, before anybody is served."""
    text = "query lost { nothing }"

    with pytest.raises(NotServable, match="Cannot query field 'nothing'"):
        Operations(schema, Rules(registry=Registry({document_id(text): text}))).documents.prepare_registered()
    with pytest.raises(ServeError, match="A stored operation cannot run"):
        tiny_app(World(), registry=Registry({document_id(text): text}), mode=Mode.PRODUCTION)


def test_the_command_lists_every_id(tmp_path: Path) -> None:
    """As JSON, name by name, the SHA-256 of the file's bytes; for people, a line for each."""
    url = f"sqlite+aiosqlite:///{tmp_path}/none.db"
    expected = {file.stem: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in FILES}

    assert json.loads(run(url, "operations", "--json").stdout) == expected
    assert [line.split() for line in run(url, "operations").stdout.splitlines()] == [
        list(pair) for pair in expected.items()
    ]
