"""What the explorer shows: the stored operations as tabs, ready to run. In a demo also its accounts, each
with a token of its own and with variables that are valid for it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from app.api import ids
from app.api.auth import new_token
from app.api.explorer import DemoAccount, ExplorerConfig, Tab
from app.api.registry import stored_operations
from app.billing.periods import local_day
from app.billing.permissions import SYSTEM, Role
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.confirming import Offer
from app.services.demo.diary import member_reference
from app.services.open_portal import PortalVisit, open_portal
from app.services.preview_change_plan import preview_change_plan
from app.services.quotes import QuoteSigner
from app.store import customers, documents, holders, states, system
from app.store.documents import InvoiceFilter
from app.store.reference import Reference
from app.store.transaction import Store, Tx

CUSTOMERS_MAX: Final = 3
TOKEN_LIFETIME: Final = timedelta(hours=1)
SEATS_MORE: Final = 5
DAYS_SHOWN: Final = timedelta(days=30)
PAGE: Final = '{\n  "first": 20\n}'
NO_CREDIT_NOTE: Final = "none yet: the id of a credit note, crn_…, goes here"
NO_HOLDER: Final = "nobody sits there: the reference of a holder goes here"
NO_SCHEDULED_CHANGE: Final = "none waits: the id of a scheduled change, chg_…, goes here"


@dataclass(frozen=True, slots=True)
class Shown:
    """A tab of the explorer: its title, the stored operation behind it, and its variables where they are the
    same for everybody.
    """

    title: str
    operation: str
    variables: str = "{}"


SHOWN: Final = (
    Shown("1 Who am I", "viewer"),
    Shown("2 My billing page", "overview"),
    Shown("3 What would 5 more seats cost?", "previewChangePlan"),
    Shown("4 Confirm it", "changePlan"),
    Shown("5 Invoices and PDFs", "invoices", PAGE),
    Shown("6 One invoice", "invoice"),
    Shown("7 Credit notes", "creditNotes", PAGE),
    Shown("8 One credit note", "creditNote"),
    Shown("9 The next invoice", "upcomingInvoice"),
    Shown("10 Seat balances", "seatBalances"),
    Shown("11 Seat events", "seatEvents", PAGE),
    Shown("12 Seats day by day", "seatHistory"),
    Shown("13 Who holds a seat", "seatHolders", PAGE),
    Shown("14 Plans to choose from", "plans"),
    Shown("15 Cancel a scheduled change", "cancelScheduledChange"),
    Shown("16 Billing details", "billingDetails"),
    Shown("17 What would an end give back?", "previewCancelSubscription"),
    Shown("18 End it with the period", "cancelSubscription"),
    Shown("19 What would going on cost?", "previewResumeSubscription"),
    Shown("20 Keep it after all", "resumeSubscription"),
    Shown("21 Give somebody a seat", "assignSeat"),
    Shown("22 Take a seat back", "releaseSeat"),
)
"""Every stored operation, in the order in which a newcomer meets them."""


class WithId(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Example:
    """What is true of a demo customer now, for variables that are valid. Ids are public ones, or say in words
    that there is none.
    """

    customer: str
    subscription: str
    metric: str
    seats: int
    token: str | None
    invoice: str
    credit_note: str
    scheduled_change: str
    holder: str
    today: date


@dataclass(slots=True)
class DemoExplorer:
    """Reads the explorer's configuration. Demo tokens are made when needed and kept in memory alone."""

    store: Store
    signer: QuoteSigner
    demo: bool
    _tokens: dict[tuple[Reference, Role], str] = field(default_factory=dict)
    _made_at: datetime | None = None

    async def config(self) -> ExplorerConfig:
        """The tabs; in a demo with accounts, of which the first is the owner of the first customer."""
        tabs = tuple(Tab(shown.title, _text(shown.operation), shown.variables) for shown in SHOWN)
        if not self.demo:
            return ExplorerConfig(tabs)
        await self._fresh_tokens()
        accounts = []
        for reference in await self.store.system(system.demo_customers, CUSTOMERS_MAX):
            async with self.store.reads(reference.customer) as scope:
                example = await scope.run(_example, self.signer, reference.id)
            variables = dict(_variables(example))
            accounts += [
                DemoAccount(example.customer, role.value, await self._token(reference, role), variables)
                for role in Role
            ]
        return ExplorerConfig(tabs, tuple(accounts))

    async def _fresh_tokens(self) -> None:
        """Forget tokens that have lived half their time."""
        now = self.store.wall()
        if self._made_at is None or now - self._made_at > TOKEN_LIFETIME / 2:
            self._tokens.clear()
            self._made_at = now

    async def _token(self, reference: Reference, role: Role) -> str:
        key = (reference, role)
        if key not in self._tokens:
            token, token_hash = new_token()
            await self.store.run(reference.customer, _let_in, role, token_hash.hex())
            self._tokens[key] = token
        return self._tokens[key]


