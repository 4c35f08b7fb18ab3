"""The smallest server around a renderer, for the tests: GET draws an invoice.

GET /pid tells the render process, and the path /stuck asks for a document that takes very long.
"""

import os
from typing import Any

from app.documents.compose import view_of
from app.documents.renderer import Renderer
from app.documents.view import to_json
from tests.documents.builders import an_invoice, many_lines
from tests.documents.shapes import SHAPES

renderer = Renderer()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application with a lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await renderer.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await renderer.stop()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = await answer(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def answer(path: str) -> bytes:
    """The body for a path."""
    if path == "/pid":
        return f"{os.getpid()} {renderer.pid}".encode()
    if path == "/stuck":
        return await renderer.render(to_json(view_of(an_invoice(*many_lines(1_900)))))
    return await renderer.render(to_json(view_of(SHAPES["one_line"])))
