"""The few look-ups across customers: who signs in with this hash, what is due, which rows wait.

This is the closed list behind `store.system`. A look-up answers with references alone, a customer and an id
of it; whoever wants more comes through that customer's own door. For sign-in, worker and command line only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import select

from app.billing.parties import CustomerKind
from app.billing.subscriptions import SubscriptionStatus
from app.store.tables import customer, portal_session, subscription
from app.store.transaction import DeploymentTx

P = ParamSpec("P")
Answer = TypeVar("Answer", bound="Reference | list[Reference] | None")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something is: its customer, and its id in the customer's rows."""

    customer: UUID
    id: UUID


LOOKUPS: Final[set[Callable[..., Any]]] = set()


def lookup(
    function: Callable[Concatenate[DeploymentTx, P], Answer],
) -> Callable[Concatenate[DeploymentTx, P], Answer]:
    """Put a function of this module on the list, and hold it to its promise to return references only."""

    @wraps(function)
    def held(tx: DeploymentTx, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        answer = function(tx, *args, **kwargs)
        found = answer if isinstance(answer, list) else [] if answer is None else [answer]
        assert all(type(item) is Reference for item in found), f"{function.__name__} returns references only"
        return answer

    LOOKUPS.add(held)
    return held


@lookup
def signed_in(tx: DeploymentTx, token_hash: str) -> Reference | None:
    """The member whose session a token opens; None for a token that is unknown, revoked or expired."""
    query = select(portal_session.c.customer_id, portal_session.c.member_id).where(
        portal_session.c.token_hash == token_hash,
        portal_session.c.expires_at > tx.wall,
        portal_session.c.revoked_at.is_(None),
    )
    row = tx.connection.execute(query).one_or_none()
    return Reference(row.customer_id, row.member_id) if row else None


@lookup
def demo_customers(tx: DeploymentTx, limit: int) -> list[Reference]:
    """The first demo customers, oldest first, each with its live subscription."""
    same = subscription.c.customer_id == customer.c.customer_id
    query = (
        select(customer.c.customer_id, subscription.c.id)
        .select_from(customer.join(subscription, same))
        .where(customer.c.kind == CustomerKind.DEMO, subscription.c.status == SubscriptionStatus.ACTIVE)
        .order_by(customer.c.created_at, customer.c.customer_id)
        .limit(limit)
    )
    return [Reference(row.customer_id, row.id) for row in tx.connection.execute(query)]
