"""The few look-ups across customers: who signs in with this hash, what is due, which rows wait.

This is the closed list behind `store.system`. A look-up answers with references alone, a customer and an id
of it; whoever wants more comes through that customer's own door. A key of the vendor's, which is of no
customer, is answered with what it may be used for; its endpoints for webhooks, which are of none either, by
their ids; how much waits, with numbers. For sign-in, worker, metrics and command line only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import Column, Select, exists, or_, select, tuple_

from app.billing.parties import CustomerKind
from app.billing.payments import CollectionStatus, PendingStatus
from app.billing.subscriptions import SubscriptionStatus
from app.metrics import Backlog
from app.store import backlog
from app.store.reference import Reference
from app.store.tables import (
    api_key,
    billing_line,
    collection,
    customer,
    customer_reference,
    document,
    idempotency,
    member,
    outbox,
    pending_change,
    portal_link,
    portal_session,
    render_job,
    subscription,
    webhook_delivery,
    webhook_endpoint,
)
from app.store.transaction import DeploymentTx
from app.store.webhook_endpoints import is_open
from app.store.webhooks import Status

P = ParamSpec("P")
Answer = TypeVar("Answer", bound="Reference | Key | Visit | Backlog | list[Reference] | list[Outlet] | None")


@dataclass(frozen=True, slots=True)
class Key:
    """Which of the vendor's keys calls, and what for."""

    id: UUID
    name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A session that is open: the customer, the member, and when it ends if it is not used until then."""

    customer: UUID
    member: UUID
    idle_until: datetime | None


@dataclass(frozen=True, slots=True)
class Outlet:
    """An endpoint of the vendor's that something waits for."""

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
        assert all(type(item) in {Reference, Key, Outlet, Visit, Backlog} for item in found), (
            f"{function.__name__} returns references only"
        )
        return answer

    LOOKUPS.add(held)
    return held


@lookup
def waiting(tx: DeploymentTx) -> Backlog:
    """How much is due and not done yet."""
    return backlog.measured(tx)


@lookup
def signed_in(tx: DeploymentTx, token_hash: str) -> Visit | None:
    """The session that a token opens; None for a token that is unknown or revoked, or whose session has
    expired or was idle for too long.
    """
    idle_until = portal_session.c.idle_until
    query = select(portal_session.c.customer_id, portal_session.c.member_id, idle_until).where(
        portal_session.c.token_hash == token_hash,
        portal_session.c.expires_at > tx.wall,
        portal_session.c.revoked_at.is_(None),
        or_(idle_until.is_(None), idle_until > tx.wall),
    )
    row = tx.connection.execute(query).one_or_none()
    return Visit(row.customer_id, row.member_id, row.idle_until) if row else None


@lookup
def holder_of_link(tx: DeploymentTx, token_hash: str) -> Reference | None:
    """The member for whom a portal link was made, whether or not it is still good."""
    query = select(portal_link.c.customer_id, portal_link.c.member_id)
    row = tx.connection.execute(query.where(portal_link.c.token_hash == token_hash)).one_or_none()
    return Reference(row.customer_id, row.member_id) if row else None


@lookup
def members_reached_at(tx: DeploymentTx, mailbox: str, limit: int) -> list[Reference]:
    """The members with an e-mail address, of whichever customers."""
    query = select(member.c.customer_id, member.c.id).where(
        member.c.mailbox == mailbox, member.c.removed_at.is_(None)
    )
    rows = tx.connection.execute(query.order_by(member.c.customer_id, member.c.id).limit(limit))
    return [Reference(row.customer_id, row.id) for row in rows]


@lookup
def key_of(tx: DeploymentTx, token_hash: str) -> Key | None:
    """The key with this token; None for one that is unknown or revoked."""
    query = select(api_key.c.id, api_key.c.name, api_key.c.scopes).where(
        api_key.c.token_hash == token_hash, api_key.c.revoked_at.is_(None)
    )
    row = tx.connection.execute(query).one_or_none()
    return Key(row.id, row.name, tuple(row.scopes)) if row else None


