"""The few pages by which a person comes in and goes out. A link leads to a page that does nothing by itself,
since scanners of mail open links too; its button sends the token, once, for a session in a cookie. Whoever
has no good link has a new one sent: the answer is the same for everybody, and comes before anybody was looked
for, so neither its bytes nor its time tell who is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from http import HTTPStatus
from string import Template
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import structlog
from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from app.api import media
from app.api.auth import Who, cookie_token, hash_token, sent_token, signed_in
from app.api.errors import Code, RequestRefused
from app.api.urls import origin_of
from app.billing.permissions import Actor
from app.documents.html import TEMPLATES
from app.services import tokens

LINK_PREFIX: Final = "spp_link_"
HOME: Final = "/portal"
ENTER: Final = "/portal/enter"
LEAVE: Final = "/portal/leave"
NEW_LINK: Final = "/portal/new-link"
FORM: Final = "application/x-www-form-urlencoded"
FORM_BYTES_MAX: Final = 10_000
FORM_SECONDS_MAX: Final = 15
EMAIL_MAX: Final = 320
ASSETS: Final[Mapping[str, str]] = {
    "portal.css": "text/css",
    "portal.js": "text/javascript",
}

log = structlog.get_logger("seatport.api")


class Sessions(Protocol):
    """What the pages do for whoever uses them."""

    async def enter(self, link: str, *, current: str | None) -> str | None:
        """The token of the session that a link becomes; None for one that is not good any more. `current` is
        the token in the browser's cookie: it stays good if its holder merely comes again by a used link.
        """
        ...

    async def leave(self, actor: Actor, token: str) -> None:
        """End the session of a token, which is the actor's."""
        ...

    async def ask_again(self, *, link: str | None, email: str | None) -> None:
        """Have a new link sent to the member of an old one, and to those with an e-mail address."""
        ...


