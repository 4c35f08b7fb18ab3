"""Letting the customer's people in: the vendor knows who they are, and makes the link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

from litestar import delete, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.api.auth import new_token
from app.api.http import GRAPHQL_PATH
from app.api.portal_pages import ENTER, LINK_PREFIX
from app.api.rest.bodies import Answer, Body, Name, Reference, Text
from app.api.rest.describing import described
from app.api.rest.desk import AtDesk, Desk, Refused, accepted
from app.billing.permissions import Actor, Role
from app.billing.refusals import NotFound
from app.services import tokens
from app.services.api_keys import Scope
from app.services.leave_portal import remove_member, sign_out_member
from app.services.open_portal import LINK_LIFETIME, PortalVisit, open_portal
from app.store.customers import Member
from app.store.transaction import Tx

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
    """Two ways in, told this once: a link for the person's browser, and a bearer token for a program."""

    url: Annotated[
        str,
        Meta(
            description="Mail it, or lead the person there. It opens a session in their browser, once; the "
            "token in it stands after the `#`, which browsers send to nobody."
        ),
    ]
    url_expires_at: datetime
    token: Annotated[str, Meta(description="`Authorization: Bearer …`; keep it out of addresses and logs.")]
    expires_at: Annotated[datetime, Meta(description="When the token does.")]
    graphql_url: Annotated[str, Meta(description="Where the token is good.")]


class MemberAnswer(Answer):
    """A member of the customer, who has no session any more."""

    reference: str
    role: Role


@post(
    "/portal-links",
    **described(Scope.PORTAL_WRITE, 400, 404, 415),
    tags=[TAG[0]],
    summary="Let a person in",
)
async def make_portal_link(desk: AtDesk, data: JSONBody[PortalLinkBody]) -> PortalLinkAnswer:
    """Make the member, or bring it up to date, and let it in: by a link, which is good once and for minutes,
    and by a token, which is good for an hour. With another role than before, the member's sessions until now
    end. Needs `portal:write`.
    """
    customer = await desk.customer(data.customer)
    token, token_hash = new_token()
    link, person = tokens.made(LINK_PREFIX), data.member
    visit = PortalVisit(
        person.reference,
        person.role,
        token_hash.hex(),
        person.name,
        person.email,
        LIFETIME,
        link_hash=tokens.hash_of(link),
    )
    accepted(await desk.write(customer, open_portal, desk.actor, visit), Member)
    now, public_url = desk.room.store.wall(), desk.room.public_url
    return PortalLinkAnswer(
        url=f"{public_url}{ENTER}#{link}",
        url_expires_at=now + LINK_LIFETIME,
        token=token,
        expires_at=now + LIFETIME,
        graphql_url=f"{public_url}{GRAPHQL_PATH}",
    )


@post(
    "/customers/{reference:str}/members/{member:str}/sign-out",
    **described(Scope.PORTAL_WRITE, 404),
    status_code=200,
    tags=[TAG[0]],
    summary="Sign a person out",
)
async def sign_out(desk: AtDesk, reference: FromPath[str], member: FromPath[str]) -> MemberAnswer:
    """End all sessions of a member, everywhere, and take back links that wait. Needs `portal:write`."""
    return await _ended(desk, reference, sign_out_member, member)


@delete(
    "/customers/{reference:str}/members/{member:str}",
    **described(Scope.PORTAL_WRITE, 404),
    status_code=200,
    tags=[TAG[0]],
    summary="Remove a person",
)
async def remove(desk: AtDesk, reference: FromPath[str], member: FromPath[str]) -> MemberAnswer:
    """Take a member out of the customer's people; all of its sessions end. Needs `portal:write`."""
    return await _ended(desk, reference, remove_member, member)


async def _ended(
    desk: Desk, reference: str, verb: Callable[[Tx, Actor, str], Member | NotFound], member: str
) -> MemberAnswer:
    customer = await desk.customer(reference)
    if "\0" in member:
        raise Refused(NotFound("member"))
    found = accepted(await desk.write(customer, verb, desk.actor, member), Member)
    return MemberAnswer(reference=found.reference, role=found.role)


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (make_portal_link, sign_out, remove)
