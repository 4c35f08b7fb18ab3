"""How a person comes in: the vendor makes a link, a browser opens it, its button is pressed. Cookies are sent
by hand, so that a test says which.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from app.settings import Settings
from app.store.transaction import Store
from tests.api.rest.caller import Caller, calling
from tests.api.world import World
from tests.conftest import Clock
from tests.portal import SETTINGS

OWN: Final = SETTINGS.public_url
OWN_FORM: Final = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
"""How browsers say that a form of a page without a referrer is of the same server."""
OWN_PAGE: Final = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
COOKIE: Final = "__Host-spp"
FLAGS: Final = "Path=/; HttpOnly; SameSite=Lax; Secure"
WHO: Final = "{ viewer { name role } }"


@dataclass(slots=True)
class Door:
    """The application, the vendor's program, and browsers."""

    caller: Caller
    clock: Clock

    @property
    def http(self) -> httpx.AsyncClient:
        return self.caller.http

    @property
    def store(self) -> Store:
        return self.caller.world.store

    async def invite(
        self, person: str = "ada", role: str = "OWNER", customer: str = "acme", **more: str
    ) -> dict[str, Any]:
        """What the vendor is answered who lets somebody in."""
        member = {"reference": person, "role": role, "name": person.title(), **more}
        body = {"customer": customer, "member": member}
        return dict(await self.caller.post("/v1/portal-links", body))

    async def link(
        self, person: str = "ada", role: str = "OWNER", customer: str = "acme", **more: str
    ) -> str:
        """The token of a new link."""
        return token_of(await self.invite(person, role, customer, **more))

    async def press(
        self, link: str, headers: Mapping[str, str] = OWN_FORM, session: str | None = None
    ) -> httpx.Response:
        """The answer to the button of the page behind a link."""
        return await self.form("/portal/enter", {"token": link}, headers, session)

    async def form(
        self,
        path: str,
        fields: Mapping[str, str],
        headers: Mapping[str, str] = OWN_FORM,
        session: str | None = None,
    ) -> httpx.Response:
        """The answer to a form."""
        answer = await self.http.post(path, data=dict(fields), headers={**headers, **cookie(session)})
        self.http.cookies.clear()
        return answer

    async def come_in(self, person: str = "ada", role: str = "OWNER", customer: str = "acme") -> str:
        """The token of a new session."""
        return session_of(await self.press(await self.link(person, role, customer)))

    async def ask(
        self, session: str | None, headers: Mapping[str, str] = OWN_PAGE, query: str = WHO
    ) -> httpx.Response:
        """The answer to a page of this server that asks with a session's cookie."""
        return await self.http.post("/graphql", json={"query": query}, headers={**headers, **cookie(session)})

    async def is_in(self, session: str) -> bool:
        """Whether a session is good."""
        answer = await self.ask(session)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200


def cookie(session: str | None) -> dict[str, str]:
    """The header with which a browser sends a session."""
    return {} if session is None else {"Cookie": f"{COOKIE}={session}"}


def whole(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer by which it could be told from another; each has an id of its own for the log."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.content, headers


def token_of(invited: Mapping[str, Any]) -> str:
    """The token in the address of a link, which no server is sent."""
    page, _, token = str(invited["url"]).partition("#")
    assert page == f"{OWN}/portal/enter"
    return token


def session_of(answer: httpx.Response) -> str:
    """The token in the cookie that an answer sets, with exactly the flags that it should have."""
    assert answer.status_code == 303, answer.text
    (header,) = answer.headers.get_list("set-cookie")
    match = re.fullmatch(rf"{COOKIE}=(spp_[A-Za-z0-9_-]{{43}}); {FLAGS}", header)
    assert match is not None, header
    return match[1]


@asynccontextmanager
async def at_the_door(world: World, clock: Clock, settings: Settings = SETTINGS) -> AsyncIterator[Door]:
    """The application on the store of a world, with everything that comes in."""
    async with calling(world, clock, settings) as caller:
        yield Door(caller, clock)
