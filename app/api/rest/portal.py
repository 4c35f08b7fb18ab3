"""Letting the customer's people in: the vendor knows who they are, and makes the link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from app.api.auth import new_token
from app.api.http import GRAPHQL_PATH
from app.api.rest.bodies import Answer, Body, Name, Reference, Text
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, accepted
from app.billing.permissions import Role
from app.services.api_keys import Scope
from app.services.open_portal import PortalVisit, open_portal
from app.store.customers import Member

TAG: Final = ("portal", "Let the customer's people in.")
LIFETIME: Final = timedelta(hours=1)


class PortalMember(Body):
    """A person of the customer, as you know them."""

    reference: Annotated[Name, Meta(description="Your own id of the person.", examples=["u-17"])]
    role: Role
    name: Text | None = None
    email: Text | None = None


class PortalLinkBody(Body):
    """Who is let in where."""

    customer: Reference
    member: PortalMember


class PortalLinkAnswer(Answer):
    """A bearer token for the customer's own API. It is told this once."""

    token: Annotated[str, Meta(description="`Authorization: Bearer …`; keep it out of addresses and logs.")]
    expires_at: datetime
    graphql_url: Annotated[str, Meta(description="Where the token is good.")]


@post(
    "/portal-links",
    **described(Scope.PORTAL_WRITE, 400, 404, 415),
    tags=[TAG[0]],
    summary="Let a person in",
)
async def make_portal_link(desk: AtDesk, data: JSONBody[PortalLinkBody]) -> PortalLinkAnswer:
    """Make the member, or bring it up to date, and open a session for an hour. Needs `portal:write`."""
    customer = await desk.customer(data.customer)
    token, token_hash = new_token()
    person = data.member
    visit = PortalVisit(person.reference, person.role, token_hash.hex(), person.name, person.email, LIFETIME)
    accepted(await desk.write(customer, open_portal, desk.actor, visit), Member)
    url = f"{desk.room.public_url}{GRAPHQL_PATH}"
    return PortalLinkAnswer(token=token, expires_at=desk.room.store.wall() + LIFETIME, graphql_url=url)


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (make_portal_link,)
