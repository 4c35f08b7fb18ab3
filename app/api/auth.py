"""Bearer tokens. A token is `spp_` and 256 random bits; only its SHA-256 is ever stored, so a copy of the
database signs nobody in. Whatever is wrong with a token, the answer is the same bytes.
"""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Request
from litestar.di import Provide

from app.api.errors import Code, RequestRefused
from app.billing.permissions import Actor

PREFIX: Final = "spp_"
RANDOM_BYTES: Final = 32
TOKEN: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
UNAUTHENTICATED: Final = (
    "Sign in first: send the header `Authorization: Bearer …` with a token that is valid and has not expired."
)

Who = Callable[[bytes], Awaitable[Actor | None]]
"""Who signs in with the token of this hash, now; None when nobody does or the token has expired."""


def new_token() -> tuple[str, bytes]:
    """A token to hand out, and the hash of it to store."""
    token = f"{PREFIX}{secrets.token_urlsafe(RANDOM_BYTES)}"
    return token, hash_token(token)


def hash_token(token: str) -> bytes:
    """The 32 bytes by which a token is stored and found."""
    return hashlib.sha256(token.encode()).digest()


async def signed_in(request: Request[Any, Any, Any], who: Who) -> Actor:
    """The actor whose token the request bears; raises `RequestRefused` (401) for every other request."""
    token = _bearer_token(request.headers.getall("authorization", []))
    actor = await who(hash_token(token)) if token is not None else None
    if actor is None:
        raise RequestRefused(401, UNAUTHENTICATED, Code.UNAUTHENTICATED, {"WWW-Authenticate": "Bearer"})
    return actor


def actor_provider(who: Who) -> Provide:
    """A Litestar dependency for handlers that need the signed-in actor."""

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        return await signed_in(request, who)

    return Provide(actor)


def _bearer_token(headers: list[str]) -> str | None:
    """The token of the only Authorization header, if it has the form of one."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token if scheme.lower() == "bearer" and TOKEN.fullmatch(token) else None
