"""From which pages a browser may send what. A session's cookie comes along with any request of that browser,
whichever page made it, so the page has to be one that may: of this server, or of an origin on the list. Pages
of other origins read nothing here (CORS is closed) but those on the list, and these only what is for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import Message, Scope

from app.api.http import BeforeSend

PREFLIGHT_SECONDS: Final = 600
PREFLIGHT: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "accept, authorization, content-type, idempotency-key",
    "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
}
EXPOSED: Final = "idempotent-replayed, retry-after"


@dataclass(frozen=True, slots=True)
class Origins:
    """The origin of this server's own pages, and those of others that may use it."""

    own: str
    others: frozenset[str] = frozenset()

    def may_use_session(self, headers: Headers) -> bool:
        """Whether a request with a session's cookie was made by a page that may: the browser names its
        origin, and says, where it says that at all, that it is not of another site.
        """
        origin, site = headers.getall("origin", []), headers.getall("sec-fetch-site", [])
        if len(origin) != 1 or origin[0] not in {self.own, *self.others}:
            return False
        return site in ([], ["same-origin"]) or (site == ["same-site"] and origin[0] in self.others)

    def is_own_form(self, headers: Headers) -> bool:
        """Whether a form was sent from a page of this server. Those pages tell nobody where they are, so
        browsers call their origin `null`; then only the newer header counts, which no page can forge.
        """
        origin, site = headers.getall("origin", []), headers.getall("sec-fetch-site", [])
        return (site == ["same-origin"] and origin in ([self.own], ["null"])) or (
            site == [] and origin == [self.own]
        )


def shared_with(origins: Origins, paths: frozenset[str]) -> BeforeSend:
    """A hook that lets pages of the listed origins POST to some paths and read what is answered there. The
    question of a browser whether they may (OPTIONS) is answered by the framework, and here with a yes.
    """

    async def before_send(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start" or not origins.others or scope["path"] not in paths:
            return
        sent, asked = MutableScopeHeaders.from_message(message), Headers.from_scope(scope)
        sent.extend_header_value("Vary", "Origin")
        origin = _listed(asked, origins)
        if origin is None:
            return
        sent["Access-Control-Allow-Origin"] = origin
        sent["Access-Control-Allow-Credentials"] = "true"
        if scope.get("method") != "OPTIONS":
            sent["Access-Control-Expose-Headers"] = EXPOSED
        elif asked.getall("access-control-request-method", []) == ["POST"]:
            for name, value in PREFLIGHT.items():
                sent[name] = value

    return before_send


def _listed(headers: Headers, origins: Origins) -> str | None:
    """The origin that a request names, if it is on the list."""
    named = headers.getall("origin", [])
    return named[0] if len(named) == 1 and named[0] in origins.others else None