@lookup
def owner_of_document(tx: DeploymentTx, document_id: UUID) -> Reference | None:
    """Whose document it is."""
    query = select(document.c.customer_id).where(document.c.id == document_id)
    found = tx.connection.execute(query).scalar()
    return Reference(found, document_id) if found else None


@lookup
def customer_of_no_demo(tx: DeploymentTx) -> Reference | None:
    """A customer with real books, where there is none of a demo: this is no demo's database."""
    of_demo = select(customer.c.customer_id).where(customer.c.kind == CustomerKind.DEMO)
    query = select(customer.c.customer_id).where(customer.c.kind == CustomerKind.LIVE, ~of_demo.exists())
    found = tx.connection.execute(query.limit(1)).scalar()
    return Reference(found, found) if found else None


@lookup
def demo_customers(tx: DeploymentTx, limit: int) -> list[Reference]:
    """The first demo customers, by reference, each with its live subscription."""
    same = subscription.c.customer_id == customer.c.customer_id
    query = (
        select(customer.c.customer_id, subscription.c.id)
        .select_from(customer.join(subscription, same))
        .where(customer.c.kind == CustomerKind.DEMO, subscription.c.status != SubscriptionStatus.ENDED)
        .order_by(customer.c.reference)
        .limit(limit)
    )
    return [Reference(row.customer_id, row.id) for row in tx.connection.execute(query)]


@lookup
def customer_called(tx: DeploymentTx, reference: str) -> Reference | None:
    """The customer whom the vendor calls so."""
    query = select(customer_reference.c.customer_id).where(customer_reference.c.reference == reference)
    found = tx.connection.execute(query).scalar()
    return Reference(found, found) if found else None


@lookup
def owner_of_line(tx: DeploymentTx, line_id: UUID) -> Reference | None:
    """Whose line it is. It looks through all lines: for an operator who has only the id."""
    query = select(billing_line.c.customer_id).where(billing_line.c.id == line_id)
    found = tx.connection.execute(query).scalar()
    return Reference(found, line_id) if found else None


