"""What the scanner graphql-cop looks for, as probes of our own: each says whether it found something."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest

from app.settings import Documents, Mode
from tests.api.lived import lived_in, postgres_world, sqlite_world, world
from tests.api.serving import Door, door_of
from tests.api.world import World

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]

Probe = Callable[[Door], Awaitable[bool]]
PROBES: Final[dict[str, Probe]] = {}
IDE_PATHS: Final = ("/", "/graphiql", "/playground", "/console", "/graphql", "/altair", "/voyager", "/ide")
IDE_WORDS: Final = ("graphiql", "playground", "graphql ide", "altair", "voyager", "apollo-sandbox")

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


def probe(look: Probe) -> Probe:
    """Put a probe on the list, by its name."""
    PROBES[look.__name__] = look
    return look


def answered(answer: httpx.Response) -> bool:
    """Whether an operation ran."""
    try:
        body = answer.json()
    except ValueError:
        return False
    return bool(body.get("data")) if isinstance(body, dict) else isinstance(body, list)


async def by_get(door: Door, query: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {door.token}"}
    return await door.http.get("/graphql", params={"query": query}, headers=headers)


@probe
async def alias_overloading(door: Door) -> bool:
    return answered(
        await door.ask("query cop {" + " ".join(f"alias{n}: __typename" for n in range(101)) + "}")
    )


@probe
async def batch_queries(door: Door) -> bool:
    return answered(await door.send([{"query": "query cop { __typename }"}] * 10))


@probe
async def directive_overloading(door: Door) -> bool:
    found = await door.ask("query cop { __typename " + "@aa" * 10 + " }")
    real = await door.ask("query cop { __typename " + "@include(if: true)" * 30 + " }")
    return len(found.json().get("errors", [])) == 10 or answered(real)


@probe
async def field_duplication(door: Door) -> bool:
    return answered(await door.ask("query cop {" + " __typename" * 501 + "}"))


@probe
async def circular_introspection(door: Door) -> bool:
    levels = "fields { type { " * 5
    return answered(
        await door.ask("query cop { __schema { types { " + levels + "name" + " } }" * 5 + " } } }")
    )


@probe
async def introspection(door: Door) -> bool:
    found = [
        await door.ask(query)
        for query in (
            "query cop { __schema { types { name } } }",
            'query cop { a: __type(name: "Query") { name } }',
            "query cop { ...f } fragment f on Query { __schema { queryType { name } } }",
            "query cop { ... { ... on Query { b: __schema { queryType { name } } } } }",
            'mutation cop { __type(name: "Query") { name } }',
            "query cop($n: String!) { __type(name: $n) { name } }",
        )
    ]  # fmt: skip
    return any(answered(answer) for answer in found)


@probe
async def field_suggestions(door: Door) -> bool:
    found = [
        await door.ask(query)
        for query in (
            "query cop { viewe { name } }",
            "query cop { customer { seatEvents(frist: 1) { edges { cursor } } } }",
            "query cop { node(id: 1) { ... on Invoic { id } } }",
            "query cop($x: Dat) { customer { name } }",
            "mutation cop { changePlan(input: {subscriptionI: 1}) { __typename } }",
            "query cop { customer { invoices(status: [OPE]) { edges { cursor } } } }",
        )
    ]
    variables = {"input": {"subscriptionIdd": "x", "idempotencyKey": "y", "seats": [{"metrc": "x"}]}}
    text = "mutation cop($input: ChangePlanInput!) { changePlan(input: $input) { __typename } }"
    found.append(await door.ask(text, variables))
    return any("did you mean" in answer.text.lower() for answer in found)


@probe
async def get_queries(door: Door) -> bool:
    return answered(await by_get(door, "query cop { __typename }"))


@probe
async def get_mutations(door: Door) -> bool:
    return answered(await by_get(door, "mutation cop { __typename }"))


@probe
async def an_ide(door: Door) -> bool:
    pages = [await door.http.get(path, headers={"Accept": "text/html"}) for path in IDE_PATHS]
    return any(
        page.status_code in {200, 303}
        and any(word in f"{page.text} {page.headers}".lower() for word in IDE_WORDS)
        for page in pages
    )


@probe
async def forms_from_other_pages(door: Door) -> bool:
    headers = {"Authorization": f"Bearer {door.token}"}
    body = {"query": "query cop { __typename }"}
    forms = [
        await door.http.post("/graphql", data=body, headers=headers),
        await door.http.post("/graphql", files={"query": (None, body["query"])}, headers=headers),
        await door.http.post(
            "/graphql",
            content='{"query": "{ __typename }"}',
            headers={**headers, "Content-Type": "text/plain"},
        ),
        await door.http.post("/graphql", content='{"query": "{ __typename }"}', headers=headers),
    ]
    return any(answered(answer) for answer in forms)


@probe
async def tracing(door: Door) -> bool:
    answer = await door.ask("query cop { __typename }", extensions={"tracing": True})
    return "tracing" in answer.text or "extensions" in answer.json().get("data", {})


@probe
async def unhandled_errors(door: Door) -> bool:
    found = [await door.ask("qwerty cop { abc }"), await door.send({"query": 1}), await door.send("{")]
    return any("exception" in answer.text.lower() or "traceback" in answer.text.lower() for answer in found)


async def findings(door: Door) -> set[str]:
    """The probes that found something."""
    return {name for name, look in PROBES.items() if await look(door)}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"mode": Mode.PRODUCTION}, set()),
        ({"mode": Mode.PRODUCTION, "documents": Documents.ANY}, set()),
        ({"mode": Mode.DEMO, "explorer": True}, {"introspection", "an_ide"}),
    ],
    ids=["production", "production-any-document", "demo"],
)
async def test_the_probes_find_nothing_in_production(
    world: World, settings: dict[str, Any], found: set[str]
) -> None:
    """Nothing, also where a deployment lets any document run; in a demo, what it is there for: introspection
    and the explorer. The demo is also how these probes are known to find something.
    """
    assert len(PROBES) == 13
    async with door_of(world, **settings) as door:
        assert await findings(door) == found


async def test_the_probes_see_what_they_look_for(engine_name: str) -> None:
    """Against a server that answers everything with everything, each probe finds something."""
    assert engine_name

    def careless(request: httpx.Request) -> httpx.Response:
        told = {
            "data": {"__typename": "Query", "extensions": "tracing"},
            "errors": [{"message": "Did you mean graphiql? Exception"}] * 10,
        }
        return httpx.Response(200, json=told)

    async with httpx.AsyncClient(transport=httpx.MockTransport(careless), base_url="http://careless") as http:
        assert await findings(Door(http, "token")) == set(PROBES)
