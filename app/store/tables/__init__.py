"""The tables. Customer first in every key of customer data; ids are made by the application; money is whole
minor units.

Three kinds of rows: **ledgers** are only appended to (`APPEND_ONLY`), **levels** are small sums kept beside a
ledger in the same transaction, and **directories** are what people edit. `DEPLOYMENT_TABLES` belong to the
deployment and not to a customer.
"""

from __future__ import annotations

from typing import Final

from app.store.metadata import metadata
from app.store.tables.commits import audit, idempotency, outbox, render_job
from app.store.tables.customers import customer, member
from app.store.tables.deployment import (
    api_key,
    catalog,
    catalog_price,
    customer_reference,
    deployment_audit,
    number,
    number_series,
    portal_link,
    portal_session,
)
from app.store.tables.documents import (
    billing_line,
    credit_entry,
    document,
    document_file,
    document_view,
    line_event,
    payment,
    receivable,
    reduction,
)
from app.store.tables.payments import MOVES as PENDING_MOVES
from app.store.tables.payments import collection, pending_change
from app.store.tables.seats import seat_checkpoint, seat_event, seat_holder, seat_level, segment
from app.store.tables.subscriptions import override, scheduled_change, subscription, terms
from app.store.tables.webhooks import webhook_attempt, webhook_delivery, webhook_endpoint, webhook_secret

__all__ = [
    "PENDING_MOVES",
    "api_key",
    "audit",
    "billing_line",
    "catalog",
    "catalog_price",
    "collection",
    "credit_entry",
    "customer",
    "customer_reference",
    "deployment_audit",
    "document",
    "document_file",
    "document_view",
    "idempotency",
    "line_event",
    "member",
    "number",
    "number_series",
    "outbox",
    "override",
    "payment",
    "pending_change",
    "portal_link",
    "portal_session",
    "receivable",
    "reduction",
    "render_job",
    "scheduled_change",
    "seat_checkpoint",
    "seat_event",
    "seat_holder",
    "seat_level",
    "segment",
    "subscription",
    "terms",
    "webhook_attempt",
    "webhook_delivery",
    "webhook_endpoint",
    "webhook_secret",
]

DEPLOYMENT_TABLES: Final = frozenset(
    {
        "api_key",
        "catalog",
        "catalog_price",
        "customer_reference",
        "deployment_audit",
        "number_series",
        "number",
        "portal_link",
        "portal_session",
        "webhook_endpoint",
        "webhook_secret",
    }
)

TENANT_TABLES: Final = frozenset(
    table.name for table in metadata.tables.values() if "customer_id" in table.columns
)
"""Whatever has a row for a customer: no statement touches it without saying for which one, but for the few
look-ups across customers.
"""

APPEND_ONLY: Final = (
    catalog, catalog_price, customer_reference, number, terms, override, seat_event, segment, document,
    document_view, document_file, reduction, line_event, credit_entry, payment, audit,
    deployment_audit, webhook_attempt,
)  # fmt: skip
"""Rows that are never updated nor deleted; the database itself refuses. Of `billing_line` only `FILLED_ONCE`
may change, from null.
"""

FILLED_ONCE: Final = {"billing_line": ("document_id", "position", "description")}

ACROSS_CUSTOMERS: Final = frozenset(
    {
        "collection_due",
        "document_by_id",
        "idempotency_old",
        "member_by_mailbox",
        "outbox_waiting",
        "pending_change_due",
        "render_job_due",
        "subscription_due",
        "webhook_delivery_due",
        "webhook_delivery_failed",
        "webhook_delivery_of_endpoint",
    }
)
"""The indexes of customer data that do not start with the customer: they serve the look-ups across customers
of what is due and whose it is, and promise nothing, so each shard may have its own.
"""
