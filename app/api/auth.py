"""Who asks. Programs send a bearer token; browsers a session's cookie, which counts only where a page made
the request that may. A token is `spp_` and 256 random bits; only its SHA-256 is ever stored, so a copy of the
database signs nobody in. Whatever is wrong with a token, the answer is the same bytes.
"""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request

from app.api.errors import Code, RequestRefused
from app.api.origins import Origins
from app.billing.permissions import Actor

PREFIX: Final = "spp_"
RANDOM_BYTES: Final = 32
TOKEN: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
UNAUTHENTICATED: Final = (
    "Sign in first: send the header `Authorization: Bearer …` with a token that is valid and has not expired."
)
ELSEWHERE: Final = (
    "This request was not made by a page that may use the session: its Origin is not on the list of this "
    "server. Programs send the header `Authorization: Bearer …` instead."
)

Holder = Callable[[bytes], Awaitable[Actor | None]]
"""Who signs in with the token of this hash, now; None when nobody does or the token has expired."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """The cookie that holds a browser's session. Without https, which only a trial on one machine goes
    without, it can be neither secure nor bound to the host by its name.
    """

    secure: bool = True

    @property
    def name(self) -> str:
        return "__Host-spp" if self.secure else "spp"

    def holding(self, token: str) -> str:
        """The `Set-Cookie` that lets the browser keep a token until it is closed."""
        return f"{self.name}={token}{self._flags}"

    @property
    def gone(self) -> str:
        """The `Set-Cookie` that makes the browser forget it."""
        return f"{self.name}=; Max-Age=0{self._flags}"

    @property
    def _flags(self) -> str:
        return f"; Path=/; HttpOnly; SameSite=Lax{'; Secure' if self.secure else ''}"


@dataclass(frozen=True, slots=True)
class Who:
    """How it is known who asks."""

    holder: Holder
    cookie: Cookie
    origins: Origins


def new_token() -> tuple[str, bytes]:
    """A token to hand out, and the hash of it to store."""
    token = f"{PREFIX}{secrets.token_urlsafe(RANDOM_BYTES)}"
    return token, hash_token(token)


def hash_token(token: str) -> bytes:
    """The 32 bytes by which a token is stored and found."""
    return hashlib.sha256(token.encode()).digest()


async def signed_in(request: Request[Any, Any, Any], who: Who) -> Actor:
    """The actor who makes a request; raises `RequestRefused`, 401 for every request without a good token and
    403 for one with a cookie that no page that may has made.
    """
    token = sent_token(request, who)
    actor = await who.holder(hash_token(token)) if token is not None else None
    if actor is None:
        raise RequestRefused(401, UNAUTHENTICATED, Code.UNAUTHENTICATED, {"WWW-Authenticate": "Bearer"})
    return actor


def sent_token(request: Request[Any, Any, Any], who: Who) -> str | None:
    """The token that a request may be judged by, None without one. A request with an Authorization header is
    a program's, and its cookies do not count.
    """
    headers = request.headers.getall("authorization", [])
    if headers:
        return _bearer_token(headers)
    token = cookie_token(request, who.cookie)
    if token is not None and not who.origins.may_use_session(request.headers):
        raise RequestRefused(403, ELSEWHERE, Code.FORBIDDEN)
    return token


def cookie_token(request: Request[Any, Any, Any], cookie: Cookie) -> str | None:
    """The token in the session's cookie, if it has the form of one: for what changes nothing."""
    token = request.cookies.get(cookie.name, "")
    return token if TOKEN.fullmatch(token) else None


def _bearer_token(headers: list[str]) -> str | None:
    """The token of the only Authorization header, if it has the form of one."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token if scheme.lower() == "bearer" and TOKEN.fullmatch(token) else None
