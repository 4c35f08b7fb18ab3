"""Bodies that come slowly or not whole, given to the application as a server does: message by message."""

import asyncio
from typing import Any

import orjson

from app.api.allowances import Limits
from tests.api.tiny import TOKEN, World, tiny_app

BODY = orjson.dumps({"query": "mutation { refund }"})


async def answered(world: World, messages: list[dict[str, Any]], **settings: Any) -> tuple[int, Any]:
    """Status and JSON of the answer to these messages; after the last of them nothing more comes."""
    sent: list[Any] = []
    app = tiny_app(world, **settings)

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    async with app.lifespan():
        await app(scope, receive, send)
    return sent[0]["status"], orjson.loads(sent[1]["body"])


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_put_together() -> None:
    """As a slow but honest client sends it."""
    parts = [part(bytes([byte]), more=True) for byte in BODY]

    assert await answered(World(), [*parts, part(b"", more=False)]) == (200, {"data": {"refund": -1}})


async def test_a_body_that_never_ends_is_cut_off() -> None:
    """After the seconds it may take, here none, the client is told, and nothing ran."""
    world = World()

    status, answer = await answered(world, [part(BODY, more=True)], limits=Limits(body_seconds=0))

    assert status == 408
    assert answer["errors"][0]["message"] == "The body did not arrive within 0 seconds."
    assert world.log == []


async def test_a_client_that_leaves_in_the_middle_runs_nothing() -> None:
    """What came until then is not taken for the whole, even where it is valid JSON."""
    world = World()

    status, answer = await answered(world, [part(BODY, more=True), {"type": "http.disconnect"}])

    assert status == 400
    assert answer["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert world.log == []
