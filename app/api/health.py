"""Is it alive, and may traffic come. `/healthz` says only that the process answers; `/readyz` asks what the
process stands on, the database above all. Neither needs a token nor tells a stranger more than one word and a
sentence.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from app.api.http import json_response

CHECK_SECONDS_MAX: Final = 5.0
GOING: Final = "This server is about to stop. Ask another."

Ready = Callable[[], Awaitable[str | None]]
"""Asks what the server stands on: None when it may take traffic, else what is wrong, in a sentence for
operators.
"""

log = structlog.get_logger("seatport.api")


@dataclass(slots=True)
class Leaving:
    """Whether the server is about to go: it still answers, but nobody should come any more."""

    began: bool = False


def health_routes(
    ready: Ready, leaving: Leaving | None = None, *, seconds_max: float = CHECK_SECONDS_MAX
) -> list[HTTPRouteHandler]:
    """GET `/healthz` (200 while the process answers) and `/readyz` (200, or 503 with what is wrong)."""

    @get("/healthz", include_in_schema=False)
    async def healthz() -> Response[bytes]:
        return json_response({"status": "alive"})

    @get("/readyz", include_in_schema=False)
    async def readyz() -> Response[bytes]:
        going = leaving is not None and leaving.began
        problem = GOING if going else await _problem(ready, seconds_max)
        if problem is None:
            return json_response({"status": "ready"})
        return json_response(
            {"status": "not ready", "detail": problem}, status=503, headers={"Retry-After": "5"}
        )

    return [healthz, readyz]


async def _problem(ready: Ready, seconds_max: float) -> str | None:
    """What the check found. A check that fails is a problem itself, told in full in the log only."""
    try:
        async with asyncio.timeout(seconds_max):
            return await ready()
    except TimeoutError:
        return f"The check did not finish within {seconds_max:g} seconds."
    except Exception:
        log.exception("readiness check failed")
        return "The check failed. The log says why."