@dataclass(frozen=True, slots=True)
class PortalPages:
    """The pages of one deployment.

    :ivar public_url: under which the server is reached
    :ivar return_url: where people go once they are signed in
    """

    who: Who
    sessions: Sessions
    public_url: str
    return_url: str

    def routes(self) -> list[HTTPRouteHandler]:
        """All handlers."""
        return [*self._views(), *self._forms(), asset]

    def _views(self) -> list[HTTPRouteHandler]:
        """What is only looked at."""

        @get(HOME, include_in_schema=False)
        async def home(request: Request[Any, Any, Any]) -> Response[str]:
            actor, _ = await self._visitor(request)
            if actor is None or actor.role is None:
                return self._page("signed-out", "Your billing page")
            role = actor.role.value.lower().replace("_", " ")
            return self._page("signed-in", "Your billing page", person=actor.name, role=role)

        @get(ENTER, include_in_schema=False)
        async def enter_page() -> Response[str]:
            return self._page("enter", "Your billing page")

        @get(NEW_LINK, include_in_schema=False)
        async def new_link_page() -> Response[str]:
            return self._page("new-link", "A new link")

        return [home, enter_page, new_link_page]

    def _forms(self) -> list[HTTPRouteHandler]:
        """What is done."""

        @post(ENTER, request_max_body_size=FORM_BYTES_MAX, include_in_schema=False)
        async def enter(request: Request[Any, Any, Any]) -> Response[str]:
            return await self._enter(request)

        @post(NEW_LINK, request_max_body_size=FORM_BYTES_MAX, include_in_schema=False)
        async def new_link(request: Request[Any, Any, Any]) -> Response[str]:
            return await self._new_link(request)

        @post(LEAVE, request_max_body_size=FORM_BYTES_MAX, include_in_schema=False)
        async def leave(request: Request[Any, Any, Any]) -> Response[str]:
            return await self._leave(request)

        return [enter, new_link, leave]

    async def _enter(self, request: Request[Any, Any, Any]) -> Response[str]:
        """A session for a link, and on to the page that the vendor wants."""
        if not self.who.origins.is_own_form(request.headers):
            return self._from_elsewhere()
        link = _link((await _form(request)).get("token", ""))
        current = cookie_token(request, self.who.cookie)
        token = await self.sessions.enter(link, current=current) if link is not None else None
        if token is None:
            return self._page("spent", "This link is not good any more", status=410, token=link or "")
        return self._to(self.return_url, self.who.cookie.holding(token))

    async def _new_link(self, request: Request[Any, Any, Any]) -> Response[str]:
        """The same page for everybody; what is to be done is done after it was sent."""
        if not self.who.origins.is_own_form(request.headers):
            return self._from_elsewhere()
        form = await _form(request)
        answer = self._page("asked", "Look into your mail")
        answer.background = BackgroundTask(
            self._ask_again, link=_link(form.get("token", "")), email=_email(form.get("email", ""))
        )
        return answer

    async def _ask_again(self, *, link: str | None, email: str | None) -> None:
        try:
            await self.sessions.ask_again(link=link, email=email)
        except Exception:  # The answer was sent; who asked can ask again.
            log.exception("new link not asked for")

    async def _leave(self, request: Request[Any, Any, Any]) -> Response[str]:
        """The end of a session, for the form of the page as for a program or a page of the vendor's."""
        if not _is_form(request):
            actor = await signed_in(request, self.who)
            await self._left(actor, sent_token(request, self.who))
            return Response("", status_code=204, headers={"Set-Cookie": self.who.cookie.gone})
        if not self.who.origins.is_own_form(request.headers):
            return self._from_elsewhere()
        await self._left(*await self._visitor(request))
        return self._to(f"{self.public_url}{HOME}", self.who.cookie.gone)

    async def _left(self, actor: Actor | None, token: str | None) -> None:
        if actor is not None and token is not None:
            await self.sessions.leave(actor, token)

    async def _visitor(self, request: Request[Any, Any, Any]) -> tuple[Actor | None, str | None]:
        """Whose session the browser has a cookie of, whichever page leads here; and its token."""
        token = cookie_token(request, self.who.cookie)
        return (await self.who.holder(hash_token(token)) if token is not None else None), token

    def _from_elsewhere(self) -> Response[str]:
        return self._page("elsewhere", "Nothing was done", status=403)

    def _to(self, url: str, cookie: str) -> Response[str]:
        headers = {**self._headers, "Location": url, "Set-Cookie": cookie}
        return Response("", status_code=303, headers=headers, media_type=media.TEXT)

    def _page(self, name: str, title: str, *, status: int = 200, **values: str) -> Response[str]:
        base = urlsplit(self.public_url).path
        told = {each: escape(value) for each, value in {"base": base, "title": title, **values}.items()}
        body = Template(_template(f"{name}.html")).substitute(told)
        html = Template(_template("page.html")).substitute({**told, "body": body})
        return Response(html, status_code=status, headers=self._headers, media_type="text/html")

    @property
    def _headers(self) -> dict[str, str]:
        """Everything from this server alone. Browsers hold what a form leads to against `form-action` too."""
        targets = " ".join(dict.fromkeys(("'self'", origin_of(self.public_url), origin_of(self.return_url))))
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
        )
        return {"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin"}


@get("/portal/assets/{name:str}", include_in_schema=False)
async def asset(name: FromPath[str]) -> Response[str]:
    """The style and the script of the pages."""
    if name not in ASSETS:
        raise RequestRefused(404, "There is nothing at this address.", Code.NOT_FOUND)
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(_template(name), media_type=ASSETS[name], headers=headers)


@cache
def _template(name: str) -> str:
    return (TEMPLATES / "portal" / name).read_text(encoding="utf-8")


def _link(text: str) -> str | None:
    """The token of a link, if it has the form of one."""
    found = text.strip()
    return found if tokens.has_form(found, LINK_PREFIX) else None


def _email(text: str) -> str | None:
    """An e-mail address, if it can be one."""
    found = text.strip()
    possible = 0 < len(found) <= EMAIL_MAX and "@" in found and found.isprintable()
    return found if possible else None


async def _form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The fields of a form; nothing of what is not one."""
    if not _is_form(request):
        raise RequestRefused(415, "Send the form of the page.")
    try:
        async with asyncio.timeout(FORM_SECONDS_MAX):
            body = await request.body()
    except TimeoutError:
        raise RequestRefused(408, "The form did not arrive in time.") from None
    except HTTPException as error:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise RequestRefused(413, "The form is too large.") from None
        raise RequestRefused(400, "The connection closed before the whole form arrived.") from None
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))


def _is_form(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