@lookup
def movable_customers(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the customers whose time can be moved."""
    query = select(customer.c.customer_id).where(customer.c.kind != CustomerKind.LIVE)
    if after is not None:
        query = query.where(customer.c.customer_id > after.customer)
    page = tx.connection.execute(query.order_by(customer.c.customer_id).limit(limit)).scalars()
    return [Reference(found, found) for found in page]


@lookup
def due_subscriptions(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the subscriptions of which something is due by the wall clock; parked ones are left out."""
    query = select(subscription.c.customer_id, subscription.c.id).where(
        subscription.c.due_at <= tx.wall,
        subscription.c.parked.is_(None),
        or_(subscription.c.retry_at.is_(None), subscription.c.retry_at <= tx.wall),
    )
    return _page(tx, query, (subscription.c.customer_id, subscription.c.id), after, limit)


@lookup
def parked_subscriptions(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the subscriptions that the billing run leaves alone until somebody has looked at them."""
    query = select(subscription.c.customer_id, subscription.c.id).where(subscription.c.parked.is_not(None))
    return _page(tx, query, (subscription.c.customer_id, subscription.c.id), after, limit)


@lookup
def due_renderings(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the documents that wait to be rendered, by the id of the document."""
    query = select(render_job.c.customer_id, render_job.c.document_id.label("id")).where(
        render_job.c.run_at <= tx.wall
    )
    return _page(tx, query, (render_job.c.customer_id, render_job.c.document_id), after, limit)


@lookup
def owners_of_old_keys(tx: DeploymentTx, *, before: datetime, limit: int) -> list[Reference]:
    """The customers with the oldest idempotency keys, of those used before an instant."""
    query = (
        select(idempotency.c.customer_id)
        .where(idempotency.c.recorded_at < before)
        .order_by(idempotency.c.recorded_at)
        .limit(limit)
    )
    found = dict.fromkeys(tx.connection.execute(query).scalars())
    return [Reference(owner, owner) for owner in found]


@lookup
def due_pending_changes(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the changes whose payment is to be collected or given back now, by their intent."""
    query = select(pending_change.c.customer_id, pending_change.c.id).where(
        pending_change.c.run_at <= tx.wall,
        pending_change.c.status.in_((PendingStatus.COLLECTING, PendingStatus.REFUNDING)),
    )
    return _page(tx, query, (pending_change.c.customer_id, pending_change.c.id), after, limit)


@lookup
def waiting_news(tx: DeploymentTx, limit: int) -> list[Reference]:
    """The oldest news that were not handed out to the endpoints yet."""
    query = select(outbox.c.customer_id, outbox.c.id).where(outbox.c.delivered_at.is_(None))
    rows = tx.connection.execute(query.order_by(outbox.c.created_at).limit(limit))
    return [Reference(row.customer_id, row.id) for row in rows]


@lookup
def waiting_outlets(tx: DeploymentTx) -> list[Outlet]:
    """The endpoints that take something now, and for which something is due."""
    due = exists().where(
        webhook_delivery.c.endpoint_id == webhook_endpoint.c.id, webhook_delivery.c.next_at <= tx.wall
    )
    query = select(webhook_endpoint.c.id).where(is_open(tx.wall), due).order_by(webhook_endpoint.c.id)
    return [Outlet(id) for id in tx.connection.execute(query).scalars()]


@lookup
def deliveries_to(
    tx: DeploymentTx, endpoint: UUID, *, status: Status | None, before: UUID | None, limit: int
) -> list[Reference]:
    """A page of the deliveries to an endpoint, latest first, all or of one status."""
    table = webhook_delivery.c
    query = select(table.customer_id, table.id).where(table.endpoint_id == endpoint)
    if status is Status.WAITING:
        query = query.where(table.next_at.is_not(None))
    elif status is Status.FAILED:
        query = query.where(table.failed_at.is_not(None))
    elif status is Status.DELIVERED:
        query = query.where(table.delivered_at.is_not(None))
    if before is not None:
        query = query.where(table.id < before)
    page = tx.connection.execute(query.order_by(table.id.desc()).limit(limit))
    return [Reference(row.customer_id, row.id) for row in page]


@lookup
def owner_of_delivery(tx: DeploymentTx, endpoint: UUID, delivery: UUID) -> Reference | None:
    """Whose message it is that is delivered to an endpoint."""
    query = select(webhook_delivery.c.customer_id).where(
        webhook_delivery.c.endpoint_id == endpoint, webhook_delivery.c.id == delivery
    )
    found = tx.connection.execute(query).scalar()
    return Reference(found, delivery) if found else None


@lookup
def due_collections(tx: DeploymentTx, *, after: Reference | None, limit: int) -> list[Reference]:
    """A page of the invoices of which the money is to be collected or given back now."""
    query = select(collection.c.customer_id, collection.c.invoice_id.label("id")).where(
        collection.c.run_at <= tx.wall,
        collection.c.status.in_((CollectionStatus.WAITING, CollectionStatus.REFUNDING)),
    )
    return _page(tx, query, (collection.c.customer_id, collection.c.invoice_id), after, limit)


def _page(
    tx: DeploymentTx, query: Select[Any], key: tuple[Column[UUID], ...], after: Reference | None, limit: int
) -> list[Reference]:
    """The references of a query, in the order of its key, from after one."""
    if after is not None:
        query = query.where(tuple_(*key) > (after.customer, after.id))
    page = tx.connection.execute(query.order_by(*key).limit(limit))
    return [Reference(row.customer_id, row.id) for row in page]