def _text(operation: str) -> str:
    return stored_operations()[operation]


def _let_in(tx: Tx, role: Role, token_hash: str) -> None:
    """Open a session for the member who stands for a role, made at the first time."""
    reference = member_reference(role)
    known = customers.member_by_reference(tx, reference)
    name = known.name if known else f"Demo {reference.replace('_', ' ')}"
    email = known.email if known else None
    open_portal(tx, SYSTEM, PortalVisit(reference, role, token_hash, name, email, TOKEN_LIFETIME))


def _example(tx: Tx, signer: QuoteSigner, subscription: UUID) -> Example:
    """The first metric of the customer's plan, five seats more of it, and a token for that change."""
    loaded = states.load(tx, subscription)
    assert loaded is not None, "a demo customer has a subscription"
    metric = loaded.state.price.seats[0].metric.code
    seats = loaded.state.level(metric).committed + SEATS_MORE
    change = ChangeRequest(seats=(SeatQuantity(metric, total=seats),))
    offer = preview_change_plan(tx, SYSTEM, signer, subscription, change)
    invoices = documents.invoices_page(tx, InvoiceFilter(), limit=1, before=None)
    credit_notes = documents.credit_notes_page(tx, limit=1, before=None)
    sitting = holders.holders_page(tx, metric=metric, search=None, limit=1, after=None)
    return Example(
        customer=loaded.customer.reference,
        subscription=ids.encode(ids.Kind.SUBSCRIPTION, subscription),
        metric=metric,
        seats=seats,
        token=offer.token if isinstance(offer, Offer) else None,
        invoice=_first(ids.Kind.INVOICE, invoices),
        credit_note=_first(ids.Kind.CREDIT_NOTE, credit_notes, NO_CREDIT_NOTE),
        scheduled_change=_first(ids.Kind.SCHEDULED_CHANGE, loaded.state.scheduled, NO_SCHEDULED_CHANGE),
        holder=sitting[0].holder.reference if sitting else NO_HOLDER,
        today=local_day(tx.at, loaded.customer.zone),
    )


def _first(kind: ids.Kind, found: Iterable[WithId], otherwise: str = "") -> str:
    return next((ids.encode(kind, each.id) for each in found), otherwise)


def _variables(example: Example) -> Iterator[tuple[str, str]]:
    """Variables by the title of a tab, where its operation takes any."""
    change: Mapping[str, Any] = {
        "subscriptionId": example.subscription,
        "seats": [{"metric": example.metric, "quantity": {"total": example.seats}}],
    }
    key = secrets.token_urlsafe(12)
    by_operation: Mapping[str, Any] = {
        "previewChangePlan": {"input": change},
        "changePlan": {"input": {**change, "quoteToken": example.token, "idempotencyKey": key}},
        "cancelScheduledChange": {
            "input": {"scheduledChangeId": example.scheduled_change, "idempotencyKey": key}
        },
        "previewCancelSubscription": {"input": {"subscriptionId": example.subscription}},
        "cancelSubscription": {
            "input": {"subscriptionId": example.subscription, "timing": "AT_RENEWAL", "idempotencyKey": key}
        },
        "previewResumeSubscription": {"input": {"subscriptionId": example.subscription}},
        "resumeSubscription": {"input": {"subscriptionId": example.subscription, "idempotencyKey": key}},
        "assignSeat": {
            "input": {
                "metric": example.metric,
                "holder": {"reference": "new-colleague", "name": "A new colleague"},
                "idempotencyKey": key,
            }
        },
        "releaseSeat": {
            "input": {"metric": example.metric, "reference": example.holder, "idempotencyKey": key}
        },
        "invoice": {"id": example.invoice},
        "creditNote": {"id": example.credit_note},
        "seatHistory": {
            "metric": example.metric,
            "from": (example.today - DAYS_SHOWN).isoformat(),
            "until": example.today.isoformat(),
        },
    }
    for shown in SHOWN:
        if shown.operation in by_operation:
            yield shown.title, json.dumps(by_operation[shown.operation], indent=2, ensure_ascii=False)
