"""`seatport token`, and the sessions that the command line opens."""

from __future__ import annotations

import click

from app.api.auth import new_token
from app.billing.permissions import Role
from app.billing.refusals import NotFound
from app.commands.common import OPERATOR, accepted, asynchronous, customer_called, opened, settings
from app.services.demo.diary import member_reference
from app.services.leave_portal import sign_out_member
from app.services.open_portal import PortalVisit, open_portal
from app.store import customers
from app.store.customers import Member
from app.store.reference import Reference
from app.store.transaction import Store, Tx


@click.command("token")
@click.option("--customer", required=True, metavar="REFERENCE", help="Whose portal, such as acme.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value.lower() for role in Role]),
    help="What the token's holder is for the customer.",
)
@click.option("--revoke", is_flag=True, help="End all sessions of the tokens that were made so.")
@asynchronous
async def command(customer: str, role: str, *, revoke: bool) -> None:
    """Print a bearer token for a customer's portal, and nothing else.

    It is good for twelve hours, or until it is revoked.
    """
    async with opened(settings()) as store:
        found = await customer_called(store, customer)
        if revoke:
            reference = member_reference(Role[role.upper()])
            accepted(await store.run(found.customer, sign_out_member, OPERATOR, reference), Member)
            click.echo(f"Every session of {reference.replace('_', ' ')} of {customer} has ended.")
            return
        click.echo(await token_for(store, found, Role[role.upper()]))


async def token_for(store: Store, customer: Reference, role: Role) -> str:
    """A new token of the member who stands for a role."""
    token, token_hash = new_token()
    accepted(await store.run(customer.customer, let_in, role, token_hash.hex()), Member)
    return token


def let_in(tx: Tx, role: Role, token_hash: str) -> Member | NotFound:
    """Open a session for the member who stands for a role, made at the first time."""
    reference = member_reference(role)
    known = customers.member_by_reference(tx, reference)
    name = known.name if known else f"Command line ({reference.replace('_', ' ')})"
    visit = PortalVisit(reference, role, token_hash, name, known.email if known else None)
    return open_portal(tx, OPERATOR, visit)
