"""The document cache: the same text is parsed and validated once, and what is kept is bounded."""

import pytest
from graphql import validate

from app.api import operations
from app.api.operations import Document, Documents, Refused, Rules
from app.api.registry import Registry, document_id
from app.metrics import REGISTRY
from tests.api.tiny import Tiny, World, tiny_parts


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that were really validated, by their text."""
    texts: list[str] = []

    def counting(schema: object, document: object, *rest: object, **options: object) -> object:
        texts.append(str(document))
        return validate(schema, document, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(operations, "validate", counting)
    return texts


def documents() -> Documents:
    return Documents(tiny_parts(World()).schema._schema)


def test_a_document_is_validated_once(tiny: Tiny, validated: list[str]) -> None:
    """A hundred requests with other variables cost one validation."""
    query = "query ($name: String!) { greeting(name: $name) }"

    answers = [tiny.post(query, {"name": str(n)}).json()["data"]["greeting"] for n in range(100)]

    assert answers == [f"Hello, {n}!" for n in range(100)]
    assert len(validated) == 1


def test_skipped_and_included_fields_follow_the_variables(tiny: Tiny) -> None:
    """A kept document is kept unexecuted: each run decides by its own variables."""
    query = "query ($yes: Boolean!) { balance @skip(if: $yes) greeting @include(if: $yes) }"

    assert [tiny.post(query, {"yes": yes}).json()["data"] for yes in (True, False, True)] == [
        {"greeting": "Hello, world!"},
        {"balance": 0},
        {"greeting": "Hello, world!"},
    ]


def test_a_document_that_fails_is_not_kept(validated: list[str]) -> None:
    """Nonsense cannot push the good documents out."""
    kept = documents()

    assert isinstance(kept.document("{ nothing }"), Refused)
    assert isinstance(kept.document("{ nothing }"), Refused)
    assert (len(kept), len(validated)) == (0, 2)


def test_the_documents_used_last_are_kept(validated: list[str]) -> None:
    """Of more than 256, the one that was used again stays and the oldest unused goes."""
    kept = documents()
    texts = [f"{{ n{number}: balance }}" for number in range(operations.DOCUMENTS_MAX)]
    for text in texts:
        kept.document(text)

    kept.document(texts[0])
    kept.document("{ one: balance }")
    kept.document(texts[0])
    kept.document(texts[1])

    assert len(kept) == operations.DOCUMENTS_MAX
    assert len(validated) == operations.DOCUMENTS_MAX + 2


def test_all_kept_documents_together_are_bounded() -> None:
    """Large documents push each other out, so memory does not grow with what clients send."""
    kept = documents()
    size = 90_000

    for number in range(20):
        assert isinstance(kept.document(f"{{ n{number}: balance }} #{'x' * size}"), Document)

    assert len(kept) == operations.CHARACTERS_MAX // size


def test_where_documents_come_from_is_counted() -> None:
    """Parsed at first, then kept; a registered one is told apart."""
    registered = "{ balance }"
    rules = Rules(registry=Registry({document_id(registered): registered}))
    asked = Documents(tiny_parts(World()).schema._schema, rules)

    def counts() -> dict[str, float]:
        sources = ("registered", "kept", "parsed")
        name = "seatport_graphql_documents_total"
        return {each: REGISTRY.get_sample_value(name, {"source": each}) or 0 for each in sources}

    before = counts()
    for text in ("{ greeting }", "{ greeting }", "{ greeting }", registered, registered):
        asked.document(text)

    after = counts()
    assert {each: after[each] - before[each] for each in after} == {"registered": 1, "kept": 2, "parsed": 2}
