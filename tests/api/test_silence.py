"""Nothing that goes wrong inside is told outside: each field of the schema fails in turn."""

from typing import Any, Final

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_introspection_type, is_leaf_type
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from app.api.schema import schema
from app.settings import Documents, Mode
from tests.api.lived import lived_in, postgres_world, sqlite_world, world
from tests.api.serving import door_of
from tests.api.walking import Way, objects, ways, wrapped
from tests.api.world import World

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]

CANARIES: Final = ("hunter2", "SELECT secret", "/var/lib/seatport", "ada@acme.example", "PGPASSWORD")
WAYS: Final = list(ways(schema._schema))

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


def failure() -> Exception:
    """What a driver raises: the statement, its parameters, where, and as whom."""
    error = IntegrityError(
        CANARIES[1], {"password": CANARIES[0], "email": CANARIES[3]}, OSError(CANARIES[2], CANARIES[4])
    )
    error.add_note(" ".join(CANARIES))
    return error


@pytest.fixture
def pliable(monkeypatch: pytest.MonkeyPatch) -> GraphQLSchema:
    """The schema, whose values are taken for whatever type a way needs."""
    built: GraphQLSchema = schema._schema
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            monkeypatch.setattr(kind, "is_type_of", None)
    return built


def lead(patch: pytest.MonkeyPatch, built: GraphQLSchema, way: Way, last: Any) -> None:
    """Let the fields on a way give something, of the type that the next step is a field of; the last one does
    what it is told.
    """
    for (kind, name), (below, _) in zip(way.steps, way.steps[1:], strict=False):
        field = kind.fields[name]
        value = wrapped(field.type, object())
        patch.setattr(field, "resolve", lambda *_, value=value, **__: value)
        result = get_named_type(field.type)
        if len(objects(built, result)) > 1:
            patch.setattr(result, "resolve_type", lambda *_, name=below.name: name)
    kind, name = way.steps[-1]
    patch.setattr(kind.fields[name], "resolve", last)


def raises(*_: Any, **__: Any) -> Any:
    raise failure()


async def raises_later(*_: Any, **__: Any) -> Any:
    raise failure()


def gives_nonsense(*_: Any, **__: Any) -> Any:
    return dict.fromkeys(CANARIES, CANARIES)


def test_the_walk_reaches_every_field(engine_name: str) -> None:
    """There is a way to each field of each type: 342 today."""
    every = {
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for name in kind.fields
    }

    assert {way.name for way in WAYS} == every
    assert engine_name


@pytest.mark.parametrize("last", [raises, raises_later, gives_nonsense])
async def test_a_field_that_fails_tells_a_reference_only(
    world: World, pliable: GraphQLSchema, last: Any
) -> None:
    """Each field raises what a database driver raises, at once and later, or gives a value of no type: the
    body says "Something went wrong" with a reference; the statement, the path, the environment and the
    address are in the log, under that reference, and nowhere else.
    """
    tried = 0
    async with door_of(world, mode=Mode.PRODUCTION, documents=Documents.ANY) as door:
        for way in WAYS:
            kind, name = way.steps[-1]
            if last is gives_nonsense and not is_leaf_type(get_named_type(kind.fields[name].type)):
                continue
            with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
                lead(patch, pliable, way, last)
                answer = await door.ask(way.query)
            assert [canary for canary in CANARIES if canary in answer.text] == [], (way.name, answer.text)
            assert answer.status_code == 200, (way.name, answer.text)
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "INTERNAL", (way.name, error)
            reference = error["extensions"]["reference"]
            assert (
                error["message"]
                == f"Something went wrong on our side. Tell support this reference: {reference}."
            )
            (entry,) = [each for each in logs if each["log_level"] == "error"]
            assert entry["reference"] == reference
            assert entry["exc_info"].__traceback__ is not None or last is gives_nonsense
            tried += 1
    assert tried > 200
