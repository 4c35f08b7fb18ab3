"""The time a request may take: when it is up the client is told, and what the run held is given back."""

import asyncio
import time
from typing import Any

import pytest
from graphql import GraphQLObjectType
from litestar.testing import TestClient
from sqlalchemy import text

from app.api.allowances import Limits
from app.api.reading import Scene
from app.api.schema import schema
from app.metrics import REGISTRY
from tests.api.lived import lived_in, postgres_world, sqlite_world, world
from tests.api.serving import door_of
from tests.api.tiny import TOKEN, tiny_app
from tests.api.tiny import World as TinyWorld
from tests.api.world import World

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]

SLEEPING = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500000) "
    "SELECT max(i) FROM n",
    "postgres": "SELECT pg_sleep(3)",
}


@pytest.mark.parametrize(
    ("query", "limits", "limit", "words"),
    [
        ("{ slow }", Limits(seconds=1), "seconds", "Ask for less, or send it again later."),
        (
            "mutation { slow }",
            Limits(seconds=9, mutation_seconds=1),
            "mutation_seconds",
            "It may have been done all the same: send it again with the same idempotency key.",
        ),
    ],
)
def test_a_resolver_that_sleeps_is_cancelled(query: str, limits: Limits, limit: str, words: str) -> None:
    """It would sleep a minute: after one second the answer is 504, the resolver cancelled, its context
    closed, and the next request is served.
    """
    tiny_world, before = (
        TinyWorld(),
        REGISTRY.get_sample_value("seatport_limited_total", {"limit": limit}) or 0,
    )
    with TestClient(tiny_app(tiny_world, limits=limits)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        begun = time.monotonic()
        answer = client.post("/graphql", json={"query": query})
        taken = time.monotonic() - begun
        after = client.post("/graphql", json={"query": "{ balance }"})

    assert 1 <= taken < 5
    assert answer.status_code == 504
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "TIMEOUT"}
    assert error["message"] == f"This took more than 1 seconds and was stopped. {words}"
    assert tiny_world.log == ["opened", "slow", "cancelled", "opened"]
    assert tiny_world.closed == 2
    assert after.json() == {"data": {"balance": 0}}
    assert REGISTRY.get_sample_value("seatport_limited_total", {"limit": limit}) == before + 1


@pytest.mark.parametrize("where", ["resolver", "statement"])
async def test_connections_come_back(
    world: World, engine_name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of four runs that is stopped, in a resolver that sleeps or in a statement of seconds, gives its
    connection back, though nobody waits for that; then a query is answered.
    """

    def sleep(scene: Scene) -> None:
        scene.tx.connection.execute(text(SLEEPING[engine_name])).all()

    async def sleepy(_: Any, info: Any) -> list[Any]:
        await info.context.reading.read(lambda scene: scene.customer)
        await (asyncio.sleep(60) if where == "resolver" else info.context.reading.read(sleep))
        return []

    root = schema._schema.type_map["Query"]
    assert isinstance(root, GraphQLObjectType)
    monkeypatch.setattr(root.fields["plans"], "resolve", sleepy)
    pool: Any = world.store.reader.sync_engine.pool
    async with door_of(world, limits=Limits(seconds=1)) as door:
        begun = time.monotonic()
        answers = await asyncio.gather(*(door.ask("{ plans { code } }") for _ in range(4)))
        taken = time.monotonic() - begun
        assert [answer.status_code for answer in answers] == [504] * 4
        assert taken < 3
        async with asyncio.timeout(40):
            while pool.checkedout():  # noqa: ASYNC110  A pool tells nobody.
                await asyncio.sleep(0.05)
        assert (await door.ask("{ customer { name } }")).json() == {"data": {"customer": {"name": "Acme"}}}
